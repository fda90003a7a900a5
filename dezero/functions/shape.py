"""Ops that give the same elements another shape or order, and broadcasting."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index as as_int
from typing import Any

from dezero.core.arithmetic import BroadcastTo, SumTo
from dezero.core.checks import check_operand, shown
from dezero.core.function import Function
from dezero.core.types import Axis, Operand, Shape
from dezero.core.variable import Variable
from dezero.errors import ShapeError


def shape_of(op: str, x: Operand, name: str = "x") -> tuple[int, ...]:
    """The shape of an operand; a number has none.

    Raises:
        InputTypeError: ``x`` is a list, or something else that is no operand.
    """
    if not isinstance(x, Variable):
        check_operand(op, name, x)
    return tuple(getattr(x, "shape", ()))


def sizes_of(op: str, shape: Any, name: str = "shape") -> tuple[int, ...]:
    """A shape given as an int, or as any sequence of ints, as a tuple of Python ints."""
    try:
        several = isinstance(shape, Sequence) or getattr(shape, "shape", None) not in (None, ())
        return tuple(map(as_int, shape)) if several else (as_int(shape),)
    except TypeError:
        raise TypeError(f"{op}: {name} is {shown(shape)}: an int or a tuple of ints is expected") from None


def axes_of(op: str, axis: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """An axis or several, negative ones counted from the last, as a tuple of places in ``shape``."""
    axes = sizes_of(op, axis, "axis")
    n = len(shape)
    for a in axes:
        if not -n <= a < n:
            raise ShapeError(f"{op}: axis {a} for an array of shape {shape}: " + (f"it must lie in [{-n}, {n - 1}]" if n else "it has no axes"))
    if len({a % n for a in axes}) < len(axes):
        raise ShapeError(f"{op}: axes {axes} for an array of shape {shape}: one axis is named twice")
    return tuple(a % n for a in axes)


class Reshaping(Function):
    """An op that changes the shape alone: its gradient is the incoming one in the old shape."""

    def grad_x(self, gy): return gy.reshape(self.before)


class Reshape(Reshaping, op="reshape"):
    """The same elements in another shape."""

    def __init__(self, shape):
        self.to = shape

    def forward(self, x):
        self.before = x.shape
        if self.to and min(self.to) < -1:  # NumPy takes -2 for -1
            raise ShapeError(self.hint(x))
        return x.reshape(self.to)

    def hint(self, x):
        known = [s for s in self.to if s != -1]
        count = 1
        for s in known:
            count *= s
        if min(known, default=0) < -1:
            return f"the new shape {self.to} has a negative size; only -1 may stand for a size that follows from the others"
        if len(self.to) - len(known) > 1:
            return f"the new shape {self.to} has more than one -1: only one size can follow from the others"
        if len(self.to) > len(known):
            return f"{x.size} elements do not divide into the new shape {self.to}, whose known sizes hold {count}"
        return f"{x.size} elements do not fit the new shape {self.to}, which holds {count}"


class ExpandDims(Reshaping, op="expand_dims"):
    """New axes of size 1."""

    def __init__(self, axis):
        self.axis = axis

    def forward(self, x):
        self.before = x.shape
        return self.xp.expand_dims(x, self.axis)

    def hint(self, x):
        n = x.ndim + (len(self.axis) if isinstance(self.axis, tuple) else 1)
        return f"axis {self.axis}: the result has {n} axes, so each new one must be a different number in [{-n}, {n - 1}]"


class Squeeze(Reshaping, op="squeeze"):
    """Without axes of size 1."""

    def __init__(self, axis=None):
        self.axis = axis

    def forward(self, x):
        self.before = x.shape
        return x.squeeze(self.axis)

    def hint(self, x):
        return f"axis {self.axis} must name axes of size 1, and x has {', '.join(map(str, ones)) if (ones := self.ones(x)) else 'none'}"

    def ones(self, x):
        """The axes of size 1."""
        return [i for i, s in enumerate(x.shape) if s == 1]


class Transpose(Function, op="transpose"):
    """The axes in another order."""

    def __init__(self, axes=None):
        self.axes = axes

    def forward(self, x): return x.transpose(self.axes)

    def grad_x(self, gy):
        if self.axes is None:
            return gy.transpose()
        n = len(self.axes)
        return gy.transpose(tuple(sorted(range(n), key=lambda i: self.axes[i] % n)))

    def hint(self, x):
        return f"axes {self.axes} must name each of its {x.ndim} axes once"


def reshape(x: Operand, shape: Shape) -> Variable:
    """The same elements in another shape.

    Args:
        x: any shape and dtype.
        shape: the new shape; one size may be -1 and follows from the others.

    Returns:
        A view where NumPy can give one; ``x`` itself if it is a Variable of that shape already.

    Raises:
        ShapeError: the new shape holds another number of elements.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> F.reshape(Variable(np.arange(6.0)), (2, -1)).shape
        (2, 3)
    """
    shape = sizes_of("reshape", shape)
    return x if isinstance(x, Variable) and x.shape == shape else Reshape(shape)(x)


def transpose(x: Operand, axes: tuple[int, ...] | None = None) -> Variable:
    """The axes in another order.

    Args:
        x: any shape and dtype.
        axes: for each new axis the old one; None reverses all.

    Raises:
        ShapeError: ``axes`` does not name each axis once.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> F.transpose(Variable(np.zeros((2, 3, 4))), (0, 2, 1)).shape
        (2, 4, 3)
    """
    return Transpose(None if axes is None else sizes_of("transpose", axes, "axes"))(x)


def swapaxes(x: Operand, axis1: int, axis2: int) -> Variable:
    """Two axes exchanged.

    Raises:
        ShapeError: there is no such axis.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> F.swapaxes(Variable(np.zeros((2, 3, 4))), 0, -1).shape
        (4, 3, 2)
    """
    shape = shape_of("swapaxes", x)
    order = list(range(len(shape)))
    i, = axes_of("swapaxes", axis1, shape)
    j, = axes_of("swapaxes", axis2, shape)
    order[i], order[j] = j, i
    return Transpose(tuple(order))(x)


def moveaxis(x: Operand, source: int | tuple[int, ...], destination: int | tuple[int, ...]) -> Variable:
    """Axes moved to other places; the others keep their order.

    Args:
        x: any shape and dtype.
        source: an axis or several.
        destination: the new place of each.

    Raises:
        ShapeError: there is no such axis, or source and destination differ in number.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> F.moveaxis(Variable(np.zeros((2, 3, 4))), 0, -1).shape
        (3, 4, 2)
    """
    shape = shape_of("moveaxis", x)
    old, new = axes_of("moveaxis", source, shape), axes_of("moveaxis", destination, shape)
    if len(old) != len(new):
        raise ShapeError(f"moveaxis: source {source} and destination {destination} must name equally many axes")
    order = [i for i in range(len(shape)) if i not in old]
    for to, i in sorted(zip(new, old, strict=True)):
        order.insert(to, i)
    return Transpose(tuple(order))(x)


def expand_dims(x: Operand, axis: int | tuple[int, ...]) -> Variable:
    """New axes of size 1.

    Args:
        x: any shape and dtype.
        axis: the place of the new axis in the result, or of several; negative counts from the last.

    Raises:
        ShapeError: the result would have no such axis.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> F.expand_dims(Variable(np.zeros((2, 3))), -1).shape
        (2, 3, 1)
    """
    return ExpandDims(axis if isinstance(axis, int) else sizes_of("expand_dims", axis, "axis"))(x)


def squeeze(x: Operand, axis: Axis = None) -> Variable:
    """Without axes of size 1.

    Args:
        x: any shape and dtype.
        axis: those to remove; None removes all of size 1.

    Raises:
        ShapeError: an axis is not of size 1.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> F.squeeze(Variable(np.zeros((2, 1, 3, 1))), 1).shape
        (2, 3, 1)
    """
    return Squeeze(axis if axis is None or isinstance(axis, int) else sizes_of("squeeze", axis, "axis"))(x)


def flatten(x: Operand) -> Variable:
    """Each sample as one row: (N, ...) to (N, M).

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> F.flatten(Variable(np.zeros((5, 3, 4, 4)))).shape
        (5, 48)
    """
    shape = shape_of("flatten", x)
    rest = 1
    for s in shape[1:]:
        rest *= s
    return reshape(x, (shape[0] if shape else 1, rest))


def broadcast_to(x: Operand, shape: Shape) -> Variable:
    """``x`` stretched to a shape as NumPy's broadcasting does.

    Args:
        x: any shape and dtype.
        shape: each axis, counted from the last, is that of ``x``, or ``x`` has size 1 or no axis there.

    Returns:
        A read-only view; ``x`` itself if it is a Variable of that shape already.

    Raises:
        ShapeError: ``x`` does not broadcast to it.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.broadcast_to(Variable(np.array([1.0, 2.0])), (2, 2)))
        variable([[1. 2.]
                  [1. 2.]])
    """
    shape = sizes_of("broadcast_to", shape)
    return x if isinstance(x, Variable) and x.shape == shape else BroadcastTo(shape)(x)


def sum_to(x: Operand, shape: Shape) -> Variable:
    """Sum over axes so that the result has a shape that broadcasts to that of ``x``.

    Raises:
        ShapeError: the shape does not broadcast to that of ``x``.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.sum_to(Variable(np.ones((2, 3))), (1, 3)))
        variable([[2. 2. 2.]])
    """
    shape = sizes_of("sum_to", shape)
    return x if isinstance(x, Variable) and x.shape == shape else SumTo(shape)(x)


__all__ = ["broadcast_to", "expand_dims", "flatten", "moveaxis", "reshape", "squeeze", "sum_to", "swapaxes", "transpose"]
