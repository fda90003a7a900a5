"""Windows of images laid out as columns, and what convolution and pooling share: checks of their inputs."""

from __future__ import annotations

from typing import Any

from dezero.backend.im2col import col2im_array, im2col_array, pair
from dezero.core.function import Function
from dezero.core.types import Operand, Shape
from dezero.core.variable import Variable
from dezero.errors import InputTypeError, ShapeError, describe
from dezero.functions.shape import sizes_of


def check_images(op: str, x: Operand, axes: str = "H, W") -> tuple[int, ...]:
    """The shape (N, C, ...) of ``x``.

    Raises:
        InputTypeError: ``x`` is no array.
        ShapeError: it has another number of axes.
    """
    layout, n = f"(N, C, {axes})", 2 + len(axes.split(", "))
    shape = getattr(x, "shape", None)
    if shape is None:
        raise InputTypeError(f"{op}: x is a {type(x).__name__}: a Variable or an array {layout} is expected")
    if len(shape) != n:
        raise ShapeError(f"{op}: x {describe(x)}: {need_images(len(shape), axes)}")
    return tuple(shape)


def need_images(ndim: int, axes: str = "H, W") -> str:
    """What an array of ``ndim`` axes should be."""
    layout, n = f"(N, C, {axes})", 2 + len(axes.split(", "))
    advice = {1: ": add the batch axis with x[None]", 2: ": add the axes of the batch and the channels with x[None, None]"}
    return f"x must be {layout}, it has {ndim} axes" + advice.get(n - ndim, "")


def check_parameters(op: str, **parameters: Any) -> list[tuple[int, int]]:
    """Each parameter as a pair: ``pad`` not negative, the others positive.

    Raises:
        TypeError: one is neither an integer nor a pair.
        ValueError: one is out of range.
    """
    pairs = []
    for name, value in parameters.items():
        try:
            p = pair(value)
        except TypeError:
            raise TypeError(f"{op}: {name} is {value!r}: an integer or a pair of integers is expected") from None
        if min(p) < (name != "pad"):
            raise ValueError(f"{op}: {name} is {value!r}: it must " + ("not be negative" if name == "pad" else "be positive"))
        pairs.append(p)
    return pairs


class Im2col(Function, op="im2col"):
    """Windows as columns: each element of x goes wherever a window holds it."""

    def __init__(self, kernel_size, stride=1, pad=0, to_matrix=True):
        self.kernel_size, self.stride, self.pad, self.to_matrix = kernel_size, stride, pad, to_matrix

    def forward(self, x):
        if x.ndim != 4:
            raise ShapeError(need_images(x.ndim))
        self.shape = x.shape
        return im2col_array(x, self.kernel_size, self.stride, self.pad, self.to_matrix)

    def grad_x(self, gy):
        return Col2im.on(gy, input_shape=self.shape, kernel_size=self.kernel_size, stride=self.stride, pad=self.pad, to_matrix=self.to_matrix)


class Col2im(Function, op="col2im"):
    """Columns added up into images: the adjoint of Im2col."""

    def __init__(self, input_shape, kernel_size, stride=1, pad=0, to_matrix=True):
        self.shape, self.kernel_size, self.stride, self.pad, self.to_matrix = input_shape, kernel_size, stride, pad, to_matrix

    def forward(self, col):
        return col2im_array(col, self.shape, self.kernel_size, self.stride, self.pad, self.to_matrix)

    def grad_col(self, gy):
        return Im2col.on(gy, kernel_size=self.kernel_size, stride=self.stride, pad=self.pad, to_matrix=self.to_matrix)


def im2col(x: Operand, kernel_size: Shape, stride: Shape = 1, pad: Shape = 0, to_matrix: bool = True) -> Variable:
    """Lay the windows of images out as columns, with zeros around the images.

    Args:
        x: (N, C, H, W).
        kernel_size: the windows' size, an integer or (KH, KW); so are ``stride`` and ``pad``.
        to_matrix: one row per window, as a matrix product wants it.

    Returns:
        (N * OH * OW, C * KH * KW), or (N, C, KH, KW, OH, OW) without ``to_matrix``; OH = (H + 2 pad - KH) // stride + 1.

    Raises:
        ShapeError: ``x`` has other than four axes, or no window fits.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> F.im2col(np.zeros((10, 3, 7, 7)), kernel_size=5).shape
        (90, 75)
    """
    kernel, step, frame = check_parameters("im2col", kernel_size=kernel_size, stride=stride, pad=pad)
    return Im2col(kernel, step, frame, to_matrix)(x)


def col2im(x: Operand, input_shape: tuple[int, ...], kernel_size: Shape, stride: Shape = 1, pad: Shape = 0, to_matrix: bool = True) -> Variable:
    """Add columns up into images, each where its window lies: the adjoint of :func:`im2col`, not its inverse.

    Args:
        x: columns as ``im2col`` gives them.
        input_shape: (N, C, H, W) of the images; the other parameters are those of ``im2col``.

    Returns:
        (N, C, H, W).

    Raises:
        ShapeError: the columns' shape does not fit.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.col2im(np.ones((2, 2)), (1, 1, 1, 3), kernel_size=(1, 2)))
        variable([[[[1. 2. 1.]]]])
    """
    kernel, step, frame = check_parameters("col2im", kernel_size=kernel_size, stride=stride, pad=pad)
    shape = sizes_of("col2im", input_shape, "input_shape")
    if len(shape) != 4:
        raise ShapeError(f"col2im: input_shape {input_shape}: (N, C, H, W) is expected")
    return Col2im(shape, kernel, step, frame, to_matrix)(x)


__all__ = ["col2im", "im2col"]
