"""Exercises of step 01: boxes for arrays."""

from types import SimpleNamespace

import numpy as np

from steps.exercises.kit import Exercise, same, true


def check_boxed_sum(boxed_sum):
    boxes = [SimpleNamespace(data=np.array(1.5)), SimpleNamespace(data=np.array([1.0, 2.0])), SimpleNamespace(data=np.ones((2, 3)))]
    same(boxed_sum(boxes), 10.5, "the sum over shapes (), (2,) and (2, 3)")
    same(boxed_sum([]), 0.0, "the sum over no boxes")


def check_exchange(exchange):
    first, second = np.array([1.0]), np.array([[2.0, 3.0]])
    a, b = SimpleNamespace(data=first), SimpleNamespace(data=second)
    exchange(a, b)
    true(a.data is second and b.data is first, "each box should hold the other's array itself, not a copy")


def check_frozen(frozen):
    a = np.array([1.0, 2.0])
    box = frozen(a)
    a[0] = 9.0
    true(box is not None, "frozen(a) returned nothing: return the Variable")
    same(box.data, np.array([1.0, 2.0]), "the box after a[0] = 9")


EXERCISES = [
    Exercise("boxed_sum", "The sum of the numbers in a list of Variables of any shapes, as one float.",
             ("An array has a method that adds all its numbers, whatever its shape.",
              "Add box.data.sum() over all boxes, and begin at 0.0."), check_boxed_sum),
    Exercise("exchange", "Let two Variables exchange their arrays, without copying a number.",
             ("The arrays stay where they are. Only the boxes point elsewhere.",
              "Python assigns two names at once: a.data, b.data = ..."), check_exchange),
    Exercise("frozen", "A Variable whose array later changes of a cannot reach.",
             ("What does the box have to hold so that a and the box share no memory?", "Return Variable(a.copy())."), check_frozen),
]
