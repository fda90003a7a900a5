"""One row of the table of ops: what to call, on what, and what must come out. ``tests/test_ops.py`` makes the tests out of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Floats:
    """A differentiable float input of this shape, uniform in [low, high), kept ``gap`` away from the points in ``avoid``.

    With ``distinct`` all elements differ by at least 0.05 (for max and sorting, whose derivative jumps at ties).
    """

    shape: tuple[int, ...]
    low: float = -2.0
    high: float = 2.0
    avoid: tuple[float, ...] = ()
    gap: float = 0.1
    distinct: bool = False
    make: Callable[[np.random.Generator], Any] | None = None  # another way to draw, a positive definite matrix say

    def draw(self, rng: np.random.Generator) -> Any:
        if self.make is not None:
            return np.asarray(self.make(rng), np.float64)
        if self.distinct:
            n = int(np.prod(self.shape))
            return (rng.permutation(n) * 0.07 - 0.035 * n + 0.01).reshape(self.shape)
        x = rng.uniform(self.low, self.high, self.shape)
        for point in self.avoid:
            x = np.where(np.abs(x - point) < self.gap, point + self.gap * np.where(x < point, -1.5, 1.5), x)
        return x


@dataclass(frozen=True)
class Const:
    """An input that is not differentiated: labels, indices, masks. Drawn by ``make(rng)``; its dtype stays as it is."""

    make: Callable[[np.random.Generator], Any]

    def draw(self, rng: np.random.Generator) -> Any:
        return self.make(rng)


def ints(high: int, shape: tuple[int, ...]) -> Const:
    """Integers in [0, high)."""
    return Const(lambda rng: rng.integers(0, high, shape))


@dataclass(frozen=True)
class Case:
    """A row.

    Attributes:
        name: the public function in ``dezero.functions``; several rows may share it.
        call: ``call(F, *inputs)``: runs it on Variables (Floats) and arrays (Const); gives a Variable or several. None: ``F.<name>(*inputs)``.
        inputs: Floats and Const.
        oracle: the same in NumPy on arrays, written independently of the op; gives an array or several.
        label: tells rows of the same function apart.
        first, second: check these derivatives by finite differences; False needs ``why``.
        half: also run in float16.
        rtol: relative tolerance of the value in float64.
        f32: tolerance of the value in float32 (relative and absolute).
        broadcast: pairs of shapes on which the first two inputs are tried too.
        zero_d: try 0-d inputs.   zero_size: shapes for an empty input, one for each of the inputs.
        strict: run on the strict stand-in array; False needs ``why``.
        random: the result is drawn at random (dropout); NumPy's global seed is set before each call.
        why: the reason for what is left out.
    """

    name: str
    inputs: tuple[Any, ...]
    oracle: Callable[..., Any]
    call: Callable[..., Any] | None = None
    label: str = ""
    first: bool = True
    second: bool = True
    half: bool = True
    rtol: float = 1e-10
    f32: float = 2e-5
    broadcast: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = ()
    zero_d: bool = False
    zero_size: tuple[tuple[int, ...], ...] | None = None
    strict: bool = True
    random: bool = False
    why: str = ""
    tags: tuple[str, ...] = field(default=())

    @property
    def id(self) -> str:
        return f"{self.name}-{self.label}" if self.label else self.name

    def run(self, F: Any, *inputs: Any) -> Any:
        return getattr(F, self.name)(*inputs) if self.call is None else self.call(F, *inputs)
