"""Modes and gradients among threads, tasks, generators and decorators."""

from __future__ import annotations

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Config, Parameter, Variable, enable_grad, grad, no_grad, using_config
from dezero import test_mode as evaluating

X = np.array([0.5, -1.0, 2.0])


def leaf(data: Any = X) -> Variable:
    return Variable(np.array(data, dtype=np.float64))


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


def test_a_generator_that_is_closed_in_another_thread_leaves_that_ones_modes() -> None:
    def quiet() -> Any:
        with no_grad():
            yield 1

    for block in (enable_grad, no_grad):
        g = quiet()
        thread = threading.Thread(target=lambda g=g: next(g))
        thread.start()
        thread.join()
        with block():
            before = Config.enable_backprop
            g.close()
            assert Config.enable_backprop == before


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
