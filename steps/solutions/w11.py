"""One way to solve the exercises of script w11."""

import numpy as np

import dezero.functions as F
from dezero import Variable


def best_of(w, step, loss, count):
    best, low = w.copy(), loss(w)
    for _ in range(count):
        step(w)
        if loss(w) < low:
            best, low = w.copy(), loss(w)
    return best


def collect(value, seen=None):
    if seen is None:
        seen = []
    seen.append(value)
    return seen


def fit(x, t, steps, rng):
    w = Variable(np.zeros((1, 1)))
    for _ in range(steps):
        i = rng.choice(len(x), 10)
        loss = F.mean_squared_error(F.matmul(x[i], w), t[i].reshape(-1, 1))
        w.cleargrad()
        loss.backward()
        w.data = w.data - 0.1 * w.grad.data
    return float(w.data[0, 0])
