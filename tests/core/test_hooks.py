"""Gradient hooks: their order, their removal, what they may change and return, and where they sit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Parameter, Variable, checkpoint, grad

X = np.array([0.5, -1.0, 2.0])


def leaf(data: Any = X) -> Variable:
    return Variable(np.array(data, dtype=np.float64))


def test_several_hooks_run_in_their_order_and_each_sees_what_the_one_before_returned() -> None:
    x, seen = leaf(2.0), []
    x.register_hook(lambda g: seen.append(("first", float(g))))
    x.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: seen.append(("third", float(g))))
    (x * 3.0).backward()
    assert seen == [("first", 3.0), ("third", 30.0)] and float(x.grad) == 30
    y = x * 3.0
    for k in (2, 5):
        y.register_hook(lambda g, k=k: g * k)
    x.cleargrad()
    (y * 1.0).backward()
    assert float(x.grad) == 300


@pytest.mark.parametrize("on_result", [False, True])
def test_a_hook_may_remove_itself_and_others_while_it_runs(on_result: bool) -> None:
    x, seen = leaf(2.0), []
    y = x * 3.0
    v = y if on_result else x
    removers = []

    def once(g: Variable) -> None:
        seen.append("once")
        for remove in removers:
            remove()
            remove()  # a second time does nothing

    removers.append(v.register_hook(once))
    v.register_hook(lambda g: seen.append("stays"))
    removers.append(v.register_hook(lambda g: seen.append("removed by the first")))
    for _ in range(2):
        y.backward(retain_graph=True)
    assert seen.count("once") == 1 and seen.count("stays") == 2 and seen.count("removed by the first") <= 1


def test_a_hook_that_is_registered_twice_is_removed_once_for_each() -> None:
    x, seen = leaf(2.0), []
    hook = lambda g: seen.append(1)
    first, second = x.register_hook(hook), x.register_hook(hook)
    first(), first()
    (x * 1.0).backward()
    assert seen == [1]
    second()
    (x * 1.0).backward()
    assert seen == [1]


def test_hooks_see_numbers_that_they_may_change_in_place() -> None:
    x = leaf(2.0)
    y = x * 3.0
    y.register_hook(lambda g: scaled(g, 10))
    x.register_hook(lambda g: scaled(g, 7))
    y.backward()
    assert float(x.grad) == 210


def scaled(g: Variable, k: float) -> None:
    g.data *= k


def test_a_hook_keeps_the_gradients_dtype() -> None:
    x = Variable(X.astype(np.float32))
    y = x * 2.0
    for v in (x, y):
        v.register_hook(lambda g: np.float64(2.0) * g.data.astype(np.float64))
    y.backward()
    assert x.grad.dtype == np.float32 and np.array_equal(x.grad.data, [8, 8, 8])


def test_hooks_with_create_graph_are_differentiated_through() -> None:
    x = leaf(2.0)
    x.register_hook(lambda g: g * g)
    (x ** 3).backward(create_graph=True)
    g = x.grad
    x.cleargrad()
    assert (float(g), float(grad(g, x))) == (144, 288)  # (3 x^2)^2 and its derivative
    y = x ** 3
    remove = y.register_hook(lambda g: g * y)
    g = grad(y, x, create_graph=True)
    remove()
    assert (float(g), float(grad(g, x))) == (96, 240)  # x^3 3 x^2 and its derivative


def test_hooks_on_the_outputs_of_an_op_with_several() -> None:
    x, seen = leaf(np.arange(6.0)), []
    a, b, c = F.split(x, 3)
    a.register_hook(lambda g: g * 10)
    b.register_hook(lambda g: seen.append("b"))
    c.register_hook(lambda g: seen.append(g.data.tolist()))
    F.sum(a * 2.0 + c * c).backward(create_graph=True)
    assert np.array_equal(x.grad.data, [20, 20, 0, 0, 8, 10]) and seen == [[8.0, 10.0]]


def test_the_hook_of_a_parameter_that_is_used_a_thousand_times_runs_once() -> None:
    w, seen = Parameter(np.array(1.0)), []
    w.register_hook(lambda g: seen.append(float(g)))
    total = leaf(0.0)
    for i in range(1000):
        total = total + w * float(i % 3)
    total.backward()
    assert seen == [float(sum(i % 3 for i in range(1000)))]


def test_a_hook_on_a_result_is_seen_by_grad_too() -> None:
    x = leaf(2.0)
    y = x * 3.0
    y.register_hook(lambda g: g * 5)
    assert float(grad(y * 1.0, x)) == 15


def test_hooks_on_checkpoints() -> None:
    x, seen = leaf(), []
    y = checkpoint(lambda v: v * v, x)
    y.register_hook(lambda g: seen.append(g.shape))
    F.sum(y * 2.0).backward()
    assert seen == [(3,)] and np.array_equal(x.grad.data, 4 * X)
