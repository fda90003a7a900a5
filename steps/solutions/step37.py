"""One way to solve the exercises of step 37."""

import numpy as np

from dezero import Variable


def weighted(f, x, w):
    x = Variable(x)
    y = f(x)
    y.grad = Variable(w)
    y.backward()
    return x.grad.data


def slopes_of(f, x, place):
    start = np.zeros(x.shape)
    start[place] = 1
    return weighted(f, x, start)


def is_elementwise(f, x):
    for place in np.ndindex(x.shape):
        others = slopes_of(f, x, place).copy()
        others[place] = 0
        if np.any(others != 0):
            return False
    return True
