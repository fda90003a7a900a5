"""The kernels of convolution: forward, and the gradients of its images and its weights.

Shapes: x (N, C, H, W), W (OC, C / groups, KH, KW), gy and y (N, OC, OH, OW). All parameters but ``groups`` are pairs.
Products of 16-bit floats accumulate in float32.
"""

from __future__ import annotations

from typing import Any

from dezero.backend.im2col import Pair, col2im, im2col, widened
from dezero.backend.kernels import reference


@reference
def conv2d(xp: Any, x: Any, W: Any, b: Any, stride: Pair, pad: Pair, dilation: Pair, groups: int) -> Any:
    """y[n, o, i, j] = sum over c, k, l of W[o, c, k, l] x[n, c, i stride + k dilation - pad, ...], plus b[o] unless it is None.

    Without groups it is one product of the whole column buffer (N, C, KH, KW, OH, OW) by the weights, to the last bit.
    """
    dtype, (x, W, *bias) = widened(xp, x, W, *(() if b is None else (b,)))
    col = im2col(xp, x, W.shape[2:], stride, pad, dilation)
    if groups == 1:
        y = xp.tensordot(col, W, ((1, 2, 3), (1, 2, 3)))
        if bias:
            y += bias[0]
        return xp.ascontiguousarray(y.transpose(0, 3, 1, 2)).astype(dtype, copy=False)
    y = W.reshape(groups, len(W) // groups, -1) @ _grouped(col, groups)
    y = y.reshape(len(x), len(W), *col.shape[4:])
    if bias:
        y += bias[0].reshape(-1, 1, 1)
    return y.astype(dtype, copy=False)


@reference
def conv2d_grad_x(xp: Any, gy: Any, W: Any, size: Pair, stride: Pair, pad: Pair, dilation: Pair, groups: int) -> Any:
    """The gradient of the images of ``size`` (H, W): the adjoint of conv2d in x, which is the transposed convolution of gy."""
    dtype, (gy, W) = widened(xp, gy, W)
    N, OC, OH, OW = gy.shape
    if groups == 1:
        col = xp.tensordot(W, gy, (0, 1)).transpose(3, 0, 1, 2, 4, 5)
    else:
        g = gy.reshape(N, groups, OC // groups, OH * OW)
        col = W.reshape(groups, OC // groups, -1).swapaxes(1, 2) @ g
        col = col.reshape(N, W.shape[1] * groups, *W.shape[2:], OH, OW)
    return col2im(xp, col, size, stride, pad, dilation).astype(dtype, copy=False)


@reference
def conv2d_grad_w(xp: Any, x: Any, gy: Any, kernel: Pair, stride: Pair, pad: Pair, dilation: Pair, groups: int) -> Any:
    """The gradient of the weights: the adjoint of conv2d in W."""
    dtype, (x, gy) = widened(xp, x, gy)
    col = im2col(xp, x, kernel, stride, pad, dilation)
    if groups == 1:
        gW = xp.tensordot(gy, col, ((0, 2, 3), (0, 4, 5)))
    else:
        g = gy.reshape(len(x), groups, gy.shape[1] // groups, gy.shape[2] * gy.shape[3])
        gW = (g @ _grouped(col, groups).swapaxes(2, 3)).sum(0)
    return gW.reshape(gy.shape[1], x.shape[1] // groups, *kernel).astype(dtype, copy=False)


def _grouped(col: Any, groups: int) -> Any:
    """Columns as a matrix (C / groups * KH * KW, OH * OW) for each image and group."""
    N, C, KH, KW, OH, OW = col.shape
    return col.reshape(N, groups, C // groups * KH * KW, OH * OW)
