"""The table of hot kernels: one namespace per array module, resolved once, so that a call is an attribute and not a branch.

A kernel is written once on plain ``xp`` as the reference, with its contract in the docstring; a backend overrides it by
the same name where it knows a faster way. A test compares every override with its reference.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

REFERENCE: dict[str, Callable[..., Any]] = {}             # name -> kernel(xp, *arrays, **parameters)
OVERRIDES: dict[str, dict[str, Callable[..., Any]]] = {}  # module name -> name -> kernel(*arrays, **parameters)
FUSED: dict[str, dict[str, Fused]] = {}                   # module name -> op -> its forward and formulas in one launch each
_tables: dict[str, SimpleNamespace] = {}


class Fused:
    """What a backend does in one launch for an op whose maths in plain ``xp`` takes several.

    Attributes:
        parts: "forward", "grad_x" and the like -> a function of the op and of what its method takes (kept values by position, in the order of
            the formula's names). It gives NotImplemented for arguments that it does not serve; the op's own maths is run then.
        plans: the engine's plans for this op with these formulas.
    """

    __slots__ = ("parts", "plans")

    def __init__(self) -> None:
        self.parts: dict[str, Callable[..., Any]] = {}
        self.plans: dict[Any, Any] = {}


def reference(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: this function, whose first argument is the array module, is the reference kernel of its name."""
    REFERENCE[kernel.__name__] = kernel
    for module, table in _tables.items():
        _fill(module, table)
    return kernel


def override(module: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: the kernel of its name for the arrays of ``module`` ("numpy", "cupy"), without the module argument."""
    def add(kernel: Callable[..., Any]) -> Callable[..., Any]:
        OVERRIDES.setdefault(module, {})[kernel.__name__] = kernel
        if module in _tables:
            setattr(_tables[module], kernel.__name__, kernel)
        return kernel
    return add


def fused(module: str, op: str, part: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: for the arrays of ``module``, this function does what method ``part`` ("forward", "grad_x") of the op of this name does."""
    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        FUSED.setdefault(module, {}).setdefault(op, Fused()).parts[part] = function
        return function
    return add


_modules: dict[str, Any] = {}


def kernels_of(xp: Any) -> SimpleNamespace:
    """The kernels for the arrays of module ``xp``."""
    name = xp.__name__
    table = _tables.get(name)
    if table is None:
        if name == "cupy":
            importlib.import_module("dezero.backend.cuda")  # its kernels enter themselves into OVERRIDES
        _modules[name] = xp
        table = _tables[name] = SimpleNamespace()
        _fill(name, table)
    return table


def _fill(name: str, table: SimpleNamespace) -> None:
    for kernel_name, kernel in REFERENCE.items():
        setattr(table, kernel_name, partial(kernel, _modules[name]))
    vars(table).update(OVERRIDES.get(name, {}))
    table.fused = FUSED.setdefault(name, {})
