"""Where the maths has no gradient: the conventions, measured. ``python -m tests.subgradients`` prints docs/subgradients.md.

The table in the docs is made of what the functions give here, so it cannot say something else than the code does.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import dezero.functions as F
from dezero import Variable

Z = np.zeros(2)

# (function, the point in words, input, call, the convention in words)
ROWS: list[tuple[str, str, Any, Callable[[Variable], Variable], str]] = [
    ("abs", "0", [0.0], F.abs, "0"),
    ("sign, floor, ceil, round", "everywhere", [0.5], lambda x: F.sign(x) + F.floor(x) + F.ceil(x) + F.round(x), "0, also at the steps"),
    ("sqrt", "0", [0.0], F.sqrt, "infinity, as the maths says"),
    ("x ** 0", "0", [0.0], lambda x: x ** 0, "0"),
    ("x ** 1", "0", [0.0], lambda x: x ** 1, "1"),
    ("maximum(x, y), minimum(x, y)", "x = y", [1.0], lambda x: F.maximum(x, 1.0), "each side gets half"),
    ("clip(x, a, b)", "x = a or x = b", [0.0, 1.0], lambda x: F.clip(x, 0.0, 1.0), "1, as inside"),
    ("where", "the side not chosen", [0.0], lambda x: F.where(np.array([False]), F.log(x + 1.0), x),
     "0, also where that side's gradient is infinite or NaN"),
    ("max, min", "ties", [2.0, 2.0, 1.0], F.max, "the ties share evenly, so the gradients add up to the incoming one"),
    ("norm", "0", [0.0, 0.0], F.norm, "0"),
    ("std", "all elements equal", [3.0, 3.0], F.std, "0"),
    ("prod", "elements that are 0", [0.0, 2.0], F.prod, "exact: the product of the others"),
    ("relu", "0", [0.0], F.relu, "0"),
    ("leaky_relu(slope=0.2)", "0", [0.0], F.leaky_relu, "the slope"),
    ("prelu(slope=0.2)", "0", [0.0], lambda x: F.prelu(x, 0.2), "the slope"),
    ("elu", "0", [0.0], F.elu, "1"),
    ("hard_tanh", "-1 and 1", [-1.0, 1.0], F.hard_tanh, "0, as outside"),
    ("mean_absolute_error", "x = t", [0.0, 0.0], lambda x: F.mean_absolute_error(x, Z), "0"),
    ("huber", "abs(x - t) = delta", [1.0], lambda x: F.huber(x, np.zeros(1)), "delta, which both pieces give"),
    ("max_pool2d", "ties in a window", [3.0, 3.0], lambda x: F.max_pool2d(x.reshape(1, 1, 1, 2), (1, 2)), "the first one gets all"),
    ("cosine_similarity", "a vector of zeros", [0.0, 0.0], lambda x: F.cosine_similarity(x, np.ones(2)), "finite: eps keeps the length away from 0"),
]


def gradient(call: Callable[[Variable], Variable], point: Any) -> np.ndarray:
    """What backward gives there."""
    x = Variable(np.array(point))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the square root's infinity
        F.sum(call(x)).backward()
    return x.grad.data


def table() -> str:
    """The whole page."""
    lines = [
        "# Gradients where the maths has none", "",
        "Made by `python -m tests.subgradients` from the gradients that the functions give; a test compares.", "",
        "| function | where | example | its gradient | convention |", "|---|---|---|---|---|",
    ]
    for name, where, point, call, words in ROWS:
        values = [float(g) + 0.0 for g in gradient(call, point).ravel()]
        lines.append(f"| `{name}` | {where} | {point} | {values} | {words} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(), end="")
