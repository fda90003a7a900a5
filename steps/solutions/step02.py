"""One way to solve the exercises of step 02."""

import numpy as np

from step02 import Cube, Function


class Clip(Function):
    def __init__(self, low, high):
        self.low, self.high = low, high

    def forward(self, x):
        return np.clip(x, self.low, self.high)


class CountingCube(Cube):
    def __init__(self):
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return super().forward(x)


class SafeHalf(Function):
    def forward(self, x):
        return x / 2
