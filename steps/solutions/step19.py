"""One way to solve the exercises of step 19."""

import numpy as np

from step19 import Function, Variable


def predict():
    return [4, 12, 3, True, False]


class Column(Function):
    def __init__(self, j):
        self.j = j

    def forward(self, x):
        return x[:, self.j]

    def backward(self, gy):
        (x,) = self.inputs
        gx = np.zeros_like(x.data)
        gx[:, self.j] = gy
        return gx


def column(x, j):
    return Column(j)(x)


class Pretty(Variable):
    def __format__(self, spec):
        if self.ndim == 0:
            return format(float(self), spec)
        return f"[{' '.join(format(number, spec) for number in self.data)}]"
