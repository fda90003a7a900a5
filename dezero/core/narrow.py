"""Half precision where the array module does it badly: products on the host, and bfloat16 beside Python numbers.

NumPy multiplies matrices of float16 a hundred times slower than those of float32, and NumPy as well as CuPy make float32 of a bfloat16 array
times a Python float. So ops on such arrays run in a wrapper: products of host arrays in float32, and results in the dtype of the inputs.
Nothing here costs anything before the first bfloat16 array is met or ``autocast`` runs.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from weakref import ref

import numpy as np

from dezero.backend import array_module
from dezero.backend.kernels import Fused
from dezero.core.plan import positional

PRODUCTS = {"linear", "matmul", "einsum"}  # others, convolutions say, widen their arrays themselves
_parts: dict[Any, Fused] = {}              # (class, "host" or a device's own formulas) -> formulas whose results fit the edges


def wrap(fn: Any, xs: Any) -> None:
    """Let ``fn``, which is about to run on ``xs``, give half precision for half precision."""
    kinds = {x.dtype.char for x in xs if getattr(x, "dtype", None) is not None}
    if not fn.native or fn.op == "astype" or not ("E" in kinds or ("e" in kinds and fn.op in PRODUCTS)):
        return
    widen = fn.op in PRODUCTS and all(array_module(x) is np for x in xs)
    narrow = _common(kinds)
    if not widen and narrow != "E":
        return
    fn.forward = partial(_forward, ref(fn), fn.__dict__.get("forward"), widen, narrow)
    of = fn._fused or {}
    key = type(fn), widen, id(of) if of else 0
    found = _parts.get(key)
    if found is None:
        found = _parts[key] = Fused()
        for i, name in enumerate(f"grad_{a}" for a in type(fn).args):
            if name in type(fn).wants:
                found.parts[name] = partial(_gradient, positional(getattr(type(fn), name)), of.get(name), widen, i)
    fn._fused, fn._plans = found.parts, found.plans


def _common(kinds: set[str]) -> str | None:
    """The half precision that all inputs have, bools aside."""
    rest = kinds - {"?"}
    return rest.pop() if len(rest) == 1 and rest <= {"e", "E"} else None


def wide(x: Any) -> Any:
    """Half precision as float32; anything else as it is."""
    return x.astype(np.float32) if getattr(getattr(x, "dtype", None), "char", "") in ("e", "E") else x


def _forward(of: Any, inner: Any, widen: bool, narrow: str | None, *xs: Any) -> Any:
    op = of()
    forward = partial(type(op).forward, op) if inner is None else inner
    dtype = next((x.dtype for x in xs if getattr(getattr(x, "dtype", None), "char", "") == narrow), None)
    y = forward(*map(wide, xs)) if widen else forward(*xs)
    if dtype is None:
        return y
    if isinstance(y, (tuple, list)):
        n = len(op.returns)
        return (*(_as(v, dtype) for v in y[:n]), *y[n:])
    return _as(y, dtype)


def _gradient(formula: Any, fused: Any, widen: bool, i: int, node: Any, gy: Any, *kept: Any) -> Any:
    """A formula on arrays, its result in the dtype of the place that it goes to where that is half precision."""
    gx = NotImplemented if fused is None else fused(node, gy, *kept)
    if gx is NotImplemented:
        gx = formula(node, wide(gy), *map(wide, kept)) if widen else formula(node, gy, *kept)
    if gx is None:
        return gx
    edge = node._edges[i]
    dtype = edge._dtype if hasattr(edge, "_dtype") else edge._data.dtype
    return _as(gx, dtype) if dtype.itemsize == 2 else gx


def _as(y: Any, dtype: Any) -> Any:
    """Floats in this dtype."""
    return y.astype(dtype) if getattr(y, "dtype", dtype) != dtype and y.dtype.char in "fd" else y
