"""The book's ``dezero.cuda``: is there a GPU, and the way between host and device."""

from __future__ import annotations

import importlib
from typing import Any

from dezero.backend import array_module, as_cupy, as_numpy, device_answers

__all__ = ["array_module", "as_cupy", "as_numpy", "get_array_module", "gpu_enable"]  # noqa: F822 (gpu_enable comes from __getattr__)

get_array_module = array_module


def __getattr__(name: str) -> Any:
    # Asked for at the first use: importing CuPy takes time, and most programs run on the host.
    if name == "gpu_enable":
        value: Any = device_answers()
    elif name == "cupy":
        try:
            value = importlib.import_module("cupy")
        except Exception as error:  # an AttributeError, so that hasattr(cuda, "cupy") asks whether it is there
            raise AttributeError(f"dezero.cuda.cupy: CuPy does not import ({error}): pip install cupy-cuda12x (or cupy-cuda13x), "
                                 "whichever fits the driver") from error
    else:
        raise AttributeError(f"module 'dezero.cuda' has no attribute {name!r}")
    globals()[name] = value
    return value
