"""One way to solve the exercises of step 28."""

import numpy as np

from dezero import Variable


def largest_rate():
    return 1 / 3


def descend_one(f, x, rate, count):
    for _ in range(count):
        x.cleargrad()
        f(x).backward()
        x.data = x.data - rate * x.grad.data


def safe_step(f, x, y, rate):
    a, b = Variable(np.array(x)), Variable(np.array(y))
    start = f(a, b)
    start.backward()
    gx, gy = a.grad.data, b.grad.data
    while f(Variable(np.array(x - rate * gx)), Variable(np.array(y - rate * gy))).data >= start.data:
        rate = rate / 2
    return float(x - rate * gx), float(y - rate * gy)
