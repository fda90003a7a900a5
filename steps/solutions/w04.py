"""One way to solve the exercises of workshop script w04."""

import numpy as np


def verdict(known, new, goal):
    if known > goal:
        return "underfits"
    return "overfits" if new > goal else "fits"


def by_heart(x, t):
    def nearest(new):
        return t[np.abs(new[:, None] - x).argmin(axis=1)]

    return nearest


def best_degree(known, new, degrees):
    x, t = new

    def error(degree):
        return np.mean((np.polyval(np.polyfit(*known, degree), x) - t) ** 2)

    return min(degrees, key=error)
