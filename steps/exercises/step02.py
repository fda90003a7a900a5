"""Exercises of step 02: functions from box to box."""

from types import SimpleNamespace

import numpy as np

from steps.exercises.kit import Exercise, same, true


def box(*numbers):
    return SimpleNamespace(data=np.array(numbers))


def is_box(y):
    """A bare array has a ``data`` of its own, so that alone proves nothing."""
    return hasattr(y, "data") and not isinstance(y, (np.ndarray, np.generic))


def check_clip(Clip):
    x = box(-2.0, 0.25, 3.0)
    f = Clip(0, 1)
    true(callable(f), f"Clip(0, 1) gave {f!r}: a Function is expected, which can then be called with a box")
    y = f(x)
    true(is_box(y), f"Clip(0, 1)(x) gave a {type(y).__name__}: a Variable is expected")
    same(y, np.array([0.0, 0.25, 1.0]), "Clip(0, 1) of [-2, 0.25, 3]")
    same(Clip(-3, -1)(x), np.array([-2.0, -1.0, -1.0]), "Clip(-3, -1) of [-2, 0.25, 3]")
    same(x, np.array([-2.0, 0.25, 3.0]), "the input afterwards")


def check_counting_cube(CountingCube):
    f, other = CountingCube(), CountingCube()
    true(hasattr(f, "calls"), "a CountingCube has no ``calls`` before its first call: 0 is expected")
    same(f.calls, 0, "calls before the first call")
    y = f(box(2.0))
    f(box(1.0, 2.0))
    true(is_box(y), f"the call gave a {type(y).__name__}: a Variable is expected")
    same(y, np.array([8.0]), "the cube of [2]")
    same(f.calls, 2, "calls after two calls")
    same(other.calls, 0, "calls of another CountingCube, which nobody called")


def check_safe_half(SafeHalf):
    x = box(2.0, 6.0)
    f = SafeHalf()
    true(callable(f), f"SafeHalf() gave {f!r}: a Function is expected")
    y = f(x)
    true(is_box(y), f"SafeHalf()(x) gave a {type(y).__name__}: a Variable is expected")
    same(y, np.array([1.0, 3.0]), "the half of [2, 6]")
    same(x, np.array([2.0, 6.0]), "the box that went in, afterwards")
    same(f(box(3, 4)), np.array([1.5, 2.0]), "the half of the whole numbers [3, 4]")


EXERCISES = [
    Exercise("Clip", "A Function with settings: Clip(0, 1)(x) raises what is below 0 to 0, and lowers what is above 1 to 1.",
             ("Settings of a function belong to __init__, the mathematics to forward. NumPy has a function that does the clipping.",
              "Keep low and high as self.low and self.high; forward returns np.clip(x, self.low, self.high)."), check_clip),
    Exercise("CountingCube", "A Cube that counts its calls: after f(x); f(x) the number in f.calls is 2.",
             ("Where must the counter be set to 0, so that each object has its own? And which method runs once a call?",
              "self.calls = 0 in __init__; in forward add 1 to self.calls, then return x ** 3."), check_counting_cube),
    Exercise("SafeHalf", "The forward `x /= 2; return x` gives the right result, yet ruins something. Write it without the bug.",
             ("Look at the box that went in, after the call. What does /= do to an array (see step 01)?",
              "x / 2 makes a new array; x /= 2 writes into the old one."), check_safe_half),
]
