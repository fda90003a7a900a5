"""Gradients, hooks and what an op hands out: changing one array in place changes nothing else."""
from __future__ import annotations

import numpy as np
import pytest

import dezero.functions as F
from dezero import Function, Parameter, Variable, detect_anomaly, grad
from dezero.errors import ShapeError

X = np.array([0.5, -1.0, 2.0])
A = np.array([[0.3, -0.6, 1.1], [0.2, 0.9, -0.4]])


def test_running_statistics_that_move_on_are_no_change() -> None:
    mean, var, x = np.zeros(3), np.ones(3), Variable(A.copy())
    with detect_anomaly():
        y = F.batch_norm(x, X, X, mean, var) + F.batch_norm(x * 2.0, X, X, mean, var)
        F.sum(y * A).backward(create_graph=True)
        F.sum(x.grad * A).backward()


def test_a_parameter_that_is_not_kept_may_change() -> None:
    b = Parameter(X.copy())
    with detect_anomaly():
        y = F.sum(b + 1.0)
        b.data *= 2
        y.backward()
    assert np.array_equal(b.grad.data, np.ones(3))


@pytest.mark.parametrize("create_graph", [False, True])
def test_gradients_may_be_changed_in_place(create_graph: bool) -> None:
    a, b, c = (Variable(X.copy()) for _ in range(3))
    h = a + b
    y = F.sum(h.reshape(3, 1)) - F.sum(F.broadcast_to(c, (2, 3)))
    y.backward(retain_grad=True, create_graph=create_graph)
    for k, v in enumerate((a, b, c, h), start=2):
        v.grad.data *= k
    assert [v.grad.data[0] for v in (a, b, c, h)] == [2, 3, -8, 5]
    (a * 10.0).backward()
    assert a.grad.data[0] == 12


@pytest.mark.parametrize("create_graph", [False, True])
def test_what_grad_gives_may_be_changed_in_place(create_graph: bool) -> None:
    a, b, seed = Variable(X.copy()), Variable(X.copy()), np.ones(3)
    h = a + b
    gs = grad(h * 1.0, [a, b, h, a], seed, create_graph=create_graph)
    for k, g in enumerate(gs, start=2):
        g.data *= k
    assert [g.data[0] for g in gs] == [2, 3, 4, 5] and seed[0] == 1


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_hook_may_change_the_gradient_in_place(create_graph: bool) -> None:
    a, b = Variable(X.copy()), Variable(X.copy())
    h, k = a * 1.0, b * 1.0
    h.register_hook(lambda g: scaled(g, 10))
    b.register_hook(lambda g: scaled(g, 100))
    y = h + k
    y.grad = seed = Variable(np.ones(3))
    y.backward(create_graph=create_graph)
    assert np.array_equal(a.grad.data, [10, 10, 10]) and np.array_equal(b.grad.data, [100, 100, 100]) and np.array_equal(seed.data, np.ones(3))
    h = a * 1.0
    h.register_hook(lambda g: scaled(g, 3))
    a.cleargrad()
    F.sum(h).backward(create_graph=create_graph)  # the gradient of a sum is a read-only view
    assert np.array_equal(a.grad.data, [3, 3, 3])


def scaled(g: Variable, factor: float) -> None:
    g.data *= factor


def test_what_a_hook_returns_stays_the_users_own() -> None:
    mine = np.array([1.0, 2.0, 3.0])
    a, b = Variable(X.copy()), Variable(X.copy())
    for v in (a, b):
        v.register_hook(lambda g: mine)
    (a + b).backward()
    a.grad.data *= 2
    assert np.array_equal(mine, [1, 2, 3]) and np.array_equal(b.grad.data, mine)


def test_an_op_that_hands_out_what_it_keeps() -> None:
    class Handing(Function, op="test_handing"):
        def forward(self, x, m): return x * m
        def grad_x(self, gy, *, m): return m

    m, x = X.copy(), Variable(X.copy())
    Handing()(x, m).backward()
    x.grad.data *= 5
    assert np.array_equal(m, X)


def test_another_shape_as_data_is_an_error_that_says_so() -> None:
    for data in (np.ones(5), np.ones((2, 2))):
        for f in (lambda x: F.matmul(x, A.T), F.exp, F.softplus, lambda x: x[1:]):
            x = Variable(X.copy())
            y = f(x)
            x.data = data
            with pytest.raises(ShapeError, match=r"\.data replaced"):
                F.sum(y).backward()


def test_another_dtype_as_data_gives_the_gradient_in_that_dtype() -> None:
    x = Variable(X.copy())
    y = x * x
    x.data = x.data.astype(np.float32)
    F.sum(y).backward()
    assert x.grad.dtype == np.float32 and np.allclose(x.grad.data, 2 * X)
