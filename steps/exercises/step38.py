"""Exercises of step 38: other forms of the same numbers."""

import itertools

import numpy as np

from dezero import Variable
from steps.exercises.kit import Exercise, same, true


def gradient(y, x, start):
    y.grad = Variable(start)
    y.backward()
    true(x.grad is not None, "x has no gradient: somewhere on the way its box was opened, and the history is lost")
    return x.grad


def check_undo(undo):
    for n in (2, 3, 4):
        x = np.zeros(tuple(range(2, 2 + n)))
        for order in itertools.permutations(range(n)):
            back = undo(order)
            true(isinstance(back, (tuple, list)) and sorted(back) == list(range(n)),
                 f"undo({order}) gave {back!r}: each of the axes 0 to {n - 1}, once, is expected")
            same(x.transpose(order).transpose(tuple(back)).shape, x.shape, f"the shape of x after transposes by {order} and by undo, {tuple(back)}")


def check_flip(flip):
    for numbers in (np.arange(6.0).reshape(3, 2), np.arange(4.0), np.arange(12.0).reshape(2, 3, 2)):
        x = Variable(numbers)
        y = flip(x)
        true(isinstance(y, Variable), f"flip gave a {type(y).__name__}: a Variable is expected")
        same(y, numbers[::-1], f"flip of shape {numbers.shape}")
        start = 10.0 * np.arange(numbers.size).reshape(numbers.shape)
        same(gradient(y, x, start), start[::-1], f"the gradient of x for shape {numbers.shape}, where 0, 10, 20 ... arrive")


def check_tiles(tiles):
    for shape, size in (((4, 6), 2), ((3, 6), 3), ((4, 4), 4), ((2, 3), 1)):
        numbers = np.arange(float(np.prod(shape))).reshape(shape)
        right = np.array([numbers[i:i + size, j:j + size] for i in range(0, shape[0], size) for j in range(0, shape[1], size)])
        x = Variable(numbers)
        y = tiles(x, size)
        true(isinstance(y, Variable), f"tiles gave a {type(y).__name__}: a Variable is expected")
        same(y.shape, right.shape, f"the shape of tiles of {shape} with size {size}")
        same(y, right, f"tiles of {shape} with size {size}")
        same(gradient(y, x, right * 10), numbers * 10, f"the gradient of x for {shape} with size {size}, where each number sends ten times itself")


EXERCISES = [
    Exercise("undo", "The order of axes that takes a transpose(x, order) back.",
             ("New axis 0 is the old axis order[0]. On the way back, axis 0 has to come from where the old axis 0 went: where in order is the 0?",
              "tuple(order.index(axis) for axis in range(len(order)))."), check_undo),
    Exercise("flip", "A table with its rows in reverse order, the last one first. Write a Function with forward and backward, and call it.",
             ("In forward x is an array, and x[::-1] has its rows in reverse. Where does the gradient of the last row of y belong?",
              "class Flip(Function), with forward returning x[::-1] and backward returning gy[::-1]. Then flip(x) is Flip()(x)."), check_flip),
    Exercise("tiles", "Cut a table of (H, W) into squares of size by size, in reading order: the shape is (count, size, size). No loop.",
             ("A reshape can split an axis in two: H rows are H // size stripes of size rows. Then bring axes that belong together side by side.",
              "Reshape to (H // size, size, W // size, size), exchange the two middle axes by transpose, and reshape to (-1, size, size)."),
             check_tiles),
]
