"""Settings: what a Function was made with, and which of it need not be said."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np


def settings_given(fn: Any) -> dict[str, Any]:
    """What a Function was made with, by the names of its constructor's arguments.

    Examples:
        >>> from dezero.core.arithmetic import Pow
        >>> settings_given(Pow(3))
        {'c': 3}
    """
    known = fn.__dict__
    found = {}
    for key in _parameters(fn.__class__):
        if key in known:
            found[key] = known[key]
        elif "to" in known and key in ("shape", "dtype"):
            found[key] = known["to"]
    return found


def beside_defaults(cls: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that are not what the constructor takes without being told; a pair of equal numbers is one number.

    Examples:
        >>> from dezero.functions.conv import Conv2d
        >>> beside_defaults(Conv2d, {"stride": (2, 2), "pad": (0, 0)})
        {'stride': (2, 2)}
    """
    defaults = _parameters(cls)
    return {k: v for k, v in settings.items() if not same(v, defaults.get(k, _NONE)) and not same(v, (defaults.get(k, _NONE),) * 2)}


_NONE = inspect.Parameter.empty


@cache
def _parameters(cls: Any) -> dict[str, Any]:
    """The arguments of a class's constructor, with their defaults."""
    if cls.__init__ is object.__init__:
        return {}
    given = list(inspect.signature(cls.__init__).parameters.values())[1:]
    return {p.name: p.default for p in given if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}


def same(a: Any, b: Any) -> bool:
    """Are two settings equal, and of one type?"""
    return a is b or (type(a) is type(b) and not isinstance(a, np.ndarray) and bool(a == b))
