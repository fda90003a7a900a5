"""One way to solve the exercises of step 34."""

import math

import numpy as np

from step34 import derivatives


def tenth(x):
    return float(-x * np.sin(x) + 10 * np.cos(x))


def comes_back(f, x):
    found = derivatives(f, x, 8)
    return next((n for n in range(1, 9) if np.allclose(found[n], found[0])), None)


def taylor(f, at, n):
    return [float(derivative) / math.factorial(k) for k, derivative in enumerate(derivatives(f, np.array(at), n))]
