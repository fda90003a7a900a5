"""Hooks, failures in the middle, re-entrance, threads and modes: the engine stays usable and its sums stay complete."""

from __future__ import annotations

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Config, Function, Parameter, Variable, checkpoint, config, detect_anomaly, enable_grad, grad, no_grad, using_config
from dezero import test_mode as evaluating
from dezero.errors import AnomalyError, FreedGraphError

X = np.array([0.5, -1.0, 2.0])


def leaf(data: Any = X) -> Variable:
    return Variable(np.array(data, dtype=np.float64))


# -- hooks ---------------------------------------------------------------------------------------


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


# -- what fails in the middle --------------------------------------------------------------------


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
    leaves, loss = program(lambda h: with_hook(h))
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


# -- re-entrance ---------------------------------------------------------------------------------


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
    """argmin over u of (u - x)^2 u^2 ... found by Newton steps on a graph of its own, whose gradient uses grad()."""

    def forward(self, x):
        with enable_grad():
            u = Variable(x.copy())
            for _ in range(5):
                e = F.sum(F.exp(u) - u * x)
                g = grad(e, u, create_graph=True)
                u = Variable(u.data - g.data / grad(F.sum(g), u).data)
        return u.data

    def backward(self, gy):
        x, = self.inputs
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


# -- threads, tasks and modes --------------------------------------------------------------------


def test_threads_over_graphs_of_their_own_and_one_shared_leaf_give_the_complete_sum() -> None:
    shared, before = Parameter(np.zeros(4)), sys.getswitchinterval()
    start = threading.Barrier(4)

    def work(k: int) -> None:
        start.wait()
        for _ in range(150):
            x = Variable(np.full(4, float(k)))
            F.sum(shared * x + x).backward()
            assert np.array_equal(x.grad.data, np.ones(4))

    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
    finally:
        sys.setswitchinterval(before)
    assert np.array_equal(shared.grad.data, np.full(4, 150.0 * 6))


def test_config_set_directly_in_a_thread_or_task_stays_there() -> None:
    def work() -> tuple[bool, bool]:
        Config.enable_backprop = Config.train = False
        return (leaf() * 2.0).creator is None, Config.train

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(work).result() == (True, False)

    async def task() -> bool:
        return work()[0]

    async def main() -> list[bool]:
        return await asyncio.gather(task(), task())

    assert asyncio.run(main()) == [True, True]
    assert Config.train and Config.enable_backprop


def test_blocks_in_generators_that_end_in_another_order_leave_the_modes_as_they_were() -> None:
    def quiet() -> Any:
        with no_grad():
            yield (leaf() * 2.0).creator is None
            yield (leaf() * 2.0).creator is None

    g = quiet()
    assert next(g)
    with evaluating():
        assert next(g)
        assert list(g) == []  # its block ends inside ours
        assert not Config.train and (leaf() * 2.0).creator is not None
    assert Config.train and Config.enable_backprop


def test_a_generator_that_is_closed_elsewhere_does_not_complain() -> None:
    def quiet() -> Any:
        with no_grad():
            yield 1

    g = quiet()
    thread = threading.Thread(target=lambda: next(g))
    thread.start()
    thread.join()
    g.close()
    assert Config.enable_backprop


@pytest.mark.parametrize("block, name", [(no_grad, "enable_backprop"), (evaluating, "train")])
def test_decorated_generators_and_coroutines_run_in_the_block(block: Any, name: str) -> None:
    @block()
    def numbers() -> Any:
        for _ in range(2):
            yield getattr(Config, name)

    @block()
    async def task() -> bool:
        await asyncio.sleep(0)
        return getattr(Config, name)

    seen = []
    for value in numbers():
        seen += [value, getattr(Config, name)]  # between the items the caller's mode holds
    assert seen == [False, True, False, True] and asyncio.run(task()) is False


def test_nested_blocks_each_restore_their_own_setting() -> None:
    with using_config("train", False), no_grad():
        with enable_grad(), using_config("train", True):
            assert (Config.train, Config.enable_backprop) == (True, True)
        assert (Config.train, Config.enable_backprop) == (False, False)
    block = no_grad()
    with block:
        pass
    assert (Config.train, Config.enable_backprop) == (True, True)


def test_backward_twice_with_a_graph_under_no_grad_adds_up_differentiably() -> None:
    x = leaf(2.0)
    y = x ** 3
    with no_grad():
        y.backward(create_graph=True)
        y.backward(create_graph=True)
    assert float(x.grad) == 24 and float(grad(x.grad, x)) == 24
