"""Fold: a graph with fewer nodes, in which layers, or functions that ran one after another, are a node each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from dezero.viz.boxes import OUTSIDE, Boxes, in_order, numbered
from dezero.viz.graph import Cluster, Graph, GroupNode, VariableNode
from dezero.viz.groups import levels

Choice = Callable[[str, int], bool]

MAX_NAMES = 3    # functions whose names stand in a group
MIN_RUNS = 12    # with fewer groups than this, rather no variables between groups
MAX_LINKS = 3    # edges for each node that may be there, where groups lead to groups


def collapse(graph: Graph, clusters: Sequence[Cluster], chosen: Choice) -> tuple[Graph, tuple[Cluster, ...]]:
    """Draw boxes as one node each, with all that is in them.

    Args:
        graph: the graph.
        clusters: its boxes.
        chosen: which of them, from the path of a box and the number of layers around it; what is in a chosen box is not asked for.

    Returns:
        The graph with groups "g0", "g1" ... and the boxes that are left. The ids of other nodes stay.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> from dezero.models import MLP
        >>> from dezero.viz.graph import collect_graph
        >>> from dezero.viz.groups import find_clusters
        >>> graph = collect_graph(MLP((3, 1))(Variable(np.ones((2, 4), np.float32))))
        >>> graph, clusters = collapse(graph, find_clusters(graph), deeper_than(0))
        >>> [(group.layer, group.name, group.parameters, group.numbers) for group in graph.groups]
        [('l0', 'Linear', 2, 15), ('l1', 'Linear', 2, 4)]
    """
    boxes = Boxes.of(clusters)
    level, top, times = [0] * len(boxes.layers), [OUTSIDE] * (len(boxes.layers) + 1), [1] * len(boxes.layers)
    for box, parent in enumerate(boxes.parents):  # outer ones first
        if parent != OUTSIDE:
            level[box] = level[parent] + bool(boxes.layers[parent])
            top[box], times[box] = top[parent], times[parent] * boxes.times[box]
        if top[box] == OUTSIDE and chosen(boxes.layers[box], level[box]):
            top[box], times[box] = box, 1
    inside = {node.id: top[boxes.home[node.id]] for node in graph.nodes if top[boxes.home.get(node.id, OUTSIDE)] != OUTSIDE}
    leaving = _leaving(graph, inside)
    parts: dict[int, list[tuple[Any, int]]] = {}
    for node in (*in_order(graph), *graph.variables):
        if node.id in inside and node.id not in leaving:
            parts.setdefault(inside[node.id], []).append((node, times[boxes.home[node.id]]))
    groups = [replace(_group(f"box {box}", nodes, boxes.layers[box]), times=boxes.times[box], derivative=boxes.derivatives[box],
                      last=boxes.lasts[box]) for box, nodes in parts.items()]
    graph = _merged(graph, {id_: f"box {box}" for id_, box in inside.items()}, leaving, groups)
    boxes.home.update({id_: boxes.parents[inside[id_]] for id_ in leaving})
    boxes.home.update({f"box {box}": boxes.parents[box] for box in parts})
    boxes.settle(graph)
    return numbered(graph, boxes.clusters(graph))


def _leaving(graph: Graph, inside: Mapping[str, Any]) -> set[str]:
    """The variables that are made in a group and also used elsewhere, or outputs: they stay."""
    variables, outputs = {v.id for v in graph.variables}, set(graph.outputs)
    used = {a for a, b in graph.edges if a in variables and a in inside and inside.get(b) != inside[a]}
    return used | {id_ for id_ in outputs if id_ in inside}


def deeper_than(depth: int) -> Choice:
    """Choose layers with ``depth`` layers around them."""
    return lambda layer, level: bool(layer) and level >= depth


def below(paths: Iterable[str]) -> Choice:
    """Choose the layers with these paths, and those in them where a path is that of a list of layers, or of a layer that ran nothing else.

    Examples:
        >>> chosen = below(["blocks"])
        >>> chosen("blocks.0", 0), chosen("blocks2", 0)
        (True, False)
    """
    given = set(paths)
    known: dict[str, bool] = {}

    def chosen(layer: str, level: int) -> bool:
        if layer not in known:
            known[layer] = bool(layer) and not given.isdisjoint(prefixes(layer))
        return known[layer]
    return chosen


def prefixes(path: str) -> list[str]:
    """All layers and lists of layers on a path.

    Examples:
        >>> prefixes("blocks.0.fc")
        ['blocks', 'blocks.0', 'blocks.0.fc']
    """
    parts = path.split(".")
    return [".".join(parts[:k]) for k in range(1, len(parts) + 1)]


def all_boxes(layer: str, level: int) -> bool:
    """Choose every box, also one around a part that repeats and is no layer."""
    return True


def without_layers(clusters: Sequence[Cluster]) -> tuple[Cluster, ...]:
    """The boxes around parts that repeat alone."""
    boxes = Boxes.of(clusters)
    kept = Boxes()
    number = {OUTSIDE: OUTSIDE}
    for box, parent in enumerate(boxes.parents):
        number[box] = number[parent]
        if boxes.times[box] > 1:
            number[box] = kept.add(boxes.layers[box], number[parent], boxes.derivatives[box], boxes.times[box], boxes.lasts[box])
    kept.home = {id_: number[box] for id_, box in boxes.home.items()}
    return kept.clusters(Graph((), (), (), ()))


def _group(id_: str, nodes: Sequence[tuple[Any, int]], layer: str, name: str = "") -> GroupNode:
    """A group of nodes, each with how often it is there."""
    functions = parameters = numbers = 0
    names: dict[str, None] = {}
    order, derivative, layers = None, 0, []
    for node, times in nodes:
        if isinstance(node, VariableNode):
            if node.kind == "parameter":
                parameters += times
                numbers += times * prod(node.shape) if node.shape is not None else 0
            continue
        if order is None:
            order, derivative = node.order, node.derivative
        layers.append(node.layer)
        names[node.name] = None
        if isinstance(node, GroupNode):
            functions += times * node.times * node.functions
            parameters += times * node.times * node.parameters
            numbers += times * node.times * node.numbers
        else:
            functions += times
    words = ", ".join([*list(names)[:MAX_NAMES], *(["…"] if len(names) > MAX_NAMES else [])])
    return GroupNode(id_, name or words, layer or _around(layers), functions, parameters, numbers, 1, derivative, order or 0)


def _around(paths: Iterable[str]) -> str:
    """The path of the innermost layer around all."""
    common: list[tuple[str, str]] | None = None
    for path in dict.fromkeys(paths):
        found = levels(path)
        if common is None:
            common = found
        same = [a for a, b in zip(common, found, strict=False) if a == b]
        common = same
    return common[-1][1] if common else ""


def _merged(graph: Graph, inside: Mapping[str, str], leaving: set[str], groups: Iterable[GroupNode]) -> Graph:
    """The graph with new groups in place of what is in them; each edge to or from one is there once. What leaves a group does not come back."""
    edges: list[tuple[str, str]] = []
    met: set[tuple[str, str]] = set()
    gone = {id_: group for id_, group in inside.items() if id_ not in leaving}
    for a, b in graph.edges:
        edge = gone.get(a, a), gone.get(b, b)
        if edge == (a, b):
            edges.append(edge)
        elif edge[0] != edge[1] and edge not in met and not (a in leaving and edge[1] == inside[a]):
            met.add(edge)
            edges.append(edge)
    return Graph(tuple([v for v in graph.variables if v.id not in gone]), tuple([f for f in graph.functions if f.id not in gone]), tuple(edges),
                 tuple([id_ for id_ in graph.outputs if id_ not in gone]), (*(g for g in graph.groups if g.id not in gone), *groups))


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
            group = _group(f"run {run}", members, "")
            count = group.functions
            groups.append(replace(group, name=f"{count:,} functions") if count > MAX_NAMES else group)
            inside.update(dict.fromkeys([node.id for node, _ in members], f"run {run}"))
        leaving = {v.id for v, stays in zip(self.graph.variables, (stay & self.made).tolist(), strict=True) if stays}
        inside.update({v.id: f"run {run}" for v, run in zip(self.graph.variables, cut[self.first].tolist(), strict=True) if v.id in leaving})
        return numbered(_merged(self.graph, inside, leaving, groups), ())[0]
