"""Layers without parameters that change the size or shape of images: pooling, upsampling, flatten, reshape."""

from __future__ import annotations

from typing import Any

import dezero.functions as F
from dezero.core import Variable
from dezero.core.types import Operand, Shape
from dezero.errors import ShapeError, describe
from dezero.layers.layer import Layer


class _Pool(Layer):
    """The settings of windows."""

    def __init__(self, kernel_size: Any, stride: Any = None, pad: Any = 0) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.pad = kernel_size, kernel_size if stride is None else stride, pad

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, pad={self.pad}"


class MaxPool2d(_Pool):
    """The maximum of each window of images (N, C, H, W); padding never wins (:func:`dezero.functions.max_pool2d`).

    Args:
        kernel_size: the windows' size, an integer or a pair for height and width; so are ``stride`` and ``pad``.
        stride: the step between windows; None for ``kernel_size``, windows side by side.
        pad: the width of the frame around the images, less than ``kernel_size``.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.MaxPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4)))
        variable([[[[ 5.  7.]
                    [13. 15.]]]])
    """

    def forward(self, x: Operand) -> Variable:
        return F.max_pool2d(x, self.kernel_size, self.stride, self.pad)


class MaxPool1d(_Pool):
    """The maximum of each window of signals (N, C, L); arguments as in :class:`MaxPool2d`, integers all.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.MaxPool1d(2)(np.array([[[1.0, 3.0, 2.0, 0.0]]])))
        variable([[[3. 2.]]])
    """

    def forward(self, x: Operand) -> Variable:
        return F.max_pool1d(x, self.kernel_size, self.stride, self.pad)


class AvgPool2d(_Pool):
    """The mean of each window of images (N, C, H, W) (:func:`dezero.functions.avg_pool2d`).

    Args:
        kernel_size, stride, pad: as in :class:`MaxPool2d`; the padding is zeros.
        count_include_pad: divide by the whole window's size; False divides by how much of it lies inside the image.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.AvgPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4)))
        variable([[[[ 2.5  4.5]
                    [10.5 12.5]]]])
    """

    def __init__(self, kernel_size: Shape, stride: Shape | None = None, pad: Shape = 0, count_include_pad: bool = True) -> None:
        super().__init__(kernel_size, stride, pad)
        self.count_include_pad = count_include_pad

    def forward(self, x: Operand) -> Variable:
        return F.avg_pool2d(x, self.kernel_size, self.stride, self.pad, self.count_include_pad)


class AvgPool1d(AvgPool2d):
    """The mean of each window of signals (N, C, L); arguments as in :class:`AvgPool2d`, integers all.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.AvgPool1d(2)(np.array([[[1.0, 3.0, 2.0, 0.0]]])))
        variable([[[2. 1.]]])
    """

    def forward(self, x: Operand) -> Variable:
        return F.avg_pool1d(x, self.kernel_size, self.stride, self.pad, self.count_include_pad)


class GlobalAvgPool2d(Layer):
    """The mean of each channel of each image: (N, C, H, W) to (N, C).

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.GlobalAvgPool2d()(np.arange(8.0).reshape(1, 2, 2, 2)))
        variable([[1.5 5.5]])
    """

    def forward(self, x: Operand) -> Variable:
        return F.global_average_pool2d(x)


class AdaptiveAvgPool2d(Layer):
    """Means over a grid of windows that has the wanted size, whatever the images' size (:func:`dezero.functions.adaptive_avg_pool2d`).

    Args:
        output_size: (OH, OW), or one integer for both.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.AdaptiveAvgPool2d((1, 2))(np.arange(6.0).reshape(1, 1, 2, 3)))
        variable([[[[2. 3.]]]])
    """

    def __init__(self, output_size: Shape) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, x: Operand) -> Variable:
        return F.adaptive_avg_pool2d(x, self.output_size)

    def extra_repr(self) -> str:
        return str(self.output_size)


class Upsample(Layer):
    """Images in another size (:func:`dezero.functions.interpolate`).

    Args:
        scale_factor: OH / H and OW / W, one number or a pair; or give ``size``.
        size: (OH, OW), or one integer for both.
        mode: "nearest" or "bilinear".
        align_corners: for "bilinear" only: the corners stay where they are.

    Raises:
        ValueError: neither or both of ``scale_factor`` and ``size`` are given.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.Upsample((1, 2))(np.array([[[[0.0, 1.0]]]])))
        variable([[[[0. 0. 1. 1.]]]])
    """

    def __init__(self, scale_factor: float | tuple[float, float] | None = None, size: Shape | None = None, mode: str = "nearest",
                 align_corners: bool = False) -> None:
        super().__init__()
        if (size is None) == (scale_factor is None):
            raise ValueError(f"Upsample: scale_factor is {scale_factor!r} and size {size!r}: give one of the two")
        self.scale_factor, self.size, self.mode, self.align_corners = scale_factor, size, mode, align_corners

    def forward(self, x: Operand) -> Variable:
        return F.interpolate(x, self.size, self.scale_factor, self.mode, self.align_corners)

    def extra_repr(self) -> str:
        return (f"scale_factor={self.scale_factor}" if self.size is None else f"size={self.size}") + f", mode={self.mode!r}"


class Flatten(Layer):
    """Each sample as one row: (N, ...) to (N, M).

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> L.Flatten()(np.zeros((2, 3, 4, 5))).shape
        (2, 60)
    """

    def forward(self, x: Operand) -> Variable:
        return F.flatten(x)


class Reshape(Layer):
    """Each sample in another shape: (N, ...) to (N, \\*shape).

    Args:
        shape: of one sample; one of its numbers may be -1, which stands for what is left.

    Raises:
        ShapeError: at the call, if a sample does not have as many elements.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> L.Reshape((1, 28, 28))(np.zeros((2, 784))).shape
        (2, 1, 28, 28)
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)

    def forward(self, x: Operand) -> Variable:
        if not getattr(x, "shape", ()):
            raise ShapeError(f"Reshape: x is {describe(x)}: an array (N, ...) is expected")
        return F.reshape(x, (x.shape[0], *self.shape))

    def extra_repr(self) -> str:
        return str(self.shape)


__all__ = ["AdaptiveAvgPool2d", "AvgPool1d", "AvgPool2d", "Flatten", "GlobalAvgPool2d", "MaxPool1d", "MaxPool2d", "Reshape", "Upsample"]
