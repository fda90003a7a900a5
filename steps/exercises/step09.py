"""Exercises of step 09: handier functions, and a guard at the door."""

from types import SimpleNamespace

import numpy as np

from steps.exercises.kit import Exercise, raises, same, true


def box(numbers):
    return SimpleNamespace(data=np.array(numbers), grad=None, creator=None)


def is_box(y):
    return hasattr(y, "data") and hasattr(y, "grad")


def check_power(power):
    x = box(2.0)
    y = power(x, 3)
    true(is_box(y), f"power(x, 3) gave a {type(y).__name__}: a Variable is expected")
    same(y, 8.0, "2 ** 3")
    y.backward()
    same(x.grad, 12.0, "the slope of x ** 3 at 2")
    x = box([1.0, 4.0, 9.0])
    y = power(x, 0.5)
    y.backward()
    same(y, np.array([1.0, 2.0, 3.0]), "[1, 4, 9] ** 0.5")
    same(x.grad, np.array([0.5, 0.25, 1 / 6]), "the slopes of x ** 0.5 at [1, 4, 9]")
    x = box(2.0)
    power(power(x, 2), 3).backward()
    same(x.grad, 192.0, "the slope of (x ** 2) ** 3 at 2")


def check_variable(variable):
    for data, expected in [(3, 3), (2.5, 2.5), ([1.0, 2.0], [1.0, 2.0]), ([[1, 2], [3, 4]], [[1, 2], [3, 4]]), (np.float64(1.5), 1.5)]:
        y = variable(data)
        true(is_box(y), f"variable({data!r}) gave {y!r}: a Variable is expected")
        true(isinstance(y.data, np.ndarray), f"variable({data!r}) holds a {type(y.data).__name__}: an array is expected")
        same(y, np.array(expected), f"variable({data!r})")
    a = np.array([1.0, 2.0])
    y = variable(a)
    true(is_box(y) and y.data is a, "the box of an array should hold that very array, not a copy")
    true(variable(y) is y, "a Variable should be handed back as it is")
    for data in ("3", {"a": 1}, object()):
        raises(TypeError, lambda data=data: variable(data), f"variable of a {type(data).__name__}")


def check_unlucky_grad(unlucky_grad):
    grad = unlucky_grad()
    true(isinstance(grad, (np.ndarray, np.generic)), f"unlucky_grad() gave {grad!r}: an array is expected")
    true(grad.size == 1, f"for an array of {grad.size} numbers `if not grad` is an error, so it does not go without a word")
    true(not grad.any(), f"`not` of {grad!r} is False, so the line leaves it alone")


EXERCISES = [
    Exercise("power", "x ** n in the new form, with a Function Power behind it. The slope is n * x ** (n - 1).",
             ("n is a setting: Power(n) keeps it, as Clip kept its limits in step 02.",
              "class Power has __init__, forward and backward; def power(x, n): return Power(n)(x)."), check_power),
    Exercise("variable", "A friendlier door: numbers and lists become Variables, arrays too, a Variable is handed back as it is, and everything else "
             "is a TypeError.",
             ("Decide by isinstance, one kind after the other. np.array makes an array of a number or a list.",
              "If it is a Variable, return it; if it is an int, float, list or NumPy number, data = np.array(data); then Variable(data) refuses "
              "the rest."),
             check_variable),
    Exercise("unlucky_grad", "Somebody begins backward with `if not self.grad: self.grad = np.ones_like(self.data)`. Give an array that was set as "
             "y.grad on purpose, and which this line overwrites without a word.",
             ("Besides None, which numbers does Python take for False?", "An array without axes that holds 0: a slope may well be 0."),
             check_unlucky_grad),
]
