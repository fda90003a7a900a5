"""Attention on the device: products in batches by cuBLAS, and one launch for scale, masks, softmax and dropout, one for their gradient.

Half precision keeps its scores in float32 and its probabilities in half precision. The causal mask is no array, and a mask is read where it is.
"""

from __future__ import annotations

from typing import Any

from dezero.backend.arrays import cupy_module as cupy
from dezero.backend.cuda.blocks import REDUCE, accumulator, contiguous, threads_for
from dezero.backend.cuda.gemm import lead_of, merged, product, steps, types_of
from dezero.backend.cuda.launch import Raw
from dezero.backend.kernels import REFERENCE, fused, override

BLOCKS = 1 << 20

# Each thread writes only where it alone reads, so p may be the memory of s, and gs that of gp.
_SOFTMAX = Raw("dezero_attention", """
__device__ __forceinline__ A bias_of(bool allowed) { return allowed ? A(0) : -(A)INFINITY; }
template <class M> __device__ __forceinline__ A bias_of(M added) { return (A)added; }

extern "C" __global__ void dezero_attention(A* s, T* p, T* kept, const T1* mask, const T2* keep, long long rows, long long l, long long n,
                                            long long causal, long long inner, long long to_outer, long long to_inner, long long to_row,
                                            long long to_column) {
    __shared__ A buffer[32];
    for (long long row = blockIdx.x; row < rows; row += gridDim.x) {
        A* in = s + row * n;
        long long b = row / l, i = row % l;
        const T1* m = mask ? mask + b / inner * to_outer + b % inner * to_inner + i * to_row : 0;
        long long last = causal ? i + n - l : n;   // the last key that the query may see
        bool masked = m || causal;
        A top = -INFINITY;
        for (long long k = threadIdx.x; k < n; k += blockDim.x) {
            A v = in[k];
            if (masked) {
                A bias = m ? bias_of(m[k * to_column]) : A(0);
                if (k > last) bias += -(A)INFINITY;
                in[k] = v += bias;
            }
            top = v > top || v != v ? v : top;
        }
        top = block_max(top, buffer);
        if (masked && top == -INFINITY) top = 0;   // a query that may see nothing
        A sum = 0;
        for (long long k = threadIdx.x; k < n; k += blockDim.x) {
            A e = exp(in[k] - top);
            in[k] = e;
            sum += e;
        }
        sum = block_sum(sum, buffer);
        A rest = masked && sum == 0 ? A(1) : 1 / sum;
        for (long long k = threadIdx.x; k < n; k += blockDim.x) {
            A v = in[k] * rest;
            if (kept) kept[row * n + k] = (T)(v * (A)keep[row * n + k]);
            p[row * n + k] = (T)v;
        }
    }
}
""", prelude=REDUCE, types=3)

_GRADIENT = Raw("dezero_attention_grad", """
extern "C" __global__ void dezero_attention_grad(const A* gp, const T* p, const T* keep, T* gs, T* kept, long long rows, long long n) {
    __shared__ A buffer[32];
    for (long long row = blockIdx.x; row < rows; row += gridDim.x) {
        long long first = row * n;
        A mean = 0;
        for (long long k = first + threadIdx.x; k < first + n; k += blockDim.x) mean += gp[k] * (A)p[k] * (keep ? (A)keep[k] : A(1));
        mean = block_sum(mean, buffer);
        for (long long k = first + threadIdx.x; k < first + n; k += blockDim.x) {
            A scale = keep ? (A)keep[k] : A(1), v = (A)p[k];
            if (kept) kept[k] = (T)(v * scale);
            gs[k] = (T)((gp[k] * scale - mean) * v);
        }
    }
}
""", prelude=REDUCE)


def _times(a: Any, b: Any, scale: float = 1.0, dtype: Any = None) -> Any:
    """``scale a @ b`` in a dtype, by cuBLAS if it is there."""
    y = product(a, b, scale, dtype=dtype)
    if y is NotImplemented:
        y = (a @ b).astype(dtype or a.dtype, copy=False)
        y *= scale
    return y


def _mask_steps(xp: Any, mask: Any, shape: tuple[int, ...]) -> tuple[Any, tuple[int, ...]]:
    """A mask as the kernel takes it, and (inner, to_outer, to_inner, to_row, to_column): how to find the element of a score in it."""
    wide = xp.broadcast_to(mask, shape)
    axes = merged(shape[:-2], steps(wide, len(shape) - 2, wide.dtype.itemsize))
    if len(axes) > 2:
        wide = xp.ascontiguousarray(wide)
        axes = merged(shape[:-2], steps(wide, len(shape) - 2, wide.dtype.itemsize))
    (_, to_outer), (inner, to_inner) = [(1, 0)] * (2 - len(axes)) + axes
    return wide, (inner, to_outer, to_inner, *(step // wide.dtype.itemsize for step in wide.strides[-2:]))


def _lead(*arrays: Any) -> Any:
    """The axes in front of the matrices together; None if they do not broadcast, and an array that is None counts for nothing."""
    lead: Any = ()
    for x in arrays:
        lead = lead if x is None or lead is None else lead_of(lead, x.shape[:-2])
    return lead


def _attend(q: Any, k: Any, v: Any, mask: Any, causal: bool, keep: Any, scale: float) -> Any:
    """The result and the probabilities for arrays of one float dtype that are not empty."""
    xp, wide = cupy(), accumulator(q.dtype)
    (L, S), lead = (q.shape[-2], k.shape[-2]), _lead(q, k)
    if mask is not None and (wider := _lead(q, k, mask)) != lead:
        q = xp.broadcast_to(q, (*wider, *q.shape[-2:]))
    s = _times(q, k.swapaxes(-1, -2), scale, wide)
    p = s if s.dtype == q.dtype else xp.empty(s.shape, q.dtype)
    kept: Any = None
    place: tuple[int, ...] = (1, 0, 0, 0, 0)
    if keep is not None:
        keep = contiguous(xp, keep if keep.shape == s.shape else xp.broadcast_to(keep, s.shape))
        kept = xp.empty(s.shape, q.dtype)
    if mask is not None:
        mask, place = _mask_steps(xp, mask, s.shape)
    rows = s.size // S
    dtypes = (q.dtype, *(q.dtype if x is None else x.dtype for x in (mask, keep)))
    _SOFTMAX.launch(dtypes, (min(rows, BLOCKS),), (threads_for(S),),
                    (s, p, 0 if kept is None else kept, 0 if mask is None else mask, 0 if keep is None else keep, rows, L, S, int(causal), *place))
    return _times(p if kept is None else kept, v), p


def _alike(first: Any, *others: Any) -> bool:
    """True for arrays of one float dtype that are not empty; None counts for nothing."""
    return types_of(first.dtype) is not None and bool(first.size) and all(x is None or x.dtype == first.dtype and x.size for x in others)


@fused("cupy", "scaled_dot_product_attention", "forward")
def attention(op: Any, q: Any, k: Any, v: Any, mask: Any = None, keep: Any = None) -> Any:
    op.checked(q, k, v, mask)
    if not _alike(q, k, v) or (mask is not None and not (mask.size and mask.dtype in (q.dtype, bool))) or _lead(q, k, v, mask) is None:
        return NotImplemented
    return _attend(q, k, v, mask, op.causal, keep, op.scale)


@override("cupy")
def attend(q: Any, k: Any, v: Any, bias: Any, keep: Any, scale: float) -> Any:
    """Two products and one launch."""
    if not _alike(q, k, v, bias) or _lead(q, k, v, bias) is None:
        return REFERENCE["attend"](cupy(), q, k, v, bias, keep, scale)
    return _attend(q, k, v, bias, False, keep, scale)


@override("cupy")
def attend_grads(gy: Any, q: Any, k: Any, v: Any, keep: Any, y: Any, p: Any, scale: float, needs: Any) -> Any:
    """Four products and one launch; also in half precision."""
    xp = cupy()
    if not _alike(gy, q, k, v, keep, p) or lead_of(p.shape[:-2], v.shape[:-2]) != p.shape[:-2]:
        return REFERENCE["attend_grads"](xp, gy, q, k, v, keep, y, p, scale, needs)
    p = contiguous(xp, p)
    kept: Any = p
    gs: Any = None
    if keep is not None:
        keep = contiguous(xp, keep if keep.shape == p.shape else xp.broadcast_to(keep, p.shape))
        kept = xp.empty(p.shape, p.dtype) if needs[2] else None
    if needs[0] or needs[1] or needs[3]:
        gp = _times(gy, v.swapaxes(-1, -2), dtype=accumulator(p.dtype))
        gs = gp if gp.dtype == p.dtype else xp.empty(p.shape, p.dtype)
        rows = p.size // p.shape[-1]
        _GRADIENT.launch(p.dtype, (min(rows, BLOCKS),), (threads_for(p.shape[-1]),),
                         (gp, p, 0 if keep is None else keep, gs, kept if keep is not None and kept is not None else 0, rows, p.shape[-1]))
    elif keep is not None:
        kept = p * keep
    return (_times(gs, k, scale) if needs[0] else None, _times(gs.swapaxes(-1, -2), q, scale) if needs[1] else None,
            _times(kept.swapaxes(-1, -2), gy) if needs[2] else None, gs if needs[3] else None)
