"""Exercises of step 29: Newton's method."""

import numpy as np

import dezero.functions as F
from steps.exercises.kit import Exercise, same, true


def check_second(second):
    def formula(x):
        return x**2 * np.exp(-x)

    for x in (0.0, 1.0, 2.5, -0.7):
        h = 1e-3  # five points: the error is about h**4
        right = (-formula(x + 2 * h) + 16 * formula(x + h) - 30 * formula(x) + 16 * formula(x - h) - formula(x - 2 * h)) / (12 * h**2)
        got = second(x)
        true(isinstance(got, (float, int, np.floating, np.ndarray)), f"second({x}) gave a {type(got).__name__}: a number is expected")
        same(float(got), right, f"second({x})", tolerance=1e-6)


def check_find_zero(find_zero):
    same(find_zero(lambda x: x**2 - 2, 1.0, 1), 1.5, "find_zero of x² - 2 from 1.0 after 1 jump")
    got = find_zero(lambda x: x**2 - 2, 1.0, 6)
    true(isinstance(got, float), f"find_zero gave a {type(got).__name__}: a float is expected")
    same(got, np.sqrt(2), "find_zero of x² - 2 from 1.0 after 6 jumps")
    same(find_zero(lambda x: F.cos(x) - x, 0.5, 8), 0.7390851332151607, "find_zero of cos(x) - x from 0.5 after 8 jumps")
    same(find_zero(lambda x: x**2 - 2, 3.0, 0), 3.0, "find_zero from 3.0 after no jump")


def check_newton_without_pencil(newton_without_pencil):
    def quartic(x):
        return x**4 - 3 * x**3 + 2

    same(newton_without_pencil(quartic, 4.0, 1), 4 - 112 / 120, "the quartic of the script from 4.0 after 1 jump", tolerance=1e-3)
    same(newton_without_pencil(quartic, 4.0, 8), 2.25, "the quartic of the script from 4.0 after 8 jumps", tolerance=1e-6)
    same(newton_without_pencil(lambda x: F.exp(x) + F.exp(-2 * x), 0.0, 6), np.log(2) / 3, "exp(x) + exp(-2x) from 0.0 after 6 jumps", tolerance=1e-6)
    same(newton_without_pencil(lambda x: 5 * (x - 3) ** 2, -4.0, 1), 3.0, "5 * (x - 3)² from -4.0 after 1 jump: it is a parabola", tolerance=1e-4)


EXERCISES = [
    Exercise("second", "With a pencil: the second derivative of x**2 * exp(-x), as a formula of a number x.",
             ("The rule for products, twice. The derivative of exp(-x) is -exp(-x).",
              "The first derivative is (2x - x²) exp(-x). Once more: (2 - 2x) exp(-x) - (2x - x²) exp(-x). Collect what stands before exp(-x)."),
             check_second),
    Exercise("find_zero", "count jumps to where f itself is 0: from x follow the straight line that touches the curve. Returns a float.",
             ("The straight line at x has the height f(x) and the slope f'(x). Where is it 0?",
              "Each jump: v = Variable(np.array(x)); y = f(v); y.backward(); x = x - y.data / v.grad.data. At the end float(x)."), check_find_zero),
    Exercise("newton_without_pencil", "count jumps of the script, with the second derivative as a central difference of two slopes.",
             ("Step 04 had the central difference of a function. The slope is a function of x as well, and backward computes it.",
              "With slope(x) by backward: second = (slope(x + 1e-4) - slope(x - 1e-4)) / 2e-4, then x = x - slope(x) / second."),
             check_newton_without_pencil),
]
