"""A stand-in for libcudnn: functions with C's calling convention, as its headers declare them, that compute with the reference on the memory
behind the addresses. It looks at everything that it is given, and refuses what cuDNN refuses."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, Structure, c_char, c_float, c_int, c_size_t, c_void_p
from typing import Any

import numpy as np

from dezero.backend.kernels import REFERENCE
from tests.cuda.cublas import memory

BAD_PARAM, NOT_SUPPORTED = 2000, 3000
DATA_TYPES = {0: "float32", 1: "float64", 2: "float16", 9: "bfloat16"}
SPACE = 1024  # the workspace that each algorithm asks for, times its number


class Perf(Structure):
    """cudnnConvolutionFwdAlgoPerf_t of cudnn_cnn.h."""

    _fields_ = [("algo", c_int), ("status", c_int), ("time", c_float), ("memory", c_size_t), ("determinism", c_int), ("mathType", c_int),
                ("reserved", c_int * 3)]


class Library:
    """The functions, and what was done with them.

    Attributes:
        calls: (direction, algorithm, math type, groups) of each convolution.
        planned: how often an algorithm was asked for.
        stream: the stream that was set last.
        offered: (algorithm, status, memory, determinism) that the heuristics give, the best first; a fifth is the kind of arithmetic, else
            that of the convolution.
        refuses: directions that are not supported when they run.
    """

    def __init__(self) -> None:
        self.objects: dict[int, dict[str, Any]] = {}
        self.calls: list[tuple[str, int, int, int]] = []
        self.planned = self.created = 0
        self.stream: int | None = None
        self.offered: list[tuple[int, ...]] = [(4, 0, 1 << 40, 1), (3, NOT_SUPPORTED, 0, 1), (0, 0, 64, 0), (1, 0, SPACE, 1), (7, 0, 0, 1)]
        self.refuses: set[str] = set()
        self.text = ""
        self.words = ctypes.create_string_buffer(b"CUDNN_STATUS_STAND_IN")
        V, I = c_void_p, c_int
        for kind in ("Tensor", "Filter", "Convolution"):
            self._add(f"Create{kind}Descriptor", lambda place, kind=kind: self._create(place, kind), POINTER(V))
            self._add(f"Destroy{kind}Descriptor", lambda d, kind=kind: self._destroy(d, kind), V)
        self._add("Create", lambda place: self._create(place, "handle"), POINTER(V))
        self._add("Destroy", lambda d: self._destroy(d, "handle"), V)
        self._add("SetStream", self._set_stream, V, V)
        self._add("SetTensor4dDescriptor", self._set_tensor, V, *[I] * 6)
        self._add("SetFilter4dDescriptor", self._set_filter, V, *[I] * 6)
        self._add("SetConvolution2dDescriptor", self._set_convolution, V, *[I] * 8)
        self._add("SetConvolutionGroupCount", lambda d, n: self._set(d, "Convolution", groups=n), V, I)
        self._add("SetConvolutionMathType", lambda d, n: self._set(d, "Convolution", math=n), V, I)
        self._add("GetConvolution2dForwardOutputDim", self._output, V, V, V, *[POINTER(I)] * 4)
        for direction in ("Forward", "BackwardData", "BackwardFilter"):
            self._add(f"GetConvolution{direction}Algorithm_v7", lambda *a, d=direction: self._algorithms(d, *a), *[V] * 5, I, POINTER(I),
                      POINTER(Perf))
            self._add(f"Convolution{direction}", lambda *a, d=direction: self._convolve(d, *a), V, V, V, V, V, V, V, I, V, c_size_t, V, V, V)
        self.cudnnGetErrorString = CFUNCTYPE(V, I)(lambda status: ctypes.addressof(self.words))
        self.cudnnGetLastErrorString = CFUNCTYPE(None, POINTER(c_char), c_size_t)(self._last)
        self.cudnnGetVersion = CFUNCTYPE(c_size_t)(lambda: 92800)

    def _add(self, name: str, function: Callable[..., int | None], *types: Any) -> None:
        def called(*args: Any) -> int:
            try:
                return function(*args) or 0
            except Exception as error:  # C knows numbers only
                self.text = f"{type(error).__name__}: {error}"
                return error.args[1] if len(error.args) > 1 and isinstance(error.args[1], int) else BAD_PARAM
        setattr(self, f"cudnn{name}", CFUNCTYPE(c_int, *types)(called))

    def _last(self, place: Any, size: int) -> None:
        text = self.text.encode()[: size - 1] + b"\0"
        ctypes.memmove(place, text, len(text))

    # -- objects ----------------------------------------------------------------------------------

    def _create(self, place: Any, kind: str) -> None:
        self.created += 1
        place[0] = 0xD000 + 16 * self.created
        self.objects[place[0]] = {"kind": kind}

    def _destroy(self, d: int, kind: str) -> None:
        assert self.objects.pop(d)["kind"] == kind

    def _get(self, d: int, kind: str) -> dict[str, Any]:
        found = self.objects[d]
        assert found["kind"] == kind, f"a {kind} is expected and a {found['kind']} is given"
        return found

    def _set(self, d: int, kind: str, **values: Any) -> None:
        self._get(d, kind).update(values)

    def _set_stream(self, h: int, stream: int) -> None:
        self._get(h, "handle")
        self.stream = stream or 0

    def _set_tensor(self, d: int, layout: int, kind: int, *shape: int) -> None:
        assert layout == 0 and min(shape) > 0, f"layout {layout}, sizes {shape}"
        self._set(d, "Tensor", dtype=DATA_TYPES[kind], shape=shape)

    def _set_filter(self, d: int, kind: int, layout: int, *shape: int) -> None:
        assert layout == 0 and min(shape) > 0, f"layout {layout}, sizes {shape}"
        self._set(d, "Filter", dtype=DATA_TYPES[kind], shape=shape)

    def _set_convolution(self, d: int, ph: int, pw: int, sh: int, sw: int, dh: int, dw: int, mode: int, kind: int) -> None:
        assert mode == 1, "this is a convolution, not a cross-correlation"
        assert kind in (0, 1)
        self._set(d, "Convolution", pad=(ph, pw), stride=(sh, sw), dilation=(dh, dw), compute=DATA_TYPES[kind], groups=1, math=0)

    # -- convolutions -----------------------------------------------------------------------------

    def _shape(self, c: Any, x: Any, W: Any) -> tuple[int, ...]:
        (N, C, *size), (OC, each, *kernel) = x["shape"], W["shape"]
        assert each * c["groups"] == C and OC % c["groups"] == 0, f"{C} channels, {each} of the filter, {c['groups']} groups"
        return (N, OC, *((n + 2 * p - (d * (k - 1) + 1)) // s + 1
                         for n, k, s, p, d in zip(size, kernel, c["stride"], c["pad"], c["dilation"], strict=True)))

    def _output(self, c: int, x: int, W: int, *places: Any) -> None:
        for place, n in zip(places, self._shape(self._get(c, "Convolution"), self._get(x, "Tensor"), self._get(W, "Filter")), strict=True):
            place[0] = n

    def _parts(self, direction: str, first: int, second: int, result: int, c: int) -> tuple[Any, Any, Any, Any]:
        """x, W, y and the convolution, by the order that a direction has."""
        names = {"Forward": "xWy", "BackwardData": "Wyx", "BackwardFilter": "xyW"}[direction]
        found = {n: self._get(d, "Filter" if n == "W" else "Tensor") for n, d in zip(names, (first, second, result), strict=True)}
        x, W, y, conv = found["x"], found["W"], found["y"], self._get(c, "Convolution")
        assert y["shape"] == self._shape(conv, x, W), f"y is {y['shape']}, {self._shape(conv, x, W)} is expected"
        assert x["dtype"] == W["dtype"] == y["dtype"] and conv["compute"] == ("float64" if x["dtype"] == "float64" else "float32")
        return x, W, y, conv

    def _algorithms(self, direction: str, h: int, first: int, second: int, c: int, result: int, most: int, count: Any, perf: Any) -> None:
        self._get(h, "handle")
        self._parts(direction, first, second, result, c)
        self.planned += 1
        count[0] = min(most, len(self.offered))
        for i, (algo, status, space, same, *math) in enumerate(self.offered[:most]):
            perf[i] = Perf(algo, status, 1.0 + i, space, same, *(math or [self._get(c, "Convolution")["math"]]))

    def _convolve(self, direction: str, h: int, alpha: int, first: int, a: int, second: int, b: int, c: int, algo: int, space: int | None, size: int,
                  beta: int, result: int, to: int) -> None:
        self._get(h, "handle")
        if direction in self.refuses:
            raise ValueError("this is not supported", NOT_SUPPORTED)
        x, W, y, conv = self._parts(direction, first, second, result, c)
        needed = next(space for number, status, space, _, *math in self.offered if number == algo and not status and math in ([], [conv["math"]]))
        assert size >= needed and (space or not needed), f"algorithm {algo} needs {needed} bytes, {size} are given at {space}"
        if size:
            ctypes.memset(space, 0xAB, size)
        wide: Any = np.float64 if conv["compute"] == "float64" else np.float32
        one, two = (float(memory(p, np.dtype(wide), (1,), (1,))[0]) for p in (alpha, beta))
        assert (one, two) == (1.0, 0.0)

        def array(at: int, of: Any) -> np.ndarray:
            steps = [int(np.prod(of["shape"][i + 1:])) for i in range(4)]
            return memory(at, np.dtype(of["dtype"]), of["shape"], tuple(steps))
        settings = (conv["stride"], conv["pad"], conv["dilation"], conv["groups"])
        if direction == "Forward":
            array(to, y)[...] = REFERENCE["conv2d"](np, array(a, x).astype(wide), array(b, W).astype(wide), None, *settings)
        elif direction == "BackwardData":
            array(to, x)[...] = REFERENCE["conv2d_grad_x"](np, array(b, y).astype(wide), array(a, W).astype(wide), x["shape"][2:], *settings)
        else:
            array(to, W)[...] = REFERENCE["conv2d_grad_w"](np, array(a, x).astype(wide), array(b, y).astype(wide), W["shape"][2:], *settings)
        self.calls.append((direction, algo, conv["math"], conv["groups"]))
