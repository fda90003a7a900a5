"""Chain: the part of a graph between its outputs and one variable, and the paths through it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dezero.viz.graph import Collection
from dezero.viz.values import Values

MANY = 10**12  # paths; nobody wants to know how many more


@dataclass(frozen=True, slots=True)
class Use:
    """A variable that a function uses: one way in which its gradient comes back to it.

    Attributes:
        function: the function's id.
        place: which of the edges to the function it is.
        argument: which of the function's inputs that is.
        source: the variable's id.
        results: the function's results that have a gradient: (id, which of the outputs).
    """

    function: str
    place: int
    argument: int
    source: str
    results: tuple[tuple[str, int], ...]


class Chain:
    """All that lies between the outputs of a graph and a variable.

    Attributes:
        starts: the outputs that the variable leads to.
        functions: the functions between, the last one first.
        order: the variables from the outputs to the target, each before those that it was computed from.
        uses: by id of a variable, the ways in which its gradient comes.
        counts: by id of a variable, the number of paths that lead to it from an output; ``MANY`` and more are not told apart.
    """

    def __init__(self, found: Collection, values: Values, target: str) -> None:
        graph = found.graph
        self.target, self.values = target, values
        self.sources: dict[str, list[str]] = {f.id: [] for f in graph.functions}
        self.results: dict[str, list[str]] = {f.id: [] for f in graph.functions}
        for a, b in graph.edges:
            if b in self.sources:
                self.sources[b].append(a)
            else:
                self.results[a].append(b)
        steps = [f.id for f in sorted(graph.functions, key=lambda f: f.order)]
        passes: dict[str, list[int]] = {}  # of a function: the edges that a gradient goes back over
        alive = {*graph.outputs}           # what a gradient comes to
        for f in reversed(steps):
            if not alive.isdisjoint(self.results[f]):
                passes[f] = [k for k, i in enumerate(found.inputs[f]) if _flows(found, values, f, k, i)]
                alive.update(self.sources[f][k] for k in passes[f])
        reached = {target} & alive
        between = []
        for f in steps:
            if any(self.sources[f][k] in reached for k in passes.get(f, ())):
                between.append(f)
                reached.update(r for r in self.results[f] if r in alive)
        self.functions = between[::-1]
        self.starts = [v for v in dict.fromkeys(graph.outputs) if v in reached]
        places = {v.id: v.index for v in graph.variables}
        self.order: list[str] = []
        self.uses: dict[str, list[Use]] = {}
        for f in self.functions:
            live = tuple([(r, places[r]) for r in self.results[f] if r in reached])
            self.order.extend(r for r, _ in live)
            for k in passes[f]:
                if self.sources[f][k] in reached:
                    self.uses.setdefault(self.sources[f][k], []).append(Use(f, k, found.inputs[f][k], self.sources[f][k], live))
        for uses in self.uses.values():
            uses.reverse()  # the first use first
        if target in reached:
            self.order.append(target)
        self.counts: dict[str, int] = {}
        for v in self.order:
            ways = sum(self.counts[r] for use in self.uses.get(v, ()) for r, _ in use.results)
            self.counts[v] = min(MANY, ways + (v in self.starts))

    @property
    def depth(self) -> int:
        """The number of functions on the longest path."""
        deep: dict[str, int] = {}
        for v in self.order:
            deep[v] = max((deep[r] + 1 for use in self.uses.get(v, ()) for r, _ in use.results), default=0)
        return deep.get(self.target, 0)

    def seed(self, v: str) -> Any:
        """The gradient that backward starts with at an output; None where no numbers are known."""
        if not self.values.order:
            return None
        g = self.values.gradients[v]
        for use in self.uses.get(v, ()):
            g = g - self.values.flows[use.function, use.place]
        return g

    def paths(self, limit: int, longest: int) -> list[list[tuple[Use, str]]]:
        """Paths from an output to the target, as steps (use, id of the result that the gradient comes from).

        Args:
            limit: at most so many.
            longest: stop where they would have more steps than this, all together.
        """
        down: dict[str, list[Use]] = {}
        for v in self.order:
            for use in self.uses.get(v, ()):
                for r, _ in use.results:
                    down.setdefault(r, []).append(use)
        found: list[list[tuple[Use, str]]] = [[] for start in self.starts if start == self.target]
        for start in self.starts:
            path: list[tuple[Use, str]] = []
            todo = [self._below(start, down)]
            while todo and len(found) < limit:
                for use in todo[-1]:  # the next one, if there is one
                    path.append((use, path[-1][0].source if path else start))
                    todo.append(self._below(use.source, down))
                    break
                else:
                    todo.pop()
                    del path[-1:]
                    continue
                if path[-1][0].source == self.target:
                    longest -= len(path)
                    if longest < 0:
                        return found
                    found.append(list(path))
        return found[:limit]

    def _below(self, v: str, down: dict[str, list[Use]]) -> Iterator[Use]:
        """The ways on from a variable; none from the target."""
        return iter(() if v == self.target else sorted(down.get(v, ()), key=_place))


def _place(use: Use) -> int:
    return use.place


def _flows(found: Collection, values: Values, f: str, k: int, i: int) -> bool:
    """Does a gradient go back over an edge? Where no backward was watched, the function's plan knows."""
    return (f, k) in values.flows if values.order else any(i == j for j, _, _ in found.functions[f]._plan.calls)
