"""Exercises of step 10: tests."""

from types import SimpleNamespace

import numpy as np

from steps.exercises.kit import Exercise, NotYet, same, true


def box(numbers):
    return SimpleNamespace(data=np.array(numbers), grad=None, creator=None)


def check_blind_spot(blind_spot):
    x = blind_spot()
    true(isinstance(x, (np.ndarray, np.generic)) and x.size > 0, f"blind_spot() gave {x!r}: an array of inputs is expected")
    x = np.asarray(x, dtype=float)
    true(np.all(x != 0), "0 is not allowed: 1 / 0 is no number")
    wrong, right = -1 / x, -1 / x**2
    seen = np.flatnonzero(np.abs(wrong - right).ravel() > 1e-6 * np.maximum(1.0, np.abs(right).ravel()))
    if seen.size:
        i = seen[0]
        raise NotYet(f"at {x.ravel()[i]:g} the wrong backward says {wrong.ravel()[i]:g} and the right one {right.ravel()[i]:g}: a check sees that")


def check_is_even(is_even):
    functions = {"cos(x)": np.cos, "|x|": np.abs, "x ** 2 - 3": lambda x: x**2 - 3.0, "exp(x) + exp(-x)": lambda x: np.exp(x) + np.exp(-x)}
    for name, f in functions.items():
        same(is_even(lambda x, f=f: box(f(x.data))), True, f"is_even of {name}")
    functions = {"exp(x)": np.exp, "x ** 3": lambda x: x**3, "x ** 2 + x / 100": lambda x: x**2 + x / 100,
                 "cos(x), but 0 above 4": lambda x: np.where(x > 4, 0.0, np.cos(x))}
    for name, f in functions.items():
        same(is_even(lambda x, f=f: box(f(x.data))), False, f"is_even of {name}")


def check_softsign(Softsign):
    numbers = np.array([-3.0, -0.25, 0.0, 0.5, 2.0])
    f = Softsign()
    true(callable(f) and hasattr(f, "backward"), f"Softsign() gave {f!r}: a Function with forward and backward is expected")
    same(f(box(numbers)), numbers / (1 + np.abs(numbers)), f"softsign of {numbers.tolist()}")
    gy = np.array([1.0, 2.0, 0.5, -1.0, 3.0])
    same(f.backward(gy), gy / (1 + np.abs(numbers)) ** 2, f"backward of {gy.tolist()} at {numbers.tolist()}")


EXERCISES = [
    Exercise("blind_spot", "Somebody writes backward of 1 / x as `return -gy / self.input.data`. Give an array of inputs, none of them 0, at which "
             "no gradient check can see that it is wrong.",
             ("The right slope is -1 / x ** 2. Where are -1 / x and -1 / x ** 2 the same number?", "x = x ** 2 holds for 0 and for one more number."),
             check_blind_spot),
    Exercise("is_even", "A property test of your own: True if f(-x) equals f(x) for all of many random numbers from -5 to 5, otherwise False.",
             ("Draw some hundred numbers at once, put them and their negatives into two boxes, and compare the results with a tolerance.",
              "x = np.random.default_rng(0).uniform(-5, 5, 1000); compare f(Variable(x)).data and f(Variable(-x)).data by np.allclose."),
             check_is_even),
    Exercise("Softsign", "x / (1 + |x|) as a Function that passes the gradient check for positive and negative numbers.",
             ("Find the slope for positive x by the rule for quotients, then for negative x. Both have the same form if you write |x|.",
              "The slope is 1 / (1 + |x|) ** 2; np.abs gives |x|."), check_softsign),
]
