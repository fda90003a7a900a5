"""Exercises of step 39: sums along an axis, and the way back."""

import numpy as np

import dezero.functions as F
from dezero import Variable
from steps.exercises.kit import Exercise, same, true


def slopes(f, numbers, weights):
    x = Variable(numbers)
    y = f(x)
    true(isinstance(y, Variable), f"a {type(y).__name__} came out: a Variable is expected")
    F.sum(y * weights).backward()
    true(x.grad is not None, "x has no gradient: somewhere on the way its box was opened, and the history is lost")
    return y.data, x.grad.data


def differences(f, numbers, weights, h=1e-5):
    found = np.zeros(numbers.shape)
    for place in np.ndindex(numbers.shape):
        step = np.zeros(numbers.shape)
        step[place] = h
        up, down = (float((f(moved) * weights).sum()) for moved in (numbers + step, numbers - step))
        found[place] = (up - down) / (2 * h)
    return found


def check_sum_backward(sum_backward):
    cases = [((2, 3), 0), ((2, 3), 1), ((3, 3), 1), ((3, 3), -1), ((2, 3), None), ((2, 3, 4), 1), ((2, 3, 4), -3), ((4,), 0), ((2, 2, 2), -2)]
    for shape, axis in cases:
        x = Variable(np.zeros(shape))
        y = F.sum(x, axis)
        gy = 1.0 + np.arange(y.size).reshape(y.shape)
        y.grad = Variable(gy)
        y.backward()
        got = sum_backward(gy, shape, axis)
        true(not isinstance(got, Variable), "sum_backward gave a Variable: an array is expected")
        same(got, x.grad.data, f"the gradient for shape {shape}, axis={axis}")


def check_standardize(standardize):
    def right(a):
        return (a - a.mean(0)) / a.std(0)

    rng = np.random.default_rng(0)
    for shape in ((5, 3), (4, 4), (6, 1)):
        numbers, weights = 3 * rng.normal(size=shape) + 10, rng.normal(size=shape)
        y, gx = slopes(standardize, numbers, weights)
        same(y.mean(0), np.zeros(shape[1]), f"the means of the columns of a table {shape}")
        same(y, right(numbers), f"standardize of a table {shape}", 1e-6)
        same(gx, differences(right, numbers, weights), f"the gradient of x for a table {shape}: is the mean still part of the graph?", 1e-5)


def check_masked_mean(masked_mean):
    def right(a):
        return (a * mask).sum(1) / np.maximum(mask.sum(1), 1)

    mask = np.array([[1, 1, 0], [0, 1, 0], [1, 1, 1], [0, 0, 0]])
    numbers, weights = np.random.default_rng(0).normal(size=(4, 3)), np.array([1.0, -2.0, 3.0, 4.0])
    y, gx = slopes(lambda x: masked_mean(x, mask), numbers, weights)
    same(y, right(numbers), "the means of rows with 2, 1, 3 and 0 numbers")
    same(gx, differences(right, numbers, weights), "the gradient of x", 1e-6)


EXERCISES = [
    Exercise("sum_backward", "With NumPy alone: the gradient of x from gy, that of F.sum(x, axis). axis is an int or None.",
             ("Each number of x gets what arrived at its sum. First put the axis back that went away, with size 1.",
              "gy = np.expand_dims(gy, axis), if axis is not None. Then np.broadcast_to(gy, shape) makes the copies; or multiply by np.ones(shape)."),
             check_sum_backward),
    Exercise("standardize", "A table (N, M), as a Variable, whose columns each have mean 0 and variance 1.",
             ("Take away the mean of each column. What number must the rest be divided by, so that the squared distances have the mean 1?",
              "Divide by the root of F.var(x, axis=0). Use x all the way, never x.data: mean and variance depend on x too."), check_standardize),
    Exercise("masked_mean", "For each row the mean of those numbers whose mask is 1, not 0, as a Variable (N,). An empty row gives 0.",
             ("A product with the mask makes zeros of the numbers that do not count. How many count in each row?",
              "F.sum(x * mask, axis=1) / np.maximum(mask.sum(1), 1): the maximum saves the empty row from 0 / 0."), check_masked_mean),
]
