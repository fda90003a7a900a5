"""CUDA kernels that are compiled at their first launch, so that this package imports without CuPy and without a device.

A kernel is written in CUDA C with two type names: ``T``, the type in memory, and ``A``, the type in which it computes: float for
float16, bfloat16 and float32, double for float64. Further types of memory are ``T1``, ``T2``, ...
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from dezero.backend.arrays import cupy_module as cupy
from dezero.backend.arrays import use_cupy

KERNELS: list[Elementwise | Raw] = []   # all that were defined, for tests and for `dezero info`
launches: Counter[str] | None = None    # counts launches by name while counting() runs

C_TYPES = {"float16": "__half", "bfloat16": "__nv_bfloat16", "float32": "float", "float64": "double", "bool": "bool", "int8": "signed char",
           "uint8": "unsigned char", "int16": "short", "uint16": "unsigned short", "int32": "int", "uint32": "unsigned int",
           "int64": "long long", "uint64": "unsigned long long"}
HEADERS = {"__half": "#include <cuda_fp16.h>\n", "__nv_bfloat16": "#include <cuda_bf16.h>\n"}
# What NVRTC, CuPy's compiler, does not know by itself.
NUMBERS = """
#ifndef INFINITY
#define INFINITY __int_as_float(0x7f800000)
#define NAN __int_as_float(0x7fffffff)
#endif
"""
WIDE = """
template <class T> struct Wide { typedef float type; };
template <> struct Wide<double> { typedef double type; };
"""


def use_module(module: Any) -> None:
    """Let ``module`` compile and launch kernels in CuPy's place; None goes back to CuPy."""
    use_cupy(module)
    for kernel in KERNELS:
        kernel.forget()


class counting:
    """Count the launches of these kernels in a block, by name.

    Examples:
        >>> with counting() as found:
        ...     pass
        >>> dict(found)
        {}
    """

    def __enter__(self) -> Counter[str]:
        global launches
        self.before, launches = launches, Counter()
        return launches

    def __exit__(self, *error: object) -> None:
        global launches
        launches = self.before


class Elementwise:
    """A kernel that computes each element of its results from the elements at the same place; inputs broadcast.

    Args:
        inputs, outputs: as CuPy's ElementwiseKernel takes them: "T x, T y"; the letter T is a type found from the arrays, ``A`` the one
            to compute in, once the body says ``typedef Wide<T>::type A;`` (which is put before it).
        body: what is done at index ``i``.
        name: shown by profilers.
        prelude: device functions that the body calls.
    """

    def __init__(self, inputs: str, outputs: str, body: str, name: str, prelude: str = "") -> None:
        self.inputs, self.outputs, self.name, self.prelude = inputs, outputs, f"dezero_{name}", prelude
        self.body = f"typedef Wide<T>::type A;\n{body}"
        self._kernel: Any = None
        KERNELS.append(self)

    def __call__(self, *arrays: Any) -> Any:
        """Launch on the inputs, and on outputs where they are given; gives the outputs."""
        kernel = self._kernel
        if kernel is None:
            kernel = self._kernel = cupy().ElementwiseKernel(self.inputs, self.outputs, self.body, self.name, preamble=NUMBERS + WIDE + self.prelude)
        if launches is not None:
            launches[self.name] += 1
        return kernel(*arrays)

    def forget(self) -> None:
        """Compile anew at the next launch."""
        self._kernel = None


class Raw:
    """A kernel with blocks and threads of its own.

    Args:
        name: of the ``extern "C" __global__`` function in the source.
        source: CUDA C; the types T, T1, ... and A are defined before it.
        prelude: device functions that several kernels share.
        types: how many dtypes :meth:`launch` takes.
    """

    def __init__(self, name: str, source: str, prelude: str = "", types: int = 1) -> None:
        self.name, self.body, self.types = name, prelude + source, types
        self._kernels: dict[Any, Any] = {}
        KERNELS.append(self)

    def source(self, *dtypes: Any) -> str:
        """The whole source for arrays of these dtypes."""
        names = [C_TYPES[dtype if isinstance(dtype, str) else np.dtype(dtype).name] for dtype in dtypes]
        headers = "".join(HEADERS.get(name, "") for name in dict.fromkeys(names))
        types = "".join(f"typedef {name} T{i or ''};\n" for i, name in enumerate(names))
        return f"{headers}{NUMBERS}{types}typedef {'double' if names[0] == 'double' else 'float'} A;\n{self.body}"

    def launch(self, dtypes: Any, grid: tuple[int, ...], block: tuple[int, ...], args: tuple[Any, ...]) -> None:
        """Launch for arrays of these dtypes; a Python int is a ``long long`` and a float a ``double`` in the kernel.

        Args:
            dtypes: one for T, or a tuple for T, T1, ...
            grid, block: numbers of blocks, and of threads in each.
            args: arrays and numbers. A missing array is 0 (a null pointer).
        """
        kernel = self._kernels.get(dtypes)
        if kernel is None:
            each = dtypes if isinstance(dtypes, tuple) else (dtypes,)
            kernel = self._kernels[dtypes] = cupy().RawKernel(self.source(*each), self.name, options=("-std=c++17",))
        if launches is not None:
            launches[self.name] += 1
        kernel(grid, block, args)

    def forget(self) -> None:
        """Compile anew at the next launch."""
        self._kernels.clear()
