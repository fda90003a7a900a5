"""Exercises of step 06: functions with a way back."""

from types import SimpleNamespace

import numpy as np

from steps.exercises.kit import Exercise, same, true


def box(numbers):
    return SimpleNamespace(data=np.array(numbers), grad=None)


def check_sin(Sin):
    f = Sin()
    true(callable(f) and hasattr(f, "backward"), f"Sin() gave {f!r}: a Function with forward and backward is expected")
    y = f(box([0.0, 1.0, 3.0]))
    same(y, np.sin([0.0, 1.0, 3.0]), "the sine of [0, 1, 3]")
    same(f.backward(np.ones(3)), np.cos([0.0, 1.0, 3.0]), "the slope of the sine at [0, 1, 3]")
    same(f.backward(np.array([2.0, -1.0, 0.5])), np.cos([0.0, 1.0, 3.0]) * [2.0, -1.0, 0.5], "backward of [2, -1, 0.5] at [0, 1, 3]")


def check_grad_of_logistic(grad_of_logistic):
    for x in (0.5, -1.5):
        y = 1 / (1 + np.exp(-x))
        same(grad_of_logistic(x), y * (1 - y), f"the slope of 1 / (1 + exp(-x)) at {x}")


def check_one_object(one_object):
    for x in (0.5, -1.0):
        got, right, wrong = one_object(x), np.exp(np.exp(x)) * np.exp(x), np.exp(np.exp(x)) ** 2
        true(got is None or not np.allclose(got, right), f"at {x}: {right:.6f} is the right slope, which that program does not find")
        same(got, wrong, f"x.grad at {x}")


EXERCISES = [
    Exercise("Sin", "A Function for the sine, with forward and backward.",
             ("The slope of the sine is the cosine, taken at the input.", "backward returns gy * np.cos(self.input.data)."), check_sin),
    Exercise("grad_of_logistic", "Carry the slope of 1 / (1 + exp(-x)) back by hand; x is a number. Write what Functions you need.",
             ("The chain of step 03's exercise does it: Negative, Exp, AddOne, Inverse. Two of them need a backward.",
              "Negative.backward returns -gy, Inverse.backward returns -gy / self.input.data ** 2; then four calls from the last to the first."),
             check_grad_of_logistic),
    Exercise("one_object", "Which wrong number stands in x.grad, if exp(exp(x)) is computed with one and the same Exp object?",
             ("A function keeps the input of its last call. Which input is that when both backwards run?",
              "Both backwards multiply by exp(a), where a = exp(x)."), check_one_object),
]
