"""Runs: a graph in which functions that ran one after another are one node, however large it was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dezero.viz.boxes import in_order, numbered
from dezero.viz.fold import MAX_NAMES, group_of, merged
from dezero.viz.graph import Graph

MIN_RUNS = 12    # with fewer groups than this, rather no variables between groups
MAX_LINKS = 3    # edges for each node that may be there, where groups lead to groups


def in_runs(graph: Graph, limit: int) -> Graph:
    """Draw functions that ran one after another as groups, so that there are no more than ``limit`` nodes.

    If few variables go from one group to another, these stay, with leaves and outputs. Else groups lead to groups.

    Examples:
        >>> import numpy as np
        >>> import dezero.functions as F
        >>> from dezero import Variable
        >>> from dezero.viz.graph import collect_graph
        >>> y = Variable(np.array(1.0))
        >>> for _ in range(500):
        ...     y = F.sin(F.cos(y) * y)
        >>> graph = in_runs(collect_graph(y), 30)
        >>> len(graph.nodes), graph.groups[0].name
        (29, '80 functions')
    """
    runs = _Runs(graph)
    if not runs.units:
        return graph
    count = limit
    while count >= MIN_RUNS:
        cut = runs.cut(count)
        stay = runs.stay | (cut[runs.first] != cut[runs.last])
        if int(cut[-1]) + 1 + int(np.count_nonzero(stay)) <= limit:
            return runs.grouped(cut, stay)
        count = min(count - 1, int(0.9 * count))
    stay = runs.few(limit)
    count = max(1, limit - int(np.count_nonzero(stay)))
    cut = runs.cut(count)
    while count > 1 and (int(cut[-1]) >= count or runs.links(cut) > MAX_LINKS * limit):
        count = max(1, int(0.8 * count))
        cut = runs.cut(count)
    return runs.grouped(cut, stay)


class _Runs:
    """A graph as a line of functions, to be cut."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.units = graph, in_order(graph)
        at = {unit.id: i for i, unit in enumerate(self.units)}
        index = {v.id: i for i, v in enumerate(graph.variables)}
        outputs = set(graph.outputs)
        self.first = np.full(len(index), len(self.units), np.int64)   # the function that makes a variable, or is the first to use it
        self.last = np.full(len(index), -1, np.int64)
        self.output = np.array([v.id in outputs for v in graph.variables], bool)
        self.stay = self.output | np.array([v.kind == "leaf" for v in graph.variables], bool)
        pairs = [(index[a], at[b]) if a in index else (index[b], at[a]) for a, b in graph.edges if (a in index) != (b in index)]
        self.pairs = np.array(pairs, np.int64).reshape(-1, 2)
        np.minimum.at(self.first, self.pairs[:, 0], self.pairs[:, 1])
        np.maximum.at(self.last, self.pairs[:, 0], self.pairs[:, 1])
        self.made = np.zeros(len(index), bool)
        self.made[[index[b] for _, b in graph.edges if b in index]] = True
        alone = self.last < 0  # an output that nothing here made or uses
        self.first[alone] = self.last[alone] = 0
        steps = np.zeros(len(self.units) + 1, np.int64)
        np.add.at(steps, self.first + 1, 1)
        np.add.at(steps, self.last + 1, -1)
        self.crossing = np.cumsum(steps)                              # how many variables go past a cut in front of a function
        orders = np.array([unit.derivative for unit in self.units], np.int64)
        self.turns = np.flatnonzero(np.diff(orders)) + 1              # where another derivative begins

    def cut(self, count: int) -> Any:
        """For each function the number of its run: about ``count`` of much the same length, cut where few variables go across."""
        n = len(self.units)
        cuts = set(self.turns.tolist()) if len(self.turns) < count else set()
        for k in range(1, min(count, n) - len(cuts)):
            middle, reach = k * n / count, n / count / 4
            low, high = max(1, int(middle - reach)), max(1, min(n - 1, int(middle + reach)))
            cuts.add(low + int(np.argmin(self.crossing[low:high + 1])))
        marks = np.zeros(n, np.int64)
        marks[sorted(cuts)] = 1
        return np.cumsum(marks)

    def few(self, limit: int) -> Any:
        """The variables that stay even where no others do: leaves and outputs, unless they are most of the picture."""
        stay = np.zeros(len(self.stay), bool)
        for some in (self.output, self.stay):
            if np.count_nonzero(some) <= limit // 3:
                stay = some
        return stay

    def links(self, cut: Any) -> int:
        """How many edges there are between runs if no variables stay."""
        ends = cut[self.first[self.pairs[:, 0]]] * (len(self.units) + 1) + cut[self.pairs[:, 1]]
        return len(np.unique(ends))

    def grouped(self, cut: Any, stay: Any) -> Graph:
        """The graph with runs as groups, and variables in them but for those that stay."""
        nodes: list[list[tuple[Any, int]]] = [[] for _ in range(int(cut[-1]) + 1)]
        for unit, run in zip(self.units, cut.tolist(), strict=True):
            nodes[run].append((unit, 1))
        for v, run, stays in zip(self.graph.variables, cut[self.first].tolist(), stay.tolist(), strict=True):
            if not stays:
                nodes[run].append((v, 1))
        groups, inside = [], {}
        for run, members in enumerate(nodes):
            if len(members) == 1:
                continue
            group = group_of(f"run {run}", members, "")
            count = group.functions
            groups.append(replace(group, name=f"{count:,} functions") if count > MAX_NAMES else group)
            inside.update(dict.fromkeys([node.id for node, _ in members], f"run {run}"))
        leaving = {v.id for v, stays in zip(self.graph.variables, (stay & self.made).tolist(), strict=True) if stays}
        inside.update({v.id: f"run {run}" for v, run in zip(self.graph.variables, cut[self.first].tolist(), strict=True) if v.id in leaving})
        return numbered(merged(self.graph, inside, leaving, groups), ())[0]
