"""One way to solve the exercises of step 10."""

import numpy as np

from step10 import Function, Variable


def blind_spot():
    return np.array([1.0])


def is_even(f):
    x = np.random.default_rng(0).uniform(-5.0, 5.0, 1000)
    return bool(np.allclose(f(Variable(x)).data, f(Variable(-x)).data))


class Softsign(Function):
    def forward(self, x):
        return x / (1 + np.abs(x))

    def backward(self, gy):
        return gy / (1 + np.abs(self.input.data)) ** 2
