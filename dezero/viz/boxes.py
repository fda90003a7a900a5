"""Boxes: which box of a drawing each node is in, where boxes nest, change and repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dezero.viz.graph import Cluster, FunctionNode, Graph, GroupNode, VariableNode

OUTSIDE = -1


def in_order(graph: Graph) -> list[FunctionNode | GroupNode]:
    """Functions and groups in the order in which they ran.

    Examples:
        >>> import numpy as np
        >>> import dezero.functions as F
        >>> from dezero import Variable
        >>> from dezero.viz.graph import collect_graph
        >>> x = Variable(np.array(1.0))
        >>> late, early = F.cos(x), F.sin(x)
        >>> [unit.name for unit in in_order(collect_graph(early + late))]
        ['Cos', 'Sin', 'Add']
    """
    return sorted((*graph.functions, *graph.groups), key=lambda unit: unit.order)


def linked(graph: Graph) -> tuple[dict[str, str], dict[str, list[str]]]:
    """By the ids of variables: the function or group that makes it, and those that use it.

    Examples:
        >>> linked(Graph((VariableNode("v0", "leaf", "x", (), "float64", "", 0),), (), (("v0", "f0"), ("v0", "f1")), ()))
        ({}, {'v0': ['f0', 'f1']})
    """
    variables = {v.id for v in graph.variables}
    makers: dict[str, str] = {}
    users: dict[str, list[str]] = {}
    for a, b in graph.edges:
        if a in variables:
            users.setdefault(a, []).append(b)
        elif b in variables:
            makers[b] = a
    return makers, users


class Boxes:
    """Boxes by number, and in which each node is; ``OUTSIDE`` is the number of what is in none.

    Examples:
        >>> boxes = Boxes.of([Cluster("net", (), (Cluster("net.a", ("f0",)), Cluster("net.b", ("f1",))))])
        >>> boxes.layers[boxes.common(boxes.home["f0"], boxes.home["f1"])]
        'net'
    """

    def __init__(self) -> None:
        self.layers: list[str] = []
        self.parents: list[int] = []
        self.derivatives: list[int] = []
        self.times: list[int] = []
        self.lasts: list[str] = []
        self.depths: list[int] = []          # 1 for an outermost box
        self.home: dict[str, int] = {}       # of each node, by id
        self.repeating: list[int] = []       # for each box: the nearest around it, itself included, that repeats

    @classmethod
    def of(cls, clusters: Sequence[Cluster]) -> Boxes:
        """The boxes of clusters; nodes in none are missing in ``home``."""
        boxes, todo = cls(), [(cluster, OUTSIDE) for cluster in reversed(clusters)]
        while todo:
            cluster, parent = todo.pop()
            box = boxes.add(cluster.layer, parent, cluster.derivative, cluster.times, cluster.last)
            boxes.home.update(dict.fromkeys(cluster.members, box))
            todo.extend([(inner, box) for inner in reversed(cluster.inner)])
        return boxes

    def add(self, layer: str, parent: int, derivative: int = 0, times: int = 1, last: str = "") -> int:
        """The number of a new box."""
        box = len(self.layers)
        self.layers.append(layer)
        self.parents.append(parent)
        self.derivatives.append(derivative)
        self.times.append(times)
        self.lasts.append(last)
        self.depths.append(self.depth(parent) + 1)
        self.repeating.append(box if times > 1 else self.repeats(parent))
        return box

    def depth(self, box: int) -> int:
        """How many boxes are around what is in a box, itself included."""
        return 0 if box == OUTSIDE else self.depths[box]

    def common(self, a: int, b: int) -> int:
        """The innermost box around both."""
        while a != b:
            if self.depth(a) >= self.depth(b):
                a = self.parents[a]
            else:
                b = self.parents[b]
        return a

    def settle(self, graph: Graph) -> None:
        """Find the box of each variable from those of its functions. A variable in a box that repeats stays in that.

        A result is in the innermost box of its function that also has a user of it: no edge comes back into a box that it has left.
        """
        makers, users = linked(graph)
        outputs = set(graph.outputs)
        homes: dict[str, int] = {}
        for v in graph.variables:
            near = [self.home.get(unit, OUTSIDE) for unit in users.get(v.id, ())]
            if v.id in makers:
                box = self.home.get(makers[v.id], OUTSIDE)
                if near or v.id in outputs:
                    box = max([self.common(box, other) for other in near], key=self.depth, default=OUTSIDE)
            elif v.kind == "leaf" or v.id in outputs or not near:
                box = OUTSIDE
            else:
                box = near[0]
                for other in near[1:]:
                    box = self.common(box, other)
            homes[v.id] = box
        homes.update(self._starting_points(graph))
        for id_, box in homes.items():
            self.home[id_] = self._same_times(box, self.home[id_]) if id_ in self.home else box

    def _same_times(self, box: int, old: int) -> int:
        """The box nearest to ``box`` that repeats as often as ``old`` does."""
        kept = self.repeats(old)
        while self.repeats(box) != kept:
            if self.common(box, kept) != kept:
                return kept
            box = self.parents[self.repeats(box)]
        return box

    def repeats(self, box: int) -> int:
        """The nearest box around, it included, that repeats."""
        return OUTSIDE if box == OUTSIDE else self.repeating[box]

    def measure(self) -> None:
        """Find depths anew, after boxes were put into others."""
        known = [False] * len(self.layers)
        for start in range(len(self.layers)):
            way = []
            while start != OUTSIDE and not known[start]:
                way.append(start)
                start = self.parents[start]
            for box in reversed(way):
                known[box], parent = True, self.parents[box]
                self.depths[box] = self.depth(parent) + 1
                self.repeating[box] = box if self.times[box] > 1 else self.repeats(parent)

    def _starting_points(self, graph: Graph) -> dict[str, int]:
        """Constant arrays that are the input of a box which nothing else enters, and the boxes in which they are instead."""
        makers, users = linked(graph)
        given: dict[str, list[VariableNode]] = {}
        entered: set[int] = set()
        for v in graph.variables:
            for unit in users.get(v.id, ()):
                if v.kind == "constant" and v.shape != ():
                    given.setdefault(unit, []).append(v)
                elif v.kind in ("leaf", "result"):
                    box = self.home.get(unit, OUTSIDE)
                    stop = self.common(box, self.home.get(makers.get(v.id, ""), OUTSIDE))
                    while box != stop:
                        entered.add(box)
                        box = self.parents[box]
        found, begun = {}, set()
        for node in in_order(graph):
            if node.id not in given or (box := self.home.get(node.id, OUTSIDE)) == OUTSIDE:
                continue
            while box != OUTSIDE and box not in begun and box not in entered:
                begun.add(box)
                box = self.parents[box]
            found[given[node.id][0].id] = box
        return found

    def clusters(self, graph: Graph) -> tuple[Cluster, ...]:
        """The boxes as clusters, siblings in the order in which their first functions ran; empty ones are left out."""
        members: list[list[str]] = [[] for _ in self.layers]
        first = [len(graph.functions) + len(graph.groups)] * len(self.layers)
        for i, unit in enumerate(in_order(graph)):
            box = self.home.get(unit.id, OUTSIDE)
            while box != OUTSIDE and first[box] > i:
                first[box] = i
                box = self.parents[box]
        for node in graph.nodes:
            box = self.home.get(node.id, OUTSIDE)
            if box != OUTSIDE:
                members[box].append(node.id)
        inner: list[list[tuple[int, int, Cluster]]] = [[] for _ in range(len(self.layers) + 1)]  # the last one is that of the outside
        for box in sorted(range(len(self.layers)), key=self.depth, reverse=True):
            if members[box] or inner[box]:
                inside = tuple([cluster for _, _, cluster in sorted(inner[box], key=lambda item: item[:2])])
                made = Cluster(self.layers[box], tuple(members[box]), inside, self.derivatives[box], self.times[box], self.lasts[box])
                inner[self.parents[box]].append((first[box], box, made))
        return tuple([cluster for _, _, cluster in sorted(inner[OUTSIDE], key=lambda item: item[:2])])


def numbered(graph: Graph, clusters: Sequence[Cluster]) -> tuple[Graph, tuple[Cluster, ...]]:
    """The same with groups called "g0", "g1" ... in the order of their first functions.

    Examples:
        >>> graph = Graph((), (), (("a", "b"),), (), (GroupNode("b", "Sin", "", 1, 0, 0, order=1), GroupNode("a", "Cos", "", 1, 0, 0)))
        >>> numbered(graph, ())[0].edges
        (('g0', 'g1'),)
    """
    groups = sorted(graph.groups, key=lambda group: group.order)
    ids = {group.id: f"g{i}" for i, group in enumerate(groups)}
    if all(old == new for old, new in ids.items()):
        return graph, tuple(clusters)
    boxes = Boxes.of(clusters)
    boxes.home = {ids.get(id_, id_): box for id_, box in boxes.home.items()}
    edges = tuple([(ids.get(a, a), ids.get(b, b)) for a, b in graph.edges])
    graph = replace(graph, edges=edges, groups=tuple([replace(group, id=ids[group.id]) for group in groups]))
    return graph, boxes.clusters(graph)
