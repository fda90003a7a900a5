"""One way to solve the exercises of f10."""

import numpy as np
from f10 import TICKETS, tickets


class Maximum:
    def forward(self, a, b):
        self.first = a > b
        return np.where(self.first, a, b)

    def backward(self, g):
        return np.where(self.first, g, 0.0), np.where(self.first, 0.0, g)


class Gate:
    def forward(self, x):
        self.open = x > 0
        return np.where(self.open, x, 0.0)

    def backward(self, g):
        return (np.where(self.open, g, 0.0),)


def estimate(changes):
    _, slopes, _ = tickets(*TICKETS.values())
    # not quite the new bill, as the slopes move, too: with a smaller share, a dearer ticket costs less than 2.40 more for each euro
    return sum(slope * changes.get(name, 0.0) for name, slope in zip(TICKETS, slopes, strict=True))
