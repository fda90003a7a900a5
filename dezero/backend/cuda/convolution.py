"""Convolution on the device: by cuDNN where it is installed, else by columns and one product in batches of images, in chunks of limited memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dezero.backend.arrays import cupy_module as cupy
from dezero.backend.cuda import cudnn
from dezero.backend.cuda.blocks import accumulator, contiguous
from dezero.backend.cuda.gemm import product, types_of
from dezero.backend.im2col import Pair, window_counts
from dezero.backend.kernels import REFERENCE, kernels_of, override

COLUMNS = 1 << 28  # bytes that the columns of a chunk of images may take
PARTS = 1 << 26    # elements that the gradients of the weights by image may take


def _alike(*arrays: Any) -> Any:
    """The arrays in C order and of one float dtype; None for other dtypes and empty arrays."""
    xp = cupy()
    dtype = arrays[0].dtype if all(a.dtype == arrays[0].dtype for a in arrays) else np.result_type(*(a.dtype for a in arrays))
    if types_of(dtype) is None or not all(a.size for a in arrays):
        return None
    return [contiguous(xp, a.astype(dtype, copy=False)) for a in arrays]


def _plain(kernel: Any, stride: Pair, pad: Pair) -> bool:
    """Are the images their own columns?"""
    return tuple(kernel) == (1, 1) == tuple(stride) and tuple(pad) == (0, 0)


def _chunks(count: int, bytes_each: int) -> Iterator[slice]:
    """Images whose columns are made at once."""
    some = max(1, COLUMNS // max(bytes_each, 1))
    for n in range(0, count, some):
        yield slice(n, min(n + some, count))


def _columns(x: Any, kernel: Any, stride: Pair, pad: Pair, dilation: Pair, groups: int) -> Any:
    """Columns (N, groups, C / groups * KH * KW, OH * OW)."""
    N, C = x.shape[:2]
    if not _plain(kernel, stride, pad):
        x = kernels_of(cupy()).im2col(x, tuple(kernel), stride, pad, dilation)
    return x.reshape(N, groups, C // groups * kernel[0] * kernel[1], -1)


def _into(out: Any, a: Any, b: Any, beta: float = 0.0) -> None:
    """``a @ b`` into ``out``, or added to it with ``beta`` 1."""
    if product(a, b, beta=beta, out=out) is NotImplemented:
        y = a @ b
        if beta:
            out += y
        else:
            out[...] = y


@override("cupy")
def conv2d(x: Any, W: Any, b: Any, stride: Pair, pad: Pair, dilation: Pair, groups: int) -> Any:
    """See the reference."""
    xp = cupy()
    arrays = _alike(x, W) if b is None else _alike(x, W, b)
    if arrays is None:
        return REFERENCE["conv2d"](xp, x, W, b, stride, pad, dilation, groups)
    x, W = arrays[:2]
    out = window_counts(x.shape[2:], W.shape[2:], stride, pad, dilation)
    y = xp.empty((len(x), len(W), *out), x.dtype)
    if not cudnn.convolve(cudnn.FORWARD, x, W, y, stride, pad, dilation, groups):
        weights, rows = W.reshape(groups, len(W) // groups, -1), y.reshape(len(x), groups, len(W) // groups, out[0] * out[1])
        for n in _chunks(len(x), x.shape[1] * W.shape[2] * W.shape[3] * out[0] * out[1] * x.itemsize):
            _into(rows[n], weights, _columns(x[n], W.shape[2:], stride, pad, dilation, groups))
    if b is not None:
        y += arrays[2].reshape(-1, 1, 1)
    return y


@override("cupy")
def conv2d_grad_x(gy: Any, W: Any, size: Pair, stride: Pair, pad: Pair, dilation: Pair, groups: int) -> Any:
    """See the reference."""
    xp = cupy()
    arrays = _alike(gy, W)
    if arrays is None:
        return REFERENCE["conv2d_grad_x"](xp, gy, W, size, stride, pad, dilation, groups)
    gy, W = arrays
    (N, OC, *out), (_, each, *kernel) = gy.shape, W.shape
    gx = xp.empty((N, each * groups, *size), gy.dtype)
    if not gx.size or cudnn.convolve(cudnn.GRAD_X, gx, W, gy, stride, pad, dilation, groups):
        return gx
    weights = W.reshape(groups, OC // groups, -1).swapaxes(1, 2)
    g = gy.reshape(N, groups, OC // groups, out[0] * out[1])
    if _plain(kernel, stride, pad):
        _into(gx.reshape(N, groups, each, -1), weights, g)
        return gx
    wide = np.dtype(accumulator(gy.dtype))
    for n in _chunks(N, each * groups * kernel[0] * kernel[1] * out[0] * out[1] * wide.itemsize):
        col = xp.empty((n.stop - n.start, groups, weights.shape[1], out[0] * out[1]), wide)
        _into(col, weights, g[n])
        part = kernels_of(xp).col2im(col.reshape(len(col), each * groups, *kernel, *out), size, stride, pad, dilation)
        if len(part) == N:
            return part.astype(gy.dtype, copy=False)
        gx[n] = part
    return gx


@override("cupy")
def conv2d_grad_w(x: Any, gy: Any, kernel: Pair, stride: Pair, pad: Pair, dilation: Pair, groups: int) -> Any:
    """See the reference. Without cuDNN each image of a chunk has a gradient of its own, to which the later chunks add; then they are summed."""
    xp = cupy()
    arrays = _alike(x, gy)
    if arrays is None:
        return REFERENCE["conv2d_grad_w"](xp, x, gy, kernel, stride, pad, dilation, groups)
    x, gy = arrays
    N, OC, *out = gy.shape
    gW = xp.empty((OC, x.shape[1] // groups, *kernel), x.dtype)
    if not gW.size or cudnn.convolve(cudnn.GRAD_W, x, gW, gy, stride, pad, dilation, groups):
        return gW
    g = gy.reshape(N, groups, OC // groups, out[0] * out[1])
    wide = np.dtype(accumulator(x.dtype))
    most = max(1, min(N, PARTS // gW.size))
    bytes_each = max(x.shape[1] * kernel[0] * kernel[1] * out[0] * out[1] * x.itemsize, -(-COLUMNS // most))
    parts: Any = None
    for n in _chunks(N, bytes_each):
        col = _columns(x[n], kernel, stride, pad, dilation, groups).swapaxes(2, 3)
        if parts is None:
            parts = xp.empty((len(col), groups, OC // groups, col.shape[3]), wide)
            _into(parts, g[n], col)
        else:
            _into(parts[: len(col)], g[n], col, beta=1.0)
    return parts.sum(0).reshape(gW.shape).astype(x.dtype, copy=False)
