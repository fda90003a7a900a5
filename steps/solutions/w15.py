"""One way to solve the exercises of script w15."""

import numpy as np


def doubt(accuracy, images):
    return (accuracy * (1 - accuracy) / images) ** 0.5


def report(rates, validation, test):
    best = np.nan_to_num(validation).mean(axis=1).argmax()
    return rates[best], float(np.nan_to_num(test)[best].mean())


def flattery(tries, images, rng):
    right = rng.binomial(images, 0.95, size=(2000, tries))
    return float((right.max(axis=1) / images).mean() - 0.95)
