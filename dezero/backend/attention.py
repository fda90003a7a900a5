"""Kernels of attention: the softmax over the keys with masks, and its gradient from the probabilities alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dezero.backend.kernels import reference


def attention_bias(xp: Any, mask: Any, causal: bool, L: int, S: int, dtype: Any) -> Any:
    """What is added to the scores (L queries, S keys): 0 where a query may attend, -inf where not, or the float mask; None for nothing.

    With ``causal`` query i sees keys up to i + S - L: the queries are the last L of S positions.
    """
    bias = None
    if mask is not None:
        bias = mask.astype(dtype) if mask.dtype.kind != "b" else _minus_infinity(xp, ~mask, dtype)
    if causal:
        ahead = xp.arange(S)[None] > xp.arange(L)[:, None] + (S - L)
        future = _minus_infinity(xp, ahead, dtype)
        bias = future if bias is None else bias + future
    return bias


def _minus_infinity(xp: Any, where: Any, dtype: Any) -> Any:
    bias = xp.zeros(where.shape, dtype)
    bias[where] = -math.inf
    return bias


@reference
def attend(xp: Any, q: Any, k: Any, v: Any, bias: Any, keep: Any, scale: float) -> tuple[Any, Any]:
    """``softmax(scale q k^T + bias) * keep @ v`` and the probabilities (before ``keep``); a row that is all -inf has none.

    float32 or float64; ``bias`` and ``keep`` may be None.
    """
    p = xp.matmul(q * scale, k.swapaxes(-1, -2))
    if bias is not None:
        if np.broadcast_shapes(p.shape, bias.shape) == p.shape:
            p += bias
        else:
            p = p + bias
    if p.size:
        top = p.max(-1, keepdims=True)
        if bias is not None:
            top[top == -math.inf] = 0
        p -= top
        xp.exp(p, out=p)
        total = p.sum(-1, keepdims=True)
        if bias is not None:
            total[total == 0] = 1
        p /= total
    return xp.matmul(p if keep is None else p * keep, v), p


@reference
def attend_grads(xp: Any, gy: Any, q: Any, k: Any, v: Any, keep: Any, y: Any, p: Any, scale: float, needs: Any) -> Any:
    """The gradients for q, k, v and the bias, before broadcasting is undone; ``needs`` has a flag for each.

    With p the probabilities, the gradient of the scores is p (gp - sum_j gp p), and that sum is the row's gy . y.
    """
    gv = xp.matmul((p if keep is None else p * keep).swapaxes(-1, -2), gy) if needs[2] else None
    if not (needs[0] or needs[1] or needs[3]):
        return None, None, gv, None
    gs = xp.matmul(gy, v.swapaxes(-1, -2))
    if keep is not None:
        gs *= keep
    gs -= (gy * y).sum(-1, keepdims=True)
    gs *= p
    gq = gk = None
    if needs[0]:
        gq = xp.matmul(gs, k)
        gq *= scale
    if needs[1]:
        gk = xp.matmul(gs.swapaxes(-1, -2), q)
        gk *= scale
    return gq, gk, gv, gs if needs[3] else None
