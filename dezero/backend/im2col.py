"""Sizes of sliding windows, and the kernels that lay windows out as columns and add them back."""

from __future__ import annotations

import operator
from typing import Any

from dezero.backend.arrays import array_module
from dezero.backend.kernels import kernels_of, reference
from dezero.errors import ShapeError

Pair = tuple[int, int]


def pair(x: Any) -> Pair:
    """``x`` as a pair of integers: an integer stands for both.

    Args:
        x: an integer (NumPy's too), or a tuple, list or array of two.

    Raises:
        TypeError: ``x`` is something else, a float or three numbers say.

    Examples:
        >>> pair(3), pair([1, 2])
        ((3, 3), (1, 2))
    """
    try:
        if hasattr(x, "__len__") and getattr(x, "shape", None) != ():
            a, b = x
            return operator.index(a), operator.index(b)
        a = operator.index(x)
        return a, a
    except (TypeError, ValueError):
        raise TypeError(f"pair: {x!r} is neither an integer nor a pair of integers: give 3 or (3, 5)") from None


def get_conv_outsize(input_size: int, kernel_size: int, stride: int, pad: int) -> int:
    """How many windows fit along an axis: (input_size + 2 pad - kernel_size) // stride + 1.

    Raises:
        ShapeError: not even one window fits, or a parameter makes no sense.

    Examples:
        >>> get_conv_outsize(4, 3, 1, 1)
        4
    """
    out = (input_size + 2 * pad - kernel_size) // stride + 1 if stride > 0 else 0
    if out <= 0 or kernel_size <= 0 or pad < 0:
        raise ShapeError(f"the output would be empty: input size {input_size}, kernel size {kernel_size}, stride {stride}, pad {pad}; "
                         f"{_wrong(kernel_size, stride, pad) or 'input size + 2 pad must be at least the kernel size'}")
    return out


def get_deconv_outsize(size: int, k: int, s: int, p: int) -> int:
    """The size along an axis from which a convolution makes ``size``: s (size - 1) + k - 2 p.

    Raises:
        ShapeError: the result is not positive, or a parameter makes no sense.

    Examples:
        >>> get_deconv_outsize(4, 3, 1, 1)
        4
    """
    out = s * (size - 1) + k - 2 * p
    if out <= 0 or size <= 0 or s <= 0 or k <= 0 or p < 0:
        raise ShapeError(f"the output would be empty: input size {size}, kernel size {k}, stride {s}, pad {p}; "
                         f"{_wrong(k, s, p) or 'stride (input size - 1) + kernel size - 2 pad must be positive'}")
    return out


def _wrong(kernel_size: int, stride: int, pad: int) -> str:
    """Which parameter makes no sense, or nothing."""
    if kernel_size <= 0 or stride <= 0:
        return "kernel size and stride must be positive"
    return "pad must not be negative" if pad < 0 else ""


def window_counts(size: Any, kernel: Pair, stride: Pair, pad: Pair, dilation: Pair = (1, 1)) -> Pair:
    """(OH, OW) for images of ``size`` (H, W)."""
    oh, ow = (get_conv_outsize(n, d * (k - 1) + 1, s, p) for n, k, s, p, d in zip(size, kernel, stride, pad, dilation, strict=True))
    return oh, ow


def tap(k: int, size: int, out: int, stride: int, pad: int, dilation: int = 1) -> tuple[slice, slice]:
    """Element ``k`` of each window along an axis: where it lies in the image, and in which windows it is inside the image."""
    start = k * dilation - pad
    first = max(0, -(start // stride))
    last = min(out, (size - 1 - start) // stride + 1)
    if last <= first:
        return slice(0, 0), slice(0, 0)
    return slice(start + first * stride, start + (last - 1) * stride + 1, stride), slice(first, last)


def padded(xp: Any, x: Any, pad: Pair, value: Any = 0) -> Any:
    """``x`` with a frame of ``value`` around each image; ``x`` itself where there is no frame."""
    ph, pw = pad
    if not ph and not pw:
        return x
    N, C, H, W = x.shape
    y = xp.full((N, C, H + 2 * ph, W + 2 * pw), value, x.dtype)
    y[:, :, ph:ph + H, pw:pw + W] = x
    return y


def windows(xp: Any, x: Any, kernel: Pair, stride: Pair, dilation: Pair, out: Pair) -> Any:
    """A view (N, C, KH, KW, OH, OW) of the windows in images that carry their padding already."""
    n, c, h, w = x.strides
    shape = (*x.shape[:2], *kernel, *out)
    return xp.lib.stride_tricks.as_strided(x, shape, (n, c, h * dilation[0], w * dilation[1], h * stride[0], w * stride[1]))


def widened(xp: Any, *arrays: Any) -> tuple[Any, list[Any]]:
    """The dtype that the result is to have, and the arrays in the one to compute in: float32 where that is a float of 16 bits."""
    dtype = xp.result_type(*arrays)
    wide = xp.float32 if dtype.itemsize == 2 and dtype.kind not in "iu" else dtype
    return dtype, [a.astype(wide, copy=False) for a in arrays]


@reference
def im2col(xp: Any, x: Any, kernel: Pair, stride: Pair, pad: Pair, dilation: Pair) -> Any:
    """The windows of x (N, C, H, W), zeros outside it, as a contiguous array (N, C, KH, KW, OH, OW)."""
    out = window_counts(x.shape[2:], kernel, stride, pad, dilation)
    return xp.ascontiguousarray(windows(xp, padded(xp, x, pad), kernel, stride, dilation, out))


@reference
def col2im(xp: Any, col: Any, size: Pair, stride: Pair, pad: Pair, dilation: Pair) -> Any:
    """Windows (N, C, KH, KW, OH, OW) added up where they lie in images of ``size`` (H, W): the adjoint of im2col."""
    N, C, KH, KW, OH, OW = col.shape
    y = xp.zeros((N, C, *size), col.dtype)
    for i in range(KH):
        rows, at = tap(i, size[0], OH, stride[0], pad[0], dilation[0])
        for j in range(KW):
            cols, to = tap(j, size[1], OW, stride[1], pad[1], dilation[1])
            y[:, :, rows, cols] += col[:, :, i, j, at, to]
    return y


def im2col_array(img: Any, kernel_size: Any, stride: Any, pad: Any, to_matrix: bool = True) -> Any:
    """The windows of images as columns, on arrays; ``F.im2col`` is the same with a gradient.

    Args:
        img: (N, C, H, W).
        kernel_size, stride, pad: an integer or a pair (height, width).
        to_matrix: one row per window.

    Returns:
        (N * OH * OW, C * KH * KW), or (N, C, KH, KW, OH, OW) without ``to_matrix``.

    Examples:
        >>> import numpy as np
        >>> im2col_array(np.zeros((1, 3, 7, 7)), 5, 1, 0).shape
        (9, 75)
    """
    col = kernels_of(array_module(img)).im2col(img, pair(kernel_size), pair(stride), pair(pad), (1, 1))
    if not to_matrix:
        return col
    N, C, KH, KW, OH, OW = col.shape
    return col.transpose(0, 4, 5, 1, 2, 3).reshape(N * OH * OW, C * KH * KW)


def col2im_array(col: Any, img_shape: Any, kernel_size: Any, stride: Any, pad: Any, to_matrix: bool = True) -> Any:
    """Columns added up into images (N, C, H, W) = ``img_shape``, on arrays; ``F.col2im`` is the same with a gradient.

    Examples:
        >>> import numpy as np
        >>> col2im_array(np.ones((4, 4)), (1, 1, 3, 3), 2, 1, 0)[0, 0]
        array([[1., 2., 1.],
               [2., 4., 2.],
               [1., 2., 1.]])
    """
    N, C, *size = img_shape
    kernel, stride, pad = pair(kernel_size), pair(stride), pair(pad)
    out = window_counts(size, kernel, stride, pad)
    shape = (N * out[0] * out[1], C * kernel[0] * kernel[1]) if to_matrix else (N, C, *kernel, *out)
    if tuple(col.shape) != shape:
        raise ShapeError(f"images {tuple(img_shape)} with kernel size {kernel}, stride {stride} and pad {pad} have columns of shape {shape}, "
                         f"not {tuple(col.shape)}")
    if to_matrix:
        col = col.reshape(N, *out, C, *kernel).transpose(0, 3, 4, 5, 1, 2)
    return kernels_of(array_module(col)).col2im(col, tuple(size), stride, pad, (1, 1))
