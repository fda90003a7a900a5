"""Exercises of f02: one perceptron for one case, for a table of cases, and weights for a wish."""

import itertools

import numpy as np

from steps.exercises.kit import Exercise, NotYet, same, short, true

ROWS = [list(row) for row in itertools.product((0, 1), repeat=3)]


def check_answer(answer):
    for x, w, b, expected in (([1, 1], [2, 3], -4, 1), ([1, 0], [2, 3], -4, 0), ([1, 1], [2, 3], -5, 0), ([0, 0], [2, 3], 1, 1), ([2.5], [-2], 4, 0),
                              ([1, 0.5, 3], [1, -2, 1], -2, 1)):
        got = answer(list(x), list(w), b)
        true(np.shape(got) == () and not isinstance(got, str), f"answer({x}, {w}, {b}) gave {short(got)}: one number is expected")
        same(got if got is None else float(got), float(expected), f"answer({x}, {w}, {b})")


def check_two_of_three(two_of_three):
    got = two_of_three()
    if not isinstance(got, (tuple, list)) or len(got) != 2 or np.shape(got[0]) != (3,) or np.shape(got[1]) != ():
        raise NotYet(f"two_of_three gave {short(got)}: a pair is expected, three weights and a bias")
    w, b = np.asarray(got[0], float), float(got[1])
    for x in ROWS:
        total = float(np.dot(x, w) + b)
        true(abs(total) > 1e-6, f"with {short(w)} and {b:g} the case {x} has the sum {total:g}, on the border: move the bias a little")
        true((total > 0) == (sum(x) >= 2), f"with {short(w)} and {b:g} the case {x} gives {int(total > 0)}: {int(sum(x) >= 2)} is expected")


def check_answers(answers):
    rng = np.random.default_rng(0)
    cases = [(np.array(ROWS), np.array([4, 2, 2]), -5), (rng.normal(size=(6, 2)), np.array([1.0, -1.0]), 0.1), (np.ones((3, 3)), np.ones(3), -3)]
    for x, w, b in cases:
        same(answers(x.copy(), w.copy(), b), (x @ w + b > 0).astype(int), f"answers for {len(x)} cases, w = {short(w)}, b = {b}")


EXERCISES = [
    Exercise("answer", "0 or 1 of a perceptron for one case x, a list of numbers. The list w of weights is as long; b is the bias.",
             ("Each input times its weight, all added up, plus the bias: is it more than 0?",
              "int(sum(value * weight for value, weight in zip(x, w)) + b > 0)"), check_answer),
    Exercise("two_of_three", "Weights, a list of three, and a bias for a perceptron that fires if at least two of three inputs are 1. No case may "
             "lie on the border.",
             ("All three inputs count alike. Which sums may come out, and between which two lies the threshold?",
              "With the weights 1, 1, 1 the sum is the number of inputs that are 1. The bias is minus something between 1 and 2."),
             check_two_of_three),
    Exercise("answers", "For a table x of N cases the N answers, as an array of 0 and 1. (x * w + b > 0).astype(int) runs too, but gives a table: "
             "mend it.",
             ("The products of a row have to be added up before the bias comes.",
              "x @ w is the sum of products of each row: (x @ w + b > 0).astype(int)"), check_answers),
]
