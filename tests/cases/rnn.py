"""Rows for dezero/functions/cells.py and rnn.py. The oracles compute one unit after another, gates by name."""

import numpy as np

from tests.cases.case import Case, Floats
from tests.cases.lazy import special

T, N, I, H = 3, 2, 3, 2


def blocks(x, h, Wx, Wh, b, names):
    """The inputs of each named gate."""
    size = Wh.shape[0]
    return {name: x @ Wx[:, k * size:(k + 1) * size] + h @ Wh[:, k * size:(k + 1) * size] + (0 if b is None else b[k * size:(k + 1) * size])
            for k, name in enumerate(names)}


def elman(x, h, Wx, Wh, b=None):
    return np.tanh(x @ Wx + h @ Wh + (0 if b is None else b))


def lstm_cell(x, h, c, Wx, Wh, b=None):
    a = blocks(x, h, Wx, Wh, b, "ifgo")
    c = c * special.expit(a["f"]) + np.tanh(a["g"]) * special.expit(a["i"])
    return np.tanh(c) * special.expit(a["o"]), c


def gru_cell(x, h, Wx, Wh, b=None, bh=None):
    ax = blocks(x, 0 * h, Wx, Wh, b, "rzn")
    ah = blocks(0 * x, h, Wx, Wh, bh, "rzn")
    r, z = special.expit(ax["r"] + ah["r"]), special.expit(ax["z"] + ah["z"])
    return (1 - z) * np.tanh(ax["n"] + r * ah["n"]) + z * h


def over_time(cell, x, h, *weights):
    ys = []
    for step in x:
        h = cell(step, h, *weights)
        ys.append(h)
    return np.stack(ys), h


def lstm(x, h, c, *weights):
    ys = []
    for step in x:
        h, c = lstm_cell(step, h, c, *weights)
        ys.append(h)
    return np.stack(ys), h, c


def weights(k):
    return Floats((I, k * H), -1, 1), Floats((H, k * H), -1, 1), Floats((k * H,), -1, 1)


STEP, SEQUENCE, STATE = Floats((N, I)), Floats((T, N, I)), Floats((N, H), -1, 1)
ZEROS = np.zeros((N, H))

CASES = [
    Case("rnn_cell", (STEP, STATE, *weights(1)), elman, zero_size=((0, I), (0, H), (I, H), (H, H), (H,))),
    Case("rnn_cell", (STEP, *weights(1)[:2]), lambda x, Wx, Wh: elman(x, ZEROS, Wx, Wh), lambda F, x, Wx, Wh: F.rnn_cell(x, None, Wx, Wh), "bare"),
    Case("lstm_cell", (STEP, STATE, STATE, *weights(4)), lstm_cell, zero_size=((0, I), (0, H), (0, H), (I, 4 * H), (H, 4 * H), (4 * H,))),
    Case("lstm_cell", (STEP, *weights(4)[:2]), lambda x, Wx, Wh: lstm_cell(x, ZEROS, ZEROS, Wx, Wh),
         lambda F, x, Wx, Wh: F.lstm_cell(x, None, None, Wx, Wh), "bare"),
    Case("lstm_cell", (STEP, STATE, STATE, *weights(4)), lambda *xs: lstm_cell(*xs)[1], lambda F, *xs: F.lstm_cell(*xs)[1], "cell-alone"),
    Case("gru_cell", (STEP, STATE, *weights(3), Floats((3 * H,), -1, 1)), gru_cell,
         zero_size=((0, I), (0, H), (I, 3 * H), (H, 3 * H), (3 * H,), (3 * H,))),
    Case("gru_cell", (STEP, *weights(3)[:2]), lambda x, Wx, Wh: gru_cell(x, ZEROS, Wx, Wh), lambda F, x, Wx, Wh: F.gru_cell(x, None, Wx, Wh), "bare"),
    Case("rnn", (SEQUENCE, STATE, *weights(1)), lambda *xs: over_time(elman, *xs), zero_size=((T, 0, I), (0, H), (I, H), (H, H), (H,))),
    Case("rnn", (SEQUENCE, *weights(1)[:2]), lambda x, Wx, Wh: over_time(elman, x, ZEROS, Wx, Wh),
         lambda F, x, Wx, Wh: F.rnn(x, None, Wx, Wh), "bare"),
    Case("rnn", (SEQUENCE, STATE, *weights(1)), lambda *xs: over_time(elman, *xs)[1], lambda F, *xs: F.rnn(*xs)[1], "last-alone"),
    Case("lstm", (SEQUENCE, STATE, STATE, *weights(4)), lstm, zero_size=((T, 0, I), (0, H), (0, H), (I, 4 * H), (H, 4 * H), (4 * H,))),
    Case("lstm", (SEQUENCE, *weights(4)[:2]), lambda x, Wx, Wh: lstm(x, ZEROS, ZEROS, Wx, Wh),
         lambda F, x, Wx, Wh: F.lstm(x, None, None, Wx, Wh), "bare"),
    Case("lstm", (SEQUENCE, STATE, STATE, *weights(4)), lambda *xs: lstm(*xs)[0], lambda F, *xs: F.lstm(*xs)[0], "states-alone"),
    Case("gru", (SEQUENCE, STATE, *weights(3), Floats((3 * H,), -1, 1)), lambda *xs: over_time(gru_cell, *xs),
         zero_size=((T, 0, I), (0, H), (I, 3 * H), (H, 3 * H), (3 * H,), (3 * H,))),
    Case("gru", (SEQUENCE, *weights(3)[:2]), lambda x, Wx, Wh: over_time(gru_cell, x, ZEROS, Wx, Wh),
         lambda F, x, Wx, Wh: F.gru(x, None, Wx, Wh), "bare"),
]
