"""The ops matmul and linear on the device: each direction is one product of cuBLAS on the arrays as they lie."""

from __future__ import annotations

from typing import Any

from dezero.backend.arrays import cupy_module as cupy
from dezero.backend.cuda.gemm import binding, product, types_of
from dezero.backend.kernels import fused


def _rows(x: Any) -> Any:
    """All axes but the last as one; ``x`` is not empty."""
    return x if x.ndim == 2 else x.reshape(x.size // x.shape[-1], x.shape[-1])


@fused("cupy", "matmul", "forward")
def matmul(op: Any, a: Any, b: Any) -> Any:
    op.b_ndim = b.ndim
    return product(a, b)


@fused("cupy", "matmul", "grad_a")
def matmul_grad_a(op: Any, gy: Any, b: Any) -> Any:
    if gy.ndim < 2 or b.ndim < 2 or gy.ndim < b.ndim:  # a or b is a vector
        return NotImplemented
    return product(gy, b.swapaxes(-1, -2))


@fused("cupy", "matmul", "grad_b")
def matmul_grad_b(op: Any, gy: Any, a: Any) -> Any:
    if a.ndim < 2 or op.b_ndim < 2 or not a.size or not gy.size:
        return NotImplemented
    if op.b_ndim > 2:
        return product(a.swapaxes(-1, -2), gy)
    return product(_rows(a).T, _rows(gy))


@fused("cupy", "linear", "forward")
def linear(op: Any, x: Any, W: Any, b: Any = None) -> Any:
    if W.ndim != 2 or x.ndim < 2 or x.shape[-1] != W.shape[0] or not x.size:
        return NotImplemented
    if b is None:
        return product(x, W)
    if b.shape != W.shape[1:] or not b.dtype == x.dtype == W.dtype or not W.size or types_of(x.dtype) is None or binding() is None:
        return NotImplemented
    op.b_shape = b.shape
    y = cupy().empty((*x.shape[:-1], W.shape[1]), x.dtype)
    y[...] = b  # the product adds to it, in the precision in which it sums
    return product(x, W, beta=1.0, out=y)


@fused("cupy", "linear", "grad_x")
def linear_grad_x(op: Any, gy: Any, W: Any) -> Any:
    return NotImplemented if gy.ndim < 2 else product(gy, W.T)


@fused("cupy", "linear", "grad_W")
def linear_grad_w(op: Any, gy: Any, x: Any) -> Any:
    return NotImplemented if x.ndim < 2 or not x.size or not gy.size else product(_rows(x).T, _rows(gy))
