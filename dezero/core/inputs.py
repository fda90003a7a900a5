"""What a call does with its raw inputs: numbers stay numbers, wrong kinds and failures get a message that helps."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from dezero import errors
from dezero.backend import array_module, arrays, device
from dezero.backend.memory import ran_out
from dezero.config import current
from dezero.core.value import is_float
from dezero.core.variable import Variable, handle


def constant(fn: Any, x: Any) -> Any:
    """An input that is no Variable: an array as it is, a NumPy scalar as a Python number, so that its partner's dtype holds.

    Raises:
        InputTypeError: ``x`` is neither an array, a number nor None.
    """
    if type(x) is np.ndarray or type(x) is int or x is None or type(x) is float:
        return x
    if isinstance(x, np.generic):
        return x.item()
    if isinstance(x, (bool, int, float)):
        return x
    if isinstance(x, np.ndarray):
        return np.asarray(x)
    if arrays.is_array(x):
        return x
    advice = "; write np.array([...]) around it" if isinstance(x, (list, tuple)) else ""
    raise errors.InputTypeError(f"{fn.op}: an input is a {type(x).__name__}: Variables, arrays and numbers are expected{advice}")


def full_arrays(xs: Iterable[Any]) -> list[Any]:
    """The inputs with numbers and NumPy scalars as 0-d arrays; a number takes the dtype of its first float partner."""
    xs = list(xs)
    partner = next((x for x in xs if getattr(x, "dtype", None) is not None and is_float(x)), None)
    for i, x in enumerate(xs):
        if isinstance(x, np.generic):
            xs[i] = np.asarray(x)
        elif isinstance(x, (bool, int, float)):
            xs[i] = array_module(partner).asarray(x, dtype=None if partner is None else partner.dtype)
    return xs


def as_variables(fn: Any, inputs: Iterable[Any]) -> list[Variable]:
    """The inputs as Variables, for ops in the book's form."""
    inputs = list(inputs)
    raw = [x._data if isinstance(x, Variable) else constant(fn, x) for x in inputs]
    return [x if isinstance(x, Variable) else handle(a, None) for x, a in zip(inputs, full_arrays(raw), strict=True)]


def named(fn: Any, xs: Sequence[Any]) -> str:
    """``a (2, 3) float32 and b (4,) float64``."""
    parts = [f"{fn.argument(i)} {errors.describe(x)}" for i, x in enumerate(xs) if x is not None]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def fail(fn: Any, xs: Sequence[Any], error: Exception) -> None:
    """Raise what a user needs to know when ``fn.forward(*xs)`` has raised ``error``.

    An op of the library tells op, inputs, shapes and dtypes, what would be right, and the layer; a user's own op keeps its error.
    """
    head = ": ".join(part for part in (current().layer, fn.op, named(fn, xs)) if part)
    if isinstance(error, MemoryError):
        if ran_out(error):
            device.out_of_memory(error, head)
        error.add_note(f"in {head}")
        raise error
    ours = type(error).__module__ == errors.__name__
    may_lack = [p.name for p in inspect.signature(fn.forward).parameters.values() if p.default is None]
    missing = [fn.argument(i) for i, x in enumerate(xs) if x is None and fn.argument(i) not in may_lack]
    cause = str(error)
    try:
        hint = None if ours else fn.hint(*xs)
    except Exception as stumble:  # a hint that stumbles over odd inputs must not hide the error itself
        hint, cause = None, f"{cause} {stumble}"
    if fn.native and missing and ("NoneType" in cause or isinstance(error, AttributeError)):
        raise errors.InputTypeError(f"{head}: {' and '.join(missing)}: None was given; a Variable, an array or a number is expected") from error
    if not fn.native or not (ours or isinstance(error, (ValueError, TypeError, IndexError))):
        error.add_note(f"in {head}")
        raise error
    if any(getattr(getattr(x, "dtype", None), "kind", "f") in "OUSMm" for x in xs):
        raise errors.DTypeError(f"{head}: arrays of numbers are needed; build them with np.array(..., dtype=float)") from error
    if hint is None and "ufunc" in cause:  # NumPy's own words name no way out
        hint = "the op does not work on this dtype; use x.astype(np.float32)"
    message = f"{head}: {hint or error}"
    if ours:
        raise type(error)(message) from error
    if isinstance(error, np.linalg.LinAlgError):  # a singular matrix: a ValueError, but not for its shape
        raise np.linalg.LinAlgError(message) from error
    if isinstance(error, ValueError):
        raise errors.ShapeError(message) from error
    if isinstance(error, IndexError):
        raise IndexError(message) from error
    raise errors.DTypeError(message) from error
