"""One way to solve the exercises of step 52."""

import math

import numpy as np

from dezero import cuda


def one_hot(t, n):
    xp = cuda.get_array_module(t)
    return xp.eye(n, dtype=np.float32)[t]


def units_to_win(calls, cpu, gpu, per_unit):
    gain = per_unit / cpu[1] - per_unit / gpu[1]  # seconds that a unit saves
    return math.ceil(calls * (gpu[0] - cpu[0]) / gain) if gain > 0 else None


def mean_of(losses):
    xp = cuda.get_array_module(losses[0])
    return float(cuda.as_numpy(xp.stack(losses).mean()))
