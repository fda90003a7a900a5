"""The kernels of pooling over windows of images: maxima and means, their gradients, and the gradients of these.

Shapes: x (N, C, H, W), y and gy (N, C, OH, OW). ``kernel``, ``stride`` and ``pad`` are pairs.
"""

from __future__ import annotations

from typing import Any

from dezero.backend.im2col import Pair, col2im, im2col, padded, widened, window_counts, windows
from dezero.backend.kernels import reference


def lowest(x: Any) -> Any:
    """A value of x's dtype that is never above another one, to surround images with."""
    kind = x.dtype.kind
    if kind == "b":
        return False
    if kind == "u":
        return 0
    return -(1 << (8 * x.dtype.itemsize - 1)) if kind == "i" else -float("inf")


@reference
def max_pool2d(xp: Any, x: Any, kernel: Pair, stride: Pair, pad: Pair) -> Any:
    """y = the maximum of each window; padding never wins, NaN always does."""
    out = window_counts(x.shape[2:], kernel, stride, pad)
    return windows(xp, padded(xp, x, pad, lowest(x)), kernel, stride, (1, 1), out).max((2, 3))


@reference
def max_pool2d_grad(xp: Any, gy: Any, x: Any, y: Any, kernel: Pair, stride: Pair, pad: Pair) -> Any:
    """gy sent to the first place of each window of x, row by row, whose value is the maximum y; sums where windows overlap."""
    col = xp.where(_first(xp, x, y, kernel, stride, pad), gy[:, :, None], 0)
    return col2im(xp, col.reshape(*gy.shape[:2], *kernel, *gy.shape[2:]), x.shape[2:], stride, pad, (1, 1))


@reference
def max_pool2d_pick(xp: Any, v: Any, x: Any, y: Any, kernel: Pair, stride: Pair, pad: Pair) -> Any:
    """v at the first place of each window of x whose value is the maximum y: the adjoint of max_pool2d_grad."""
    col = im2col(xp, v, kernel, stride, pad, (1, 1)).reshape(*y.shape[:2], kernel[0] * kernel[1], *y.shape[2:])
    return xp.where(_first(xp, x, y, kernel, stride, pad), col, 0).sum(2, dtype=v.dtype)


def _first(xp: Any, x: Any, y: Any, kernel: Pair, stride: Pair, pad: Pair) -> Any:
    """True at the first maximum of each window: (N, C, KH * KW, OH, OW)."""
    view = windows(xp, padded(xp, x, pad, lowest(x)), kernel, stride, (1, 1), y.shape[2:])
    equal = (view == y[:, :, None, None]).reshape(*y.shape[:2], kernel[0] * kernel[1], *y.shape[2:])
    places = xp.arange(equal.shape[2]).reshape(-1, 1, 1)
    return (equal.argmax(2)[:, :, None] == places) & equal


@reference
def avg_pool2d(xp: Any, x: Any, kernel: Pair, stride: Pair, pad: Pair) -> Any:
    """y = the mean of each window; the zeros of the padding count. Integers give floats."""
    if x.dtype.kind in "iub":
        x = x.astype(xp.float64)
    out = window_counts(x.shape[2:], kernel, stride, pad)
    dtype, (x,) = widened(xp, x)
    y = windows(xp, padded(xp, x, pad), kernel, stride, (1, 1), out).sum((2, 3))
    y /= kernel[0] * kernel[1]
    return y.astype(dtype, copy=False)


@reference
def avg_pool2d_grad(xp: Any, gy: Any, size: Pair, kernel: Pair, stride: Pair, pad: Pair) -> Any:
    """gy shared out evenly among the places of each window in images of ``size`` (H, W): the adjoint of avg_pool2d."""
    dtype, (g,) = widened(xp, gy)
    g = g / (kernel[0] * kernel[1])
    col = xp.broadcast_to(g[:, :, None, None], (*gy.shape[:2], *kernel, *gy.shape[2:]))
    return col2im(xp, col, size, stride, pad, (1, 1)).astype(dtype, copy=False)
