"""A stand-in for CuPy's binding of cuBLAS: it takes addresses, flags, leading dimensions and strides, and computes with NumPy on the memory behind.

It follows the manual of cublasGemmEx and cublasGemmStridedBatchedEx: matrices lie by columns, element (i, j) at ``i + j * ld``.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

CUBLAS_OP_N, CUBLAS_OP_T = 0, 1
COMPUTE_32F, COMPUTE_32F_FAST_TF32, COMPUTE_64F = 68, 77, 70
HANDLE = 0xB1A5
calls: list[dict[str, Any]] = []  # what was asked for, for tests


def dtype_of(kind: int) -> Any:
    """The dtype of a cudaDataType."""
    if kind == 14:
        import ml_dtypes
        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype({0: np.float32, 1: np.float64, 2: np.float16}[kind])


def memory(address: int, dtype: Any, shape: tuple[int, ...], steps: tuple[int, ...]) -> np.ndarray:
    """The array of this shape at an address; ``steps`` are in elements."""
    assert address % dtype.itemsize == 0, "the address is not aligned"
    extent = 1 + sum((n - 1) * s for n, s in zip(shape, steps, strict=True))
    flat = np.frombuffer((ctypes.c_char * (extent * dtype.itemsize)).from_address(address), dtype)
    return as_strided(flat, shape, tuple(s * dtype.itemsize for s in steps))


def matrices(address: int, kind: int, flag: int, rows: int, cols: int, ld: int, step: int, count: int) -> np.ndarray:
    """op(X) (count, rows, cols) of matrices that lie by columns."""
    assert flag in (CUBLAS_OP_N, CUBLAS_OP_T)
    high, wide = (rows, cols) if flag == CUBLAS_OP_N else (cols, rows)
    assert ld >= max(1, high), f"the leading dimension {ld} is less than the {high} rows"
    x = memory(address, dtype_of(kind), (count, high, wide), (step, 1, ld))
    return x if flag == CUBLAS_OP_N else x.swapaxes(1, 2)


def to_tf32(x: np.ndarray) -> np.ndarray:
    """float32 rounded to 10 bits of mantissa."""
    bits = x.astype(np.float32).view(np.uint32)
    return ((bits + 0x0FFF + ((bits >> 13) & 1)) & np.uint32(0xFFFFE000)).view(np.float32)


def gemmStridedBatchedEx(handle: int, transa: int, transb: int, m: int, n: int, k: int, alpha: int, A: int, Atype: int, lda: int, strideA: int,
                         B: int, Btype: int, ldb: int, strideB: int, beta: int, C: int, Ctype: int, ldc: int, strideC: int, batchCount: int,
                         computeType: int, algo: int) -> None:
    """C = alpha op(A) op(B) + beta C for each matrix of the batch."""
    given = dict(locals())
    assert all(type(v) is int for v in given.values()), {k: v for k, v in given.items() if type(v) is not int}
    for name in ("m", "n", "k", "lda", "ldb", "ldc", "batchCount"):
        if not -2**31 <= given[name] < 2**31:
            raise OverflowError(f"value too large to convert to int: {name}")
    assert handle == HANDLE and Atype == Btype and min(m, n, k, batchCount) > 0 and algo == -1
    assert (Atype, Ctype, computeType) in {(0, 0, 68), (0, 0, 77), (1, 1, 70), (2, 2, 68), (2, 0, 68), (14, 14, 68), (14, 0, 68)}
    assert strideC != 0 or batchCount == 1, "the matrices of the result overlap"
    calls.append(given)
    a = matrices(A, Atype, transa, m, k, lda, strideA, batchCount)
    b = matrices(B, Btype, transb, k, n, ldb, strideB, batchCount)
    c = matrices(C, Ctype, CUBLAS_OP_N, m, n, ldc, strideC, batchCount)
    wide: Any = np.float64 if computeType == COMPUTE_64F else np.float32
    a, b = a.astype(wide), b.astype(wide)
    if computeType == COMPUTE_32F_FAST_TF32:
        a, b = to_tf32(a), to_tf32(b)
    one, two = (float(np.frombuffer((ctypes.c_char * np.dtype(wide).itemsize).from_address(p), wide)[0]) for p in (alpha, beta))
    with np.errstate(all="ignore"):  # a device does not warn
        y = wide(one) * (a @ b)
        if two:  # else C is not read
            y += wide(two) * c.astype(wide)
        c[...] = y.astype(c.dtype)


def gemmEx(handle: int, transa: int, transb: int, m: int, n: int, k: int, alpha: int, A: int, Atype: int, lda: int, B: int, Btype: int, ldb: int,
           beta: int, C: int, Ctype: int, ldc: int, computeType: int, algo: int) -> None:
    """One product."""
    gemmStridedBatchedEx(handle, transa, transb, m, n, k, alpha, A, Atype, lda, 0, B, Btype, ldb, 0, beta, C, Ctype, ldc, 0, 1, computeType, algo)
    calls[-1]["single"] = True


def get_cublas_handle() -> int:
    """The handle of the current device."""
    return HANDLE
