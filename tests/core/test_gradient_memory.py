"""Gradients own their memory and have the dtype of their place; training does not grow."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Parameter, Variable, grad

X = np.array([0.5, -1.0, 2.0])
A = np.array([[0.3, -0.6, 1.1], [0.2, 0.9, -0.4]])
rng = np.random.default_rng(0)


def leaf(data: Any = X) -> Variable:
    return Variable(np.array(data, dtype=np.float64))


PROGRAMS = [
    lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a + b.T.T, lambda a, b: (a + b).reshape(3, 2), lambda a, b: (a + b)[None],
    lambda a, b: a + F.flip(b, 0),
    lambda a, b: F.concatenate([a, b]), lambda a, b: F.stack([a, b, a]), lambda a, b: F.split(a + b, 3, axis=1)[1], lambda a, b: F.sum(a + b),
    lambda a, b: F.mean(a - b),
    lambda a, b: F.broadcast_to(a + b, (4, 2, 3)), lambda a, b: F.identity(a) + F.copy(b), lambda a, b: a * 1.0 + b / 1.0,
    lambda a, b: F.where(A > 0, a, b),
    lambda a, b: F.index_set(a, 0, b[0]), lambda a, b: F.index_add(a, 0, b[0]), lambda a, b: a[0] + b[1], lambda a, b: a[::-1] + b[:, ::-1],
    lambda a, b: F.squeeze(a[None] + b),
    lambda a, b: a.flatten() + b.flatten(), lambda a, b: F.moveaxis(a, 0, 1) + b.T, lambda a, b: F.sum(a, 0) + F.sum(b, 0),
    lambda a, b: F.max(a + b), lambda a, b: a.astype(float) + b,
    lambda a, b: F.dropout(a, 0.0) + b, lambda a, b: F.sum_to(a + b, (2, 3)), lambda a, b: F.pad(a + b, 1), lambda a, b: +a + b,
    lambda a, b: F.relu(a + b) + a,
    lambda a, b: F.linear(a, F.transpose(b)), lambda a, b: F.roll(a, 1, 0) + F.tile(b, (1, 1)), lambda a, b: a ** 1 + b,
    lambda a, b: F.repeat(a, 1, 0) + b,
]


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("k", range(len(PROGRAMS)))
def test_gradients_share_no_memory(k: int, create_graph: bool) -> None:
    a, b = leaf(A), leaf(A + 0.01)
    y = PROGRAMS[k](a, b)
    y.grad = Variable(np.ones(y.shape))
    seed = y.grad
    gs = grad(y, [a, b, y], y.grad, create_graph=True) if create_graph else grad(y, [a, b, y], y.grad, retain_graph=True)
    y.backward(retain_grad=True, create_graph=create_graph)
    arrays = [seed.data, a.data, b.data, a.grad.data, b.grad.data, y.grad.data, *(g.data for g in gs)]
    for i, g in enumerate(arrays[3:], start=3):
        assert g.flags.writeable and not any(np.shares_memory(g, other) for other in arrays[:i]), i


@pytest.mark.parametrize("create_graph", [False, True])
def test_each_gradient_has_the_dtype_of_its_place(create_graph: bool) -> None:
    a, b = Variable(A.astype(np.float32)), leaf(A)
    h = a * 2.0
    assert grad(F.sum(h * b), a, create_graph=create_graph).dtype == np.float32
    F.sum(a * b).backward(create_graph=create_graph)
    assert a.grad.dtype == np.float32 and b.grad.dtype == np.float64
    if create_graph:
        F.sum(a.grad * a.grad).backward()
        assert np.allclose(b.grad.data - A, 2 * A, atol=1e-6)


def test_training_with_hooks_retained_gradients_and_second_derivatives_does_not_grow() -> None:
    w, b = Parameter(rng.normal(size=(3, 4))), Parameter(np.zeros(4))
    w.register_hook(lambda g: g * 1.0)
    x = rng.normal(size=(5, 3))

    def step() -> None:
        v = Variable(x)
        v.register_hook(lambda g: g + v * 0.0)  # a hook that holds its own variable
        h = F.tanh(F.linear(v, w, b))
        h.register_hook(lambda g: g + h * 0.0)
        y = F.sum(h * h)
        y.backward(retain_grad=True, create_graph=True)
        penalty = F.sum(v.grad * v.grad)
        w.cleargrad(), b.cleargrad()
        penalty.backward()
        w.data -= 0.01 * w.grad.data
        w.cleargrad(), b.cleargrad()

    def size() -> tuple[int, int]:
        gc.collect()
        return tracemalloc.get_traced_memory()[0], len(gc.get_objects())

    for _ in range(10):
        step()
    tracemalloc.start()
    try:
        step()
        before = size()
        for _ in range(200):
            step()
        after = size()
    finally:
        tracemalloc.stop()
    assert after[0] - before[0] < 15_000  # Python keeps some freed lists and tuples in hand; a Variable per step would be more
    assert after[1] - before[1] < 20


def test_a_leaf_whose_hook_holds_it_can_die() -> None:
    def made() -> Any:
        x = leaf()
        x.register_hook(lambda g: x * 0.0)
        return weakref.ref(x)

    dead = made()
    gc.collect()
    assert dead() is None
