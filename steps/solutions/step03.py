"""One way to solve the exercises of step 03."""

import numpy as np

from step03 import AddOne, Exp, Function


def chain(*functions):
    def apply(x):
        for f in functions:
            x = f(x)
        return x

    return apply


class Negative(Function):
    def forward(self, x):
        return -x


class Inverse(Function):
    def forward(self, x):
        return 1 / x


def sigmoid(x):
    return chain(Negative(), Exp(), AddOne(), Inverse())(x)


class Softplus(Function):
    def forward(self, x):
        return np.logaddexp(0.0, x)
