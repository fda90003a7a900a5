"""Settings: what a function was made with, and numbers, as short texts."""

from __future__ import annotations

import inspect
import reprlib
from functools import cache
from typing import Any

import numpy as np


def settings_of(fn: Any) -> tuple[tuple[str, str], ...]:
    """What a Function was made with, as text: (("axis", "1"), ("keepdims", "False")).

    Examples:
        >>> import numpy as np
        >>> import dezero.functions as F
        >>> from dezero import Variable
        >>> settings_of(F.sum(Variable(np.ones((2, 3))), axis=1).creator)
        (('axis', '1'), ('keepdims', 'False'))
    """
    known = fn.__dict__
    return tuple([(name, _setting(known[name])) for name in _parameters(fn.__class__) if name in known]) if known else ()


@cache
def _parameters(cls: Any) -> tuple[str, ...]:
    """The names of the arguments of a class's constructor."""
    if cls.__init__ is object.__init__:
        return ()
    given = list(inspect.signature(cls.__init__).parameters.values())[1:]
    return tuple([p.name for p in given if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)])


class _Brief(reprlib.Repr):
    """The repr of what is in tuples and lists, in a few characters and without the place in memory that an object shows."""

    def repr_instance(self, x: Any, level: int) -> str:
        if x is Ellipsis or isinstance(x, slice):
            return _index(x)
        return repr(x) if x is None or isinstance(x, (bool, float)) else _setting(x)


def _index(x: Any) -> str:
    """A slice as it stands in an index: 1:3, :, ::2."""
    if x is Ellipsis:
        return "..."
    start, stop, step = (["" if part is None else str(part) for part in (x.start, x.stop, x.step)])
    return f"{start}:{stop}" + (f":{step}" if step else "")


def _setting(value: Any) -> str:
    if isinstance(value, slice) or value is Ellipsis:
        return _index(value)
    if value is None or isinstance(value, (str, tuple, list)):
        text = _Brief().repr(str(value) if isinstance(value, np.generic) else value)
        return text if len(text) <= 40 else text[:39] + "…"
    if isinstance(value, (bool, int, float, np.number, np.bool_)):
        return number_text(value)
    return getattr(value, "__name__", type(value).__name__) if callable(value) else type(value).__name__


def number_text(value: Any) -> str:
    """A number in a few characters.

    Examples:
        >>> number_text(0.1), number_text(12345678.9), number_text(10**12)
        ('0.1', '1.23457e+07', '1e+12')
    """
    if isinstance(value, (bool, np.bool_)):
        return str(value)
    try:
        return str(int(value)) if isinstance(value, (int, np.integer)) and -(10**9) < value < 10**9 else f"{value:.6g}"
    except OverflowError:
        return "a huge int"
