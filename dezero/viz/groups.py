"""Groups: the calls of layers as boxes that nest, found from the paths of functions and the order in which they ran."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from dezero.viz.boxes import OUTSIDE, Boxes, in_order
from dezero.viz.graph import Cluster, FunctionNode, Graph, GroupNode


def find_clusters(graph: Graph) -> tuple[Cluster, ...]:
    """The calls of layers, outermost first in the order in which they ran.

    What one call of a layer ran stands side by side in the order of all functions, so a box that is drawn as one node never leads
    back to itself. Forward and the derivatives never share a box. A result, parameter or constant that is made and used in one box
    only is in it, any other in the box around all its users; leaves, outputs, and the array that a layer starts from are outside.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> from dezero.models import MLP
        >>> from dezero.viz.graph import collect_graph
        >>> clusters = find_clusters(collect_graph(MLP((3, 1))(Variable(np.ones((2, 4), np.float32)))))
        >>> [(box.layer, box.members) for box in clusters]
        [('l0', ('v1', 'v2', 'f0')), ('l1', ('v5', 'v6', 'f2'))]
    """
    units = in_order(graph)
    boxes = Boxes()
    runs = _runs(units)
    _tell_calls_apart(runs, units, graph)
    todo: list[tuple[list[Any], int]] = [(runs[0].items, OUTSIDE)]
    while todo:
        items, box = todo.pop()
        for item in items:
            if isinstance(item, int):
                boxes.home[units[item].id] = box
                continue
            for call in item.calls:
                todo.append((call, boxes.add(item.layer, box, item.derivative)))
    boxes.settle(graph)
    return boxes.clusters(graph)


def levels(path: str) -> list[tuple[str, str]]:
    """The layers on a path, each by its name and its own path; the place in a list belongs to the name.

    Examples:
        >>> levels("blocks.0.fc")
        [('blocks.0', 'blocks.0'), ('fc', 'blocks.0.fc')]
    """
    names: list[list[str]] = []
    for part in path.split(".") if path else ():
        if names and part.isdecimal():
            names[-1].append(part)
        else:
            names.append([part])
    found: list[tuple[str, str]] = []
    so_far = ""
    for name in map(".".join, names):
        so_far = f"{so_far}.{name}" if found else name
        found.append((name, so_far))
    return found


class _Run:
    """Functions one after another in the same layer: one call of it, or several."""

    __slots__ = ("calls", "derivative", "items", "keys", "layer", "name", "sign")

    def __init__(self, name: str, layer: str, derivative: int) -> None:
        self.name, self.layer, self.derivative = name, layer, derivative
        self.items: list[Any] = []         # numbers of functions, and inner runs
        self.calls: list[list[Any]] = []   # the items, call by call
        self.keys: set[Any] = set()        # which op of which layer uses which parameters
        self.sign = 0                      # equal for runs of the same functions in the same layers


def _runs(units: Sequence[FunctionNode | GroupNode]) -> list[_Run]:
    """The runs, outer ones before inner ones; the first is the whole. A group is in none, and ends those around it."""
    root = _Run("", "", 0)
    runs, around, known = [root], [root], {"": levels("")}
    for i, unit in enumerate(units):
        path = unit.layer if isinstance(unit, FunctionNode) else ""
        if path not in known:
            known[path] = levels(path)
        parts, same = known[path], 1
        if len(around) > 1 and around[1].derivative == unit.derivative:
            while same < len(around) and same <= len(parts) and around[same].name == parts[same - 1][0]:
                same += 1
        del around[same:]
        for name, layer in parts[same - 1:]:
            run = _Run(name, layer, unit.derivative)
            around[-1].items.append(run)
            around.append(run)
            runs.append(run)
        around[-1].items.append(i)
    return runs


def _tell_calls_apart(runs: list[_Run], units: Sequence[FunctionNode | GroupNode], graph: Graph) -> None:
    """Cut each run where the parameter that it began with is used again in the same way: there the next call begins."""
    given: dict[str, list[str]] = {}
    parameters = {v.id for v in graph.variables if v.kind == "parameter"}
    for a, b in graph.edges:
        if a in parameters:
            given.setdefault(b, []).append(a)
    known: dict[Any, int] = {}

    def sign(item: Any) -> int:
        return item.sign if isinstance(item, _Run) else known.setdefault(units[item].name, len(known))

    def keys(item: Any) -> set[Any]:
        if isinstance(item, _Run):
            return item.keys
        unit = units[item]
        return {(unit.layer, unit.name, *given[unit.id])} if unit.id in given else set()

    for run in reversed(runs):
        signs, used = [sign(item) for item in run.items], [keys(item) for item in run.items]
        run.keys = set().union(*used)
        run.sign = known.setdefault((run.name, *signs), len(known))
        starts = [0] if run is runs[0] else _starts(signs, used)
        run.calls = [run.items[a:b] for a, b in zip(starts, [*starts[1:], len(signs)], strict=True)]


def _starts(signs: list[int], keys: list[set[Any]]) -> list[int]:
    """Where calls begin, if all of them, the first and the last left out, run the same functions."""
    starts, lead = [0], -1
    for j, used in enumerate(keys):
        if used and lead < 0:
            lead = j
        elif used and not used.isdisjoint(keys[lead]):
            before = 0  # functions of this call that come before the one with the parameter
            while lead - before > starts[-1] and j - before - 1 > lead and signs[j - before - 1] == signs[lead - before - 1]:
                before += 1
            starts.append(j - before)
            lead = j
    calls = Counter(tuple(signs[a:b]) for a, b in zip(starts, [*starts[1:], len(signs)], strict=True))
    return starts if calls.most_common(1)[0][1] >= max(2, len(starts) - 2) else [0]
