"""Convolution on the CPU, faster than the reference.

Copying costs as much as multiplying here. So the columns of one image at a time go into one small buffer that stays in the
cache, in the order that makes the product come out as (OC, OH * OW), which is where it belongs in y. Images with few windows
share a buffer, those with many are cut into bands of rows. For 32 images of 32 channels, 28 x 28, and 64 kernels of 3 x 3 in
float32 on one core that took 11 ms where the reference took 24 and the product alone 9.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dezero.backend.im2col import Pair, tap, widened, window_counts, windows
from dezero.backend.kernels import override

BLOCK = 1 << 20    # elements of a column buffer: about what a core's cache holds
THIN = 384         # a product with fewer columns than this runs below BLAS's speed


def _blocks(x: Any, kernel: Pair, stride: Pair, pad: Pair, dilation: Pair, out: Pair, groups: int) -> Iterator[tuple[slice, slice, Any]]:
    """Images, windows among OH * OW, and their columns (groups, C / groups * KH * KW, count), in a buffer that is used again."""
    (N, C, H, W), (OH, OW) = x.shape, out
    some = max(1, min(N, THIN // (OH * OW)))
    if kernel == stride == (1, 1) and pad == (0, 0) and some == 1:
        for n in range(N):
            yield slice(n, n + 1), slice(None), x[n].reshape(groups, C // groups, OH * OW)
        return
    rows = min(OH, max(1, BLOCK // (C * kernel[0] * kernel[1] * OW), THIN // OW))
    frame = np.zeros((some, C, H + 2 * pad[0], W + 2 * pad[1]), x.dtype) if pad != (0, 0) else None
    buffer = np.empty(C * kernel[0] * kernel[1] * some * rows * OW, x.dtype)
    for n in range(0, N, some):
        images = x[n:n + some]
        if frame is not None:
            frame[:len(images), :, pad[0]:pad[0] + H, pad[1]:pad[1] + W] = images
            images = frame[:len(images)]
        view = windows(np, images, kernel, stride, dilation, out).transpose(1, 2, 3, 0, 4, 5)
        for r in range(0, OH, rows):
            part = view[..., r:r + rows, :]
            col = buffer[:part.size].reshape(part.shape)
            np.copyto(col, part)
            yield slice(n, n + len(images)), slice(r * OW, (r + part.shape[4]) * OW), col.reshape(groups, C // groups * kernel[0] * kernel[1], -1)


def _channels_first(g: Any, groups: int) -> Any:
    """(m, G, OC / G, L) as (G, OC / G, m * L)."""
    m, _, each, L = g.shape
    return g[0] if m == 1 else g.transpose(1, 2, 0, 3).reshape(groups, each, m * L)


@override("numpy")
def conv2d(x: Any, W: Any, b: Any, stride: Pair, pad: Pair, dilation: Pair, groups: int) -> Any:
    """See the reference."""
    dtype, (x, W, *bias) = widened(np, x, W, *(() if b is None else (b,)))
    out = window_counts(x.shape[2:], W.shape[2:], stride, pad, dilation)
    weights = W.reshape(groups, len(W) // groups, -1)
    y = np.empty((len(x), groups, len(W) // groups, out[0] * out[1]), x.dtype)
    for images, at, col in _blocks(x, W.shape[2:], stride, pad, dilation, out, groups):
        if images.stop - images.start == 1:
            np.matmul(weights, col, out=y[images.start, :, :, at])
        else:
            part = weights @ col
            y[images] = part.reshape(*part.shape[:2], -1, y.shape[3]).transpose(2, 0, 1, 3)
    y = y.reshape(len(x), len(W), *out)
    if bias:
        y += bias[0].reshape(-1, 1, 1)
    return y.astype(dtype, copy=False)


@override("numpy")
def conv2d_grad_x(gy: Any, W: Any, size: Pair, stride: Pair, pad: Pair, dilation: Pair, groups: int) -> Any:
    """See the reference. With stride 1 it is a convolution of gy by the reversed weights, which needs no adding up."""
    (OC, each, *kernel), C = W.shape, W.shape[1] * groups
    reach = tuple(d * (k - 1) - p for k, p, d in zip(kernel, pad, dilation, strict=True))
    if stride == (1, 1) and min(reach) >= 0 and (OC <= 4 * C or kernel == [1, 1]):  # else its wider columns cost more than adding up
        turned = W.reshape(groups, OC // groups, *W.shape[1:])[..., ::-1, ::-1].swapaxes(1, 2)
        return conv2d(gy, turned.reshape(C, OC // groups, *kernel), None, stride, reach, dilation, groups)
    dtype, (gy, W) = widened(np, gy, W)
    (KH, KW), (N, _, OH, OW) = kernel, gy.shape
    weights = W.reshape(groups, OC // groups, each, KH, KW).transpose(0, 3, 4, 2, 1).reshape(groups, KH * KW * each, OC // groups)
    gx = np.zeros((N, groups, each, *size), gy.dtype)
    some = max(1, THIN // (OH * OW), BLOCK // 4 // (C * KH * KW * OH * OW))
    for n in range(0, N, some):
        g = gy[n:n + some].reshape(-1, groups, OC // groups, OH * OW)
        col = (weights @ _channels_first(g, groups)).reshape(groups, KH, KW, each, len(g), OH, OW)
        target = gx[n:n + some].transpose(1, 2, 0, 3, 4)
        for i in range(KH):
            rows, at = tap(i, size[0], OH, stride[0], pad[0], dilation[0])
            for j in range(KW):
                cols, to = tap(j, size[1], OW, stride[1], pad[1], dilation[1])
                target[..., rows, cols] += col[:, i, j, :, :, at, to]
    return gx.reshape(N, C, *size).astype(dtype, copy=False)


@override("numpy")
def conv2d_grad_w(x: Any, gy: Any, kernel: Pair, stride: Pair, pad: Pair, dilation: Pair, groups: int) -> Any:
    """See the reference."""
    dtype, (x, gy) = widened(np, x, gy)
    N, OC, *out = gy.shape
    gy = gy.reshape(N, groups, OC // groups, out[0] * out[1])
    gW: Any = None
    for images, at, col in _blocks(x, kernel, stride, pad, dilation, (out[0], out[1]), groups):
        part = _channels_first(gy[images, :, :, at], groups) @ col.swapaxes(1, 2)
        gW = part if gW is None else np.add(gW, part, out=gW)
    shape = (OC, x.shape[1] // groups, *kernel)
    return np.zeros(shape, dtype) if gW is None else gW.reshape(shape).astype(dtype, copy=False)
