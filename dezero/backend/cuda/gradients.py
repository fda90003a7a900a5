"""Norms, clipping, decay and checks of all gradients at once on the device: one or two launches for each dtype, and no waiting for the host."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from dezero.backend.arrays import cupy_module as cupy
from dezero.backend.cuda.blocks import REDUCE, contiguous
from dezero.backend.cuda.launch import Raw
from dezero.backend.cuda.tables import BLOCKS, PRELUDE, Table, launch, pointers, sizes_of, table
from dezero.backend.kernels import override

_MOST_SUMS = 1024  # blocks that sum squares, each to one number

_ADD_SCALED = Raw("dezero_add_scaled_together", """
extern "C" __global__ void dezero_add_scaled_together(const long long* table, long long n, double factor) {
    TABLE_LOOP
        T* y = (T*)TABLE_COLUMN(0); const T1* x = (const T1*)TABLE_COLUMN(1);
        for (long long i = begin + threadIdx.x; i < end; i += blockDim.x) y[i] = (T)((A)y[i] + (A)x[i] * (A)factor);
    TABLE_END
}
""", prelude=PRELUDE, types=2)

_CLIP = Raw("dezero_clip_together", """
extern "C" __global__ void dezero_clip_together(const long long* table, long long n, double limit) {
    TABLE_LOOP
        T* x = (T*)TABLE_COLUMN(0);
        for (long long i = begin + threadIdx.x; i < end; i += blockDim.x) {
            A v = (A)x[i], most = (A)limit;
            if (v > most) x[i] = (T)most; else if (v < -most) x[i] = (T)-most;
        }
    TABLE_END
}
""", prelude=PRELUDE)

# In double, where the squares of float32 do not overflow; each block adds up in a fixed order, so that the result has the same bits each time.
_SQUARE_SUM = Raw("dezero_square_sum_together", """
extern "C" __global__ void dezero_square_sum_together(const long long* table, long long n, double* out) {
    __shared__ double buffer[32];
    double sum = 0;
    TABLE_LOOP
        const T* x = (const T*)TABLE_COLUMN(0);
        for (long long i = begin + threadIdx.x; i < end; i += blockDim.x) { double v = (double)(A)x[i]; sum += v * v; }
    TABLE_END
    sum = block_sum(sum, buffer);
    if (threadIdx.x == 0) out[blockIdx.x] = sum;
}
""", prelude=PRELUDE + REDUCE)

_SCALE_TO_NORM = Raw("dezero_scale_to_norm", """
extern "C" __global__ void dezero_scale_to_norm(const long long* table, long long n, const double* sums, long long count, double most) {
    __shared__ double buffer[32];
    double sum = 0;
    for (long long i = threadIdx.x; i < count; i += blockDim.x) sum += sums[i];
    A factor = (A)(most / (sqrt(block_sum(sum, buffer)) + 1e-6));
    if (!(factor > 0 && factor < 1)) return;   // for all threads alike; so it is where the norm is NaN or infinite
    TABLE_LOOP
        T* x = (T*)TABLE_COLUMN(0);
        for (long long i = begin + threadIdx.x; i < end; i += blockDim.x) x[i] = (T)((A)x[i] * factor);
    TABLE_END
}
""", prelude=PRELUDE + REDUCE)

# bad becomes 1 where an element is not finite; out may be x itself, or missing where nothing is scaled.
_UNSCALE = Raw("dezero_unscale_together", """
extern "C" __global__ void dezero_unscale_together(const long long* table, long long n, int* bad, double factor) {
    bool found = false;
    TABLE_LOOP
        const T* x = (const T*)TABLE_COLUMN(0); A* out = (A*)TABLE_COLUMN(1);
        for (long long i = begin + threadIdx.x; i < end; i += blockDim.x) {
            A v = (A)x[i];
            found |= !(v - v == 0);   // infinity less itself is NaN, too
            if (out) out[i] = v * (A)factor;
        }
    TABLE_END
    if (found) *bad = 1;
}
""", prelude=PRELUDE)


def _dense(a: Any) -> bool:
    return bool(a.flags.c_contiguous or a.flags.f_contiguous)  # for what is done to each element by itself, the order is all the same


class _Flat:
    """Arrays as dense ones, and those that had to be copied for it."""

    def __init__(self, arrays: Iterable[Any]) -> None:
        self.copies: list[tuple[Any, Any]] = []
        self.arrays = [a if _dense(a) else self._copy(a) for a in arrays if a.size]

    def _copy(self, a: Any) -> Any:
        copy = cupy().ascontiguousarray(a)
        self.copies.append((a, copy))
        return copy

    def by_dtype(self) -> list[tuple[Any, list[Any]]]:
        found: dict[Any, list[Any]] = {}
        for a in self.arrays:
            found.setdefault(a.dtype, []).append(a)
        return list(found.items())

    def write_back(self) -> None:
        for a, copy in self.copies:
            a[...] = copy


def _table(*columns: Sequence[Any] | None) -> Table:
    first: Any = columns[0]
    return table(sizes_of(first), tuple([None if c is None else pointers(c) for c in columns]), first[0].device.id)


@override("cupy")
def add_scaled_together(ys: Sequence[Any], xs: Sequence[Any], factor: float) -> None:
    """See the reference. One launch for each pair of dtypes."""
    xp = cupy()
    groups: dict[Any, list[tuple[Any, Any]]] = {}
    copies = []
    for y, x in zip(ys, xs, strict=True):
        if y.size:
            flat = contiguous(xp, y)
            if flat is not y:
                copies.append((y, flat))
            groups.setdefault((y.dtype, x.dtype), []).append((flat, contiguous(xp, x)))
    for dtypes, pairs in groups.items():
        launch(_ADD_SCALED, dtypes, _table([y for y, _ in pairs], [x for _, x in pairs]), (float(factor),))
    for y, flat in copies:
        y[...] = flat


@override("cupy")
def clip_together(arrays: Sequence[Any], limit: float) -> None:
    """See the reference. One launch for each dtype."""
    flat = _Flat(arrays)
    for dtype, group in flat.by_dtype():
        launch(_CLIP, dtype, _table(group), (float(limit),))
    flat.write_back()


def _square_sums(groups: list[tuple[Any, list[Any]]]) -> tuple[list[tuple[Any, Table]], Any]:
    """The table of each dtype, and the sums of squares that the blocks have found."""
    tables = [(dtype, _table(group)) for dtype, group in groups]
    sums = cupy().empty(sum(min(t[2], _MOST_SUMS) for _, t in tables), np.float64)
    start = 0
    for dtype, t in tables:
        count = min(t[2], _MOST_SUMS)
        launch(_SQUARE_SUM, dtype, t, (sums[start:start + count],), blocks=_MOST_SUMS)
        start += count
    return tables, sums


@override("cupy")
def square_sum_together(arrays: Sequence[Any]) -> Any:
    """See the reference. One launch for each dtype, and a sum."""
    return _square_sums(_Flat(arrays).by_dtype())[1].sum()


@override("cupy")
def clip_norm_together(arrays: Sequence[Any], most: float) -> None:
    """See the reference. Two launches for each dtype; the factor never leaves the device."""
    flat = _Flat(arrays)
    tables, sums = _square_sums(flat.by_dtype())
    for dtype, t in tables:
        launch(_SCALE_TO_NORM, dtype, t, (sums, sums.size, float(most)), blocks=BLOCKS)
    flat.write_back()


@override("cupy")
def finite_together(arrays: Sequence[Any]) -> Any:
    """See the reference. One launch for each dtype, and two that make the flag and turn it round."""
    xp = cupy()
    bad = xp.zeros((), np.int32)
    for dtype, group in _Flat(arrays).by_dtype():
        launch(_UNSCALE, dtype, _table(group, None), (bad, 1.0))
    return bad == 0


@override("cupy")
def unscale_together(arrays: Sequence[Any], factor: float) -> tuple[list[Any], Any]:
    """See the reference. One launch for each dtype, and two that make the flag and turn it round."""
    xp = cupy()
    bad = xp.zeros((), np.int32)
    out: list[Any] = []
    groups: dict[Any, list[tuple[Any, Any]]] = {}
    copies = []
    for a in arrays:
        flat = contiguous(xp, a)
        target = xp.empty(a.shape, np.float32) if a.dtype.itemsize < 4 else flat
        out.append(target if a.dtype.itemsize < 4 else a)
        if a.size:
            groups.setdefault(a.dtype, []).append((flat, target))
        if flat is not a and a.dtype.itemsize >= 4:
            copies.append((a, flat))
    for dtype, pairs in groups.items():
        launch(_UNSCALE, dtype, _table([a for a, _ in pairs], [b for _, b in pairs]), (bad, float(factor)))
    for a, flat in copies:
        a[...] = flat
    return out, bad == 0
