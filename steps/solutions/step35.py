"""One way to solve the exercises of step 35."""

import dezero.functions as F
from dezero.viz import collect_graph
from step35 import derivatives


def tanh_polynomial(n):
    coefficients = [0, 1]
    for _ in range(n):
        new = [0] * (len(coefficients) + 1)
        for k, c in enumerate(coefficients):
            if k:
                new[k - 1] += k * c
                new[k + 1] -= k * c
        coefficients = new
    return coefficients


def third(x):
    y = F.tanh(x)
    s = y * y
    return (8 - 6 * s) * s - 2


def first_above(f, limit):
    for order, y in enumerate(derivatives(f, 0.5, 8)):
        if len(collect_graph(y).functions) > limit:
            return order
    return None
