"""Softmax and its logarithm."""

from __future__ import annotations

from dezero.core.checks import operand, shown
from dezero.core.function import Function
from dezero.core.types import Operand
from dezero.core.variable import Variable
from dezero.errors import ShapeError, describe
from dezero.functions.explog import Exp
from dezero.functions.reduce import wrong_axis


class Softmax(Function, op="softmax"):
    """y_i = exp(x_i) / sum_j exp(x_j) along an axis."""

    def __init__(self, axis=1):
        self.axis = axis

    def forward(self, x): return self.kernels.softmax(x, self.axis)

    def grad_x(self, gy, *, y):
        g = gy * y
        return g - y * g.sum(self.axis, keepdims=True)

    def hint(self, x):
        ends = f"axis=-1 for the last axis or axis=0 to {x.ndim - 1}" if x.ndim else "an array with an axis"
        return f"x has no axis {shown(self.axis)}: pass {ends}"


class LogSoftmax(Function, op="log_softmax"):
    """y_i = x_i - log sum_j exp(x_j) along an axis."""

    def __init__(self, axis=1):
        self.axis = axis

    def forward(self, x): return self.kernels.log_softmax(x, self.axis)
    def grad_x(self, gy, *, y): return gy - Exp.on(y) * gy.sum(self.axis, keepdims=True)

    hint = Softmax.hint


def softmax(x: Operand, axis: int = 1) -> Variable:
    """exp(x) divided by its sum along ``axis``: positive numbers that sum to 1.

    Args:
        x: scores, (N, C) with the default ``axis``; -1 is the last axis, and a tuple takes several axes together.

    Returns:
        The shape of ``x``.

    Raises:
        ShapeError: there is no such axis; for one sample (C,) pass ``axis=-1``.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.softmax(np.array([[1e4, 1e4, 0.0]])))
        variable([[0.5 0.5 0. ]])
    """
    return Softmax(axis)(x)


def softmax_simple(x: Operand, axis: int = 1) -> Variable:
    """``softmax`` out of plain ops, to look into. The largest score is subtracted first, which changes no ratio.

    Args:
        x: scores, (N, C) with the default ``axis``.

    Returns:
        The shape of ``x``.

    Raises:
        ShapeError: there is no such axis.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.softmax_simple(np.array([[1e4, 1e4, 0.0]])))
        variable([[0.5 0.5 0. ]])
    """
    x = operand("softmax_simple", "x", x)
    if wrong := wrong_axis(axis, x.ndim):
        raise ShapeError(f"softmax_simple: x {describe(x)}: {wrong}")
    e = Exp()(x - x.data.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def log_softmax(x: Operand, axis: int = 1) -> Variable:
    """The logarithm of ``softmax``, exact where softmax itself is too small for the dtype.

    Args:
        x: scores, (N, C) with the default ``axis``.

    Returns:
        The shape of ``x``.

    Raises:
        ShapeError: there is no such axis; for one sample (C,) pass ``axis=-1``.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.log_softmax(np.array([[1e4, 0.0]])))
        variable([[     0. -10000.]])
    """
    return LogSoftmax(axis)(x)


__all__ = ["log_softmax", "softmax", "softmax_simple"]
