"""Graphs that the tests of drawing share."""

from __future__ import annotations

from typing import Any

import numpy as np

import dezero.functions as F
from dezero import Parameter, Variable
from dezero.config import layer_scope

HOSTILE = ['"; touch X', "$(touch X)", "`touch X`", "</svg><script>alert(1)</script>", "]]>", "a\0b", "\x1b[31mred\x07", "\u202eevil\u2066",
           "שלום عربي", "two\nlines\r\nand\ttabs", "x" * 10_000, "\\", '\\"', "\\N\\G", "&amp;<b>&#x41;", "\ud800", "\ufffe\uffff", "{a|b}",
           "$x^2$ $", " ", "이름 데이터 😀"]


def goldstein() -> Variable:
    """The Goldstein-Price function at (1, 1)."""
    x, y = Variable(np.array(1.0), name="x"), Variable(np.array(1.0), name="y")
    z = ((1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x ** 2 - 14 * y + 6 * x * y + 3 * y ** 2))
         * (30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x ** 2 + 48 * y - 36 * x * y + 27 * y ** 2)))
    z.name = "z"
    return z


def derivative(f: Any, order: int) -> Variable:
    """The derivative of ``f`` at 1, with its graph."""
    x = Variable(np.array(1.0), name="x")
    y = f(x)
    for _ in range(order):
        x.cleargrad()
        y.backward(create_graph=True)
        y = x.grad
    y.name = f"gx{order}"
    return y


def dense(x: Variable, path: str, sizes: tuple[int, int]) -> Variable:
    with layer_scope(path):
        return F.linear(x, Parameter(np.ones(sizes, np.float32), name="W"), Parameter(np.zeros(sizes[1], np.float32), name="b"))


def classifier() -> Variable:
    """The loss of a network of two layers, whose variables in between are dead."""
    x = Variable(np.ones((32, 8), np.float32), name="x")
    hidden = dense(x, "l0", (8, 5))
    hidden.name = "hidden"
    loss = F.softmax_cross_entropy(dense(F.relu(hidden), "l1", (5, 3)), np.zeros(32, np.int64))
    loss.name = "loss"
    return loss
