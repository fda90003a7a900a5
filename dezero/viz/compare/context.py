"""Context: a union cut down to what lies around its changes; the rest becomes groups."""

from __future__ import annotations

import math
from itertools import takewhile

from dezero.viz.compare.sides import Side
from dezero.viz.compare.union import Union, ordered
from dezero.viz.graph import FunctionNode, Graph, GroupNode, VariableNode

SMALL = 60     # nodes that are drawn in full
FEWEST = 8     # nodes that are worth a group
BUSY = 12      # links of a node that is used all over: what else it is linked to is not near
AS_BEFORE = "as before"


def shortened(union: Union, steps: int) -> Union:
    """The union with groups in place of what is the same in both graphs and more than ``steps`` edges away from any change.

    A group never holds both what comes before a shown node and what comes after it, so that no circle arises.
    """
    if len(union.graph.nodes) <= SMALL or not union.marks:
        return union
    side = Side(union.graph)
    near = _near(side, union, steps)
    level: dict[str, int] = {}  # grows from each shown node to a hidden one and back, so that a group lies between two of them
    for id_ in side.order:
        level[id_] = max([level[x] + ((x in near) != (id_ in near)) for x in side.inputs[id_]], default=0)
    for id_ in side.nodes:
        if side.is_free(id_) and id_ not in near and side.users[id_]:  # a parameter goes with the first function that takes it
            level[id_] = min(level[user] - (user in near) for user, _ in side.users[id_])
    heads = _heads(side, near, level)
    members: dict[str, list[str]] = {}
    for id_ in side.nodes:
        if id_ in heads:
            members.setdefault(heads[id_], []).append(id_)
    groups = {head: ids for head, ids in members.items() if len(ids) >= FEWEST and any(side.is_op(id_) for id_ in ids)}
    return _grouped(union, side, groups)


def _near(side: Side, union: Union, steps: int) -> set[str]:
    """What is marked, the ends of what is marked, and what is few steps away from these."""
    near = {id_ for key in union.marks for id_ in key.partition(":")[0].split(">")}
    edge = near
    for _ in range(steps):
        edge = {x for id_ in edge if len(links := [*side.inputs[id_], *side.results[id_]]) <= BUSY or id_ in union.marks for x in links} - near
        near |= edge
    return near


def _heads(side: Side, near: set[str], level: dict[str, int]) -> dict[str, str]:
    """For each hidden node the first one of those that it hangs together with on its level."""
    heads = {id_: id_ for id_ in side.nodes if id_ not in near}

    def head(id_: str) -> str:
        while heads[id_] != id_:
            heads[id_] = id_ = heads[heads[id_]]
        return id_

    place = {id_: i for i, id_ in enumerate(side.order)}
    for a, b in side.graph.edges:
        if a in heads and b in heads and level[a] == level[b]:
            one, other = sorted((head(a), head(b)), key=place.__getitem__)
            heads[other] = one
    return {id_: head(id_) for id_ in heads}


def _grouped(union: Union, side: Side, groups: dict[str, list[str]]) -> Union:
    graph = union.graph
    free = (f"g{n}" for n in range(len(groups) + len(side.nodes)) if f"g{n}" not in side.nodes)
    ids, made = {id_: id_ for id_ in side.nodes}, []
    for hidden in groups.values():
        made.append(_group(next(free), side, hidden))
        ids.update(dict.fromkeys(hidden, made[-1].id))
    inside = {group.id for group in made}
    edges, seen = [], set()
    for a, b in graph.edges:
        edge = ids[a], ids[b]
        if edge[0] == edge[1] or edge[1] in inside and edge in seen:
            continue
        seen.add(edge)
        edges.append(edge)
    kept = {id_ for id_, now in ids.items() if now == id_}
    cut = Graph(tuple([v for v in graph.variables if v.id in kept]), tuple([f for f in graph.functions if f.id in kept]), tuple(edges),
                tuple(dict.fromkeys([ids[id_] for id_ in graph.outputs])), (*[g for g in graph.groups if g.id in kept], *made))
    n = sum(map(len, groups.values()))
    note = f"{n} nodes that did not change of themselves are drawn as {len(made)} {'group' if len(made) == 1 else 'groups'}"
    return union._replace(graph=ordered(cut), notes=(*union.notes, note)) if made else union


def _group(id_: str, side: Side, hidden: list[str]) -> GroupNode:
    nodes = [side.nodes[x] for x in hidden]
    ops = [node for node in nodes if not isinstance(node, VariableNode)]
    parameters = [node for node in nodes if isinstance(node, VariableNode) and node.kind == "parameter"]
    around = takewhile(lambda parts: len(set(parts)) == 1, zip(*[node.layer.split(".") for node in ops], strict=False))
    derivatives = {node.derivative for node in ops}
    return GroupNode(id_, AS_BEFORE, ".".join([parts[0] for parts in around]),
                     sum(1 if isinstance(node, FunctionNode) else node.functions * node.times for node in ops), len(parameters),
                     sum(math.prod(node.shape or ()) for node in parameters), 1, derivatives.pop() if len(derivatives) == 1 else 0,
                     min(node.order for node in ops))
