"""One way to solve the exercises of workshop script w03."""

from itertools import pairwise

import numpy as np


def parameters(sizes):
    return sum((a + 1) * b for a, b in pairwise(sizes))


def width(inputs, outputs, layers, budget):
    h = 1
    while parameters([inputs] + [h + 1] * layers + [outputs]) <= budget:
        h += 1
    return h


def deep(x, layers):
    for _ in range(layers):
        x = np.maximum(2 * x, 0) - np.maximum(4 * x - 2, 0)
    return x
