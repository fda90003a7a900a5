"""Rows for dezero/functions/normalization.py and batch_norm.py. The oracles normalise one slice after another."""

import numpy as np

from dezero import test_mode
from dezero.backend import array_module
from tests.cases.case import Case, Floats


def standardised(v, eps, centre=True):
    """One slice, as the definition has it."""
    if not v.size:
        return v
    m = v.mean() if centre else 0.0
    return (v - m) / np.sqrt(((v - m) ** 2).mean() + eps)


def by_channel(x, gamma=None, beta=None, eps=2e-5):
    y = np.empty_like(x)
    for c in range(x.shape[1]):
        y[:, c] = standardised(x[:, c], eps) * (1 if gamma is None else gamma[c]) + (0 if beta is None else beta[c])
    return y


def by_running(x, gamma, beta):
    y = np.empty_like(x)
    for c in range(x.shape[1]):
        y[:, c] = (x[:, c] - 0.5 * c) / np.sqrt(1.0 + c + 2e-5)
        if gamma is not None:
            y[:, c] = y[:, c] * gamma[c] + beta[c]
    return y


def by_group(x, gamma, beta, groups, eps=1e-5):
    y = np.empty_like(x)
    size = x.shape[1] // groups
    for n in range(x.shape[0]):
        for g in range(groups):
            y[n, g * size:(g + 1) * size] = standardised(x[n, g * size:(g + 1) * size], eps)
    if gamma is not None:
        y = np.stack([y[:, c] * gamma[c] + beta[c] for c in range(x.shape[1])], 1)
    return y


def last(x, gamma=None, beta=None, eps=1e-5, centre=True):
    y = np.empty_like(x)
    for at in np.ndindex(x.shape[:-1]):
        y[at] = standardised(x[at], eps, centre)
    return y * (1 if gamma is None else gamma) + (0 if beta is None else beta)


def last_two(x, gamma, beta):
    return np.stack([standardised(m, 1e-5) * gamma + beta for m in x])


def first(x):
    return np.stack([standardised(x[:, j], 1e-5) for j in range(x.shape[1])], 1)


def outer_axes(x, gamma):
    y = np.stack([standardised(x[:, j], 1e-5) for j in range(x.shape[1])], 1)
    return y * gamma[:, None, :]


def fresh(x, C, running=False):
    """Running statistics where ``x`` lives: 0 and 1, or different ones for each channel."""
    xp = array_module(x)
    steps = xp.arange(C).astype("float64")
    return (steps * 0.5, steps + 1.0) if running else (steps * 0.0, steps * 0.0 + 1.0)


def train(F, x, gamma=None, beta=None):
    return F.batch_norm(x, gamma, beta, *fresh(x, x.shape[1]))


def in_use(F, x, gamma, beta):
    with test_mode():
        return F.batch_norm(x, gamma, beta, *fresh(x, x.shape[1], running=True))


def untracked(F, x, gamma, beta):
    return F.batch_norm(x, gamma, beta, None, None, eps=0.1)


CASES = [
    Case("batch_norm", (Floats((5, 3)), Floats((3,)), Floats((3,))), by_channel, train, zero_size=((0, 3), (3,), (3,))),
    Case("batch_norm", (Floats((3, 2, 4)), Floats((2,)), Floats((2,))), by_channel, train, "places"),
    Case("batch_norm", (Floats((2, 3, 2, 2)), Floats((3,)), Floats((3,))), by_channel, train, "images"),
    Case("batch_norm", (Floats((4, 2)),), by_channel, train, "no-affine"),
    Case("batch_norm", (Floats((4, 2)), Floats((2,)), Floats((2,))), lambda x, g, b: by_channel(x, g, b, 0.1), untracked, "eps"),
    Case("batch_norm", (Floats((4, 2)), Floats((2,))), lambda x, b: by_channel(x, None, b), lambda F, x, b: train(F, x, None, b), "shift-alone"),
    Case("batch_norm", (Floats((4, 3)), Floats((3,)), Floats((3,))), by_running, in_use, "test-mode", zero_size=((0, 3), (3,), (3,))),
    Case("batch_norm", (Floats((2, 3, 2, 2)), Floats((3,)), Floats((3,))), by_running, in_use, "test-mode-images"),
    Case("batch_norm", (Floats((3, 2)),), lambda x: by_running(x, None, None), lambda F, x: in_use(F, x, None, None), "test-mode-no-affine"),
    Case("layer_norm", (Floats((4, 5)), Floats((5,)), Floats((5,))), last, zero_size=((0, 5), (5,), (5,))),
    Case("layer_norm", (Floats((2, 3, 4)),), last, label="no-affine"),
    Case("layer_norm", (Floats((2, 3, 4)), Floats((4,))), lambda x, b: last(x, None, b), lambda F, x, b: F.layer_norm(x, None, b), "shift-alone"),
    Case("layer_norm", (Floats((3, 2, 4)), Floats((2, 4)), Floats((2, 4))), last_two, label="two-axes"),
    Case("layer_norm", (Floats((5, 3)),), first, lambda F, x: F.layer_norm(x, axis=0), "axis-0"),
    Case("layer_norm", (Floats((3, 2, 4)), Floats((3, 4))), outer_axes, lambda F, x, g: F.layer_norm(x, g, axis=(-1, 0)), "outer-axes"),
    Case("layer_norm", (Floats((2, 3)), Floats((2, 3)), Floats((2, 3))), lambda x, g, b: standardised(x, 0.1) * g + b,
         lambda F, x, g, b: F.layer_norm(x, g, b, eps=0.1), "all-axes"),
    Case("layer_norm", (Floats((6,)), Floats((6,)), Floats((6,))), last, label="vector", zero_size=((0,), (0,), (0,))),
    Case("group_norm", (Floats((3, 4)), Floats((4,)), Floats((4,))), lambda x, g, b: by_group(x, g, b, 2),
         lambda F, x, g, b: F.group_norm(x, g, b, 2)),
    Case("group_norm", (Floats((2, 4, 3)), Floats((4,)), Floats((4,))), lambda x, g, b: by_group(x, g, b, 2),
         lambda F, x, g, b: F.group_norm(x, g, b, groups=2), "places", zero_size=((2, 4, 0), (4,), (4,))),
    Case("group_norm", (Floats((2, 3, 2, 2)),), lambda x: by_group(x, None, None, 1), lambda F, x: F.group_norm(x, None, None, 1), "one-group"),
    Case("instance_norm", (Floats((2, 3, 4)), Floats((3,)), Floats((3,))), lambda x, g, b: by_group(x, g, b, 3), zero_size=((0, 3, 4), (3,), (3,))),
    Case("instance_norm", (Floats((2, 2, 2, 3)),), lambda x: by_group(x, None, None, 2, 0.1), lambda F, x: F.instance_norm(x, eps=0.1), "images"),
    Case("rms_norm", (Floats((4, 5)), Floats((5,))), lambda x, g: last(x, g, None, 1e-6, False), zero_size=((0, 5), (5,))),
    Case("rms_norm", (Floats((2, 3, 4)),), lambda x: last(x, None, None, 0.1, False), lambda F, x: F.rms_norm(x, eps=0.1), "no-scale"),
    Case("rms_norm", (Floats((3, 2, 2)), Floats((2, 2))), lambda x, g: np.stack([standardised(m, 1e-6, False) * g for m in x]), label="two-axes"),
]
