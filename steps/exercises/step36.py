"""Exercises of step 36: gradients in formulas."""

import importlib

import numpy as np

import dezero.functions as F
from steps.exercises.kit import Exercise, same, true


def bowl(xs):
    a, b = xs
    return 3 * a**2 + 2 * a * b + b**2  # its second derivatives are [[6, 2], [2, 2]]


def saddle(xs):
    a, b, c = xs
    return F.sin(a) * b - c**2 * b


def saddle_by_pencil(a, b, c):
    return np.array([[-np.sin(a) * b, np.cos(a), 0], [np.cos(a), 0, -2 * c], [0, -2 * c, -2 * b]])


BOWL, SADDLE = np.array([[6.0, 2.0], [2.0, 2.0]]), np.array([0.5, -1.0, 2.0])
CASES = [(bowl, "3a² + 2ab + b²", np.array([0.3, -0.7]), BOWL), (saddle, "sin(a)·b - c²·b", SADDLE, saddle_by_pencil(*SADDLE))]


def number(got, what):
    true(isinstance(got, (float, np.floating)), f"{what} gave a {type(got).__name__}: a float is expected")
    return float(got)


def check_bend_along(bend_along):
    for f, name, point, hessian in CASES:
        for v in (np.eye(len(point))[0], np.arange(1.0, len(point) + 1), np.array([2.0, -1.0, 0.5])[:len(point)]):
            what = f"the bend of {name} at {point.tolist()} along {v.tolist()}"
            same(number(bend_along(f, point, v), what), v @ hessian @ v / (v @ v), what)


def check_log(Log):
    true(isinstance(Log, type), f"{Log!r}: a class is expected, class Log(Function)")
    at = np.array([0.5, 2.0])
    x = importlib.import_module("step36").Variable(at)
    y = Log()(x)
    for order, right in enumerate((np.log(at), 1 / at, -1 / at**2, 2 / at**3, -6 / at**4)):
        same(y, right, f"derivative {order} of log at 0.5 and 2" if order else "log at 0.5 and 2")
        x.cleargrad()
        y.backward(create_graph=True)
        y = x.grad
        true(y is not None, f"backward through derivative {order} gives x no gradient: the way to x is cut somewhere")


def check_steepest_bend(steepest_bend):
    for f, name, point, hessian in CASES:
        for count in (1, 2, 50):
            v = np.ones(len(point))
            for _ in range(count):
                v = hessian @ v
                v = v / np.sqrt(v @ v)
            what = f"the bend of {name} at {point.tolist()} after {count} rounds"
            same(number(steepest_bend(f, point, count), what), v @ hessian @ v / (v @ v), what)


EXERCISES = [
    Exercise("bend_along", "The second derivative of f along v, v·H·v divided by v·v, as a float. f takes a list of the package's Variables.",
             ("H·v is at hand, without H. What is a vector times a vector?",
              "v @ times_hessian(f, dezero.Variable, point, v) / (v @ v), as a float."), check_bend_along),
    Exercise("Log", "A Function for our own framework, the natural logarithm, with derivatives of any order.",
             ("Its slope is 1 / x. Which operators of Variable make that, with a history?",
              "(x,) = self.inputs, and return (gy / x,)."), check_log),
    Exercise("steepest_bend", "Begin with v of ones, then count times v = H·v, divided by its length. Give bend_along of the last v.",
             ("Each round stretches v most along the direction in which the slope changes most, so v turns there. The length is the root of v @ v.",
              "for _ in range(count): v = times_hessian(...); v = v / np.sqrt(v @ v). Then the first exercise."), check_steepest_bend),
]
