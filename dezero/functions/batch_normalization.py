"""Batch norm: channels normalised by the statistics of the batch, or in use by running ones."""

from __future__ import annotations

import math

from dezero.backend import is_array
from dezero.backend.norm import in_dtype, result_dtype, work_dtype
from dezero.config import current
from dezero.core.checks import number
from dezero.core.function import Function
from dezero.core.types import Array, Operand
from dezero.core.variable import Variable
from dezero.errors import InputTypeError, ShapeError, describe
from dezero.functions.elementwise import add, mul
from dezero.functions.normalization import Normalization


def channels(shape):
    """For x of this shape: the view (N, C, places), the axes that are not channels, a channel's shape in the view, and its own."""
    if len(shape) < 2:
        raise ShapeError("x needs a batch axis and a channel axis, (N, C, ...): use x.reshape(1, -1) for one sample")
    N, C, *places = shape
    return (N, C, math.prod(places)), (0, 2), (1, C, 1), (C,)


class BatchNorm(Normalization, op="batch_norm"):
    """Statistics over all samples and places, for each channel; they also move the running ones where a graph is recorded."""

    reason = "one number for each channel, which axis 1 of x counts"
    keeps = True

    def __init__(self, mean, var, decay, eps):
        self.mean, self.var, self.decay, self.eps = mean, var, decay, eps

    def layout(self, shape):
        return channels(shape)

    def forward(self, x, gamma, beta):
        y, mean, var, rstd = self.normalized(x, gamma, beta)
        mode = current()
        if mode.record and not mode.again:
            self.move(mean, var, x.size // max(x.shape[1], 1))
        return y.reshape(x.shape).astype(result_dtype(x, gamma, beta, True), copy=False), mean, rstd

    def move(self, mean, var, n):
        """Take the statistics of ``n`` values for each channel into the running ones, in place."""
        for running, batch, share in ((self.mean, mean, 1 - self.decay), (self.var, var, (1 - self.decay) * n / max(n - 1, 1))):
            if running is None or n == 0 or (n == 1 and batch is var):
                continue
            if running.shape != batch.shape[1:2]:
                raise ShapeError(f"the running mean and var must have shape {batch.shape[1:2]}, given {running.shape}: {self.reason}")
            running *= self.decay
            running += (batch * share).reshape(running.shape).astype(running.dtype, copy=False)


class FixedBatchNorm(Function, op="fixed_batch_norm"):
    """y = gamma (x - mean) / sqrt(var + eps) + beta for each channel, with statistics that are given, and constants."""

    def __init__(self, eps):
        self.eps = eps

    def prepared(self, x, gamma, mean, var, beta=None):
        """x as (N, C, places), and mean, scale, 1 / sqrt(var + eps) and beta to broadcast to it, all in the dtype to work in."""
        view, _, per, own = channels(x.shape)
        for name, value in (("gamma", gamma), ("beta", beta), ("mean", mean), ("var", var)):
            if value is not None and value.shape != own:
                raise ShapeError(f"{name} must have shape {own}: {BatchNorm.reason}")
        x, gamma, mean, var, beta = in_dtype(work_dtype(x, gamma, beta)[1], x, gamma, mean, var, beta)
        gamma, mean, var, beta = (p if p is None else p.reshape(per) for p in (gamma, mean, var, beta))
        rstd = (var + self.eps) ** -0.5
        return x.reshape(view), mean, rstd if gamma is None else gamma * rstd, rstd, beta

    def forward(self, x, gamma, beta, mean, var):
        xv, mean, scale, _, shift = self.prepared(x, gamma, mean, var, beta)
        y = xv - mean
        y *= scale
        if shift is not None:
            y += shift
        return y.reshape(x.shape).astype(result_dtype(x, gamma, beta, True), copy=False)

    def backward(self, gy, *, x, gamma, beta, mean, var):
        xv, mean, scale, rstd, _ = self.prepared(x, gamma, mean, var)
        gy = gy.astype(xv.dtype, copy=False).reshape(xv.shape)
        found = [gy * scale if self.needs_grad(0) else None,
                 self.kernels.dot_over(gy, xv - mean, (0, 2)) * rstd if self.needs_grad(1) else None,
                 self.kernels.sum_over(gy, (0, 2)) if self.needs_grad(2) else None]
        own = (x, gamma, beta)
        return [*(g if g is None else g.reshape(v.shape).astype(v.dtype, copy=False) for g, v in zip(found, own, strict=True)), None, None]

    def compose(self, x, gamma, beta, mean, var):
        xv, mean, scale, _, shift = self.prepared(x, gamma, mean, var, beta)
        y = mul(xv - mean, scale)
        y = (y if shift is None else add(y, shift)).reshape(x.shape)
        out = result_dtype(x, gamma, beta, True)
        return y if y.dtype == out else y.astype(out)


def batch_norm(x: Operand, gamma: Operand | None, beta: Operand | None, mean: Operand | None, var: Operand | None,
               decay: float = 0.9, eps: float = 2e-5) -> Variable:
    """Normalise each channel over the batch (Ioffe and Szegedy, 2015): ``gamma (x - m) / sqrt(v + eps) + beta``.

    In train mode m and v are the batch's mean and biased variance, and gradients flow through them. Unless a block of ``no_grad``
    runs, the running statistics follow, in place: ``mean`` becomes ``decay * mean + (1 - decay) * m``, and ``var`` likewise with the
    unbiased variance. Without a graph nothing is learnt, so nothing moves: a look at the loss under ``no_grad`` leaves no trace.
    In test mode m and v are ``mean`` and ``var``, which are constants to the gradient.

    Where a channel has one value only (a batch of one, without places), the result in train mode is beta, the gradient of x is 0,
    ``mean`` moves and ``var`` stays: one value tells nothing about the spread.

    Args:
        x: float (N, C), (N, C, L), (N, C, H, W) or more places: channels on axis 1. float16 and bfloat16 are computed in float32, and the
            result has x's dtype also beside gamma and beta in float32.
        gamma: scale (C,), or None for 1.
        beta: shift (C,), or None for 0.
        mean, var: running statistics (C,): arrays, or Variables whose arrays are used. None tracks nothing, and test mode
            then uses the batch's statistics.
        decay: share of the running statistics that each batch leaves.
        eps: added to the variance.

    Returns:
        The shape of x.

    Raises:
        ShapeError: x has fewer than two axes, or one of the others is not (C,).

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x = Variable(np.array([[1.0, 10.0], [3.0, 30.0]]))
        >>> mean, var = np.zeros(2), np.ones(2)
        >>> print(F.batch_norm(x, None, None, mean, var, eps=0.0), mean)
        variable([[-1. -1.]
                  [ 1.  1.]]) [0.2 2. ]
    """
    mean, var = (_running(name, v) for name, v in (("mean", mean), ("var", var)))
    decay, eps = number("batch_norm", "decay", decay), number("batch_norm", "eps", eps)
    if current().train or mean is None or var is None:
        return BatchNorm(mean, var, decay, eps)(x, gamma, beta)
    return FixedBatchNorm(eps)(x, gamma, beta, mean, var)


def _running(name: str, v: Operand | None) -> Array | None:
    """The array of a running statistic, which is written in place."""
    v = v.data if isinstance(v, Variable) else v
    if v is None or is_array(v) and v.shape and v.dtype.kind not in "biu":
        return v
    raise InputTypeError(f"batch_norm: running {name} is {describe(v)}: a float array (C,) that is written in place, or None, is expected")


batch_nrom = batch_norm  # the book's spelling

__all__ = ["batch_norm", "batch_nrom"]
