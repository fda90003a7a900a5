"""One way to solve the exercises of step 40."""

import dezero.functions as F
from dezero import Function


def result_shape(a, b):
    longest = max(len(a), len(b))
    shape = []
    for x, y in zip((1,) * (longest - len(a)) + a, (1,) * (longest - len(b)) + b, strict=True):
        if x != y and x != 1 and y != 1:
            return None
        shape.append(y if x == 1 else x)
    return tuple(shape)


class Times(Function):
    def forward(self, a, b):
        return a * b

    def backward(self, gy):
        a, b = self.inputs
        return F.sum_to(gy * b, a.shape), F.sum_to(gy * a, b.shape)


def times(a, b):
    return Times()(a, b)


def distances(a, b):
    apart = F.expand_dims(a, 1) - F.expand_dims(b, 0)
    return F.sum(apart**2, axis=2)
