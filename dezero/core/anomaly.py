"""detect_anomaly: find the op, the layer, the line and the element where a NaN or an infinity first appears."""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from dezero import errors
from dezero.backend import as_numpy
from dezero.config import changed, current
from dezero.core.node import Bundle
from dezero.core.value import is_float
from dezero.core.variable import Variable

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class Watch:
    """What the engine calls while ``detect_anomaly`` is on: after each forward, and around each formula. It hands on to what watched before."""

    def __init__(self, outer: Any = None) -> None:
        self.outer = outer

    def ran(self, fn: Any, xs: Sequence[Any], returns: Sequence[Any]) -> None:
        """After forward: remember the user's line, fingerprint what is kept, and look at the results."""
        if self.outer is not None:
            self.outer.ran(fn, xs, returns)
        fn._site = _user_line()
        kept = getattr(fn, "_kept", None)
        if kept is not None:
            fn._marks = [mark(k) for k in kept]
        for y in returns:
            bad = _first_bad(y)
            if bad is not None:
                raise errors.AnomalyError(f"{where(fn)}: forward gave {bad[0]}; {_causes(fn, xs, y.shape, bad[1])}")

    def before(self, node: Any, gy: Any) -> None:
        """Before the formulas of a node: is what it kept still what it was?"""
        if self.outer is not None:
            self.outer.before(node, gy)
        for k, before in zip(node._kept, getattr(node, "_marks", ()), strict=False):
            if mark(k) != before:
                raise errors.ChangedInPlaceError(f"{where(node)}: an array {errors.describe(k)} that it kept for the gradient was changed in place "
                                                 "after forward; the gradient would be wrong. Change it after backward(), or a copy of it")

    def after(self, node: Any, i: int, gx: Any) -> None:
        """After a formula: look at the gradient."""
        if self.outer is not None:
            self.outer.after(node, i, gx)
        for g in gx.values() if isinstance(gx, Bundle) else (gx,):
            bad = _first_bad(g)
            if bad is not None:
                fn = node.function
                raise errors.AnomalyError(f"{where(fn)}: backward gave {bad[0]} in the gradient of {fn.argument(i)}")


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Stop at the first NaN or infinity in forward or backward, and name the op, the layer, your line and the element.

    It also reports an array that the graph kept and that was changed in place between forward and backward.
    It costs time (every value is looked at), so use it to find a fault, not always.

    Raises:
        AnomalyError: a NaN or an infinity appeared.
        ChangedInPlaceError: a kept array was changed.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, detect_anomaly, functions as F
        >>> x = Variable(np.array([1.0, 0.0]))
        >>> with detect_anomaly():
        ...     y = F.log(x)
        Traceback (most recent call last):
        ...
        dezero.errors.AnomalyError: log, called at <doctest ...>:2: forward gave -inf at index (1,); x[1] = 0.0
    """
    with changed(watch=Watch(current().watch)), np.errstate(all="ignore"):
        yield


def _user_line() -> str:
    """File and line of the innermost frame outside this package."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def where(node: Any) -> str:
    fn = node.function
    layer = f"{fn._layer}: " if getattr(fn, "_layer", "") else ""
    site = getattr(fn, "_site", None)
    return f"{layer}{fn.op}" + (f", called at {site}" if site else "")


def mark(x: Any) -> int:
    """A fingerprint of an array's content; numbers cannot change."""
    x = x._data if isinstance(x, Variable) else x
    if getattr(x, "shape", None) is None or isinstance(x, np.generic):
        return 0
    return zlib.crc32(np.ascontiguousarray(as_numpy(x)).tobytes())


def _first_bad(y: Any) -> tuple[str, tuple[int, ...]] | None:
    """The first element that is not finite, in words and as an index."""
    y = y._data if isinstance(y, Variable) else y
    if getattr(y, "dtype", None) is None or not is_float(y):
        return None
    y = as_numpy(y)
    finite = np.isfinite(y)
    if finite.all():
        return None
    at = tuple(int(i) for i in np.argwhere(~finite)[0])
    return f"{y[at]}" + (f" at index {at}" if at else ""), at


def _causes(fn: Any, xs: Sequence[Any], shape: Any, at: tuple[int, ...]) -> str:
    """What the inputs say about the cause: one that is bad already, the value at the place, or the range."""
    parts = []
    for i, x in enumerate(xs):
        name = fn.argument(i)
        if isinstance(x, (int, float)) and not isinstance(x, np.generic):
            parts.append(f"{name} = {x}")
        elif getattr(x, "shape", None) is not None and is_float(x) and x.size:
            x = as_numpy(x)
            bad = _first_bad(x)
            if x.shape == shape or not x.shape:
                parts.append(f"{name}{list(at) if x.shape else ''} = {x[at if x.shape else ()]}")
            else:
                parts.append(f"{name} already has {bad[0]}" if bad else f"{name} lies between {x.min()} and {x.max()}")
    return ", ".join(parts) or "it has no float inputs"
