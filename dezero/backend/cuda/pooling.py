"""Pooling on the device, one launch each: a thread for each window forward, and backward one for each place, which gathers from its windows."""

from __future__ import annotations

from typing import Any

from dezero.backend.arrays import cupy_module as cupy
from dezero.backend.cuda.blocks import REDUCE, blocks_for, contiguous
from dezero.backend.cuda.im2col import is_float, narrow
from dezero.backend.cuda.launch import Raw
from dezero.backend.im2col import Pair, window_counts
from dezero.backend.kernels import REFERENCE, override
from dezero.backend.pooling import lowest

# The sizes of images and windows; I is the type to count in, as 32 bits divide several times faster than 64.
_GEOMETRY = REDUCE + """
template <class I> struct Geometry { I H, W, OH, OW, KH, KW, SH, SW, PH, PW; };
#define GEOMETRY long long H, long long W, long long OH, long long OW, long long KH, long long KW, \\
                 long long SH, long long SW, long long PH, long long PW
#define SIZES(I) Geometry<I>{(I)H, (I)W, (I)OH, (I)OW, (I)KH, (I)KW, (I)SH, (I)SW, (I)PH, (I)PW}
template <class I> struct Window {   // of output i: what of it lies inside the image, and where the image begins
    I top, left, h0, h1, w0, w1;
    long long image;
    __device__ Window(I i, const Geometry<I>& g) {
        I ow = i % g.OW, rest = i / g.OW, oh = rest % g.OH;
        image = (long long)(rest / g.OH) * g.H * g.W;
        top = oh * g.SH - g.PH;
        left = ow * g.SW - g.PW;
        h0 = top < 0 ? 0 : top; h1 = top + g.KH < g.H ? top + g.KH : g.H;
        w0 = left < 0 ? 0 : left; w1 = left + g.KW < g.W ? left + g.KW : g.W;
    }
    __device__ bool cut(const Geometry<I>& g) const { return h1 - h0 < g.KH || w1 - w0 < g.KW; }
};
template <class I> struct Cover {    // of place i of the images: the windows that hold it, and where their outputs begin
    I h, w, oh0, oh1, ow0, ow1;
    long long plane;
    __device__ Cover(I i, const Geometry<I>& g) {
        w = i % g.W;
        I rest = i / g.W;
        h = rest % g.H;
        plane = (long long)(rest / g.H) * g.OH * g.OW;
        oh0 = h + g.PH < g.KH ? 0 : (h + g.PH - g.KH) / g.SH + 1; oh1 = (h + g.PH) / g.SH + 1 < g.OH ? (h + g.PH) / g.SH + 1 : g.OH;
        ow0 = w + g.PW < g.KW ? 0 : (w + g.PW - g.KW) / g.SW + 1; ow1 = (w + g.PW) / g.SW + 1 < g.OW ? (w + g.PW) / g.SW + 1 : g.OW;
    }
};
#define EACH(i, count) (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < (count); i += (long long)gridDim.x * blockDim.x)
"""

# Padding has the lowest value: `low` for floats, `floor` for integers. It is in a window that is cut, where it may be the maximum.
_MAX = Raw("dezero_max_pool", """
template <class I> __device__ void maxima(const T* x, T* y, T low, long long count, Geometry<I> g) {
    for EACH(i, count) {
        Window<I> in((I)i, g);
        T top = low;
        bool any = in.cut(g);
        for (I h = in.h0; h < in.h1; ++h)
            for (I w = in.w0; w < in.w1; ++w) {
                T v = x[in.image + (long long)h * g.W + w];
                if (!any || v > top || v != v) top = v;
                any = true;
                if (v != v) { h = in.h1; break; }   // NaN it is
            }
        y[i] = top;
    }
}
extern "C" __global__ void dezero_max_pool(const T* x, T* y, double low, long long floor, long long real, long long count, long long narrow,
                                           GEOMETRY) {
    T least = real ? (T)(A)low : (T)floor;
    if (narrow) maxima<int>(x, y, least, count, SIZES(int));
    else maxima<long long>(x, y, least, count, SIZES(long long));
}
""", prelude=_GEOMETRY)

# Is place (h, w) the first one of the window, row by row, that has the value top? Padding that has it too, before it, is the first.
_FIRST = _GEOMETRY + """
template <class I> __device__ bool is_first(const T1* x, T1 top, T1 low, const Window<I>& in, I h, I w, const Geometry<I>& g) {
    if (top == low && (in.top < 0 || in.left < 0 || (h > in.top && in.left + g.KW > g.W))) return false;
    for (I k = in.h0; k <= h; ++k)
        for (I l = in.w0; l < (k < h ? in.w1 : w); ++l)
            if (x[in.image + (long long)k * g.W + l] == top) return false;
    return true;
}
"""

_MAX_GRAD = Raw("dezero_max_pool_grad", """
template <class I> __device__ void send(const T* gy, const T1* x, const T1* y, T* gx, T1 low, long long count, Geometry<I> g) {
    for EACH(i, count) {
        Cover<I> over((I)i, g);
        T1 v = x[i];
        A sum = 0;
        for (I oh = over.oh0; oh < over.oh1; ++oh)
            for (I ow = over.ow0; ow < over.ow1; ++ow) {
                long long o = over.plane + (long long)oh * g.OW + ow;
                if (y[o] == v && is_first(x, v, low, Window<I>((I)o, g), over.h, over.w, g)) sum += (A)gy[o];
            }
        gx[i] = (T)sum;
    }
}
extern "C" __global__ void dezero_max_pool_grad(const T* gy, const T1* x, const T1* y, T* gx, double low, long long floor, long long real,
                                                long long count, long long narrow, GEOMETRY) {
    T1 least = real ? (T1)low : (T1)floor;
    if (narrow) send<int>(gy, x, y, gx, least, count, SIZES(int));
    else send<long long>(gy, x, y, gx, least, count, SIZES(long long));
}
""", prelude=_FIRST, types=2)

_MAX_PICK = Raw("dezero_max_pool_pick", """
template <class I> __device__ void pick(const T* v, const T1* x, const T1* y, T* out, T1 low, long long count, Geometry<I> g) {
    for EACH(i, count) {
        Window<I> in((I)i, g);
        T1 top = y[i];
        T found = (T)0;
        bool searching = true;
        for (I h = in.h0; h < in.h1 && searching; ++h)
            for (I w = in.w0; w < in.w1 && searching; ++w) {
                long long at = in.image + (long long)h * g.W + w;
                if (x[at] != top) continue;
                if (is_first(x, top, low, in, h, w, g)) found = v[at];
                searching = false;
            }
        out[i] = found;
    }
}
extern "C" __global__ void dezero_max_pool_pick(const T* v, const T1* x, const T1* y, T* out, double low, long long floor, long long real,
                                                long long count, long long narrow, GEOMETRY) {
    T1 least = real ? (T1)low : (T1)floor;
    if (narrow) pick<int>(v, x, y, out, least, count, SIZES(int));
    else pick<long long>(v, x, y, out, least, count, SIZES(long long));
}
""", prelude=_FIRST, types=2)

# A window is summed by one thread, or by a warp where it is large.
_MEAN = Raw("dezero_avg_pool", """
template <class I> __device__ void means(const T* x, T* y, int lanes, long long count, Geometry<I> g) {
    I lane = threadIdx.x % lanes;
    long long first = (blockIdx.x * (long long)blockDim.x + threadIdx.x) / lanes, step = (long long)gridDim.x * blockDim.x / lanes;
    for (long long i = first; i < count; i += step) {
        Window<I> in((I)i, g);
        I wide = in.w1 - in.w0, cells = in.h1 > in.h0 && wide > 0 ? (in.h1 - in.h0) * wide : 0;
        A sum = 0;
        if (lanes == 1) {
            for (I h = in.h0; h < in.h1; ++h)
                for (I w = in.w0; w < in.w1; ++w) sum += (A)x[in.image + (long long)h * g.W + w];
        } else
            for (I k = lane; k < cells; k += lanes) sum += (A)x[in.image + (long long)(in.h0 + k / wide) * g.W + in.w0 + k % wide];
        if (lanes == 32) sum = warp_sum(sum);
        if (lane == 0) y[i] = (T)(sum / ((A)g.KH * g.KW));
    }
}
extern "C" __global__ void dezero_avg_pool(const T* x, T* y, long long lanes, long long count, long long narrow, GEOMETRY) {
    if (narrow) means<int>(x, y, (int)lanes, count, SIZES(int));
    else means<long long>(x, y, (int)lanes, count, SIZES(long long));
}
""", prelude=_GEOMETRY)

_MEAN_GRAD = Raw("dezero_avg_pool_grad", """
template <class I> __device__ void share(const T* gy, T* gx, long long count, Geometry<I> g) {
    for EACH(i, count) {
        Cover<I> over((I)i, g);
        A sum = 0;
        for (I oh = over.oh0; oh < over.oh1; ++oh)
            for (I ow = over.ow0; ow < over.ow1; ++ow) sum += (A)gy[over.plane + (long long)oh * g.OW + ow];
        gx[i] = (T)(sum / ((A)g.KH * g.KW));
    }
}
extern "C" __global__ void dezero_avg_pool_grad(const T* gy, T* gx, long long count, long long narrow, GEOMETRY) {
    if (narrow) share<int>(gy, gx, count, SIZES(int));
    else share<long long>(gy, gx, count, SIZES(long long));
}
""", prelude=_GEOMETRY)


def _sizes(size: Any, out: Any, kernel: Pair, stride: Pair, pad: Pair, images: int) -> tuple[int, ...]:
    """``narrow`` and the geometry, as the kernels take them."""
    (H, W), (OH, OW) = size, out
    small = narrow(images * H * W, images * OH * OW, H + 2 * pad[0] + kernel[0], W + 2 * pad[1] + kernel[1], kernel[0] * kernel[1])
    return small, H, W, OH, OW, *kernel, *stride, *pad


def _low(x: Any) -> tuple[float, int, int]:
    """The lowest value as a float and as an integer, and which of the two it is."""
    return (-float("inf"), 0, 1) if is_float(x.dtype) else (0.0, int(lowest(x)), 0)


@override("cupy")
def max_pool2d(x: Any, kernel: Pair, stride: Pair, pad: Pair) -> Any:
    """One launch."""
    xp = cupy()
    out = window_counts(x.shape[2:], kernel, stride, pad)
    if x.dtype.kind == "c" or x.ndim != 4:
        return REFERENCE["max_pool2d"](xp, x, kernel, stride, pad)
    y = xp.empty((*x.shape[:2], *out), x.dtype)
    if y.size:
        _MAX.launch(x.dtype, (blocks_for(y.size),), (256,), (contiguous(xp, x), y, *_low(x), y.size,
                                                             *_sizes(x.shape[2:], out, kernel, stride, pad, x.shape[0] * x.shape[1])))
    return y


@override("cupy")
def max_pool2d_grad(gy: Any, x: Any, y: Any, kernel: Pair, stride: Pair, pad: Pair) -> Any:
    """One launch."""
    xp = cupy()
    if not is_float(gy.dtype):
        return REFERENCE["max_pool2d_grad"](xp, gy, x, y, kernel, stride, pad)
    gx = xp.empty(x.shape, gy.dtype)
    if gx.size:
        _MAX_GRAD.launch((gy.dtype, x.dtype), (blocks_for(gx.size),), (256,), (
            contiguous(xp, gy), contiguous(xp, x), contiguous(xp, y), gx, *_low(x), gx.size,
            *_sizes(x.shape[2:], y.shape[2:], kernel, stride, pad, x.shape[0] * x.shape[1])))
    return gx


@override("cupy")
def max_pool2d_pick(v: Any, x: Any, y: Any, kernel: Pair, stride: Pair, pad: Pair) -> Any:
    """One launch."""
    xp = cupy()
    if v.dtype.kind == "c":
        return REFERENCE["max_pool2d_pick"](xp, v, x, y, kernel, stride, pad)
    out = xp.empty(y.shape, v.dtype)
    if out.size:
        _MAX_PICK.launch((v.dtype, x.dtype), (blocks_for(out.size),), (256,), (
            contiguous(xp, v), contiguous(xp, x), contiguous(xp, y), out, *_low(x), out.size,
            *_sizes(x.shape[2:], y.shape[2:], kernel, stride, pad, x.shape[0] * x.shape[1])))
    return out


@override("cupy")
def avg_pool2d(x: Any, kernel: Pair, stride: Pair, pad: Pair) -> Any:
    """One launch; floats of 16 bits are added up in 32."""
    xp = cupy()
    if not is_float(x.dtype):
        if x.dtype.kind == "c":
            return REFERENCE["avg_pool2d"](xp, x, kernel, stride, pad)
        x = x.astype("float64")
    out = window_counts(x.shape[2:], kernel, stride, pad)
    y = xp.empty((*x.shape[:2], *out), x.dtype)
    if y.size:
        lanes = 32 if kernel[0] * kernel[1] >= 64 else 1
        _MEAN.launch(x.dtype, (blocks_for(y.size * lanes),), (256,), (contiguous(xp, x), y, lanes, y.size,
                                                                      *_sizes(x.shape[2:], out, kernel, stride, pad, x.shape[0] * x.shape[1])))
    return y


@override("cupy")
def avg_pool2d_grad(gy: Any, size: Pair, kernel: Pair, stride: Pair, pad: Pair) -> Any:
    """One launch."""
    xp = cupy()
    if not is_float(gy.dtype):
        return REFERENCE["avg_pool2d_grad"](xp, gy, size, kernel, stride, pad)
    gx = xp.empty((*gy.shape[:2], *size), gy.dtype)
    if gx.size:
        _MEAN_GRAD.launch(gy.dtype, (blocks_for(gx.size),), (256,), (contiguous(xp, gy), gx, gx.size,
                                                                     *_sizes(size, gy.shape[2:], kernel, stride, pad, gy.shape[0] * gy.shape[1])))
    return gx
