"""Exercises of step 03: chains of functions."""

import warnings
from types import SimpleNamespace

import numpy as np

from steps.exercises.kit import Exercise, same, true


def box(numbers):
    return SimpleNamespace(data=np.array(numbers))


def is_box(y):
    return hasattr(y, "data") and not isinstance(y, (np.ndarray, np.generic))


def check_chain(chain):
    calls = []

    def named(name, compute):
        def f(x):
            calls.append(name)
            return box(compute(x.data))
        return f

    double, add_three = named("double", lambda x: 2 * x), named("add three", lambda x: x + 3)
    f = chain(double, add_three, add_three)
    true(callable(f), f"chain(...) gave {f!r}: a function is expected, which can then be called with a box")
    true(not calls, "chain(...) computes already: it should only give a function, which computes when it is called")
    same(f(box(5.0)), 16.0, "chain(double, add three, add three) of 5")
    same(calls, ["double", "add three", "add three"], "the order of the calls")
    same(f(box([1.0, 2.0])), np.array([8.0, 10.0]), "the same chain, called once more, with [1, 2]")
    same(chain(add_three)(box(1.0)), 4.0, "chain(add three) of 1")
    same(chain()(box(7.0)), 7.0, "chain() of 7: no function changes nothing")


def check_sigmoid(sigmoid):
    y = sigmoid(box(0.5))
    true(is_box(y), f"sigmoid(x) gave a {type(y).__name__}: a Variable is expected")
    same(y, 1 / (1 + np.exp(-0.5)), "sigmoid of 0.5")
    same(sigmoid(box([-2.0, 0.0, 2.0])), 1 / (1 + np.exp([2.0, 0.0, -2.0])), "sigmoid of [-2, 0, 2]")


def check_softplus(Softplus):
    f = Softplus()
    true(callable(f), f"Softplus() gave {f!r}: a Function is expected")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = f(box(0.5))
        true(is_box(y), f"Softplus()(x) gave a {type(y).__name__}: a Variable is expected")
        same(y, 0.9740769841801067, "softplus of 0.5")
        same(f(box([-1000.0, 0.0, 1000.0])), np.array([0.0, np.log(2.0), 1000.0]), "softplus of [-1000, 0, 1000]")


EXERCISES = [
    Exercise("chain", "A function that sends a box through all of them in order: chain(Exp(), AddOne())(x) is exp(x) + 1.",
             ("chain returns a function. Inside of it a loop calls one function after the other, each with the result before it.",
              "def chain(*functions): define apply(x), in which `for f in functions: x = f(x)` and then `return x`; return apply."),
             check_chain),
    Exercise("sigmoid", "1 / (1 + exp(-x)) as a chain of simple functions of your own (two new ones are enough).",
             ("Say in words what happens to x, from the inside out. Exp and AddOne are there already.",
              "Write Negative (-x) and Inverse (1 / x); then x goes through Negative, Exp, AddOne, Inverse."), check_sigmoid),
    Exercise("Softplus", "One Function for softplus. Our chain says infinity for x = 1000; yours says 1000, and gives no warning.",
             ("It is exp(1000) that is too big for a float, though its logarithm is not. Which function did the test above use?",
              "forward returns np.logaddexp(0.0, x)."), check_softplus),
]
