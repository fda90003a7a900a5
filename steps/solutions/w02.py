"""One way to solve the exercises of workshop script w02."""

import numpy as np


def live_units(h):
    return float((h > 0).any(axis=0).mean())


def moved(x, others, slope, rate):
    return -rate * slope * (others @ x + 1)


def revive(W, b, x):
    dead = (x @ W + b <= 0).all(axis=0)
    W[:, dead] = np.abs(W[:, dead]) + 0.01
    b[dead] = 0
    return int(dead.sum())
