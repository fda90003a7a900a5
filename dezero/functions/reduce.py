"""Sums and products over axes: sum, mean, var, std, prod and cumsum.

An axis is an int, a tuple of ints or None for all; negative ones count from the last. Sums of float16 run in float32.
"""

from __future__ import annotations

import math
from numbers import Integral

from dezero.core.arithmetic import BroadcastTo
from dezero.core.checks import integer, shown
from dezero.core.function import Function
from dezero.core.types import Axis, Operand
from dezero.core.variable import Variable
from dezero.errors import ShapeError
from dezero.functions.compare import equal

HALVES = "eE"  # the dtype characters of float16 and bfloat16


class Reduction(Function):
    """An op that does away with axes, or leaves them with size 1."""

    def __init__(self, axis=None, keepdims=False):
        self.axis, self.keepdims = axis, keepdims

    def spread(self, g, shape):
        """``g``, shaped as the result, with the reduced axes back so that it broadcasts against ``shape``."""
        axis = self.axis
        if self.keepdims or axis is None or axis == 0:
            return g  # it aligns from the last axis as it is
        axes = axes_of(axis, len(shape))
        return g.reshape(tuple(1 if i in axes else size for i, size in enumerate(shape)))

    def hint(self, x):
        return wrong_axis(self.axis, x.ndim)


def axes_of(axis, ndim):
    """The axes that ``axis`` means, counted from the first."""
    return range(ndim) if axis is None else [a % ndim for a in (axis if isinstance(axis, tuple) else (axis,))]


def wrong_axis(axis, ndim):
    """What is wrong with ``axis`` for an array of so many axes; None if nothing is."""
    if axis is None:
        return None
    axes = axis if isinstance(axis, tuple) else (axis,)
    if not all(isinstance(a, Integral) for a in axes):
        return f"axis must be an int, a tuple of ints or None: {shown(axis)} was given"
    if outside := [a for a in axes if not -ndim <= a < ndim]:
        return f"axis {outside[0]} is out of range: " + (f"x has the axes {-ndim} to {ndim - 1}" if ndim else "x has no axes")
    if len({a % ndim for a in axes}) < len(axes):
        return f"axis {axis} names an axis twice"
    return None


def wide(x):
    """Half precision as float32, for sums and squares; other dtypes as they are."""
    return x.astype("float32") if x.dtype.char in HALVES else x


class Sum(Reduction, op="sum"):
    """y = the sum of x."""

    def forward(self, x):
        self.shape = x.shape
        if x.dtype.char in HALVES:
            return x.sum(self.axis, "float32", None, self.keepdims).astype(x.dtype)
        return x.sum(self.axis, None, None, self.keepdims)

    def grad_x(self, gy): return BroadcastTo.on(self.spread(gy, self.shape), shape=self.shape)


class Mean(Reduction, op="mean"):
    """y = the sum of x / n."""

    def forward(self, x):
        self.shape = x.shape
        half = x.dtype.char in HALVES
        total = x.sum(self.axis, "float32" if half else None, None, self.keepdims)
        self.n = x.size // total.size if total.size else 1
        if not self.n:
            raise ShapeError("there is no mean of no elements")
        y = total / self.n
        return y.astype(x.dtype) if half else y

    def grad_x(self, gy): return BroadcastTo.on(self.spread(gy / self.n, self.shape), shape=self.shape)


class Var(Reduction, op="var"):
    """y = the sum of (x - mean)^2 / (n - ddof)."""

    def __init__(self, axis=None, ddof=0, keepdims=False):
        self.axis, self.ddof, self.keepdims = axis, ddof, keepdims

    def forward(self, x): return self.variance(wide(x)).astype(x.dtype) if x.dtype.char in HALVES else self.variance(x)

    def variance(self, x):
        mean = x.sum(self.axis, None, None, True)
        n = x.size // mean.size if mean.size else 1
        if n <= self.ddof:
            raise ShapeError(f"a variance of {n} with ddof={self.ddof}: more than ddof elements are needed")
        self.freedom = n - self.ddof
        c = x - mean / n
        c *= c
        return c.sum(self.axis, None, None, self.keepdims) / self.freedom

    def grad_x(self, gy, *, x):
        return self.spread(gy * (2 / self.freedom), x.shape) * (x - Mean.on(x, axis=self.axis, keepdims=True))


class Std(Var, op="std"):
    """y = the square root of the variance."""

    def forward(self, x):
        y = self.xp.sqrt(self.variance(wide(x)))
        return y.astype(x.dtype) if x.dtype.char in HALVES else y

    def variance(self, x):
        if x.size and x.ndim:  # measured from an element of each group, equal elements give 0 and not a rounding error
            axes = axes_of(self.axis, x.ndim)
            x = x - x[tuple(slice(0, 1) if i in axes else slice(None) for i in range(x.ndim))]
        return super().variance(x)

    def grad_x(self, gy, *, x, y):
        zero = equal(y, 0)
        g = gy * ~zero / ((y + zero) * self.freedom)
        return self.spread(g, x.shape) * (x - Mean.on(x, axis=self.axis, keepdims=True))


class Prod(Reduction, op="prod"):
    """y = the product of x. Its gradient is the product of the others, which holds where elements are 0."""

    def forward(self, x):
        self.shape, half = x.shape, x.dtype.char in HALVES
        y = x.prod(self.axis, "float32" if half else None, None, self.keepdims)
        self.reduced = y.shape
        return y.astype(x.dtype) if half else y

    def grad_x(self, gy, *, x):
        rows, order = self.rows(x)
        below, above = self.xp.ones_like(rows), self.xp.ones_like(rows)
        below[..., 1:] = rows[..., :-1].cumprod(-1)
        above[..., :-1] = rows[..., :0:-1].cumprod(-1)[..., ::-1]
        below *= above
        others = below.reshape(tuple(x.shape[i] for i in order)).transpose([order.index(i) for i in range(x.ndim)])
        return self.spread(gy, x.shape) * others

    def compose(self, x):
        """Products of pairs, pairs of pairs and so on; nothing divides."""
        rows, _ = self.rows(x)
        odd = None
        while rows.shape[-1] > 1:
            half, rest = divmod(rows.shape[-1], 2)
            if rest:
                last = rows[..., -1:]
                odd = last if odd is None else odd * last
            rows = rows[..., :half] * rows[..., half:2 * half]
        if not rows.shape[-1]:
            return rows.sum(-1).reshape(self.reduced) + 1  # a product of nothing is 1
        return (rows if odd is None else rows * odd).reshape(self.reduced)

    def rows(self, x):
        """``x`` with the elements of each product along one last axis, and the order of axes that put them there."""
        axes = axes_of(self.axis, x.ndim)
        order = [*(i for i in range(x.ndim) if i not in axes), *axes]
        kept = x.ndim - len(axes)
        rows = x.transpose(order) if order else x
        return rows.reshape((*rows.shape[:kept], math.prod(rows.shape[kept:]))), order


class CumSum(Reduction, op="cumsum"):
    """y_i = the sum of x up to i along an axis, or from i on."""

    def __init__(self, axis=None, reverse=False):
        self.axis, self.reverse = axis, reverse

    def forward(self, x):
        self.shape = x.shape
        axis, half = self.axis, x.dtype.char in HALVES
        if axis is None or not x.ndim:
            x = x.reshape(-1)
        axis = axis or 0
        x = self.xp.flip(x, axis) if self.reverse else x
        y = x.cumsum(axis, "float32").astype(x.dtype) if half else x.cumsum(axis)
        return self.xp.flip(y, axis) if self.reverse else y

    def grad_x(self, gy):
        g = CumSum.on(gy, axis=self.axis or 0, reverse=not self.reverse)
        return g if g.shape == self.shape else g.reshape(self.shape)

    def hint(self, x):
        return one_axis(self.axis, x.ndim)


def one_axis(axis, ndim):
    """What is wrong with ``axis`` where only one can be taken; None if nothing is."""
    return f"axis must be one int or None: {axis} was given" if isinstance(axis, tuple) else wrong_axis(axis, ndim)


def sum(x: Operand, axis: Axis = None, keepdims: bool = False) -> Variable:
    """The sum over axes.

    Args:
        x: any shape; float16 is summed in float32.
        axis: an int, a tuple of ints, or None for all.
        keepdims: leave the axes with size 1.

    Returns:
        The shape of x without the axes.

    Raises:
        ShapeError: an axis is out of range, or named twice.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x = Variable(np.array([[1.0, 2.0], [3.0, 4.0]]))
        >>> print(F.sum(x), F.sum(x, axis=0))
        variable(10.0) variable([4. 6.])
    """
    return Sum(axis, keepdims)(x)


def mean(x: Operand, axis: Axis = None, keepdims: bool = False) -> Variable:
    """The mean over axes; inputs, shape and errors as for :func:`sum`. ``average`` is the same.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.mean(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=1))
        variable([1.5 3.5])
    """
    return Mean(axis, keepdims)(x)


average = mean  # the book's name


def var(x: Operand, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Variable:
    """The variance over axes: the sum of (x - mean)^2 over n - ddof.

    Args:
        x: any shape.
        axis: an int, a tuple of ints, or None for all.
        ddof: 0 for the variance of the elements themselves, 1 for an estimate of that of their source.
        keepdims: leave the axes with size 1.

    Returns:
        The shape of x without the axes.

    Raises:
        ShapeError: an axis is out of range, or there are no more than ddof elements.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.var(np.array([1.0, 3.0])), F.var(np.array([1.0, 3.0]), ddof=1))
        variable(1.0) variable(2.0)
    """
    return Var(axis, integer("var", "ddof", ddof), keepdims)(x)


def std(x: Operand, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Variable:
    """The standard deviation over axes, the square root of :func:`var`. Where all elements are equal its gradient is 0.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.std(np.array([[1.0, 3.0], [2.0, 2.0]]), axis=1))
        variable([1. 0.])
    """
    return Std(axis, integer("std", "ddof", ddof), keepdims)(x)


def prod(x: Operand, axis: Axis = None, keepdims: bool = False) -> Variable:
    """The product over axes; inputs, shape and errors as for :func:`sum`. All its derivatives hold where elements are 0.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x = Variable(np.array([2.0, 0.0, 4.0]))
        >>> y = F.prod(x)
        >>> y.backward()
        >>> print(y, x.grad)
        variable(0.0) variable([0. 8. 0.])
    """
    return Prod(axis, keepdims)(x)


def cumsum(x: Operand, axis: int | None = None) -> Variable:
    """The running sum along an axis.

    Args:
        x: any shape; float16 is summed in float32.
        axis: an int; None takes all elements in order, as one row.

    Returns:
        The shape of x; one axis where ``axis`` is None.

    Raises:
        ShapeError: the axis is out of range.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.cumsum(np.array([1.0, 2.0, 3.0])))
        variable([1. 3. 6.])
    """
    return CumSum(axis)(x)


__all__ = ["average", "cumsum", "mean", "prod", "std", "sum", "var"]
