"""Repeats: parts of a graph that come several times one after another are drawn once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod
from typing import Any

from dezero.viz.boxes import OUTSIDE, numbered
from dezero.viz.graph import Cluster, FunctionNode, Graph, GroupNode, VariableNode
from dezero.viz.line import Line
from dezero.viz.parts import Part, Search

ROUNDS = 8       # parts inside of parts inside of parts
LARGE = 10_000   # functions


def repeats(graph: Graph, clusters: Sequence[Cluster], apart: Callable[[str], bool] | None = None) -> tuple[Graph, tuple[Cluster, ...]]:
    """Draw what comes several times one after another once: in a box with its number of ``times``, or as a group if it is one function.

    The times must be alike: the same functions with the same settings and shapes, wired in the same way, and used in the same way by
    what comes later. What one time hands to the next enters the box as the first time gets it and leaves it as the last time gives
    it. The rest of the box is that of the first time; where names or the pieces of a sequence are others in the last, they are
    "first … last".

    Args:
        graph: the graph.
        clusters: its boxes; parts are made of whole boxes, or lie in one.
        apart: layers, by path, that are alike only with others for which it is true as well.

    Returns:
        The smaller graph and its boxes. The ids of what is left stay.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> from dezero.viz.graph import collect_graph
        >>> y = Variable(np.array(1.0))
        >>> for _ in range(1000):
        ...     y = y + 1
        >>> graph, clusters = repeats(collect_graph(y), ())
        >>> [(group.name, group.times) for group in graph.groups], graph.edges
        ([('Add', 1000)], (('v0', 'g0'), ('g0', 'v2000')))
    """
    variables = {v.id for v in graph.variables}
    if any((a in variables) == (b in variables) for a, b in graph.edges):
        return graph, tuple(clusters)  # groups lead to groups: it was reduced already
    signs: dict[str, Any] = {}
    for _ in range(ROUNDS):
        line = Line(graph, clusters, apart, signs)
        parts = Search(line).parts()
        if not parts:
            break
        graph, clusters = _Folded(line, signs).without(parts)
        if len(line.units) > LARGE and sum(part.saved for part in parts) < len(line.units) // 20:
            break  # little of it repeats, so what more rounds find is not worth the wait
    return numbered(graph, clusters)


class _Folded:
    """Takes all times but the first out of a graph."""

    def __init__(self, line: Line, signs: dict[str, Any]) -> None:
        self.line, self.boxes, self.signs = line, line.boxes, signs
        self.stand = list(range(len(line.variables)))   # which variable stands in for this one
        self.united: set[int] = set()                   # variables that are alike with others
        self.names: dict[int, str] = {}                 # new ones
        self.settings: dict[str, tuple[tuple[str, str], ...]] = {}  # of functions, new ones
        self.inner: set[tuple[int, int]] = set()        # (variable, function) that stay linked, by what stands in for the variable
        self.gone = [False] * len(line.units)
        self.swallowed: set[int] = set()                # variables inside of new groups
        self.groups: dict[int, GroupNode] = {}          # in place of functions

    def without(self, parts: Sequence[Part]) -> tuple[Graph, tuple[Cluster, ...]]:
        """The graph with these parts folded, and its boxes."""
        for part in parts:
            self.fold(part)
        self.boxes.measure()
        graph = self.graph()
        self.boxes.settle(graph)
        return graph, self.boxes.clusters(graph)

    def fold(self, part: Part) -> None:
        """Note what stays of one part."""
        line, start, size = self.line, part.start, part.size
        starts = range(start, start + size * part.times, size)
        results = {(j, index): [line.outs[i + j][index] for i in starts if index in line.outs[i + j]]
                   for j in range(size) for index in line.outs[start + j]}
        own = [[line.ins[i + j][k] for i in starts] for j, roles in enumerate(part.roles) for k, role in enumerate(roles[1:])
               if role[:3] == ("own", j, k)]
        if any(v in self.united for times in (*own, *results.values()) for v in times):
            return  # two parts that hang together: the other one first
        self.gone[start + size:start + size * part.times] = [True] * part.saved
        around = self.boxes.common(line.box[start + size - 1], line.box[start + size])
        entering = [line.ins[start + j][k] for j, roles in enumerate(part.roles) for k, role in enumerate(roles[1:]) if role[0] == "before"]
        outer = [v for v in entering if line.maker[v] < 0]
        inner = [times[0] for times in own]
        for times in own:
            self.unite(times, times[0])
        for place, times in results.items():
            leaves = len(times) == part.times and (place in part.handed_on or line.is_output[times[-1]])
            self.unite(times, times[-1 if leaves else 0])
            within = [(times[0], user) for user in line.users[times[0]] if user < start + size]
            (outer if leaves and not within else inner).append(self.stand[times[0]])
            self.inner.update(within)
        self.boxes.home.update({line.variables[v].id: around for v in outer if self.is_inside(v, around)})
        for unit, last in zip(line.units[start:start + size], line.units[start + part.saved:], strict=False):
            if isinstance(unit, FunctionNode) and isinstance(last, FunctionNode) and unit.settings != last.settings:
                self.settings[unit.id] = tuple([(name, a if a == b else f"{a} … {b}")
                                                for (name, a), (_, b) in zip(unit.settings, last.settings, strict=False)])
        unit = line.units[start]
        if size == 1 and isinstance(unit, FunctionNode) and all(_hideable(line.variables[times[0]]) for times in own):
            self.group(part, unit, [times[0] for times in own])
            self.swallowed.update([v for v in inner if self.line.maker[v] != start or not self.line.users[v]
                                   or self.line.users[v][-1] < start + part.times])
            self.boxes.home[self.groups[start].id] = around
        else:
            box = self.box(part, around)
            self.boxes.home.update({line.variables[v].id: box for v in inner if not self.is_inside(v, box)})

    def unite(self, times: list[int], stand: int) -> None:
        """Let one variable stand for those of all times, by the names of the first and the last."""
        self.united.update(times)
        for v in times:
            self.stand[v] = stand
        first, last = (self.line.variables[v].name for v in (times[0], times[-1]))
        if first and last and first != last:
            self.names[stand] = f"{first} … {last}"

    def is_inside(self, v: int, box: int) -> bool:
        """Is a variable in a box, or in one in that?"""
        at = self.boxes.home.get(self.line.variables[v].id, OUTSIDE)
        while at not in (box, OUTSIDE):
            at = self.boxes.parents[at]
        return at == box

    def group(self, part: Part, unit: FunctionNode, own: list[int]) -> None:
        """One function that repeats, as a group."""
        shapes = [v.shape for v in map(self.line.variables.__getitem__, own) if v.kind == "parameter"]
        last = self.line.units[part.start + part.times - 1].layer
        group = GroupNode(f"{unit.id} x{part.times}", unit.name, unit.layer, 1, len(shapes), sum(prod(s) for s in shapes if s), part.times,
                          unit.derivative, unit.order, last if last != unit.layer else "")
        self.groups[part.start] = group
        self.signs[group.id] = part.times, self.signs[unit.id], *[(role[0], role[4] if role[0] == "own" else role[2:]) for role in part.roles[0][1:]
                                                                  if role[0] != "shared"]

    def box(self, part: Part, around: int) -> int:
        """The box around a part: the one that is there if the part is all that is in it, or a new one."""
        boxes, line = self.boxes, self.line
        first, last = ([self.child(line.box[i], around) for i in range(begin, begin + part.size)]
                       for begin in (part.start, part.start + part.saved))
        lasts = dict(zip(first, last, strict=True))
        if len(lasts) == 1 and first[0] != around and boxes.times[first[0]] == 1:
            box = first[0]
            boxes.times[box] = part.times
        else:
            derivatives = {unit.derivative for unit in line.units[part.start:part.start + part.size]}
            box = boxes.add("", around, derivatives.pop() if len(derivatives) == 1 else 0, part.times)
            for child in lasts:
                if child != around:
                    boxes.parents[child] = box
            boxes.home.update({line.units[part.start + j].id: box for j, child in enumerate(first) if child == around})
        for child, other in lasts.items():
            if child != around and boxes.layers[child] != boxes.layers[other] and not boxes.lasts[child]:
                boxes.lasts[child] = boxes.layers[other]
        return box

    def child(self, box: int, around: int) -> int:
        """The box directly in ``around`` that holds a box; ``around`` itself for what is in no such box."""
        while box != around and self.boxes.parents[box] != around:
            box = self.boxes.parents[box]
        return box

    def graph(self) -> Graph:
        """What is left."""
        line, old = self.line, self.line.graph
        at = {unit.id: i for i, unit in enumerate(line.units)}
        index = {v.id: i for i, v in enumerate(line.variables)}
        ids = {unit.id: self.groups[i].id if i in self.groups else unit.id for i, unit in enumerate(line.units)}
        edges, given = [], dict[str, list[int]]()
        place = [0] * len(line.units)
        for a, b in old.edges:
            v, unit = (index[a], at[b]) if b in at else (index[b], at[a])
            if b in at:
                place[unit] += 1
            if self.gone[unit] or self.stand[v] in self.swallowed:
                continue
            stand = line.variables[self.stand[v]].id
            if b not in at:
                if self.stand[v] == v or line.maker[self.stand[v]] != unit:
                    edges.append((ids[a], stand))
            elif self.stand[v] == v or (v, unit) in self.inner:
                edges.append((stand, ids[b]))
                given.setdefault(b, []).append(place[unit] - 1)
        functions = [replace(f, settings=self.settings.get(f.id, f.settings),
                             arguments=tuple([f.arguments[k] for k in given.get(f.id, ()) if k < len(f.arguments)]))
                     for f in old.functions if not self.gone[at[f.id]] and at[f.id] not in self.groups]
        groups = [*(group for group in old.groups if not self.gone[at[group.id]]), *self.groups.values()]
        variables = [replace(v, name=self.names[i]) if i in self.names else v for i, v in enumerate(old.variables)
                     if self.stand[i] == i and i not in self.swallowed]
        outputs = dict.fromkeys([line.variables[self.stand[index[id_]]].id for id_ in old.outputs])
        return Graph(tuple(variables), tuple(functions), tuple(edges), tuple(outputs), tuple(groups))


def _hideable(v: VariableNode) -> bool:
    """Parameters and numbers belong to their function."""
    return v.kind == "parameter" or v.kind == "constant" and v.shape == ()
