"""The ops of random programs: each function adds one step to a program, drawn from its random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

import dezero.functions as F
from dezero import Function
from tests.core.programs import MOST, Draw


class CubeByTheBook(Function):
    def forward(self, x):
        return x ** 3 * 0.1

    def backward(self, gy):
        x, = self.inputs
        return 0.3 * x ** 2 * gy


class PairByTheBook(Function):
    """Two outputs, whose gradients use inputs and outputs."""

    def forward(self, a, b):
        return np.sin(a) * b, np.tanh(b)

    def backward(self, gs, gt):
        a, b = self.inputs
        t = self.outputs[1]()
        return F.sum_to(gs * F.cos(a) * b, a.shape), F.sum_to(gs * F.sin(a), b.shape) + gt * (1 - t * t)


class Halves(Function, op="test_halves"):
    """Two outputs in the library's way, one of them kept."""

    returns = ("s", "c")

    def forward(self, x): return self.xp.sin(x), self.xp.cos(x)
    def grad_x(self, gs, gc, *, s, c): return gs * c - gc * s


class KeptByTheWay(Function, op="test_kept_by_the_way"):
    """A value that forward computes for the gradient; compose has the higher derivatives."""

    saves = ("root",)

    def forward(self, x):
        root = self.xp.sqrt(x * x + 1)
        return x / root, root

    def grad_x(self, gy, *, root): return gy / root ** 3
    def compose(self, x): return x / F.sqrt(x * x + 1)


def like(a: Any, x: Any) -> Any:
    """A constant in the dtype of a value."""
    return np.asarray(a).astype(x.dtype)


SMOOTH = [
    lambda x: F.exp(x * 0.3), F.sin, F.cos, F.tanh, F.sigmoid, F.gelu, lambda x: F.gelu(x, approximate=True), F.silu, F.softplus, F.mish,
    lambda x: F.log(x * x + 0.5), lambda x: F.sqrt(x * x + 0.3), lambda x: F.rsqrt(x ** 2 + 0.4), F.square, F.arctan, F.erf, F.expm1,
    lambda x: F.log1p(x * x), lambda x: F.reciprocal(x * x + 1), F.cosh, F.sinh, lambda x: -x, lambda x: x ** 3, lambda x: (x * x + 0.2) ** 1.7,
    lambda x: x ** 4, F.identity, F.copy, lambda x: 1.5 - x, lambda x: x / 3, lambda x: 2 / (x * x + 1), lambda x: 2.0 ** x, lambda x: +x,
    lambda x: x - x, lambda x: x * x, lambda x: x / (x * x + 1), CubeByTheBook(), lambda x: Halves()(x), lambda x: KeptByTheWay()(x),
    lambda x: F.tan(F.sin(x) * 0.5), lambda x: F.arcsin(F.sin(x) * 0.5), lambda x: F.log2(F.exp(x) + 1), lambda x: np.float64(0.7) * x,
    lambda x: np.sin(x), lambda x: np.float32(1.25) + x, lambda x: F.log_softmax(x.reshape(1, -1)), lambda x: x.T, lambda x: x.flatten(),
]
MERGE = [
    F.add, F.sub, F.mul, lambda a, b: a / (b * b + 0.7), lambda a, b: F.arctan2(a, b * b + 1), lambda a, b: (a * a + 0.3) ** b, PairByTheBook(),
    lambda a, b: F.where(np.arange(b.size).reshape(b.shape) % 2 == 0, a, b * 2),
    lambda a, b: F.mean_squared_error(a, b + 0 * a) if a.shape == b.shape else a + b,
]
REDUCE = [
    lambda x, axis, keep: F.sum(x, axis, keep), lambda x, axis, keep: F.mean(x, axis, keep), lambda x, axis, keep: F.var(x, axis, 0, keep),
    lambda x, axis, keep: F.logsumexp(x, axis, keep), lambda x, axis, keep: F.prod(x, axis, keep),
    lambda x, axis, keep: F.norm(F.cos(x), None, axis, keep),
    lambda x, axis, keep: (F.sum(x * x, axis, keep) + 0.1) ** 0.5,
]


def smooth(d: Draw) -> None:
    d.add(SMOOTH[d.rng.integers(len(SMOOTH))], d.pick())


def merge(d: Draw) -> None:
    i = d.pick()
    fn = MERGE[d.rng.integers(len(MERGE))]
    shape = d.values[i].shape  # type: ignore[index]
    j = d.pick(lambda v: fits(shape, v.shape))
    d.add(fn, *((i, j) if d.rng.random() < 0.5 else (j, i)))


def fits(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    try:
        return np.prod(np.broadcast_shapes(a, b)) <= MOST
    except ValueError:
        return False


def with_constant(d: Draw) -> None:
    i = d.pick()
    shape = tuple(s if d.rng.random() < 0.6 else 1 for s in d.values[i].shape)  # type: ignore[index]
    c = d.rng.normal(size=(2, *shape) if d.rng.random() < 0.3 else shape)
    fn = [lambda x: x + like(c, x), lambda x: like(c, x) * x, lambda x: like(c, x) - x, lambda x: x / like(c * c + 1, x)][d.rng.integers(4)]
    d.add(fn, i)


def reduce(d: Draw) -> None:
    i = d.pick(lambda v: v.ndim and v.size > 1)
    if i is not None:
        fn, keep = REDUCE[d.rng.integers(len(REDUCE))], bool(d.rng.random() < 0.5)
        n = d.values[i].ndim
        axis = None if d.rng.random() < 0.3 else d.axis(i) if d.rng.random() < 0.7 else tuple(int(a) for a in d.rng.permutation(n)[:2])
        d.add(lambda x: fn(x, axis, keep), i)


def reshape(d: Draw) -> None:
    i = d.pick(lambda v: v.ndim)
    if i is None:
        return
    a, b, n = d.axis(i), d.axis(i), d.values[i].ndim
    perm = tuple(int(p) for p in d.rng.permutation(n))
    shift, reps = int(d.rng.integers(-2, 3)), int(d.rng.integers(1, 3))
    fns = [
        lambda x: x.reshape(-1, x.shape[-1]), lambda x: x.transpose(perm), lambda x: x.swapaxes(a, b), lambda x: x.expand_dims(a),
        lambda x: F.squeeze(x),
        lambda x: F.broadcast_to(x, (2, *x.shape)), lambda x: F.flip(x, a), lambda x: F.roll(x, shift, a), lambda x: F.tile(x, reps),
        lambda x: F.repeat(x, reps, a), lambda x: F.pad(x, 1), lambda x: F.pad(x, (1, 0), mode="edge"), lambda x: F.moveaxis(x, a, b),
        lambda x: F.cumsum(x, a), lambda x: F.sum_to(x, (1,) * (n - 1) + x.shape[-1:]),
    ]
    d.add(fns[d.rng.integers(len(fns))], i)


def matrix(d: Draw) -> None:
    i = d.pick(lambda v: v.ndim == 2)
    if i is None:
        return
    m, n = d.values[i].shape
    k = int(d.rng.integers(1, 4))
    j = d.pick(lambda v: v.ndim == 2 and v.shape[0] == n)
    if j is None or d.rng.random() < 0.3:
        j = d.leaf((n, k))
    spd = lambda x: F.matmul(x, x.T) + like(np.eye(m) * 1.5, x)
    fns = [
        lambda x, y: F.matmul(x, y), lambda x, y: x @ y, lambda x, y: F.einsum("ij,jk->k", x, y), lambda x, y: F.tensordot(x, y, 1),
        lambda x, y: F.linear(x, y), lambda x, y: F.matmul(x, x.T) + 0 * F.sum(y), lambda x, y: F.inv(spd(x)) + F.sum(y),
        lambda x, y: F.cholesky(spd(x)) * F.mean(y),
        lambda x, y: F.solve(spd(x), F.matmul(x, y)), lambda x, y: F.det(spd(x) * 0.5) - F.sum(y),
        lambda x, y: F.slogdet(spd(x))[1] + F.sum(x[0]) * F.sum(y),
        lambda x, y: F.tril(spd(x)) @ x @ y, lambda x, y: F.trace(spd(x)) * y, lambda x, y: F.diagonal(spd(x)) + F.sum(y),
        lambda x, y: F.outer(x[0], y[0]),
        lambda x, y: F.linear(x, y, y[0]), lambda x, y: F.dot(x, y),
    ]
    d.add(fns[d.rng.integers(len(fns))], i, j)


def index(d: Draw) -> None:
    i = d.pick(lambda v: v.ndim)
    if i is None:
        return
    n, m = d.values[i].shape[0], d.values[i].shape[-1]
    ids, last = d.rng.integers(-n, n, 3), d.rng.integers(0, m, 2)
    mask = d.rng.random(n) < 0.7
    k = int(d.rng.integers(n))
    j = d.pick(lambda v: not v.ndim) if d.rng.random() < 0.7 else None
    fns = [
        lambda x, v: x[k], lambda x, v: x[::-1], lambda x, v: x[..., None], lambda x, v: x[ids], lambda x, v: x[ids.tolist()], lambda x, v: x[mask],
        lambda x, v: F.take(x, last, -1), lambda x, v: x[..., last], lambda x, v: F.index_set(x, k, v),
        lambda x, v: F.index_set(x, (..., last), v * 2),
        lambda x, v: F.index_add(x, ids, v), lambda x, v: F.embedding(np.abs(ids) % n, x),
        lambda x, v: F.take_along_axis(x, like(ids[:1] % m, last).reshape((1,) * x.ndim), -1),
        lambda x, v: x[1:] if len(x) > 1 else x[:1],
    ]
    d.add(fns[d.rng.integers(len(fns))], i, d.pick(lambda v: not v.ndim) if j is None else j)


def join(d: Draw) -> None:
    i = d.pick(lambda v: v.ndim)
    if i is None:
        return
    shape, axis = d.values[i].shape, d.axis(i)
    j, k = d.pick(lambda v: v.shape == shape), d.pick(lambda v: v.shape == shape)
    fns = [
        lambda x, y, z: F.concatenate([x, y, z], axis), lambda x, y, z: F.stack([z, x, like(np.ones(shape), x)], axis),
        lambda x, y, z: F.split(y, [1], axis),
        lambda x, y, z: F.split(F.concatenate([x, z], axis), shape[axis], axis), lambda x, y, z: F.split(x, shape[axis], axis)[0],
        lambda x, y, z: F.stack([x, x, x]), lambda x, y, z: F.concatenate([x, y], None),
    ]
    d.add(fns[d.rng.integers(len(fns))], i, j, k)


def layer(d: Draw) -> None:
    """Ops whose higher derivatives come from their composition."""
    i = d.pick(lambda v: v.ndim == 2 and v.size > 1)
    if i is None:
        return
    m, n = d.values[i].shape
    t, w = d.rng.integers(0, n, m), d.rng.random(n) + 0.2
    gamma, beta, h = d.leaf((n,)), d.leaf((n,)), 2
    choice = d.rng.integers(9)
    if choice == 0:
        d.add(lambda x, g, b: F.layer_norm(x, g, b, -1, 0.1), i, gamma, beta)
    elif choice == 1:
        d.add(lambda x, g, b: F.softmax_cross_entropy(x * g + b, t, like(w, x), label_smoothing=0.1), i, gamma, beta)
    elif choice == 2:
        d.add(lambda x, g, b: F.softmax_cross_entropy(x * g + b, t, reduction="none"), i, gamma, beta)
    elif choice == 3:
        d.add(lambda x, g, b: F.rms_norm(x, g, -1, 0.1) + b, i, gamma, beta)
    elif choice == 4:
        d.add(lambda x, g, b: F.batch_norm(x, g, b, None, None, eps=0.1), i, gamma, beta)
    elif choice == 5:
        d.add(F.lstm_cell, i, d.leaf((m, h)), d.leaf((m, h)), d.leaf((n, 4 * h)), d.leaf((h, 4 * h)), d.leaf((4 * h,)))
    elif choice == 6:
        d.add(F.gru_cell, i, d.leaf((m, h)), d.leaf((n, 3 * h)), d.leaf((h, 3 * h)))
    elif choice == 7:
        d.add(lambda x, g, b: F.scaled_dot_product_attention(x * g, x + b, x, causal=True), i, gamma, beta)
    else:
        d.add(lambda x, g, b: F.softmax(x * g) * F.sigmoid_cross_entropy(x + b, (t[:, None] == np.arange(n)).astype(int)), i, gamma, beta)


def image(d: Draw) -> None:
    i = d.pick(lambda v: v.size > 8)
    if i is None:
        return
    n = d.values[i].size // 4
    w = d.leaf((2, 1, 2, 2))
    as_image = lambda x: x.flatten()[:4 * n].reshape(1, 1, 4, n)
    fns = [
        lambda x, w: F.conv2d(as_image(x), w, pad=1) if n < 5 else F.conv2d(as_image(x), w, stride=2),
        lambda x, w: F.avg_pool2d(as_image(x), 2) * F.sum(w),
        lambda x, w: F.conv_transpose2d(as_image(x)[..., :2, :2], w.swapaxes(0, 1)),
        lambda x, w: F.interpolate(as_image(x)[..., :2, :2] + F.mean(w), (3, 3), mode="bilinear"),
        lambda x, w: F.group_norm(F.conv2d(as_image(x), w), None, None, 2, 0.1), lambda x, w: F.im2col(as_image(x)[..., :3, :3], 2) + w[0, 0, 0, 0],
    ]
    d.add(fns[d.rng.integers(len(fns))], i, w)


OPS = [smooth] * 5 + [merge] * 5 + [with_constant, reduce, reduce, reshape, reshape, matrix, matrix, index, index, join, layer, layer, image]
