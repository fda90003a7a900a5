"""Threads and asyncio tasks do not see one another: not their modes, not their graphs."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dezero import Config, Variable, no_grad, test_mode, using_config
from tests.slow.work import FULL, scale, small_network

pytestmark = scale

STEPS = 1_000 if FULL else 60


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads that take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def trained(seed: int) -> bytes:
    step, parameters = small_network(seed)
    for _ in range(STEPS):
        step()
    return b"".join(p.data.tobytes() for p in parameters)


def storm(stop: threading.Event) -> list[str]:
    """Switch modes until told to stop; what was seen that should not have been."""
    x = Variable(np.ones(3))
    wrong = []
    while not stop.is_set():
        with no_grad(), test_mode():
            if (x * x).creator is not None or Config.train:
                wrong.append("inside")
        if (x * x).creator is None or not Config.train:
            wrong.append("outside")
    return wrong


@pytest.mark.usefixtures("hasty_threads")
def test_16_trainings_in_a_storm_of_no_grad_give_the_bytes_of_each_alone() -> None:
    alone = [trained(seed) for seed in range(16)]
    stop = threading.Event()
    with ThreadPoolExecutor(24) as pool:
        storms = [pool.submit(storm, stop) for _ in range(8)]
        try:
            together = list(pool.map(trained, range(16)))
        finally:
            stop.set()
        assert [s.result() for s in storms] == [[]] * 8
    assert together == alone


@pytest.mark.usefixtures("hasty_threads")
def test_threads_may_use_one_leaf_in_graphs_of_their_own() -> None:
    shared = Variable(np.arange(5.0))

    def gradient(k: int) -> bool:
        for _ in range(STEPS):
            x = Variable(shared.data * k)
            (x * x + x * shared.data).sum().backward()
            if not np.array_equal(x.grad.data, 2.0 * k * shared.data + shared.data):  # type: ignore[union-attr]
                return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(gradient, range(8)))


def test_a_new_thread_starts_with_the_usual_modes() -> None:
    with no_grad(), test_mode(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: (Config.enable_backprop, Config.train)).result() == (True, True)
        assert (Config.enable_backprop, Config.train) == (False, False)


def test_asyncio_tasks_have_modes_of_their_own() -> None:
    async def task(record: bool) -> bool:
        x = Variable(np.array(2.0))
        right = True
        with using_config("enable_backprop", record):
            for _ in range(20):
                await asyncio.sleep(0)
                right &= ((x * x).creator is not None) == record
        await asyncio.sleep(0)
        return right and (x * x).creator is not None

    async def all_tasks() -> list[bool]:
        return await asyncio.gather(*(task(i % 2 == 0) for i in range(10)))

    assert all(asyncio.run(all_tasks()))
