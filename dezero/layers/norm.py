"""Normalisation as layers: batch, layer, group, instance and RMS norm."""

from __future__ import annotations

from typing import Any

import numpy as np

import dezero.functions as F
from dezero.backend import array_module
from dezero.config import current
from dezero.core import Parameter, Variable
from dezero.core.checks import fraction, number
from dezero.core.types import Operand
from dezero.core.value import is_float, is_half
from dezero.errors import ShapeError, describe
from dezero.layers.buffer import Buffer
from dezero.layers.layer import Layer
from dezero.layers.linear import float_dtype, size, sizing

START = {"avg_mean": 0, "avg_var": 1, "gamma": 1, "beta": 0}


class _Norm(Layer):
    """What the norms share: a scale, a shift and perhaps running statistics, sized at the first call."""

    fields: tuple[str, ...] = ("gamma", "beta")
    needs = "(N, C, ...)"  # what x must look like

    def __init__(self, shape: Any, eps: float, dtype: Any) -> None:
        super().__init__()
        name = type(self).__name__
        self.eps = number(name, "eps", eps)
        if not self.eps >= 0:
            raise ValueError(f"{name}: eps is {eps}: a number of at least 0 is expected")
        self.dtype = None if dtype is None else float_dtype(name, dtype)
        self.shape = None if shape is None else tuple(size(name, "size", n) for n in (shape if isinstance(shape, (tuple, list)) else (shape,)))
        for field in self.fields:
            setattr(self, field, Buffer(None, name=field) if field.startswith("avg_") else Parameter(None, name=field))
        if self.shape is not None:
            self._size(self.shape, np.dtype(np.float32), np)

    def _size(self, shape: tuple[int, ...], dtype: Any, xp: Any) -> None:
        """Give a first value to each field that has none."""
        self.shape = shape
        dtype = dtype if self.dtype is None else self.dtype
        for field in self.fields:
            v = getattr(self, field)
            if v.data is None:
                v.data = xp.full(shape, START[field], np.promote_types(dtype, np.float32) if isinstance(v, Buffer) else dtype)

    def _ready(self, x: Any) -> None:
        for field in self.fields:
            if getattr(self, field)._data is None:
                break
        else:
            return
        with sizing:
            self._size(self._shape_of(x), _own_dtype(x), array_module(x))

    def _shape_of(self, x: Any) -> tuple[int, ...]:
        """What the fields must have for x."""
        shape: tuple[int, ...] = getattr(x, "shape", ())
        if len(shape) < 2:
            raise ShapeError(f"{type(self).__name__}: x is {describe(x)}: an array {self.needs} is expected")
        return (shape[1],)

    def lazy_shapes(self) -> dict[str, tuple[int | None, ...]]:
        return dict.fromkeys(self.fields, (None,) if self.shape is None else self.shape)

    def extra_repr(self) -> str:
        sizes = (getattr(self, field).shape for field in self.fields if getattr(self, field).data is not None)
        shape = next(sizes, self.shape)
        return f"{'?' if shape is None else shape[0] if len(shape) == 1 else tuple(shape)}, eps={self.eps}"


def _own_dtype(x: Any) -> Any:
    """The dtype of parameters that are sized by x: its own, and float32 for integers and where autocast has made x half precision."""
    return x.dtype if is_float(x) and not (is_half(x) and current().cast is not None) else np.dtype(np.float32)


class BatchNorm(_Norm):
    """Each channel normalised over the batch while training, and by running statistics in use (:func:`dezero.functions.batch_norm`).

    The running statistics are buffers: they are saved with the weights and are none of ``params()``. They move in every call that
    records a graph in train mode; after ``eval()`` and under ``test_mode`` they stay and are used.

    Args:
        size: C, the length of axis 1 of the input; None sizes all at the first call.
        decay: share of the running statistics that each batch leaves.
        eps: added to the variance.
        dtype: of gamma and beta; None takes that of the first input (float32 where ``size`` is given).

    Attributes:
        avg_mean, avg_var: the running mean and (unbiased) variance (C,), from 0 and 1.
        gamma, beta: scale and shift (C,), from 1 and 0.

    Raises:
        ShapeError: at the call, if x is not (N, C, ...).

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> norm = L.BatchNorm()
        >>> print(norm(np.array([[1.0, 10.0], [3.0, 30.0]])).data.round(3), norm.avg_mean.data)
        [[-1. -1.]
         [ 1.  1.]] [0.2 2. ]
        >>> [name for name, p in norm.named_params()]
        ['gamma', 'beta']
    """

    fields = ("avg_mean", "avg_var", "gamma", "beta")
    avg_mean: Buffer
    avg_var: Buffer
    gamma: Parameter
    beta: Parameter

    def __init__(self, size: int | None = None, decay: float = 0.9, eps: float = 2e-5, dtype: Any = None) -> None:
        self.decay = fraction("BatchNorm", "decay", decay)
        super().__init__(size, eps, dtype)

    def forward(self, x: Operand) -> Variable:
        self._ready(x)
        return F.batch_norm(x, self.gamma, self.beta, self.avg_mean, self.avg_var, self.decay, self.eps)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, decay={self.decay}"


class LayerNorm(_Norm):
    """Each sample normalised over its last axis, or axes (:func:`dezero.functions.layer_norm`).

    Args:
        size: length of the last axis, or the shape of the last axes; None for the last axis, sized at the first call.
        eps: added to the variance.
        dtype: of gamma and beta; None takes that of the first input (float32 where ``size`` is given).

    Attributes:
        gamma, beta: scale and shift, of the shape ``size``, from 1 and 0.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.LayerNorm()(np.array([[1.0, 3.0], [10.0, 30.0]])).data.round(3))
        [[-1.  1.]
         [-1.  1.]]
    """

    needs = "(..., C)"
    gamma: Parameter
    beta: Parameter

    def __init__(self, size: int | tuple[int, ...] | None = None, eps: float = 1e-5, dtype: Any = None) -> None:
        super().__init__(size, eps, dtype)

    def _shape_of(self, x: Any) -> tuple[int, ...]:
        shape: tuple[int, ...] = getattr(x, "shape", ())
        if not shape:
            raise ShapeError(f"{type(self).__name__}: x is {describe(x)}: an array {self.needs} is expected")
        return self.shape or (shape[-1],)

    def forward(self, x: Operand) -> Variable:
        self._ready(x)
        return F.layer_norm(x, self.gamma, self.beta, eps=self.eps)


class RMSNorm(LayerNorm):
    """Each sample divided by the root of the mean square of its last axis, or axes (:func:`dezero.functions.rms_norm`).

    Args:
        size: length of the last axis, or the shape of the last axes; None for the last axis, sized at the first call.
        eps: added to the mean square.
        dtype: of gamma; None takes that of the first input (float32 where ``size`` is given).

    Attributes:
        gamma: scale, of the shape ``size``, from 1.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.RMSNorm()(np.array([1.0, -1.0, 7.0, -7.0])).data.round(3))
        [ 0.2 -0.2  1.4 -1.4]
    """

    fields = ("gamma",)

    def __init__(self, size: int | tuple[int, ...] | None = None, eps: float = 1e-6, dtype: Any = None) -> None:
        super().__init__(size, eps, dtype)

    def forward(self, x: Operand) -> Variable:
        self._ready(x)
        return F.rms_norm(x, self.gamma, eps=self.eps)


class GroupNorm(_Norm):
    """Each sample normalised over groups of channels and all places (:func:`dezero.functions.group_norm`).

    Args:
        groups: how many groups the channels make; neighbours belong together.
        channels: C, the length of axis 1 of the input; None sizes gamma and beta at the first call.
        eps: added to the variance.
        dtype: of gamma and beta; None takes that of the first input (float32 where ``channels`` is given).

    Attributes:
        gamma, beta: scale and shift (C,), from 1 and 0.

    Raises:
        ShapeError: the groups do not divide the channels, or x is not (N, C, ...).

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> x = np.array([[[1.0], [3.0], [10.0], [30.0]]])
        >>> print(L.GroupNorm(2)(x).data.round(3).ravel())
        [-1.  1. -1.  1.]
    """

    gamma: Parameter
    beta: Parameter

    def __init__(self, groups: int, channels: int | None = None, eps: float = 1e-5, dtype: Any = None) -> None:
        self.groups = size("GroupNorm", "groups", groups)
        if channels is not None and size("GroupNorm", "channels", channels) % self.groups:
            raise ShapeError(f"GroupNorm: channels {channels} cannot be divided by groups {groups}")
        super().__init__(channels, eps, dtype)

    def forward(self, x: Operand) -> Variable:
        if self.gamma.data is None and (C := self._shape_of(x)[0]) % self.groups:
            raise ShapeError(f"GroupNorm: x is {describe(x)}: its {C} channels cannot be divided by groups {self.groups}")
        self._ready(x)
        return F.group_norm(x, self.gamma, self.beta, self.groups, self.eps)

    def extra_repr(self) -> str:
        return f"{self.groups} groups, {super().extra_repr()}"


class InstanceNorm(_Norm):
    """Each channel of each sample normalised over its places (:func:`dezero.functions.instance_norm`).

    Args:
        affine: scale and shift the result, one number of each for each channel.
        channels: C, the length of axis 1 of the input; None sizes gamma and beta at the first call.
        eps: added to the variance.
        dtype: of gamma and beta; None takes that of the first input (float32 where ``channels`` is given).

    Attributes:
        gamma, beta: scale and shift (C,), from 1 and 0; None without ``affine``.

    Raises:
        ShapeError: at the call, if x is not (N, C, ...) with three or more axes.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.InstanceNorm()(np.array([[[1.0, 3.0], [10.0, 30.0]]])).data.round(3))
        [[[-1.  1.]
          [-1.  1.]]]
    """

    gamma: Parameter | None
    beta: Parameter | None

    def __init__(self, affine: bool = False, channels: int | None = None, eps: float = 1e-5, dtype: Any = None) -> None:
        self.affine = bool(affine)
        if not affine:
            self.fields = ()
            self.gamma = self.beta = None
        super().__init__(channels, eps, dtype)

    def forward(self, x: Operand) -> Variable:
        self._ready(x)
        return F.instance_norm(x, self.gamma, self.beta, self.eps)

    def extra_repr(self) -> str:
        return super().extra_repr() if self.affine else f"eps={self.eps}"


__all__ = ["BatchNorm", "GroupNorm", "InstanceNorm", "LayerNorm", "RMSNorm"]
