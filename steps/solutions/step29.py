"""One way to solve the exercises of step 29."""

import numpy as np

from dezero import Variable


def second(x):
    return (x**2 - 4 * x + 2) * np.exp(-x)


def find_zero(f, x, count):
    for _ in range(count):
        v = Variable(np.array(x))
        y = f(v)
        y.backward()
        x = x - y.data / v.grad.data
    return float(x)


def newton_without_pencil(f, x, count, h=1e-4):
    def slope(at):
        v = Variable(np.array(at))
        f(v).backward()
        return float(v.grad.data)

    for _ in range(count):
        x = x - slope(x) / ((slope(x + h) - slope(x - h)) / (2 * h))
    return x
