"""Kernels that write rows to places given by index arrays, where a place may be named more than once."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from dezero.backend.kernels import override, reference


@reference
def scatter_add(xp: Any, index: Any, values: Any, n: int) -> Any:
    """Rows of zeros to which ``values[i]`` is added at row ``index[i]``; the same bits at every run.

    Args:
        xp: the array module.
        index: (M,) integers in [0, n).
        values: (M, D) floats; float16 is summed in float32.
        n: number of rows.

    Returns:
        (n, D) in the dtype of ``values``.
    """
    dtype = values.dtype
    order = xp.argsort(index, kind="stable")
    index, values = index[order], _wide(values[order])
    step = 1
    while step < len(index):  # after each round a row holds the sum of its equals among the next 2 * step rows
        same = index[step:] == index[:-step]
        if not same.any():
            break
        values[:-step] += xp.where(same[:, None], values[step:], 0)
        step *= 2
    first = xp.ones(len(index), dtype=bool)
    first[1:] = index[1:] != index[:-1]
    y = xp.zeros((n, values.shape[1]), dtype)
    y[index[first]] = values[first].astype(dtype)
    return y


@override("numpy")
def scatter_add(index: Any, values: Any, n: int) -> Any:  # noqa: F811
    """See the reference. ``add.at`` has a fast loop for one axis alone, some five times faster than the one for rows."""
    dtype, d = values.dtype, values.shape[1]
    values = _wide(values)
    y = np.zeros(n * d, values.dtype)
    if d != 1:
        index = (index[:, None] * d + np.arange(d)).ravel()
    np.add.at(y, index, values.ravel())
    return y.reshape(n, d).astype(dtype, copy=False)


@reference
def write_at(xp: Any, y: Any, index: Any, value: Any) -> None:
    """``y[index] = value`` in place, C-contiguous ``y``; where a place is named more than once, the last write stays."""
    if not may_repeat(index):
        y[index] = value
        return
    places, k = numbered(xp, index, y.shape)
    shape = places.shape + y.shape[k:]
    value = xp.broadcast_to(value.reshape(value.shape[max(value.ndim - len(shape), 0):]), shape)
    places = places.reshape(-1)
    last = last_writes(xp, places)
    y.reshape(prod(y.shape[:k]), -1 if y.size else 0)[places[last]] = value.reshape(places.size, -1 if value.size else 0)[last]


@override("numpy")
def write_at(y: Any, index: Any, value: Any) -> None:  # noqa: F811
    """See the reference. NumPy writes in the order of the index."""
    y[index] = value


def last_writes(xp: Any, places: Any) -> Any:
    """(M,) bools: which of the writes to ``places`` (M,) no later one overwrites."""
    order = xp.argsort(places, kind="stable")
    places = places[order]
    last = xp.ones(len(places), dtype=bool)
    last[:-1] = places[1:] != places[:-1]
    mask = xp.empty(len(places), dtype=bool)
    mask[order] = last
    return mask


def numbered(xp: Any, index: Any, shape: tuple[int, ...]) -> tuple[Any, int]:
    """Which places of the first k axes an index names, each as one number, in the shape of the result; and k.

    The axes behind, which the index leaves alone, follow as they are in ``x[index]``.
    """
    items = list(index) if isinstance(index, tuple) else [index]
    used = [_axes_used(i) for i in items]
    at = next((i for i, item in enumerate(items) if item is Ellipsis), None)
    if at is not None:
        skipped = len(shape) - sum(used)
        items[at:at + 1], used[at:at + 1] = [slice(None)] * skipped, [1] * skipped
    while items and isinstance(items[-1], slice) and items[-1] == slice(None):
        items.pop()
        used.pop()
    k = sum(used)
    return xp.arange(prod(shape[:k])).reshape(shape[:k])[tuple(items)], k


def may_repeat(index: Any) -> bool:
    """Could an index name one place twice? Only one with integer arrays can."""
    return any(getattr(i, "ndim", 0) and i.dtype != bool for i in (index if isinstance(index, tuple) else (index,)))


def _axes_used(item: Any) -> int:
    """How many axes a part of an index takes up; Ellipsis none by itself."""
    if item is None or item is Ellipsis or isinstance(item, bool):
        return 0
    return item.ndim if getattr(item, "dtype", None) == bool else 1


def _wide(x: Any) -> Any:
    return x.astype(np.float32) if x.dtype == np.float16 else x
