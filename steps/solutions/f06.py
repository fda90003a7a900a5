"""One way to solve the exercises of f06."""

import math


def layers_until(share):
    n, left = 0, 1.0
    while left >= share:
        left, n = left / 4, n + 1
    return n


def vanished(means):
    return [i for i, mean in enumerate(means, 1) if mean < 1e-5 * means[-1]]


def chain_slope(x, weights):
    slope = 1.0
    for w in weights:
        x = 1 / (1 + math.exp(-w * x))
        slope *= w * x * (1 - x)
    return slope
