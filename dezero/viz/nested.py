"""Groups in groups: a graph with frames around nodes is taken apart into plain graphs, one for the inside of each frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dezero.viz.rows import End, Net, walk

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
    entries: list[int] = field(default_factory=list)  # the nodes outside from which edges come in
    exits: list[int] = field(default_factory=list)    # the nodes inside from which edges go out
    uses: dict[int, list[tuple[str, int, int]]] = field(default_factory=dict)  # a node -> the ends of its net: what, which one, which edge


@dataclass(slots=True)
class Inside:
    """What is known of a part that has been laid out."""

    size: Point
    entries: dict[int, float]        # a node outside -> where the edges from it come in, from the centre of the frame
    exits: dict[int, float]          # a node inside -> where the edges from it go out
    heights: dict[int, int]          # a node -> steps on the longest way on from it that begins in here


@dataclass(frozen=True, slots=True)
class Plain:
    """A part as a graph without groups: nodes and inner parts, then entries and exits as items without size."""

    items: list[tuple[str, int]]
    sizes: list[Point]
    nets: list[Net]
    sources: list[int]               # of each net: the node
    heights: dict[int, int]          # a node -> steps on the longest way on from it that begins in here


class Nest:
    """A graph with groups, taken apart: part 0 is the whole without the groups, the others are the insides of these, a group before those in it.

    Raises:
        ValueError: a node is in two groups or is none, or an edge leads from or to none.
        CircleError: edges lead round in a circle.
    """

    def __init__(self, sizes: Sequence[Point], edges: Sequence[tuple[int, int]], groups: Sequence[Group]) -> None:
        n = len(sizes)
        self.sizes, self.edges = sizes, edges
        self.parts = [Part(0, 0.0, [])]
        self.home = [0] * n  # the part that each node is in
        todo = [(group, 0) for group in reversed(groups)]
        while todo:
            group, parent = todo.pop()
            todo.extend((inner, len(self.parts)) for inner in reversed(group.inner))
            self.add(group, parent)
        parts = self.parts
        parts[0].nodes = [i for i in range(n) if not self.home[i]]
        self.first = [min(part.nodes, default=n) for part in parts]  # the first node of each part
        self.deep = [0] * len(parts)
        for p in range(1, len(parts)):
            self.deep[p] = self.deep[parts[p].parent] + 1
        for p in reversed(range(1, len(parts))):
            self.first[parts[p].parent] = min(self.first[parts[p].parent], self.first[p])
        self.crossed: set[tuple[str, int, int]] = set()
        for edge, (u, v) in enumerate(edges):
            if not (0 <= u < n and 0 <= v < n):
                raise ValueError(f"lay_out: edge {edge} is {(u, v)}, with {n} nodes: positions below that are expected")
            self.lead(u, v, edge)
        self.depths, self.heights = longest(n, edges)

    def add(self, group: Group, parent: int) -> None:
        """A new part for a group."""
        p, n = len(self.parts), len(self.home)
        self.parts.append(Part(parent, group.title, list(group.members)))
        self.parts[parent].inner.append(p)
        for i in group.members:
            if not 0 <= i < n or self.home[i]:
                raise ValueError(f"lay_out: node {i} is in {'two groups' if 0 <= i < n else 'a group'}, with {n} nodes: "
                                 "a position below that, in one group at most, is expected")
            self.home[i] = p

    def lead(self, u: int, v: int, edge: int) -> None:
        """Lead an edge out of the groups that only ``u`` is in, and into those that only ``v`` is in."""
        parts, deep, a, b = self.parts, self.deep, self.home[u], self.home[v]
        end = ("node", v, edge)
        while a != b:
            if deep[a] >= deep[b]:
                if ("exit", a, u) not in self.crossed:
                    self.crossed.add(("exit", a, u))
                    parts[a].exits.append(u)
                    parts[a].uses.setdefault(u, []).append(("exit", u, edge))
                a = parts[a].parent
            else:
                parts[b].uses.setdefault(u, []).append(end)
                if ("entry", b, u) in self.crossed:
                    return  # the way from outside is there already
                self.crossed.add(("entry", b, u))
                parts[b].entries.append(u)
                end = ("part", b, edge)
                b = parts[b].parent
        parts[a].uses.setdefault(u, []).append(end)

    def plain(self, p: int, insides: Mapping[int, Inside]) -> Plain:
        """A part, the inner parts of which have been laid out, as a graph without groups."""
        part = self.parts[p]
        inside = sorted([(i, ("node", i)) for i in part.nodes] + [(self.first[q], ("part", q)) for q in part.inner])
        items = [item for _, item in inside] + [("entry", u) for u in part.entries] + [("exit", u) for u in part.exits]
        index = {item: k for k, item in enumerate(items)}
        source: dict[int, tuple[int, float]] = {u: (index["entry", u], 0.0) for u in part.entries}
        source.update((i, (index["node", i], 0.0)) for i in part.nodes)
        for q in part.inner:
            source.update((u, (index["part", q], place)) for u, place in insides[q].exits.items())
        nets, found = [], {}
        for u, uses in part.uses.items():
            ends: list[End] = []
            for what, which, edge in uses:
                enter = None if what == "node" else insides[which].entries[u] if what == "part" else 0.0
                height = self.heights[which] if what == "node" else insides[which].heights[u] if what == "part" else -1
                ends.append(End(index[what, which], enter, edge, height))
            found[u] = max(end.height for end in ends)
            if found[u] < self.heights[u] - 1:  # the longest way leads out
                ends = [replace(end, height=self.heights[u] - 1) if end.height < 0 else end for end in ends]
            nets.append(Net(*source[u], tuple(ends), self.depths[u]))
        sizes = [self.sizes[k] if what == "node" else insides[k].size if what == "part" else (0.0, 0.0) for what, k in items]
        return Plain(items, sizes, nets, list(part.uses), found)


def longest(n: int, edges: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """How many steps the longest way to each node has, and the longest way from it.

    Raises:
        CircleError: edges lead round in a circle.
    """
    up: list[list[int]] = [[] for _ in range(n)]
    down: list[list[int]] = [[] for _ in range(n)]
    for u, v in edges:
        up[v].append(u)
        down[u].append(v)
    depths, heights, order = [0] * n, [0] * n, walk(up, down)
    for u in order:
        for v in down[u]:
            depths[v] = max(depths[v], depths[u] + 1)
    for v in reversed(order):
        for u in up[v]:
            heights[u] = max(heights[u], heights[v] + 1)
    return depths, heights
