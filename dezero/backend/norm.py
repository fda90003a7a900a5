"""Kernels of normalisation: statistics in two passes, an affine map in place, and the gradient in few passes over the arrays."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from dezero.backend.kernels import kernels_of, override, reference

Axes = tuple[int, ...]


def work_dtype(*xs: Any) -> tuple[Any, Any]:
    """The dtype of a result of these arrays (None counts for nothing), and the one to compute it in: float32 for half precision."""
    out = np.result_type(*(x.dtype for x in xs if x is not None))
    if out.kind in "iub":
        out = np.dtype(np.float64)
    return out, np.dtype(np.float32) if out.itemsize == 2 else out


def result_dtype(x: Any, gamma: Any, beta: Any, keeps: bool) -> Any:
    """The dtype of a norm's result: that of all its inputs together. With ``keeps`` it is x's own where that is half precision.

    Gamma and beta in float32 beside it are then the masters of a model in mixed precision, and no reason to double the memory of the activations.
    """
    return x.dtype if keeps and x.dtype.itemsize == 2 and x.dtype.kind not in "iu" else work_dtype(x, gamma, beta)[0]


@reference
def in_dtype(xp: Any, dtype: Any, *xs: Any) -> list[Any]:
    """The arrays (or None) as :func:`normalize` and :func:`normalize_grads` take them: in this dtype, the one to compute in."""
    return [x if x is None or x.dtype == dtype else x.astype(dtype) for x in xs]


@override("numpy")
def in_dtype(dtype: Any, *xs: Any) -> list[Any]:  # noqa: F811
    """The arrays (or Variables, or None) in this dtype; one that has it already as it is."""
    return [x if x is None or x.dtype == dtype else x.astype(dtype) for x in xs]


def count(shape: Axes, axes: Axes) -> int:
    """How many elements a statistic over ``axes`` is made of; 1 for none at all, as a divisor."""
    return max(math.prod(shape[a] for a in axes), 1)


@reference
def sum_over(xp: Any, x: Any, axes: Axes) -> Any:
    """The sum of ``x`` over ``axes`` (at least one, none negative, in order), which stay with size 1."""
    return x.sum(axes, keepdims=True)


@override("numpy")
def sum_over(x: Any, axes: Axes) -> Any:  # noqa: F811
    if not x.flags.c_contiguous or x.dtype not in (np.float32, np.float64):
        return x.sum(axes, keepdims=True)
    lead = x.ndim
    while lead and lead - 1 in axes:
        lead -= 1
    n = math.prod(x.shape[lead:])
    if n > 1:  # BLAS sums rows some four times faster than NumPy's reduction
        x = (x.reshape(-1, n) @ np.ones(n, x.dtype)).reshape(x.shape[:lead] + (1,) * (x.ndim - lead))
        axes = tuple(a for a in axes if a < lead)
    return x.sum(axes, keepdims=True) if axes else x


@reference
def dot_over(xp: Any, a: Any, b: Any, axes: Axes) -> Any:
    """The sum of ``a * b``, two arrays of the same shape, over ``axes`` (none negative), which stay with size 1."""
    return (a * b).sum(axes, keepdims=True)


@override("numpy")
def dot_over(a: Any, b: Any, axes: Axes) -> Any:  # noqa: F811
    spec, kept = _subscripts(a.ndim, axes)
    y = np.einsum(spec, a, b)  # no product is stored on the way
    return y.reshape([n if i in kept else 1 for i, n in enumerate(a.shape)])


@lru_cache(maxsize=128)
def _subscripts(ndim: int, axes: Axes) -> tuple[str, Axes]:
    letters = "abcdefghijklmnopqrstuvwxyz"[:ndim]
    kept = tuple(i for i in range(ndim) if i not in axes)
    return f"{letters},{letters}->{''.join(letters[i] for i in kept)}", kept


@reference
def normalize(xp: Any, x: Any, gamma: Any, beta: Any, axes: Axes, eps: float, centred: bool) -> tuple[Any, Any, Any, Any]:
    """``gamma (x - mean) / sqrt(var + eps) + beta``, with the mean and the (biased) variance over ``axes``.

    Args:
        x: float32 or float64.
        gamma, beta: None, or arrays that broadcast to ``x``'s shape.
        centred: False leaves the mean out and takes the mean square for the variance.

    Returns:
        y, mean (None unless centred), var, 1 / sqrt(var + eps); the statistics with axes of size 1.
    """
    kernels, n = kernels_of(xp), count(x.shape, axes)
    mean = kernels.sum_over(x, axes) / n if centred else None
    y = x - mean if centred else x
    var = kernels.dot_over(y, y, axes) / n
    rstd = 1 / xp.sqrt(var + eps)
    scale, per_element = rstd, gamma is not None and math.prod(np.broadcast_shapes(rstd.shape, gamma.shape)) >= x.size
    if gamma is not None and not per_element:
        scale = rstd * gamma
    if centred:
        y *= scale
    else:
        y = y * scale
    if per_element:
        y *= gamma
    if beta is not None:
        y += beta
    return y, mean, var, rstd


@reference
def normalize_grads(xp: Any, gy: Any, x: Any, gamma: Any, mean: Any, rstd: Any, axes: Axes, per: Axes,
                    needs: tuple[bool, bool, bool]) -> tuple[Any, Any, Any]:
    """The gradients of :func:`normalize` for x, gamma and beta, as far as needed; those of gamma and beta have the shape ``per``.

    With g = gamma gy and xhat the normalised input, gx = rstd (g - mean(g) - xhat mean(g xhat)) with means over ``axes``.
    """
    if not (needs[1] or needs[2] or gamma is not None):
        per = (1,) * len(per)
    shared = tuple(a for a, n in enumerate(per) if n == 1)
    inner = tuple(a for a in axes if a in shared)
    work: Any = _grads_by_channel if inner == axes or count(x.shape, inner) > 1 else _grads_by_element
    gx, ggamma, gbeta = work(xp, gy, x, gamma, mean, rstd, axes, shared, inner, needs)
    return gx, ggamma, gbeta


def _grads_by_channel(xp: Any, gy: Any, x: Any, gamma: Any, mean: Any, rstd: Any, axes: Axes, shared: Axes, inner: Axes, needs: Any) -> Any:
    """Where gamma is constant along ``inner``, everything follows from the sums of gy and gy (x - mean) along it."""
    kernels, n = kernels_of(xp), count(x.shape, axes)
    centred = x if mean is None else x - mean
    dots = kernels.dot_over(gy, centred, inner) * rstd
    sums = kernels.sum_over(gy, inner)
    ggamma = dots.sum(shared, keepdims=True) if needs[1] else None
    gbeta = sums.sum(shared, keepdims=True) if needs[2] else None
    if not needs[0]:
        return None, ggamma, gbeta
    scale = rstd
    if gamma is not None:
        dots, sums, scale = dots * gamma, sums * gamma, rstd * gamma
    along = dots.sum(axes, keepdims=True) * (rstd * rstd / n)
    if mean is None:
        centred = centred * along
    else:
        centred *= along
        centred += sums.sum(axes, keepdims=True) * (rstd / n)
    gx = gy * scale
    gx -= centred
    return gx, ggamma, gbeta


def _grads_by_element(xp: Any, gy: Any, x: Any, gamma: Any, mean: Any, rstd: Any, axes: Axes, shared: Axes, inner: Axes, needs: Any) -> Any:
    """Where gamma differs from element to element along ``axes``."""
    kernels, n = kernels_of(xp), count(x.shape, axes)
    if mean is None:
        xhat = x * rstd
    else:
        xhat = x - mean
        xhat *= rstd
    ggamma = None if not needs[1] else kernels.dot_over(gy, xhat, shared) if shared else gy * xhat
    gbeta = None if not needs[2] else kernels.sum_over(gy, shared) if shared else gy.copy()
    if not needs[0]:
        return None, ggamma, gbeta
    g = gy if gamma is None else gy * gamma
    xhat *= kernels.dot_over(g, xhat, axes) / n
    if mean is not None:
        xhat += kernels.sum_over(g, axes) / n
    xhat -= g
    xhat *= -rstd
    return xhat, ggamma, gbeta
