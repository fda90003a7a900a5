"""Convolution of signals and images, and its transpose.

Conv2d, Deconv2d and Conv2DGradW are the three ways to contract one trilinear form, sum y[n, o, i, j] W[o, c, k, l]
x[n, c, i s + k d - p, ...]: the gradients of each are the other two, so every derivative is here.
"""

from __future__ import annotations

from operator import index
from typing import Any

from dezero.backend.im2col import get_conv_outsize, get_deconv_outsize, pair
from dezero.core.function import Function
from dezero.core.types import Operand, Shape
from dezero.core.variable import Variable
from dezero.errors import InputTypeError, ShapeError, describe
from dezero.functions.columns import check_images, check_parameters, im2col, need_images
from dezero.functions.reduce import Sum


class Conv2d(Function, op="conv2d"):
    """y = W * x (a cross-correlation) + b."""

    def __init__(self, stride=1, pad=0, dilation=1, groups=1):
        self.stride, self.pad, self.dilation, self.groups = pair(stride), pair(pad), pair(dilation), groups

    def forward(self, x, W, b=None):
        misfit(x, W, b, self.groups)
        self.size = x.shape[2:]
        return self.kernels.conv2d(x, W, b, self.stride, self.pad, self.dilation, self.groups)

    def grad_x(self, gy, *, W):
        return Deconv2d.on(gy, W, stride=self.stride, pad=self.pad, outsize=self.size, dilation=self.dilation, groups=self.groups)

    def grad_W(self, gy, *, x, W):
        return Conv2DGradW.on(x, gy, kernel_size=W.shape[2:], stride=self.stride, pad=self.pad, dilation=self.dilation, groups=self.groups)

    def grad_b(self, gy): return Sum.on(gy, axis=(0, 2, 3))


class Deconv2d(Function, op="conv_transpose2d"):
    """The adjoint of Conv2d in x, plus b. Its x is Conv2d's y."""

    def __init__(self, stride=1, pad=0, outsize=None, dilation=1, groups=1):
        self.stride, self.pad, self.dilation, self.groups = pair(stride), pair(pad), pair(dilation), groups
        self.outsize = None if outsize is None else pair(outsize)

    def forward(self, x, W, b=None):
        misfit(x, W, b, self.groups, transposed=True)
        y = self.kernels.conv2d_grad_x(x, W, self.size_for(x, W), self.stride, self.pad, self.dilation, self.groups)
        return y if b is None else y + b.reshape(-1, 1, 1)

    def size_for(self, x, W):
        """(H, W) of the result: as given, if a convolution makes x's size of it, else the smallest that it does."""
        if self.outsize is None:
            return tuple(get_deconv_outsize(n, d * (k - 1) + 1, s, p)
                         for n, k, s, p, d in zip(x.shape[2:], W.shape[2:], self.stride, self.pad, self.dilation, strict=True))
        for out, n, k, s, p, d in zip(self.outsize, x.shape[2:], W.shape[2:], self.stride, self.pad, self.dilation, strict=True):
            small = s * (n - 1) + d * (k - 1) + 1 - 2 * p
            if not max(small, 1) <= out < small + s:
                raise ShapeError(f"outsize is {self.outsize}: along an axis of size {n} it must lie in [{max(small, 1)}, {small + s - 1}]")
        return self.outsize

    def grad_x(self, gy, *, W):
        return Conv2d.on(gy, W, stride=self.stride, pad=self.pad, dilation=self.dilation, groups=self.groups)

    def grad_W(self, gy, *, x, W):
        return Conv2DGradW.on(gy, x, kernel_size=W.shape[2:], stride=self.stride, pad=self.pad, dilation=self.dilation, groups=self.groups)

    def grad_b(self, gy): return Sum.on(gy, axis=(0, 2, 3))


class Conv2DGradW(Function, op="conv2d_grad_w"):
    """The adjoint of Conv2d in W."""

    def __init__(self, kernel_size, stride=1, pad=0, dilation=1, groups=1):
        self.kernel_size, self.stride, self.pad, self.dilation, self.groups = pair(kernel_size), pair(stride), pair(pad), pair(dilation), groups

    def forward(self, x, gy):
        self.size = x.shape[2:]
        return self.kernels.conv2d_grad_w(x, gy, self.kernel_size, self.stride, self.pad, self.dilation, self.groups)

    def grad_x(self, ggW, *, gy):
        return Deconv2d.on(gy, ggW, stride=self.stride, pad=self.pad, outsize=self.size, dilation=self.dilation, groups=self.groups)

    def grad_gy(self, ggW, *, x):
        return Conv2d.on(x, ggW, stride=self.stride, pad=self.pad, dilation=self.dilation, groups=self.groups)


def misfit(x: Any, W: Any, b: Any, groups: int, transposed: bool = False) -> None:
    """Refuse arrays that do not fit one another.

    Raises:
        ShapeError: says what would be right.
    """
    if x.ndim != 4:
        raise ShapeError(need_images(x.ndim))
    if W.ndim != 4:
        raise ShapeError(f"W has {W.ndim} axes, it must have four, two of channels and two of the kernel")
    if W.shape[0] % groups:
        raise ShapeError(f"groups is {groups}: it must divide W.shape[0] = {W.shape[0]}")
    images, results = W.shape[1] * groups, W.shape[0]
    if transposed:
        images, results = results, images
    if x.shape[1] != images:
        raise ShapeError(f"x has {x.shape[1]} channels, W wants {images}" + (f" in {groups} groups" if groups > 1 else ""))
    if b is not None and tuple(b.shape) != (results,):
        raise ShapeError(f"b has shape {tuple(b.shape)}, it must be ({results},)" + ("" if b.shape else "; name stride and pad: stride=1, pad=0"))


def check_groups(op: str, groups: Any) -> int:
    """``groups`` as a Python integer.

    Raises:
        ValueError: it is no positive integer.
    """
    try:
        if (n := index(groups)) > 0:
            return n
    except TypeError:
        pass
    raise ValueError(f"{op}: groups is {groups!r}: a positive integer is expected")


def conv2d(x: Operand, W: Operand, b: Operand = None, stride: Shape = 1, pad: Shape = 0, dilation: Shape = 1, groups: int = 1) -> Variable:
    """Slide kernels over images: y[n, o, i, j] = b[o] + sum over c, k, l of W[o, c, k, l] x[n, c, i s + k d - p, j s + l d - p].

    That is a cross-correlation, which the field calls convolution. The gradient of ``x`` is not computed if x is a plain array.

    Args:
        x: images (N, C, H, W).
        W: kernels (OC, C / groups, KH, KW).
        b: (OC,), or None for no bias.
        stride: s, the step between windows; an integer or (vertical, horizontal), as ``pad`` and ``dilation`` are.
        pad: p, how many zeros are put around the images.
        dilation: d, the step between the elements that a kernel sees.
        groups: channels in that many groups, each with OC / groups kernels of its own; ``groups=C`` is a depthwise convolution.

    Returns:
        (N, OC, OH, OW) with OH = (H + 2 p - d (KH - 1) - 1) // s + 1. 16-bit floats are summed in float32.

    Raises:
        ShapeError: axes, channels, bias or groups do not fit, or a kernel is larger than the padded image.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
        >>> print(F.conv2d(x, np.ones((1, 1, 2, 2))))
        variable([[[[ 8. 12.]
                    [20. 24.]]]])
    """
    step, frame, spread = check_parameters("conv2d", stride=stride, pad=pad, dilation=dilation)
    return Conv2d(step, frame, spread, check_groups("conv2d", groups))(x, W, b)


def conv_transpose2d(x: Operand, W: Operand, b: Operand = None, stride: Shape = 1, pad: Shape = 0, outsize: Shape | None = None,
                     dilation: Shape = 1, groups: int = 1) -> Variable:
    """The transpose of :func:`conv2d`: it puts each element of x, times the kernels, back where conv2d would have read. ``deconv2d`` is the same.

    Args:
        x: images (N, C, H, W).
        W: kernels (C, OC / groups, KH, KW), those of the convolution that goes the other way.
        b: (OC,), or None for no bias.
        stride, pad, dilation, groups: as in the convolution that goes the other way; integers or pairs.
        outsize: (OH, OW), or one integer, where several sizes are convolved into (H, W); the smallest if None.

    Returns:
        (N, OC, OH, OW) with OH = s (H - 1) + d (KH - 1) + 1 - 2 p.

    Raises:
        ShapeError: axes, channels, bias, groups or ``outsize`` do not fit.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.conv_transpose2d(np.array([[[[1.0, 2.0]]]]), np.ones((1, 1, 1, 2)), stride=2))
        variable([[[[1. 1. 2. 2.]]]])
    """
    step, frame, spread = check_parameters("conv_transpose2d", stride=stride, pad=pad, dilation=dilation)
    size = None if outsize is None else check_parameters("conv_transpose2d", outsize=outsize)[0]
    return Deconv2d(step, frame, size, spread, check_groups("conv_transpose2d", groups))(x, W, b)


def conv1d(x: Operand, W: Operand, b: Operand = None, stride: int = 1, pad: int = 0, dilation: int = 1, groups: int = 1) -> Variable:
    """Slide kernels along signals: :func:`conv2d` with one axis in place of two.

    Args:
        x: signals (N, C, L).
        W: kernels (OC, C / groups, K).
        b: (OC,), or None for no bias.
        stride, pad, dilation, groups: integers, as in ``conv2d``.

    Returns:
        (N, OC, OL) with OL = (L + 2 pad - dilation (K - 1) - 1) // stride + 1.

    Raises:
        ShapeError: axes, channels, bias or groups do not fit, or a kernel is larger than the padded signal.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.conv1d(np.array([[[1.0, 2.0, 4.0]]]), np.array([[[-1.0, 1.0]]])))
        variable([[[1. 2.]]])
    """
    N, C, L = check_images("conv1d", x, "L")
    if len(getattr(W, "shape", ())) != 3:
        raise ShapeError(f"conv1d: x {describe(x)} and W {describe(W)}: W must be (OC, C / groups, K)")
    OC, each, K = W.shape
    y = conv2d(x.reshape(N, C, 1, L), W.reshape(OC, each, 1, K), b, (1, stride), (0, pad), (1, dilation), groups)
    return y.reshape(N, OC, y.shape[3])


def conv2d_simple(x: Operand, W: Operand, b: Operand = None, stride: Shape = 1, pad: Shape = 0) -> Variable:
    """:func:`conv2d` as one reads it: columns by ``im2col``, one matrix product, and the axes put back.

    Args:
        x: images (N, C, H, W).
        W: kernels (OC, C, KH, KW).
        b: (OC,), or None for no bias.
        stride, pad: integers or pairs.

    Returns:
        (N, OC, OH, OW).

    Raises:
        ShapeError: axes or channels do not fit, or a kernel is larger than the padded image.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> F.conv2d_simple(np.zeros((1, 5, 15, 15)), np.zeros((8, 5, 3, 3)), pad=1).shape
        (1, 8, 15, 15)
    """
    N, C, *size = check_images("conv2d_simple", x)
    if not hasattr(W, "shape"):
        raise InputTypeError(f"conv2d_simple: W is a {type(W).__name__}: a Variable or an array (OC, C, KH, KW) is expected")
    if len(W.shape) != 4 or W.shape[1] != C:
        raise ShapeError(f"conv2d_simple: x {describe(x)} and W {describe(W)}: W must be (OC, {C}, KH, KW)")
    OC, kernel = W.shape[0], W.shape[2:]
    step, frame = check_parameters("conv2d_simple", stride=stride, pad=pad)
    if b is not None and tuple(getattr(b, "shape", ())) != (OC,):
        raise ShapeError(f"conv2d_simple: W {describe(W)} and b {describe(b)}: b must be ({OC},), one number for each kernel")
    y = im2col(x, kernel, step, frame) @ W.reshape(OC, -1).T
    if b is not None:
        y = y + b
    OH, OW = (get_conv_outsize(n, k, s, p) for n, k, s, p in zip(size, kernel, step, frame, strict=True))
    return y.reshape(N, OH, OW, OC).transpose(0, 3, 1, 2)


deconv2d = conv_transpose2d

__all__ = ["conv1d", "conv2d", "conv2d_simple", "conv_transpose2d", "deconv2d"]
