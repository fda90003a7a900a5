"""One way to solve the exercises of step 12."""

import numpy as np

from step12 import Function


def predict():
    return [2, 1, 2, 1, 0]


class Mean(Function):
    def forward(self, *xs):
        return sum(xs) / len(xs)


def average(*boxes):
    return Mean()(*boxes)


class Polar(Function):
    def forward(self, x, y):
        return np.sqrt(x**2 + y**2), np.arctan2(y, x)


def polar(x, y):
    return Polar()(x, y)
