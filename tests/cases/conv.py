"""Rows for dezero/functions/columns.py and conv.py. The oracles are loops over the definition."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from tests.cases.case import Case, Floats

Pair = tuple[int, int]


def loops(x: Any, W: Any, b: Any = None, stride: Pair = (1, 1), pad: Pair = (0, 0), dilation: Pair = (1, 1), groups: int = 1) -> Any:
    """Cross-correlation, element by element."""
    (N, _, H, K), (OC, each, KH, KW) = x.shape, W.shape
    OH = (H + 2 * pad[0] - dilation[0] * (KH - 1) - 1) // stride[0] + 1
    OW = (K + 2 * pad[1] - dilation[1] * (KW - 1) - 1) // stride[1] + 1
    y = np.zeros((N, OC, OH, OW), x.dtype)
    for o, c, k, m, i, j in product(range(OC), range(each), range(KH), range(KW), range(OH), range(OW)):
        r, s = i * stride[0] + k * dilation[0] - pad[0], j * stride[1] + m * dilation[1] - pad[1]
        if 0 <= r < H and 0 <= s < K:
            y[:, o, i, j] += W[o, c, k, m] * x[:, o // (OC // groups) * each + c, r, s]
    return y if b is None else y + b[:, None, None]


def transposed(x: Any, W: Any, b: Any = None, stride: Pair = (1, 1), pad: Pair = (0, 0), dilation: Pair = (1, 1), groups: int = 1,
               extra: Pair = (0, 0)) -> Any:
    """Each element of x times the kernels, added where a convolution would have read."""
    (N, C, H, K), (_, each, KH, KW) = x.shape, W.shape
    OH = stride[0] * (H - 1) + dilation[0] * (KH - 1) + 1 - 2 * pad[0] + extra[0]
    OW = stride[1] * (K - 1) + dilation[1] * (KW - 1) + 1 - 2 * pad[1] + extra[1]
    y = np.zeros((N, each * groups, OH, OW), x.dtype)
    for c, o, k, m, i, j in product(range(C), range(each), range(KH), range(KW), range(H), range(K)):
        r, s = i * stride[0] + k * dilation[0] - pad[0], j * stride[1] + m * dilation[1] - pad[1]
        if 0 <= r < OH and 0 <= s < OW:
            y[:, c // (C // groups) * each + o, r, s] += W[c, o, k, m] * x[:, c, i, j]
    return y if b is None else y + b[:, None, None]


def columns(x: Any, kernel: Pair, stride: Pair, pad: Pair) -> Any:
    """Windows as rows of a matrix, one at a time."""
    N, C, H, W = x.shape
    framed = np.zeros((N, C, H + 2 * pad[0], W + 2 * pad[1]), x.dtype)
    framed[:, :, pad[0]:pad[0] + H, pad[1]:pad[1] + W] = x
    rows = [framed[n, :, i:i + kernel[0], j:j + kernel[1]].ravel() for n in range(N)
            for i in range(0, framed.shape[2] - kernel[0] + 1, stride[0]) for j in range(0, framed.shape[3] - kernel[1] + 1, stride[1])]
    return np.array(rows, x.dtype).reshape(len(rows), C * kernel[0] * kernel[1])


def images(col: Any, shape: Any, kernel: Pair, stride: Pair, pad: Pair) -> Any:
    """The transpose of ``columns``, which is linear: its matrix comes from unit images."""
    units = np.eye(int(np.prod(shape)))
    return np.array([(columns(u.reshape(shape), kernel, stride, pad) * col).sum() for u in units], col.dtype).reshape(shape)


CASES: list[Case] = [
    Case("conv2d", (Floats((2, 2, 4, 3)), Floats((3, 2, 2, 2)), Floats((3,))), loops, zero_size=((0, 2, 4, 3), (3, 2, 2, 2), (3,))),
    Case("conv2d", (Floats((1, 2, 5, 4)), Floats((2, 2, 3, 2))), lambda x, W: loops(x, W, None, (2, 1), (1, 2)),
         call=lambda F, x, W: F.conv2d(x, W, stride=(2, 1), pad=(1, 2)), label="uneven"),
    Case("conv2d", (Floats((1, 1, 5, 6)), Floats((2, 1, 2, 3)), Floats((2,))), lambda x, W, b: loops(x, W, b, (1, 1), (1, 1), (2, 2)),
         call=lambda F, x, W, b: F.conv2d(x, W, b, 1, 1, 2), label="dilation"),
    Case("conv2d", (Floats((2, 4, 3, 3)), Floats((6, 2, 2, 2)), Floats((6,))), lambda x, W, b: loops(x, W, b, groups=2),
         call=lambda F, x, W, b: F.conv2d(x, W, b, groups=2), label="groups"),
    Case("conv2d", (Floats((1, 3, 4, 4)), Floats((3, 1, 3, 3))), lambda x, W: loops(x, W, None, (2, 2), (1, 1), groups=3),
         call=lambda F, x, W: F.conv2d(x, W, None, 2, 1, groups=3), label="depthwise"),
    Case("conv2d", (Floats((2, 3, 3, 2)), Floats((4, 3, 1, 1)), Floats((4,))), loops, label="1x1"),
    Case("conv2d", (Floats((1, 1, 20, 20)), Floats((6, 1, 2, 2))), loops, label="one-channel"),
    Case("conv2d", (Floats((1, 1, 7, 7)), Floats((1, 1, 2, 2))), lambda x, W: loops(x, W, None, (3, 3)),
         call=lambda F, x, W: F.conv2d(x, W, stride=3), label="gaps"),
    Case("conv2d_simple", (Floats((2, 2, 4, 3)), Floats((3, 2, 2, 2)), Floats((3,))), loops, zero_size=((0, 2, 4, 3), (3, 2, 2, 2), (3,))),
    Case("conv2d_simple", (Floats((1, 2, 4, 4)), Floats((2, 2, 3, 2))), lambda x, W: loops(x, W, None, (2, 1), (1, 0)),
         call=lambda F, x, W: F.conv2d_simple(x, W, None, (2, 1), (1, 0)), label="uneven"),
    Case("conv1d", (Floats((2, 2, 6)), Floats((3, 2, 3)), Floats((3,))), lambda x, W, b: loops(x[:, :, None], W[:, :, None], b)[:, :, 0]),
    Case("conv1d", (Floats((2, 4, 7)), Floats((4, 2, 2))),
         lambda x, W: loops(x[:, :, None], W[:, :, None], None, (1, 2), (0, 1), (1, 3), 2)[:, :, 0],
         call=lambda F, x, W: F.conv1d(x, W, None, 2, 1, 3, 2), label="parameters"),
    Case("conv_transpose2d", (Floats((2, 3, 2, 3)), Floats((3, 2, 2, 2)), Floats((2,))), transposed,
         zero_size=((0, 3, 2, 3), (3, 2, 2, 2), (2,))),
    Case("conv_transpose2d", (Floats((1, 2, 3, 2)), Floats((2, 2, 3, 2))), lambda x, W: transposed(x, W, None, (2, 3), (1, 0), extra=(1, 2)),
         call=lambda F, x, W: F.conv_transpose2d(x, W, None, (2, 3), (1, 0), (6, 7)), label="outsize"),
    Case("conv_transpose2d", (Floats((1, 4, 3, 3)), Floats((4, 1, 2, 2)), Floats((2,))),
         lambda x, W, b: transposed(x, W, b, (2, 2), (1, 1), (2, 1), 2),
         call=lambda F, x, W, b: F.conv_transpose2d(x, W, b, 2, 1, dilation=(2, 1), groups=2), label="groups"),
    Case("im2col", (Floats((2, 2, 3, 4)),), lambda x: columns(x, (2, 3), (1, 1), (0, 0)), call=lambda F, x: F.im2col(x, (2, 3)),
         zero_size=((0, 2, 3, 4),)),
    Case("im2col", (Floats((2, 1, 3, 4)),), lambda x: columns(x, (3, 2), (2, 1), (1, 0)).reshape(2, 2, 3, 1, 3, 2).transpose(0, 3, 4, 5, 1, 2),
         call=lambda F, x: F.im2col(x, (3, 2), (2, 1), (1, 0), to_matrix=False), label="tensor"),
    Case("col2im", (Floats((8, 12)),), lambda c: images(c, (2, 2, 3, 4), (2, 3), (1, 1), (0, 0)),
         call=lambda F, c: F.col2im(c, (2, 2, 3, 4), (2, 3))),
    Case("col2im", (Floats((2, 1, 3, 2, 2, 3)),),
         lambda c: images(c.transpose(0, 4, 5, 1, 2, 3).reshape(12, 6), (2, 1, 3, 4), (3, 2), (2, 1), (1, 0)),
         call=lambda F, c: F.col2im(c, (2, 1, 3, 4), (3, 2), (2, 1), (1, 0), to_matrix=False), label="tensor"),
]
