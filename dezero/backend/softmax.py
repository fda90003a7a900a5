"""Kernels of softmax and of the cross entropy on top of it."""

from __future__ import annotations

from typing import Any

from dezero.backend.kernels import reference


def shifted(xp: Any, x: Any, axis: Any) -> Any:
    """A new, C-ordered ``x - max(x)`` along ``axis``, so that exp cannot overflow.

    In float32 for half precision, whose sums would be too coarse, and in float64 for integers.
    """
    dtype = x.dtype
    if dtype.kind in "biu":
        x = x.astype("float64")
    elif dtype.itemsize == 2:
        x = x.astype("float32")
    z = xp.empty(x.shape, x.dtype)
    return xp.subtract(x, x.max(axis, keepdims=True), out=z) if x.size else z


def _narrow(y: Any, x: Any) -> Any:
    return y.astype(x.dtype) if x.dtype.itemsize == 2 and x.dtype.kind not in "biu" else y


@reference
def softmax(xp: Any, x: Any, axis: Any) -> Any:
    """``exp(x) / sum(exp(x))`` along ``axis`` as a new array, without overflow."""
    y = shifted(xp, x, axis)
    xp.exp(y, out=y)
    y /= y.sum(axis, keepdims=True)
    return _narrow(y, x)


@reference
def log_softmax(xp: Any, x: Any, axis: Any) -> Any:
    """``x - log(sum(exp(x)))`` along ``axis`` as a new array, without overflow."""
    y = shifted(xp, x, axis)
    y -= xp.log(xp.exp(y).sum(axis, keepdims=True))
    return _narrow(y, x)


@reference
def cross_entropy(xp: Any, x: Any, t: Any, w: Any) -> Any:
    """What the cross entropy of rows of scores needs.

    Args:
        x: scores (N, C).
        t: labels (N,), integers in [0, C).
        w: None, or weights (C,) of the classes.

    Returns:
        ``-log p[t]`` (N,), ``-log p @ w`` (N,) or None, ``e = exp(x - max)`` (N, C) and ``s = e.sum(1)`` (N,), where
        ``p = e / s``. In float32 for half precision.
    """
    e = shifted(xp, x, 1)
    picked = e.reshape(-1).take(_flat(xp, e, t))
    spread = None if w is None else e @ w
    xp.exp(e, out=e)
    s = e.sum(1)
    log_s = xp.log(s)
    return log_s - picked, None if w is None else log_s * w.sum() - spread, e, s


@reference
def cross_entropy_grad(xp: Any, e: Any, s: Any, t: Any, a: Any, total: Any) -> Any:
    """``p * total - onehot(t) * a`` (N, C) as a new array, for ``p = e / s``.

    Args:
        e, s, t: as ``cross_entropy`` has them.
        a, total: a number for each row, (N,), or for all rows, ().
    """
    g = xp.empty(e.shape, e.dtype)
    xp.multiply(e, (total / s)[:, None], out=g)
    g.reshape(-1)[_flat(xp, e, t)] -= a
    return g


def _flat(xp: Any, e: Any, t: Any) -> Any:
    """The places of the labels' elements in the flattened (N, C) array; one index selects faster than two."""
    n, c = e.shape
    return xp.arange(0, n * c, c) + t.astype("int64") if c else t
