"""Rows gathered from and scattered to places on the device, without waiting for it: sums by atomic additions, or in a fixed order."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from dezero.backend.arrays import cupy_module as cupy
from dezero.backend.cuda import precision
from dezero.backend.cuda.blocks import accumulator, contiguous
from dezero.backend.cuda.launch import C_TYPES, Elementwise, Raw
from dezero.backend.kernels import REFERENCE, fused, override
from dezero.backend.scatter import may_repeat, numbered

_PIECE = 64   # sorted rows that one thread adds up for a column
_BLOCKS = 1 << 20

_ADD = """
template <class V> __device__ __forceinline__ void add_to(V* p, V v) { atomicAdd(p, v); }
__device__ __forceinline__ void add_to(long long* p, long long v) { atomicAdd((unsigned long long*)p, (unsigned long long)v); }
"""
# The threads of a block are spread over the elements of a row (x) and over rows (y). A place out of range is left out.
_ROWS = """
#define EACH_ROW for (long long i = blockIdx.x * (long long)blockDim.y + threadIdx.y; i < m; i += (long long)gridDim.x * blockDim.y)
#define EACH_COLUMN for (long long c = threadIdx.x; c < d; c += blockDim.x)
"""

_SCATTER_ADD = Raw("dezero_scatter_add", """
extern "C" __global__ void dezero_scatter_add(T* y, const T1* places, const T2* values, long long m, long long d, long long rows) {
    EACH_ROW {
        long long place = (long long)places[i];
        if (place < 0 || place >= rows) continue;
        EACH_COLUMN add_to(y + place * d + c, (T)values[i * d + c]);
    }
}
""", prelude=_ADD + _ROWS, types=3)

# Here i is the number of a piece of the sorted rows. The sum over the rows of one place goes to y from the piece where they begin; what
# the pieces behind it have of that place is kept in carry and added by the second kernel, in order.
_SORTED_SUM = Raw("dezero_sorted_sum", """
extern "C" __global__ void dezero_sorted_sum(T* y, T* carry, const T1* places, const long long* order, const T2* values, long long m, long long d,
                                             long long rows, long long size, long long piece) {
    EACH_ROW EACH_COLUMN {
        long long j = i * piece, end = j + piece < size ? j + piece : size, place = (long long)places[j];
        bool from_before = j > 0 && (long long)places[j - 1] == place;
        T sum = 0;
        for (; ; ++j) {
            if (j == end || (long long)places[j] != place) {
                if (from_before) carry[i * d + c] = sum;
                else if (place >= 0 && place < rows) y[place * d + c] = sum;
                if (j == end) break;
                place = (long long)places[j];
                from_before = false;
                sum = 0;
            }
            sum = sum + (T)values[order[j] * d + c];
        }
    }
}
""", prelude=_ROWS, types=3)

_CARRY_SUM = Raw("dezero_carry_sum", """
extern "C" __global__ void dezero_carry_sum(T* y, const T* carry, const T1* places, long long m, long long d, long long rows, long long size,
                                            long long piece) {
    EACH_ROW {
        long long begin = i * piece, end = begin + piece;
        if (end >= size) continue;
        long long place = (long long)places[end - 1];
        if ((long long)places[end] != place || place < 0 || place >= rows) continue;
        if (begin > 0 && (long long)places[begin - 1] == place) continue;   // it began in a piece before this one
        EACH_COLUMN {
            T sum = y[place * d + c];
            for (long long k = i + 1; k < m && (long long)places[k * piece] == place; ++k) sum = sum + carry[k * d + c];
            y[place * d + c] = sum;
        }
    }
}
""", prelude=_ROWS, types=2)

_LAST = Raw("dezero_last_write", """
extern "C" __global__ void dezero_last_write(long long* last, const T* places, long long m, long long rows) {
    long long d = 1;
    EACH_ROW EACH_COLUMN {
        long long place = (long long)places[i];
        if (place >= 0 && place < rows) atomicMax(last + place, i);
    }
}
""", prelude=_ROWS)

_WRITE = Raw("dezero_write_rows", """
extern "C" __global__ void dezero_write_rows(T* y, const long long* last, const T1* places, const T* values, long long m, long long d,
                                             long long rows) {
    EACH_ROW {
        long long place = (long long)places[i];
        if (place < 0 || place >= rows || last[place] != i) continue;
        EACH_COLUMN y[place * d + c] = values[i * d + c];
    }
}
""", prelude=_ROWS, types=2)

_GATHER = Raw("dezero_gather_rows", """
extern "C" __global__ void dezero_gather_rows(const T* x, const T1* places, T* y, long long m, long long d, long long rows) {
    EACH_ROW {
        long long place = (long long)places[i];
        bool inside = place >= 0 && place < rows;
        EACH_COLUMN y[i * d + c] = inside ? x[place * d + c] : (T)(A)NAN;   // a NaN shows
    }
}
""", prelude=_ROWS, types=2)

_FIRST_PLACE = Elementwise("T item, int64 count", "int64 place", "place = (long long)item; if (place < 0) place += count;", "first_place")
_NEXT_PLACE = Elementwise("int64 before, T item, int64 count", "int64 place",
                          "long long k = (long long)item; place = before * count + (k < 0 ? k + count : k);", "next_place")


def _shape(m: int, d: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Grid and block for ``m`` rows of ``d`` elements."""
    wide = 1
    while wide < min(d, 256):
        wide *= 2
    high = 256 // wide
    return (min(-(-m // high), _BLOCKS),), (wide, high)


def _wide(dtype: Any) -> Any:
    """The dtype to add up in: that of kernels for floats, 64 bits for integers; None for others."""
    if dtype.kind in "iub":
        return np.dtype(np.int64)
    return np.dtype(accumulator(dtype)) if dtype.name in C_TYPES else None


@override("cupy")
def scatter_add(y: Any, places: Any, values: Any) -> None:
    """See the reference. One launch, with two more for half precision; its bits may differ from run to run unless ``deterministic`` is set."""
    xp = cupy()
    wide = _wide(y.dtype)
    if wide is None or values.dtype.name not in C_TYPES:
        REFERENCE["scatter_add"](xp, y, places, values)
        return
    if not values.size:
        return
    m, d = values.shape
    values, places = contiguous(xp, values), contiguous(xp, places)
    total = y if y.dtype == wide else xp.zeros(y.shape, wide)
    if precision.deterministic_sums and wide.kind == "f":  # integers have no order
        _sorted_sum(xp, total, places, values, m, d)
    else:
        _SCATTER_ADD.launch((wide, places.dtype, values.dtype), *_shape(m, d), (total, places, values, m, d, y.size // d))
    if total is not y:
        y[...] = total


def _sorted_sum(xp: Any, y: Any, places: Any, values: Any, m: int, d: int) -> None:
    order = xp.argsort(places, kind="stable").astype(np.int64, copy=False)
    places = places[order]
    rows, pieces = y.size // d, -(-m // _PIECE)
    carry = xp.empty((pieces, d), y.dtype)
    grid, block = _shape(pieces, d)
    _SORTED_SUM.launch((y.dtype, places.dtype, values.dtype), grid, block, (y, carry, places, order, values, pieces, d, rows, m, _PIECE))
    if pieces > 1:
        _CARRY_SUM.launch((y.dtype, places.dtype), grid, block, (y, carry, places, pieces, d, rows, m, _PIECE))


@override("cupy")
def write_at(y: Any, index: Any, value: Any) -> None:
    """See the reference. Three launches where places may repeat: each learns which of its writes is the last."""
    if not may_repeat(index):
        y[index] = value
        return
    xp = cupy()
    if y.dtype.name not in C_TYPES:
        REFERENCE["write_at"](xp, y, index, value)
        return
    places, k = numbered(xp, index, y.shape)
    shape = places.shape + y.shape[k:]
    if not prod(shape):
        return
    value = value.astype(y.dtype, copy=False).reshape(value.shape[max(value.ndim - len(shape), 0):])
    value, places = contiguous(xp, xp.broadcast_to(value, shape)), contiguous(xp, places)
    m, rows = places.size, prod(y.shape[:k])
    d = y.size // rows
    last = xp.full(rows, -1, np.int64)
    _LAST.launch(places.dtype, *_shape(m, 1), (last, places, m, rows))
    _WRITE.launch((y.dtype, places.dtype), *_shape(m, d), (y, last, places, value, m, d, rows))


@override("cupy")
def joined_places(items: Any, shape: tuple[int, ...]) -> Any:
    """See the reference. One launch for each index array."""
    places: Any = None
    for item, n in zip(items, shape, strict=False):
        places = _FIRST_PLACE(item, n) if places is None else _NEXT_PLACE(places, item, n)
    return places


@fused("cupy", "embedding", "forward")
def embedding(op: Any, W: Any, ids: Any) -> Any:
    """Rows of a table, one launch; an id out of range gives NaN, which shows, and reads nothing."""
    if W.dtype.kind in "biuc" or W.dtype.name not in C_TYPES or ids.dtype.kind not in "iu":
        return NotImplemented
    xp = cupy()
    op.before = W.shape
    W, ids = contiguous(xp, W), contiguous(xp, ids)
    y = xp.empty(ids.shape + W.shape[1:], W.dtype)
    if y.size:
        m = ids.size
        d = y.size // m
        _GATHER.launch((W.dtype, ids.dtype), *_shape(m, d), (W, ids, y, m, d, W.shape[0]))
    return y
