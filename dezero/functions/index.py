"""Reading and writing elements by index.

An index is parted into a pattern, which is static (ints, slices, None, Ellipsis), and the index arrays, which are data
and travel as inputs of their own. ``ARRAY`` stands in the pattern where an array belongs.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from dezero.backend import array_module, device, is_array
from dezero.backend.scatter import last_writes, may_repeat, numbered
from dezero.core.arithmetic import SumTo
from dezero.core.checks import check_operand, shown
from dezero.core.function import Function
from dezero.core.types import Array, Operand
from dezero.core.variable import Variable
from dezero.errors import DTypeError, describe

ARRAY = "array"


def part(x: Operand, index: Any) -> tuple[tuple[Any, ...], list[Array]]:
    """The pattern of an index, and its arrays, on the module of ``x``."""
    xp = array_module(x)
    pattern: list[Any] = []
    arrays: list[Array] = []
    for item in index if isinstance(index, tuple) else (index,):
        if isinstance(item, Variable):
            item = item.data
        if isinstance(item, (list, range)):
            item = np.asarray(item) if len(item) else np.zeros(0, int)
        if isinstance(item, (np.generic, np.ndarray)) and not item.ndim:
            item = item.item()
        if is_array(item):
            if array_module(item) is not xp:
                if xp is np:  # the other way an index goes by itself: it is small, and nothing waits for it
                    device.one_place("get_item", (("x", x), ("the index", item)))
                item = xp.asarray(item)
            arrays.append(item)
            item = ARRAY
        pattern.append(item)
    return tuple(pattern), arrays


def whole(pattern: tuple[Any, ...], arrays: Sequence[Array]) -> tuple[Any, ...]:
    """The index again from its pattern and its arrays."""
    rest = iter(arrays)
    return tuple(next(rest) if item is ARRAY else item for item in pattern)


class GetItem(Function, op="get_item"):
    """y = x[slices] for an index without data."""

    def __init__(self, slices):
        self.slices = slices

    def forward(self, x):
        self.before = x.shape
        return x[self.slices]

    def grad_x(self, gy): return GetItemGrad.on(gy, slices=self.slices, in_shape=self.before)
    def hint(self, x): return wrong_index(self.slices, x)


def wrong_index(pattern: Any, x: Array, arrays: Sequence[Array] = ()) -> str | None:
    """What an index cannot hold, or how many axes it may name; None if it is something else."""
    items = pattern if isinstance(pattern, tuple) else (pattern,)
    for item in items:
        if not (item is None or item is Ellipsis or item is ARRAY or isinstance(item, (int, slice))):
            return f"an index is {shown(item)}: only integers, slices, None, ..., and arrays or lists of integers or bools are expected"
    named = [item for item in items if item is not None and item is not Ellipsis]
    if len(named) > x.ndim:
        return f"too many indices, {len(named)}, for the {x.ndim} axes of x"
    for i in arrays:
        if i.dtype.kind not in "iub":
            return f"an index is of {i.dtype}: it must be of integers or bools; use i.astype(int), or x > 0 for a mask"
        if i.dtype.kind == "b" and len(items) == 1 and i.shape != x.shape[:i.ndim]:
            return f"the boolean index did not match: its shape is {i.shape}, it must be that of x's first axes"
    try:
        np.broadcast_shapes(*((int(i.sum()),) if i.dtype.kind == "b" else i.shape for i in arrays))
    except ValueError:
        return f"the index arrays, {' and '.join(str(i.shape) for i in arrays)}, do not broadcast to pairs of places; use np.ix_ for a grid"
    return None


class GetItemGrad(Function, op="get_item_grad"):
    """Zeros to which gy is added at the index: the adjoint of GetItem."""

    def __init__(self, slices, in_shape):
        self.slices, self.in_shape = slices, in_shape

    def forward(self, gy): return scattered(self, gy, self.slices, self.in_shape)
    def grad_gy(self, ggy): return GetItem.on(ggy, slices=self.slices)


class Gather(Function, op="gather"):
    """y = x[slices] for an index with arrays."""

    def __init__(self, slices, op="gather"):
        self.slices, self.op = slices, op

    def forward(self, x, *indices):
        self.before = x.shape
        return x[whole(self.slices, indices)]

    def hint(self, x, *indices):
        return wrong_index(self.slices, x, indices)

    def backward(self, gy, *, indices):
        return (GatherGrad.on(gy, *indices, slices=self.slices, in_shape=self.before), *[None] * len(indices))


class GatherGrad(Function, op="gather_grad"):
    """Zeros to which gy is added at the index: the adjoint of Gather."""

    def __init__(self, slices, in_shape):
        self.slices, self.in_shape = slices, in_shape

    def forward(self, gy, *indices): return scattered(self, gy, whole(self.slices, indices), self.in_shape)

    def backward(self, ggy, *, indices):
        return (Gather.on(ggy, *indices, slices=self.slices), *[None] * len(indices))


def scattered(fn: Function, values: Array, index: Any, shape: tuple[int, ...]) -> Array:
    """Zeros of ``shape`` to which ``values`` is added at ``index``."""
    y = fn.xp.zeros(shape, values.dtype)
    if may_repeat(index):
        places, k = numbered(fn.xp, index, shape)
        fn.kernels.scatter_add(y, places.reshape(-1), values.reshape(places.size, prod(shape[k:])))
    else:
        y[index] = values
    return y


class Writing(Function):
    """What writing to an index shares."""

    def __init__(self, slices):
        self.slices = slices

    def hint(self, x, value, *indices):
        if wrong := wrong_index(self.slices, x, indices):
            return wrong
        try:
            return f"value must broadcast to the elements that are named, {x[whole(self.slices, indices)].shape}"
        except IndexError as error:
            return str(error)

    def summed(self, g):
        """The gradient of a value from that of the elements it was broadcast to."""
        shape = self.value_shape
        extra = max(len(shape) - g.ndim, 0)  # NumPy lets a value have more axes in front, if they are of size 1
        return SumTo.on(g, shape=shape[extra:]).reshape(shape)


class IndexSet(Writing, op="index_set"):
    """A copy of x with x[slices] = value."""

    def forward(self, x, value, *indices):
        self.value_shape = value.shape
        y = x.copy()
        self.kernels.write_at(y, whole(self.slices, indices), value.astype(x.dtype))
        return y

    def backward(self, gy, *, indices):
        gx = gv = None
        if self.needs_grad(0):
            gx = IndexSet.on(gy, self.xp.zeros((), gy.dtype), *indices, slices=self.slices)
        if self.needs_grad(1):
            gv = Gather.on(gy, *indices, slices=self.slices)
            index = whole(self.slices, indices)
            if may_repeat(index):  # a value that was overwritten has no gradient
                places, k = numbered(self.xp, index, gy.shape)
                stays = last_writes(self.xp, places.reshape(-1)).reshape(places.shape + (1,) * (gy.ndim - k))
                gv = gv * stays.astype(gy.dtype)
            gv = self.summed(gv)
        return (gx, gv, *[None] * len(indices))


class IndexAdd(Writing, op="index_add"):
    """A copy of x with value added at x[slices], as often as a place is named."""

    def forward(self, x, value, *indices):
        self.value_shape = value.shape
        index = whole(self.slices, indices)
        value = value.astype(x.dtype)
        if not may_repeat(index):
            y = x.copy()
            y[index] += value
            return y
        self.xp.broadcast_to(self.xp.zeros((), bool), x.shape)[index]  # refuses what x[index] would; numbered() believes all
        places, k = numbered(self.xp, index, x.shape)
        shape = places.shape + x.shape[k:]
        value = value.reshape(value.shape[max(value.ndim - len(shape), 0):])
        return x + scattered(self, self.xp.broadcast_to(value, shape), index, x.shape)

    def backward(self, gy, *, indices):
        gv = self.summed(Gather.on(gy, *indices, slices=self.slices)) if self.needs_grad(1) else None
        return (gy, gv, *[None] * len(indices))


def get_item(x: Operand, slices: Any) -> Variable:
    """Elements of ``x`` by index, as NumPy's ``x[slices]``.

    Args:
        x: any shape and dtype.
        slices: ints, slices, None, Ellipsis, arrays or lists of ints or bools, Variables of ints, or a tuple of these.

    Returns:
        A view for an index without arrays, else a copy. In its gradient, elements taken more than once add up.

    Raises:
        IndexError: an index is out of range, or of a wrong kind.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x = Variable(np.arange(6.0).reshape(2, 3))
        >>> print(F.get_item(x, 1), x[:, [0, 0, 2]])
        variable([3. 4. 5.]) variable([[0. 0. 2.]
                  [3. 3. 5.]])
    """
    if type(slices) is int or type(slices) is slice:
        return GetItem(slices)(x)
    pattern, arrays = part(x, slices)
    return Gather(pattern, "get_item")(x, *arrays) if arrays else GetItem(pattern)(x)


def index_set(x: Operand, index: Any, value: Operand) -> Variable:
    """A copy of ``x`` with ``x[index] = value``, differentiable in both.

    Args:
        x: any shape and dtype.
        index: as for :func:`get_item`. Where a place is named more than once, the last value stays.
        value: broadcasts to the shape of ``x[index]``; it takes the dtype of ``x``.

    Raises:
        IndexError: an index is out of range.
        ShapeError: ``value`` does not broadcast to ``x[index]``.
        DTypeError: ``x`` is of integers and ``value`` is not.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.index_set(Variable(np.array([1.0, 2.0, 3.0])), slice(1, None), 0.0))
        variable([1. 0. 0.])
    """
    check_writable("index_set", x, value)
    pattern, arrays = part(x, index)
    return IndexSet(pattern)(x, value, *arrays)


def index_add(x: Operand, index: Any, value: Operand) -> Variable:
    """A copy of ``x`` with ``value`` added at ``x[index]``; a place named more than once gets each of its values.

    Args:
        x: any shape and dtype.
        index: as for :func:`get_item`.
        value: broadcasts to the shape of ``x[index]``; it takes the dtype of ``x``.

    Raises:
        IndexError: an index is out of range.
        ShapeError: ``value`` does not broadcast to ``x[index]``.
        DTypeError: ``x`` is of integers and ``value`` is not.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.index_add(Variable(np.zeros(3)), [0, 0, 2], np.array([1.0, 2.0, 5.0])))
        variable([3. 0. 5.])
    """
    check_writable("index_add", x, value)
    pattern, arrays = part(x, index)
    return IndexAdd(pattern)(x, value, *arrays)


def check_writable(op: str, x: Operand, value: Operand) -> None:
    """Refuse to cut floats down to integers, as NumPy's assignment does without a word."""
    for name, v in (("x", x), ("value", value)):
        check_operand(op, name, v)
    kinds = [np.dtype(getattr(v, "dtype", type(v))).kind for v in (x, value)]
    if kinds[0] in "iub" and kinds[1] not in "iub":
        raise DTypeError(f"{op}: value is of floats and x is {describe(x)}: the values would be cut off; use x.astype(np.float32)")


__all__ = ["get_item", "index_add", "index_set"]
