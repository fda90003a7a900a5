"""Arrays of other libraries without copies, by DLPack: PyTorch, JAX and others hand them over and take ours (dmlc.github.io/dlpack)."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.backend.arrays import array_module, cupy_module
from dezero.backend.device import Device, check
from dezero.errors import DeviceError, DTypeError, InputTypeError, describe

HOST, CUDA, CUDA_HOST, CUDA_MANAGED = 1, 2, 3, 13  # DLDeviceType


def exported(a: Any, stream: Any, max_version: Any, dl_device: Any, copy: bool | None) -> Any:
    """An array as a capsule for another library; the arguments are the protocol's.

    Raises:
        BufferError: it cannot be handed over as it is; the message tells what can.
    """
    asked = {"stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy}
    asked = {name: value for name, value in asked.items() if value is not None}  # NumPy 2.0 knows the first alone
    if copy is not True and any(step < 0 for step in a.strides):  # PyTorch ends the whole process on these
        raise BufferError(f"__dlpack__: {describe(a)} has negative strides, which other libraries do not take: hand over v.data.copy()")
    try:
        if array_module(a) is np:
            return a.__dlpack__(**asked)
        with a.device:
            return a.__dlpack__(**asked)
    except BufferError as error:
        advice = ""
        if a.dtype.name == "bfloat16":
            advice = "; bfloat16 is not handed over: v.astype(np.float32) is, or v.data.view(np.uint16), which the other side views as its bfloat16"
        elif not getattr(a.flags, "writeable", True):
            advice = "; hand over v.data.copy(), or take it by a from_dlpack that knows read-only arrays (DLPack 1.0)"
        raise BufferError(f"__dlpack__: {describe(a)}: {error}{advice}") from error


def imported(x: Any) -> Any:
    """The array behind an object of another library: NumPy's on the host, CuPy's on a CUDA device, in the same memory.

    Raises:
        InputTypeError: the object does not know the protocol.
        DeviceError: it is on a device that we do not know, or that is not there.
        DTypeError: it is of a dtype that NumPy or CuPy does not take over.
    """
    if not hasattr(x, "__dlpack__") or not hasattr(x, "__dlpack_device__"):
        raise InputTypeError(f"from_dlpack: x is {describe(x)}: an array of another library, which has __dlpack__, is expected")
    kind, index = map(int, x.__dlpack_device__())
    if kind not in (HOST, CUDA, CUDA_HOST, CUDA_MANAGED):
        raise DeviceError(f"from_dlpack: x is on a device of DLPack's type {kind}: the host or a CUDA device is expected; bring it there first")
    try:
        if kind in (HOST, CUDA_HOST):
            return np.from_dlpack(x)
        check(Device("cuda", index))
        with cupy_module().cuda.Device(index):  # the other library is told of the stream that is current there, and waits for it
            return cupy_module().from_dlpack(x)
    except (RuntimeError, TypeError) as error:
        if "dtype" not in str(error) and "supported" not in str(error):
            raise
        raise DTypeError(f"from_dlpack: x is of {getattr(x, 'dtype', 'an unknown dtype')}: {error}; convert it on the other side, bfloat16 to "
                         "float32 say, or view it there as integers of its size and here as what it is") from error
