"""Fold: a graph with fewer nodes, in which layers are a node each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

from dezero.viz.boxes import OUTSIDE, Boxes, in_order, numbered
from dezero.viz.graph import Cluster, Graph, GroupNode, VariableNode
from dezero.viz.groups import levels

Choice = Callable[[str, int], bool]

MAX_NAMES = 3    # functions whose names stand in a group


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
    groups = [replace(group_of(f"box {box}", nodes, boxes.layers[box]), times=boxes.times[box], derivative=boxes.derivatives[box],
                      last=boxes.lasts[box]) for box, nodes in parts.items()]
    graph = merged(graph, {id_: f"box {box}" for id_, box in inside.items()}, leaving, groups)
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
    """Choose layers with ``depth`` layers around them.

    Examples:
        >>> deeper_than(1)("net.fc", 1), deeper_than(1)("net", 0)
        (True, False)
    """
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
    """Choose every box, also one around a part that repeats and is no layer.

    Examples:
        >>> all_boxes("", 0)
        True
    """
    return True


def without_layers(graph: Graph, clusters: Sequence[Cluster]) -> tuple[Cluster, ...]:
    """Of the boxes of a graph those around parts that repeat.

    Examples:
        >>> graph = Graph((), (), (), (), (GroupNode("g0", "Sin", "", 1, 0, 0),))
        >>> [box.times for box in without_layers(graph, [Cluster("net", (), (Cluster("", ("g0",), times=3),))])]
        [3]
    """
    boxes = Boxes.of(clusters)
    kept = Boxes()
    number = {OUTSIDE: OUTSIDE}
    for box, parent in enumerate(boxes.parents):
        number[box] = number[parent]
        if boxes.times[box] > 1:
            number[box] = kept.add(boxes.layers[box], number[parent], boxes.derivatives[box], boxes.times[box], boxes.lasts[box])
    kept.home = {id_: number[box] for id_, box in boxes.home.items()}
    return kept.clusters(graph)


def group_of(id_: str, nodes: Sequence[tuple[Any, int]], layer: str) -> GroupNode:
    """A group of nodes, each with how often it is there. Without a ``layer`` it has the path of the innermost one around all.

    Examples:
        >>> parts = [GroupNode(f"g{i}", name, f"net.{name}", 2, 1, 10, times=3) for i, name in enumerate("ab")]
        >>> group_of("g", [(part, 2) for part in parts], "")
        GroupNode(id='g', name='a, b', layer='net', functions=24, parameters=12, numbers=120, times=1, derivative=0, order=0, last='')
    """
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
    return GroupNode(id_, words, layer or _around(layers), functions, parameters, numbers, 1, derivative, order or 0)


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


def merged(graph: Graph, inside: Mapping[str, str], leaving: set[str], groups: Iterable[GroupNode]) -> Graph:
    """The graph with new groups in place of what is in them; each edge to or from one is there once. What leaves a group does not come back.

    Args:
        graph: the graph.
        inside: in which group each node is, by ids.
        leaving: of these the variables that stay, as others use them.
        groups: the new groups.

    Examples:
        >>> group = GroupNode("g0", "Sin", "", 1, 0, 0)
        >>> merged(Graph((), (), (("v0", "f0"), ("f0", "v1"), ("v1", "f1")), ()), {"f0": "g0", "v1": "g0"}, set(), [group]).edges
        (('v0', 'g0'), ('g0', 'f1'))
    """
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
