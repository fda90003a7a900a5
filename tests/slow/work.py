"""What the tests of scale share: their size, an almost empty stack, and a small network."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Parameter

FULL = os.environ.get("DEZERO_TEST_SIZE") == "full"  # `make test-slow` asks for it; `make test` runs the same tests on a small scale
scale = pytest.mark.slow if FULL else []


def with_recursion_limit(limit: int, work: Callable[[], Any]) -> Any:
    """What ``work()`` returns when it runs with this recursion limit, in a thread of its own, whose stack is almost empty."""
    results: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(limit)
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)
        finally:
            sys.setrecursionlimit(before)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def small_network(seed: int) -> tuple[Callable[[], None], list[Parameter]]:
    """A training step of a network 10-20-3 on 16 examples, and its parameters, all drawn from ``seed``."""
    rng = np.random.default_rng(seed)
    x, t = rng.random((16, 10), dtype=np.float32), rng.integers(0, 3, 16)
    W1, b1 = Parameter(rng.normal(0, 0.3, (10, 20)).astype(np.float32)), Parameter(np.zeros(20, np.float32))
    W2, b2 = Parameter(rng.normal(0, 0.3, (20, 3)).astype(np.float32)), Parameter(np.zeros(3, np.float32))
    parameters = [W1, b1, W2, b2]

    def step() -> None:
        loss = F.softmax_cross_entropy(F.linear(F.relu(F.linear(x, W1, b1)), W2, b2), t)
        loss.backward()
        for p in parameters:
            assert p.grad is not None
            p.data -= 0.1 * p.grad.data
            p.cleargrad()

    return step, parameters
