"""One way to solve the exercises of step 21."""

import numpy as np


def predict():
    return ["float32", "float32", "float64", "int64", "float64", "float64"]


def unlucky():
    return np.array([1, 2, 3]), 2.5


class Text:
    def __init__(self, text):
        self.text = text

    def __str__(self):
        return self.text

    def __add__(self, other):
        return Text(f"({self} + {other})")

    def __radd__(self, other):
        return Text(f"({other} + {self})")

    def __mul__(self, other):
        return Text(f"({self} * {other})")

    def __rmul__(self, other):
        return Text(f"({other} * {self})")
