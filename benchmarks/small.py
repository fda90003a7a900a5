"""A small network, and its training step, for the benchmarks that ask for many steps rather than for large ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import dezero.functions as F
from dezero import Parameter


def small_network(seed: int) -> tuple[Callable[[], None], list[Parameter]]:
    """A step of SGD on a network 10-20-3 and 16 examples drawn from ``seed``, and the network's parameters."""
    rng = np.random.default_rng(seed)
    x, t = rng.random((16, 10), dtype=np.float32), rng.integers(0, 3, 16)
    arrays = rng.normal(0, 0.3, (10, 20)), np.zeros(20), rng.normal(0, 0.2, (20, 3)), np.zeros(3)
    W1, b1, W2, b2 = parameters = [Parameter(a.astype(np.float32)) for a in arrays]

    def step() -> None:
        loss = F.softmax_cross_entropy(F.linear(F.relu(F.linear(x, W1, b1)), W2, b2), t)
        loss.backward()
        for p in parameters:
            p.data -= 0.1 * p.grad.data  # type: ignore[union-attr]
            p.cleargrad()

    return step, parameters
