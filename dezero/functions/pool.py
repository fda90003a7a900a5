"""Pooling: the maximum or the mean of each window of images or signals."""

from __future__ import annotations

from dezero.backend import array_module
from dezero.backend.arrays import finfo, kind_of
from dezero.backend.im2col import get_conv_outsize, pair
from dezero.backend.pooling import lowest
from dezero.core.function import Function
from dezero.core.types import Array, Operand, Shape
from dezero.core.variable import Variable
from dezero.errors import ShapeError
from dezero.functions.columns import check_images, check_parameters, im2col, need_images


class Windowed(Function):
    """What the ops on windows share: their parameters."""

    def __init__(self, kernel_size, stride=1, pad=0):
        self.kernel_size, self.stride, self.pad = pair(kernel_size), pair(stride), pair(pad)

    @property
    def windows(self):
        """The parameters, as kernels take them."""
        return self.kernel_size, self.stride, self.pad


class Pooling(Windowed, op="max_pool2d"):
    """The maximum of each window."""

    def forward(self, x):
        if x.ndim != 4:
            raise ShapeError(need_images(x.ndim))
        if any(p >= k for p, k in zip(self.pad, self.kernel_size, strict=True)):
            raise ShapeError(f"pad is {self.pad}: it must be less than the kernel size {self.kernel_size}, or windows lie outside the image")
        return self.kernels.max_pool2d(x, *self.windows)

    def grad_x(self, gy, *, x, y):
        return PoolingGrad.on(gy, x, y, kernel_size=self.kernel_size, stride=self.stride, pad=self.pad)


class PoolingGrad(Windowed, op="max_pool2d_grad"):
    """gy sent to the first maximum of each window; x and the maxima only say where that is."""

    def forward(self, gy, x, maxima): return self.kernels.max_pool2d_grad(gy, x, maxima, *self.windows)

    def grad_gy(self, v, *, x, maxima):
        return PoolingPick.on(v, x, maxima, kernel_size=self.kernel_size, stride=self.stride, pad=self.pad)


class PoolingPick(Windowed):
    """The element of v at the first maximum of each window of x: the adjoint of PoolingGrad."""

    def forward(self, v, x, maxima): return self.kernels.max_pool2d_pick(v, x, maxima, *self.windows)

    def grad_v(self, gy, *, x, maxima):
        return PoolingGrad.on(gy, x, maxima, kernel_size=self.kernel_size, stride=self.stride, pad=self.pad)


class AveragePooling(Windowed, op="avg_pool2d"):
    """The mean of each window, the zeros of the padding included."""

    def forward(self, x):
        if x.ndim != 4:
            raise ShapeError(need_images(x.ndim))
        self.size = x.shape[2:]
        return self.kernels.avg_pool2d(x, *self.windows)

    def grad_x(self, gy):
        return AveragePoolingGrad.on(gy, size=self.size, kernel_size=self.kernel_size, stride=self.stride, pad=self.pad)


class AveragePoolingGrad(Windowed, op="avg_pool2d_grad"):
    """gy shared out evenly in each window: the adjoint of AveragePooling."""

    def __init__(self, size, kernel_size, stride=1, pad=0):
        super().__init__(kernel_size, stride, pad)
        self.size = size

    def forward(self, gy): return self.kernels.avg_pool2d_grad(gy, self.size, *self.windows)

    def grad_gy(self, v):
        return AveragePooling.on(v, kernel_size=self.kernel_size, stride=self.stride, pad=self.pad)


def max_pool2d(x: Operand, kernel_size: Shape, stride: Shape | None = None, pad: Shape = 0) -> Variable:
    """The maximum of each window of images. Padding never wins.

    The gradient goes to the first maximum of a window, row by row, where several are equal.

    Args:
        x: images (N, C, H, W); integers give integers.
        kernel_size: the windows' size, an integer or (KH, KW); so are ``stride`` and ``pad``.
        stride: the step between windows; None for ``kernel_size``, windows side by side.
        pad: the width of the frame around the images, less than ``kernel_size``.

    Returns:
        (N, C, OH, OW) with OH = (H + 2 pad - KH) // stride + 1: what is left over at the end is dropped.

    Raises:
        ShapeError: ``x`` has other than four axes, ``pad`` is too large, or no window fits.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2))
        variable([[[[ 5.  7.]
                    [13. 15.]]]])
    """
    kernel, step, frame = check_parameters("max_pool2d", kernel_size=kernel_size, stride=kernel_size if stride is None else stride, pad=pad)
    return Pooling(kernel, step, frame)(x)


def avg_pool2d(x: Operand, kernel_size: Shape, stride: Shape | None = None, pad: Shape = 0, count_include_pad: bool = True) -> Variable:
    """The mean of each window of images.

    Args:
        x: images (N, C, H, W); integers give float64.
        kernel_size, stride, pad: as in :func:`max_pool2d`; the padding is zeros.
        count_include_pad: divide by the whole window's size; False divides by how much of it lies inside the image.

    Returns:
        (N, C, OH, OW) with OH = (H + 2 pad - KH) // stride + 1.

    Raises:
        ShapeError: ``x`` has other than four axes, no window fits, or a window lies outside the image with ``count_include_pad=False``.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2))
        variable([[[[ 2.5  4.5]
                    [10.5 12.5]]]])
    """
    kernel, step, frame = check_parameters("avg_pool2d", kernel_size=kernel_size, stride=kernel_size if stride is None else stride, pad=pad)
    y = AveragePooling(kernel, step, frame)(x)
    if count_include_pad or frame == (0, 0):
        return y
    inside = array_module(x).ones((1, 1, *x.shape[2:]), y.dtype)
    share = AveragePooling.on(inside, kernel_size=kernel, stride=step, pad=frame)
    if any(p >= k for p, k in zip(frame, kernel, strict=True)):
        raise ShapeError(f"avg_pool2d: pad is {frame}: with count_include_pad=False it must be less than the kernel size {kernel}")
    return y / share


def max_pool1d(x: Operand, kernel_size: int, stride: int | None = None, pad: int = 0) -> Variable:
    """The maximum of each window of signals: :func:`max_pool2d` with one axis in place of two.

    Args:
        x: signals (N, C, L).
        kernel_size, pad: integers.
        stride: None for ``kernel_size``.

    Returns:
        (N, C, OL) with OL = (L + 2 pad - kernel_size) // stride + 1.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.max_pool1d(np.array([[[1.0, 3.0, 2.0, 0.0]]]), 2))
        variable([[[3. 2.]]])
    """
    N, C, L = check_images("max_pool1d", x, "L")
    y = max_pool2d(x.reshape(N, C, 1, L), (1, kernel_size), (1, kernel_size if stride is None else stride), (0, pad))
    return y.reshape(N, C, y.shape[3])


def avg_pool1d(x: Operand, kernel_size: int, stride: int | None = None, pad: int = 0, count_include_pad: bool = True) -> Variable:
    """The mean of each window of signals: :func:`avg_pool2d` with one axis in place of two.

    Args:
        x: signals (N, C, L).
        kernel_size, pad: integers.
        stride: None for ``kernel_size``.
        count_include_pad: see ``avg_pool2d``.

    Returns:
        (N, C, OL) with OL = (L + 2 pad - kernel_size) // stride + 1.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.avg_pool1d(np.array([[[1.0, 3.0, 2.0, 0.0]]]), 2))
        variable([[[2. 1.]]])
    """
    N, C, L = check_images("avg_pool1d", x, "L")
    y = avg_pool2d(x.reshape(N, C, 1, L), (1, kernel_size), (1, kernel_size if stride is None else stride), (0, pad), count_include_pad)
    return y.reshape(N, C, y.shape[3])


def global_average_pool2d(x: Operand) -> Variable:
    """The mean of each channel of each image.

    Args:
        x: images (N, C, H, W).

    Returns:
        (N, C).

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.global_average_pool2d(np.arange(8.0).reshape(1, 2, 2, 2)))
        variable([[1.5 5.5]])
    """
    N, C, H, W = check_images("global_average_pool2d", x)
    return AveragePooling((H, W))(x).reshape(N, C)


def pooling(x: Operand, kernel_size: Shape, stride: Shape = 1, pad: Shape = 0) -> Variable:
    """:func:`max_pool2d` by the book's name, with windows one step apart unless ``stride`` says otherwise.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> F.pooling(np.zeros((1, 1, 4, 4)), 2).shape
        (1, 1, 3, 3)
    """
    return max_pool2d(x, kernel_size, stride, pad)


def average_pooling(x: Operand, kernel_size: Shape, stride: Shape = 1, pad: Shape = 0) -> Variable:
    """:func:`avg_pool2d` by the book's name, with windows one step apart unless ``stride`` says otherwise.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> F.average_pooling(np.zeros((1, 1, 4, 4)), 2).shape
        (1, 1, 3, 3)
    """
    return avg_pool2d(x, kernel_size, stride, pad)


def pooling_simple(x: Operand, kernel_size: Shape, stride: Shape = 1, pad: Shape = 0) -> Variable:
    """:func:`pooling` as one reads it: columns by ``im2col`` and a maximum along each window. Equal maxima share the gradient here.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.pooling_simple(np.arange(9.0).reshape(1, 1, 3, 3), 2))
        variable([[[[4. 5.]
                    [7. 8.]]]])
    """
    N, C, *size = check_images("pooling_simple", x)
    kernel, step, frame = check_parameters("pooling_simple", kernel_size=kernel_size, stride=stride, pad=pad)
    col = im2col(x, kernel, step, frame, to_matrix=False)
    OH, OW = (get_conv_outsize(n, k, s, p) for n, k, s, p in zip(size, kernel, step, frame, strict=True))
    if frame != (0, 0):
        col = col + _barred(x, kernel, step, frame)
    return col.reshape(N, C, kernel[0] * kernel[1], OH, OW).max(2)


def _barred(x: Operand, kernel: Shape, stride: Shape, pad: Shape) -> Array:
    """0 where a window's element is inside the image, the lowest value where it is padding, which so never wins."""
    xp = array_module(x)
    inside = im2col(xp.ones((1, 1, *x.shape[2:]), x.dtype), kernel, stride, pad, to_matrix=False).data
    floor = finfo(x.dtype).min if kind_of(x.dtype) == "f" else lowest(x)  # finite: detect_anomaly would report an infinity
    return xp.where(inside > 0, 0, floor).astype(x.dtype)


__all__ = ["average_pooling", "avg_pool1d", "avg_pool2d", "global_average_pool2d", "max_pool1d", "max_pool2d", "pooling", "pooling_simple"]
