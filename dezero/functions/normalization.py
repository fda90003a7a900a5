"""Normalisation by the statistics of each sample: layer, group, instance and RMS norm, and what batch norm shares with them."""

from __future__ import annotations

import math
import operator

from dezero.backend.norm import count, in_dtype, result_dtype, work_dtype
from dezero.core.checks import integer, number
from dezero.core.function import Function
from dezero.core.types import Axis, Operand
from dezero.core.variable import Variable
from dezero.errors import DTypeError, ShapeError
from dezero.functions.elementwise import add, mul


class Normalization(Function):
    """y = gamma (x - mean) / sqrt(var + eps) + beta, with mean and variance over some axes of some view of x."""

    saves: tuple[str, ...] = ("mean", "rstd")
    centred = True
    keeps = False  # is half precision of x that of the result, also beside gamma and beta in float32?

    def layout(self, shape):
        """For x of this shape: the view's shape, the axes of the statistics in it, gamma's shape in it, and gamma's own shape."""
        raise NotImplementedError

    def normalized(self, x, gamma, beta):
        """y, mean, var, rstd by the kernel, in the dtype it computes in."""
        view, axes, per, own = self.layout(x.shape)
        for name, value in (("gamma", gamma), ("beta", beta)):
            if value is not None and value.shape != own:
                raise ShapeError(f"{name} must have shape {own}: {self.reason}")
        x, gamma, beta = self.kernels.in_dtype(work_dtype(x, gamma, beta)[1], x, gamma, beta)
        gamma, beta = (p if p is None else p.reshape(per) for p in (gamma, beta))
        return self.kernels.normalize(x.reshape(view), gamma, beta, axes, self.eps, self.centred)

    def forward(self, x, gamma, beta):
        y, mean, _, rstd = self.normalized(x, gamma, beta)
        return y.reshape(x.shape).astype(result_dtype(x, gamma, beta, self.keeps), copy=False), mean, rstd

    def backward(self, gy, *, x, gamma, beta, mean, rstd):
        view, axes, per, _ = self.layout(x.shape)
        gy, xw, scale = self.kernels.in_dtype(rstd.dtype, gy, x, gamma)
        scale = scale if scale is None else scale.reshape(per)
        needs = tuple(self.needs_grad(i) for i in range(3))
        found = self.kernels.normalize_grads(gy.reshape(view), xw.reshape(view), scale, mean, rstd, axes, per, needs)
        return [g if g is None else g.reshape(v.shape).astype(v.dtype, copy=False) for g, v in zip(found, (x, gamma, beta), strict=True)]

    def compose(self, x, gamma, beta):
        view, axes, per, _ = self.layout(x.shape)
        shape, out, work, n = x.shape, result_dtype(x, gamma, beta, self.keeps), work_dtype(x, gamma, beta)[1], count(view, axes)
        x, gamma, beta = in_dtype(work, x, gamma, beta)
        y = x.reshape(view)
        if self.centred:
            y = y - y.sum(axes, keepdims=True) / n
        y = y * ((y * y).sum(axes, keepdims=True) / n + self.eps) ** -0.5
        if gamma is not None:
            y = mul(y, gamma.reshape(per))
        if beta is not None:
            y = add(y, beta.reshape(per))
        y = y.reshape(shape)
        return y if out == work else y.astype(out)


class LayerNorm(Normalization, op="layer_norm"):
    """Statistics over given axes of each sample; gamma and beta have the shape of these axes."""

    reason = "the sizes of the normalised axes"

    def __init__(self, axis, eps):
        self.axis, self.eps = axis, eps

    def layout(self, shape):
        axes = normalized_axes(self.axis, len(shape))
        return shape, axes, tuple(n if a in axes else 1 for a, n in enumerate(shape)), tuple(shape[a] for a in axes)


class RMSNorm(LayerNorm, op="rms_norm"):
    """y = gamma x / sqrt(mean(x^2) + eps)."""

    saves = ("rstd",)
    centred = False

    def forward(self, x, gamma):
        y, _, _, rstd = self.normalized(x, gamma, None)
        return y.astype(work_dtype(x, gamma)[0], copy=False), rstd

    def backward(self, gy, *, x, gamma, rstd):
        return Normalization.backward(self, gy, x=x, gamma=gamma, beta=None, mean=None, rstd=rstd)[:2]

    def compose(self, x, gamma):
        return Normalization.compose(self, x, gamma, None)


class GroupNorm(Normalization, op="group_norm"):
    """Statistics over the channels of a group and all places, for each sample; gamma and beta are per channel. No groups: each channel is one."""

    reason = "one number for each channel, which axis 1 of x counts"

    def __init__(self, groups, eps):
        self.groups, self.eps = groups, eps

    def layout(self, shape):
        if len(shape) < 2:
            raise ShapeError("x needs a batch axis and a channel axis, (N, C, ...): use x.reshape(1, -1) for one sample")
        N, C, *places = shape
        G = C if self.groups is None else self.groups
        if C and (G < 1 or C % G):
            raise ShapeError(f"groups={G} does not divide the {C} channels of x (axis 1)")
        per_group = C // max(G, 1)
        return (N, G, per_group, math.prod(places)), (2, 3), (1, G, per_group, 1), (C,)


class InstanceNorm(GroupNorm, op="instance_norm"):
    """Statistics over all places, for each sample and channel; gamma and beta are per channel."""

    keeps = True

    def __init__(self, eps):
        super().__init__(None, eps)

    def layout(self, shape):
        if len(shape) < 3:
            raise ShapeError("x needs axes behind the channels, (N, C, ...) of three or more axes: each channel is normalised over them")
        return GroupNorm.layout(self, shape)


def normalized_axes(axis, ndim):
    """``axis`` as a sorted tuple without negatives.

    Raises:
        ShapeError: an axis is out of range, appears twice, or there is none.
        DTypeError: an axis is no int.
    """
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    if not all(hasattr(a, "__index__") for a in axes):
        raise DTypeError(f"axis={axis!r}: an int or a tuple of ints is expected")
    found = sorted({operator.index(a) % ndim for a in axes if -ndim <= operator.index(a) < ndim})
    if not found or len(found) != len(axes):
        raise ShapeError(f"axis={axis} does not fit an x with {ndim} axes: give one or several different ones from {-ndim} to {ndim - 1}")
    return tuple(found)


def _axis_of(axis, gamma, beta):
    """The axes to normalise: those asked for, else the last ones, as many as gamma or beta has."""
    if axis is not None:
        return axis
    p = gamma if gamma is not None else beta
    n = 1 if p is None else len(getattr(p, "shape", ()))
    return tuple(range(-n, 0)) or (-1,)


def layer_norm(x: Operand, gamma: Operand | None = None, beta: Operand | None = None, axis: Axis = None, eps: float = 1e-5) -> Variable:
    """Normalise each sample over some of its axes (Ba, Kiros and Hinton, 2016): ``gamma (x - mean) / sqrt(var + eps) + beta``.

    The variance is the biased one, and float16 is computed in float32.

    Args:
        x: float, of any shape with at least one axis.
        gamma: scale, of the shape of the normalised axes; None for 1.
        beta: shift, of the same shape; None for 0.
        axis: the axes to normalise over, an int or a tuple. None stands for the last ones, as many as gamma (or beta) has axes,
            and for the last one without either.
        eps: added to the variance; where all elements are equal it keeps the result finite (beta).

    Returns:
        The shape of x.

    Raises:
        ShapeError: gamma or beta does not have the sizes of the normalised axes, or an axis is out of range.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x = Variable(np.array([[1.0, 3.0], [10.0, 30.0]]))
        >>> print(F.layer_norm(x, eps=0.0))
        variable([[-1.  1.]
                  [-1.  1.]])
    """
    return LayerNorm(_axis_of(axis, gamma, beta), number("layer_norm", "eps", eps))(x, gamma, beta)


def rms_norm(x: Operand, gamma: Operand | None = None, axis: Axis = None, eps: float = 1e-6) -> Variable:
    """Divide by the root of the mean square over some axes (Zhang and Sennrich, 2019): ``gamma x / sqrt(mean(x^2) + eps)``.

    Args:
        x: float, of any shape with at least one axis.
        gamma: scale, of the shape of the normalised axes; None for 1.
        axis: as in :func:`layer_norm`: None stands for as many last axes as gamma has, or the last one.
        eps: added to the mean square.

    Returns:
        The shape of x.

    Raises:
        ShapeError: gamma does not have the sizes of the normalised axes, or an axis is out of range.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.rms_norm(Variable(np.array([1.0, -1.0, 7.0, -7.0])), eps=0.0))
        variable([ 0.2 -0.2  1.4 -1.4])
    """
    return RMSNorm(_axis_of(axis, gamma, None), number("rms_norm", "eps", eps))(x, gamma)


def group_norm(x: Operand, gamma: Operand | None, beta: Operand | None, groups: int, eps: float = 1e-5) -> Variable:
    """Normalise each sample over groups of channels and all places (Wu and He, 2018).

    Args:
        x: float (N, C, ...): channels on axis 1.
        gamma: scale (C,), or None for 1.
        beta: shift (C,), or None for 0.
        groups: how many groups the channels make; neighbours belong together. 1 normalises over all channels.
        eps: added to the (biased) variance.

    Returns:
        The shape of x.

    Raises:
        ShapeError: x has fewer than two axes, gamma or beta is not (C,), or ``groups`` does not divide C.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x = Variable(np.array([[1.0, 3.0, 10.0, 30.0]]))
        >>> print(F.group_norm(x, None, None, groups=2, eps=0.0))
        variable([[-1.  1. -1.  1.]])
    """
    return GroupNorm(integer("group_norm", "groups", groups), number("group_norm", "eps", eps))(x, gamma, beta)


def instance_norm(x: Operand, gamma: Operand | None = None, beta: Operand | None = None, eps: float = 1e-5) -> Variable:
    """Normalise each channel of each sample over its places (Ulyanov, Vedaldi and Lempitsky, 2016).

    Args:
        x: float (N, C, ...) with at least one axis of places.
        gamma: scale (C,), or None for 1.
        beta: shift (C,), or None for 0.
        eps: added to the (biased) variance.

    Returns:
        The shape of x.

    Raises:
        ShapeError: x has fewer than three axes, or gamma or beta is not (C,).

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x = Variable(np.array([[[1.0, 3.0], [10.0, 30.0]]]))
        >>> print(F.instance_norm(x, eps=0.0))
        variable([[[-1.  1.]
                   [-1.  1.]]])
    """
    return InstanceNorm(number("instance_norm", "eps", eps))(x, gamma, beta)


__all__ = ["group_norm", "instance_norm", "layer_norm", "rms_norm"]
