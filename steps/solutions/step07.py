"""One way to solve the exercises of step 07."""

import numpy as np

from step07 import Function


def history(y):
    names = []
    while y.creator is not None:
        names.append(type(y.creator).__name__)
        y = y.creator.input
    return names


class Sigmoid(Function):
    def forward(self, x):
        return 1 / (1 + np.exp(-x))

    def backward(self, gy):
        y = self.output.data
        return gy * y * (1 - y)


def cut(a):
    a.creator = None
