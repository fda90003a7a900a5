"""One way to solve the exercises of step 54."""

import numpy as np

import dezero.functions as F
from dezero import no_grad


def spread(x, p):
    return abs(x) * np.sqrt(p / (1 - p))


def drop_channels(x, p):
    return x * F.dropout(np.ones((*x.shape[:2], 1, 1), dtype=x.dtype), p)


def mean_answer(model, x, n):
    with no_grad():
        return sum(F.softmax(model(x)).data for _ in range(n)) / n
