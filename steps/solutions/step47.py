"""One way to solve the exercises of step 47."""

import math

import numpy as np

import dezero.functions as F


def first_loss(classes):
    return math.log(classes)


def log_sum_exp(x):
    largest = x.max()
    return float(largest + np.log(np.exp(x - largest).sum()))


def cross_entropy(x, t):
    y = x - x.data.max(axis=1, keepdims=True)
    logs = y - F.log(F.exp(y).sum(axis=1, keepdims=True))
    return -F.mean(logs[np.arange(len(t)), t])
