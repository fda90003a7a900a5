"""Numbers of samples: from ints, slices, lists and arrays."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from dezero.backend import array_module, is_array
from dezero.core.checks import shown
from dezero.errors import InputTypeError, describe


def one_index(index: Any) -> int | None:
    """The int that ``index`` is, or None for what asks for a batch."""
    try:
        return operator.index(index)
    except TypeError:
        return None


def many_indices(index: Any, n: int) -> Any:
    """A slice, or ints or bools, as an array of numbers from 0 to n - 1.

    Raises:
        IndexError: one is out of range, or there are not ``n`` bools.
        TypeError: the index is none of these.
    """
    if isinstance(index, slice):
        return np.arange(n)[index]
    if isinstance(index, (str, tuple)) or not (is_array(index) or isinstance(index, (list, range))):
        raise TypeError(f"data set: the index is {shown(index)}: an int, a slice, or a list or array of ints or bools is expected")
    array = np.asarray(index) if len(index) else np.zeros(0, np.intp)
    if array.ndim != 1 or array.dtype.kind not in "iub":
        raise InputTypeError(f"data set: the index is {describe(array)}: a vector of ints or bools is expected")
    if array.dtype.kind == "b" and len(array) != n:
        raise IndexError(f"data set: {len(array)} bools as index, but there are {n} samples")
    if array.dtype.kind != "b" and array.size and not (-n <= int(array.min()) and int(array.max()) < n):
        bad = int(array[(array < -n) | (array >= n)][0])
        raise IndexError(f"data set: there is no sample {bad}: the {n} samples have the numbers 0 to {n - 1}")
    return np.arange(n)[array]


def take(stored: Any, indices: Any) -> Any:
    """The stored values at ``indices``: an array for an array, else a list."""
    if type(stored) is np.ndarray:
        return stored.take(indices, axis=0)  # half the time of stored[indices]
    return stored[array_module(stored).asarray(indices)] if is_array(stored) else [stored[int(i)] for i in indices]
