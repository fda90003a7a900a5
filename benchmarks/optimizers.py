"""One step of Adam on 1,000,000 float32 parameters in 60 tensors, as in a network of mid size: matrices, kernels of convolutions, biases."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from benchmarks.harness import Row, alternate, benchmark, check_agreement, compare, torch_or_none
from dezero import Parameter
from dezero.optimizers import Adam

TOTAL, TENSORS, STEPS = 1_000_000, 60, 10


def shapes() -> list[tuple[int, ...]]:
    """60 shapes of mixed sizes whose elements sum to 1,000,000: each weight has its bias, and one matrix takes what is left."""
    weights: list[tuple[int, ...]] = [(32 << i % 3, 16 << i % 3, 3, 3) for i in range(15)]
    weights += [(128, 64 + 32 * i) for i in range(14)]
    found = [s for w in weights for s in (w, (w[0],))]
    last = (TOTAL - sum(map(prod, found))) // 129
    found.append((last, 128))
    found.append((TOTAL - sum(map(prod, found)),))
    return found


def problem() -> tuple[list[Any], list[Any]]:
    """Parameters and gradients."""
    rng = np.random.default_rng(0)
    return tuple([rng.standard_normal(s, dtype=np.float32) for s in shapes()] for _ in range(2))  # type: ignore[return-value]


@benchmark("adam")
def adam(quick: bool) -> list[Row]:
    """Our step and PyTorch's with its default settings, from the same parameters along the same gradients."""
    arrays, gradients = problem()
    parameters = [Parameter(a.copy()) for a in arrays]
    for p, g in zip(parameters, gradients, strict=True):
        p.grad = g
    competitors = {"ours": Adam().setup(parameters).update}
    states: dict[str, Any] = {"ours": [p.data for p in parameters]}
    torch = torch_or_none()
    if torch:
        tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
        for t, g in zip(tensors, gradients, strict=True):
            t.grad = torch.tensor(g)
        competitors["PyTorch"] = torch.optim.Adam(tensors).step
        states["PyTorch"] = [t.detach().numpy() for t in tensors]
    for _ in range(STEPS):
        for step in competitors.values():
            step()
    check_agreement(states, 1e-6)
    times = alternate(competitors, quick)
    return compare(f"Adam step, {TOTAL:,} parameters in {TENSORS} tensors", times, {"PyTorch": 1.0})
