"""Exercises of step 37: tables, and what the start of backward asks for."""

import numpy as np

import dezero.functions as F
from dezero import Variable
from steps.exercises.kit import Exercise, same, true

X = np.array([[0.3, -0.8, 1.1], [2.0, -1.5, 0.4]])


def mixed(x):
    return F.exp(x) * F.sum(x)


def check_weighted(weighted):
    w = np.array([[1.0, 0.0, -2.0], [0.5, 3.0, 1.0]])
    for f, name in [(F.sin, "sin(x)"), (mixed, "exp(x) * sum(x)")]:
        x = Variable(X.copy())
        F.sum(f(x) * w).backward()
        got = weighted(f, X.copy(), w)
        true(not isinstance(got, Variable), f"weighted of {name} gave a Variable: the array in it is expected")
        same(got, x.grad.data, f"the gradient of the sum of w * y for y = {name}")
    same(weighted(F.sum, X.copy(), np.array(2.0)), np.full((2, 3), 2.0), "y = sum(x), one number, with w = 2")


def check_slopes_of(slopes_of):
    for f, name, place in [(F.sin, "sin(x)", (1, 2)), (mixed, "exp(x) * sum(x)", (0, 1)), (mixed, "exp(x) * sum(x)", (1, 0))]:
        start = np.zeros((2, 3))
        start[place] = 1
        x = Variable(X.copy())
        F.sum(f(x) * start).backward()
        got = slopes_of(f, X.copy(), place)
        true(not isinstance(got, Variable), f"slopes_of {name} gave a Variable: the array in it is expected")
        same(got, x.grad.data, f"the slopes of y[{place[0]}, {place[1]}] for y = {name}")


def check_is_elementwise(is_elementwise):
    def shifted(x):
        return x + F.reshape(x, (3, 2)).T.reshape((2, 3))

    def last_alone(x):
        return x * F.reshape(x, (6,))[5]

    cases = [(lambda x: F.sin(x) * x + 2, "sin(x) * x + 2", True), (lambda x: x - F.sum(x) / 6, "x minus its mean", False),
             (mixed, "exp(x) * sum(x)", False), (lambda x: x**2 * np.arange(6.0).reshape(2, 3), "x² times a fixed table", True),
             (shifted, "x plus the same numbers in other places", False), (last_alone, "x times its last number", False)]
    for f, name, right in cases:
        got = is_elementwise(f, X.copy())
        true(got is not None, "is_elementwise returned nothing: True or False is expected")
        same(bool(got), right, f"is_elementwise for {name}")


EXERCISES = [
    Exercise("weighted", "For an array x, the gradient of the sum of w * f(x), as an array.",
             ("Backward starts with what is in y.grad. You need not multiply anything.",
              "x = Variable(x); y = f(x); y.grad = Variable(w); y.backward(); the answer is x.grad.data."), check_weighted),
    Exercise("slopes_of", "For an array x, the slopes of the one number f(x)[place] along all of x, as an array of x's shape.",
             ("This is the first exercise with a special w: which w picks one number out of a sum?",
              "The start is np.zeros(y.shape) with a 1 at place. Put it into y.grad as a Variable, then call backward."), check_slopes_of),
    Exercise("is_elementwise", "True if no number of f(x) depends on another place of the array x than its own.",
             ("For each place, ask for the slopes of that one output. Where may they be different from 0?",
              "In a loop over np.ndindex(x.shape): take slopes_of(f, x, place), set the number at place to 0; if any other is not 0, it is False."),
             check_is_elementwise),
]
