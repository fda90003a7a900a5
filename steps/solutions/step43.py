"""One way to solve the exercises of step 43."""

import numpy as np

import dezero.functions as F
from dezero import Variable
from step43 import network


def merged(W1, b1, W2, b2):
    return W1 @ W2, b1 @ W2 + b2


def stairs(x, places, heights):
    y = 0.0
    for place, height in zip(places, heights, strict=True):
        y = y + height / 2 * (F.tanh(50 * (x - place)) + 1)
    return y


def learned(x, t, hidden=30):
    rng = np.random.default_rng(0)
    start = [2 * rng.normal(size=(1, hidden)), 2 * rng.normal(size=hidden), rng.normal(size=(hidden, 1)) / hidden**0.5, np.zeros(1)]
    weights = [Variable(array) for array in start]
    for _ in range(3000):
        loss = F.mean_squared_error(network(x, *weights), t)
        for weight in weights:
            weight.cleargrad()
        loss.backward()
        for weight in weights:
            weight.data -= 0.05 * weight.grad.data
    return lambda x: network(x, *weights).data
