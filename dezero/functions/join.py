"""Ops that put arrays together, part them, repeat their elements, and pad them."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index as as_int
from typing import Any

import numpy as np

from dezero.backend import is_array
from dezero.core.arithmetic import SumTo
from dezero.core.checks import check_operand, integer, shown
from dezero.core.function import Function
from dezero.core.types import Operand
from dezero.core.variable import Variable
from dezero.errors import InputTypeError, ShapeError, describe
from dezero.functions.lookup import take
from dezero.functions.reduce import wrong_axis
from dezero.functions.shape import axes_of, reshape, shape_of, sizes_of


def along(axis: int, item: Any) -> tuple[Any, ...]:
    """The index that takes ``item`` on one axis and all on the axes before it."""
    return (*[slice(None)] * axis, item)


class Concatenate(Function, op="concatenate"):
    """Arrays one after the other along an axis."""

    def __init__(self, axis=0):
        self.axis = axis

    def forward(self, *xs):
        y = self.xp.concatenate(xs, self.axis)
        self.sizes = [x.shape[self.axis] for x in xs]
        return y

    def backward(self, gy):
        gradients, start = [], 0
        for i, size in enumerate(self.sizes):
            part = along(self.axis % gy.ndim, slice(start, start + size))
            gradients.append(gy[part] if self.needs_grad(i) else None)
            start += size
        return gradients

    def hint(self, *xs):
        if not all(x.ndim for x in xs):
            return "0-d arrays have no axis to join along: use stack"
        if len({x.ndim for x in xs}) == 1 and (wrong := wrong_axis(self.axis, xs[0].ndim)):
            return wrong
        return f"the shapes must be equal but for axis {self.axis}"


class Stack(Function, op="stack"):
    """Arrays of one shape along a new axis."""

    def __init__(self, axis=0):
        self.axis = axis

    def forward(self, *xs): return self.xp.stack(xs, self.axis)

    def backward(self, gy):
        axis = self.axis % gy.ndim
        return [gy[along(axis, i)] if self.needs_grad(i) else None for i in range(gy.shape[axis])]

    def hint(self, *xs):
        if len({x.shape for x in xs}) > 1:
            return "the shapes must be equal: use concatenate to join along an axis that is there"
        return f"axis {self.axis} must lie in [{-xs[0].ndim - 1}, {xs[0].ndim}]"


class Split(Function, op="split"):
    """The parts of an array along an axis."""

    def __init__(self, sections, axis=0):
        self.sections, self.axis = sections, axis

    def forward(self, x): return tuple(self.xp.split(x, self.sections, self.axis))
    def backward(self, *gys): return Concatenate.on(*gys, axis=self.axis)

    def hint(self, x):
        size = x.shape[self.axis]
        return f"axis {self.axis} of size {size} cannot be parted into {self.sections} equal parts: give the places to cut at, (3, 5) say"


class Tile(Function, op="tile"):
    """The whole array repeated along its axes."""

    def __init__(self, reps):
        self.reps = reps

    def forward(self, x):
        self.before = x.shape
        return self.xp.tile(x, self.reps)

    def grad_x(self, gy):
        n = gy.ndim
        shape = (1,) * (n - len(self.before)) + self.before
        reps = (1,) * (n - len(self.reps)) + self.reps
        pairs = [s for pair in zip(reps, shape, strict=True) for s in pair]
        return SumTo.on(gy.reshape(pairs), shape=[s for size in shape for s in (1, size)]).reshape(self.before)


class Repeat(Function, op="repeat"):
    """Each element repeated along an axis."""

    def __init__(self, repeats, axis):
        self.repeats, self.axis = repeats, axis

    def forward(self, x):
        self.before = x.shape
        return self.xp.repeat(x, self.repeats, self.axis)

    def grad_x(self, gy):
        before, after = self.before[:self.axis + 1], self.before[self.axis + 1:]
        return SumTo.on(gy.reshape(*before, self.repeats, *after), shape=(*before, 1, *after)).reshape(self.before)


class Pad(Function, op="pad"):
    """A number around an array."""

    def __init__(self, widths, value=0):
        self.widths, self.value = widths, value

    def forward(self, x):
        self.inside = tuple(slice(a, a + s) for s, (a, _) in zip(x.shape, self.widths, strict=True))
        y = self.xp.full([a + s + b for s, (a, b) in zip(x.shape, self.widths, strict=True)], self.value, x.dtype)
        y[self.inside] = x
        return y

    def grad_x(self, gy): return gy[self.inside]


def concatenate(xs: Sequence[Operand], axis: int | None = 0) -> Variable:
    """Arrays one after the other along an axis.

    Args:
        xs: at least one array; the shapes are equal but for the axis.
        axis: the axis; None flattens the arrays first.

    Raises:
        ShapeError: the shapes differ elsewhere, or there is nothing to join.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.concatenate([Variable(np.array([1.0, 2.0])), np.array([3.0])]))
        variable([1. 2. 3.])
    """
    xs, axis = several("concatenate", xs), None if axis is None else axis_of("concatenate", axis)
    if axis is None:
        return Concatenate(0)(*(reshape(x, (-1,)) for x in xs))
    return Concatenate(axis)(*xs)


concat = concatenate


def stack(xs: Sequence[Operand], axis: int = 0) -> Variable:
    """Arrays of one shape along a new axis.

    Args:
        xs: at least one array or number.
        axis: the place of the new axis in the result; negative counts from the last.

    Raises:
        ShapeError: the shapes differ, there is no such axis, or there is nothing to stack.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.stack([Variable(np.array([1.0, 2.0])), np.array([3.0, 4.0])], axis=1))
        variable([[1. 3.]
                  [2. 4.]])
    """
    return Stack(axis_of("stack", axis))(*several("stack", xs))


def axis_of(op: str, axis: Any) -> int:
    """An axis to join along."""
    if isinstance(axis, Variable) or is_array(axis):
        raise TypeError(f"{op}: axis is {describe(axis)}: an int is expected; put the arrays into one list, {op}([a, b])")
    return integer(op, "axis", axis)


def several(op: str, xs: Any) -> list[Any]:
    """The arrays to join; at least one."""
    if not hasattr(xs, "__iter__") or getattr(xs, "shape", None) == ():
        raise InputTypeError(f"{op}: a list or tuple of arrays is expected: {shown(xs)} was given")
    parts = list(xs)
    if not parts:
        raise ShapeError(f"{op}: a list or tuple of at least one array is expected: an empty one was given")
    for i, x in enumerate(parts):
        check_operand(op, f"xs[{i}]", x)
    return parts


def split(x: Operand, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Variable]:
    """The parts of an array along an axis.

    Args:
        x: at least 1-d.
        indices_or_sections: the number of equal parts, or the places to cut at: ``(2, 5)`` gives ``x[:2], x[2:5], x[5:]``.
        axis: the axis.

    Returns:
        The parts, as views.

    Raises:
        ShapeError: there is no such axis, or it does not divide into equal parts.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(*F.split(Variable(np.arange(4.0)), [1]))
        variable([0.]) variable([1. 2. 3.])
    """
    axis, = axes_of("split", axis, shape_of("split", x))
    if isinstance(indices_or_sections, (int, np.integer)):
        sections: Any = as_int(indices_or_sections)
        if sections < 1:
            raise ShapeError(f"split: {sections} sections: at least 1 is needed")
    else:
        sections = sizes_of("split", indices_or_sections, "indices_or_sections")
    parts = Split(sections, axis)(x)
    return parts if isinstance(parts, list) else [parts]


def tile(x: Operand, reps: int | tuple[int, ...]) -> Variable:
    """The whole array repeated along its axes.

    Args:
        x: any shape and dtype.
        reps: how often along each axis, counted from the last; more numbers than axes add axes in front.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.tile(Variable(np.array([1.0, 2.0])), 2))
        variable([1. 2. 1. 2.])
    """
    times = sizes_of("tile", reps, "reps")
    if min(times, default=0) < 0:
        raise ShapeError(f"tile: reps is {reps}: it must not be negative")
    return Tile(times)(x)


def repeat(x: Operand, repeats: int | Sequence[int], axis: int | None = None) -> Variable:
    """Each element repeated.

    Args:
        x: any shape and dtype.
        repeats: how often, one number for all or one for each place of the axis.
        axis: None repeats the elements of the flattened array.

    Raises:
        ShapeError: there is no such axis, or ``repeats`` does not fit it.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.repeat(Variable(np.array([1.0, 2.0])), [1, 3]))
        variable([1. 2. 2. 2.])
    """
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    shape = shape_of("repeat", x)
    axis, = axes_of("repeat", axis, shape)
    times = sizes_of("repeat", repeats, "repeats")
    if min(times, default=0) < 0:
        raise ShapeError(f"repeat: repeats {times}: they must not be negative")
    if len(times) == 1:
        return Repeat(times[0], axis)(x)
    size = shape[axis]
    if len(times) != size:
        raise ShapeError(f"repeat: x {shape} and {len(times)} repeats: one for all is needed, or {size}, one for each place of axis {axis}")
    return take(x, np.repeat(np.arange(size), times), axis)


def pad(x: Operand, pad_width: Any, mode: str = "constant", constant_values: float = 0) -> Variable:
    """More elements around an array.

    Args:
        x: any shape and dtype.
        pad_width: how many: a number for all sides, a pair (before, after) for all axes, or a pair for each axis.
        mode: ``"constant"``, or one of NumPy's modes that repeat elements: ``"edge"``, ``"reflect"``, ``"symmetric"``, ``"wrap"``.
        constant_values: the number for ``"constant"``.

    Raises:
        ShapeError: ``pad_width`` does not fit ``x``, or is negative.
        ValueError: the mode is unknown.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x = Variable(np.array([1.0, 2.0, 3.0]))
        >>> print(F.pad(x, (1, 2)), F.pad(x, 1, mode="reflect"))
        variable([0. 1. 2. 3. 0. 0.]) variable([2. 1. 2. 3. 2.])
    """
    shape = shape_of("pad", x)
    try:
        widths = [(as_int(a), as_int(b)) for a, b in np.broadcast_to(np.asarray(pad_width), (len(shape), 2)).tolist()]
    except (TypeError, ValueError):
        raise ShapeError(f"pad: x {shape} and pad_width {pad_width}: ints are expected, one for all sides, "
                         f"a pair (before, after), or {len(shape)} pairs, one for each axis") from None
    if any(w < 0 for pair in widths for w in pair):
        raise ShapeError(f"pad: pad_width {pad_width} must not be negative: cut with x[1:-1] and the like")
    if mode == "constant":
        return Pad(widths, constant_values)(x)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise ValueError(f"pad: mode {mode!r} is unknown: constant, edge, reflect, symmetric and wrap are there")
    y: Any = x
    for axis, (size, pair) in enumerate(zip(shape, widths, strict=True)):
        if pair != (0, 0):
            if not size:
                raise ShapeError(f"pad: x {shape}: axis {axis} is empty and has nothing to repeat: use mode='constant'")
            y = take(y, np.pad(np.arange(size), pair, mode=mode), axis)  # type: ignore[call-overload]
    return y if isinstance(y, Variable) else reshape(y, shape)


__all__ = ["concat", "concatenate", "pad", "repeat", "split", "stack", "tile"]
