"""One way to solve the exercises of step 48."""

import numpy as np


def accuracy(y, t):
    return float((y.argmax(axis=1) == t).mean())


def recalls(matrix):
    return matrix.diagonal() / np.maximum(matrix.sum(axis=1), 1)


def batches(count, size, rng):
    order = rng.permutation(count)
    return [order[start:start + size] for start in range(0, count, size)]
