"""One way to solve the exercises of w13."""

import numpy as np


def he(shape, rng):
    return rng.normal(scale=(2 / shape[0]) ** 0.5, size=shape)


def after(depth, std, n):
    return (n * std**2) ** depth


def broken(model):
    return [name for name, p in model.named_params() if p.ndim == 2 and np.unique(p.data, axis=1).shape[1] < p.shape[1]]
