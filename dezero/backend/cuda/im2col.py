"""Windows as columns and back, one launch each: both ways each thread gathers what it writes, so that no sum is left to chance."""

from __future__ import annotations

from typing import Any

from dezero.backend.arrays import cupy_module as cupy
from dezero.backend.cuda.blocks import blocks_for
from dezero.backend.cuda.launch import Raw
from dezero.backend.im2col import Pair, window_counts
from dezero.backend.kernels import REFERENCE, override

# A thread takes a window (n, c, oh, ow) and writes its elements, each of them beside the neighbours' of a warp; gridDim.y blocks share the elements
# of a window. I is the type to count in: 32 bits divide several times faster than 64.
_IM2COL = Raw("dezero_im2col", """
template <class I> __device__ void lay_out(const T* x, T* col, I count, I C, I H, I W, long long sn, long long sc, long long sh, long long sw,
                                           I KH, I KW, I OH, I OW, I stride_h, I stride_w, I pad_h, I pad_w, I step_h, I step_w) {
    long long plane = (long long)OH * OW;
    for (long long at = blockIdx.x * (long long)blockDim.x + threadIdx.x; at < count; at += (long long)gridDim.x * blockDim.x) {
        I i = (I)at, ow = i % OW, rest = i / OW, oh = rest % OH, image = rest / OH;
        const T* in = x + (long long)(image / C) * sn + (long long)(image % C) * sc;
        T* out = col + (long long)image * KH * KW * plane + (long long)oh * OW + ow;
        for (I k = blockIdx.y; k < KH * KW; k += gridDim.y) {
            I h = oh * stride_h - pad_h + k / KW * step_h, w = ow * stride_w - pad_w + k % KW * step_w;
            out[k * plane] = h >= 0 && h < H && w >= 0 && w < W ? in[(long long)h * sh + (long long)w * sw] : (T)0;
        }
    }
}
extern "C" __global__ void dezero_im2col(const T* x, T* col, long long count, long long C, long long H, long long W, long long sn, long long sc,
    long long sh, long long sw, long long KH, long long KW, long long OH, long long OW, long long stride_h, long long stride_w,
    long long pad_h, long long pad_w, long long step_h, long long step_w, long long narrow) {
    if (narrow) lay_out<int>(x, col, count, C, H, W, sn, sc, sh, sw, KH, KW, OH, OW, stride_h, stride_w, pad_h, pad_w, step_h, step_w);
    else lay_out<long long>(x, col, count, C, H, W, sn, sc, sh, sw, KH, KW, OH, OW, stride_h, stride_w, pad_h, pad_w, step_h, step_w);
}
""")

# A thread takes a place of an image and adds up the elements of windows that lie there, in the reference's order.
_COL2IM = Raw("dezero_col2im", """
template <class I> __device__ void add_up(const T* col, T* y, I count, I C, I H, I W, long long sn, long long sc, long long skh, long long skw,
                                          long long sh, long long sw, I KH, I KW, I OH, I OW, I stride_h, I stride_w, I pad_h, I pad_w,
                                          I step_h, I step_w) {
    for (long long at = blockIdx.x * (long long)blockDim.x + threadIdx.x; at < count; at += (long long)gridDim.x * blockDim.x) {
        I i = (I)at, w = i % W, rest = i / W, h = rest % H, image = rest / H;
        const T* in = col + (long long)(image / C) * sn + (long long)(image % C) * sc;
        A sum = 0;
        for (I k = 0; k < KH; ++k) {
            I dh = h + pad_h - k * step_h, oh = stride_h == 1 ? dh : dh / stride_h;
            if (dh < 0 || oh >= OH || oh * stride_h != dh) continue;
            for (I l = 0; l < KW; ++l) {
                I dw = w + pad_w - l * step_w, ow = stride_w == 1 ? dw : dw / stride_w;
                if (dw >= 0 && ow < OW && ow * stride_w == dw)
                    sum += (A)in[(long long)k * skh + (long long)l * skw + (long long)oh * sh + (long long)ow * sw];
            }
        }
        y[at] = (T)sum;
    }
}
extern "C" __global__ void dezero_col2im(const T* col, T* y, long long count, long long C, long long H, long long W, long long sn, long long sc,
    long long skh, long long skw, long long sh, long long sw, long long KH, long long KW, long long OH, long long OW,
    long long stride_h, long long stride_w, long long pad_h, long long pad_w, long long step_h, long long step_w, long long narrow) {
    if (narrow) add_up<int>(col, y, count, C, H, W, sn, sc, skh, skw, sh, sw, KH, KW, OH, OW, stride_h, stride_w, pad_h, pad_w, step_h, step_w);
    else add_up<long long>(col, y, count, C, H, W, sn, sc, skh, skw, sh, sw, KH, KW, OH, OW, stride_h, stride_w, pad_h, pad_w, step_h, step_w);
}
""")


def steps(x: Any) -> tuple[int, ...]:
    """The strides of an array in elements: a view is read as it lies, without a copy."""
    return tuple(n // x.dtype.itemsize for n in x.strides)


def narrow(*numbers: int) -> int:
    """1 where indices up to these numbers, and one grid beyond, fit into 32 bits."""
    return int(max(numbers) < 1 << 30)


def is_float(dtype: Any) -> bool:
    """A float that the kernels know, bfloat16 among them."""
    return bool(dtype.kind == "f" or dtype.name == "bfloat16")


@override("cupy")
def im2col(x: Any, kernel: Pair, stride: Pair, pad: Pair, dilation: Pair) -> Any:
    """One launch."""
    xp = cupy()
    if x.dtype.kind == "c" or x.ndim != 4:
        return REFERENCE["im2col"](xp, x, kernel, stride, pad, dilation)
    (N, C, H, W), (OH, OW) = x.shape, window_counts(x.shape[2:], kernel, stride, pad, dilation)
    col = xp.empty((N, C, *kernel, OH, OW), x.dtype)
    count = N * C * OH * OW
    if col.size:
        blocks = blocks_for(count)
        shared = min(kernel[0] * kernel[1], max(1, 1024 // blocks), 65535)   # few windows: the threads share each of them
        _IM2COL.launch(x.dtype, (blocks, shared), (256,), (x, col, count, C, H, W, *steps(x), *kernel, OH, OW, *stride, *pad, *dilation,
                                                           narrow(count, H + 2 * pad[0], W + 2 * pad[1], kernel[0] * kernel[1])))
    return col


@override("cupy")
def col2im(col: Any, size: Pair, stride: Pair, pad: Pair, dilation: Pair) -> Any:
    """One launch. Floats of 16 bits are added up in 32."""
    xp = cupy()
    if not is_float(col.dtype) or col.ndim != 6:
        return REFERENCE["col2im"](xp, col, size, stride, pad, dilation)
    N, C, KH, KW, OH, OW = col.shape
    y = xp.empty((N, C, *size), col.dtype)
    if y.size:
        _COL2IM.launch(col.dtype, (blocks_for(y.size),), (256,), (col, y, y.size, C, *size, *steps(col), KH, KW, OH, OW, *stride, *pad, *dilation,
                                                                  narrow(y.size, *(n + 2 * p for n, p in zip(size, pad, strict=True)))))
    return y
