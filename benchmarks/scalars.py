"""Many operations on single numbers: what an operation costs beyond its arithmetic."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

import dezero.functions as F
from benchmarks.harness import Row, alternate, benchmark, check_agreement, compare, torch_or_none
from dezero import Variable, grad


def ours(value: float = 1.0) -> Variable:
    """A float64 number that is tracked."""
    return Variable(np.array(value))


def theirs(torch: Any, value: float = 1.0) -> Any:
    """The same in PyTorch."""
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


def chain(a: Any) -> Any:
    """2,000 operations, one after the other."""
    b = a
    for _ in range(1000):
        b = b * 1.001 + 0.1
    return b


def goldstein_price(x: Any, y: Any) -> Any:
    """A test function of optimisation with some 40 operations (A. Goldstein and J. Price, Math. Comp. 25, 1971)."""
    near = 19 - 14 * x + 3 * x ** 2 - 14 * y + 6 * x * y + 3 * y ** 2
    far = 18 - 32 * x + 12 * x ** 2 + 48 * y - 36 * x * y + 27 * y ** 2
    return (1 + (x + y + 1) ** 2 * near) * (30 + (2 * x - 3 * y) ** 2 * far)


@benchmark("scalar-chain")
def scalar_chain(quick: bool) -> list[Row]:
    """2,000 scalar operations, forward and backward."""
    torch = torch_or_none()

    def run(a: Any) -> Any:
        chain(a).backward()
        return a.grad

    competitors = {"ours": lambda: run(ours())}
    if torch:
        competitors["PyTorch"] = lambda: run(theirs(torch))
        check_agreement({name: [call().item()] for name, call in competitors.items()}, 1e-12)
    return compare("2,000 scalar operations", alternate(competitors, quick), {"PyTorch": 0.55})


@benchmark("goldstein-price")
def goldstein(quick: bool) -> list[Row]:
    """The Goldstein-Price function at (1, 1), forward and backward."""
    torch = torch_or_none()

    def run(x: Any, y: Any) -> Any:
        goldstein_price(x, y).backward()
        return x.grad, y.grad

    competitors = {"ours": lambda: run(ours(), ours())}
    if torch:
        competitors["PyTorch"] = lambda: run(theirs(torch), theirs(torch))
        check_agreement({name: [gradient.item() for gradient in call()] for name, call in competitors.items()}, 1e-12)
    return compare("Goldstein-Price", alternate(competitors, quick), {"PyTorch": 0.5})


@benchmark("tanh-fifth")
def tanh_fifth(quick: bool) -> list[Row]:
    """The fifth derivative of tanh at 1, each derivative recorded for the next."""
    torch = torch_or_none()

    def by_grad() -> Any:
        x = ours()
        y = F.tanh(x)
        for _ in range(5):
            y = grad(y, x, create_graph=True)
        return y

    def their_grad() -> Any:
        x = theirs(torch)
        y = torch.tanh(x)
        for _ in range(5):
            y, = torch.autograd.grad(y, x, create_graph=True)
        return y

    def by_backward() -> Any:
        x = ours()
        y = F.tanh(x)
        for _ in range(5):
            x.cleargrad()
            y.backward(create_graph=True)
            y = x.grad
        return y

    def their_backward() -> Any:
        x = theirs(torch)
        y = torch.tanh(x)
        for _ in range(5):
            x.grad = None
            y.backward(create_graph=True)
            y = x.grad
        return y

    rows = []
    for way, us, them in (("grad", by_grad, their_grad), ("backward", by_backward, their_backward)):
        competitors = {"ours": us}
        if torch:
            warnings.filterwarnings("ignore", "Using backward")  # PyTorch warns of the cycle that x.grad makes with its graph; ours has it too
            competitors["PyTorch"] = them
            check_agreement({name: [call().item()] for name, call in competitors.items()}, 1e-10)
        rows += compare(f"fifth derivative of tanh by {way}()", alternate(competitors, quick), {"PyTorch": 1.0})
    return rows
