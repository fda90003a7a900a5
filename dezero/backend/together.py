"""Kernels that work on all parameters of an optimizer, or on all their gradients, at once: on a device each is one launch for many arrays.

The arrays of a call are all of one module and on one device. They may differ in shape and dtype.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from dezero.backend.kernels import kernels_of, reference


class Batch:
    """Parameters that make the same step, with their state.

    Attributes:
        ps: the parameters' arrays.
        states: for each array of state that the rule has, those of the parameters in order; None for one that it does without.
        masters: None, or the float32 arrays that stand for parameters of half precision; see ``take_over``.
        cache: what a backend keeps about these arrays.
    """

    __slots__ = ("ps", "states", "masters", "cache")

    def __init__(self, ps: Sequence[Any], states: Sequence[Sequence[Any] | None] = (), masters: Sequence[Any] | None = None) -> None:
        self.ps, self.states, self.masters = ps, states, masters
        self.cache: Any = None


@reference
def take_over(xp: Any, master: Any, p: Any) -> None:
    """``master``, a parameter in float32 before it was rounded to ``p``, takes the elements of ``p`` that somebody has written since.

    These are the ones that it does not round to; so it may be zeros at first.
    """
    xp.copyto(master, p, where=master.astype(p.dtype) != p)


@reference
def step_together(xp: Any, name: str, batch: Batch, gs: Sequence[Any], decay: float, numbers: Sequence[Any]) -> None:
    """One step of the kernel ``name`` on every parameter of a batch, in place.

    Args:
        xp: the array module.
        name: of a kernel in ``backend/optimize.py``.
        batch: the parameters.
        gs: their gradients, which are only read.
        decay: this times the parameter is added to its gradient.
        numbers: what the kernel takes behind the arrays.
    """
    kernel = getattr(kernels_of(xp), name)
    for i, (p, g) in enumerate(zip(batch.ps, gs, strict=True)):
        w = p if batch.masters is None else batch.masters[i]
        if w is not p:
            kernels_of(xp).take_over(w, p)
        if g.dtype != w.dtype:
            g = g.astype(w.dtype)
        if decay:
            g = g + w * decay
        kernel(w, g, *[None if column is None else column[i] for column in batch.states], *numbers)
        if w is not p:
            p[...] = w


@reference
def add_scaled_together(xp: Any, ys: Sequence[Any], xs: Sequence[Any], factor: float) -> None:
    """y += factor x for each pair, in place."""
    for y, x in zip(ys, xs, strict=True):
        kernels_of(xp).add_scaled(y, x, factor)


@reference
def clip_together(xp: Any, arrays: Sequence[Any], limit: float) -> None:
    """Bring all elements into [-limit, limit], in place; a NaN stays."""
    for a in arrays:
        xp.clip(a, -limit, limit, out=a)


@reference
def square_sum_together(xp: Any, arrays: Sequence[Any]) -> Any:
    """The sum of the squares of all elements: a float, or a 0-d float64 array. The squares of float32 may overflow, the sum does not."""
    total = _square_sum(xp, arrays)
    return total if math.isfinite(total) else _square_sum(xp, [a.astype(np.float64) for a in arrays])


def _square_sum(xp: Any, arrays: Sequence[Any]) -> float:
    squares = [kernels_of(xp).square_sum(a) for a in arrays]
    if xp is np:
        return math.fsum(map(float, squares)) if all(map(np.isfinite, squares)) else float("inf")
    return float(sum(squares))  # one wait for the device


@reference
def clip_norm_together(xp: Any, arrays: Sequence[Any], most: float) -> None:
    """Scale all arrays in place by ``most / (norm + 1e-6)`` where that is less than 1, with the Euclidean norm of all of them.

    Where there is a NaN or an infinity they stay as they are.
    """
    factor = most / (math.sqrt(kernels_of(xp).square_sum_together(arrays)) + 1e-6)
    if 0 < factor < 1:
        for a in arrays:
            a *= factor


@reference
def finite_together(xp: Any, arrays: Sequence[Any]) -> Any:
    """Is there no NaN and no infinity in any of them? A bool, or a 0-d array of one."""
    return all(kernels_of(xp).all_finite(a) for a in arrays)


@reference
def unscale_together(xp: Any, arrays: Sequence[Any], factor: float) -> tuple[list[Any], Any]:
    """All arrays times ``factor``, and whether all their elements were finite before, as ``finite_together`` tells.

    Float32 and float64 change in place. Half precision, in which the products could vanish, gives new arrays in float32.
    """
    finite = kernels_of(xp).finite_together(arrays)
    out = []
    for a in arrays:
        if a.dtype.itemsize < 4:
            a = a.astype(np.float32)
        a *= factor
        out.append(a)
    return out, finite
