"""The comparison of the arrays that a model expects with those that were found, and the table that shows how they differ."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dezero.backend.arrays import kind_of
from dezero.errors import describe

# Dtypes of one family are cast on loading: float64 weights fit a float32 model.
FAMILIES = {"f": "floats", "i": "integers", "u": "integers", "b": "bools", "c": "complex numbers"}
ROWS = 40  # of the table; a wrong file for a ResNet would fill screens


@dataclass(frozen=True)
class StateDiff:
    """How two states differ; false if they do not. ``str(diff)`` is a table with advice.

    Attributes:
        missing: names that are expected and were not found.
        unexpected: names that were found and are not expected.
        mismatched: names on both sides whose shapes or dtypes do not fit.
        expected: what is expected under each name that differs, in words.
        found: what was found under each name that differs, in words.
        hints: advice for single names.

    Examples:
        >>> import numpy as np
        >>> diff = compare_states({"l1.W": np.zeros((2, 3)), "l1.b": None}, {"l1.W": np.zeros((3, 2)), "l1/b": np.zeros(3)})
        >>> bool(diff), diff.missing, diff.unexpected, diff.mismatched
        (True, ('l1.b',), ('l1/b',), ('l1.W',))
        >>> print(diff)
        1 missing, 1 unexpected, 1 mismatched
        name  expected        found
        l1.b  any             -               found as l1/b?
        l1/b  -               (3,) float64    expected as l1.b?
        l1.W  (2, 3) float64  (3, 2) float64  transposed?
    """

    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    mismatched: tuple[str, ...] = ()
    expected: Mapping[str, str] = field(default_factory=dict, repr=False)
    found: Mapping[str, str] = field(default_factory=dict, repr=False)
    hints: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.mismatched)

    def __str__(self) -> str:
        if not self:
            return "no differences"
        names = self._shown()
        left_out = len(self.missing) + len(self.unexpected) + len(self.mismatched) - len(names)
        rows = [("name", "expected", "found", "")]
        rows += [(_printable(n), self.expected.get(n, "-"), self.found.get(n, "-"), _printable(self.hints.get(n, ""))) for n in names]
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        lines = [f"{len(self.missing)} missing, {len(self.unexpected)} unexpected, {len(self.mismatched)} mismatched"]
        lines += ["  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[3]]).rstrip() for row in rows]
        return "\n".join([*lines, f"... and {left_out} more"] if left_out else lines)

    def _shown(self) -> list[str]:
        """The names in the table: each kind gets its share of the rows, and what another kind leaves."""
        kinds = [list(self.missing), list(self.unexpected), list(self.mismatched)]
        rest, shares = ROWS, {}
        for left, i in zip((3, 2, 1), sorted(range(3), key=lambda i: len(kinds[i])), strict=True):
            shares[i] = min(len(kinds[i]), rest // left)
            rest -= shares[i]
        return [name for i in range(3) for name in kinds[i][: shares[i]]]


def compare_states(expected: Mapping[str, Any], found: Mapping[str, Any], exact_dtype: bool = False) -> StateDiff:
    """Compare the names, shapes and dtypes of what is expected with those of what was found.

    Args:
        expected: for each name an array, a pair ``(shape, dtype)``, or None where nothing is known yet (a lazily sized
            parameter). In a pair, an axis None has any length, a shape None is any shape, and a dtype None is any dtype.
        found: for each name an array.
        exact_dtype: must dtypes be equal? Otherwise it is enough that both are floats, integers, bools or complex numbers.

    Returns:
        The differences, in the order of the names; false if there are none.

    Examples:
        >>> import numpy as np
        >>> state = {"W": np.zeros((3, 2)), "b": np.zeros(2)}
        >>> print(compare_states({"W": ((None, 2), np.float32), "b": None}, state))
        no differences
    """
    wanted = {name: _spec(value) for name, value in expected.items()}
    missing = tuple(name for name in wanted if name not in found)
    unexpected = tuple(name for name in found if name not in wanted)
    problems = {name: _problem(*wanted[name], found[name], exact_dtype) for name in wanted if name in found}
    mismatched = tuple(name for name, problem in problems.items() if problem is not None)
    diff = StateDiff(missing, unexpected, mismatched)
    if not diff:
        return diff
    hints = {name: problems[name] or "" for name in mismatched}
    hints |= {name: f"found as {other}?" for name, other in _near(missing[:ROWS], unexpected).items()}
    hints |= {name: f"expected as {other}?" for name, other in _near(unexpected[:ROWS], missing).items()}
    return StateDiff(
        missing, unexpected, mismatched,
        {name: _words(*wanted[name]) for name in (*missing, *mismatched)},
        {name: describe(found[name]) for name in (*unexpected, *mismatched)},
        hints,
    )


_Spec = tuple[tuple[int | None, ...] | None, Any]


def _spec(value: Any) -> _Spec:
    if value is None:
        return None, None
    if isinstance(value, tuple):
        shape, dtype = value
    else:
        shape, dtype = value.shape, value.dtype
    return None if shape is None else tuple(shape), None if dtype is None else np.dtype(dtype)


def _problem(shape: tuple[int | None, ...] | None, dtype: Any, x: Any, exact_dtype: bool) -> str | None:
    """None if the array ``x`` fits, else advice (which may be empty)."""
    got = getattr(x, "shape", None)
    if got is None or getattr(x, "dtype", None) is None:
        return "an array is expected"
    got = tuple(got)
    if shape is not None:
        if len(shape) != len(got):
            return ""
        if any(a is not None and a != b for a, b in zip(shape, got, strict=True)):
            return "transposed?" if len(got) == 2 and all(a is None or a == b for a, b in zip(shape, got[::-1], strict=True)) else ""
    family = FAMILIES.get(kind_of(np.dtype(x.dtype)))
    if family is None:
        return "not numbers"
    if dtype is None or dtype == x.dtype:
        return None
    wanted = FAMILIES.get(kind_of(dtype))
    return f"{wanted} are expected" if wanted != family else "another dtype" if exact_dtype else None


def _words(shape: tuple[int | None, ...] | None, dtype: Any) -> str:
    if shape is None:
        return "any" if dtype is None else f"any {dtype}"
    axes = ", ".join("any" if n is None else str(n) for n in shape)
    return f"({axes}{',' if len(shape) == 1 else ''})" + ("" if dtype is None else f" {dtype}")


def _plain(name: str) -> str:
    return name.replace("/", ".").lower()


def _near(names: Sequence[str], others: Sequence[str]) -> dict[str, str]:
    """For each name the one of the others that was probably meant, if any: other separators, a prefix more or less, a slip of the pen."""
    plain: dict[str, str] = {}
    for whole in others:
        plain.setdefault(_plain(whole), whole)
    ends = {end: whole for key, whole in reversed(plain.items()) for end in _ends(key)}
    near = {}
    for name in names:
        key = _plain(name)
        other: str | None = plain.get(key) or ends.get(key) or next((plain[end] for end in _ends(key) if end in plain), None)
        if other is None and len(plain) <= 1000:
            close = difflib.get_close_matches(key[:200], plain, 1, 0.75)
            other = plain[close[0]] if close else None
        if other is not None:
            near[name] = other
    return near


def _ends(key: str) -> list[str]:
    """``key`` without its first one, two, three parts, the last part alone excepted: too many weights are called W."""
    parts = key.split(".")
    return [".".join(parts[i:]) for i in range(1, min(4, len(parts) - 1))]


def _printable(text: str) -> str:
    """``text`` on one line of a sane length: names come from files."""
    text = text if text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= 100 else text[:97] + "..."
