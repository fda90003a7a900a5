"""Training leaves nothing behind: no reference cycles, no tables that grow."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dezero import Variable, no_grad
from tests.slow.work import FULL, scale, small_network

pytestmark = scale

STEPS = 100_000 if FULL else 2_000


@pytest.fixture
def collector_off() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def resident_megabytes() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.usefixtures("collector_off")
def test_training_makes_no_garbage_for_the_collector() -> None:
    step, _ = small_network(0)
    for _ in range(50):
        step()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(STEPS):
        step()
    assert len(gc.get_objects()) - before < 50
    assert gc.collect() == 0


@pytest.mark.usefixtures("collector_off")
def test_higher_derivatives_make_no_garbage_for_the_collector() -> None:
    def step() -> None:
        x = Variable(np.array([0.5, 1.5]))
        y = x ** 3 * x
        y.backward(create_graph=True)
        gx = x.grad
        x.cleargrad()
        gx.backward()  # type: ignore[union-attr]
        with no_grad():
            x * x  # a result that nobody uses

    step()
    gc.collect()
    for _ in range(20):
        step()
    assert gc.collect() == 0


@pytest.mark.usefixtures("collector_off")
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells how much memory is in use")
def test_memory_does_not_grow() -> None:
    step, _ = small_network(0)
    for _ in range(2_000):
        step()
    before = resident_megabytes()
    for _ in range(STEPS):
        step()
    assert resident_megabytes() - before < 1
