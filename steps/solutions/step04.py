"""One way to solve the exercises of step 04."""

import numpy as np

from step04 import Variable


def predicted_error(eps):
    return 3e-5 * (eps / 0.01) ** 2


def second_diff(f, x, eps=1e-3):
    left, middle, right = (f(Variable(x.data + move)).data for move in (-eps, 0.0, eps))
    return (right - 2 * middle + left) / eps**2


def tidy_grad(f, x, eps=1e-4):
    grad = np.zeros_like(x.data)
    for i in range(len(x.data)):
        before = x.data[i]
        x.data[i] = before + eps
        up = f(x).data
        x.data[i] = before - eps
        down = f(x).data
        x.data[i] = before
        grad[i] = (up - down) / (2 * eps)
    return grad
