"""An array module that stands in for CuPy and runs CUDA kernels on the host: their sources are compiled by g++ with ``host.h`` before them.

Its arrays are the strict ones of ``tests.strict``, so that what CuPy refuses is refused here. What a kernel computes is tested this way
on machines without a GPU; that it compiles for a GPU is tested with nvcc (test_compile.py).
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import types
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from dezero.backend import kernels
from dezero.backend.cuda.launch import C_TYPES, use_module
from tests import strict
from tests.cuda import cublas
from tests.strict import StrictArray, to_strict

HERE = Path(__file__).resolve().parent
COMPILER = shutil.which("g++")
OPTIONS = ("-std=c++17", "-O1", "-fPIC", "-w", "-fpermissive")
NUMPY_TYPES = {np.dtype(name).char: c for name, c in C_TYPES.items() if name != "bfloat16"}


@cache
def header(folder: Path) -> Path:
    """Where ``host.h`` lies compiled, which saves a third of the time that a kernel takes."""
    content = (HERE / "host.h").read_bytes()
    place = folder / f"host-{hashlib.sha256(content).hexdigest()[:12]}"
    if not (place / "host.h.gch").exists():
        place.mkdir(exist_ok=True)
        made = place / f"host.{os.getpid()}.gch"
        subprocess.run([str(COMPILER), *OPTIONS, "-x", "c++-header", "-o", str(made), str(HERE / "host.h")], capture_output=True, check=True)
        made.replace(place / "host.h.gch")
    return place


@cache
def library(source: str) -> ctypes.CDLL:
    """Compile C++ once; the file is kept between runs by the hash of what it was made of."""
    assert COMPILER is not None, "g++ is not installed"
    whole = source + (HERE / "host.h").read_text(encoding="utf-8")
    folder = Path(tempfile.gettempdir()) / f"dezero-emulated-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / f"{hashlib.sha256(whole.encode()).hexdigest()[:24]}.so"
    if not file.exists():
        made = file.with_suffix(f".{os.getpid()}.so")
        code = made.with_suffix(".cpp")
        code.write_text(source, encoding="utf-8")
        done = subprocess.run([COMPILER, *OPTIONS, "-shared", f"-I{header(folder)}", f"-I{HERE}", "-o", str(made), str(code)],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{done.stderr[:3000]}\n{source}")
        code.unlink()
        made.replace(file)
    return ctypes.CDLL(str(file))


class RawKernel:
    """One kernel of a source."""

    def __init__(self, code: str, name: str, options: tuple[str, ...] = ()) -> None:
        code = re.sub(r"#include <cuda_[a-z0-9]+\.h>", "", code)
        self.name = name
        self.library = library(f'#include "host.h"\n{code}\nextern "C" void start_(void** args, const unsigned* shape) '
                               f'{{ host::start({name}, args, shape); }}\nextern "C" int sizes_(int* out) {{ return host::sizes({name}, out); }}\n')
        out = (ctypes.c_int * 64)()
        self.sizes = list(out[: self.library.sizes_(out)])

    def __call__(self, grid: tuple[int, ...], block: tuple[int, ...], args: tuple[Any, ...], shared_mem: int = 0) -> None:
        assert len(args) == len(self.sizes), f"{self.name} takes {len(self.sizes)} arguments, {len(args)} given"
        assert all(n > 0 for n in (*grid, *block)), f"{self.name}: grid {grid}, block {block}"
        assert int(np.prod(block)) <= 1024, f"{self.name}: a block has at most 1024 threads, not {block}"
        assert (*grid, 1, 1)[1] <= 65535 and (*grid, 1, 1, 1)[2] <= 65535 and grid[0] < 2**31, f"{self.name}: the grid {grid} is too large"
        values = [self._value(arg, size, i) for i, (arg, size) in enumerate(zip(args, self.sizes, strict=True))]
        pointers = (ctypes.c_void_p * max(len(values), 1))(*[ctypes.addressof(v) for v in values])
        shape = (ctypes.c_uint * 6)(*(*grid, 1, 1)[:3], *(*block, 1, 1)[:3])
        self.library.start_(pointers, shape)

    def _value(self, arg: Any, size: int, i: int) -> Any:
        """An argument in the way in which CuPy passes it: a pointer, a long long, a double, or the bytes of a NumPy scalar."""
        if isinstance(arg, StrictArray):
            value: Any = ctypes.c_void_p(arg._a.ctypes.data)
        elif isinstance(arg, bool):
            value = ctypes.c_bool(arg)
        elif isinstance(arg, int):
            value = ctypes.c_longlong(arg)
        elif isinstance(arg, float):
            value = ctypes.c_double(arg)
        elif isinstance(arg, np.generic):
            value = (ctypes.c_char * arg.dtype.itemsize).from_buffer_copy(arg.tobytes())
        else:
            raise TypeError(f"{self.name}: argument {i} is a {type(arg).__name__}")
        assert ctypes.sizeof(value) == size, f"{self.name}: argument {i} has {ctypes.sizeof(value)} bytes, the kernel takes {size}"
        return value


class ElementwiseKernel:
    """As CuPy's: types by letters, broadcasting, outputs made where they are not given."""

    def __init__(self, in_params: str, out_params: str, operation: str, name: str = "kernel", preamble: str = "", **options: Any) -> None:
        self.ins, self.outs = ([self._parameter(p) for p in text.split(",") if p.strip()] for text in (in_params, out_params))
        self.operation, self.name, self.preamble = operation, name, preamble

    @staticmethod
    def _parameter(text: str) -> tuple[bool, str, str]:
        words = text.split()
        return words[0] == "raw", words[-2], words[-1]

    def __call__(self, *args: Any, size: int | None = None) -> Any:
        given = args[len(self.ins):]
        assert len(args) in (len(self.ins), len(self.ins) + len(self.outs)), f"{self.name}: {len(args)} arguments"
        found: dict[str, np.dtype] = {}
        for (_, kind, _), arg in zip(self.ins + self.outs, args, strict=False):
            if len(kind) == 1 and isinstance(arg, StrictArray):
                assert found.setdefault(kind, arg.dtype) == arg.dtype, f"{self.name}: {kind} is {found[kind]} and {arg.dtype}"
        for (_, kind, _), arg in zip(self.ins, args, strict=False):
            if len(kind) == 1 and kind not in found:
                found[kind] = np.asarray(arg).dtype
        dtypes = [found[kind] if len(kind) == 1 else np.dtype(kind) for _, kind, _ in self.ins + self.outs]
        shapes = [a.shape for (raw, _, _), a in zip(self.ins + self.outs, args, strict=False) if isinstance(a, StrictArray) and not raw]
        shape = np.broadcast_shapes(*shapes) if size is None else (size,)
        arrays = []
        for (raw, _, _), dtype, arg in zip(self.ins, dtypes, args, strict=False):
            a = strict.unwrap(arg)
            assert not isinstance(a, np.ndarray) or a.dtype == dtype, f"{self.name}: an input is {a.dtype}, not {dtype}"
            arrays.append(np.ascontiguousarray(a, dtype) if raw else np.ascontiguousarray(np.broadcast_to(np.asarray(a, dtype), shape)))
        outputs = [StrictArray(np.empty(shape, dtype)) for dtype in dtypes[len(self.ins):]] if not given else list(given)
        results = [np.array(np.ascontiguousarray(o._a)) for o in outputs]  # an output may be an input too
        for o in outputs:
            assert o.shape == shape or size is not None, f"{self.name}: an output has the shape {o.shape}, not {shape}"
        self._run(arrays + results, [C_TYPES[d.name] for d in dtypes], found, int(np.prod(shape)))
        for o, r in zip(outputs, results, strict=True):
            o._a[...] = r
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def _run(self, arrays: list[np.ndarray], types_: list[str], found: dict[str, np.dtype], n: int) -> None:
        parameters = self.ins + self.outs
        letters = "".join(f"typedef {C_TYPES[d.name]} {letter};\n" for letter, d in found.items())
        inner = ""
        for i, ((raw, _, name), c) in enumerate(zip(parameters, types_, strict=True)):
            inner += f"{c}* {name} = p{i};\n" if raw else f"{c}& {name} = p{i}[i];\n" if i >= len(self.ins) else f"const {c} {name} = p{i}[i];\n"
        signature = ", ".join(f"{c}* p{i}" for i, c in enumerate(types_))
        code = (f'#include "host.h"\n{letters}{self.preamble}\nextern "C" void loop({signature}, long long n) '
                f"{{ for (long long i = 0; i < n; ++i) {{\n{inner}{self.operation};\n}} }}\n")
        library(code).loop(*[ctypes.c_void_p(a.ctypes.data) for a in arrays], ctypes.c_longlong(n))


class Emulated(types.ModuleType):
    """``tests.strict.xp`` with kernels."""

    RawKernel, ElementwiseKernel, ndarray = RawKernel, ElementwiseKernel, StrictArray

    def __getattr__(self, name: str) -> Any:
        return getattr(strict.xp, name)


module = Emulated("emulated")
strict.xp.cuda.cublas, strict.xp.cuda.device = cublas, types.SimpleNamespace(get_cublas_handle=cublas.get_cublas_handle)
for table in (kernels.OVERRIDES, kernels.FUSED):
    table["emulated"] = table.setdefault("cupy", {})  # type: ignore[index, assignment]
importlib.import_module("dezero.backend.cuda")
sys.modules.setdefault("emulated", module)

__all__ = ["COMPILER", "StrictArray", "module", "to_strict", "use_module"]
