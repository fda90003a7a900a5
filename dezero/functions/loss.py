"""Losses of regression, and what all losses share that compare two arrays element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.backend.arrays import kind_of
from dezero.core.arithmetic import Sub
from dezero.core.checks import number, operand
from dezero.core.function import Function
from dezero.core.types import Operand
from dezero.core.value import is_float, is_half
from dezero.core.variable import Variable
from dezero.errors import ShapeError, describe
from dezero.functions.compare import Clip
from dezero.functions.explog import Sqrt
from dezero.functions.reduce import wrong_axis

REDUCTIONS = ("mean", "sum", "none")


class PairLoss(Function):
    """A loss of x and t, element by element, and its sum or mean.

    A subclass gives ``loss`` on arrays and ``slope``, the derivative by x, on arrays or Variables; it also gives ``slope_t``
    where that by t is not just the opposite.
    """

    broadcasts = True
    per_sample = False  # the mean is the sum divided by the size of the first axis (the book's way), not by that of all

    def __init__(self, reduction="mean"):
        self.reduction = reduction

    def forward(self, x, t): return self.reduced(x, t)
    def grad_x(self, gy, *, x, t): return self.scaled(gy, x, t) * self.slope(x, t)
    def grad_t(self, gy, *, x, t): return self.scaled(gy, x, t) * self.slope_t(x, t)

    def reduced(self, x, t):
        """The loss, after a look at the shapes."""
        if x.shape != t.shape and x.shape and t.shape and not x.size == t.size == 1:
            one, other = self.args
            write = f"; write {other}.reshape{x.shape}" if x.size == t.size else ""
            raise ShapeError(f"{one} and {other} must have the same shape, or they would be broadcast to one another{write}")
        return self.loss(x, t) if self.reduction == "none" else self.scaled(self.total(x, t), x, t).astype(x.dtype if is_float(x) else t.dtype)

    def total(self, x, t):
        """The sum of all losses, in float32 for half precision."""
        y = self.loss(x, t)
        return y.sum(dtype="float32" if y.dtype.itemsize == 2 else None)

    def scaled(self, v, x, t):
        """``v`` divided by what the mean divides by."""
        if self.reduction != "mean":
            return v
        like = x if len(x.shape) >= len(t.shape) else t
        return v / max(1, like.size if not self.per_sample else like.shape[0] if like.shape else 1)

    def slope_t(self, x, t): return -self.slope(x, t)


class SumSquaredError(PairLoss, op="sum_squared_error"):
    """y = sum (x0 - x1)^2 / 2."""

    factor = 1

    def forward(self, x0, x1): return self.reduced(x0, x1)
    def grad_x0(self, gy, *, x0, x1): return self.scaled(gy, x0, x1) * self.slope(x0, x1)
    def grad_x1(self, gy, *, x0, x1): return self.scaled(gy, x0, x1) * self.slope_t(x0, x1)

    def loss(self, x, t):
        d = x - t
        return d * d * (self.factor / 2)

    def slope(self, x, t):
        d = Sub.on(x, t)
        return d if self.factor == 1 else d * self.factor

    def total(self, x, t):
        d = (x - t).reshape(-1)
        if d.dtype.itemsize == 2:
            d = d.astype("float32")
        return self.xp.dot(d, d) * (self.factor / 2)


class MeanSquaredError(SumSquaredError, op="mean_squared_error"):
    """y = sum (x0 - x1)^2 / N."""

    factor = 2
    per_sample = True


class MeanAbsoluteError(PairLoss, op="mean_absolute_error"):
    """y = mean |x - t|."""

    def loss(self, x, t): return abs(x - t)

    def slope(self, x, t):
        d = Sub.on(x, t)
        return (d > 0).astype(d.dtype) - (d < 0)


class Huber(PairLoss, op="huber"):
    """y = mean c (d - c / 2) for d = x - t and d limited to c within [-delta, delta]."""

    def __init__(self, delta=1.0, reduction="mean"):
        self.delta, self.reduction = delta, reduction

    def loss(self, x, t):
        d = x - t
        c = self.xp.minimum(self.xp.maximum(d, -self.delta), self.delta)
        return c * (d - c * 0.5)

    def slope(self, x, t): return Clip.on(Sub.on(x, t), x_min=-self.delta, x_max=self.delta)


def mean_squared_error(x0: Operand, x1: Operand, reduction: str = "mean") -> Variable:
    """The sum of the squared differences, divided by the size of the first axis (the batch), as in the book.

    Args:
        x0: any shape (N, ...).
        x1: the same shape, or one number; an array takes the dtype of ``x0``.
        reduction: "mean" as above, "sum", or "none" for the square of each difference.

    Returns:
        One number (0-d), or with "none" the shape of ``x0``.

    Raises:
        ShapeError: the shapes differ; (N, 1) and (N,) would silently give all N x N differences.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.mean_squared_error(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
        variable(2.0)
    """
    check_reduction("mean_squared_error", reduction)
    return MeanSquaredError(reduction)(*partners(x0, x1))


def mean_squared_error_simple(x0: Operand, x1: Operand) -> Variable:
    """``mean_squared_error`` out of plain ops, to look into.

    Args:
        x0: any shape (N, ...).
        x1: the same shape.

    Returns:
        One number (0-d).

    Raises:
        ShapeError: the shapes differ.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.mean_squared_error_simple(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
        variable(2.0)
    """
    x0, x1 = operand("mean_squared_error_simple", "x0", x0), operand("mean_squared_error_simple", "x1", x1)
    if x0.shape != x1.shape and not x0.size == x1.size == 1:
        raise ShapeError(f"mean_squared_error_simple: x0 {describe(x0)} and x1 {describe(x1)}: x0 and x1 must have the same shape")
    d = x0 - x1
    return (d ** 2).sum() / (max(1, len(d)) if d.shape else 1)


def sum_squared_error(x0: Operand, x1: Operand) -> Variable:
    """Half the sum of the squared differences, the textbook's form, whose derivative is the difference itself.

    Args:
        x0: any shape.
        x1: the same shape, or one number; an array takes the dtype of ``x0``.

    Returns:
        One number (0-d).

    Raises:
        ShapeError: the shapes differ.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.sum_squared_error(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
        variable(2.0)
    """
    return SumSquaredError("sum")(*partners(x0, x1))


def mean_absolute_error(x: Operand, t: Operand, reduction: str = "mean") -> Variable:
    """The mean distance of ``x`` from ``t``, over all elements. The derivative where they are equal is taken as 0.

    Args:
        x: any shape.
        t: the same shape, or one number; an array takes the dtype of ``x``.
        reduction: "mean" over all elements, "sum", or "none" for each distance.

    Returns:
        One number (0-d), or with "none" the shape of ``x``.

    Raises:
        ShapeError: the shapes differ.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.mean_absolute_error(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
        variable(1.0)
    """
    check_reduction("mean_absolute_error", reduction)
    return MeanAbsoluteError(reduction)(*partners(x, t))


def huber(x: Operand, t: Operand, delta: float = 1.0, reduction: str = "mean") -> Variable:
    """Half the squared distance up to ``delta``, and from there on straight with the slope ``delta`` (Huber, 1964).

    Args:
        x: any shape.
        t: the same shape, or one number; an array takes the dtype of ``x``.
        delta: positive; where the parabola becomes a line.
        reduction: "mean" over all elements, "sum", or "none" for each loss.

    Returns:
        One number (0-d), or with "none" the shape of ``x``.

    Raises:
        ShapeError: the shapes differ.
        ValueError: ``delta`` is not positive.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.huber(np.array([0.0, 0.0]), np.array([1.0, 10.0]), reduction="none"))
        variable([0.5 9.5])
    """
    check_reduction("huber", reduction)
    if not number("huber", "delta", delta) > 0:
        raise ValueError(f"huber: delta is {delta}: it must be positive")
    return Huber(float(delta), reduction)(*partners(x, t))


def cosine_similarity(a: Operand, b: Operand, axis: int = -1, eps: float = 1e-8) -> Variable:
    """The cosine of the angle between vectors: their product divided by both lengths.

    Args:
        a: vectors along ``axis``.
        b: the same shape, or one that broadcasts.
        axis: where the vectors lie.
        eps: lengths below it count as ``eps``, so that a vector of zeros gives 0, with finite gradients.

    Returns:
        The shape of ``a`` without ``axis``, values in [-1, 1].

    Raises:
        ShapeError: the shapes do not broadcast, or there is no such axis.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.cosine_similarity(np.array([3.0, 4.0]), np.array([4.0, 3.0])))
        variable(0.96)
    """
    a, b = operand("cosine_similarity", "a", a), operand("cosine_similarity", "b", b)
    try:
        shape = np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ShapeError(f"cosine_similarity: a {describe(a)} and b {describe(b)}: the shapes must be equal, or broadcast") from None
    if wrong := wrong_axis(axis, len(shape)):
        raise ShapeError(f"cosine_similarity: a {describe(a)} and b {describe(b)}: {wrong.replace('x has', 'they have')}")
    if is_half(a) and a.dtype == b.dtype:  # eps squared is 0 in float16
        return cosine_similarity(a.astype("float32"), b.astype("float32"), axis, eps).astype(a.dtype)
    lengths = [Sqrt()(Clip(eps * eps, None)((v * v).sum(axis))) for v in (a, b)]
    return (a * b).sum(axis) / (lengths[0] * lengths[1])


def check_reduction(op: str, reduction: str) -> None:
    """Refuse an unknown reduction.

    Raises:
        ValueError: it is none of "mean", "sum", "none".
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"{op}: reduction is {reduction!r}: it must be one of {', '.join(REDUCTIONS)}")


def target_like(x: Any, t: Any) -> Any:
    """A target in the dtype of ``x``, if it is a constant: an array, or integers in a Variable."""
    dtype = getattr(getattr(x, "_data", x), "dtype", None)
    raw = getattr(t, "_data", t)
    given = getattr(raw, "dtype", None)
    if given is None or dtype is None or given.kind in "OUSMm":
        return t
    if (given == dtype and kind_of(given) == "f") or (isinstance(t, Variable) and t.requires_grad):
        return t
    return raw.astype(dtype if dtype.kind not in "biu" else "float64")


def partners(x: Any, t: Any) -> tuple[Any, Any]:
    """Both, with one that is a constant in the dtype of the other."""
    if isinstance(t, Variable) and t.requires_grad:
        return target_like(t, x), t
    if getattr(getattr(x, "dtype", None), "kind", "f") in "biu":
        x = getattr(x, "_data", x).astype("float64")
    return x, target_like(x, t)


__all__ = ["cosine_similarity", "huber", "mean_absolute_error", "mean_squared_error", "mean_squared_error_simple",
           "sum_squared_error"]
