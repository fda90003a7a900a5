"""A second oracle: values and first and second derivatives of the ops against PyTorch's, where it is installed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, grad

pytestmark = pytest.mark.torch


@dataclass(frozen=True)
class Pair:
    """An op here and there, the shapes of its inputs, and the range that they are drawn from."""

    name: str
    ours: Callable[..., Any]
    theirs: Callable[..., Any]  # takes torch, then tensors
    shapes: tuple[tuple[int, ...], ...] = ((3, 4),)
    low: float = -2.0
    high: float = 2.0
    second: bool = True


def same(name: str, torch_name: str = "", **options: Any) -> Pair:
    """A function of one or more arrays that both know, under one name or two."""
    return Pair(name, lambda *xs: getattr(F, name)(*xs), lambda torch, *xs: getattr(torch, torch_name or name)(*xs), **options)


def nn(name: str, theirs: Callable[..., Any], *shapes: tuple[int, ...], ours: Callable[..., Any] | None = None, label: str = "",
       **options: Any) -> Pair:
    """A function that PyTorch has in ``torch.nn.functional``, which ``theirs`` gets."""
    return Pair(name + label, ours or (lambda *xs: getattr(F, name)(*xs)), lambda torch, *xs: theirs(torch.nn.functional, *xs), shapes or ((3, 4),),
                **options)


TWO = {"shapes": ((3, 4), (3, 4))}
POSITIVE = {"low": 0.2, "high": 3.0}
INSIDE = {"low": -0.9, "high": 0.9}
IMAGES, KERNELS = (2, 4, 6, 5), (6, 4, 3, 2)
LABELS = np.array([1, 0, 3])
WEIGHTS = np.array([0.5, 1.0, 2.0, 0.1])


def labels(torch: Any) -> Any:
    return torch.as_tensor(LABELS)


PAIRS = [
    # elementwise
    *(same(n) for n in ("exp", "expm1", "sin", "cos", "tan", "arctan", "sinh", "cosh", "tanh", "erf", "abs", "square", "sigmoid", "neg")),
    *(same(n, **POSITIVE) for n in ("log", "log1p", "log2", "log10", "sqrt", "rsqrt", "reciprocal")),
    *(same(n, **INSIDE) for n in ("arcsin", "arccos")),
    *(same(n, **TWO) for n in ("add", "sub", "mul", "maximum", "minimum", "arctan2")),
    same("div", **TWO, **POSITIVE),
    Pair("pow", F.pow, lambda torch, a, b: a ** b, **TWO, **POSITIVE),
    Pair("clip", lambda x: F.clip(x, -0.5, 1.0), lambda torch, x: torch.clamp(x, -0.5, 1.0)),
    Pair("where", lambda a, b: F.where(np.eye(3, 4) > 0, a, b), lambda torch, a, b: torch.where(torch.eye(3, 4) > 0, a, b), **TWO),
    # reductions
    Pair("sum", lambda x: F.sum(x, (0, 2)), lambda torch, x: torch.sum(x, (0, 2)), ((2, 3, 4),)),
    Pair("mean", lambda x: F.mean(x, -1), lambda torch, x: torch.mean(x, -1)),
    Pair("var", lambda x: F.var(x, 1, ddof=1), lambda torch, x: torch.var(x, 1)),
    Pair("std", lambda x: F.std(x, 1), lambda torch, x: torch.std(x, 1, correction=0)),
    Pair("prod", lambda x: F.prod(x, 1), lambda torch, x: torch.prod(x, 1)),
    Pair("max", lambda x: F.max(x, 1), lambda torch, x: torch.amax(x, 1)),
    Pair("min", lambda x: F.min(x, 0), lambda torch, x: torch.amin(x, 0)),
    Pair("logsumexp", lambda x: F.logsumexp(x, 1), lambda torch, x: torch.logsumexp(x, 1)),
    Pair("cumsum", lambda x: F.cumsum(x, 1), lambda torch, x: torch.cumsum(x, 1)),
    Pair("norm", lambda x: F.norm(x, axis=1), lambda torch, x: torch.linalg.vector_norm(x, dim=1)),
    # linear algebra
    Pair("matmul", F.matmul, lambda torch, a, b: a @ b, ((2, 3, 4), (4, 5))),
    Pair("einsum", lambda a, b: F.einsum("bij,bkj->ik", a, b), lambda torch, a, b: torch.einsum("bij,bkj->ik", a, b), ((2, 3, 4), (2, 5, 4))),
    Pair("inv", F.inv, lambda torch, a: torch.linalg.inv(a), ((3, 3),)),
    Pair("solve", F.solve, lambda torch, a, b: torch.linalg.solve(a, b), ((3, 3), (3, 2))),
    Pair("det", F.det, lambda torch, a: torch.linalg.det(a), ((3, 3),)),
    Pair("slogdet", lambda a: F.slogdet(a)[1], lambda torch, a: torch.linalg.slogdet(a)[1], ((3, 3),)),
    Pair("cholesky", lambda a: F.cholesky(a @ a.T + 3 * np.eye(3)), lambda torch, a: torch.linalg.cholesky(a @ a.T + 3 * torch.eye(3)), ((3, 3),)),
    nn("linear", lambda N, x, W, b: N.linear(x, W.T, b), (3, 4), (4, 5), (5,)),
    # activations
    nn("relu", lambda N, x: N.relu(x)),
    nn("leaky_relu", lambda N, x: N.leaky_relu(x, 0.2)),
    nn("prelu", lambda N, x, s: N.prelu(x, s), (3, 4), (4,)),
    nn("elu", lambda N, x: N.elu(x, 1.0)),
    nn("selu", lambda N, x: N.selu(x)),
    nn("gelu", lambda N, x: N.gelu(x)),
    nn("gelu", lambda N, x: N.gelu(x, approximate="tanh"), ours=lambda x: F.gelu(x, True), label=" tanh"),
    nn("silu", lambda N, x: N.silu(x)),
    nn("mish", lambda N, x: N.mish(x)),
    nn("softplus", lambda N, x: N.softplus(x)),
    nn("hard_tanh", lambda N, x: N.hardtanh(x)),
    nn("glu", lambda N, x: N.glu(x, -1)),
    nn("softmax", lambda N, x: N.softmax(x, 1)),
    nn("log_softmax", lambda N, x: N.log_softmax(x, 1)),
    # losses
    nn("mean_squared_error", lambda N, x, t: N.mse_loss(x, t, reduction="sum") / 3, (3, 4), (3, 4)),  # by the number of rows, as in the book
    nn("mean_absolute_error", lambda N, x, t: N.l1_loss(x, t), (3, 4), (3, 4)),
    nn("huber", lambda N, x, t: N.huber_loss(x, t, delta=0.5), (3, 4), (3, 4), ours=lambda x, t: F.huber(x, t, delta=0.5)),
    Pair("softmax_cross_entropy", lambda x: F.softmax_cross_entropy(x, LABELS),
         lambda torch, x: torch.nn.functional.cross_entropy(x, labels(torch))),
    Pair("softmax_cross_entropy with options",
         lambda x: F.softmax_cross_entropy(x, LABELS, class_weight=WEIGHTS, ignore_index=0, label_smoothing=0.1),
         lambda torch, x: torch.nn.functional.cross_entropy(x, labels(torch), torch.as_tensor(WEIGHTS), ignore_index=0, label_smoothing=0.1)),
    Pair("nll_loss", lambda x: F.nll_loss(x, LABELS), lambda torch, x: torch.nn.functional.nll_loss(x, labels(torch))),
    Pair("sigmoid_cross_entropy", lambda x: F.sigmoid_cross_entropy(x, np.array([0, 1, 1, 0])),
         lambda torch, x: torch.nn.functional.binary_cross_entropy_with_logits(x, torch.tensor([0.0, 1, 1, 0], dtype=torch.float64)), ((4,),)),
    Pair("binary_cross_entropy", lambda p: F.binary_cross_entropy(p, np.array([0, 1, 1, 0])),
         lambda torch, p: torch.nn.functional.binary_cross_entropy(p, torch.tensor([0.0, 1, 1, 0], dtype=torch.float64)), ((4,),), 0.1, 0.9),
    nn("kl_div", lambda N, q, p: N.kl_div(q, p, reduction="batchmean"), (3, 4), (3, 4), **POSITIVE),
    nn("cosine_similarity", lambda N, a, b: N.cosine_similarity(a, b, dim=-1), (3, 4), (3, 4)),
    # convolution
    nn("conv2d", lambda N, x, W, b: N.conv2d(x, W, b, stride=2, padding=1), IMAGES, KERNELS, (6,),
       ours=lambda x, W, b: F.conv2d(x, W, b, stride=2, pad=1)),
    nn("conv2d", lambda N, x, W: N.conv2d(x, W, None, 1, (2, 1), (2, 1), 2), IMAGES, (6, 2, 3, 2), label=" dilated in groups",
       ours=lambda x, W: F.conv2d(x, W, None, pad=(2, 1), dilation=(2, 1), groups=2)),
    nn("conv1d", lambda N, x, W, b: N.conv1d(x, W, b, stride=2, padding=1), (2, 4, 7), (6, 4, 3), (6,),
       ours=lambda x, W, b: F.conv1d(x, W, b, stride=2, pad=1)),
    nn("conv_transpose2d", lambda N, x, W, b: N.conv_transpose2d(x, W, b, stride=2, padding=1), (2, 6, 3, 4), KERNELS, (4,),
       ours=lambda x, W, b: F.conv_transpose2d(x, W, b, stride=2, pad=1)),
    nn("max_pool2d", lambda N, x: N.max_pool2d(x, 3, 2, 1), IMAGES, ours=lambda x: F.max_pool2d(x, 3, 2, 1)),
    nn("avg_pool2d", lambda N, x: N.avg_pool2d(x, (3, 2), 2, 1), IMAGES, ours=lambda x: F.avg_pool2d(x, (3, 2), 2, 1)),
    nn("avg_pool2d", lambda N, x: N.avg_pool2d(x, 3, 2, 1, count_include_pad=False), IMAGES, label=" without padding",
       ours=lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)),
    nn("adaptive_avg_pool2d", lambda N, x: N.adaptive_avg_pool2d(x, (4, 2)), IMAGES, ours=lambda x: F.adaptive_avg_pool2d(x, (4, 2))),
    nn("interpolate", lambda N, x: N.interpolate(x, (9, 4), mode="bilinear", align_corners=False), IMAGES,
       ours=lambda x: F.interpolate(x, (9, 4), mode="bilinear")),
    nn("interpolate", lambda N, x: N.interpolate(x, (9, 4)), IMAGES, label=" nearest", ours=lambda x: F.interpolate(x, (9, 4))),
    # normalisation
    nn("batch_norm", lambda N, x, g, b: N.batch_norm(x, None, None, g, b, training=True, eps=2e-5), IMAGES, (4,), (4,),
       ours=lambda x, g, b: F.batch_norm(x, g, b, None, None)),
    nn("layer_norm", lambda N, x, g, b: N.layer_norm(x, (4,), g, b), (3, 4), (4,), (4,)),
    nn("group_norm", lambda N, x, g, b: N.group_norm(x, 2, g, b), IMAGES, (4,), (4,), ours=lambda x, g, b: F.group_norm(x, g, b, 2)),
    nn("instance_norm", lambda N, x, g, b: N.instance_norm(x, weight=g, bias=b), IMAGES, (4,), (4,)),
    nn("rms_norm", lambda N, x, g: N.rms_norm(x, (4,), g, 1e-6), (3, 4), (4,)),
    # recurrent networks: one bias is all of ours, the other of PyTorch's is zero
    Pair("rnn", lambda x, h, Wx, Wh, b: list(F.rnn(x, h, Wx, Wh, b)),
         lambda torch, x, h, *w: recurrent(torch, torch.rnn_tanh, x, h, *w), ((5, 2, 3), (2, 4), (3, 4), (4, 4), (4,))),
    Pair("lstm", lambda x, h, c, Wx, Wh, b: list(F.lstm(x, h, c, Wx, Wh, b)),
         lambda torch, x, h, c, *w: recurrent(torch, torch.lstm, x, (h, c), *w), ((5, 2, 3), (2, 4), (2, 4), (3, 16), (4, 16), (16,))),
    Pair("gru", lambda x, h, Wx, Wh, b, bh: list(F.gru(x, h, Wx, Wh, b, bh)),
         lambda torch, x, h, *w: recurrent(torch, torch.gru, x, h, *w), ((5, 2, 3), (2, 4), (3, 12), (4, 12), (12,), (12,))),
    # attention
    nn("scaled_dot_product_attention", lambda N, q, k, v: N.scaled_dot_product_attention(q, k, v), *[(2, 3, 5, 4)] * 3, second=False),
    nn("scaled_dot_product_attention", lambda N, q, k, v: N.scaled_dot_product_attention(q, k, v, is_causal=True), *[(2, 3, 5, 4)] * 3,
       label=" causal", second=False, ours=lambda q, k, v: F.scaled_dot_product_attention(q, k, v, causal=True)),
]


def recurrent(torch: Any, run: Any, x: Any, state: Any, Wx: Any, Wh: Any, b: Any, bh: Any = None) -> list[Any]:
    """One layer of PyTorch's, which wants its weights transposed and its states with an axis for layers."""
    states = tuple(s[None] for s in state) if isinstance(state, tuple) else state[None]
    found = run(x, states, [Wx.T, Wh.T, b, torch.zeros_like(b) if bh is None else bh], True, 1, 0.0, True, False, False)
    return [found[0], *(s[0] for s in found[1:])]


@pytest.fixture(scope="module")
def torch() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what PyTorch's import deprecates is no concern of ours
        import torch
    return torch


def as_list(ys: Any) -> list[Any]:
    return list(ys) if isinstance(ys, (list, tuple)) else [ys]


def compare(ours: Any, theirs: Any, what: str, shapes: list[Any]) -> None:
    assert len(ours) == len(theirs)
    for i, (a, b, shape) in enumerate(zip(ours, theirs, shapes, strict=True)):
        a, b = (np.zeros(shape) if v is None else v for v in (a, b))
        a, b = (v.data if isinstance(v, Variable) else v if isinstance(v, np.ndarray) else v.numpy(force=True) for v in (a, b))
        assert a.shape == b.shape, f"{what} {i}: {a.shape} here, {b.shape} there"
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10, err_msg=f"{what} {i}")


@pytest.mark.parametrize("pair", PAIRS, ids=lambda p: p.name)
def test_as_pytorch(pair: Pair, torch: Any) -> None:
    rng = np.random.default_rng(len(pair.name))
    xs = [rng.uniform(pair.low, pair.high, shape) for shape in pair.shapes]
    vs, ts = [Variable(x) for x in xs], [torch.tensor(x, requires_grad=True) for x in xs]
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # of the constants in the table
    try:
        ys, zs = as_list(pair.ours(*vs)), as_list(pair.theirs(torch, *ts))
        compare(ys, zs, "value", [z.shape for z in zs])
        ws = [rng.normal(size=y.shape) for y in ys]
        gs = grad(ys, vs, [Variable(w, requires_grad=False) for w in ws], create_graph=True, allow_unused=True)
        hs = torch.autograd.grad(zs, ts, [torch.tensor(w) for w in ws], create_graph=True, allow_unused=True)
        compare(gs, hs, "gradient", list(pair.shapes))
        us = [rng.normal(size=x.shape) for x in xs]
        ours = [(g, Variable(u)) for g, u in zip(gs, us, strict=True) if g is not None and g.requires_grad]
        theirs = [(h, torch.tensor(u)) for h, u in zip(hs, us, strict=True) if h is not None and h.requires_grad]
        if pair.second:
            none = [None] * len(xs)
            gs = grad([g for g, _ in ours], vs, [u for _, u in ours], allow_unused=True) if ours else none
            hs = torch.autograd.grad([h for h, _ in theirs], ts, [u for _, u in theirs], allow_unused=True) if theirs else none
            compare(gs, hs, "second derivative", list(pair.shapes))
    finally:
        torch.set_default_dtype(before)
