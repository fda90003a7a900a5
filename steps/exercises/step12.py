"""Exercises of step 12: stars in calls and definitions."""

from types import SimpleNamespace

import numpy as np

from steps.exercises.kit import Exercise, same, true


def box(numbers):
    return SimpleNamespace(data=np.array(numbers), grad=None, creator=None)


def is_box(y):
    """A bare array has a ``data`` of its own, so that alone proves nothing."""
    return hasattr(y, "data") and not isinstance(y, (np.ndarray, np.generic))


def check_predict(predict):
    got = predict()
    true(isinstance(got, (list, tuple)) and len(got) == 5, f"{got!r} came out: a list of five numbers is expected")
    calls = ["f(1, 2)", "f([1, 2])", "f(*[1, 2])", "f(*[[1, 2]])", "f(*[])"]
    wrong = [call for call, number, right in zip(calls, got, [2, 1, 2, 1, 0], strict=True) if number != right]
    true(not wrong, f"{len(wrong)} of 5 differ from what Python says, the first one is {wrong[0] if wrong else ''}")


def check_average(average):
    y = average(box([1.0, 2.0]), box([3.0, 4.0]), box([8.0, 9.0]))
    true(is_box(y), f"average of three Variables gave a {type(y).__name__}: one Variable is expected")
    same(y, np.array([4.0, 5.0]), "the mean of [1, 2], [3, 4] and [8, 9]")
    inputs = getattr(getattr(y, "creator", None), "inputs", ())
    true(len(inputs) == 3, f"the creator of the mean has {len(inputs)} inputs: one Function that takes all three is expected")
    same(average(box(6.0)), np.array(6.0), "the mean of 6 alone")


def check_polar(polar):
    outputs = polar(box([3.0, 0.0, -1.0]), box([4.0, 2.0, 0.0]))
    true(isinstance(outputs, (list, tuple)) and len(outputs) == 2, f"polar gave a {type(outputs).__name__}: two Variables are expected")
    distance, angle = outputs
    true(is_box(distance) and is_box(angle), f"polar gave a {type(distance).__name__} and a {type(angle).__name__}: two Variables are expected")
    same(distance, np.array([5.0, 2.0, 1.0]), "the distances of (3, 4), (0, 2) and (-1, 0)")
    same(angle, np.arctan2([4.0, 2.0, 0.0], [3.0, 0.0, -1.0]), "the angles of (3, 4), (0, 2) and (-1, 0)")
    creator = getattr(distance, "creator", None)
    true(creator is not None and creator is getattr(angle, "creator", None), "the distance and the angle should have one creator in common")


EXERCISES = [
    Exercise("predict", "With `def f(*xs): return len(xs)`, the list of what f(1, 2), f([1, 2]), f(*[1, 2]), f(*[[1, 2]]) and f(*[]) give.",
             ("A star in the call takes off the outer brackets of a list. Without a star a list is one argument.",
              "Write each call without the star: f(*[1, 2]) is f(1, 2), f(*[[1, 2]]) is f([1, 2]), f(*[]) is f(). Then count."), check_predict),
    Exercise("average", "The mean of any number of Variables as one Variable, by one Function of your own.",
             ("forward does not know how many arrays come. What does the star in a definition do?",
              "def forward(self, *xs): return sum(xs) / len(xs); and average passes its boxes on with a star: Mean()(*boxes)."), check_average),
    Exercise("polar", "Two Variables for a point: its distance from (0, 0), and its angle (np.arctan2(y, x)), by one Function of your own.",
             ("Two results leave forward as a tuple. Let the call do the rest.",
              "forward(self, x, y) returns np.sqrt(x**2 + y**2), np.arctan2(y, x)."), check_polar),
]
