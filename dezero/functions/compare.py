"""Comparing and choosing: comparisons as plain bool arrays, where, maximum, minimum and clip."""

from __future__ import annotations

import operator
from collections.abc import Callable

import numpy as np

from dezero.backend import array_module, arrays, device, is_array
from dezero.core.arithmetic import Elementwise
from dezero.core.checks import check_operand
from dezero.core.types import Array, Operand
from dezero.core.variable import Variable
from dezero.errors import DTypeError, InputTypeError, ShapeError, describe

_NUMBERS = (bool, int, float)


def raw(x: Operand) -> Array:
    """The array behind an operand; numbers stay numbers, and a NumPy scalar becomes one."""
    if isinstance(x, Variable):
        return x._data
    return x.item() if isinstance(x, np.generic) else x


def _compared(name: str, compare: Callable[..., Array], x0: Operand, x1: Operand) -> Array:
    a, b = raw(x0), raw(x1)
    for given, x in (("x0", a), ("x1", b)):
        if not isinstance(x, _NUMBERS) and not is_array(x):
            raise InputTypeError(f"{name}: {given} is a {type(x).__name__}: Variables, arrays and numbers are expected")
    if arrays.foreign:
        device.one_place(name, (("x0", a), ("x1", b)))
    try:
        y = compare(a, b)
    except TypeError as error:
        raise DTypeError(f"{name}: x0 {describe(a)} and x1 {describe(b)}: arrays of numbers are expected") from error
    except ValueError as error:
        raise ShapeError(f"{name}: x0 {describe(a)} and x1 {describe(b)}: the shapes must be equal, or each axis, "
                         "counted from the last, equal or 1") from error
    return y if hasattr(y, "dtype") else array_module(y).bool_(y)


def equal(x0: Operand, x1: Operand) -> Array:
    """Where x0 == x1. (The operator ``==`` on Variables is identity, because Variables are keys of dicts.)

    Args:
        x0, x1: Variables, arrays or numbers of shapes that broadcast.

    Returns:
        A plain bool array of the broadcast shape; it is a constant.

    Raises:
        ShapeError: the shapes do not broadcast.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> F.equal(Variable(np.array([1.0, 2.0])), 2)
        array([False,  True])
    """
    return _compared("equal", operator.eq, x0, x1)


def not_equal(x0: Operand, x1: Operand) -> Array:
    """Where x0 != x1, as a plain bool array; see :func:`equal`.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> F.not_equal(np.array([1.0, 2.0]), 2)
        array([ True, False])
    """
    return _compared("not_equal", operator.ne, x0, x1)


def less(x0: Operand, x1: Operand) -> Array:
    """Where x0 < x1, as a plain bool array; see :func:`equal`. The operator ``<`` does the same.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> Variable(np.array([1.0, 2.0])) < 2
        array([ True, False])
    """
    return _compared("less", operator.lt, x0, x1)


def less_equal(x0: Operand, x1: Operand) -> Array:
    """Where x0 <= x1, as a plain bool array; see :func:`equal`. The operator ``<=`` does the same.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> Variable(np.array([1.0, 2.0, 3.0])) <= 2
        array([ True,  True, False])
    """
    return _compared("less_equal", operator.le, x0, x1)


def greater(x0: Operand, x1: Operand) -> Array:
    """Where x0 > x1, as a plain bool array; see :func:`equal`. The operator ``>`` does the same.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> Variable(np.array([1.0, 2.0])) > 1
        array([False,  True])
    """
    return _compared("greater", operator.gt, x0, x1)


def greater_equal(x0: Operand, x1: Operand) -> Array:
    """Where x0 >= x1, as a plain bool array; see :func:`equal`. The operator ``>=`` does the same.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> Variable(np.array([1.0, 2.0])) >= 2
        array([False,  True])
    """
    return _compared("greater_equal", operator.ge, x0, x1)


def isnan(x: Operand) -> Array:
    """Where x is not a number, as a plain bool array.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> F.isnan(np.array([1.0, np.nan, np.inf]))
        array([False,  True, False])
    """
    x = raw(x)
    check_operand("isnan", "x", x)
    return array_module(x).isnan(x)


def isfinite(x: Operand) -> Array:
    """Where x is neither infinite nor NaN, as a plain bool array.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> F.isfinite(np.array([1.0, np.nan, np.inf]))
        array([ True, False, False])
    """
    x = raw(x)
    check_operand("isfinite", "x", x)
    return array_module(x).isfinite(x)


class Where(Elementwise, op="where"):
    """x where a condition holds, else y."""

    def forward(self, condition, x, y): return self.kernels.select(condition, x, y)
    def grad_x(self, gy, *, condition): return Where.on(condition, gy, 0.0)
    def grad_y(self, gy, *, condition): return Where.on(condition, 0.0, gy)


def where(condition: Operand, x: Operand, y: Operand) -> Variable:
    """x where the condition holds, else y; all three broadcast.

    The gradient of what was not chosen is exactly 0, whatever comes from above. A function that has no finite gradient
    where it is not chosen still spoils the sum, since 0 * inf is NaN: choose its argument first,
    ``where(c, log(where(c, x, 1.0)), 0.0)``.

    Args:
        condition: bool array (or what counts as one); a constant.
        x, y: Variables, arrays or numbers.

    Returns:
        The broadcast shape, in the dtype of x and y.

    Raises:
        ShapeError: the shapes do not broadcast.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x = Variable(np.array([-1.0, 2.0]))
        >>> y = F.where(x > 0, x, 0.1 * x)
        >>> y.backward()
        >>> print(y, x.grad)
        variable([-0.1  2. ]) variable([0.1 1. ])
    """
    if any(getattr(v, "_data", v) is None for v in (condition, x, y)):  # np.where would make objects of them, and take no condition for a false one
        raise InputTypeError("where: condition, x and y are all needed; for the places where a condition holds use condition.nonzero()")
    return Where()(condition, x, y)


class Maximum(Elementwise, op="maximum"):
    """y = the larger of x0 and x1."""

    def forward(self, x0, x1): return self.xp.maximum(x0, x1)
    def grad_x0(self, gy, *, x0, x1): return gy * 0.5 * self.wins(x0 >= x1, x0 > x1)
    def grad_x1(self, gy, *, x0, x1): return gy * 0.5 * self.wins(x0 <= x1, x0 < x1)

    def wins(self, not_worse, better):
        """2 where better, 1 where equal, else 0: in int8, which widens no partner."""
        return self.xp.add(not_worse, better, dtype="int8")


class Minimum(Maximum, op="minimum"):
    """y = the smaller of x0 and x1."""

    def forward(self, x0, x1): return self.xp.minimum(x0, x1)
    def grad_x0(self, gy, *, x0, x1): return gy * 0.5 * self.wins(x0 <= x1, x0 < x1)
    def grad_x1(self, gy, *, x0, x1): return gy * 0.5 * self.wins(x0 >= x1, x0 > x1)


def maximum(x0: Operand, x1: Operand) -> Variable:
    """The larger of x0 and x1, element by element. Equal elements share the gradient, half each.

    Args:
        x0, x1: Variables, arrays or numbers of shapes that broadcast. NaN wins, with gradient 0.

    Returns:
        The broadcast shape.

    Raises:
        ShapeError: the shapes do not broadcast.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x = Variable(np.array([-1.0, 0.0, 2.0]))
        >>> y = F.maximum(x, 0)
        >>> y.backward()
        >>> print(y, x.grad)
        variable([0. 0. 2.]) variable([0.  0.5 1. ])
    """
    return Maximum()(x0, x1)


def minimum(x0: Operand, x1: Operand) -> Variable:
    """The smaller of x0 and x1, element by element. Equal elements share the gradient, half each.

    Args:
        x0, x1: Variables, arrays or numbers of shapes that broadcast. NaN wins, with gradient 0.

    Returns:
        The broadcast shape.

    Raises:
        ShapeError: the shapes do not broadcast.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.minimum(np.array([-1.0, 0.0, 2.0]), 1))
        variable([-1.  0.  1.])
    """
    return Minimum()(x0, x1)


class Clip(Elementwise, op="clip"):
    """y = x, limited to [x_min, x_max]."""

    def __init__(self, x_min, x_max): self.x_min, self.x_max = x_min, x_max

    def forward(self, x):
        if self.x_min is not None:
            x = self.xp.maximum(x, self.x_min)  # two simple calls are faster than one of clip
        return x if self.x_max is None else self.xp.minimum(x, self.x_max)

    def grad_x(self, gy, *, x): return Where.on(self.inside(x), gy, 0.0)

    def inside(self, x):
        """Where the limits, themselves inside, change nothing."""
        if self.x_max is None:
            return x >= self.x_min
        return x <= self.x_max if self.x_min is None else (x >= self.x_min) & (x <= self.x_max)


def clip(x: Operand, x_min: Operand = None, x_max: Operand = None) -> Variable:
    """x limited to the range [x_min, x_max]. The gradient is 1 inside and at the limits, else 0.

    Args:
        x: any shape.
        x_min, x_max: numbers, or None for no limit. Variables and arrays that broadcast with x do as well; where a limit
            that is a Variable applies, it gets the gradient.

    Returns:
        The shape and dtype of x.

    Raises:
        ValueError: there is no limit, or x_min is above x_max.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x = Variable(np.array([-2.0, 0.5, 1.0]))
        >>> y = F.clip(x, 0, 1)
        >>> y.backward()
        >>> print(y, x.grad)
        variable([0.  0.5 1. ]) variable([0. 1. 1.])
    """
    if x_min is None and x_max is None:
        raise ValueError("clip: x_min and x_max are both None: give at least one limit")
    for name, limit in (("x", x), ("x_min", x_min), ("x_max", x_max)):
        if limit is not None or name == "x":
            check_operand("clip", name, limit)
    x_min, x_max = (limit if isinstance(limit, Variable) else raw(limit) for limit in (x_min, x_max))
    if all(limit is None or isinstance(limit, _NUMBERS) for limit in (x_min, x_max)):
        if x_min is not None and x_max is not None and x_min > x_max:
            raise ValueError(f"clip: x_min {x_min} is above x_max {x_max}: exchange them")
        return Clip(x_min, x_max)(x)
    if x_min is not None:
        x = where(less(x, x_min), x_min, x)
    return x if x_max is None else where(greater(x, x_max), x_max, x)


__all__ = ["clip", "equal", "greater", "greater_equal", "isfinite", "isnan", "less", "less_equal", "maximum", "minimum", "not_equal", "where"]
