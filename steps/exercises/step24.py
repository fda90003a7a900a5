"""Exercises of step 24: gradients of long formulas."""

import numpy as np

import dezero.functions as F
from dezero import Variable
from steps.exercises.kit import Exercise, same, true


def check_matyas_gradient(matyas_gradient):
    for x, y in [(1.0, 0.0), (0.0, 1.0), (2.0, -3.0), (-1.5, 0.25)]:
        a, b = Variable(np.array(x)), Variable(np.array(y))
        (0.26 * (a**2 + b**2) - 0.48 * a * b).backward()
        got = matyas_gradient(x, y)
        true(isinstance(got, (tuple, list)) and len(got) == 2, f"matyas_gradient({x}, {y}) gave {got!r}: a pair of numbers is expected")
        same(got[0], float(a.grad.data), f"the slope along x at ({x}, {y})")
        same(got[1], float(b.grad.data), f"the slope along y at ({x}, {y})")


def check_rastrigin(rastrigin):
    numbers = [0.5, -1.25, 2.1]
    xs = [Variable(np.array(number)) for number in numbers]
    y = rastrigin(xs)
    true(isinstance(y, Variable), f"rastrigin(xs) gave a {type(y).__name__}: a Variable is expected, or there is nothing to call backward on")
    same(y, 30 + sum(n**2 - 10 * np.cos(2 * np.pi * n) for n in numbers), f"rastrigin of {numbers}")
    y.backward()
    for x, n in zip(xs, numbers, strict=True):
        true(x.grad is not None, "an x has no gradient: somewhere on the way its box was opened, and the history is lost")
        same(x.grad, 2 * n + 20 * np.pi * np.sin(2 * np.pi * n), f"the slope along the x that is {n}")
    same(rastrigin([Variable(np.array(0.0))] * 2), 0.0, "rastrigin of two zeros")


def check_downhill(downhill):
    def bowl(x, y):
        return 3 * x**2 + 4 * y**2

    def tilted(x, y):
        return 3 * x - 4 * F.sin(y)

    for f, name, point, expected in [(tilted, "3x - 4 sin(y)", (5.0, 0.0), (-0.6, 0.8)), (bowl, "3x² + 4y²", (0.0, 2.0), (0.0, -1.0)),
                                     (bowl, "3x² + 4y²", (-1.0, 0.0), (1.0, 0.0)), (bowl, "3x² + 4y²", (0.0, 0.0), (0.0, 0.0))]:
        got = downhill(f, *point)
        true(isinstance(got, (tuple, list)) and len(got) == 2, f"downhill of {name} at {point} gave {got!r}: a pair of floats is expected")
        for number, right, along in zip(got, expected, "xy", strict=True):
            true(isinstance(number, float), f"downhill of {name} at {point} holds a {type(number).__name__}: floats are expected")
            same(number, right, f"downhill of {name} at {point}, along {along}")


EXERCISES = [
    Exercise("matyas_gradient", "On paper: the pair of slopes of 0.26 * (x**2 + y**2) - 0.48 * x * y, as a formula, without the package.",
             ("For the slope along x, y is a constant like any other number. Then the other way round.",
              "Along x: 0.26 * 2 * x - 0.48 * y. The formula does not change when x and y change places, so its slopes change places as well."),
             check_matyas_gradient),
    Exercise("rastrigin", "For a list of Variables, 10 for each x, plus the sum of x**2 - 10 * cos(2 * pi * x).",
             ("A loop over Variables is as good as a long formula. The cosine must be one that takes Variables.",
              "y = 0.0; for x in xs: y = y + 10 + x**2 - 10 * F.cos(2 * np.pi * x); return y."), check_rastrigin),
    Exercise("downhill", "The direction in which f falls fastest, as a pair of floats of length 1; (0.0, 0.0) where it is flat.",
             ("The gradient points uphill. What makes a pair of numbers point the other way, and what makes its length 1?",
              "With gx, gy from backward and length = (gx**2 + gy**2) ** 0.5: (-gx / length, -gy / length), if length is not 0."), check_downhill),
]
