"""One way to solve the exercises of step 17."""

import gc
import weakref

import numpy as np

from step17 import Function, Variable


def survivors():
    return {"x", "a", "c"}  # c holds its Exp, the Exp holds a, a holds its Square, the Square holds x


def leaks(f):
    was_on = gc.isenabled()
    gc.disable()
    try:
        spy = weakref.ref(f(Variable(np.array(2.0))))
        return spy() is not None
    finally:
        if was_on:
            gc.enable()


class Exp(Function):
    def forward(self, x):
        self.y = np.exp(x)  # the array, not the box
        return self.y

    def backward(self, gy):
        return gy * self.y
