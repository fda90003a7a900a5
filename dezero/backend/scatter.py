"""Kernels that write rows to places given by index arrays, where a place may be named more than once."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from dezero.backend.kernels import kernels_of, override, reference


@reference
def scatter_add(xp: Any, y: Any, places: Any, values: Any) -> None:
    """Add ``values[i]`` to row ``places[i]`` of ``y`` in place; the same bits at every run.

    Args:
        xp: the array module.
        y: zeros, C-contiguous, of any shape that parts into rows of D elements.
        places: (M,) integers, each the number of a row.
        values: (M, D) floats; float16 is summed in float32.
    """
    if not values.size:
        return
    order = xp.argsort(places, kind="stable")
    places, values = places[order], _wide(values[order])
    step = 1
    while step < len(places):  # after each round a row holds the sum of its equals among the next 2 * step rows
        same = places[step:] == places[:-step]
        if not same.any():
            break
        values[:-step] += xp.where(same[:, None], values[step:], 0)
        step *= 2
    first = xp.ones(len(places), dtype=bool)
    first[1:] = places[1:] != places[:-1]
    y.reshape(-1, values.shape[1])[places[first]] = values[first].astype(y.dtype)


@override("numpy")
def scatter_add(y: Any, places: Any, values: Any) -> None:  # noqa: F811
    """See the reference. ``add.at`` has a fast loop for one axis alone, some five times faster than the one for rows."""
    d = values.shape[1]
    if d != 1:
        places = (places[:, None] * d + np.arange(d)).reshape(-1)
    if y.dtype == np.float16:
        wide = np.zeros(y.size, np.float32)
        np.add.at(wide, places, values.reshape(-1).astype(np.float32))
        y[...] = wide.reshape(y.shape)
    else:
        np.add.at(y.reshape(-1), places, values.reshape(-1))


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
    if value.size:
        last = last_writes(xp, places)
        y.reshape(prod(y.shape[:k]), -1)[places[last]] = value.reshape(len(places), -1)[last]


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
    if all(getattr(i, "ndim", 0) and i.dtype.kind != "b" for i in items):  # index arrays alone need no table of all places
        return kernels_of(xp).joined_places(items, shape), k
    return xp.arange(prod(shape[:k])).reshape(shape[:k])[tuple(items)], k


@reference
def joined_places(xp: Any, items: Any, shape: tuple[int, ...]) -> Any:
    """Index arrays, one for each of the first axes of ``shape``, as numbers of places; negative ones count from the end.

    Args:
        xp: the array module.
        items: arrays of integers that broadcast with one another.
        shape: whose axes they index.
    """
    places: Any = 0
    for item, n in zip(items, shape, strict=False):
        item = item.astype(np.int64)
        places = places * n + item + n * (item < 0)
    return places


def may_repeat(index: Any) -> bool:
    """Could an index name one place twice? Only one with integer arrays can."""
    return any(getattr(i, "ndim", 0) and i.dtype.kind != "b" for i in (index if isinstance(index, tuple) else (index,)))


def _axes_used(item: Any) -> int:
    """How many axes a part of an index takes up; Ellipsis none by itself."""
    if item is None or item is Ellipsis or isinstance(item, bool):
        return 0
    return item.ndim if getattr(getattr(item, "dtype", None), "kind", "") == "b" else 1


def _wide(x: Any) -> Any:
    return x.astype(np.float32) if x.dtype == np.float16 else x
