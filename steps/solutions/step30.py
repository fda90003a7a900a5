"""One way to solve the exercises of step 30."""

import numpy as np

from step30 import Function


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        (x,) = self.inputs
        return (gy * (x + x),)


class Exp(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        return (gy * self.output(),)


def history_size(n):
    return 2 * n + n + (n - 1)
