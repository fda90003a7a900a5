"""Exercises of f03: one step of the rule, a gate of one's own, and learning until there is room to spare."""

from typing import Any

import numpy as np

from steps.exercises.kit import Exercise, NotYet, framework, same, short, true


def pair(got: Any, size: int, what: str) -> tuple[np.ndarray, float]:
    if not isinstance(got, (tuple, list)) or len(got) != 2 or np.shape(got[0]) != (size,) or np.size(got[1]) != 1:
        raise NotYet(f"{what} gave {short(got)}: a pair is expected, {size} weights and a bias")
    return np.asarray(got[0], float), float(np.asarray(got[1]).ravel()[0])


def check_update(update):
    for w, b, x, t, rate, expected in (([0, 0], 0, [1, 0], 1, 1, ([1, 0], 1)), ([2, 1], -2, [1, 1], 0, 0.5, ([1.5, 0.5], -2.5)),
                                       ([2, 1], -2, [1, 1], 1, 1, ([2, 1], -2)), ([1, 1], -1, [0, 1], 1, 2, ([1, 3], 1)),
                                       ([1, 1], -1, [0.5, 0.25], 0, 1, ([1, 1], -1)), ([1, -1], 0, [2, 0.5], 0, 1, ([-1, -1.5], -1))):
        before, case = np.array(w, float), np.array(x, float)
        what = f"update({w}, {b}, {x}, {t}, {rate})"
        got = pair(update(before, float(b), case, t, rate), 2, what)
        same(got[0], np.array(expected[0], float), f"the weights of {what}")
        same(got[1], float(expected[1]), f"the bias of {what}")
        true(before.tolist() == w and case.tolist() == x, f"{what} changed the array w or x that it was given: make a new one")


def check_implies(implies):
    w, b = pair(implies(), 2, "implies()")
    for x, t in (((0, 0), 1), ((0, 1), 1), ((1, 0), 0), ((1, 1), 1)):
        total = float(np.dot(x, w) + b)
        true(abs(total) > 1e-6, f"with {short(w)} and {b:g} the case {x} has the sum {total:g}, on the border: move the bias a little")
        true((total > 0) == bool(t), f"with {short(w)} and {b:g} the case {x} gives {int(total > 0)}: {t} is expected")


def check_learn_with_gap(learn_with_gap):
    f03 = framework("f03")
    for gap in (0.5, 3):
        for name, t in f03.GATES.items():
            what = f"learn_with_gap for {name}, gap {gap}"
            w, b = pair(learn_with_gap(f03.ROWS.copy(), t.copy(), gap), 2, what)
            for x, y in zip(f03.ROWS, t, strict=True):
                total = float(x @ w + b)
                true((total > 0) == bool(y), f"{what}: the case {x.tolist()} gives {int(total > 0)}, {y} is expected")
                true(abs(total) >= gap - 1e-9, f"{what}: the sum of the case {x.tolist()} is {total:g}, nearer to 0 than {gap}")


EXERCISES = [
    Exercise("update", "One step of the rule: the pair (w, b) after the perceptron has seen the case x, whose right answer is t. Arrays w and x stay "
             "as they are.",
             ("First the answer y: does the case fire? Then the difference t - y, which is 1, 0 or -1.",
              "y = int(x @ w + b > 0), and the pair is w + rate * (t - y) * x and b + rate * (t - y)."), check_update),
    Exercise("implies", 'Weights, a list of two, and a bias for the gate "if the first, then the second": it is 0 only where the first input is 1 '
             "and the second 0. No case may lie on the border.",
             ("The first input speaks against firing, the second for it.",
              "With the weights -1 and 1 the four sums are 0, 1, -1, 0. Which bias leaves only the third below 0?"), check_implies),
    Exercise("learn_with_gap", "For cases x (N, 2) and answers t of 0 and 1: the pair of weights and bias by the rule, where an answer counts as a "
             "mistake also if its sum is nearer to 0 than gap.",
             ("At such a mistake the answer may be right, and t - y is 0. Which way should the sum move instead?",
              "side = 2 * t - 1 is 1 or -1. While some case has side * (x @ w + b) < gap: w = w + side * x, b = b + side. Begin with zeros."),
             check_learn_with_gap),
]
