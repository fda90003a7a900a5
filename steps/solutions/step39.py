"""One way to solve the exercises of step 39."""

import numpy as np

import dezero.functions as F


def sum_backward(gy, shape, axis):
    if axis is not None:
        gy = np.expand_dims(gy, axis)
    return gy * np.ones(shape)


def standardize(x):
    return (x - F.mean(x, axis=0)) / F.var(x, axis=0) ** 0.5


def masked_mean(x, mask):
    return F.sum(x * mask, axis=1) / np.maximum(mask.sum(1), 1)
