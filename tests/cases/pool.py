"""Rows for dezero/functions/pool.py and resize.py. The oracles visit one window at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.cases.case import Case, Floats

Pair = tuple[int, int]


def each_window(x: Any, join: Callable[[Any], Any], kernel: Pair, stride: Pair, pad: Pair = (0, 0), fill: float | None = None) -> Any:
    """``join`` on what each window holds, flat; without ``fill`` the part inside the image only."""
    N, C, H, W = x.shape
    y = np.zeros((N, C, (H + 2 * pad[0] - kernel[0]) // stride[0] + 1, (W + 2 * pad[1] - kernel[1]) // stride[1] + 1), x.dtype)
    for n, c, i, j in np.ndindex(y.shape):
        r, s = i * stride[0] - pad[0], j * stride[1] - pad[1]
        inside = x[n, c, max(r, 0):max(r + kernel[0], 0), max(s, 0):max(s + kernel[1], 0)].ravel()
        outside = kernel[0] * kernel[1] - inside.size
        y[n, c, i, j] = join(inside if fill is None else np.append(inside, [fill] * outside))
    return y


def bilinear(x: Any, out: Pair, align: bool) -> Any:
    """Point by point, from the four neighbours."""
    H, W = x.shape[2:]
    y = np.zeros((*x.shape[:2], *out), x.dtype)
    for i, j in np.ndindex(*out):
        if align:
            r, s = i * (H - 1) / max(out[0] - 1, 1), j * (W - 1) / max(out[1] - 1, 1)
        else:
            r, s = (min(max((k + 0.5) * n / o - 0.5, 0), n - 1) for k, n, o in ((i, H, out[0]), (j, W, out[1])))
        a, b = int(r), int(s)
        p, q = r - a, s - b
        c, d = min(a + 1, H - 1), min(b + 1, W - 1)
        y[:, :, i, j] = ((1 - p) * (1 - q) * x[:, :, a, b] + (1 - p) * q * x[:, :, a, d] + p * (1 - q) * x[:, :, c, b] + p * q * x[:, :, c, d])
    return y


def nearest(x: Any, out: Pair) -> Any:
    y = np.zeros((*x.shape[:2], *out), x.dtype)
    for i, j in np.ndindex(*out):
        y[:, :, i, j] = x[:, :, i * x.shape[2] // out[0], j * x.shape[3] // out[1]]
    return y


def adaptive(x: Any, out: Pair) -> Any:
    H, W = x.shape[2:]
    y = np.zeros((*x.shape[:2], *out), x.dtype)
    for i, j in np.ndindex(*out):
        rows = slice(int(np.floor(i * H / out[0])), int(np.ceil((i + 1) * H / out[0])))
        y[:, :, i, j] = x[:, :, rows, int(np.floor(j * W / out[1])):int(np.ceil((j + 1) * W / out[1]))].mean((2, 3))
    return y


def apart(*shape: int) -> Floats:
    return Floats(shape, distinct=True)


CASES: list[Case] = [
    Case("max_pool2d", (apart(2, 2, 4, 3),), lambda x: each_window(x, np.max, (2, 2), (2, 2)), call=lambda F, x: F.max_pool2d(x, 2),
         zero_size=((0, 2, 4, 3),)),
    Case("max_pool2d", (apart(1, 2, 5, 4),), lambda x: each_window(x, np.max, (3, 2), (2, 1), (1, 1)),
         call=lambda F, x: F.max_pool2d(x, (3, 2), (2, 1), 1), label="overlap"),
    Case("max_pool1d", (apart(2, 2, 7),), lambda x: each_window(x[:, :, None], np.max, (1, 3), (1, 2), (0, 1))[:, :, 0],
         call=lambda F, x: F.max_pool1d(x, 3, 2, 1)),
    Case("pooling", (apart(1, 2, 4, 4),), lambda x: each_window(x, np.max, (2, 2), (1, 1)), call=lambda F, x: F.pooling(x, 2)),
    Case("pooling", (apart(1, 2, 3, 4),), lambda x: each_window(x, np.max, (3, 2), (1, 2), (1, 0)),
         call=lambda F, x: F.pooling(x, (3, 2), (1, 2), (1, 0)), label="uneven"),
    Case("pooling_simple", (apart(1, 2, 4, 4),), lambda x: each_window(x, np.max, (2, 2), (1, 1)), call=lambda F, x: F.pooling_simple(x, 2)),
    Case("pooling_simple", (apart(1, 2, 3, 4),), lambda x: each_window(x, np.max, (3, 2), (1, 2), (1, 0)),
         call=lambda F, x: F.pooling_simple(x, (3, 2), (1, 2), (1, 0)), label="uneven"),
    Case("avg_pool2d", (Floats((2, 2, 4, 3)),), lambda x: each_window(x, np.mean, (2, 2), (2, 2)), call=lambda F, x: F.avg_pool2d(x, 2),
         zero_size=((0, 2, 4, 3),)),
    Case("avg_pool2d", (Floats((1, 2, 5, 4)),), lambda x: each_window(x, np.mean, (3, 2), (2, 1), (1, 1), 0.0),
         call=lambda F, x: F.avg_pool2d(x, (3, 2), (2, 1), 1), label="overlap"),
    Case("avg_pool2d", (Floats((1, 2, 5, 4)),), lambda x: each_window(x, np.mean, (3, 2), (2, 1), (1, 1)),
         call=lambda F, x: F.avg_pool2d(x, (3, 2), (2, 1), 1, count_include_pad=False), label="inside"),
    Case("avg_pool1d", (Floats((2, 2, 7)),), lambda x: each_window(x[:, :, None], np.mean, (1, 3), (1, 2), (0, 1), 0.0)[:, :, 0],
         call=lambda F, x: F.avg_pool1d(x, 3, 2, 1)),
    Case("average_pooling", (Floats((1, 2, 4, 3)),), lambda x: each_window(x, np.mean, (2, 1), (1, 1)),
         call=lambda F, x: F.average_pooling(x, (2, 1))),
    Case("average_pooling", (Floats((1, 1, 3, 3)),), lambda x: each_window(x, np.mean, (2, 2), (1, 1), (2, 2), 0.0),
         call=lambda F, x: F.average_pooling(x, 2, 1, 2), label="padding"),
    Case("global_average_pool2d", (Floats((2, 3, 2, 3)),), lambda x: x.mean((2, 3)), zero_size=((0, 3, 2, 3),)),
    Case("adaptive_avg_pool2d", (Floats((1, 2, 5, 3)),), lambda x: adaptive(x, (3, 2)), call=lambda F, x: F.adaptive_avg_pool2d(x, (3, 2)),
         zero_size=((0, 2, 5, 3),)),
    Case("adaptive_avg_pool2d", (Floats((1, 1, 2, 3)),), lambda x: adaptive(x, (4, 4)), call=lambda F, x: F.adaptive_avg_pool2d(x, 4),
         label="larger"),
    Case("interpolate", (Floats((2, 1, 2, 3)),), lambda x: nearest(x, (5, 3)), call=lambda F, x: F.interpolate(x, (5, 3)),
         zero_size=((0, 1, 2, 3),)),
    Case("interpolate", (Floats((1, 2, 5, 4)),), lambda x: nearest(x, (2, 2)), call=lambda F, x: F.interpolate(x, scale_factor=0.5), label="shrink"),
    Case("interpolate", (Floats((2, 1, 2, 3)),), lambda x: bilinear(x, (3, 6), False),
         call=lambda F, x: F.interpolate(x, scale_factor=(1.5, 2), mode="bilinear"), label="bilinear", zero_size=((0, 1, 2, 3),)),
    Case("interpolate", (Floats((1, 2, 3, 4)),), lambda x: bilinear(x, (4, 3), True),
         call=lambda F, x: F.interpolate(x, (4, 3), mode="bilinear", align_corners=True), label="corners"),
]
