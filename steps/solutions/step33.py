"""One way to solve the exercises of step 33."""

import numpy as np

from dezero import Variable
from step33 import slopes


def kind_of_flat(f, x):
    second = slopes(f, x)[1]
    return "lowest" if second > 0 else "highest" if second < 0 else "unclear"


def parabola(f, x):
    slope, second = slopes(f, x)
    height = float(f(Variable(np.array(x))).data)
    c = second / 2
    b = slope - 2 * c * x
    return height - b * x - c * x**2, b, c


def halley(f, x, count):
    xs = [x]
    for _ in range(count):
        v = Variable(np.array(xs[-1]))
        y = f(v)
        derivatives = []
        for _ in range(3):
            v.cleargrad()
            y.backward(create_graph=True)
            y = v.grad
            derivatives.append(float(y.data))
        d1, d2, d3 = derivatives
        xs.append(xs[-1] - 2 * d1 * d2 / (2 * d2**2 - d1 * d3))
    return xs
