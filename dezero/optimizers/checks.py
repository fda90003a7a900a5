"""Checks of the numbers that optimizers, hooks and schedules are given."""

from __future__ import annotations

from typing import Any

from dezero.core.checks import integer, number


def at_least_zero(op: str, name: str, value: Any) -> float:
    """A number that is not negative and not NaN, as a Python float.

    Raises:
        TypeError, ValueError: it is something else.
    """
    x = number(op, name, value)
    if not x >= 0:
        raise ValueError(f"{op}: {name} is {value}: a number of at least 0 is expected")
    return x


def below_one(op: str, name: str, value: Any) -> float:
    """A number in [0, 1) as a Python float: the share of a running mean that stays.

    Raises:
        TypeError, ValueError: it is something else.
    """
    x = number(op, name, value)
    if not 0 <= x < 1:
        raise ValueError(f"{op}: {name} is {value}: a number in [0, 1) is expected")
    return x


def above_zero(op: str, name: str, value: Any) -> float:
    """A positive number as a Python float.

    Raises:
        TypeError, ValueError: it is something else.
    """
    x = number(op, name, value)
    if not x > 0:
        raise ValueError(f"{op}: {name} is {value}: a number above 0 is expected")
    return x


def at_least_one(op: str, name: str, value: Any) -> int:
    """A positive integer.

    Raises:
        TypeError, ValueError: it is something else.
    """
    n = integer(op, name, value)
    if n < 1:
        raise ValueError(f"{op}: {name} is {n}: a positive number of steps is expected")
    return n
