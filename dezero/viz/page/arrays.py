"""Arrays for the page: small ones in full, to the last bit; large ones as statistics, a histogram and the corner elements."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from dezero.viz.numbers import Facts, facts

LIMITS = (64, 32, 16, 8, 4, 1)  # up to how many numbers an array is written in full; the first that fits the budget
BINS, SAMPLE = 20, 1 << 16
EDGE = 2                        # rows and columns at each corner of a large array


class Table:
    """The arrays of a page, each once, known by their place in the table."""

    def __init__(self) -> None:
        self._arrays: list[Any] = []
        self._known: dict[Any, int] = {}
        self._facts: dict[int, Facts] = {}

    def add(self, value: Any) -> int | None:
        """The place of an array; None for None and for what holds no numbers.

        Examples:
            >>> table = Table()
            >>> table.add(np.array([1.0, 2.0])), table.add(np.array(3.0)), table.add(np.array([1.0, 2.0])), table.add(None)
            (0, 1, 0, None)
        """
        if value is None:
            return None
        a = np.asarray(value)
        if a.dtype.name == "bfloat16":
            a = a.astype(np.float32)
        if a.dtype.kind not in "biuf":
            return None
        small = a.size <= LIMITS[0]
        # A gradient that is handed on is one array in many places; hashing the bytes of a large one would cost more than it saves.
        key = (a.shape, str(a.dtype), a.tobytes() if small else (a.__array_interface__["data"][0], a.strides))
        if key not in self._known:
            self._known[key] = len(self._arrays)
            self._arrays.append(a)
        return self._known[key]

    def facts(self, place: int) -> Facts:
        """What there is to know of the array at a place.

        Examples:
            >>> table = Table()
            >>> table.facts(table.add(np.array([1.0, 3.0]))).mean
            2.0
        """
        if place not in self._facts:
            self._facts[place] = facts(self._arrays[place])
        return self._facts[place]

    def is_float(self, place: int) -> bool:
        """Are the numbers at a place floats?"""
        return bool(self._arrays[place].dtype.kind == "f")

    def written(self, budget: int) -> tuple[list[Any], int]:
        """The table as plain data for JSON, and up to how many numbers an array is in full so that all of it takes ``budget`` bytes.

        Examples:
            >>> table = Table()
            >>> _ = table.add(np.array([0.5, np.nan]))
            >>> table.written(1000)
            ([{'s': [2], 'd': 'float64', 'x': [0.5, 'NaN']}], 64)
        """
        digests: dict[int, Any] = {}
        for limit in LIMITS:
            for i, a in enumerate(self._arrays):
                if a.size > limit and i not in digests:
                    digests[i] = digest(a, self.facts(i))
            found = [digests[i] if a.size > limit else in_full(a) for i, a in enumerate(self._arrays)]
            if limit == LIMITS[-1] or len(json.dumps(found, separators=(",", ":"))) <= budget:
                break
        return found, limit


def in_full(a: Any) -> dict[str, Any]:
    """Shape, dtype and all numbers.

    Examples:
        >>> in_full(np.array(0.1, np.float32))
        {'s': [], 'd': 'float32', 'x': [0.1]}
    """
    return {"s": list(a.shape), "d": str(a.dtype), "x": numbers(a)}


def numbers(a: Any) -> list[Any]:
    """Numbers that JSON can hold and from which the page gets the same bits: those of a float32 array are rounded to float32 there.

    Examples:
        >>> numbers(np.array([2.0, -0.0, 1e300, -np.inf])), numbers(np.array([2**60, 3]))
        ([2, -0.0, 1e+300, '-Infinity'], ['1152921504606846976', 3])
    """
    flat = a.reshape(-1)
    if a.dtype.kind == "b":
        return [bool(v) for v in flat]
    if a.dtype.kind in "iu":
        return [int(v) if abs(int(v)) <= 2**53 else str(int(v)) for v in flat]
    exact = [float(v) for v in flat]
    if a.dtype == np.float32:
        short = [float(str(v)) for v in flat]  # 0.1 in place of 0.10000000149011612
        if np.array_equal(np.array(short, np.float32), flat, equal_nan=True):
            exact = short
    return [number(v) for v in exact]


def number(v: float) -> Any:
    """A float as JSON has it, in as few letters as keep it.

    Examples:
        >>> number(3.0), number(math.inf)
        (3, 'Infinity')
    """
    if not math.isfinite(v):
        return "NaN" if math.isnan(v) else "Infinity" if v > 0 else "-Infinity"
    return int(v) if v.is_integer() and abs(v) < 1e15 and (v or math.copysign(1.0, v) > 0) else v


def digest(a: Any, known: Facts) -> dict[str, Any]:
    """What a reader wants to know of a large array: its facts, how many of its numbers fall into each of 20 equal bins, and the elements at
    the corners of the last two axes.

    Examples:
        >>> found = digest(np.arange(100.0), facts(np.arange(100.0)))
        >>> found["mean"], found["min"], found["max"], found["h"], found["c"]
        (49.5, 0, 99, [5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5], [[0, 1, 98, 99]])
    """
    found = {"s": list(a.shape), "d": str(a.dtype), "n": known.size, "zeros": known.zeros, "nan": known.nans, "inf": known.infs}
    if known.nans + known.infs < known.size:
        found |= {"mean": rounded(known.mean), "std": rounded(known.std), "min": rounded(known.low), "max": rounded(known.high),
                  "h": histogram(a.reshape(-1), known.low, known.high)}
    return {**found, "c": [[rounded(float(v)) for v in row] for row in corners(a)]}


def rounded(v: float) -> Any:
    """Seven digits: as many as a float32 has."""
    return number(float(f"{v:.7g}"))


def histogram(flat: Any, low: float, high: float) -> list[int]:
    """Counts in equal bins; of a very large array those of a regular sample."""
    sample = flat[:: max(1, flat.size // SAMPLE)].astype(np.float64)
    scale = max(abs(low), abs(high)) or 1.0  # the range of huge numbers is no float
    low, high = low / scale, high / scale
    sample = sample[np.isfinite(sample)] / scale
    if low == high:
        return [int(sample.size)]
    places = np.clip((sample - low) / (high - low) * BINS, 0, BINS - 1).astype(np.int64)
    return [int(c) for c in np.bincount(places, minlength=BINS)]


def corners(a: Any) -> Any:
    """The first and last rows and columns of the first matrix in an array."""
    first = a[(0,) * (a.ndim - 2)] if a.ndim > 2 else np.atleast_2d(a)
    rows, columns = (ends(n) for n in first.shape)
    return first[np.ix_(rows, columns)]


def ends(n: int) -> list[int]:
    """The first and last places of an axis."""
    return list(range(n)) if n <= 2 * EDGE else [*range(EDGE), *range(n - EDGE, n)]
