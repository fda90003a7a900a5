"""One way to solve the exercises of step 09."""

import numpy as np

from step09 import Function, Variable


class Power(Function):
    def __init__(self, n):
        self.n = n

    def forward(self, x):
        return x**self.n

    def backward(self, gy):
        return gy * self.n * self.input.data ** (self.n - 1)


def power(x, n):
    return Power(n)(x)


def variable(data):
    if isinstance(data, Variable):
        return data
    if isinstance(data, (int, float, list, np.generic)):
        data = np.array(data)
    return Variable(data)


def unlucky_grad():
    return np.array(0.0)
