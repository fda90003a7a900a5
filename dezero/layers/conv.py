"""Convolutions as layers: Conv1d, Conv2d and the transposed ConvTranspose2d (Deconv2d)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import dezero.functions as F
from dezero.backend import array_module
from dezero.core import Parameter, Variable
from dezero.core.types import Operand, Shape
from dezero.errors import ShapeError, describe
from dezero.initializers import Spec, initializer
from dezero.layers.layer import Layer
from dezero.layers.linear import float_dtype, size, sizing


class _Conv(Layer):
    """What the convolutions share: settings, and weights that are sized at the first call."""

    axes = 2           # of an image, besides samples and channels
    transposed = False

    def __init__(self, out_channels: int, kernel_size: Any, stride: Any = 1, pad: Any = 0, nobias: bool = False, dtype: Any = np.float32,
                 in_channels: int | None = None, dilation: Any = 1, groups: int = 1, initializer: Spec = "lecun") -> None:
        super().__init__()
        name = type(self).__name__
        self.out_channels = size(name, "out_channels", out_channels)
        self.in_channels = None if in_channels is None else size(name, "in_channels", in_channels)
        self.kernel_size, self.stride, self.pad, self.dilation = kernel_size, stride, pad, dilation
        self.groups = size(name, "groups", groups)
        if self.out_channels % self.groups:
            raise ValueError(f"{name}: out_channels {self.out_channels} cannot be divided by groups {self.groups}")
        self._kernel = self._sizes(kernel_size)
        self.dtype = float_dtype(name, dtype)
        self.initializer = initializer
        self.W = Parameter(None, name="W")
        self.b = None if nobias else Parameter(np.zeros(self.out_channels, self.dtype), name="b")
        if self.in_channels is not None:
            self._size(self.in_channels, np)

    def _sizes(self, kernel_size: Any) -> tuple[int, ...]:
        given = tuple(kernel_size) if isinstance(kernel_size, (tuple, list)) else (kernel_size,) * self.axes
        if len(given) != self.axes:
            raise ValueError(f"{type(self).__name__}: kernel_size is {kernel_size!r}: an integer or {self.axes} of them are expected")
        return tuple(size(type(self).__name__, "kernel_size", n) for n in given)

    def _shape(self, in_channels: int | None) -> tuple[int | None, ...]:
        """Of W; the channels of one group stand on the second axis."""
        if self.transposed:
            return in_channels, self.out_channels // self.groups, *self._kernel
        return self.out_channels, None if in_channels is None else in_channels // self.groups, *self._kernel

    def _size(self, in_channels: int, xp: Any) -> None:
        if in_channels % self.groups:
            raise ShapeError(f"{type(self).__name__}: {in_channels} input channels cannot be divided by groups {self.groups}")
        self.in_channels = in_channels
        area = math.prod(self._kernel)
        fan_in, fan_out = in_channels // self.groups * area, self.out_channels // self.groups * area
        self.W.data = initializer(self.initializer)(self._shape(in_channels), self.dtype, fan_in, fan_out, xp)  # type: ignore[arg-type]

    def _ready(self, x: Any) -> None:
        if self.W._data is None:
            shape: tuple[int, ...] = tuple(getattr(x, "shape", ()))
            if len(shape) != self.axes + 2:
                raise ShapeError(f"{type(self).__name__}: x is {describe(x)}: an array (N, C, {'H, W' if self.axes == 2 else 'L'}) is expected")
            with sizing:
                if self.W.data is None:
                    self._size(int(shape[1]), array_module(x))

    def lazy_shapes(self) -> dict[str, tuple[int | None, ...]]:
        return {"W": self._shape(self.in_channels)}

    def extra_repr(self) -> str:
        channels = "?" if self.W.data is None else self.W.shape[0] if self.transposed else self.W.shape[1] * self.groups
        text = f"{channels} -> {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}, pad={self.pad}"
        text += f", dilation={self.dilation}" if self.dilation not in (1, (1, 1)) else ""
        text += f", groups={self.groups}" if self.groups != 1 else ""
        return text + ("" if self.b is not None else ", nobias")


class Conv2d(_Conv):
    """Convolution of images (N, C, H, W) to (N, out_channels, OH, OW).

    Args:
        out_channels: OC.
        kernel_size, stride, pad, dilation: an integer, or a pair for height and width.
        nobias: leave b out.
        dtype: of W and b.
        in_channels: C; None sizes W at the first call.
        groups: parts of the channels that are convolved apart.
        initializer: of W; LeCun's by default, "he" suits ReLU.

    Attributes:
        W: (OC, C / groups, KH, KW).
        b: (OC,), or None.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> L.Conv2d(8, kernel_size=3, pad=1)(np.ones((2, 3, 28, 28), np.float32)).shape
        (2, 8, 28, 28)
    """

    def forward(self, x: Operand) -> Variable:
        self._ready(x)
        return F.conv2d(x, self.W, self.b, self.stride, self.pad, self.dilation, self.groups)


class Conv1d(_Conv):
    """Convolution of signals (N, C, L) to (N, out_channels, OL); arguments as in :class:`Conv2d`, integers all.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> L.Conv1d(4, kernel_size=3)(np.ones((2, 1, 10), np.float32)).shape
        (2, 4, 8)
    """

    axes = 1

    def forward(self, x: Operand) -> Variable:
        self._ready(x)
        return F.conv1d(x, self.W, self.b, self.stride, self.pad, self.dilation, self.groups)


class ConvTranspose2d(_Conv):
    """Transposed convolution of images (N, C, H, W), as the book's Deconv2d: what :class:`Conv2d` sends back as gradient.

    Args:
        outsize: height and width of the output where several fit; None for the smallest. Others as in :class:`Conv2d`.

    Attributes:
        W: (C, OC / groups, KH, KW).
        b: (OC,), or None.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> L.ConvTranspose2d(1, kernel_size=4, stride=2, pad=1)(np.ones((2, 8, 14, 14), np.float32)).shape
        (2, 1, 28, 28)
    """

    transposed = True

    def __init__(self, out_channels: int, kernel_size: Shape, stride: Shape = 1, pad: Shape = 0, nobias: bool = False, dtype: Any = np.float32,
                 in_channels: int | None = None, dilation: Shape = 1, groups: int = 1, initializer: Spec = "lecun",
                 outsize: Shape | None = None) -> None:
        super().__init__(out_channels, kernel_size, stride, pad, nobias, dtype, in_channels, dilation, groups, initializer)
        self.outsize = outsize

    def forward(self, x: Operand) -> Variable:
        self._ready(x)
        return F.conv_transpose2d(x, self.W, self.b, self.stride, self.pad, self.outsize, self.dilation, self.groups)


class Deconv2d(ConvTranspose2d):
    """The book's name of :class:`ConvTranspose2d`.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> L.Deconv2d(1, kernel_size=4, stride=2, pad=1)(np.ones((2, 8, 14, 14), np.float32)).shape
        (2, 1, 28, 28)
    """


__all__ = ["Conv1d", "Conv2d", "ConvTranspose2d", "Deconv2d"]
