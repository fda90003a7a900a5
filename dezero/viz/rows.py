"""The rows of a layered layout: which row each item is in, and where long edges bend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MAX_BENDS = 100_000  # long edges beyond this many bends are drawn straight
WORK = 250_000       # steps that sweeps may take; large graphs get fewer sweeps

End = tuple[int, float | None, int]  # an item, where it is entered from its centre (None: beside the others that enter), the edge that ends there


@dataclass(frozen=True, slots=True)
class Net:
    """The edges that leave an item at one place; they share their way down."""

    source: int            # the item
    leave: float           # the place, from the centre of the item
    ends: tuple[End, ...]  # an edge of -1 goes on inside of the item


class CircleError(ValueError):
    """Edges lead round in a circle; ``items`` are those on it or behind it."""

    def __init__(self, items: list[int]) -> None:
        super().__init__(f"items {items} are in a circle")
        self.items = items


def walk(up: Sequence[Sequence[int]], down: Sequence[Sequence[int]]) -> list[int]:
    """The items, each after all that lead to it."""
    waiting = [len(u) for u in up]
    order = [i for i, w in enumerate(waiting) if not w]
    for i in order:  # grows while it runs
        for j in down[i]:
            waiting[j] -= 1
            if not waiting[j]:
                order.append(j)
    if len(order) < len(up):
        raise CircleError([i for i, w in enumerate(waiting) if w])
    return order


def ranks(up: Sequence[Sequence[int]], down: Sequence[Sequence[int]], entries: range, exits: range) -> tuple[list[int], list[bool]]:
    """The row of each item, and which items are side trees: they need nothing but themselves and have one user.

    It is the longest path to the item, moved down where that makes edges shorter. Entries are alone in the first row, exits in the last.
    """
    order = walk(up, down)
    rank = [int(len(entries) > 0 and i not in entries) for i in range(len(up))]
    for i in order:
        for j in down[i]:
            rank[j] = max(rank[j], rank[i] + 1)
    if exits:
        last = max((rank[i] + (i not in exits) for i in order), default=0)
        rank[exits.start:exits.stop] = [last] * len(exits)
    loose = [i not in entries for i in range(len(up))]
    for i in order:
        loose[i] = loose[i] and all(loose[j] and len(down[j]) == 1 for j in up[i])
    settle(rank, order, [[j for j in u if not loose[j]] for u in up], down, {*entries, *exits, *[i for i in order if loose[i]]})
    for i in reversed(order):
        if loose[i] and down[i]:
            rank[i] = min(rank[j] for j in down[i]) - 1
    return rank, loose


def settle(rank: list[int], order: Sequence[int], up: Sequence[Sequence[int]], down: Sequence[Sequence[int]],
           still: set[int]) -> None:
    """Move chains down as far as their inputs have another user there: as all edges of an item share their way, these get no longer."""
    reach = [max((rank[j] for j in d), default=0) for d in down]
    tail = list(range(len(rank)))  # the end of the chain that begins at an item: one item leads to the next, and to nothing else
    for i in reversed(order):
        if len(down[i]) == 1 and len(up[down[i][0]]) == 1 and i not in still and down[i][0] not in still:
            tail[i] = tail[down[i][0]]
    for i in reversed(order):
        if i in still or not down[tail[i]] or len(up[i]) == 1 and tail[up[i][0]] == tail[i]:
            continue
        free = min([min(rank[j] for j in down[tail[i]]) - 1 - rank[tail[i]], *(reach[j] - rank[i] for j in up[i])])
        while free > 0:
            rank[i] += free
            if i == tail[i]:
                break
            i = down[i][0]


class Rows:
    """Items in rows, and a bend in each row that a long net crosses.

    Items from ``n`` on are bends. The last ``entries + exits`` items before are ports: the entries alone in the first row, the exits in the last.
    """

    def __init__(self, sizes: Sequence[tuple[float, float]], nets: Sequence[Net], entries: int = 0, exits: int = 0) -> None:
        n = self.n = len(sizes)
        self.sizes, self.nets, self.entries, self.exits = sizes, nets, entries, exits
        nodes = n - entries - exits
        pairs = dict.fromkeys((net.source, end[0]) for net in nets for end in net.ends)
        self.above: list[list[int]] = [[] for _ in range(n)]  # the items that lead to an item, each once
        self.below: list[list[int]] = [[] for _ in range(n)]
        for u, v in pairs:
            self.above[v].append(u)
            self.below[u].append(v)
        self.rank, self.loose = ranks(self.above, self.below, range(nodes, nodes + entries), range(nodes + entries, n))
        self.start: list[int] = []                   # of each link between neighbouring rows: the item or bend above,
        self.end: list[int] = []                     # and below,
        self.leave: list[float] = []                 # and where it leaves and enters them, from their centres
        self.enter: list[float | None] = []
        self.edge: list[int] = []                    # the first edge in it
        self.last: dict[tuple[int, int], int] = {}   # (net, item) -> the item or bend from which the net enters the item
        self.into: dict[tuple[int, int], int] = {}   # (net, item) -> that link; not there where the net runs straight through many rows
        self.trunks: list[tuple[int, list[int]]] = []  # of each long net: itself, its source and its bends
        self.bend()
        total = len(self.rank)
        self.ups: list[list[int]] = [[] for _ in range(total)]    # links
        self.downs: list[list[int]] = [[] for _ in range(total)]
        for k, (u, v) in enumerate(zip(self.start, self.end, strict=True)):
            self.ups[v].append(k)
            self.downs[u].append(k)
        self.rounds = max(3, min(24, WORK // (len(self.start) + total + 1)))
        self.layers: list[list[int]] = []
        self.at: list[int] = []                      # the place of each item in its row

    def bend(self) -> None:
        """Put a bend into each row that a net crosses; the shortest nets come first where there are too many."""
        rank, left = self.rank, MAX_BENDS
        spans = [max((rank[v] for v, _, _ in net.ends), default=0) - rank[net.source] - 1 for net in self.nets]
        few = set()
        for k in sorted(range(len(self.nets)), key=lambda k: spans[k]):
            left -= max(0, spans[k])
            if left >= 0:
                few.add(k)
        for k, net in enumerate(self.nets):
            trunk, top = [net.source], rank[net.source]
            for v, enter, edge in sorted(net.ends, key=lambda end: rank[end[0]]):
                if (k, v) in self.last:
                    continue
                self.last[k, v] = net.source
                if k not in few and rank[v] > top + 1:
                    continue
                while len(trunk) < rank[v] - top:
                    self.link(trunk[-1], len(rank), net.leave if len(trunk) == 1 else 0.0, 0.0, edge)
                    trunk.append(len(rank))
                    rank.append(top + len(trunk) - 1)
                self.last[k, v] = trunk[-1]
                self.into[k, v] = len(self.start)
                self.link(trunk[-1], v, net.leave if len(trunk) == 1 else 0.0, enter, edge)
            if len(trunk) > 1:
                self.trunks.append((k, trunk))

    def link(self, u: int, v: int, leave: float, enter: float | None, edge: int) -> None:
        """Join two items of neighbouring rows."""
        self.start.append(u)
        self.end.append(v)
        self.leave.append(leave)
        self.enter.append(enter)
        self.edge.append(edge)

    def wide(self, i: int) -> float:
        """The width of an item; a bend has none."""
        return self.sizes[i][0] if i < self.n else 0.0

    def high(self, i: int) -> float:
        """The height of an item; a bend has none."""
        return self.sizes[i][1] if i < self.n else 0.0
