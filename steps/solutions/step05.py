"""One way to solve the exercises of step 05."""

import numpy as np


def slope(x):
    a = x**2
    b = np.sin(a)
    return np.exp(b) * np.cos(a) * 2 * x


def jacobian(x):
    return np.array([[x[1], x[0]], [1.0, 1.0], [np.cos(x[0]), 0.0]])


def cheaper(sizes):
    pairs = [sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)]
    on, back = sum(pairs[1:]) * sizes[0], sum(pairs[:-1]) * sizes[-1]
    return "on" if on < back else "back"
