"""One way to solve the exercises of f05."""

import numpy as np

LAST = {"price of a house": "identity", "spam or not": "sigmoid", "which of ten digits": "softmax", "all things seen in a photo": "sigmoid",
        "profit or loss in euros": "identity", "will it rain": "sigmoid"}


def last_activations(tasks):
    return [LAST[task] for task in tasks]


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(np.asarray(x) >= 0, 1.0, e) / (1 + e)


def swish_slope(x):
    y = sigmoid(x)
    return y + x * y * (1 - y)
