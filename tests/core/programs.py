"""Random programs: graphs of up to 40 smooth ops, drawn from a seed, that can be run again on other leaves, in another order or in parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import dezero.functions as F
from dezero import Variable, checkpoint

MOST = 60  # elements of a value


class Draw:
    """Makes one program: it holds the values so far, and chooses among them."""

    def __init__(self, seed: int, ops: Sequence[Callable[[Draw], None]], most: int = 40) -> None:
        self.ops = ops
        self.rng = np.random.default_rng(seed)
        self.values: list[Variable] = []
        self.leaves: list[int] = []
        self.steps: list[tuple[Callable[..., Any], tuple[int, ...], tuple[int, ...]]] = []
        self.arrays: list[np.ndarray] = []
        for _ in range(self.rng.integers(1, 4)):
            self.leaf(self.shape())
        wanted = int(self.rng.integers(3, most + 1))
        while len(self.steps) < wanted:
            self.ops[self.rng.integers(len(self.ops))](self)
        used = {i for _, args, _ in self.steps for i in args}
        self.results = [i for i in range(len(self.values)) if i not in used]
        self.weights = {i: self.rng.normal(size=self.values[i].shape) for i in self.results}
        self.values = []

    def shape(self) -> tuple[int, ...]:
        return tuple(int(s) for s in self.rng.integers(1, 4, self.rng.integers(0, 4)))

    def leaf(self, shape: tuple[int, ...], scale: float = 0.7) -> int:
        self.leaves.append(len(self.values))
        self.arrays.append(np.asarray(self.rng.normal(size=shape) * scale))
        self.values.append(Variable(self.arrays[-1]))
        return self.leaves[-1]

    def pick(self, fits: Callable[[Variable], Any] = lambda v: True) -> int | None:
        """A value that fits, a late one more often."""
        found = [i for i, v in enumerate(self.values) if fits(v)]
        return found[max(self.rng.integers(len(found), size=2))] if found else None

    def axis(self, i: int) -> int:
        n = self.values[i].ndim
        return int(self.rng.integers(-n, n))

    def add(self, fn: Callable[..., Any], *args: int | None) -> None:
        """One more step, unless an argument is missing or the result is out of the safe range."""
        if None in args:
            return
        ys = many(fn(*(self.values[i] for i in args)))
        if any(not y.size or y.size > MOST or not np.isfinite(y.data).all() for y in ys):
            return
        if any(np.abs(y.data).max() > 3 for y in ys):
            return self.add(lambda *xs: [F.tanh(y) * 2 for y in many(fn(*xs))], *args)
        outs = tuple(range(len(self.values), len(self.values) + len(ys)))
        self.steps.append((fn, args, outs))
        self.values.extend(ys)

    # -- running ---------------------------------------------------------------------------------

    def run(self, leaves: Sequence[Any], order: Sequence[int] | None = None, together: tuple[int, int] | None = None) -> dict[int, Any]:
        """All values by number. ``order`` runs the steps in another one, ``together`` puts some steps under a checkpoint."""
        values = dict(zip(self.leaves, leaves, strict=True))
        if together is None:
            for k in range(len(self.steps)) if order is None else order:
                self.step(k, values)
            return values
        a, b = together
        for k in range(a):
            self.step(k, values)
        made = [o for k in range(a, b) for o in self.steps[k][2]]
        needed = sorted({i for k in range(a, b) for i in self.steps[k][1]} - set(made))
        given = needed[::2]  # the others are used from outside

        def part(*xs: Any) -> tuple[Any, ...]:
            inside = {i: values[i] for i in needed} | dict(zip(given, xs, strict=True))
            for k in range(a, b):
                self.step(k, inside)
            return tuple(inside[o] for o in made)

        values.update(zip(made, checkpoint(part, *(values[i] for i in given)), strict=True))
        for k in range(b, len(self.steps)):
            self.step(k, values)
        return values

    def step(self, k: int, values: dict[int, Any]) -> None:
        fn, args, outs = self.steps[k]
        values.update(zip(outs, many(fn(*(values[i] for i in args))), strict=True))

    def loss(self, values: dict[int, Any]) -> Any:
        """The results weighted at random, as one number."""
        total: Any = 0.0
        for i, w in self.weights.items():
            total = total + F.sum(values[i] * w.astype(values[i].dtype))
        return total

    def other_order(self) -> list[int]:
        """Another order in which each step comes after those that it needs."""
        maker = {o: k for k, (_, _, outs) in enumerate(self.steps) for o in outs}
        waits = {k: {maker[i] for i in args if i in maker} for k, (_, args, _) in enumerate(self.steps)}
        order: list[int] = []
        while waits:
            ready = [k for k, before in waits.items() if before <= set(order)]
            order.append(ready[self.rng.integers(len(ready))])
            del waits[order[-1]]
        return order


def many(ys: Any) -> list[Any]:
    return list(ys) if isinstance(ys, (list, tuple)) else [ys]
