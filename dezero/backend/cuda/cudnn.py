"""Convolutions by cuDNN, where it is installed: a thin binding of its C API by ctypes, as CuPy has none since its version 14.

Names and orders of arguments are those of cudnn_graph.h, cudnn_ops.h and cudnn_cnn.h. What is asked for is planned once for each shape,
dtype and setting: descriptors, and the algorithm that cuDNN's heuristics expect to be the fastest within a limit of memory. One that
gives the same bits each time is preferred.
"""

from __future__ import annotations

import ctypes
import importlib
import sys
import threading
from collections.abc import Iterator
from ctypes import POINTER, c_char_p, c_float, c_int, c_size_t, c_void_p
from functools import lru_cache
from pathlib import Path
from typing import Any

from dezero.backend.arrays import cupy_module as cupy
from dezero.backend.cuda import launch, precision

WORKSPACE = 1 << 29  # bytes that an algorithm may take for itself
NCHW, CROSS_CORRELATION = 0, 1
DATA_TYPES = {"float32": 0, "float64": 1, "float16": 2, "bfloat16": 9}
DEFAULT_MATH, TENSOR_OP_MATH, FMA_MATH = 0, 1, 3  # the default takes float32 to TF32 where the device can
FORWARD, GRAD_X, GRAD_W = "Forward", "BackwardData", "BackwardFilter"
# What each takes and gives, among x, W and y.
OPERANDS = {FORWARD: ("x", "W", "y"), GRAD_X: ("W", "y", "x"), GRAD_W: ("x", "y", "W")}
MOST_ALGORITHMS = 10

reason: str | None = None  # why cuDNN is not used, if it is not
_library: Any = None       # the library; None if it was not looked for, False if there is none
_threads = threading.local()


class CudnnError(RuntimeError):
    """cuDNN has refused something.

    Attributes:
        status: its number for that.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status

    @property
    def unsupported(self) -> bool:
        """Is it something that cuDNN cannot do, and no mistake?"""
        return self.status == 9 or self.status // 1000 == 3  # cuDNN 8, cuDNN 9


class Performance(ctypes.Structure):
    """cudnnConvolutionFwdAlgoPerf_t, and those for the gradients: what is expected of an algorithm."""

    _fields_ = [("algorithm", c_int), ("status", c_int), ("time", c_float), ("memory", c_size_t), ("determinism", c_int), ("math", c_int),
                ("reserved", c_int * 3)]


def _signatures() -> dict[str, list[Any]]:
    """The types of all arguments."""
    pointer, place = c_void_p, POINTER(c_void_p)
    found: dict[str, list[Any]] = {
        "Create": [place], "Destroy": [pointer], "SetStream": [pointer, pointer],
        "SetTensor4dDescriptor": [pointer, *[c_int] * 6], "SetFilter4dDescriptor": [pointer, *[c_int] * 6],
        "SetConvolution2dDescriptor": [pointer, *[c_int] * 8], "SetConvolutionGroupCount": [pointer, c_int],
        "SetConvolutionMathType": [pointer, c_int], "GetConvolution2dForwardOutputDim": [*[pointer] * 3, *[POINTER(c_int)] * 4],
    }
    for kind in ("Tensor", "Filter", "Convolution"):
        found[f"Create{kind}Descriptor"], found[f"Destroy{kind}Descriptor"] = [place], [pointer]
    for kind in OPERANDS:
        found[f"GetConvolution{kind}Algorithm_v7"] = [*[pointer] * 5, c_int, POINTER(c_int), POINTER(Performance)]
        found[f"Convolution{kind}"] = [*[pointer] * 7, c_int, pointer, c_size_t, *[pointer] * 3]
    return found


def _places() -> Iterator[str]:
    """Where the library may be, the likeliest first."""
    try:
        yield str(importlib.import_module("cuda.pathfinder").load_nvidia_dynamic_lib("cudnn").abs_path)
    except Exception:  # there is no pathfinder, or it finds nothing
        pass
    for folder in sys.path:
        yield from sorted(map(str, Path(folder or ".").glob("nvidia/cudnn/lib/libcudnn.so*")), reverse=True)
    yield from ("libcudnn.so.9", "libcudnn.so.8", "libcudnn.so")


def declare(library: Any) -> Any:
    """Tell ctypes the types of a library's functions."""
    for name, types in _signatures().items():
        function = getattr(library, f"cudnn{name}")
        function.argtypes, function.restype = types, c_int
    library.cudnnGetErrorString.argtypes, library.cudnnGetErrorString.restype = [c_int], c_char_p
    if hasattr(library, "cudnnGetLastErrorString"):  # since version 9
        library.cudnnGetLastErrorString.argtypes, library.cudnnGetLastErrorString.restype = [c_char_p, c_size_t], None
    library.cudnnGetVersion.argtypes, library.cudnnGetVersion.restype = [], c_size_t
    return library


def load() -> Any:
    """The library from this machine.

    Raises:
        OSError: there is none, or it lacks a function.
    """
    error: Exception | None = None
    for place in _places():
        try:
            return declare(ctypes.CDLL(place))
        except (OSError, AttributeError) as e:
            error = error or e
    raise OSError(f"libcudnn cannot be loaded ({error})")


def use(library: Any) -> None:
    """Take this library; False for none, None to look for one at the next convolution."""
    global _library, _threads, reason
    plan.cache_clear()
    _threads = threading.local()
    _library = declare(library) if library else library
    reason = "it is switched off" if library is False else None


def available() -> Any:
    """The library, if it is there and can use the device, else False, and ``reason`` says why."""
    global _library, reason
    if _library is None:
        try:
            _library = load()
            handle(cupy().cuda.Device().id)
        except (OSError, CudnnError) as error:
            _library, reason = False, f"{error}: convolutions go through columns and products (pip install nvidia-cudnn-cu12 or nvidia-cudnn-cu13)"
    return _library


def call(name: str, *args: Any) -> None:
    """Call a function of the library.

    Raises:
        CudnnError: with cuDNN's own words.
    """
    if status := getattr(_library, f"cudnn{name}")(*args):
        text = _library.cudnnGetErrorString(status).decode()
        if hasattr(_library, "cudnnGetLastErrorString"):
            buffer = ctypes.create_string_buffer(2048)
            _library.cudnnGetLastErrorString(buffer, len(buffer))
            text += f": {buffer.value.decode(errors='replace')}" if buffer.value else ""
        raise CudnnError(status, f"cudnn{name}: {text}")


def handle(device: int) -> Any:
    """cuDNN's handle for a device in this thread, at work on CuPy's current stream."""
    handles = _threads.__dict__.setdefault("handles", {})
    found = handles.get(device)
    if found is None:
        place = c_void_p()
        call("Create", ctypes.byref(place))
        found = handles[device] = [place, None]
    stream = cupy().cuda.get_current_stream().ptr
    if found[1] != stream:
        call("SetStream", found[0], stream)
        found[1] = stream
    return found[0]


class Plan:
    """The descriptors of one convolution, and the algorithm for one of its directions.

    Attributes:
        descriptors: of x, W and y by name, and of the convolution.
        algorithm: its number; None where cuDNN cannot do it, and then ``error`` says why.
        memory: the bytes that it takes.
        one, zero: factors of the result, and of what was there before.
    """

    def __init__(self, shapes: dict[str, Any], dtype: str, math: int, settings: Any) -> None:
        stride, pad, dilation, groups = settings
        kind, wide = DATA_TYPES[dtype], dtype == "float64"
        self.library, self.made = _library, list[tuple[str, c_void_p]]()
        self.algorithm: int | None = None
        self.memory, self.error, self.math = 0, "", math
        number = ctypes.c_double if wide else c_float
        self.one, self.zero = number(1), number(0)
        self.descriptors = {"x": self._make("Tensor"), "W": self._make("Filter"), "y": self._make("Tensor"), "": self._make("Convolution")}
        for name in ("x", "y"):
            call("SetTensor4dDescriptor", self.descriptors[name], NCHW, kind, *shapes[name])
        call("SetFilter4dDescriptor", self.descriptors["W"], kind, NCHW, *shapes["W"])
        own = self.descriptors[""]
        call("SetConvolution2dDescriptor", own, *pad, *stride, *dilation, CROSS_CORRELATION, DATA_TYPES["float64" if wide else "float32"])
        call("SetConvolutionGroupCount", own, groups)
        call("SetConvolutionMathType", own, math)

    def _make(self, kind: str) -> c_void_p:
        place = c_void_p()
        call(f"Create{kind}Descriptor", ctypes.byref(place))
        self.made.append((kind, place))
        return place

    def __del__(self) -> None:
        for kind, place in self.made:
            getattr(self.library, f"cudnnDestroy{kind}Descriptor")(place)

    def output(self) -> tuple[int, ...]:
        """The shape of y that cuDNN expects."""
        sizes = [c_int() for _ in range(4)]
        call("GetConvolution2dForwardOutputDim", self.descriptors[""], self.descriptors["x"], self.descriptors["W"], *map(ctypes.byref, sizes))
        return tuple(size.value for size in sizes)

    def choose(self, direction: str, of: Any, fixed: bool = False) -> None:
        """Find the algorithm: the one expected to be fastest, of those that take little memory and give the same bits each time if there are any.

        With ``fixed``, one that gives the same bits or none. cuDNN ranks pairs of an algorithm and a kind of arithmetic, so both are taken over.
        """
        first, second, result = (self.descriptors[name] for name in OPERANDS[direction])
        count, found = c_int(), (Performance * MOST_ALGORITHMS)()
        call(f"GetConvolution{direction}Algorithm_v7", of, first, second, self.descriptors[""], result, MOST_ALGORITHMS, ctypes.byref(count), found)
        able = [p for p in found[: count.value] if not p.status and (p.determinism or not fixed)]
        if self.math == FMA_MATH:  # float32 is to stay IEEE's; an older library calls that the default
            able = [p for p in able if p.math == FMA_MATH] or able
        if not able:
            self.error = "cuDNN has no algorithm for it" + " that gives the same bits each time" * fixed
            return
        small = [p for p in able if p.memory <= WORKSPACE] or [min(able, key=lambda p: p.memory)]
        best = next((p for p in small if p.determinism), small[0])
        if self.math != FMA_MATH:
            call("SetConvolutionMathType", self.descriptors[""], best.math)
        self.algorithm, self.memory = best.algorithm, best.memory


@lru_cache(maxsize=1024)
def plan(direction: str, device: int, x: Any, W: Any, y: Any, dtype: str, math: int, settings: Any, fixed: bool = False) -> Plan:
    """The plan for arrays of these shapes on this device."""
    made = Plan({"x": x, "W": W, "y": y}, dtype, math, settings)
    try:
        made.choose(direction, handle(device), fixed)
    except CudnnError as error:
        if not error.unsupported:
            raise
        made.error = str(error)
    return made


def math_for(dtype: str) -> int:
    """The kind of arithmetic for a dtype: what is asked for of float32, and half precision on tensor cores, which sum in float32."""
    if dtype == "float32":
        return DEFAULT_MATH if precision.tf32 else FMA_MATH
    return DEFAULT_MATH if dtype == "float64" else TENSOR_OP_MATH


def convolve(direction: str, x: Any, W: Any, y: Any, stride: Any, pad: Any, dilation: Any, groups: int) -> bool:
    """Write y, x or W, whichever the direction gives, from the two others; all are in C order, of one float dtype and not empty.

    Returns:
        False where cuDNN is missing or cannot do it; nothing is written then.

    Raises:
        CudnnError: with cuDNN's own words.
    """
    if not available() or max(x.size, W.size, y.size) >= 2**31:  # its sizes are C integers
        return False
    device, dtype = x.device.id, x.dtype.name
    settings = (tuple(stride), tuple(pad), tuple(dilation), groups)
    p = plan(direction, device, tuple(x.shape), tuple(W.shape), tuple(y.shape), dtype, math_for(dtype), settings, precision.deterministic_sums)
    if p.algorithm is None:
        return False
    arrays = {"x": x, "W": W, "y": y}
    first, second, result = OPERANDS[direction]
    space = cupy().empty(p.memory, "uint8") if p.memory else None
    try:
        call(f"Convolution{direction}", handle(device), ctypes.addressof(p.one), p.descriptors[first], arrays[first].data.ptr,
             p.descriptors[second], arrays[second].data.ptr, p.descriptors[""], p.algorithm, 0 if space is None else space.data.ptr, p.memory,
             ctypes.addressof(p.zero), p.descriptors[result], arrays[result].data.ptr)
    except CudnnError as error:
        if not error.unsupported:
            raise
        p.algorithm, p.error = None, str(error)
        return False
    if launch.launches is not None:
        launch.launches[f"cudnn_{direction}"] += 1
    return True
