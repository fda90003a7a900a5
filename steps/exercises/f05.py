"""Exercises of f05: which activation goes last, a sigmoid for all numbers, the slope of another one."""

import warnings

import numpy as np

from steps.exercises.kit import Exercise, NotYet, same, true

LAST = {"price of a house": "identity", "spam or not": "sigmoid", "which of ten digits": "softmax", "all things seen in a photo": "sigmoid",
        "profit or loss in euros": "identity", "will it rain": "sigmoid"}


def check_last(last_activations):
    tasks = list(LAST)
    for order in (tasks, tasks[::-1], tasks[2:4]):
        got = last_activations(list(order))
        true(isinstance(got, (list, tuple)) and len(got) == len(order), f"last_activations: {got!r} came out, {len(order)} names are expected")
        wrong = [task for task, name in zip(order, got, strict=True) if not isinstance(name, str) or name.lower() != LAST[task]]
        true(not wrong, f"last_activations: not right for {', '.join(map(repr, wrong))}")


def check_sigmoid(sigmoid):
    points = np.linspace(-30, 30, 25)
    with warnings.catch_warnings(), np.errstate(all="warn", under="ignore"):
        warnings.simplefilter("error")
        try:
            same(sigmoid(points), 1 / (1 + np.exp(-points)), "sigmoid of 25 numbers from -30 to 30", tolerance=1e-12)
            same(sigmoid(np.array([-1000.0, 0.0, 1000.0])), np.array([0.0, 0.5, 1.0]), "sigmoid([-1000, 0, 1000])")
            for number, expected in ((-1000.0, 0.0), (2.0, 1 / (1 + np.exp(-2.0))), (1000.0, 1.0)):
                got = sigmoid(number)
                true(got is not None and np.size(got) == 1, f"sigmoid({number:g}): {got!r} came out, a number is expected")
                same(float(np.reshape(got, ())), expected, f"sigmoid({number:g})", tolerance=1e-12)
        except RuntimeWarning as warning:
            raise NotYet(f"sigmoid warns: {warning}") from None


def check_swish_slope(swish_slope):
    x = np.linspace(-20, 20, 41)

    def swish(x):
        return x / (1 + np.exp(-x))

    same(swish_slope(np.array([0.0])), np.array([0.5]), "swish_slope([0])")
    same(swish_slope(x), (swish(x + 1e-4) - swish(x - 1e-4)) / 2e-4, "swish_slope of 41 numbers from -20 to 20", tolerance=1e-6)


EXERCISES = [
    Exercise("last_activations", 'For each task of a list the name of the last layer\'s activation: "identity", "sigmoid" or "softmax". The tasks: '
             + ", ".join(f'"{task}"' for task in LAST) + ".",
             ("Is the answer any number, a yes or no, or one of several? And can several be true at once?",
              "Money may be any number: identity. A yes or no: sigmoid, and so for several things which may all be there. One of ten: softmax."),
             check_last),
    Exercise("sigmoid", "Mend 1 / (1 + np.exp(-x)), which warns of an overflow for x = -1000: right for numbers and arrays from -1000 to 1000, "
             "without a warning.",
             ("1 / (1 + exp(-x)) is exp(x) / (1 + exp(x)) too. Which of the two is safe for negative x?",
              "e = np.exp(-np.abs(x)) never overflows. Then np.where(x >= 0, 1, e) / (1 + e)."), check_sigmoid),
    Exercise("swish_slope", "The slope of x * sigmoid(x) as a formula, not by trial; x is an array between -20 and 20.",
             ("The slope of a product: the slope of the one times the other, plus the one times the slope of the other.",
              "With y = sigmoid(x): the slope of x is 1, the slope of y is y * (1 - y). So y + x * y * (1 - y)."), check_swish_slope),
]
