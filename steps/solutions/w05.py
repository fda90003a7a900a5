"""One way to solve the exercises of w05."""

import numpy as np

import dezero.functions as F


def left(rate, decay, steps):
    return (1 - rate * decay) ** steps


def with_penalty(loss, params, decay):
    for p in params:
        if p.ndim >= 2:
            loss = loss + decay / 2 * F.sum(p**2)
    return loss


def paired(plain, cured):
    difference = np.array(plain) - np.array(cured)
    return int((difference > 0).sum()), float(difference.mean()), float(difference.std(ddof=1) / len(difference) ** 0.5)
