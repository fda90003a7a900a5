"""Philox on the device: words, uniform numbers, masks of dropout, and dropout itself, one launch each; the bits are those of the host."""

from __future__ import annotations

from typing import Any

from dezero.backend.arrays import cupy_module as cupy
from dezero.backend.cuda.blocks import contiguous
from dezero.backend.cuda.launch import Raw
from dezero.backend.kernels import override
from dezero.backend.random import DIGITS, FACTORS, STEPS, dropped

THREADS = 256
# A block of threads makes a block of four words each and puts them into shared memory, where all find those of their elements:
# so neighbours in memory are read and written by neighbours among the threads. The counter's upper words are 0 here.
PHILOX = f"""
typedef unsigned long long Word;
__device__ __forceinline__ void philox(Word seed, Word counter, Word* out) {{
    Word c0 = counter, c1 = 0, c2 = 0, c3 = 0, k0 = seed, k1 = 0;
    for (int round = 0; round < 10; ++round) {{
        Word h0 = __umul64hi(c0, {FACTORS[0]}ull), l0 = c0 * {FACTORS[0]}ull, h1 = __umul64hi(c2, {FACTORS[1]}ull), l1 = c2 * {FACTORS[1]}ull;
        c0 = h1 ^ c1 ^ k0; c1 = l1; c2 = h0 ^ c3 ^ k1; c3 = l0;
        k0 += {STEPS[0]}ull; k1 += {STEPS[1]}ull;
    }}
    out[0] = c0; out[1] = c1; out[2] = c2; out[3] = c3;
}}
// The number of the element at e, of so many bits, among the words that a block of threads has made.
__device__ __forceinline__ Word element(const Word* words, int e, int bits) {{
    int each = 64 / bits;
    return words[e / each] >> (e % each * bits) & (~0ull >> (64 - bits));
}}
"""

_WORDS = Raw("dezero_random_words", """
extern "C" __global__ void dezero_random_words(Word* y, long long blocks, long long seed, long long offset) {
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < blocks; i += (long long)gridDim.x * blockDim.x) {
        Word out[4];
        philox(seed, offset + 1 + i, out);
        for (int j = 0; j < 4; ++j) y[4 * i + j] = out[j];
    }
}
""", prelude=PHILOX)

_UNIFORM = Raw("dezero_random_uniform", """
extern "C" __global__ void dezero_random_uniform(T* y, long long n, long long digits, long long seed, long long offset) {
    __shared__ Word words[1024];
    const int bits = 8 * sizeof(T), tile = 4 * blockDim.x * (64 / bits);
    for (long long i = blockIdx.x; i * tile < n; i += gridDim.x) {
        philox(seed, offset + 1 + i * blockDim.x + threadIdx.x, words + 4 * threadIdx.x);
        __syncthreads();
        for (int e = threadIdx.x; e < tile && i * tile + e < n; e += blockDim.x)
            y[i * tile + e] = (T)((A)(element(words, e, bits) >> (bits - digits)) * ((A)1 / (A)(1ll << digits)));
        __syncthreads();
    }
}
""", prelude=PHILOX)

# x is 0 where the mask itself is wanted. The factor is rounded as the mask's elements are.
_DROPOUT = Raw("dezero_dropout", """
extern "C" __global__ void dezero_dropout(const T* x, T* y, long long n, long long dropped, double factor, long long seed, long long offset) {
    __shared__ Word words[1024];
    const int tile = 16 * blockDim.x;
    const A kept = (A)(T)(A)factor;
    for (long long i = blockIdx.x; i * tile < n; i += gridDim.x) {
        philox(seed, offset + 1 + i * blockDim.x + threadIdx.x, words + 4 * threadIdx.x);
        __syncthreads();
        for (int e = threadIdx.x; e < tile && i * tile + e < n; e += blockDim.x) {
            A m = element(words, e, 16) >= (Word)dropped ? kept : (A)0;
            y[i * tile + e] = (T)(x ? (A)x[i * tile + e] * m : m);
        }
        __syncthreads();
    }
}
""", prelude=PHILOX)


def _place(seed: int, offset: int) -> tuple[int, int]:
    """Both as they fit into a ``long long``."""
    seed &= (1 << 64) - 1
    return seed - (seed >> 63 << 64), offset


def _grid(n: int, each: int) -> tuple[int]:
    return (min(-(-n // each), 1 << 16),)


@override("cupy")
def random_words(blocks: int, seed: int, offset: int) -> Any:
    """One launch."""
    y = cupy().empty(4 * blocks, "uint64")
    if blocks:
        _WORDS.launch(y.dtype, _grid(blocks, THREADS), (THREADS,), (y, blocks, *_place(seed, offset)))
    return y


@override("cupy")
def random_uniform(shape: tuple[int, ...], dtype: Any, seed: int, offset: int) -> Any:
    """One launch."""
    y = cupy().empty(shape, dtype)
    if y.size:
        _UNIFORM.launch(y.dtype, _grid(y.size, THREADS * 32 // y.itemsize), (THREADS,),
                        (y, y.size, DIGITS[y.dtype.name], *_place(seed, offset)))
    return y


def _dropout(x: Any, y: Any, ratio: float, seed: int, offset: int) -> Any:
    if y.size:
        _DROPOUT.launch(y.dtype, _grid(y.size, THREADS * 16), (THREADS,),
                        (x, y, y.size, dropped(ratio), 1.0 / (1.0 - ratio), *_place(seed, offset)))
    return y


@override("cupy")
def random_mask(shape: tuple[int, ...], ratio: float, dtype: Any, seed: int, offset: int) -> Any:
    """One launch."""
    return _dropout(0, cupy().empty(shape, dtype), ratio, seed, offset)


@override("cupy")
def dropout(x: Any, ratio: float, seed: int, offset: int) -> Any:
    """One launch: the mask is made and used, and never stored."""
    xp = cupy()
    return _dropout(contiguous(xp, x), xp.empty(x.shape, x.dtype), ratio, seed, offset)
