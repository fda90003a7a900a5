"""What keeps CuPy from working, in words, and what to install: for `dezero info`, for errors, and for the reasons why tests are skipped."""

from __future__ import annotations

import ctypes
import importlib
import os
import re
import sys
from typing import Any

WHEELS = {12: "cupy-cuda12x", 13: "cupy-cuda13x"}  # major version of CUDA -> the wheel
PACKAGES = (*WHEELS.values(), "cupy-cuda11x", "cupy", "cupy-rocm-7-0")  # they all bring a package named cupy


def trouble() -> str | None:
    """Why no work can be done on a CUDA device, and what to do about it; None if all is well."""
    wheels, serves = installed(), driver_version()
    if len(wheels) > 1:
        return (f"{' and '.join(wheels)} are installed, and each has overwritten files of the other: pip uninstall -y {' '.join(wheels)}, "
                f"then {advice(serves)}")
    try:
        import cupy
    except Exception as error:  # one built for another CUDA may raise anything
        if not wheels and isinstance(error, ImportError):
            return f"CuPy is not installed: {advice(serves)}"
        name = wheels[0] if wheels else "CuPy"
        return f"{name} does not import ({first_line(error)}): pip uninstall -y {wheels[0] if wheels else 'cupy'}, then {advice(serves)}"
    name = f"{wheels[0] if wheels else 'CuPy'} {vars(cupy).get('__version__', '')}".rstrip()
    return _no_device(cupy, name, serves)


def _no_device(cupy: Any, name: str, serves: int | None) -> str | None:
    """Why a CuPy that imports finds no device that answers."""
    if serves is None:
        return f"{name} is installed, but there is no NVIDIA driver here: work goes on on the CPU, or install the driver of your GPU"
    try:
        if serves // 1000 < (needs := _needs(cupy, name)):
            change = f"pip uninstall -y {name.split()[0]}, then {advice(serves)}"
            return f"{name} is made for CUDA {needs}, and the driver serves CUDA up to {spelt(serves)}: {change}; or install a newer driver"
        if not cupy.cuda.runtime.getDeviceCount():
            return f"{name} and a driver are installed, but there is no CUDA device{_hidden()}"
        cupy.cuda.runtime.memGetInfo()
    except Exception as error:  # a driver that was updated without a restart, a device that has fallen off the bus
        return f"{name} is installed, but no CUDA device answers ({first_line(error)}){_hidden()}"
    try:
        cupy.cuda.nvrtc.getVersion()
    except Exception as error:
        return f"{name} finds no NVRTC, CUDA's compiler ({first_line(error)}): {advice(serves)}"
    return None


def _needs(cupy: Any, name: str) -> int:
    """The major version of CUDA that this CuPy is made for."""
    match = re.search(r"cuda(\d+)x", name)
    return int(match[1]) if match else int(cupy.cuda.runtime.runtimeGetVersion()) // 1000


def _hidden() -> str:
    value = os.environ.get("CUDA_VISIBLE_DEVICES")
    return "" if value is None else f"; CUDA_VISIBLE_DEVICES is {value!r}"


def advice(serves: int | None) -> str:
    """The wheel to install.

    Args:
        serves: the newest CUDA that the driver serves, as :func:`driver_version` gives it.

    Returns:
        The command. What stands in brackets brings CUDA's libraries and compiler along, for machines without NVIDIA's toolkit.

    Examples:
        >>> print(advice(12040))
        pip install 'cupy-cuda12x[ctk]'
    """
    if serves is None:
        return "on a machine with an NVIDIA GPU, pip install 'cupy-cuda12x[ctk]' or 'cupy-cuda13x[ctk]', whichever fits its driver"
    if serves // 1000 < min(WHEELS):
        return f"install a newer driver, for CUDA {min(WHEELS)} at least (this one serves CUDA up to {spelt(serves)}), and CuPy after that"
    return f"pip install '{WHEELS[min(serves // 1000, max(WHEELS))]}[ctk]'"


def installed() -> list[str]:
    """The packages that bring CuPy, by the names that pip knows."""
    return [name for name in PACKAGES if version(name) is not None]


def version(package: str) -> str | None:
    """The version that is installed."""
    metadata: Any = importlib.import_module("importlib.metadata")  # here: it takes longer to import than all of the backend
    try:
        return str(metadata.version(package))
    except metadata.PackageNotFoundError:
        return None


def driver_version() -> int | None:
    """The newest CUDA that the driver serves, 12040 for 12.4; None without a driver. It is asked itself: CuPy need not be there."""
    try:
        library: Any = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        number = ctypes.c_int()
        return number.value or None if library.cuDriverGetVersion(ctypes.byref(number)) == 0 else None
    except (OSError, AttributeError):
        return None


def spelt(number: int) -> str:
    """A version of CUDA as it is written.

    Examples:
        >>> spelt(12040)
        '12.4'
    """
    return f"{number // 1000}.{number % 1000 // 10}"


def first_line(error: BaseException) -> str:
    """An error in one line: the first that says something, without its frame."""
    lines = [line.strip() for line in str(error).split("\n") if line.strip().strip("=-")]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
