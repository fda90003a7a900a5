"""Union: two graphs as one, in which each node and edge knows whether it was added, removed or changed, for a picture of the difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from heapq import heapify, heappop, heappush
from itertools import count
from typing import NamedTuple

from dezero.viz.compare.changes import Change
from dezero.viz.compare.pairing import Pairing
from dezero.viz.graph import FunctionNode, Graph, GroupNode, VariableNode


class Union(NamedTuple):
    """Two graphs as one.

    Attributes:
        graph: the nodes of the second graph under their ids, and those of the first one that have no partner.
        marks: "added", "removed" or "changed" by the ids of nodes, "added" or "removed" by "from>to:place" of edges.
        remarks: what a node that changed was before, by id.
        notes: sentences for the reader.
    """

    graph: Graph
    marks: dict[str, str]
    remarks: dict[str, str]
    notes: tuple[str, ...] = ()


def union_of(pairing: Pairing, changes: Iterable[Change]) -> Union:
    """The union of two graphs, with what differs marked.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> from dezero.viz import collect_graph
        >>> x = Variable(np.array(3.0), name="x")
        >>> pairing = Pairing(collect_graph(x * x), collect_graph(-(x * x)))
        >>> union_of(pairing, ()).marks
        {'v2': 'added', 'f1': 'added', 'v1>f1:0': 'added', 'f1>v2:0': 'added'}
    """
    ids = _ids(pairing)
    gone = [replace(node, id=ids[node.id]) for node in pairing.first.graph.nodes if node.id not in pairing.there]
    marks: dict[str, str] = {id_: "added" for id_ in pairing.second.nodes if id_ not in pairing.back}
    marks.update((node.id, "removed") for node in gone)
    remarks: dict[str, str] = {}
    for change in changes:
        if change.second in pairing.back and not change.follows:
            marks[change.second] = "changed"
            remarks[change.second] = "; ".join([*filter(None, [remarks.get(change.second)]), change.remark])
    edges, notes = _edges(pairing, ids, marks)
    rank = {ids[id_] if sign == "-" else id_: i for i, (sign, id_) in enumerate(pairing.merged())}
    links = Counter([b for _, b in edges])
    nodes = [*pairing.second.graph.nodes, *gone]
    functions = [replace(f, order=rank[f.id], arguments=(*f.arguments, *[""] * (links[f.id] - len(f.arguments))))
                 for f in nodes if isinstance(f, FunctionNode)]
    groups = [replace(g, order=rank[g.id]) for g in nodes if isinstance(g, GroupNode)]
    variables = [v for v in nodes if isinstance(v, VariableNode)]
    graph = Graph(tuple(variables), tuple(functions), tuple(edges), pairing.second.graph.outputs, tuple(groups))
    return Union(ordered(graph), marks, remarks, notes)


def ordered(graph: Graph) -> Graph:
    """A graph whose functions and groups are numbered anew: as before where that is an order in which they could have run."""
    nodes = {node.id: node for node in graph.nodes}
    numbers = {id_: (-1 if isinstance(node, VariableNode) else node.order, i) for i, (id_, node) in enumerate(nodes.items())}
    missing = Counter([b for _, b in graph.edges])
    after: dict[str, list[str]] = {id_: [] for id_ in nodes}
    for a, b in graph.edges:
        after[a].append(b)
    heap = [(numbers[id_], id_) for id_ in nodes if not missing[id_]]
    heapify(heap)
    ran: dict[str, int] = {}
    while heap:
        _, id_ = heappop(heap)
        ran[id_] = len(ran)
        for b in after[id_]:
            missing[b] -= 1
            if not missing[b]:
                heappush(heap, (numbers[b], b))
    return replace(graph, functions=tuple([replace(f, order=ran[f.id]) for f in graph.functions]),
                   groups=tuple([replace(g, order=ran[g.id]) for g in graph.groups]))


def _ids(pairing: Pairing) -> dict[str, str]:
    """The id in the union of each node of the first graph: its partner's, or a new one."""
    ids = dict(pairing.there)
    free: dict[str, Iterator[str]] = {}
    for id_ in pairing.first.nodes:
        if id_ not in ids:
            ids[id_] = next(free.setdefault(id_[:1], _others(id_[:1], pairing.second.nodes)))
    return ids


def _others(letter: str, known: Container[str]) -> Iterator[str]:
    return (id_ for n in count() if (id_ := f"{letter}{n}") not in known)


def _edges(pairing: Pairing, ids: dict[str, str], marks: dict[str, str]) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """The edges of the second graph, then those that only the first one has; they are marked."""
    first = [(ids[a], ids[b]) for a, b in pairing.first.graph.edges]
    edges = list(pairing.second.graph.edges)
    had, has = Counter(first), Counter(edges)
    fresh, lost = had.copy(), has.copy()
    place: Counter[str] = Counter()
    for edge in edges:
        fresh[edge] -= 1
        if fresh[edge] < 0:
            marks[f"{edge[0]}>{edge[1]}:{place[edge[1]]}"] = "added"
        place[edge[1]] += 1
    gone = []
    for edge in first:
        lost[edge] -= 1
        if lost[edge] < 0:
            gone.append(edge)
    drawn = _without_circles(edges, gone)
    for edge in drawn:
        marks[f"{edge[0]}>{edge[1]}:{place[edge[1]]}"] = "removed"
        place[edge[1]] += 1
    n = len(gone) - len(drawn)
    note = f"{n} {'link of the first graph runs' if n == 1 else 'links of the first graph run'} against the order of the second one: not drawn"
    return edges + drawn, (note,) if n else ()


def _without_circles(edges: list[tuple[str, str]], more: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of the second edges those that make no circle with the others: what comes earlier in one graph may come later in the other."""
    left = {id_ for edge in (*edges, *more) for id_ in edge}
    for way in (1, -1):  # take away what is before all circles, then what is behind them
        links = [edge[::way] for edge in (*edges, *more) if left.issuperset(edge)]
        missing = Counter([b for _, b in links])
        after: dict[str, list[str]] = {id_: [] for id_ in left}
        for a, b in links:
            after[a].append(b)
        todo = [id_ for id_ in left if not missing[id_]]
        while todo:
            left.remove(id_ := todo.pop())
            for b in after[id_]:
                missing[b] -= 1
                if not missing[b]:
                    todo.append(b)
    return [edge for edge in more if not left.issuperset(edge)]
