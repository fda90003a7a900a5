"""Sides: a graph with what a search for its nodes in another graph asks of it, and the keys by which its functions are told apart."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Hashable, Mapping
from typing import Any

from dezero.viz.graph import FunctionNode, Graph, VariableNode

Keys = Mapping[str, Hashable]


class Side:
    """One of the graphs, with what the search asks of it. An "op" is a function, or a group that stands for several."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes: dict[str, Any] = {node.id: node for node in graph.nodes}
        self._ops = {id_ for id_, node in self.nodes.items() if not isinstance(node, VariableNode)}
        self.inputs: dict[str, list[str]] = {id_: [] for id_ in self.nodes}   # of an op, by argument; of a variable, the op that made it
        self.results: dict[str, list[str]] = {id_: [] for id_ in self.nodes}  # of an op; of a variable, the ops that use it
        self.users: dict[str, list[tuple[str, int]]] = {id_: [] for id_ in self.nodes}  # the same, with the place among their inputs
        self.place: dict[str, int] = {}  # of a variable among the results of its op
        for a, b in graph.edges:
            self.place[b] = self.nodes[b].index if isinstance(self.nodes[b], VariableNode) else 0
            self.users[a].append((b, len(self.inputs[b])))
            self.inputs[b].append(a)
            self.results[a].append(b)
        self.order = self._topological()
        self.ops = sorted([id_ for id_ in self.order if self.is_op(id_)], key=lambda op: self.nodes[op].order)

    def _topological(self) -> list[str]:
        missing = {id_: len(before) for id_, before in self.inputs.items()}
        todo, order = deque([id_ for id_, n in missing.items() if not n]), []
        while todo:
            order.append(id_ := todo.popleft())
            for after in self.results[id_]:
                missing[after] -= 1
                if not missing[after]:
                    todo.append(after)
        return order

    def slots(self, op: str) -> dict[Any, str]:
        """The inputs of an op by the names of its arguments, else by their places."""
        node, inputs = self.nodes[op], self.inputs[op]
        named = isinstance(node, FunctionNode) and len(set(node.arguments)) == len(node.arguments) == len(inputs)
        return dict(zip(node.arguments if named else range(len(inputs)), inputs, strict=True))

    def is_op(self, id_: str) -> bool:
        """Is it a function or a group?"""
        return id_ in self._ops

    def is_free(self, id_: str) -> bool:
        """Is it a variable that nothing in the graph computed?"""
        return not self.inputs[id_] and not self.is_op(id_)


def levels_of(first: Side, second: Side) -> list[tuple[Keys, Keys]]:
    """The keys by which ops are aligned, the strictest first: numbers that stand for all that is before, and for all that comes after."""
    numbers: dict[Hashable, int] = {}
    up, down, up_alike, down_alike = [[keys(side, shapes, numbers) for side in (first, second)]
                                      for shapes in (True, False) for keys in (_before, _after)]
    both: list[Keys] = [{op: (past[op], future[op]) for op in side.ops} for side, past, future in zip((first, second), up, down, strict=True)]
    around: list[Keys] = [{op: _around(side, op) for op in side.ops} for side in (first, second)]
    own: list[Keys] = [{op: _own(side.nodes[op]) for op in side.ops} for side in (first, second)]
    names: list[Keys] = [{op: side.nodes[op].name for op in side.ops} for side in (first, second)]
    return [(mine, theirs) for mine, theirs in (both, up, down, up_alike, down_alike, around, own, names)]


def _before(side: Side, shapes: bool, numbers: dict[Hashable, int]) -> Keys:
    """For each node a number for all that it was computed from."""
    found: dict[str, int] = {}
    for id_ in side.order:
        if side.is_op(id_):
            key: Hashable = (_own(side.nodes[id_]), *[found[x] for x in side.inputs[id_]])
        else:
            made = [(found[op], side.place[id_]) for op in side.inputs[id_]]
            key = (_looks(side.nodes[id_], shapes), not made and side.nodes[id_].name, *made)
        found[id_] = numbers.setdefault(key, len(numbers))
    return found


def _after(side: Side, shapes: bool, numbers: dict[Hashable, int]) -> Keys:
    """For each node a number for all that is computed from it."""
    found: dict[str, int] = {}
    ends = {id_: i for i, id_ in enumerate(side.graph.outputs)}
    for id_ in reversed(side.order):
        uses = sorted([(found[user], slot, side.place[user]) for user, slot in side.users[id_]])
        own = _own(side.nodes[id_]) if side.is_op(id_) else _looks(side.nodes[id_], shapes)
        key = (own, ends.get(id_), *uses)
        found[id_] = numbers.setdefault(key, len(numbers))
    return found


def _own(node: Any) -> Hashable:
    """What an op does, whatever it does it to."""
    return (node.name, node.op, node.settings) if isinstance(node, FunctionNode) else (node.name, node.functions, node.parameters, node.times)


def _around(side: Side, op: str) -> Hashable:
    """What an op does, and to what."""
    return (_own(side.nodes[op]), *[_looks(side.nodes[id_], True) for id_ in side.inputs[op]], None,
            *[_looks(side.nodes[id_], True) for id_ in side.results[op]])


def _looks(node: Any, shapes: bool) -> Hashable:
    """A variable without its name."""
    return (node.kind, node.shape if shapes else None, node.dtype if shapes else None) if isinstance(node, VariableNode) else node.name


def by_layer(side: Side) -> dict[tuple[str, int], list[str]]:
    """The ops of each layer and each derivative in the order in which they ran."""
    found = defaultdict(list)
    for op in side.ops:
        found[side.nodes[op].layer, side.nodes[op].derivative].append(op)
    return found


def by_name(side: Side) -> dict[tuple[str, str], str | None]:
    """The leaves and parameters by layer and name; None where there are several."""
    found: dict[tuple[str, str], str | None] = {}
    for v in side.graph.variables:
        if v.name and v.kind in ("leaf", "parameter"):
            found[v.layer, v.name] = None if (v.layer, v.name) in found else v.id
    return found
