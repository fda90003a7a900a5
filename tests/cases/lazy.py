"""SciPy for the oracles, imported when an oracle runs: a machine with a GPU may lack it, and its tests compare with the CPU instead."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import Any


class Lazy:
    """A dotted name that is resolved when it is called."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Lazy:
        if name.startswith("__"):
            raise AttributeError(name)
        return Lazy(f"{self._name}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return resolve_name(self._name)(*args, **kwargs)


scipy = Lazy("scipy")
special = scipy.special
