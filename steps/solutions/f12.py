"""One way to solve the exercises of f12."""

import numpy as np


def one_hot_rows(t, classes):
    rows = np.zeros((len(t), classes))
    rows[np.arange(len(t)), t] = 1
    return rows


def predict(weights, x):
    hidden = np.maximum(x @ weights["W1"] + weights["b1"], 0)
    return (hidden @ weights["W2"] + weights["b2"]).argmax(axis=-1)


def accuracy(scores, t):
    labels = t.argmax(axis=1) if t.ndim == 2 else t
    return float((scores.argmax(axis=1) == labels).mean())
