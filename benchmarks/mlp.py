"""One training step of a network with one hidden layer: 784 inputs, 10 classes, 100 examples, SGD, float32."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

import dezero.functions as F
from benchmarks.harness import Row, alternate, benchmark, check_agreement, compare, torch_or_none
from dezero import Parameter

BATCH, INPUTS, CLASSES, RATE = 100, 784, 10, 0.01


class Competitor(NamedTuple):
    """A training step, and the parameters (W1, b1, W2, b2) as they are after the steps so far."""

    step: Callable[[], Any]
    parameters: Callable[[], Iterable[Any]]


def problem(hidden: int) -> tuple[Any, Any, list[Any]]:
    """Random images and labels, and the parameters that all competitors start from."""
    rng = np.random.default_rng(0)
    x = rng.random((BATCH, INPUTS), dtype=np.float32)
    t = rng.integers(0, CLASSES, BATCH)
    W1 = rng.standard_normal((INPUTS, hidden), dtype=np.float32) * np.float32(INPUTS ** -0.5)
    W2 = rng.standard_normal((hidden, CLASSES), dtype=np.float32) * np.float32(hidden ** -0.5)
    return x, t, [W1, np.zeros(hidden, np.float32), W2, np.zeros(CLASSES, np.float32)]


def by_hand(xp: Any, hidden: int, frugal: bool = False) -> Competitor:
    """The step as one writes it out in NumPy (or CuPy), in place where that is natural; ``frugal`` scales the gradients in place too."""
    x, t, parameters = problem(hidden)
    x, t = xp.asarray(x), xp.asarray(t)
    W1, b1, W2, b2 = parameters = [xp.asarray(p) for p in parameters]
    rows = xp.arange(BATCH)

    def step() -> Any:
        h = x @ W1
        h += b1
        xp.maximum(h, 0, out=h)
        y = h @ W2
        y += b2
        y -= y.max(axis=1, keepdims=True)
        p = xp.exp(y)
        total = p.sum(axis=1, keepdims=True)
        loss = (xp.log(total[:, 0]) - y[rows, t]).mean()
        p /= total
        p[rows, t] -= 1
        p /= BATCH
        gW2, gb2 = h.T @ p, p.sum(axis=0)
        gh = p @ W2.T
        gh *= h > 0
        gW1, gb1 = x.T @ gh, gh.sum(axis=0)
        for parameter, gradient in zip(parameters, (gW1, gb1, gW2, gb2), strict=True):
            if frugal:
                gradient *= RATE
                parameter -= gradient
            else:
                parameter -= RATE * gradient
        return loss

    return Competitor(step, lambda: parameters)


def by_dezero(xp: Any, hidden: int) -> Competitor:
    """The step with dezero's functions, and the update as its optimizers do it: in place."""
    x, t, arrays = problem(hidden)
    x, t = xp.asarray(x), xp.asarray(t)
    W1, b1, W2, b2 = parameters = [Parameter(xp.asarray(p)) for p in arrays]

    def step() -> Any:
        h = F.relu(F.linear(x, W1, b1))
        loss = F.softmax_cross_entropy(F.linear(h, W2, b2), t)
        loss.backward()
        for parameter in parameters:
            gradient = parameter.grad.data  # type: ignore[union-attr]
            gradient *= RATE
            parameter.data -= gradient
            parameter.cleargrad()
        return loss

    return Competitor(step, lambda: [p.data for p in parameters])


def by_torch(torch: Any, hidden: int) -> Competitor:
    """The step as PyTorch's own tutorials write it."""
    x, t, (W1, b1, W2, b2) = problem(hidden)
    x, t = torch.tensor(x), torch.tensor(t)
    parameters = [torch.tensor(p, requires_grad=True) for p in (np.ascontiguousarray(W1.T), b1, np.ascontiguousarray(W2.T), b2)]
    optimizer = torch.optim.SGD(parameters, lr=RATE)
    linear, relu, cross_entropy = torch.nn.functional.linear, torch.nn.functional.relu, torch.nn.functional.cross_entropy

    def step() -> Any:
        h = relu(linear(x, parameters[0], parameters[1]))
        loss = cross_entropy(linear(h, parameters[2], parameters[3]), t)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return Competitor(step, lambda: [p.detach().numpy().T for p in parameters])


def measure(hidden: int, quick: bool, targets: dict[str, float | None]) -> list[Row]:
    """Check that all competitors do the same steps, then let them take turns."""
    torch = torch_or_none()
    competitors = {"ours": by_dezero(np, hidden), "NumPy by hand": by_hand(np, hidden),
                   "NumPy by hand, frugal": by_hand(np, hidden, frugal=True)}
    if torch:
        competitors["PyTorch"] = by_torch(torch, hidden)
    for _ in range(10):
        for competitor in competitors.values():
            competitor.step()
    check_agreement({name: competitor.parameters() for name, competitor in competitors.items()}, 1e-5)
    times = alternate({name: competitor.step for name, competitor in competitors.items()}, quick)
    return compare(f"MLP step {INPUTS}-{hidden}-{CLASSES}", times, targets)


@benchmark("mlp-50")
def mlp_50(quick: bool) -> list[Row]:
    """784-50-10: overhead counts."""
    return measure(50, quick, {"NumPy by hand": 1.05, "NumPy by hand, frugal": None, "PyTorch": 0.65})


@benchmark("mlp-1000")
def mlp_1000(quick: bool) -> list[Row]:
    """784-1000-10: matrix products and memory count."""
    return measure(1000, quick, {"NumPy by hand": 0.9, "NumPy by hand, frugal": None, "PyTorch": 0.9})
