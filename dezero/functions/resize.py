"""Images in another size: interpolation, and means over a grid of given size."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.backend import array_module
from dezero.backend.im2col import widened
from dezero.core.function import Function
from dezero.core.types import Array, Operand, Shape
from dezero.core.value import is_float
from dezero.core.variable import Variable
from dezero.functions.columns import check_images, check_parameters


class Resample(Function, op="resample"):
    """Y = R X C^T for each image X: its rows mixed by a constant matrix R, its columns by C. The adjoint is the same with R^T and C^T."""

    def forward(self, x, rows, cols):
        dtype, (x, rows, cols) = widened(self.xp, x, rows, cols)
        mixed = (x.reshape(-1, x.shape[3]) @ cols.T).reshape(*x.shape[:3], len(cols))
        return (rows @ mixed).astype(dtype, copy=False)

    def grad_x(self, gy, *, rows, cols): return Resample.on(gy, rows.T, cols.T)


class Interpolate(Resample, op="interpolate"):
    """Resample, by its public name."""


class AdaptiveAveragePooling(Resample, op="adaptive_avg_pool2d"):
    """Resample, by its public name."""


class Nearest(Function, op="interpolate_nearest"):
    """y[..., i, j] = x[..., rows[i], cols[j]]: values are copied, so infinities and integers stay as they are."""

    def forward(self, x, rows, cols):
        self.size = x.shape[2:]
        return x.take(rows, 2).take(cols, 3)

    def grad_x(self, gy, *, rows, cols):
        xp = self.xp
        R, C = ((index[:, None] == xp.arange(n)).astype(gy.dtype) for index, n in zip((rows, cols), self.size, strict=True))
        return Resample.on(gy, R.T, C.T)


def interpolate(x: Operand, size: Shape | None = None, scale_factor: float | tuple[float, float] | None = None, mode: str = "nearest",
                align_corners: bool = False) -> Variable:
    """Bring images to another size.

    "nearest" copies x[i H // OH]. "bilinear" takes the mean of the four pixels around a point, weighted by how near they are: output i
    lies at (i + 1/2) H / OH - 1/2 (pixels are areas; points outside are moved to the border), or at i (H - 1) / (OH - 1) with
    ``align_corners`` (pixels are points, and the corners stay).

    Args:
        x: images (N, C, H, W). Integers stay integers by "nearest" and give float64 by "bilinear".
        size: (OH, OW), or one integer for both; or give ``scale_factor``.
        scale_factor: OH / H and OW / W, one number or a pair; the size is rounded down.
        mode: "nearest" or "bilinear".
        align_corners: for "bilinear" only.

    Returns:
        (N, C, OH, OW).

    Raises:
        ShapeError: ``x`` has other than four axes.
        ValueError: neither or both of ``size`` and ``scale_factor`` are given, the size is not positive, or the mode is unknown.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> x = np.array([[[[0.0, 1.0]]]])
        >>> print(F.interpolate(x, scale_factor=(1, 2)))
        variable([[[[0. 0. 1. 1.]]]])
        >>> print(F.interpolate(x, (1, 4), mode="bilinear"))
        variable([[[[0.   0.25 0.75 1.  ]]]])
    """
    shape = check_images("interpolate", x)
    out = _target_size(shape[2:], size, scale_factor)
    if mode not in ("nearest", "bilinear") or (align_corners and mode == "nearest"):
        raise ValueError(f"interpolate: mode is {mode!r}: " + ("align_corners is for 'bilinear'" if mode == "nearest"
                                                               else "'nearest' or 'bilinear' is expected"))
    xp = array_module(x)
    if mode == "nearest":
        return Nearest()(x, *(xp.arange(o) * n // o for n, o in zip(shape[2:], out, strict=True)))
    return Interpolate()(x, *_matrices(x, (_bilinear(n, o, align_corners) for n, o in zip(shape[2:], out, strict=True))))


def _target_size(size: tuple[int, ...], given: Any, scale_factor: Any) -> tuple[int, int]:
    """(OH, OW) from one of the two ways to say it."""
    if (given is None) == (scale_factor is None):
        raise ValueError(f"interpolate: size is {given!r} and scale_factor {scale_factor!r}: give one of the two")
    if given is not None:
        return check_parameters("interpolate", size=given)[0]
    factors = tuple(scale_factor) if isinstance(scale_factor, (tuple, list)) else (scale_factor, scale_factor)
    if len(factors) != 2 or not all(isinstance(f, (int, float)) for f in factors):
        raise TypeError(f"interpolate: scale_factor is {scale_factor!r}: a number or a pair of numbers is expected")
    out = int(size[0] * factors[0]), int(size[1] * factors[1])
    if min(out) < 1:
        raise ValueError(f"interpolate: scale_factor is {scale_factor!r}: images of {tuple(size)} would become {out}")
    return out


def _bilinear(n: int, out: int, align_corners: bool) -> np.ndarray:
    """(out, n): how much of each pixel along an axis goes into each new one."""
    i = np.arange(out)
    if align_corners:
        at = i * ((n - 1) / (out - 1) if out > 1 else 0.0)
    else:
        at = np.clip((i + 0.5) * (n / out) - 0.5, 0, n - 1)
    left = np.minimum(at.astype(int), n - 1)
    share = at - left
    matrix = np.zeros((out, n))
    matrix[i, left] = 1 - share
    matrix[i, np.minimum(left + 1, n - 1)] += share
    return matrix


def adaptive_avg_pool2d(x: Operand, output_size: Shape) -> Variable:
    """Means over a grid of windows that has the wanted size, whatever the images' size.

    Window i along an axis goes from floor(i H / OH) up to ceil((i + 1) H / OH); windows overlap where OH does not divide H.

    Args:
        x: images (N, C, H, W); integers give float64.
        output_size: (OH, OW), or one integer for both.

    Returns:
        (N, C, OH, OW).

    Raises:
        ShapeError: ``x`` has other than four axes.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.adaptive_avg_pool2d(np.arange(6.0).reshape(1, 1, 2, 3), (1, 2)))
        variable([[[[2. 3.]]]])
    """
    shape = check_images("adaptive_avg_pool2d", x)
    out, = check_parameters("adaptive_avg_pool2d", output_size=output_size)
    return AdaptiveAveragePooling()(x, *_matrices(x, (_means(n, o) for n, o in zip(shape[2:], out, strict=True))))


def _means(n: int, out: int) -> np.ndarray:
    """(out, n): the shares of the pixels along an axis in each mean."""
    i, places = np.arange(out)[:, None], np.arange(n)
    inside = (places >= i * n // out) & (places < -(-(i + 1) * n // out))
    return inside / inside.sum(1, keepdims=True)


def _matrices(x: Operand, matrices: Any) -> list[Array]:
    """Constant matrices where x is, in x's dtype if that is a float."""
    dtype = x.dtype if is_float(x) else np.float64
    return [array_module(x).asarray(m.astype(dtype)) for m in matrices]


__all__ = ["adaptive_avg_pool2d", "interpolate"]
