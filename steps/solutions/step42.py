"""One way to solve the exercises of step 42."""

import numpy as np

import dezero.functions as F
from dezero import Variable


def careful_loss(p, t):
    if p.shape != t.shape:
        raise ValueError(f"predictions of shape {p.shape} and targets of shape {t.shape}: they must be equal")
    return F.mean((p - t) ** 2)


def descend(columns, t, rate, steps):
    W, b = Variable(np.zeros((columns.shape[1], 1))), Variable(np.zeros(1))
    for _ in range(steps):
        loss = F.mean_squared_error(columns @ W + b, t)
        W.cleargrad()
        b.cleargrad()
        loss.backward()
        W.data -= rate * W.grad.data
        b.data -= rate * b.grad.data
    return W.data[:, 0], b.data[0]


def fit_line(x, t):
    W, b = descend(np.array(x).reshape(-1, 1), np.array(t).reshape(-1, 1), 0.3, 3000)
    return float(W[0]), float(b)


def fit_parabola(x, t):
    W, c = descend(np.stack([x**2, x], axis=1), t.reshape(-1, 1), 0.5, 2000)
    return np.array([*W, c])
