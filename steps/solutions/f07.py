"""One way to solve the exercises of script f07."""

import numpy as np


def halved(p):
    return p**0.5


def mean_entropy(y, t):
    return float(-np.log(y[np.arange(len(t)), t]).mean())


def likeliest(readings):
    return float(np.median(readings))
