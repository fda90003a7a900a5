"""One way to solve the exercises of step 60."""

import math

import numpy as np

from step60 import sigmoid


def bias_for(steps):
    f = 0.5 ** (1 / steps)
    return math.log(f / (1 - f))


def gru_step(x, h, Wx, Wh, b, bh):
    ar, az, an = np.split(x @ Wx + b, 3, axis=1)
    wr, wz, wn = np.split(h @ Wh + bh, 3, axis=1)
    r, z = sigmoid(ar + wr), sigmoid(az + wz)
    n = np.tanh(an + r * wn)
    return (1 - z) * n + z * h


def in_streams(data, count):
    length = len(data) // count
    return [data[i::length] for i in range(length)]
