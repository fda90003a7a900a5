"""Attention: each query takes the mean of the values, weighted by how well its key fits."""

from __future__ import annotations

import math

import numpy as np

from dezero.backend import array_module
from dezero.backend.attention import attention_bias
from dezero.backend.norm import in_dtype, work_dtype
from dezero.backend.random import keep_mask
from dezero.config import current
from dezero.core.arithmetic import SumTo
from dezero.core.checks import number
from dezero.core.function import Function
from dezero.core.types import Operand
from dezero.core.value import is_float
from dezero.core.variable import Variable
from dezero.errors import DTypeError, ShapeError
from dezero.functions.compare import where
from dezero.functions.explog import exp
from dezero.functions.linalg import matmul


class Attention(Function, op="scaled_dot_product_attention"):
    """y = softmax(scale q k^T + bias) v, where the bias holds -inf for what may not be attended."""

    saves = ("p",)

    def __init__(self, causal, scale):
        self.causal, self.scale = causal, scale

    def checked(self, q, k, v, mask):
        """Refuse what does not fit."""
        for name, x in (("q", q), ("k", k), ("v", v)):
            if x.ndim < 2:
                raise ShapeError(f"{name} needs at least two axes: (..., positions, features)")
        if q.shape[-1] != k.shape[-1]:
            raise ShapeError("q.shape[-1] must equal k.shape[-1], the features that are compared")
        if k.shape[-2] != v.shape[-2]:
            raise ShapeError("k.shape[-2] must equal v.shape[-2], one value for each key")
        if mask is None:
            return
        if mask.dtype.kind != "b" and not is_float(mask):
            raise DTypeError("mask must be bool (True where a query may attend) or float (added to the scores): use mask.astype(bool)")
        L, S = q.shape[-2], k.shape[-2]
        if any(have not in (1, want) for have, want in zip(mask.shape[::-1], (S, L), strict=False)):
            raise ShapeError(f"mask must broadcast to (..., L, S) = (..., {L}, {S})")

    def worked(self, q, k, v, mask, *others):
        """All but the mask in the dtype to work in, the bias in it, and the dtype of the result."""
        out, work = work_dtype(q, k, v, mask if mask is not None and is_float(mask) else None)
        return out, *in_dtype(work, q, k, v), attention_bias(self.xp, mask, self.causal, q.shape[-2], k.shape[-2], work), *in_dtype(work, *others)

    def forward(self, q, k, v, mask=None, keep=None):
        self.checked(q, k, v, mask)
        out, q, k, v, bias, keep = self.worked(q, k, v, mask, keep)
        y, p = self.kernels.attend(q, k, v, bias, keep, self.scale)
        return y.astype(out, copy=False), p

    def backward(self, gy, *, q, k, v, mask, keep, y, p):
        qw, kw, vw, keep, y, gy = in_dtype(p.dtype, q, k, v, keep, y, gy)
        found = self.kernels.attend_grads(gy, qw, kw, vw, keep, y, p, self.scale, [self.needs_grad(i) for i in range(4)])
        sums = [g if g is None or g.shape == x.shape else SumTo.on(g, shape=x.shape) for g, x in zip(found, (q, k, v, mask), strict=True)]
        return [g if g is None or g.dtype == x.dtype else g.astype(x.dtype) for g, x in zip(sums, (q, k, v, mask), strict=True)] + [None]

    def compose(self, q, k, v, mask, keep):
        out, q, k, v, bias, keep = self.worked(q, k, v, mask.data if isinstance(mask, Variable) else mask, keep)
        s = matmul(q * self.scale, k.swapaxes(-1, -2))
        if bias is None:
            p = exp(s - (s.data.max(-1, keepdims=True) if s.size else 0.0))  # this shifts all of a row, so its gradient is zero
        else:  # without an infinity on the way, which detect_anomaly would report
            allowed = bias > -math.inf
            if mask is not None and is_float(mask):
                s = s + where(mask > -math.inf, mask, 0.0).astype(s.dtype)
            top = self.xp.where(allowed, s.data, -math.inf).max(-1, keepdims=True) if s.size else self.xp.zeros(1)
            top[top == -math.inf] = 0
            p = exp(where(allowed, s - top, 0.0)) * allowed
        total = p.sum(-1, keepdims=True)
        p = p / (total + (total.data == 0).astype(total.dtype))
        y = matmul(p if keep is None else p * keep, v)
        return y if y.dtype == out else y.astype(out)


def scaled_dot_product_attention(q: Operand, k: Operand, v: Operand, mask: Operand | None = None, causal: bool = False,
                                 scale: float | None = None, dropout_ratio: float = 0.0) -> Variable:
    """Attention (Vaswani et al., 2017): ``softmax(scale q k^T) v``, with the softmax over the keys.

    A query that may attend to nothing gets zeros, and sends no gradient. Half precision is computed in float32; on a device it is
    multiplied as it is and summed in float32, and the weights are kept in half precision.

    Args:
        q: queries (..., L, E). The axes in front broadcast, heads and batch say.
        k: keys (..., S, E).
        v: values (..., S, V).
        mask: broadcasts to (..., L, S): bool, True where a query may attend; or float, added to the scores. A float Variable gets a
            gradient.
        causal: no query attends to later positions. Where L and S differ the queries are the last L of the S positions, as in
            decoding with keys kept from before: query i sees keys up to i + S - L.
        scale: factor of the scores; None for 1 / sqrt(E).
        dropout_ratio: probability with which a weight is dropped in train mode; the others are scaled up to keep the mean.

    Returns:
        (..., L, V).

    Raises:
        ShapeError: the sizes of q, k, v or mask do not fit.
        DTypeError: the mask is neither bool nor float.
        ValueError: ``dropout_ratio`` is not in [0, 1].

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> q = k = np.zeros((2, 3))
        >>> v = Variable(np.array([[1.0], [3.0]]))
        >>> print(F.scaled_dot_product_attention(q, k, v, causal=True))
        variable([[1.]
                  [2.]])
    """
    if not 0 <= number("scaled_dot_product_attention", "dropout_ratio", dropout_ratio) <= 1:
        raise ValueError(f"scaled_dot_product_attention: dropout_ratio={dropout_ratio} is no probability: give a number from 0 to 1")
    if scale is None:
        scale = 1 / math.sqrt(max((getattr(q, "shape", ()) or (1,))[-1], 1))
    keep = _keep(q, k, mask, dropout_ratio) if dropout_ratio and current().train else None
    return Attention(bool(causal), number("scaled_dot_product_attention", "scale", scale))(q, k, v, mask, keep)


def _keep(q, k, mask, ratio):
    """The mask of dropout for the weights; None where the shapes do not fit, which the op then says."""
    try:
        lead = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], () if mask is None else mask.shape[:-2])
        shape = (*lead, q.shape[-2], k.shape[-2])
    except (AttributeError, IndexError, ValueError):
        return None
    return keep_mask(array_module(q), shape, ratio, work_dtype(q, k)[1])


__all__ = ["scaled_dot_product_attention"]
