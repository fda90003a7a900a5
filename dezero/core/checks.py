"""Checks of what a public function is given, before any op runs: the message names the function and the argument."""

from __future__ import annotations

import reprlib
from operator import index
from typing import Any

import numpy as np

from dezero.backend import array_module, is_array
from dezero.config import current
from dezero.core.compat import as_variable
from dezero.core.variable import Variable
from dezero.errors import InputTypeError, describe


def operand(op: str, name: str, x: Any) -> Variable:
    """``x`` as a Variable, if it is one, an array or a number.

    Raises:
        InputTypeError: it is something else, or a Variable without data.

    Examples:
        >>> print(operand("exp", "x", 2.0))
        variable(2.0)
    """
    if isinstance(x, Variable):
        if x._data is None:
            raise InputTypeError(f"{op}: {name} is a Variable that has no data yet: set its .data first")
        return x
    check_operand(op, name, x)
    return as_variable(x)


def check_operand(op: str, name: str, x: Any) -> None:
    """Refuse what is neither a Variable, an array nor a number.

    Raises:
        InputTypeError: says so, with advice for lists.
    """
    if isinstance(x, (Variable, bool, int, float, np.number)):
        return
    if is_array(x):
        if x.dtype.kind in "OUSMm":
            raise InputTypeError(f"{op}: {name} {describe(x)}: an array of numbers is expected; build it with np.array(..., dtype=float)")
        return
    given = "None" if x is None else f"a {type(x).__name__}"
    advice = "; write np.array([...]) around it" if isinstance(x, (list, tuple)) else ""
    raise InputTypeError(f"{op}: {name} is {given}: a Variable, an array or a number is expected{advice}")


def number(op: str, name: str, value: Any) -> float:
    """A parameter as a Python float; what NumPy has for one counts too.

    Raises:
        TypeError: it is no number.

    Examples:
        >>> number("dropout", "dropout_ratio", 1)
        1.0
    """
    if isinstance(value, (bool, int, float, np.number)) or getattr(value, "shape", None) == ():
        return float(value)
    raise TypeError(f"{op}: {name} is {shown(value)}: a number is expected")


def integer(op: str, name: str, value: Any) -> int:
    """A parameter as a Python int; what NumPy has for one counts too.

    Raises:
        TypeError: it is no integer.

    Examples:
        >>> integer("roll", "shift", np.int64(2))
        2
    """
    try:
        return index(value)
    except TypeError:
        raise TypeError(f"{op}: {name} is {shown(value)}: an int is expected") from None


def fraction(op: str, name: str, value: Any) -> float:
    """A parameter in [0, 1].

    Raises:
        TypeError: it is no number.
        ValueError: it lies outside.

    Examples:
        >>> fraction("dropout", "dropout_ratio", 0.5)
        0.5
    """
    x = number(op, name, value)
    if not 0 <= x <= 1:
        raise ValueError(f"{op}: {name} is {value}: it must be in [0, 1]")
    return x


def may_look(x: Any) -> bool:
    """May a check look at the values of an array? On a device that makes the host wait, so there it is done within ``detect_anomaly`` alone."""
    return type(x) is np.ndarray or array_module(x) is np or current().watch is not None


def shown(value: Any) -> str:
    """What was given, short enough for a message."""
    return reprlib.repr(value) if value is None or isinstance(value, (bool, int, float, str, tuple, list)) else describe(value)
