"""What checks of exercises are made of."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from steps.support import FOLDERS


class NotYet(Exception):
    """An answer that is not right yet; the message says what was expected."""


@dataclass(frozen=True)
class Exercise:
    """One exercise. The answer is a function or class called ``name`` in the reader's file.

    Attributes:
        name: what the reader's file has to define.
        task: what it should do, in one or two sentences.
        hints: a nudge, then nearly the solution.
        check: takes what the reader defined; raises :class:`NotYet` where it is wrong.
    """

    name: str
    task: str
    hints: tuple[str, str]
    check: Callable[[Any], None]


def framework(name: str) -> Any:
    """A script itself as a module, under the name by which a reader's file imports it."""
    before = sys.path[:]
    sys.path[:0] = map(str, FOLDERS.values())
    try:
        return importlib.import_module(name)
    finally:
        sys.path[:] = before


def same(got: Any, expected: Any, what: str, tolerance: float = 1e-8) -> None:
    """Refuse a number, array or anything else that is not what was expected."""
    got_data, expected_data = content(got), content(expected)
    if isinstance(expected_data, (int, float, np.ndarray, np.generic)) and not isinstance(expected_data, bool):
        try:
            close = np.allclose(got_data, expected_data, rtol=tolerance, atol=tolerance, equal_nan=True)
            right = close and np.shape(got_data) == np.shape(expected_data)
        except (TypeError, ValueError):  # shapes that do not even broadcast, text, None
            right = False
    else:
        right = got == expected
    if not right:
        raise NotYet(f"{what}: {short(got)} came out, {short(expected)} is expected")


def content(x: Any) -> Any:
    """The array in a box; anything else as it is (an array has a ``data`` of its own)."""
    return x if isinstance(x, (np.ndarray, np.generic)) else getattr(x, "data", x)


def true(condition: Any, message: str) -> None:
    """Refuse what does not hold."""
    if not condition:
        raise NotYet(message)


def raises(error: type[Exception], call: Callable[[], Any], what: str) -> Exception:
    """Refuse a call that does not raise; gives what it raised."""
    try:
        got = call()
    except error as raised:
        return raised
    raise NotYet(f"{what}: {error.__name__} is expected, {short(got)} came out")


def short(x: Any) -> str:
    """A value in a few characters; of a box, what is in it."""
    data = content(x)
    if isinstance(data, np.ndarray):
        text = " ".join(np.array2string(data, separator=", ").split()).replace("[ ", "[").replace(" ]", "]")
    else:
        text = repr(data.item() if isinstance(data, np.generic) else x if data is None else data)
    return text if len(text) <= 80 else text[:79] + "…"
