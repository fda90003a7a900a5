"""One way to solve the exercises of f09."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def update_one(a0, W1, b1, t, rate):
    y = sigmoid(a0 * W1 + b1)
    gz1 = (y - t) * y * (1 - y)
    return W1 - rate * gz1 * a0, b1 - rate * gz1


def stays():
    return {"W1", "b1"}  # both slopes have W2 as a factor: what comes back from layer 2 is 0


def gradients(a0, layers, t):
    a = [a0]
    for W, b in layers:
        a.append(sigmoid(a[-1] @ W + b))
    ga = a[-1] - t
    found = []
    for k in reversed(range(len(layers))):
        gz = ga * a[k + 1] * (1 - a[k + 1])
        found.append((a[k].T @ gz, gz))
        ga = gz @ layers[k][0].T
    return found[::-1]
