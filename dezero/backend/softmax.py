"""Kernels of softmax and of the cross entropy on top of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.backend.kernels import REFERENCE, kernels_of, override, reference
from dezero.backend.sums import ones


def _shifted(xp: Any, x: Any, axis: Any) -> Any:
    """A new, C-ordered ``x - max(x)`` along ``axis``, so that exp cannot overflow.

    In float32 for half precision, whose sums would be too coarse, and in float64 for integers.
    """
    dtype = x.dtype
    if dtype.kind in "biu":
        x = x.astype("float64")
    elif dtype.itemsize == 2:
        x = x.astype("float32")
    z = xp.empty(x.shape, x.dtype)
    return xp.subtract(x, kernels_of(xp).axis_max(x, axis), out=z) if x.size else z


def _narrow(y: Any, x: Any) -> Any:
    return y.astype(x.dtype) if x.dtype.itemsize == 2 and x.dtype.kind not in "biu" else y


@reference
def softmax(xp: Any, x: Any, axis: Any) -> Any:
    """``exp(x) / sum(exp(x))`` along ``axis`` as a new array, without overflow."""
    y = _shifted(xp, x, axis)
    xp.exp(y, out=y)
    y /= kernels_of(xp).axis_sum(y, axis)
    return _narrow(y, x)


@reference
def log_softmax(xp: Any, x: Any, axis: Any) -> Any:
    """``x - log(sum(exp(x)))`` along ``axis`` as a new array, without overflow."""
    y = _shifted(xp, x, axis)
    y -= xp.log(kernels_of(xp).axis_sum(xp.exp(y), axis))
    return _narrow(y, x)


@reference
def cross_entropy(xp: Any, x: Any, t: Any, w: Any) -> Any:
    """What the cross entropy of rows of scores needs.

    Args:
        x: scores (N, C).
        t: labels (N,), integers in [0, C), but not uint64.
        w: None, or weights (C,) of the classes.

    Returns:
        ``-log p[t]`` (N,), ``-log p @ w`` (N,) or None, and what the gradient needs: ``e = exp(x - max)`` (N, C),
        ``s = e.sum(1)`` (N, 1), where ``p = e / s``, and the places (N,) of the labels in the flattened ``e``. In float32
        for half precision.
    """
    e = _shifted(xp, x, 1)
    n, c = e.shape
    places = xp.arange(0, n * c, c) + t if n else t  # one index selects faster than two
    picked = e.reshape(-1).take(places)
    spread = None if w is None else e @ w
    xp.exp(e, out=e)
    s = kernels_of(xp).axis_sum(e, 1)
    log_s = xp.log(s).reshape(-1)
    return log_s - picked, None if w is None else log_s * w.sum() - spread, e, s, places


@override("numpy")
def cross_entropy(x: Any, t: Any, w: Any) -> Any:  # noqa: F811
    """The usual case, float scores of few classes, in as few calls as it takes; it is a part of every training step."""
    n, c = x.shape
    if w is not None or not x.size or c > 64 or x.dtype.kind != "f" or x.dtype.itemsize == 2:
        return REFERENCE["cross_entropy"](np, x, t, w)
    e = x - x.T.copy().max(0)[:, None]
    flat = e.reshape(-1)
    if not e.flags.c_contiguous:
        e = flat.reshape(n, c)
    places = np.arange(0, n * c, c) + t
    picked = flat.take(places)
    np.exp(e, out=e)
    s = e @ ones(c, e.dtype)
    y = np.log(s)
    y -= picked
    return y, None, e, s[:, None], places


@reference
def cross_entropy_grad(xp: Any, e: Any, s: Any, places: Any, a: Any, total: Any) -> Any:
    """``p * total - onehot(t) * a`` (N, C) as a new array, for ``p = e / s``.

    Args:
        e, s, places: as ``cross_entropy`` gave them.
        a: a number for each row, (N,), or for all rows, ().
        total: a number for each row, (N, 1), or for all rows, ().
    """
    g = e * (total / s)
    g.reshape(-1)[places] -= a
    return g
