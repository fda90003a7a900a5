"""Kernels of softmax and of the cross entropy on top of it."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dezero.backend.kernels import kernels_of, override, reference


@reference
def axis_max(xp: Any, x: Any, axis: Any) -> Any:
    """The maximum along ``axis``, which stays with size 1."""
    return x.max(axis, keepdims=True)


@override("numpy")
def axis_max(x: Any, axis: Any) -> Any:  # noqa: F811
    """Short rows in columns: NumPy takes some ten times longer for many short maxima than for few long ones."""
    if _last(x, axis) and x.shape[-1] <= 64 and x.size:
        rows = x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
        y = rows.T.copy().max(0)
        return y[:, None] if x.ndim == 2 else y.reshape(*x.shape[:-1], 1)
    return x.max(axis, keepdims=True)


@reference
def axis_sum(xp: Any, x: Any, axis: Any) -> Any:
    """The sum along ``axis``, which stays with size 1."""
    return x.sum(axis, keepdims=True)


@override("numpy")
def axis_sum(x: Any, axis: Any) -> Any:  # noqa: F811
    """Rows times a vector of ones, which is two to ten times faster; not for long rows, where ``sum`` is more exact."""
    if _last(x, axis) and x.shape[-1] <= 512 and x.dtype.kind == "f":
        return x @ _ones(x.shape[-1], x.dtype.char)
    return x.sum(axis, keepdims=True)


@cache
def _ones(n: int, char: str) -> Any:
    return np.ones((n, 1), char)


def _last(x: Any, axis: Any) -> bool:
    return type(axis) is int and x.ndim > 1 and axis in (-1, x.ndim - 1)


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
