"""The table of hot kernels: one namespace per array module, resolved once, so that a call is an attribute and not a branch.

A kernel is written once on plain ``xp`` as the reference, with its contract in the docstring; a backend overrides it by
the same name where it knows a faster way. A test compares every override with its reference.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

REFERENCE: dict[str, Callable[..., Any]] = {}             # name -> kernel(xp, *arrays, **parameters)
OVERRIDES: dict[str, dict[str, Callable[..., Any]]] = {}  # module name -> name -> kernel(*arrays, **parameters)
_tables: dict[str, SimpleNamespace] = {}


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


_modules: dict[str, Any] = {}


def kernels_of(xp: Any) -> SimpleNamespace:
    """The kernels for the arrays of module ``xp``."""
    name = xp.__name__
    table = _tables.get(name)
    if table is None:
        _modules[name] = xp
        table = _tables[name] = SimpleNamespace()
        _fill(name, table)
    return table


def _fill(name: str, table: SimpleNamespace) -> None:
    for kernel_name, kernel in REFERENCE.items():
        setattr(table, kernel_name, partial(kernel, _modules[name]))
    vars(table).update(OVERRIDES.get(name, {}))
