"""Small helpers, and arithmetic as functions, that the book's readers import from ``dezero.core``."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.backend import is_array
from dezero.backend.exchange import imported
from dezero.core.arithmetic import Add, Div, Mul, Neg, Sub
from dezero.core.operators import API
from dezero.core.variable import Variable, handle


def as_array(x: Any, array_module: Any = np) -> Any:
    """A number as a 0-d array of ``array_module``; an array as it is.

    Examples:
        >>> as_array(2.0)
        array(2.)
    """
    return array_module.array(x) if np.isscalar(x) else x


def as_variable(obj: Any) -> Variable:
    """``obj`` if it is a Variable, else a constant Variable around the array or number.

    Raises:
        InputTypeError: it is none of these.

    Examples:
        >>> print(as_variable(2.0))
        variable(2.0)
    """
    if isinstance(obj, Variable):
        return obj
    if is_array(obj) and not isinstance(obj, np.generic):
        return handle(Variable(obj)._data, None)
    return handle(Variable(as_array(obj))._data, None)


def from_dlpack(x: Any) -> Variable:
    """A Variable around an array of another library (a PyTorch tensor say), in the same memory: nothing is copied.

    What one side writes the other sees, and no graph follows it. A tensor that tracks gradients is to be detached first.

    Args:
        x: anything with ``__dlpack__``, on the host or on a CUDA device.

    Returns:
        A leaf; of NumPy's array on the host, of CuPy's on a device. An array that came read-only is to be copied before it is trained.

    Raises:
        InputTypeError: ``x`` does not know the protocol.
        DeviceError: it is on a device that CuPy does not reach.
        DTypeError: its dtype is not taken over; NumPy takes no bfloat16.

    Examples:
        >>> x = np.array([1.0, 2.0])
        >>> v = from_dlpack(x)
        >>> x[0] = 5
        >>> print(v)
        variable([5. 2.])
    """
    return Variable(imported(x))


def setup_variable() -> None:
    """Nothing to do: a Variable has its operators from the start. Kept for scripts that call it."""


# The functions of these names in ``dezero.functions`` do the same and are documented there.
def add(x0: Any, x1: Any) -> Any:
    """x0 + x1."""
    return Add()(x0, x1)


def sub(x0: Any, x1: Any) -> Any:
    """x0 - x1."""
    return Sub()(x0, x1)


def rsub(x0: Any, x1: Any) -> Any:
    """x1 - x0."""
    return Sub()(x1, x0)


def mul(x0: Any, x1: Any) -> Any:
    """x0 x1, element by element."""
    return Mul()(x0, x1)


def div(x0: Any, x1: Any) -> Any:
    """x0 / x1."""
    return Div()(x0, x1)


def rdiv(x0: Any, x1: Any) -> Any:
    """x1 / x0."""
    return Div()(x1, x0)


def neg(x: Any) -> Any:
    """-x."""
    return Neg()(x)


def pow(x: Any, c: Any) -> Any:
    """x to the power c."""
    return API["pow"](x, c)
