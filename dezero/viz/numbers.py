"""Numbers: an array in a few characters, and what a reader should know of it."""

from __future__ import annotations

from math import inf, nan, sqrt
from typing import Any, NamedTuple

import numpy as np

from dezero.backend import as_numpy
from dezero.backend.arrays import kind_of
from dezero.viz.settings import number_text

HUGE = 1e6        # an absolute value above it is marked
FULL = 6          # an array of so many elements is written in full
_CHUNK = 1 << 18  # elements that are looked at at once: large arrays are not copied whole


class Facts(NamedTuple):
    """An array of numbers in figures; mean, standard deviation, least and largest are those of its finite elements.

    Attributes:
        size: how many elements.
        nans: how many of them are NaN.
        infs: how many are infinite.
        zeros: how many are zero.
        mean: their mean, NaN where no element is finite.
        std: their standard deviation around it.
        low: the least.
        high: the largest.
    """

    size: int
    nans: int = 0
    infs: int = 0
    zeros: int = 0
    mean: float = nan
    std: float = nan
    low: float = nan
    high: float = nan

    @property
    def zero(self) -> bool:
        """Are there elements, and are all zero?"""
        return self.size > 0 and self.zeros == self.size

    @property
    def huge(self) -> bool:
        """Is a finite element beyond a million?"""
        return max(-self.low, self.high) > HUGE


def facts(array: Any) -> Facts:
    """What there is to know of an array, on host or device, or of a number; what holds no numbers has its size alone.

    Examples:
        >>> facts(np.array([1.0, 3.0, np.nan], np.float16))
        Facts(size=3, nans=1, infs=0, zeros=0, mean=2.0, std=1.0, low=1.0, high=3.0)
        >>> facts(np.zeros(4)).zero, facts(-1e7).huge
        (True, True)
    """
    a = as_numpy(array)
    if kind_of(a.dtype) not in "biuf":
        return Facts(a.size)
    flat = a.reshape(-1)
    nans = infs = zeros = count = 0
    mean, squares, low, high = 0.0, 0.0, inf, -inf
    with np.errstate(all="ignore"):
        for start in range(0, flat.size, _CHUNK):
            part = flat[start:start + _CHUNK].astype(np.float64)
            zeros += part.size - int(np.count_nonzero(part))
            good = np.isfinite(part)
            if not good.all():
                nans += int(np.isnan(part).sum())
                infs += int(np.isinf(part).sum())
                part = part[good]
            if part.size:
                here, delta = float(part.mean()), float(part.mean()) - mean
                squares += float(((part - here) ** 2).sum()) + delta * delta * count * part.size / (count + part.size)
                count += part.size
                mean += delta * part.size / count
                low, high = min(low, float(part.min())), max(high, float(part.max()))
    return Facts(flat.size, nans, infs, zeros, mean, sqrt(squares / count), low, high) if count else Facts(flat.size, nans, infs, zeros)


def number(array: Any, limit: int = 48) -> str:
    """A number or an array in a few characters.

    A number has 6 significant digits. An array of at most 6 elements is written in full with 4, a larger one as its mean, standard
    deviation, least and largest element, with 2 at least; those of the finite ones, if there are others, which are counted.

    Args:
        array: on host or device, of any dtype and shape; or a number.
        limit: what would be longer in full than this many characters is summed up too.

    Examples:
        >>> number(np.float32(1 / 3)), number(np.float16(0.1)), number(1e-9), number(np.array(7)), number(True)
        ('0.333333', '0.0999756', '1e-09', '7', 'True')
        >>> number(np.array([[1.0, 2.5], [np.nan, -np.inf]]))
        '[[1, 2.5], [nan, -inf]]'
        >>> number(np.arange(10)), number(np.array([True] * 9 + [False]))
        ('mean 4.5 ±2.9 [0, 9]', '9 of 10 True')
        >>> number(np.array([0.0] * 8 + [2.0, np.nan, np.inf]))
        'mean 0.22 ±0.63 [0, 2], 1 NaN, 1 inf'
        >>> number(np.full(100, np.nan)), number(np.zeros((0, 3)))
        ('100 NaN', 'empty')
        >>> number(np.ones(9))
        'all 1'
    """
    a = as_numpy(array)
    if a.ndim == 0:
        return _short(a.item(), 6)
    if a.size == 0:
        return "empty"
    if a.size <= FULL:
        written = np.array([_short(x, 4) for x in a.reshape(-1).tolist()], dtype=object).reshape(a.shape)
        text = str(written.tolist()).replace("'", "")
        if len(text) <= limit:
            return text
    if kind_of(a.dtype) not in "biuf":
        return f"{a.size} elements"
    if a.dtype.kind == "b":
        return f"{np.count_nonzero(a)} of {a.size} True"
    found = facts(a)
    odd = [f"{n} {what}" for n, what in ((found.nans, "NaN"), (found.infs, "inf")) if n]
    if not odd and found.low == found.high:
        return f"all {found.low:.6g}"
    if found.nans + found.infs == found.size:
        return ", ".join(odd)
    return ", ".join([f"mean {_about(found.mean)} ±{_about(found.std)} [{_about(found.low)}, {_about(found.high)}]", *odd])


def _about(x: float) -> str:
    """Two digits, or all before the point."""
    return f"{x:.0f}" if 10 <= abs(x) < 1e4 else f"{x:.2g}"


def _short(x: Any, digits: int) -> str:
    if isinstance(x, (float, complex)):
        return f"{x:.{digits}g}"
    return number_text(x) if isinstance(x, int) else type(x).__name__
