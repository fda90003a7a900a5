"""Rows for dezero/functions/attention.py. The oracle goes through the queries one by one and leaves forbidden keys out."""

import itertools

import numpy as np

from dezero.backend.random import keep_mask
from tests.cases.case import Case, Const, Floats


def attention(q, k, v, mask=None, causal=False, scale=None, keep=None):
    lead = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2], () if mask is None else mask.shape[:-2])
    L, S = q.shape[-2], k.shape[-2]
    q, k, v = (np.broadcast_to(x, lead + x.shape[-2:]) for x in (q, k, v))
    mask = np.broadcast_to(True if mask is None else mask, (*lead, L, S))
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    y = np.zeros((*lead, L, v.shape[-1]))
    for at in itertools.product(*map(range, lead)):
        for i in range(L):
            keys = [j for j in range(S) if (mask.dtype.kind == "f" or mask[(*at, i, j)]) and not (causal and j > i + S - L)]
            if keys:
                s = np.array([scale * float(q[(*at, i)] @ k[(*at, j)]) + (mask[(*at, i, j)] if mask.dtype.kind == "f" else 0) for j in keys])
                w = np.exp(s) / np.exp(s).sum()
                if keep is not None:
                    w = w * keep[(*at, i)][keys]
                y[(*at, i)] = sum(wj * v[(*at, j)] for wj, j in zip(w, keys, strict=True))
    return y


def dropped(q, k, v):
    return attention(q, k, v, keep=keep_mask(np, (q.shape[-2], k.shape[-2]), 0.4, q.dtype))


def in_order(*xs):
    return attention(*xs, causal=True)


def run_in_order(F, *xs):
    return F.scaled_dot_product_attention(*xs, causal=True)


NAME = "scaled_dot_product_attention"
MASK = np.array([[True, False, True, True], [False, False, False, False], [True, True, False, True]])
SOME = Const(lambda rng: MASK.copy())
Q, K, V = Floats((3, 2)), Floats((4, 2)), Floats((4, 3))

CASES = [
    Case(NAME, (Q, K, V), attention, zero_size=((0, 2), (4, 2), (4, 3))),
    Case(NAME, (Floats((2, 3, 2)), Floats((2, 4, 2)), Floats((2, 4, 2))), attention, label="batch", zero_size=((2, 3, 2), (2, 0, 2), (2, 0, 2))),
    Case(NAME, (Floats((2, 1, 2, 2)), Floats((1, 3, 2)), Floats((3, 3, 1))), attention, label="broadcast"),
    Case(NAME, (Q, K, V, SOME), attention, label="mask"),
    Case(NAME, (Floats((2, 3, 2)), K, V, SOME), attention, label="mask-broadcast"),
    Case(NAME, (Q, K, V, Const(lambda rng: MASK[:1].copy())), attention, label="key-mask"),
    Case(NAME, (Q, K, V, Floats((3, 4))), attention, label="bias"),
    Case(NAME, (Q, K, V, Floats((2, 1, 4))), attention, label="bias-broadcast"),
    Case(NAME, (Floats((4, 2)), K, V), in_order, run_in_order, "causal"),
    Case(NAME, (Floats((2, 2)), K, V), in_order, run_in_order, "causal-decoding"),
    Case(NAME, (Floats((5, 2)), Floats((3, 2)), Floats((3, 2))), in_order, run_in_order, "causal-more-queries"),
    Case(NAME, (Q, K, V, SOME), in_order, run_in_order, "causal-mask"),
    Case(NAME, (Q, K, V), lambda *xs: attention(*xs, scale=1.5), lambda F, *xs: F.scaled_dot_product_attention(*xs, scale=1.5), "scale"),
    Case(NAME, (Q, K, V), dropped, lambda F, *xs: F.scaled_dot_product_attention(*xs, dropout_ratio=0.4), "dropout", random=True),
]
