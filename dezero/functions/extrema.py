"""Largest and smallest elements, their places, logsumexp and norms."""

from __future__ import annotations

import math

from dezero.core.types import Axis, Operand
from dezero.core.variable import Variable
from dezero.functions.compare import Where, equal, isfinite
from dezero.functions.elementwise import Abs, Sign
from dezero.functions.explog import Exp
from dezero.functions.reduce import HALVES, Reduction, one_axis, wide


class Extremum(Reduction):
    """An op that picks elements: equal picks share the gradient."""

    def hint(self, x):
        if getattr(self.axis, "shape", None) is not None:
            return super().hint(x) + "; for the larger or smaller of two arrays use F.maximum and F.minimum"
        return super().hint(x) or (None if x.size else "no elements have no largest and no smallest one")

    def divided(self, gy, picked):
        """``gy`` over the number of elements picked in each group, at each of these; 0 elsewhere."""
        n = self.xp.maximum(picked.sum(self.axis, None, None, self.keepdims), 1).astype(gy.dtype)  # a group of NaN has none
        return self.spread(gy / n, picked.shape) * picked


class Max(Extremum, op="max"):
    """y = the largest element."""

    def forward(self, x): return x.max(self.axis, None, self.keepdims)
    def grad_x(self, gy, *, x, y): return self.divided(gy, equal(x, self.spread(y, x.shape)))


class Min(Max, op="min"):
    """y = the smallest element."""

    def forward(self, x): return x.min(self.axis, None, self.keepdims)


class ArgMax(Extremum, op="argmax"):
    """y = the place of the largest element."""

    def forward(self, x): return x.argmax(self.axis, keepdims=self.keepdims)

    def hint(self, x):
        return one_axis(self.axis, x.ndim) or super().hint(x)


class ArgMin(ArgMax, op="argmin"):
    """y = the place of the smallest element."""

    def forward(self, x): return x.argmin(self.axis, keepdims=self.keepdims)


class LogSumExp(Extremum, op="logsumexp"):
    """y = ln sum exp(x), from exponents that are 0 at most."""

    def forward(self, x):
        dtype, x = x.dtype, wide(x)
        top = x.max(self.axis, None, True)
        e = self.xp.exp(x - self.xp.where(isfinite(top), top, 0))
        total = e.sum(self.axis, None, None, True)
        y = self.xp.log(total + (total == 0)) + top  # all -inf: ln 1 - inf
        if not self.keepdims:
            y = y.squeeze(self.axis)
        return y.astype(dtype) if dtype.char in HALVES else y

    def grad_x(self, gy, *, x, y):
        top = Where.on(isfinite(y), y, 0.0)
        return self.spread(gy, x.shape) * Exp.on(x - self.spread(top, x.shape))


class Norm(Extremum, op="norm"):
    """y = (sum |x|^p)^(1/p)."""

    def __init__(self, p=2, axis=None, keepdims=False):
        self.p, self.axis, self.keepdims = p, axis, keepdims

    def forward(self, x):
        y = self.measure(wide(x))
        return y.astype(x.dtype) if x.dtype.char in HALVES else y

    def measure(self, x):
        p, axis, keepdims = self.p, self.axis, self.keepdims
        if p == 2:
            return self.xp.sqrt((x * x).sum(axis, None, None, keepdims))
        a = self.xp.abs(x)
        if p == 1:
            return a.sum(axis, None, None, keepdims)
        if math.isinf(p):
            return a.max(axis, None, keepdims) if p > 0 else a.min(axis, None, keepdims)
        top = a.max(axis, None, True) if a.size else 0
        top = top + (top == 0)  # high powers of what is 1 at most do not overflow
        y = ((a / top) ** p).sum(axis, None, None, True) ** (1 / p) * top
        return y if keepdims else y.squeeze(axis)

    def grad_x(self, gy, *, x, y):
        p, shape, zero = self.p, x.shape, equal(y, 0)
        if p == 2:
            return self.spread(gy / (y + zero), shape) * x
        if p == 1:
            return self.spread(gy, shape) * Sign.on(x)
        if math.isinf(p):
            return self.divided(gy, equal(Abs.on(x), self.spread(y, shape))) * Sign.on(x)
        ratio = Abs.on(x) / self.spread(y + zero, shape) + equal(x, 0)  # 0 to a negative power would be infinite
        return self.spread(gy, shape) * (ratio ** (p - 1) * Sign.on(x))


def max(x: Operand, axis: Axis = None, keepdims: bool = False) -> Variable:
    """The largest element over axes. Equal ones share the gradient evenly.

    Args:
        x: any shape. A NaN wins, with gradient 0.
        axis: an int, a tuple of ints, or None for all.
        keepdims: leave the axes with size 1.

    Returns:
        The shape of x without the axes.

    Raises:
        ShapeError: an axis is out of range, or there is no element.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x = Variable(np.array([1.0, 3.0, 3.0]))
        >>> y = F.max(x)
        >>> y.backward()
        >>> print(y, x.grad)
        variable(3.0) variable([0.  0.5 0.5])
    """
    return Max(axis, keepdims)(x)


def min(x: Operand, axis: Axis = None, keepdims: bool = False) -> Variable:
    """The smallest element over axes; all else as for :func:`max`.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.min(np.array([[1.0, 2.0], [4.0, 3.0]]), axis=-1))
        variable([1. 3.])
    """
    return Min(axis, keepdims)(x)


def argmax(x: Operand, axis: int | None = None, keepdims: bool = False) -> Variable:
    """The place of the largest element, the first where several are equal. A constant.

    Args:
        x: any shape.
        axis: an int, or None to count through all elements in order.
        keepdims: leave the axis with size 1.

    Returns:
        int64, the shape of x without the axis.

    Raises:
        ShapeError: the axis is out of range, or there is no element.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.argmax(np.array([[1.0, 2.0], [4.0, 3.0]]), axis=1))
        variable([1 0])
    """
    return ArgMax(axis, keepdims)(x)


def argmin(x: Operand, axis: int | None = None, keepdims: bool = False) -> Variable:
    """The place of the smallest element; all else as for :func:`argmax`.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.argmin(np.array([[1.0, 2.0], [4.0, 3.0]]), axis=1))
        variable([0 1])
    """
    return ArgMin(axis, keepdims)(x)


def logsumexp(x: Operand, axis: Axis = None, keepdims: bool = False) -> Variable:
    """ln sum exp(x) over axes, without overflow. Its gradient is the softmax of x, and 0 where all elements are -inf.

    Args:
        x: any shape.
        axis: an int, a tuple of ints, or None for all.
        keepdims: leave the axes with size 1.

    Returns:
        The shape of x without the axes.

    Raises:
        ShapeError: an axis is out of range, or there is no element.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.logsumexp(np.array([1000.0, 1000.0])))
        variable(1000.6931471805599)
    """
    return LogSumExp(axis, keepdims)(x)


def norm(x: Operand, ord: float | str | None = None, axis: Axis = None, keepdims: bool = False) -> Variable:
    """The norm of all elements, or of those along axes: (sum |x|^p)^(1/p).

    Always of the elements: on a matrix, ord 2 is the Frobenius norm, as in ``numpy.linalg.vector_norm``, not the spectral one.
    The gradient is 0 where all elements are 0, and for an element that is 0 where p < 2. Equal largest elements share it.

    Args:
        x: any shape.
        ord: p above 0; None, 2 or "fro" for the Euclidean norm, ``inf`` (``-inf``) for the largest (smallest) absolute value.
        axis: an int, a tuple of ints, or None for all.
        keepdims: leave the axes with size 1.

    Returns:
        The shape of x without the axes.

    Raises:
        ValueError: there is no such ord.
        ShapeError: an axis is out of range.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> x = np.array([3.0, -4.0])
        >>> print(F.norm(x), F.norm(x, 1), F.norm(x, np.inf))
        variable(5.0) variable(7.0) variable(4.0)
    """
    p = 2 if ord is None or ord == "fro" else ord
    if not isinstance(p, (int, float)) or not (p > 0 or p == -math.inf):
        raise ValueError(f"norm: ord {ord!r} was given: None, 'fro', inf, -inf or a number above 0 is expected")
    return Norm(p, axis, keepdims)(x)


__all__ = ["argmax", "argmin", "logsumexp", "max", "min", "norm"]
