"""Graphs far deeper and wider than Python's stack: nothing recurses over them."""

from __future__ import annotations

from typing import Any

import numpy as np

import dezero.functions as F
from dezero import Variable
from tests.slow.work import FULL, scale, with_recursion_limit

pytestmark = scale

DEEP = 1_000_000 if FULL else 100_000
WIDE = 200_000 if FULL else 20_000


def number(value: float) -> Variable:
    return Variable(np.array(value))


def chain(x: Any, n: int) -> Any:
    y = x
    for _ in range(n):
        y = y + 1.0
    return y


def test_a_long_chain_builds_runs_backward_and_goes() -> None:
    def work() -> tuple[float, float]:
        x = number(1.0)
        y = chain(x, DEEP)
        y.backward()
        value = float(y)
        del y
        return value, float(x.grad)  # type: ignore[arg-type]
    assert with_recursion_limit(200, work) == (DEEP + 1, 1.0)


def test_a_long_chain_that_was_never_run_backward_goes_too() -> None:
    def work() -> bool:
        y = chain(number(1.0), DEEP)
        del y
        return True
    assert with_recursion_limit(200, work)


def test_the_gradient_of_a_gradient_of_a_long_chain() -> None:
    n = DEEP // 10

    def work() -> tuple[float, float]:
        x = number(2.0)
        y = x * x
        for _ in range(n):
            y = y * 1.0
        y.backward(create_graph=True)
        gx = x.grad
        x.cleargrad()
        gx.backward()  # type: ignore[union-attr]
        return float(gx), float(x.grad)  # type: ignore[arg-type]
    assert with_recursion_limit(200, work) == (4.0, 2.0)


def test_walks_over_a_long_chain() -> None:
    n = DEEP // 10

    def work() -> tuple[int, bool]:
        x = number(1.0)
        y = chain(x, n)
        length = y.generation
        y.unchain_backward()
        y.backward()
        return length, x.grad is None
    assert with_recursion_limit(200, work) == (n, True)


def test_a_node_with_many_inputs_gives_each_its_gradient() -> None:
    w, xs = number(0.5), [number(float(i % 7)) for i in range(WIDE)]
    y = F.sum(F.stack([x * w for x in xs]))
    y.backward()
    assert all(float(x.grad) == 0.5 for x in xs)  # type: ignore[arg-type]
    assert float(w.grad) == sum(i % 7 for i in range(WIDE))  # type: ignore[arg-type]


def test_a_variable_with_many_uses_adds_up_their_gradients() -> None:
    x, y = number(3.0), number(0.0)
    for i in range(WIDE):
        y = y + x * float(i % 5)
    y.backward()
    assert float(x.grad) == sum(i % 5 for i in range(WIDE))  # type: ignore[arg-type]


def test_many_diamonds_visit_each_function_once() -> None:
    x = number(1.0)
    y = x
    for _ in range(60):  # 2 ** 60 paths from y to x
        y = y * 0.5 + y * 0.5
    y.backward()
    assert float(x.grad) == 1.0  # type: ignore[arg-type]
