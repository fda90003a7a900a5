"""Normalisation on the device: layer, group, instance and RMS norm in one launch, batch norm in one or two with its running statistics."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from dezero.backend.arrays import cupy_module as cupy
from dezero.backend.cuda import norm_channels, norm_rows
from dezero.backend.cuda.blocks import accumulator, contiguous, threads_for
from dezero.backend.kernels import REFERENCE, fused, override
from dezero.backend.norm import Axes, work_dtype
from dezero.config import current

MOST_BLOCKS = 1024   # that add up gradients of parameters, each in memory of its own
NARROW = {"float16", "bfloat16", "float32"}
WHOLE, PART, MERGE, GIVEN = range(4)


# -- how an array lies ---------------------------------------------------------------------------------

@lru_cache(maxsize=1024)
def folded(shape: Axes, axes: Axes) -> tuple[int, int, int] | None:
    """``shape`` as (N, C, S) where the axes of N and of S are those reduced over; None where it is no such thing."""
    runs: list[list[int]] = []   # [is it reduced over, how long], neighbours of the same kind as one
    for i, n in enumerate(shape):
        if n != 1:
            if runs and runs[-1][0] == (i in axes):
                runs[-1][1] *= n
            else:
                runs.append([i in axes, n])
    n = runs.pop(0)[1] if len(runs) > 1 and runs[0][0] else 1
    c = runs.pop(0)[1] if runs and not runs[0][0] else 1
    s = runs.pop(0)[1] if runs else 1
    return None if runs else (n, c, s)


@lru_cache(maxsize=1024)
def as_rows(shape: Axes, axes: Axes, per: Axes | None) -> tuple[int, int, int, int] | None:
    """(rows, n, inner, period): statistics of each row of n; element i takes place i % period / inner of a parameter of shape ``per``."""
    found = folded(shape, axes)
    if found is None or found[0] > 1 or 0 in shape:
        return None
    _, rows, n = found
    if per is None:
        return rows, n, 1, n
    long = [i for i, size in enumerate(shape) if size > 1]
    full = [i for i in long if per[i] == shape[i]]
    if not full:
        return rows, n, n, n
    if any(per[i] not in (1, shape[i]) for i in long) or [i for i in long if full[0] <= i <= full[-1]] != full:
        return None
    inner = math.prod(shape[full[-1] + 1:])
    period = math.prod(shape[full[0]:])
    return (rows, n, inner, period) if period % n == 0 and n % inner == 0 else None


@lru_cache(maxsize=1024)
def as_channels(shape: Axes, axes: Axes, per: Axes | None) -> tuple[int, int, int] | None:
    """(N, C, S) for statistics of each channel, where a parameter of shape ``per`` has one number for each."""
    if per is not None and any(size > 1 and per[i] != (1 if i in axes else size) for i, size in enumerate(shape)):
        return None
    return folded(shape, axes)


@lru_cache(maxsize=1024)
def shared_out(C: int, total: int, S: int, most: int = 256) -> tuple[tuple[int, int], tuple[int], int, int]:
    """Grid, block, width and chunk for ``C`` channels of ``total`` elements: enough blocks to keep a large device busy, few where one will do."""
    width = 1 if S >= 8 else 32   # shorter runs than a sector of memory: channels side by side
    blocks, share = -(-C // width), total if width == 1 else total * 8
    parts = 1 if blocks >= 256 or share <= 8192 else max(1, min(most, -(-1024 // blocks), share // 2048))
    chunk = -(-total // (4 * parts)) * 4
    threads = threads_for(-(-chunk // 4), 1024) if width == 1 else min(1024, threads_for(chunk * 4, 1024))
    return (blocks, -(-total // chunk)), (threads,), width, chunk


@lru_cache(maxsize=256)
def _types(x: Any, gamma: Any, beta: Any, keeps: bool = False) -> Any:
    """The dtypes of x, of the parameters, of the result and to compute in; None where the kernels do not serve. ``keeps``: see ``result_dtype``."""
    names = {str(d.name) for d in (x, gamma, beta) if d is not None}
    if not (names <= NARROW or names == {"float64"}) or {"float16", "bfloat16"} <= names or gamma is not None and beta is not None and gamma != beta:
        return None
    out = x if keeps and x.itemsize == 2 else np.result_type(*(d for d in (x, gamma, beta) if d is not None))
    return x, gamma if gamma is not None else beta if beta is not None else out, out, np.dtype(accumulator(out))


def _dtypes(x: Any, gamma: Any, beta: Any, keeps: bool = False) -> Any:
    return _types(x.dtype, None if gamma is None else gamma.dtype, None if beta is None else beta.dtype, keeps)


# -- forward -------------------------------------------------------------------------------------------

def _lanes(rows: int, n: int) -> tuple[int, int, int]:
    """How many threads share a row, are in a block, and how many blocks there are: a warp for a short row, a block for a long one."""
    if n <= 256 or n <= 1024 and rows >= 1024:
        return 32, 256, min(-(-rows // 8), 1 << 20)
    threads = threads_for(-(-n // 4), 512)   # the kernels' registers do not reach for more
    return threads, threads, min(rows, 1 << 20)


def _normalized(x: Any, gamma: Any, beta: Any, shape: Axes, axes: Axes, per: Axes | None, eps: float, centred: bool,
                running: Any = None, keeps: bool = False) -> Any:
    """y in the shape of x, mean, var and rstd for x seen as ``shape``; None where the kernels do not serve.

    Args:
        running: None, or what batch norm is to move in the same launch: mean, var (either may be None), decay.
        keeps: does y have x's dtype where that is half precision?
    """
    types = _dtypes(x, gamma, beta, keeps)
    rows = None if running else as_rows(shape, axes, per)
    channels = as_channels(shape, axes, per) if rows is None and centred else None
    if types is None or not x.size or rows is None and channels is None:
        return None
    xp = cupy()
    of_x, of_p, out, wide = types
    x, gamma, beta = contiguous(xp, x), _pointer(xp, gamma), _pointer(xp, beta)
    y = xp.empty(x.shape, out)
    kept = tuple(1 if i in axes else n for i, n in enumerate(shape))
    mean, var, rstd = xp.empty(kept, wide) if centred else None, xp.empty(kept, wide), xp.empty(kept, wide)
    if rows is not None:
        lanes, threads, blocks = _lanes(rows[0], rows[1])
        norm_rows.FORWARD.launch((of_x, of_p, out), (blocks,), (threads,),
                                 (x, gamma, beta, y, mean if centred else 0, var, rstd, float(eps), *rows, int(centred), lanes))
        return y, mean, var, rstd
    N, C, S = channels  # type: ignore[misc]
    grid, block, width, chunk = shared_out(C, N * S, S)
    moved, track = running_of(running, N * S)
    parts = xp.empty(grid[1] * C * 2, wide) if grid[1] > 1 else 0
    for phase in (PART, MERGE) if grid[1] > 1 else (WHOLE,):
        norm_channels.FORWARD.launch((of_x, of_p, out, moved or wide), grid, block,
                                     (x, gamma, beta, y, mean, var, rstd, *track[:2], parts, float(eps), *track[2:], N, C, S, width, phase, chunk))
    return y, mean, var, rstd


def running_of(running: Any, n: int) -> tuple[Any, tuple[Any, Any, float, float, float]]:
    """The dtype of the running statistics, and what the kernel takes: mean, var (0: not to be moved), decay, and the batch's share of each."""
    if running is None:
        return None, (0, 0, 0.0, 0.0, 0.0)
    mean, var, decay = running
    if n == 1:
        var = None   # one value tells nothing about the spread
    dtype = mean.dtype if mean is not None else var.dtype if var is not None else None
    return dtype, (0 if mean is None else mean, 0 if var is None else var, float(decay), 1.0 - decay, (1.0 - decay) * n / max(n - 1, 1))


def _pointer(xp: Any, p: Any) -> Any:
    return 0 if p is None else contiguous(xp, p)


@override("cupy")
def in_dtype(dtype: Any, *xs: Any) -> list[Any]:
    """The kernels read 16 bits and compute in 32, so that no array is copied for that."""
    return [x if x is None or x.dtype == dtype or dtype.itemsize == 4 and str(x.dtype.name) in NARROW else x.astype(dtype) for x in xs]


@override("cupy")
def normalize(x: Any, gamma: Any, beta: Any, axes: Axes, eps: float, centred: bool) -> Any:
    """One launch over rows; one or two by channels. x, gamma and beta may have 16 bits; y has the dtype that they have together."""
    p = gamma if gamma is not None else beta
    plain = gamma is None or beta is None or gamma.shape == beta.shape
    found = None
    if p is None or plain and p.ndim == x.ndim:
        found = _normalized(x, gamma, beta, x.shape, axes, None if p is None else p.shape, eps, centred)
    if found is None:
        work = work_dtype(x, gamma, beta)[1]
        found = REFERENCE["normalize"](cupy(), *(v if v is None else v.astype(work, copy=False) for v in (x, gamma, beta)), axes, eps, centred)
    return found


def forward(op: Any, x: Any, gamma: Any = None, beta: Any = None) -> Any:
    """What forward of the norms does."""
    return _forward(op, x, gamma, beta, None)


def _forward(op: Any, x: Any, gamma: Any, beta: Any, running: Any) -> Any:
    shape, axes, per, own = op.layout(x.shape)
    if gamma is not None and gamma.shape != own or beta is not None and beta.shape != own:
        return NotImplemented
    found = _normalized(x, gamma, beta, shape, axes, None if gamma is None and beta is None else per, op.eps, op.centred, running, op.keeps)
    if found is None:
        return NotImplemented
    y, mean, _, rstd = found
    return (y, mean, rstd) if op.centred else (y, rstd)


for name in ("layer_norm", "rms_norm", "group_norm", "instance_norm"):
    fused("cupy", name, "forward")(forward)


@fused("cupy", "batch_norm", "forward")
def batch_norm(op: Any, x: Any, gamma: Any, beta: Any) -> Any:
    """The running statistics move in the launch that puts the batch's together."""
    mode, each = current(), [r for r in (op.mean, op.var) if r is not None]
    if not each or not mode.record or mode.again:
        return _forward(op, x, gamma, beta, None)
    if any(type(r) is not type(x) or r.shape != x.shape[1:2] or r.dtype != each[0].dtype or not r.flags.c_contiguous or str(r.dtype.name) not in
           NARROW | {"float64"} for r in each):
        return NotImplemented
    return _forward(op, x, gamma, beta, (op.mean, op.var, op.decay))


@fused("cupy", "fixed_batch_norm", "forward")
def fixed_batch_norm(op: Any, x: Any, gamma: Any, beta: Any, mean: Any, var: Any) -> Any:
    """One launch."""
    types = _dtypes(x, gamma, beta, True)
    if types is None or not x.size or x.ndim < 2 or mean.dtype != var.dtype or str(mean.dtype.name) not in NARROW | {"float64"} or any(
            p is not None and p.shape != x.shape[1:2] for p in (gamma, beta, mean, var)):
        return NotImplemented
    xp = cupy()
    y, (N, C), S = xp.empty(x.shape, types[2]), x.shape[:2], math.prod(x.shape[2:])
    grid, block, width, chunk = shared_out(C, N * S, S, 1 << 15)
    norm_channels.FORWARD.launch((*types[:3], mean.dtype), grid, block, (
        contiguous(xp, x), _pointer(xp, gamma), _pointer(xp, beta), y, 0, 0, 0, contiguous(xp, mean), contiguous(xp, var), 0, float(op.eps),
        0.0, 0.0, 0.0, N, C, S, width, GIVEN, chunk))
    return y


# -- backward ------------------------------------------------------------------------------------------

@override("cupy")
def normalize_grads(gy: Any, x: Any, gamma: Any, mean: Any, rstd: Any, axes: Axes, per: Axes, needs: tuple[bool, bool, bool]) -> Any:
    """One launch for gx over rows, one more for gamma and beta, or two; by channels one or two for all. Sums take the same order every time."""
    xp = cupy()
    parameters = needs[1] or needs[2]
    shaped = per if parameters or gamma is not None else None
    kinds = {str(v.dtype.name) for v in (gy, x, gamma) if v is not None}
    serves = x.size and (kinds == {"float64"} or kinds <= NARROW) and rstd.dtype == accumulator(x.dtype) and (gamma is None or gamma.shape == per)
    channels = as_channels(x.shape, axes, shaped) if serves else None
    rows = as_rows(x.shape, axes, shaped) if serves and (channels is None or shaped is None) else None
    if rows is None and channels is None:
        gy, x, gamma = (v if v is None else v.astype(rstd.dtype, copy=False) for v in (gy, x, gamma))
        return REFERENCE["normalize_grads"](xp, gy, x, gamma, mean, rstd, axes, per, needs)
    gy, x, scale = contiguous(xp, gy), contiguous(xp, x), _pointer(xp, gamma)
    of_p = rstd.dtype if gamma is None else gamma.dtype
    found = [xp.empty(x.shape, x.dtype) if needs[0] else None, *(xp.empty(per, of_p) if need else None for need in needs[1:])]
    out = [0 if g is None else g for g in found]
    statistics = (0 if mean is None else contiguous(xp, mean), contiguous(xp, rstd))
    types = (x.dtype, of_p, gy.dtype)
    if rows is None:
        _by_channel(types, (gy, x, scale, *statistics, *out), channels)
        return tuple(found)
    count, n, inner, period = rows
    together = parameters and inner == 1 and period == n and n <= norm_rows.ROOM // rstd.dtype.itemsize
    if needs[0] or together:
        _by_row(types, (gy, x, scale, *statistics, out[0]), count, n, inner, period, out[1:] if together else None)
    if parameters and not together:  # gamma and beta as channels of samples of `period` elements
        _by_channel(types, (gy, x, 0, *statistics, 0, *out[1:]), (x.size // period, period // inner, inner), period // n)
    return tuple(found)


def _by_row(types: Any, arrays: Any, rows: int, n: int, inner: int, period: int, sums: Any) -> None:
    xp, wide = cupy(), arrays[4].dtype
    lanes, threads, blocks = _lanes(rows, n)
    parts: Any = 0
    if sums is not None:
        room = norm_rows.ROOM // wide.itemsize
        if lanes == 32:
            threads = 32 * max(1, min(8, room // n))
        blocks = min(-(-rows // (threads // lanes)), MOST_BLOCKS)
        parts = xp.empty((2, blocks, n), wide)
    norm_rows.BACKWARD.launch(types, (blocks,), (threads,), (*arrays, parts, rows, n, inner, period, lanes))
    if sums is not None:
        norm_rows.FINISH.launch(types[1], (-(-n // 32), 2), (min(1024, 32 * blocks),), (parts, *sums, blocks, n))


def _by_channel(types: Any, arrays: Any, shape: Any, groups: int = 0) -> None:
    N, C, S = shape
    grid, block, width, chunk = shared_out(C, N * S, S)
    parts = cupy().empty(grid[1] * C * 2, accumulator(types[0])) if grid[1] > 1 else 0
    for phase in (PART, MERGE) if grid[1] > 1 else (WHOLE,):
        norm_channels.BACKWARD.launch(types, grid, block, (*arrays, parts, N, C, S, groups, width, phase, chunk))


@override("cupy")
def dot_over(a: Any, b: Any, axes: Axes) -> Any:
    """One launch or two, without the product in memory."""
    y = _summed(a, b, axes) if a.dtype == b.dtype and a.shape == b.shape else None
    return REFERENCE["dot_over"](cupy(), a, b, axes) if y is None else y


@override("cupy")
def sum_over(x: Any, axes: Axes) -> Any:
    """One launch or two over channels; CuPy's own sum is one launch along rows."""
    y = _summed(x, None, axes)
    return REFERENCE["sum_over"](cupy(), x, axes) if y is None else y


def _summed(a: Any, b: Any, axes: Axes) -> Any:
    """The sum of a, or of a b, over axes; None where the kernel does not serve, or CuPy's own way is as good."""
    found = as_channels(a.shape, axes, None) if a.size and str(a.dtype.name) in NARROW | {"float64"} else None
    if found is None or b is None and found[0] == 1:
        return None
    xp = cupy()
    y = xp.empty(tuple(1 if i in axes else n for i, n in enumerate(a.shape)), a.dtype)
    out = (0, 0, y) if b is None else (0, y, 0)
    _by_channel((a.dtype,) * 3, (contiguous(xp, a), _pointer(xp, b), 0, 0, 0, *out), found)
    return y
