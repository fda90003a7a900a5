"""Devices by name: "cpu", "gpu" or "cuda" for the current CUDA device, "cuda:1" for a certain one; and arrays on their way there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, NoReturn

import numpy as np

from dezero.backend import arrays
from dezero.backend.arrays import array_module, as_numpy, cupy_module
from dezero.backend.diagnosis import trouble
from dezero.backend.memory import Memory, explained, memory_of, ran_out
from dezero.errors import DeviceError, describe

several = False  # are there several devices that arrays may be on? Only then do ops look on which they are


class Device(NamedTuple):
    """A device.

    Attributes:
        kind: "cpu" or "cuda".
        index: the number of the CUDA device; None for the current one.
    """

    kind: str
    index: int | None = None  # type: ignore[assignment]  # tuples have a method of this name, which nobody needs here

    def __str__(self) -> str:
        return self.kind if self.index is None else f"{self.kind}:{self.index}"


def as_device(device: Any) -> Device:
    """A device from what a user writes.

    Args:
        device: "cpu", "gpu", "cuda", "cuda:1", the number of a CUDA device, or a Device.

    Raises:
        ValueError: it is none of these.

    Examples:
        >>> as_device("cuda:1"), as_device("gpu"), str(as_device(0))
        (Device(kind='cuda', index=1), Device(kind='cuda', index=None), 'cuda:0')
    """
    if isinstance(device, Device):
        return device
    if isinstance(device, int) and not isinstance(device, bool) and device >= 0:
        return Device("cuda", device)
    if isinstance(device, str):
        if device == "cpu":
            return Device("cpu")
        if match := re.fullmatch(r"(?:cuda|gpu)(?::(\d+))?", device):
            return Device("cuda", None if match[1] is None else int(match[1]))
    raise ValueError(f"device is {device!r}: 'cpu', 'gpu', 'cuda', or 'cuda:1' for a certain device is expected")


def put(x: Any, device: Any) -> Any:
    """``x`` (Variable or array) as an array on a device: itself where it is there already.

    Raises:
        ImportError: CuPy is not installed, or does not import; the message tells which to install.
        DeviceError: there is no such device, or none that answers; the message tells why.
        DeviceMemoryError: the device has no room for it.
    """
    device = as_device(device)
    if device.kind == "cpu":
        return as_numpy(x)
    if device.index is None:
        return as_cupy(x)
    raw = getattr(x, "_data", x)
    if array_module(raw) is not np and raw.device.id == device.index and (several or cupy_module().cuda.Device().id == device.index):
        return raw
    check(device)
    with cupy_module().cuda.Device(device.index):
        return as_cupy(x)


def as_cupy(x: Any) -> Any:
    """``x`` (Variable or array) as a CuPy array on the current device.

    Raises:
        ImportError, DeviceError, DeviceMemoryError: as :func:`put`.
    """
    try:
        return arrays.as_cupy(x)
    except (RuntimeError, MemoryError) as error:
        if ran_out(error):
            out_of_memory(error, f"to_gpu: {describe(getattr(x, '_data', x))}")
        if (why := _no_answer(error)) is not None:
            raise DeviceError(f"to_gpu: {why}") from error
        raise


def put_all(batch: Any, device: Any) -> Any:
    """All arrays of numbers in a batch (of tuples, lists and dicts) on a device; what is no such array stays as it is."""
    device = as_device(device)
    return mapped(batch, lambda x: put(x, device) if arrays.is_array(x) and is_numeric(x) else x)


def is_numeric(x: Any) -> bool:
    """Are these numbers that a device can hold?"""
    return arrays.kind_of(x.dtype) in "biufc"


def mapped(batch: Any, f: Callable[[Any], Any]) -> Any:
    """``f`` of each part of a batch; tuples, lists and dicts are gone into.

    Examples:
        >>> mapped((1, {"a": 2}), lambda x: x + 1)
        (2, {'a': 3})
    """
    if isinstance(batch, (tuple, list)):
        parts = [mapped(part, f) for part in batch]
        return parts if isinstance(batch, list) else type(batch)(*parts) if hasattr(batch, "_fields") else tuple(parts)
    if isinstance(batch, Mapping):
        return {name: mapped(part, f) for name, part in batch.items()}
    return f(batch)


def check(device: Device) -> None:
    """Is there this CUDA device? From now on ops look where their arrays are, if it is another than the current one.

    Raises:
        ImportError: CuPy is not installed, or does not import.
        DeviceError: there is none.
    """
    global several
    cuda = cupy_module().cuda
    try:
        count = cuda.runtime.getDeviceCount()
    except RuntimeError as error:
        if (why := _no_answer(error)) is not None:
            raise DeviceError(f"{device} is asked for: {why}") from error
        raise
    if not count or device.index is not None and device.index >= count:
        raise DeviceError(f"{device} is asked for: " + (f"there are {count} CUDA devices, cuda:0 to cuda:{count - 1}" if count > 1 else
                                                        "there is one CUDA device, cuda:0" if count else trouble() or "there is no CUDA device"))
    if device.index is not None and device.index != cuda.Device().id:
        several = True


def _no_answer(error: BaseException) -> str | None:
    """What is wrong with the device or the driver, if an error of CUDA may come from that."""
    return trouble() if type(error).__name__ == "CUDARuntimeError" else None


def memory_info(device: Any = "cuda") -> Memory:
    """The memory of a CUDA device, in bytes: what arrays use, what CuPy's pool holds, what is free, and what there is.

    Raises:
        ImportError, DeviceError: there is no such device.
        ValueError: it is no CUDA device.
    """
    device = as_device(device)
    if device.kind != "cuda":
        raise ValueError(f"memory_info: {str(device)!r} is no CUDA device")
    check(device)
    xp = cupy_module()
    with xp.cuda.Device(xp.cuda.Device().id if device.index is None else device.index):
        return memory_of(xp)


def empty_cache() -> None:
    """Give the memory that CuPy's pools hold and no array uses back: to the devices, and that of pinned buffers to the host."""
    check(Device("cuda"))
    xp = cupy_module()
    for i in range(xp.cuda.runtime.getDeviceCount()) if several else (xp.cuda.Device().id,):
        with xp.cuda.Device(i):
            xp.get_default_memory_pool().free_all_blocks()
    xp.get_default_pinned_memory_pool().free_all_blocks()


def out_of_memory(error: BaseException, what: str) -> NoReturn:
    """Raise an error that arose in doing ``what`` (with shapes) again, in words that help if it is CuPy's for a device without memory."""
    if ran_out(error):
        raise explained(cupy_module(), error, what) from error
    raise error


def _look(cupy: Any) -> None:
    """Ops look on which device their arrays are where there are several: arrays may have been put there by others."""
    global several
    try:
        several = several or cupy.cuda.runtime.getDeviceCount() > 1
    except Exception:  # no driver: then there is no array either
        pass


arrays.adopted.append(_look)


def device_of(x: Any) -> str:
    """Where an array is: "cpu" or "cuda:0".

    Examples:
        >>> device_of(np.zeros(2))
        'cpu'
    """
    x = getattr(x, "_data", x)
    return "cpu" if array_module(x) is np else f"cuda:{x.device.id}"


def one_place(what: str, named: Iterable[tuple[str, Any]]) -> None:
    """Refuse arrays that lie in several places. A 0-d array of the host is a number, which may meet any other.

    Args:
        what: the op or method, for the message.
        named: arrays, or Variables, and their names there.

    Raises:
        DeviceError: names the arrays and where each is, and tells what to do.
    """
    places: dict[str, list[str]] = {}
    for name, x in named:
        if getattr(x, "shape", None) or array_module(x) is not np:
            places.setdefault(device_of(x), []).append(name)
    if len(places) < 2:
        return
    where = " and ".join(f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} on {'the host' if place == 'cpu' else place}"
                         for place, names in places.items())
    if "cpu" in places:
        raise DeviceError(f"{what}: host and device arrays are mixed: {where}; move one: a Variable or a layer by to_gpu() or to_cpu(), "
                          "an array by dezero.cuda.as_cupy(x) or as_numpy(x), batches by DataLoader(..., gpu=True)")
    raise DeviceError(f"{what}: arrays of two devices are mixed: {where}; move one with to_gpu({next(iter(places))!r})")


def apart(a: Any, b: Any) -> bool:
    """May two arrays lie in different places? A quick look before :func:`one_place`, for where it would be called often."""
    return type(a) is not type(b) or several and a.device != b.device


def enter(x: Any) -> None:
    """Make the device of an array the current one, as CuPy works where it is."""
    device: Any = getattr(x, "device", "cpu")
    if device != "cpu":  # NumPy's arrays say that, too
        device.use()
