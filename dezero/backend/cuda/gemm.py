"""Matrix products by cuBLAS: transposes, slices and broadcast batches as flags and strides instead of copies.

CuPy's own product copies what is not contiguous once there are batches, and takes half precision there to float32 or to a slow kernel.
Here half precision is multiplied as it is and summed in float32; float32 is IEEE, or TF32 where :mod:`precision` allows it.

cuBLAS reads matrices by columns, so a matrix in C order is its own transpose there. Hence C = A B is asked for as C^T = B^T A^T.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product as all_of
from math import prod
from typing import Any, NamedTuple

import numpy as np

from dezero.backend.arrays import cupy_module as cupy
from dezero.backend.cuda import launch, precision
from dezero.backend.kernels import override

Shape = tuple[int, ...]
Group = tuple[int, int, int, int]  # how many matrices, and how far apart they are in a, b and out, in elements

# cudaDataType and cublasComputeType of CUDA's headers library_types.h and cublas_api.h.
TYPES = {"float16": (2, 68), "bfloat16": (14, 68), "float32": (0, 68), "float64": (1, 70)}
FAST_TF32 = 77
AS_IS, TRANSPOSED = 0, 1
DEFAULT_ALGORITHM = -1
LARGEST = 2**31 - 1
FEW, MANY = 4, 64  # products one after another instead of copying operands, and instead of repeating them along broadcast axes
PLANS = 4096       # plans that are kept

reason: str | None = None  # why CuPy's own product is used, if it is
_of: Any = None            # the module whose binding was looked up ...
_binding: Any = None       # ... (gemmEx, gemmStridedBatchedEx, the function that gives this device's handle)
_types: dict[Any, Any] = {}
_plans: dict[Any, Any] = {}


def binding() -> Any:
    """CuPy's binding of cuBLAS, or None, and then ``reason`` says why."""
    global _of, _binding, reason
    xp = cupy()
    if _of is not xp:
        try:
            blas = xp.cuda.cublas
            _binding, reason = (blas.gemmEx, blas.gemmStridedBatchedEx, xp.cuda.device.get_cublas_handle), None
            if precision.tf32:
                precision.tell_cupy()
        except Exception as error:
            _binding, reason = None, f"CuPy's binding of cuBLAS is missing ({error}): products in batches are CuPy's own, which copies more"
        _of = xp
    return _binding


def types_of(dtype: Any) -> Any:
    """(type in memory, type to compute in) for cuBLAS; None for a dtype that it does not multiply."""
    try:
        return _types[dtype]
    except KeyError:
        return _types.setdefault(dtype, TYPES.get(dtype.name))


@override("cupy")
def matmul(a: Any, b: Any) -> Any:
    """By cuBLAS for floats of one dtype, else CuPy's own."""
    y = product(a, b)
    return a @ b if y is NotImplemented else y


class View(NamedTuple):
    """Where the elements of an array lie."""

    shape: Shape
    strides: Shape
    itemsize: int

    def packed(self, shape: Shape) -> View:
        """That of a copy in C order of this shape."""
        strides = [self.itemsize]
        for n in shape[:0:-1]:
            strides.insert(0, strides[0] * n)
        return View(shape, tuple(strides), self.itemsize)


class Plan(NamedTuple):
    """How cuBLAS is asked for a product.

    Attributes:
        shape: of the result.
        copy_a, copy_b: the shape to which an operand is to be broadcast and copied, or None for no copy.
        sides: flags of b and a, then n, m, k.
        wide: the leading dimensions of a, b and out.
        batch: the matrices of one call; None for one.
        offsets: where each call begins in a, b and out, in bytes.
        kinds: the types of a and b, of out, and the one to compute in.
    """

    shape: Shape
    copy_a: Shape | None
    copy_b: Shape | None
    sides: tuple[int, int, int, int, int]
    wide: tuple[int, int, int]
    batch: Group | None
    offsets: list[tuple[int, int, int]]
    kinds: tuple[int, int, int]


def product(a: Any, b: Any, alpha: float = 1.0, beta: float = 0.0, out: Any = None, dtype: Any = None) -> Any:
    """``alpha a @ b + beta out`` as NumPy's ``@``.

    Args:
        a, b: of one float dtype; transposed, sliced and broadcast views are read where they are.
        out: where to write, in C order along its last axis; made if None.
        dtype: of the result that is made: that of ``a``, or float32 for half precision.

    Returns:
        ``out``, or NotImplemented where cuBLAS does not serve: integers, mixed dtypes, empty arrays, two vectors, shapes that do not fit.

    Raises:
        ValueError: ``out`` has another shape, or its rows are not contiguous.
    """
    kind = a.dtype
    made = (dtype or kind) if out is None else out.dtype
    key = (a.shape, a.strides, b.shape, b.strides, kind, b.dtype, made, None if out is None else (out.shape, out.strides))
    plan = _plans.get(key)
    if plan is None:
        if len(_plans) >= PLANS:
            _plans.clear()
        plan = _plans[key] = planned(a, b, out, np.dtype(made))
    if plan is NotImplemented or binding() is None:
        return NotImplemented
    if plan is _VECTOR:
        return NotImplemented if out is not None else _vector(a, b, alpha, dtype)
    if out is None:
        out = cupy().empty(plan.shape, made)
    _run(plan, a, b, out, alpha, beta)
    return out


_VECTOR = object()  # stands for the plan of a product in which one of both is a vector


def _vector(a: Any, b: Any, alpha: float, dtype: Any) -> Any:
    if a.ndim == 1:
        y = product(a[None], b, alpha, dtype=dtype)
        return y if y is NotImplemented else y.reshape(*y.shape[:-2], y.shape[-1])
    y = product(a, b[:, None], alpha, dtype=dtype)
    return y if y is NotImplemented else y.reshape(y.shape[:-1])


def planned(a: Any, b: Any, out: Any, dtype: Any) -> Any:
    """The plan for these arrays, or what stands for none."""
    types, kind_c = types_of(a.dtype), types_of(dtype)
    if types is None or kind_c is None or a.dtype != b.dtype or not a.size or not b.size or a.ndim + b.ndim < 3:
        return NotImplemented
    if kind_c != types and (kind_c != TYPES["float32"] or types[1] != kind_c[1]):  # only half precision comes out wider
        return NotImplemented
    if a.ndim < 2 or b.ndim < 2:
        return _VECTOR
    (m, k), n, lead = a.shape[-2:], b.shape[-1], lead_of(a.shape[:-2], b.shape[:-2])
    if b.shape[-2] != k or lead is None or max(m, k, n) > LARGEST:
        return NotImplemented
    shape = (*lead, m, n)
    vc = View(shape, (), dtype.itemsize).packed(shape) if out is None else View(out.shape, out.strides, dtype.itemsize)
    if vc.shape != shape or _layout(vc)[0] != AS_IS:
        raise ValueError(f"a product of shape {shape} is to be written to {vc.shape} with strides {vc.strides}: rows must be contiguous")
    va, vb, groups = _batches(_readable(a), _readable(b), vc, lead)
    copy_a, copy_b = (None if v.strides == x.strides and v.shape == x.shape else v.shape for v, x in ((va, a), (vb, b)))
    (turn_a, wide_a), (turn_b, wide_b), (_, wide_c) = _layout(va), _layout(vb), _layout(vc)
    if len(groups) == 1:
        count, step_a, step_b, step_c = groups[0]
        if not step_b and turn_a == AS_IS and step_a == m * wide_a and step_c == m * wide_c and count * m <= LARGEST:
            m, groups = count * m, []  # the rows of all matrices stand below one another: one large product
    batch = max(groups, default=None)
    others = [group for group in groups if group is not batch]
    sizes = (va.itemsize, vb.itemsize, vc.itemsize)
    offsets: list[Any] = [tuple(sum(i * g[x + 1] for i, g in zip(index, others, strict=True)) * sizes[x] for x in range(3))
                          for index in all_of(*(range(count) for count, *_ in others))]
    return Plan(shape, copy_a, copy_b, (turn_b, turn_a, n, m, k), (wide_a, wide_b, wide_c), batch, offsets, (types[0], kind_c[0], types[1]))


def lead_of(a: Shape, b: Shape) -> Shape | None:
    """The axes in front of the matrices; None if they do not broadcast."""
    if a == b or not b:
        return a
    if not a:
        return b
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        return None


def _layout(x: View) -> tuple[int, int]:
    """How cuBLAS is to take the matrices in the last two axes: a flag and the leading dimension; (-1, 0) if it cannot."""
    (rows, cols), (down, along), size = x.shape[-2:], x.strides[-2:], x.itemsize
    if (along == size or cols == 1) and (rows == 1 or size * cols <= down <= size * LARGEST):
        return AS_IS, down // size if rows > 1 else cols
    if (down == size or rows == 1) and (cols == 1 or size * rows <= along <= size * LARGEST):
        return TRANSPOSED, along // size if cols > 1 else rows
    return -1, 0


def _readable(x: Any) -> View:
    """An operand as it lies, or as a copy if its matrices are not contiguous along either axis or stand in reverse."""
    view = View(x.shape, x.strides, x.dtype.itemsize)
    return view.packed(x.shape) if _layout(view)[0] < 0 or min(x.strides) < 0 else view


def steps(x: Any, axes: int, itemsize: int) -> list[int]:
    """How far apart neighbours along the ``axes`` in front of the matrices are, in elements; 0 where ``x`` is broadcast."""
    own = [0 if n == 1 else step // itemsize for n, step in zip(x.shape[:-2], x.strides[:-2], strict=True)]
    return [0] * (axes - len(own)) + own


def merged(lead: Shape, *along: Any) -> list[Any]:
    """Axes as few as they can be merged into: (size, step, ...) for each, where ``along`` has the steps of each array."""
    groups: list[Any] = []
    for size, *step in zip(lead, *along, strict=True):
        if size == 1:
            continue
        count = 1
        if groups and all(before == s * size for before, s in zip(groups[-1][1:], step, strict=True)):
            count = groups.pop()[0]
        groups.append((count * size, *step))
    return groups


def _batches(a: View, b: View, out: View, lead: Shape) -> tuple[View, View, list[Group]]:
    """The operands, copied only where that saves many products one after another, and the groups of their batches."""
    def groups() -> list[Group]:
        return merged(lead, *(steps(x, len(lead), x.itemsize) for x in (a, b, out)))

    def loops(found: list[Group]) -> int:
        return prod(size for size, *_ in found) // max((size for size, *_ in found), default=1)

    if loops(groups()) > FEW:
        a, b = a.packed(a.shape), b.packed(b.shape)
        if loops(groups()) > MANY:
            a, b = a.packed(lead + a.shape[-2:]), b.packed(lead + b.shape[-2:])
    return a, b, groups()


@lru_cache(maxsize=1024)
def _number(value: float, wide: bool) -> tuple[int, Any]:
    """The address of a number on the host, and what keeps it there."""
    kept = np.array([value], np.float64 if wide else np.float32)
    return kept.ctypes.data, kept


def _copied(x: Any, shape: Shape) -> Any:
    xp = cupy()
    return xp.ascontiguousarray(x if x.shape == shape else xp.broadcast_to(x, shape))


def _run(plan: Plan, a: Any, b: Any, out: Any, alpha: float, beta: float) -> None:
    """Ask cuBLAS."""
    _, copy_a, copy_b, sides, (wide_a, wide_b, wide_c), batch, offsets, (kind, kind_c, compute) = plan
    if copy_a is not None:
        a = _copied(a, copy_a)
    if copy_b is not None:
        b = _copied(b, copy_b)
    if precision.tf32 and not kind:
        compute = FAST_TF32
    one, kept_one = _number(alpha, kind == 1)
    two, kept_two = _number(beta, kind == 1)
    single, batched, handle = _binding
    h, at, bt, ct = handle(), a.data.ptr, b.data.ptr, out.data.ptr
    if launch.launches is not None:
        launch.launches["cublas_gemm"] += len(offsets)
    for to_a, to_b, to_c in offsets:
        if batch is None:
            single(h, *sides, one, bt + to_b, kind, wide_b, at + to_a, kind, wide_a, two, ct + to_c, kind_c, wide_c, compute, DEFAULT_ALGORITHM)
        else:
            count, step_a, step_b, step_c = batch
            batched(h, *sides, one, bt + to_b, kind, wide_b, step_b, at + to_a, kind, wide_a, step_a, two, ct + to_c, kind_c, wide_c, step_c,
                    count, compute, DEFAULT_ALGORITHM)
    del kept_one, kept_two  # until here
