"""Random computations with layers and loops, and what holds for every drawing of them."""

from __future__ import annotations

from typing import Any

import numpy as np

import dezero.functions as F
from dezero import Parameter, Variable
from dezero.config import layer_scope
from dezero.viz import Cluster, Graph


class Program:
    """A computation made of random steps: ops, layers around steps, and loops of the same steps."""

    def __init__(self, seed: int, steps: int = 12) -> None:
        self.rng = np.random.default_rng(seed)
        self.known = [Variable(np.array([1.0, 2.0]), name="x"), Variable(np.array([0.5, 0.25]), name="y")]
        with np.errstate(all="ignore"):
            self.run(self.body(steps, 3))
        self.output = F.sum(self.known[-1] + self.known[-2])
        self.all = [self.output, *(v for v in self.known[2:] if self.rng.random() < 0.05)]

    def body(self, steps: int, depth: int) -> list[Any]:
        """A list of steps, to be run once or several times."""
        rng, found = self.rng, []
        for _ in range(rng.integers(1, steps + 1)):
            kind = rng.integers(10)
            if kind >= 4 or depth == 0:
                found.append(("op", int(rng.integers(6)), int(rng.integers(1, 3)), int(rng.integers(1, 7))))
            elif kind >= 2:
                found.append(("layer", f"l{rng.integers(3)}", self.body(4, depth - 1)))
            else:
                found.append(("loop", int(rng.integers(2, 5)), self.body(3, depth - 1)))
        return found

    def run(self, steps: list[Any]) -> None:
        for step in steps:
            if step[0] == "layer":
                with layer_scope(step[1]):
                    self.run(step[2])
            elif step[0] == "loop":
                for _ in range(step[1]):
                    self.run(step[2])
            else:
                self.op(*step[1:])

    def op(self, kind: int, near: int, far: int) -> None:
        if len(self.known) > 120:
            return
        a, b = self.known[-min(near, len(self.known))], self.known[-min(far, len(self.known))]
        y = (lambda: F.sin(a), lambda: a + b, lambda: a * Parameter(np.array([1.0, 0.5]), name="W"), lambda: a * 0.5,
             lambda: F.tanh(a - b), lambda: F.sum(F.concatenate(F.split(a, 2)[::-1])) * b)[kind]()
        self.known.append(y)


def boxes_of(clusters: tuple[Cluster, ...]) -> list[tuple[Cluster, int, list[str]]]:
    """Each box, how often what is in it comes, and the ids of all nodes in it."""
    found: list[tuple[Cluster, int, list[str]]] = []
    todo = [(cluster, 1) for cluster in clusters]
    while todo:
        cluster, times = todo.pop()
        times *= cluster.times
        inside, rest = [], [cluster]
        while rest:
            box = rest.pop()
            inside.extend(box.members)
            rest.extend(box.inner)
        found.append((cluster, times, inside))
        todo.extend((inner, times) for inner in cluster.inner)
    return found


def times_of(graph: Graph, clusters: tuple[Cluster, ...]) -> dict[str, int]:
    """How often each node comes."""
    times = dict.fromkeys([node.id for node in graph.nodes], 1)
    for cluster, often, _ in boxes_of(clusters):
        times.update(dict.fromkeys(cluster.members, often))
    return times


def count_functions(graph: Graph, clusters: tuple[Cluster, ...] = ()) -> int:
    """The functions that a drawing stands for."""
    times = times_of(graph, clusters)
    return sum(times[f.id] for f in graph.functions) + sum(times[g.id] * g.times * g.functions for g in graph.groups)


def count_parameters(graph: Graph, clusters: tuple[Cluster, ...] = ()) -> int:
    times = times_of(graph, clusters)
    return sum(times[v.id] for v in graph.variables if v.kind == "parameter") + sum(times[g.id] * g.times * g.parameters for g in graph.groups)


def reachable(edges: Any) -> dict[str, set[str]]:
    """What each node leads to; fails where a way leads back."""
    after: dict[str, list[str]] = {}
    waiting: dict[str, int] = {}
    for a, b in edges:
        after.setdefault(a, []).append(b)
        after.setdefault(b, [])
        waiting[b] = waiting.get(b, 0) + 1
    order = [node for node in after if not waiting.get(node)]
    for node in order:
        for b in after[node]:
            waiting[b] -= 1
            if not waiting[b]:
                order.append(b)
    assert len(order) == len(after), "the graph has a circle"
    found: dict[str, set[str]] = {}
    for node in reversed(order):
        found[node] = set(after[node]).union(*(found[b] for b in after[node]))
    return found


def contracted(graph: Graph, clusters: Any) -> list[tuple[str, str]]:
    """The edges with each of these boxes as one node; boxes in boxes count by the outermost."""
    inside: dict[str, str] = {}
    for k, (_, _, nodes) in enumerate(sorted(boxes_of(tuple(clusters)), key=lambda box: -len(box[2]))):
        for node in nodes:
            inside.setdefault(node, f"box{k}")
    edges = [(inside.get(a, a), inside.get(b, b)) for a, b in graph.edges]
    return [(a, b) for a, b in edges if a != b]


def check_whole(graph: Graph, clusters: tuple[Cluster, ...]) -> None:
    """What holds for any graph that can be drawn."""
    ids = [node.id for node in graph.nodes]
    assert len(ids) == len(set(ids)) and {i for edge in graph.edges for i in edge} <= set(ids) and set(graph.outputs) <= set(ids)
    members = [i for cluster, _, _ in boxes_of(clusters) for i in cluster.members]
    assert len(members) == len(set(members)) and set(members) <= set(ids)
    assert all(cluster.members or cluster.inner for cluster, _, _ in boxes_of(clusters))
    assert [g.id for g in graph.groups] == [f"g{i}" for i in range(len(graph.groups))]
    order = {node.id: node.order for node in (*graph.functions, *graph.groups)}
    line = sorted(order, key=order.__getitem__)
    derivatives = {node.id: node.derivative for node in graph.nodes}
    for cluster, _, inside in boxes_of(clusters):
        places = sorted(line.index(i) for i in inside if i in order)
        assert places == list(range(places[0], places[0] + len(places))), f"what is in {cluster.layer} does not stand together"
        if cluster.layer:
            assert {derivatives[i] for i in inside if i in order} == {cluster.derivative}
    counts: dict[str, int] = {}
    for _, b in graph.edges:
        counts[b] = counts.get(b, 0) + 1
    assert all(len(f.arguments) == counts.get(f.id, 0) for f in graph.functions)
    reachable(graph.edges)
    reachable(contracted(graph, clusters))
    for some in ([c for c, _, _ in boxes_of(clusters) if c.times > 1], [c for c, _, _ in boxes_of(clusters) if not c.inner]):
        reachable(contracted(graph, some))
