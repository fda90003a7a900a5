"""One way to solve the exercises of w17."""

import numpy as np

import dezero.functions as F
from dezero import Layer


def dense_units(parameters, pixels, classes):
    return (parameters - classes) // (pixels + 1 + classes)


def best_window(x, W):
    y = F.conv2d(x[:, None], W[None, None]).data
    flat = y.reshape(len(x), -1).argmax(axis=1)
    return np.stack([flat // y.shape[3], flat % y.shape[3]], axis=1)


class AnyPlace(Layer):
    def forward(self, x):
        return F.max(x, axis=(2, 3))
