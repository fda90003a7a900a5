"""Lookups by whole arrays of numbers: slices along an axis, rows of a table, one-hot vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.backend import array_module, arrays, device, is_array
from dezero.backend.arrays import kind_of
from dezero.config import current
from dezero.core.checks import integer, may_look
from dezero.core.types import Array, Operand
from dezero.core.variable import Variable
from dezero.errors import DTypeError, ShapeError, describe
from dezero.functions.index import ARRAY, Gather, get_item, part
from dezero.functions.shape import axes_of, reshape, shape_of


def take(x: Operand, indices: Any, axis: int | None = None) -> Variable:
    """Slices of ``x`` by their numbers along an axis.

    Args:
        x: any shape and dtype.
        indices: ints of any shape.
        axis: None takes from the flattened array.

    Returns:
        The shape of ``x`` with that of ``indices`` in place of the axis.

    Raises:
        IndexError: an index is out of range.
        DTypeError: the indices are no integers.
        ShapeError: there is no such axis.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.take(Variable(np.array([[1.0, 2.0], [3.0, 4.0]])), [1, 0, 1], axis=1))
        variable([[2. 1. 2.]
                  [4. 3. 4.]])
    """
    shape = shape_of("take", x)
    index = getattr(indices, "_data", indices)
    index = index if is_array(index) else np.asarray(index, int if isinstance(index, (list, tuple)) and not index else None)
    if index.dtype.kind not in "iu":  # a bool would be a mask
        raise DTypeError(f"take: indices {describe(index)}: integers are expected")
    if axis is None:
        return get_item(reshape(x, (-1,)), index)
    axis, = axes_of("take", axis, shape)
    return get_item(x, (slice(None),) * axis + (index,))


def take_along_axis(x: Operand, indices: Operand, axis: int) -> Variable:
    """One element of each line along an axis for each index, as sorting with ``argsort`` needs.

    Args:
        x: (..., N, ...) with N at ``axis``.
        indices: (..., M, ...) ints; the other axes broadcast against those of ``x``.
        axis: the axis.

    Returns:
        (..., M, ...).

    Raises:
        IndexError: an index is out of range.
        ShapeError: ``indices`` has another number of axes.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x = Variable(np.array([[3.0, 1.0], [5.0, 9.0]]))
        >>> print(F.take_along_axis(x, np.array([[1], [0]]), 1))
        variable([[1.]
                  [5.]])
    """
    shape, given = shape_of("take_along_axis", x), shape_of("take_along_axis", indices, "indices")
    n = len(given)
    axis, = axes_of("take_along_axis", axis, shape)
    if n != len(shape):
        raise ShapeError(f"take_along_axis: x {shape} and indices {given}: they must have equally many axes")
    xp = array_module(x)
    index = [indices if i == axis else xp.arange(s).reshape((1,) * i + (s,) + (1,) * (n - i - 1)) for i, s in enumerate(shape)]
    pattern, arrays = part(x, tuple(index))
    return Gather(pattern, "take_along_axis")(x, *arrays)


def checked_ids(head: str, ids: Any, n: int, xp: Any) -> Array:
    """Integers in [0, n), on module ``xp``. Unchecked, NumPy would count negative ones from the end and CuPy wrap any around."""
    if isinstance(ids, Variable):
        ids = ids.data
    if not is_array(ids):
        ids = np.asarray(ids)
    if ids.dtype.kind not in "iu":
        raise DTypeError(f"{head} {ids.shape} {ids.dtype}: integers are expected; use x.astype(np.int64)")
    if ids.size and may_look(ids):  # before they go to a device
        low, high = int(ids.min()), int(ids.max())
        if low < 0 or high >= n:
            raise IndexError(f"{head} {ids.shape} {ids.dtype}: {low if low < 0 else high} is out of range: there are {n}, from 0 to {n - 1}")
    return ids if array_module(ids) is xp else xp.asarray(ids)


def embedding(x: Operand, W: Operand) -> Variable:
    """Rows of a table: y = W[x].

    Args:
        x: ids in [0, N), integers of any shape.
        W: the table, (N, ...). Its gradient is dense; rows that are looked up more than once add up.

    Returns:
        The shape of ``x`` with the axes of a row behind it.

    Raises:
        IndexError: an id is out of range, a negative one too. Ids on a device are looked at within ``detect_anomaly`` only, as the host would have
            to wait for it; else the row of one that is out of range is NaN.
        DTypeError: the ids are no integers.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> W = Variable(np.array([[1.0, 2.0], [3.0, 4.0]]))
        >>> print(F.embedding(np.array([1, 1, 0]), W))
        variable([[3. 4.]
                  [3. 4.]
                  [1. 2.]])
    """
    shape = shape_of("embedding", W, "W")
    if not shape:
        raise ShapeError("embedding: W is 0-d: a table of rows, (N, D) say, is expected")
    if hasattr(x, "dtype") and kind_of(x.dtype) == "f" and W.dtype.kind in "iu":
        raise DTypeError(f"embedding: x {describe(x)} and W {describe(W)}: the ids come first, then the table")
    if arrays.foreign:
        device.one_place(": ".join(part for part in (current().layer, "embedding") if part), (("x", x), ("W", W)))
    return Gather((ARRAY,), "embedding")(W, checked_ids(f"embedding: W {shape}: ids x", x, shape[0], array_module(W)))


embed_id = embedding


def one_hot(t: Operand, num_classes: int, dtype: Any = np.float32) -> Variable:
    """Class numbers as vectors with a single 1; a constant.

    Args:
        t: integers in [0, num_classes), of any shape.
        num_classes: the length of the vectors.
        dtype: theirs.

    Returns:
        The shape of ``t`` with an axis of ``num_classes`` behind it.

    Raises:
        IndexError: a class is out of range. On a device that is found within ``detect_anomaly`` only; else its vector is all zeros.
        DTypeError: the classes are no integers.
        ValueError: ``num_classes`` is not positive.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.one_hot(np.array([1, 0]), 3))
        variable([[0. 1. 0.]
                  [1. 0. 0.]])
    """
    xp = array_module(t)
    num_classes = integer("one_hot", "num_classes", num_classes)
    if num_classes < 1:
        raise ValueError(f"one_hot: num_classes is {num_classes}: at least 1 is needed")
    t = checked_ids("one_hot: classes t", t, num_classes, xp)
    return Variable((t[..., None] == xp.arange(num_classes)).astype(dtype), requires_grad=False)


__all__ = ["embed_id", "embedding", "one_hot", "take", "take_along_axis"]
