"""One way to solve the exercises of w06."""

import numpy as np

import dezero.functions as F
from dezero import no_grad


def shifted(x, rows, columns):
    height, width = x.shape[2:]
    m = int(max(np.abs(rows).max(), np.abs(columns).max()))
    wide = np.pad(x, ((0, 0), (0, 0), (m, m), (m, m)))
    return np.stack([image[:, m - r:m - r + height, m - c:m - c + width] for image, r, c in zip(wide, rows, columns, strict=True)])


def half_turn(x, t):
    keep = np.isin(t, [0, 1, 6, 8, 9])
    x, t = x[keep], t[keep]
    return x[:, :, ::-1, ::-1], np.where(np.isin(t, [6, 9]), 15 - t, t)


def answer(model, x, changes):
    with no_grad():
        return sum(F.softmax(model(change(x))).data for change in changes) / len(changes)
