"""Exercises of step 40: stretching, and adding up on the way back."""

import itertools

import numpy as np

import dezero.functions as F
from dezero import Variable
from steps.exercises.kit import Exercise, same, true

SHAPES = [(), (1,), (3,), (2,), (2, 3), (2, 1), (1, 3), (4, 1, 3), (4, 2, 1), (0,), (1, 0)]


def check_result_shape(result_shape):
    for a, b in itertools.product(SHAPES, repeat=2):
        try:
            right = np.broadcast_shapes(a, b)
        except ValueError:
            right = None
        got = result_shape(a, b)
        got = tuple(got) if isinstance(got, (list, tuple)) else got
        true(got == right, f"result_shape({a}, {b}): {got!r} came out, {right!r} is expected")


def slopes(f, arrays, weights, what):
    boxes = [Variable(a) for a in arrays]
    y = f(*boxes)
    true(isinstance(y, Variable), f"{what}: a {type(y).__name__} came out, a Variable is expected")
    same(y.shape, weights.shape, f"{what}: the shape")
    F.sum(y * weights).backward()
    for box in boxes:
        true(box.grad is not None, f"{what}: an input has no gradient")
    return y.data, [box.grad.data for box in boxes]


def check_times(times):
    rng = np.random.default_rng(0)
    for shapes in [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (2, 3)), ((2, 1), (1, 3)), ((), (4,)), ((4, 1, 3), (2, 1))]:
        a, b = (rng.normal(size=shape) for shape in shapes)
        weights, what = rng.normal(size=np.broadcast_shapes(*shapes)), f"times of shapes {shapes[0]} and {shapes[1]}"
        y, grads = slopes(times, (a, b), weights, what)
        right = slopes(lambda a, b: a * b, (a, b), weights, what)
        same(y, right[0], what)
        for got, expected, name in zip(grads, right[1], "ab", strict=True):
            same(got, expected, f"{what}: the gradient of {name}")
    y = times(Variable(np.ones(2)), Variable(np.ones(2)))
    true(type(y.creator).__name__ != "Mul", "times should call a Function of your own, not the * of the package")


def check_distances(distances):
    rng = np.random.default_rng(0)
    for n, m in ((3, 4), (2, 2), (1, 5)):
        a, b, weights = rng.normal(size=(n, 2)), rng.normal(size=(m, 2)), rng.normal(size=(n, m))
        what = f"distances of {n} and {m} points"
        y, (ga, gb) = slopes(distances, (a, b), weights, what)
        same(y, np.array([[(p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2 for q in b] for p in a]), what)
        right = np.zeros((n, 2)), np.zeros((m, 2))
        for i, j in np.ndindex(n, m):
            right[0][i] += 2 * weights[i, j] * (a[i] - b[j])
            right[1][j] -= 2 * weights[i, j] * (a[i] - b[j])
        same(ga, right[0], f"{what}: the gradient of a")
        same(gb, right[1], f"{what}: the gradient of b")


EXERCISES = [
    Exercise("result_shape", "The shape of a sum of arrays with the shapes a and b, by the rule alone; None if they do not fit. No NumPy.",
             ("Make both shapes equally long first: put ones in front of the shorter one. Then compare size by size.",
              "Two sizes fit if they are equal or one is 1; the result has the other one: y if x == 1 else x. Careful with size 0: max() is wrong."),
             check_result_shape),
    Exercise("times", "A product whose Function you write: a backward that is right for all shapes that fit. Use F.sum_to.",
             ("The gradient of a is gy * b, of the shape of the result. Which shape should it have?",
              "In backward: a, b = self.inputs; return F.sum_to(gy * b, a.shape), F.sum_to(gy * a, b.shape)."), check_times),
    Exercise("distances", "For points a (N, 2) and b (M, 2) the squared distance of each from each, as a Variable (N, M). No loop.",
             ("Each point of a has to meet each point of b: N must lie along one axis, M along another, the 2 coordinates along a third.",
              "Reshape a to (N, 1, 2) and b to (1, M, 2), take the difference, square it, and add along the last axis."), check_distances),
]
