"""Softmax and cross entropy on the device: one block for each row, one launch for each direction."""

from __future__ import annotations

from typing import Any

from dezero.backend.arrays import cupy_module as cupy
from dezero.backend.cuda.blocks import REDUCE, accumulator, contiguous, threads_for
from dezero.backend.cuda.launch import Raw
from dezero.backend.kernels import REFERENCE, override

_SOFTMAX = Raw("dezero_softmax", """
extern "C" __global__ void dezero_softmax(const T* x, T* y, long long count, long long n, long long inner, long long logarithm) {
    __shared__ A buffer[32];
    for (long long row = blockIdx.x; row < count; row += gridDim.x) {   // element k of a row is inner places after the one before it
        const T* in = x + row / inner * n * inner + row % inner;
        T* out = y + (in - x);
        A top = -INFINITY;
        for (long long k = threadIdx.x; k < n; k += blockDim.x) { A v = (A)in[k * inner]; top = v > top || v != v ? v : top; }
        top = block_max(top, buffer);
        A sum = 0;
        for (long long k = threadIdx.x; k < n; k += blockDim.x) sum += exp((A)in[k * inner] - top);
        sum = block_sum(sum, buffer);
        A rest = logarithm ? log(sum) : 1 / sum;
        for (long long k = threadIdx.x; k < n; k += blockDim.x) {
            A v = (A)in[k * inner] - top;
            out[k * inner] = (T)(logarithm ? v - rest : exp(v) * rest);
        }
    }
}
""", prelude=REDUCE)

_CROSS_ENTROPY = Raw("dezero_cross_entropy", """
extern "C" __global__ void dezero_cross_entropy(const T* x, const T1* t, const A* w, A* loss, A* spread, A* e, A* s, long long* places,
                                                long long n, long long c) {
    __shared__ A buffer[32];
    for (long long row = blockIdx.x; row < n; row += gridDim.x) {
        const T* in = x + row * c;
        A* out = e + row * c;
        long long label = (long long)t[row];
        A top = -INFINITY;
        for (long long k = threadIdx.x; k < c; k += blockDim.x) { A v = (A)in[k]; top = v > top || v != v ? v : top; }
        top = block_max(top, buffer);
        A sum = 0, weighted = 0, total = 0;
        for (long long k = threadIdx.x; k < c; k += blockDim.x) {
            A v = (A)in[k] - top, p = exp(v);
            out[k] = p;
            sum += p;
            if (w) { weighted += v * w[k]; total += w[k]; }
        }
        sum = block_sum(sum, buffer);
        if (w) { weighted = block_sum(weighted, buffer); total = block_sum(total, buffer); }
        if (threadIdx.x == 0) {
            bool inside = label >= 0 && label < c;   // a label out of range gives NaN, which shows, and reads nothing
            s[row] = sum;
            places[row] = row * c + (inside ? label : 0);
            loss[row] = inside ? log(sum) - ((A)in[label] - top) : (A)NAN;
            if (w) spread[row] = log(sum) * total - weighted;
        }
    }
}
""", prelude=REDUCE, types=2)

_CROSS_ENTROPY_GRAD = Raw("dezero_cross_entropy_grad", """
extern "C" __global__ void dezero_cross_entropy_grad(const T* e, const T* s, const long long* places, const T* a, long long each_a,
                                                     const T* total, long long each_total, T* g, long long n, long long c) {
    long long size = n * c;
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < size; i += (long long)gridDim.x * blockDim.x) {
        long long row = i / c;
        T v = e[i] * (total[each_total ? row : 0] / s[row]);
        if (places[row] == i) v -= a[each_a ? row : 0];
        g[i] = v;
    }
}
""")


def _rows(x: Any, axis: int, logarithm: bool) -> Any:
    xp = cupy()
    axis %= x.ndim
    x = contiguous(xp, x)
    y = xp.empty(x.shape, x.dtype)
    n, inner = x.shape[axis], 1
    for size in x.shape[axis + 1:]:
        inner *= size
    count = x.size // n if n else 0
    if count:
        _SOFTMAX.launch(x.dtype, (min(count, 1 << 20),), (threads_for(n),), (x, y, count, n, inner, int(logarithm)))
    return y


def _fits(x: Any, axis: Any) -> bool:
    return isinstance(axis, int) and x.dtype.kind not in "biuc" and x.ndim > 0


@override("cupy")
def softmax(x: Any, axis: Any) -> Any:
    """One launch for one axis."""
    return _rows(x, axis, False) if _fits(x, axis) else REFERENCE["softmax"](cupy(), x, axis)


@override("cupy")
def log_softmax(x: Any, axis: Any) -> Any:
    """One launch for one axis."""
    return _rows(x, axis, True) if _fits(x, axis) else REFERENCE["log_softmax"](cupy(), x, axis)


@override("cupy")
def cross_entropy(x: Any, t: Any, w: Any) -> Any:
    """One launch; see the reference for what it gives. A label out of range makes its loss NaN instead of reading elsewhere."""
    xp = cupy()
    if x.dtype.kind in "biuc":
        return REFERENCE["cross_entropy"](xp, x, t, w)
    n, c = x.shape
    wide = accumulator(x.dtype)
    x, t = contiguous(xp, x), contiguous(xp, t)
    loss, s, places = xp.empty(n, wide), xp.empty((n, 1), wide), xp.empty(n, "int64")
    e, spread = xp.empty((n, c), wide), None if w is None else xp.empty(n, wide)
    if n and c:
        weights = None if w is None else contiguous(xp, w.astype(wide, copy=False))
        _CROSS_ENTROPY.launch((x.dtype, t.dtype), (min(n, 1 << 20),), (threads_for(c),),
                              (x, t, 0 if weights is None else weights, loss, 0 if spread is None else spread, e, s, places, n, c))
    return loss, spread, e, s, places


@override("cupy")
def cross_entropy_grad(e: Any, s: Any, places: Any, a: Any, total: Any) -> Any:
    """One launch."""
    xp = cupy()
    n, c = e.shape
    g = xp.empty((n, c), e.dtype)
    if g.size:
        a, total = (contiguous(xp, xp.asarray(v, e.dtype)) for v in (a, total))
        _CROSS_ENTROPY_GRAD.launch(e.dtype, (min(-(-g.size // 256), 1 << 20),), (256,),
                                   (e, contiguous(xp, s), places, a, int(a.size > 1), total, int(total.size > 1), g, n, c))
    return g
