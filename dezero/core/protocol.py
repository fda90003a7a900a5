"""NumPy's functions on Variables: ``np.exp(v)`` and ``np.sum(v)`` run the op of that name, or say which one to use."""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np

from dezero.backend import array_module, arrays, device
from dezero.core.operators import API, ENGINE, OPS
from dezero.core.variable import Variable

# NumPy's names where ours differ.
_UFUNCS = {"multiply": "mul", "subtract": "sub", "divide": "div", "true_divide": "div", "negative": "neg", "power": "pow", "absolute": "abs",
           "fabs": "abs", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "rint": "round", "float_power": "pow"}
_FUNCTIONS = {"amax": "max", "amin": "min", "around": "round", "concat": "concatenate", "permute_dims": "transpose"}
# Functions that only look at values, and so may have the plain arrays.
_LOOKING = {"allclose", "isclose", "array_equal", "array_equiv", "shape", "ndim", "size", "array2string", "array_repr", "array_str", "all", "any",
            "may_share_memory", "shares_memory", "result_type", "can_cast", "count_nonzero", "isscalar", "iscomplexobj", "isrealobj",
            "zeros_like", "ones_like", "empty_like", "full_like", "savetxt", "save", "savez", "histogram", "searchsorted", "unique",
            "sort", "argsort", "nonzero", "flatnonzero", "copyto", "percentile", "quantile", "median", "isin", "bincount", "digitize"}
_LOOKING_UFUNCS = {"isnan", "isinf", "isfinite", "signbit", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
                   "logical_and", "logical_or", "logical_not", "logical_xor"}


def array_ufunc(v: Variable, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """``np.exp(v)``, and ``array * v``, which is ``np.multiply(array, v)``."""
    name = ufunc.__name__
    if method != "__call__":
        raise TypeError(f"np.{name}.{method} cannot be differentiated on a Variable: {_advice(name)}")
    if kwargs:
        raise TypeError(f"np.{name} on a Variable takes no {', '.join(kwargs)}: {_advice(name)}")
    if name in _LOOKING_UFUNCS:
        raw = [x._data if isinstance(x, Variable) else x for x in inputs]
        if arrays.foreign:
            device.one_place(f"np.{name}", ((f"x{i}", x) for i, x in enumerate(raw)))
            ufunc = next((getattr(array_module(x), name) for x in raw if array_module(x) is not np), ufunc)
        return ufunc(*raw)
    name = _UFUNCS.get(name, name)
    if name in ("add", "sub", "mul", "div"):
        return OPS[name]()._binary(*inputs)
    if name in API:
        return API[name](*inputs)
    raise TypeError(f"np.{ufunc.__name__} cannot be differentiated: {_advice(name)}")


def array_function(v: Variable, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """``np.sum(v)``, ``np.reshape(v, ...)`` and the like."""
    name = func.__name__
    if name == "ravel":
        return v.ravel()
    if name in _LOOKING:
        return func(*_plain(args), **_plain(kwargs))
    ours = API.get(_FUNCTIONS.get(name, name))
    if ours is None:
        raise TypeError(f"np.{name} cannot be differentiated: {_advice(name)}")
    try:
        return ours(*args, **kwargs)
    except TypeError as error:
        if "argument" not in str(error):
            raise
        raise TypeError(f"np.{name} on a Variable: {error}; use F.{ours.__name__}, whose arguments its docstring lists") from error


def _plain(x: Any) -> Any:
    """The same arguments with arrays in place of Variables."""
    if isinstance(x, Variable):
        return x.data
    if isinstance(x, (list, tuple)):
        return type(x)(_plain(e) for e in x)
    return {k: _plain(e) for k, e in x.items()} if isinstance(x, dict) else x


def _advice(name: str) -> str:
    near = difflib.get_close_matches(_UFUNCS.get(_FUNCTIONS.get(name, name), _FUNCTIONS.get(name, name)), API, n=1, cutoff=0.75)
    return f"use {f'F.{near[0]} (dezero.functions.{near[0]}), or ' if near else ''}v.data if only the value is wanted"


ENGINE.update(array_ufunc=array_ufunc, array_function=array_function)
