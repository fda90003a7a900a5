"""Exercises of step 33: Newton's method without a pencil."""

import numpy as np

import dezero.functions as F
from steps.exercises.kit import Exercise, same, true


def check_kind_of_flat(kind_of_flat):
    cases = [(lambda x: x**2, "x²", 0.0, "lowest"), (lambda x: 5 - (x - 3.0) ** 2, "5 - (x - 3)²", 3.0, "highest"),
             (lambda x: x**3, "x³", 0.0, "unclear"), (F.cos, "cos", 0.0, "highest"), (lambda x: x**4 - 3 * x**3 + 2, "x⁴ - 3x³ + 2", 2.25, "lowest"),
             (lambda x: F.exp(x) - x, "exp(x) - x", 0.0, "lowest")]
    for f, name, at, right in cases:
        same(kind_of_flat(f, at), right, f"{name} at {at}")


def check_parabola(parabola):
    for f, name, at, right in [(lambda x: 2 + 3 * x - x**2, "2 + 3x - x²", 1.7, (2.0, 3.0, -1.0)), (F.exp, "exp", 0.0, (1.0, 1.0, 0.5)),
                               (lambda x: x**3, "x³", 2.0, (8.0, -12.0, 6.0)), (lambda x: x**3, "x³", -1.0, (-1.0, -3.0, -3.0))]:
        got = parabola(f, at)
        true(isinstance(got, (tuple, list)) and len(got) == 3, f"parabola of {name} at {at} gave {got!r}: three numbers are expected")
        for letter, number, wanted in zip("abc", got, right, strict=True):
            same(float(number), wanted, f"{letter} for {name} at {at}")


def check_halley(halley):
    def jump(x, d1, d2, d3):
        return x - 2 * d1 * d2 / (2 * d2**2 - d1 * d3)

    right = [4.0]
    for _ in range(5):
        x = right[-1]
        right.append(jump(x, 4 * x**3 - 9 * x**2, 12 * x**2 - 18 * x, 24 * x - 18))
    same(halley(lambda x: x**4 - 3 * x**3 + 2, 4.0, 5), np.array(right), "the quartic from 4.0, 5 jumps")
    right = [0.5]
    for _ in range(3):
        x, e = right[-1], np.exp(right[-1])
        right.append(jump(x, e - 2, e, e))
    same(halley(lambda x: F.exp(x) - 2 * x, 0.5, 3), np.array(right), "exp(x) - 2x from 0.5, 3 jumps")


EXERCISES = [
    Exercise("kind_of_flat", "At a number x where the slope of f is 0: \"lowest\", \"highest\", or \"unclear\" where the second derivative is 0 too.",
             ("A cup bends up, a hill bends down. Which number tells the bend?",
              "Take the second derivative as slopes() of the script does, and compare it with 0."), check_kind_of_flat),
    Exercise("parabola", "The numbers a, b, c of the parabola a + b·t + c·t² with the same height, slope and second derivative as f at t = x.",
             ("First the bend: what is the second derivative of a + b·t + c·t²? Then the slope at x, then the height at x.",
              "c = second / 2, b = slope - 2·c·x, a = height - b·x - c·x²."), check_parabola),
    Exercise("halley", "All x of count jumps x - 2·d1·d2 / (2·d2² - d1·d3) from x on, as a list, with d1, d2, d3 the derivatives of f at x.",
             ("slopes() of the script, with one more round: its last backward has to record too.",
              "Three backwards, the first two with create_graph=True, cleargrad between them; the last list element is the newest x."), check_halley),
]
