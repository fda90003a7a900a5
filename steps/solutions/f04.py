"""One way to solve the exercises of f04."""

import numpy as np
from f04 import CORNERS, unit


def unit_for(table):
    for u in (-2, -1, 0, 1, 2):
        for v in (-2, -1, 0, 1, 2):
            for b in (-1.5, -0.5, 0.5, 1.5):
                if unit(CORNERS, [u, v], b).tolist() == list(table):
                    return u, v, b
    return None


def xor(a, b, nand):
    both = nand(a, b)
    return nand(nand(a, both), nand(b, both))


def parity():
    return np.ones((3, 3)), np.array([-0.5, -1.5, -2.5]), np.array([1, -1, 1]), -0.5
