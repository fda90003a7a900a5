"""What kernels with blocks share: sums and maxima over a block, and how many threads to start."""

from __future__ import annotations

from typing import Any

# Each warp reduces by exchanging registers, the first warp reduces what they found; the result goes to all threads.
REDUCE = """
template <class V> __device__ __forceinline__ V warp_sum(V v) {
    for (int d = 16; d; d >>= 1) v += __shfl_xor_sync(0xffffffffu, v, d);
    return v;
}
template <class V> __device__ __forceinline__ V warp_max(V v) {
    for (int d = 16; d; d >>= 1) { V o = __shfl_xor_sync(0xffffffffu, v, d); v = v > o || v != v ? v : o; }
    return v;
}
// All threads of a block of one axis call these, and the number of threads is a multiple of 32. buffer has 32 places.
template <class V> __device__ __forceinline__ V block_sum(V v, V* buffer) {
    v = warp_sum(v);
    __syncthreads();
    if (threadIdx.x % 32 == 0) buffer[threadIdx.x / 32] = v;
    __syncthreads();
    v = threadIdx.x % 32 < blockDim.x / 32 ? buffer[threadIdx.x % 32] : V(0);
    return warp_sum(v);
}
template <class V> __device__ __forceinline__ V block_max(V v, V* buffer) {
    v = warp_max(v);
    __syncthreads();
    if (threadIdx.x % 32 == 0) buffer[threadIdx.x / 32] = v;
    __syncthreads();
    v = buffer[threadIdx.x % 32 < blockDim.x / 32 ? threadIdx.x % 32 : 0];
    return warp_max(v);
}
"""


def threads_for(n: int, most: int = 256) -> int:
    """How many threads share ``n`` items in a block: a multiple of 32."""
    return min(most, max(32, -(-n // 32) * 32))


def blocks_for(n: int, threads: int = 256, most: int = 1 << 16) -> int:
    """How many blocks of a kernel go over ``n`` items in a loop with the stride of the grid."""
    return max(1, min(most, -(-n // threads)))


def contiguous(xp: Any, x: Any) -> Any:
    """``x`` in C order: itself where it is already."""
    return x if x.flags.c_contiguous else xp.ascontiguousarray(x)


def accumulator(dtype: Any) -> str:
    """The dtype in which kernels compute: float32, or float64 for float64."""
    return "float64" if dtype.itemsize == 8 else "float32"
