"""Exercises of step 32: derivatives of any order."""

import importlib

import numpy as np

import dezero.functions as F
from dezero import Variable
from steps.exercises.kit import Exercise, same, true


def check_nth_derivative(nth_derivative):
    cases = [(lambda x: x**4, "x⁴", 2.0, [16.0, 32.0, 48.0, 48.0, 24.0, 0.0, 0.0]), (F.exp, "exp", 0.0, [1.0] * 6),
             (F.sin, "sin", 0.0, [0.0, 1.0, 0.0, -1.0, 0.0, 1.0]), (lambda x: 3 * x + 1, "3x + 1", 5.0, [16.0, 3.0, 0.0, 0.0])]
    for f, name, at, right in cases:
        for n, number in enumerate(right):
            got = nth_derivative(f, at, n)
            true(isinstance(got, float), f"derivative {n} of {name} is a {type(got).__name__}: a float is expected")
            same(got, number, f"derivative {n} of {name} at {at}")


def check_sin(Sin):
    true(isinstance(Sin, type), f"{Sin!r}: a class is expected, class Sin(Function)")
    x = importlib.import_module("step32").Variable(np.array([0.5, -2.0]))
    y = Sin()(x)
    for order in range(6):
        same(y, np.sin(np.array([0.5, -2.0]) + order * np.pi / 2), f"derivative {order} of sin at 0.5 and -2" if order else "sin at 0.5 and -2")
        x.cleargrad()
        y.backward(create_graph=True)
        y = x.grad
        true(y is not None, f"backward through derivative {order} gives x no gradient: the way to x is cut somewhere")


def check_second_derivative(second_derivative):
    for f, name, right in [(lambda x: x**3, "x³", 12.0), (lambda x: x * F.exp(x), "x·exp(x)", 4 * np.exp(2.0))]:
        for before in (None, 7.0):
            x = Variable(np.array(2.0))
            if before is not None:
                (before * x).backward()
            got = second_derivative(f, x)
            true(isinstance(got, (float, np.floating)), f"for {name} a {type(got).__name__} came out: a float is expected")
            same(got, right, f"the second derivative of {name} at 2, where x.grad was {before}")
            after = None if x.grad is None else float(x.grad.data)
            true(after == before, f"x.grad was {before}, and is {after} after second_derivative of {name}")


EXERCISES = [
    Exercise("nth_derivative", "With the package: derivative n of a function on Variables at a number, as a float. The slope of a constant is 0.0.",
             ("The loop of derivatives() does nearly all. How does one see that a gradient has no function behind it?",
              "If v.creator is None for the last result and it is not x itself, then all further derivatives are 0.0."), check_nth_derivative),
    Exercise("Sin", "A Function for our own framework, with derivatives of any order.",
             ("The slope of the sine is the cosine, and the slope of the cosine is minus the sine. Both slopes must be Variables with a history.",
              "Two classes: backward of Sin returns (gy * Cos()(x),), backward of Cos returns (gy * Sin()(x) * -1,)."), check_sin),
    Exercise("second_derivative", "The second derivative of f at a Variable x, as a float; x.grad must afterwards be what it was before.",
             ("backward adds to what lies in x.grad. What has to be done before each of the two, and what at the end?",
              "Keep x.grad in another name, clear before each backward, read x.grad.data, then put back what you kept."), check_second_derivative),
]
