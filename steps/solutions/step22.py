"""One way to solve the exercises of step 22."""

import numpy as np

from step22 import Function


def predict():
    return [-9.0, 512.0, 3.0, False, 2.0]


def greater(a, b):
    return (a + b + abs(a - b)) / 2


class Mod(Function):
    def forward(self, a, b):
        return a % b

    def backward(self, gy):
        a, b = self.inputs
        return gy, -gy * np.floor(a.data / b.data)
