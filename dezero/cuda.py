"""The book's ``dezero.cuda``: is there a GPU, and the way between host and device."""

from __future__ import annotations

import importlib
from typing import Any

from dezero.backend import array_module, as_cupy, as_numpy, device_answers
from dezero.backend.arrays import counting_fetches
from dezero.backend.device import empty_cache, memory_info
from dezero.backend.diagnosis import first_line, trouble

__all__ = ["allow_tf32", "array_module", "as_cupy", "as_numpy", "counting_fetches", "deterministic", "empty_cache", "get_array_module",  # noqa: F822
           "gpu_enable", "memory_info", "trouble"]  # __getattr__ gives those that are missing here

get_array_module = array_module


def __getattr__(name: str) -> Any:
    # Asked for at the first use: importing CuPy takes time, and most programs run on the host.
    if name == "gpu_enable":
        value: Any = device_answers()
    elif name in ("allow_tf32", "deterministic"):
        value = getattr(importlib.import_module("dezero.backend.cuda.precision"), name)
    elif name == "cupy":
        try:
            value = importlib.import_module("cupy")
        except Exception as error:  # an AttributeError, so that hasattr(cuda, "cupy") asks whether it is there
            raise AttributeError(f"dezero.cuda.cupy: {trouble() or first_line(error)}") from error
    else:
        raise AttributeError(f"module 'dezero.cuda' has no attribute {name!r}")
    globals()[name] = value
    return value
