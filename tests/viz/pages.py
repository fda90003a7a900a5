"""Computations whose pages are tested."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

import dezero.functions as F
from dezero import Parameter, Variable
from dezero.config import layer_scope
from tests.viz.graphs import classifier, derivative, goldstein


def join() -> Variable:
    """A variable whose gradient comes in three parts."""
    x = Variable(np.array(3.0), name="x")
    y = F.sin(x) * x + x ** 2
    y.name = "y"
    return y


def strange() -> Variable:
    """NaN, infinity, dead and huge numbers."""
    with np.errstate(all="ignore"):
        x, w = Variable(np.array([1.0, -1.0, 0.0]), name="x"), Variable(np.zeros(3), name="w")
        return F.sum(F.log(x) * w + F.relu(-abs(x)) * 1e8)


def second() -> Variable:
    return derivative(F.tanh, 2)


def freed() -> Variable:
    """A graph whose numbers are lost."""
    y = F.sum(Variable(np.ones(3), name="x") * np.array([1.0, 2.0, 3.0]))
    y.backward()
    return y


def net(sizes: tuple[int, ...] = (4, 5, 2), batch: int = 3, dtype: type = np.float32) -> Variable:
    """The loss of a net with random weights."""
    rng = np.random.default_rng(0)
    h: Variable = Variable(rng.standard_normal((batch, sizes[0])).astype(dtype), name="x")
    for k, (n, m) in enumerate(pairwise(sizes)):
        with layer_scope(f"l{k}"):
            W, b = Parameter(rng.standard_normal((n, m)).astype(dtype), name="W"), Parameter(np.zeros(m, dtype), name="b")
            h = F.linear(h, W, b) if k else F.matmul(h, W) + b
        h = F.tanh(h)
    loss = F.mean(h * h)
    loss.name = "loss"
    return loss


def wide_net() -> Variable:
    """100 nodes whose arrays are as large as arrays in full can be."""
    return net((8,) * 17, 8, np.float64)


def deep(n: int) -> Variable:
    """A chain."""
    y = Variable(np.array(0.5), name="x")
    for _ in range(n):
        y = F.sin(y)
    return y


PAGES: dict[str, Callable[[], Variable]] = {"goldstein": goldstein, "join": join, "classifier": classifier, "net": net, "strange": strange,
                                            "second": second, "freed": freed}
