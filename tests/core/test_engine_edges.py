"""Failures in the middle and re-entrance: the engine stays usable, and writes all gradients or none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Function, Variable, checkpoint, config, detect_anomaly, enable_grad, grad, no_grad
from dezero import test_mode as evaluating
from dezero.errors import AnomalyError, FreedGraphError

X = np.array([0.5, -1.0, 2.0])


def leaf(data: Any = X) -> Variable:
    return Variable(np.array(data, dtype=np.float64))


class Faulty(Function, op="test_faulty"):
    """Fails in the direction that it is told to."""

    def __init__(self, where: str) -> None:
        self.where = where

    def forward(self, x):
        if self.where == "forward":
            raise KeyError("forward")
        return x * 1.0

    def grad_x(self, gy):
        if self.where == "backward":
            raise KeyError("backward")
        return gy


class FaultyByTheBook(Function):
    def forward(self, x): return x * 1.0
    def backward(self, gy): raise KeyError("backward")


class FaultyCompose(Function, op="test_faulty_compose"):
    def forward(self, x): return x * 1.0
    def grad_x(self, gy): return gy
    def compose(self, x): raise KeyError("compose")


def failing_hook(g: Variable) -> None:
    raise KeyError("hook")


def with_hook(v: Variable) -> Variable:
    v.register_hook(failing_hook)
    return v


def program(middle: Any) -> tuple[list[Variable], Variable]:
    """Leaves, some of which the gradient reaches before it comes to ``middle``, and the loss."""
    a, b, c = leaf(), leaf(), leaf()
    h = middle(a * 2.0)
    return [a, b, c], F.sum(h * b + c * c)


FAILURES = {
    "a formula": (lambda h: Faulty("backward")(h), False), "by the book": (lambda h: FaultyByTheBook()(h), False),
    "compose": (lambda h: FaultyCompose()(h), True), "a hook on a result": (with_hook, False), "a hook with create_graph": (with_hook, True),
    "the function of a checkpoint": (lambda h: checkpoint(lambda v: Faulty("backward")(v), h), False),
}


@pytest.mark.parametrize("what", FAILURES)
def test_a_backward_that_fails_writes_no_gradient_and_leaves_the_modes(what: str) -> None:
    middle, create_graph = FAILURES[what]
    leaves, loss = program(middle)
    for v, g in zip(leaves, (None, np.ones(3), None), strict=True):
        v.grad = g
    before, mode = [v.grad for v in leaves], config.current()
    with pytest.raises(KeyError):
        loss.backward(create_graph=create_graph)
    assert all(v.grad is g for v, g in zip(leaves, before, strict=True)) and np.array_equal(leaves[1].grad.data, np.ones(3))
    assert config.current() is mode
    again, loss = program(lambda h: h)
    loss.backward()
    assert np.array_equal(again[0].grad.data, 2 * X) and np.array_equal(again[2].grad.data, 2 * X)


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_leaf_hook_that_fails_leaves_no_gradient_half_written(create_graph: bool) -> None:
    for i in range(5):
        leaves = [leaf() for _ in range(5)]
        leaves[i].register_hook(failing_hook)
        with pytest.raises(KeyError):
            F.sum(leaves[0] * leaves[1] + leaves[2] * leaves[3] + leaves[4]).backward(create_graph=create_graph)
        assert all(v.grad is None for v in leaves)


def test_a_failed_backward_keeps_the_gradient_that_it_should_start_from() -> None:
    _, loss = program(with_hook)
    loss.grad = seed = Variable(np.array(3.0))
    with pytest.raises(KeyError):
        loss.backward(retain_graph=True)
    assert loss.grad is seed


def test_a_graph_that_was_kept_works_after_the_cause_of_a_failure_is_gone() -> None:
    x = leaf()
    h = x * x
    remove = h.register_hook(failing_hook)
    y = F.sum(h)
    with pytest.raises(KeyError):
        y.backward(retain_graph=True)
    remove()
    y.backward()
    assert np.array_equal(x.grad.data, 2 * X)


def test_a_forward_that_fails_leaves_no_trace() -> None:
    x, mode = leaf(), config.current()
    for block in (no_grad, evaluating, enable_grad, detect_anomaly):
        with pytest.raises(KeyError), block():
            Faulty("forward")(x)
    with pytest.raises(KeyError):
        checkpoint(lambda v: Faulty("forward")(v), x)
    assert config.current() is mode
    op = Faulty("forward")
    with pytest.raises(KeyError):
        op(x)
    op.where = ""
    F.sum(op(x)).backward()  # the same object is usable
    assert np.array_equal(x.grad.data, np.ones(3))


def test_an_anomaly_in_backward_writes_no_gradient() -> None:
    x, b = leaf(0.0), leaf(1.0)
    with detect_anomaly():
        y = F.sqrt(x) * b
        with pytest.raises(AnomalyError):
            y.backward()
    assert x.grad is None and b.grad is None


def test_a_freed_trunk_is_reported_and_nothing_is_written() -> None:
    x, a, b = leaf(), leaf(), leaf()
    trunk = x * x
    F.sum(trunk * a).backward()
    before = x.grad
    with pytest.raises(FreedGraphError, match="mul"):
        F.sum(trunk * b).backward()
    assert b.grad is None and x.grad is before


def test_grad_of_a_result_leaves_the_graph_behind_it() -> None:
    x = leaf()
    h = F.exp(x)
    g = grad(F.sum(h * h), h)
    h.grad = g
    h.backward()
    assert np.allclose(x.grad.data, 2 * np.exp(2 * X))


def test_backward_inside_a_hook() -> None:
    x, z = leaf(), leaf()

    def hook(g: Variable) -> None:
        F.sum(x * 3.0).backward()
        F.sum(z * g).backward()

    x.register_hook(lambda g: None)
    h = x * x
    h.register_hook(hook)
    remove = z.register_hook(lambda g: F.sum(x * 100.0).backward())
    F.sum(h).backward()
    remove()
    assert np.array_equal(x.grad.data, 2 * X + 103) and np.array_equal(z.grad.data, np.ones(3))


def test_backward_on_the_same_leaf_inside_its_own_hook_adds_up() -> None:
    x, depth = leaf(2.0), []

    def hook(g: Variable) -> None:
        if not depth:
            depth.append(1)
            (x * 5.0).backward()

    x.register_hook(hook)
    (x * 3.0).backward()
    assert float(x.grad) == 8


class Minimum(Function):
    """The u at which exp(u) - u x is least, by Newton steps; both directions differentiate on graphs of their own. It is log x."""

    def forward(self, x):
        with enable_grad():
            u = Variable(x.copy())
            for _ in range(8):
                g = grad(F.sum(F.exp(u) - u * x), u, create_graph=True)
                u = Variable(u.data - g.data / grad(F.sum(g), u).data)
        return u.data

    def backward(self, gy):
        with enable_grad():
            u = Variable(self.outputs[0]().data)
            g = grad(F.sum(F.exp(u)), u, create_graph=True)
            return gy / grad(F.sum(g), u).data


def test_grad_inside_a_custom_op() -> None:
    x = leaf([1.5, 2.0, 3.0])
    y = Minimum()(x * 1.0)
    F.sum(y * y).backward()
    assert np.allclose(y.data, np.log(x.data)) and np.allclose(x.grad.data, 2 * np.log(x.data) / x.data)


def test_inside_a_book_backward_nothing_is_recorded_unless_asked_for() -> None:
    seen = []

    class Spy(Function):
        def forward(self, x): return x * 2
        def backward(self, gy):
            seen.append((gy * self.inputs[0]).creator is not None)
            return gy * 2

    x = leaf()
    F.sum(Spy()(x)).backward()
    F.sum(Spy()(x)).backward(create_graph=True)
    assert seen == [False, True]
