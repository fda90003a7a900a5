"""One way to solve the exercises of script w10."""

import math

import numpy as np

from dezero import Variable, grad, hessian


def kind(f, p):
    bends = np.linalg.eigvalsh(hessian(f, p).data)
    return "minimum" if bends.min() > 0 else "maximum" if bends.max() < 0 else "saddle"


def steps_to_leave(bend, rate, times):
    return math.ceil(math.log(times) / math.log(1 - rate * bend))


def level(f, p):
    while True:
        v = Variable(p)
        g = grad(f(v), v).data
        if np.abs(g).max() <= 1e-9:
            return p
        p = p - np.linalg.solve(hessian(f, p).data, g)
