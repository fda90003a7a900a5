"""One way to solve the exercises of script f08."""

import numpy as np
from f08 import gradient


def limit(steepness):
    return 1 / steepness


def partial(f, point, i):
    up, down = point.copy(), point.copy()
    up[i] += 1e-4
    down[i] -= 1e-4
    return (f(up) - f(down)) / 2e-4


def descend_until(f, point, rate, small, most):
    for step in range(most):
        slopes = gradient(f, point)
        if np.sqrt(slopes @ slopes) < small:
            return point, step
        point = point - rate * slopes
    return point, most
