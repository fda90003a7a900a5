"""Exercises of step 04: numerical derivatives."""

from types import SimpleNamespace

import numpy as np

from steps.exercises.kit import Exercise, same, true


def box(numbers):
    return SimpleNamespace(data=np.array(numbers))


def check_predicted_error(predicted_error):
    same(predicted_error(0.01), 3e-5, "the error at 0.01", 1e-7)
    for eps in (0.1, 0.02, 0.001):
        got = predicted_error(eps)
        expected = 3e-5 * (eps / 0.01) ** 2
        true(got is not None, f"predicted_error({eps}) returned nothing: {expected:.2g} is expected")
        same(got / expected, 1.0, f"the error at {eps}, as a multiple of {expected:.2g}", 1e-3)


def check_second_diff(second_diff):
    same(second_diff(lambda x: box(x.data**2), box(3.0)), 2.0, "the second derivative of x ** 2 at 3", 1e-5)
    same(second_diff(lambda x: box(np.sin(x.data)), box([0.5, 2.0])), -np.sin([0.5, 2.0]), "the second derivative of sin at [0.5, 2]", 1e-5)
    same(second_diff(lambda x: box(x.data**4), box(1.0), eps=0.5), 12.5, "with eps = 0.5, of x ** 4 at 1: (1.5 ** 4 - 2 + 0.5 ** 4) / 0.25")


def check_tidy_grad(tidy_grad):
    def f(x):
        return box(x.data[0] * x.data[1] + x.data[2] ** 2)

    x = box([2.0, 5.0, 3.0])
    same(tidy_grad(f, x), np.array([5.0, 2.0, 6.0]), "the gradient of x0 * x1 + x2 ** 2 at [2, 5, 3]", 1e-6)
    true(np.array_equal(x.data, [2.0, 5.0, 3.0]), f"afterwards the box holds {x.data.tolist()}: exactly [2, 5, 3] is expected, as before")


EXERCISES = [
    Exercise("predicted_error", "For some function the central difference is wrong by 3e-5 at eps = 0.01. How wrong is it at another eps, "
             "from 0.1 down to 0.001?",
             ("In the table, ten times smaller steps make the central difference a hundred times better.",
              "The error grows with the square of the step: 3e-5 * (eps / 0.01) ** 2."), check_predicted_error),
    Exercise("second_diff", "The slope of the slope, from three values of f: at x - eps, x and x + eps.",
             ("Write the slope from x to x + eps and the slope from x - eps to x. How do you get from two slopes to the slope of the slope?",
              "(f(x + eps) - 2 * f(x) + f(x - eps)) / eps ** 2, with Variables around the inputs and .data of the results."), check_second_diff),
    Exercise("tidy_grad", "Somebody moves the numbers in the box itself, and forgets something. Mend it.",
             ("What is in x.data[0] when the loop comes to i = 1?",
              "Keep `before = x.data[i]` and put it back at the end of the round: `x.data[i] = before`. Adding eps once more may be off in "
              "the last digit."),
             check_tidy_grad),
]
