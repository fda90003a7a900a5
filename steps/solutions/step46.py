"""One way to solve the exercises of step 46."""

import numpy as np

from dezero.optimizers import Optimizer


class Signs(Optimizer):
    def update_one(self, param):
        param.data -= self.rate * np.sign(param.grad.data)


class Clipped(Optimizer):
    def update_one(self, param):
        g = param.grad.data
        param.data -= self.rate * g / max(1.0, np.sqrt((g**2).sum()))


def adam_step(t):
    m, v = 0.1 * 5, 0.001 * 5**2
    return (m / (1 - 0.9**t)) / np.sqrt(v / (1 - 0.999**t))
