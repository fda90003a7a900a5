"""Groups in groups: a graph with frames around nodes is taken apart into plain graphs, one for the inside of each frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dezero.viz.rows import End, Net

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that stand together in a frame: those of ``members``, and those of the groups inside."""

    members: tuple[int, ...]         # positions of the nodes that are in no inner group
    inner: tuple[Group, ...] = ()
    title: float = 0.0               # how wide the text at the top left of its frame is; 0: no line for a text


@dataclass(slots=True)
class Part:
    """The inside of a group, or what is in no group: nodes, inner parts as nodes, and ports where edges cross its frame."""

    parent: int
    title: float
    nodes: list[int]
    inner: list[int] = field(default_factory=list)
    entries: dict[int, float] = field(default_factory=dict)  # a node outside -> where the edges from it come in, from the centre
    exits: dict[int, float] = field(default_factory=dict)    # a node inside -> where the edges from it go out, from the centre
    uses: dict[int, list[tuple[str, int, int]]] = field(default_factory=dict)  # a node -> the ends of its net: what, which one, which edge
    size: tuple[float, float] = (0.0, 0.0)
    corner: Point = (0.0, 0.0)       # its top left in the whole


def take_apart(n: int, edges: Sequence[tuple[int, int]], groups: Sequence[Group]) -> list[Part]:
    """The whole without the groups, then the inside of each group, before the groups in it.

    Raises:
        ValueError: a node is in two groups or is none, or an edge leads from or to none.
    """
    parts = [Part(0, 0.0, [])]
    home = [0] * n
    todo = [(group, 0) for group in reversed(groups)]
    while todo:
        group, parent = todo.pop()
        p = len(parts)
        parts.append(Part(parent, group.title, list(group.members)))
        parts[parent].inner.append(p)
        todo.extend((inner, p) for inner in reversed(group.inner))
        for i in group.members:
            if not 0 <= i < n or home[i]:
                raise ValueError(f"lay_out: node {i} is in {'two groups' if 0 <= i < n else 'a group'}, with {n} nodes: "
                                 "a position below that, in one group at most, is expected")
            home[i] = p
    parts[0].nodes = [i for i in range(n) if not home[i]]
    depth = [0] * len(parts)
    for p, part in enumerate(parts[1:], 1):
        depth[p] = depth[part.parent] + 1
    for edge, (u, v) in enumerate(edges):
        if not (0 <= u < n and 0 <= v < n):
            raise ValueError(f"lay_out: edge {edge} is {(u, v)}, with {n} nodes: positions below that are expected")
        lead(parts, depth, home, u, v, edge)
    return parts


def lead(parts: list[Part], depth: list[int], home: list[int], u: int, v: int, edge: int) -> None:
    """Lead an edge out of the groups that only ``u`` is in, and into those that only ``v`` is in."""
    a, b = home[u], home[v]
    end = ("node", v, edge)
    while a != b:
        if depth[a] >= depth[b]:
            if u not in parts[a].exits:
                parts[a].exits[u] = 0.0
                parts[a].uses.setdefault(u, []).append(("exit", u, edge))
            a = parts[a].parent
        else:
            parts[b].uses.setdefault(u, []).append(end)
            if u in parts[b].entries:
                return  # the way from outside is there already
            parts[b].entries[u] = 0.0
            end = ("part", b, edge)
            b = parts[b].parent
    parts[a].uses.setdefault(u, []).append(end)


@dataclass(frozen=True, slots=True)
class Plain:
    """A part as a graph without groups: nodes and inner parts, then entries and exits as items without size."""

    items: list[tuple[str, int]]
    sizes: list[Point]
    nets: list[Net]
    sources: list[int]  # of each net: the node


def plain(p: int, parts: list[Part], sizes: Sequence[Point], first: Sequence[int]) -> Plain:
    """The graph of a part whose inner parts have been laid out; ``first`` has the first node of each part."""
    part = parts[p]
    inside = sorted([(i, ("node", i)) for i in part.nodes] + [(first[q], ("part", q)) for q in part.inner])
    items = [item for _, item in inside] + [("entry", u) for u in part.entries] + [("exit", u) for u in part.exits]
    index = {item: k for k, item in enumerate(items)}
    source: dict[int, tuple[int, float]] = {u: (index["entry", u], 0.0) for u in part.entries}
    source.update((i, (index["node", i], 0.0)) for i in part.nodes)
    for q in part.inner:
        source.update((u, (index["part", q], place)) for u, place in parts[q].exits.items())
    nets, sources = [], []
    for u, uses in part.uses.items():
        ends: list[End] = []
        for what, which, edge in uses:
            enter = None if what == "node" else parts[which].entries[u] if what == "part" else 0.0
            ends.append((index[what, which], enter, edge))
        nets.append(Net(*source[u], tuple(ends)))
        sources.append(u)
    boxes = [sizes[k] if what == "node" else parts[k].size if what == "part" else (0.0, 0.0) for what, k in items]
    return Plain(items, boxes, nets, sources)
