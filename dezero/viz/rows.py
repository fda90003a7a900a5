"""The rows of a layered layout: which row each item is in, and where long edges bend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

MAX_BENDS = 100_000  # long edges beyond this many bends are drawn straight
MOST_ROUNDS = 24     # sweeps over a small graph
WORK = 250_000       # steps that sweeps may take; large graphs get fewer sweeps


@dataclass(frozen=True, slots=True)
class End:
    """Where a net ends."""

    item: int
    enter: float | None    # the place, from the centre of the item; None: at the top of a node, beside the others that enter
    edge: int              # that ends here, or the first of those that go on from here
    height: int = 0        # steps on the longest way from here in the whole graph


@dataclass(frozen=True, slots=True)
class Net:
    """The edges that leave an item at one place; they share their way down."""

    source: int            # the item
    leave: float           # the place, from the centre of the item
    ends: tuple[End, ...]
    depth: int = 0         # steps on the longest way to its node in the whole graph


class CircleError(ValueError):
    """Edges lead round in a circle; ``items`` are those on it or behind it, ``names`` what they stand for."""

    def __init__(self, items: Sequence[int], names: Sequence[tuple[str, int]] = ()) -> None:
        super().__init__(f"edges lead round in a circle through some of {list(items)[:10]}")
        self.items, self.names = items, names or [("node", i) for i in items]


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


def neighbours(n: int, nets: Sequence[Net]) -> tuple[list[list[int]], list[list[int]]]:
    """The items that lead to each item, and those to which it leads, each once."""
    above: list[list[int]] = [[] for _ in range(n)]
    below: list[list[int]] = [[] for _ in range(n)]
    for u, v in dict.fromkeys((net.source, end.item) for net in nets for end in net.ends):
        above[v].append(u)
        below[u].append(v)
    return above, below


def ranks(up: Sequence[Sequence[int]], down: Sequence[Sequence[int]], spans: Sequence[int], entries: range,
          exits: range) -> tuple[list[int], list[bool]]:
    """The first row of each item, and which items are side trees: they need nothing but themselves and have one user.

    It is the longest path to the item, moved down where that makes edges shorter. Entries are alone in the first row, exits in the last.
    """
    order = walk(up, down)
    rank = [int(len(entries) > 0 and i not in entries) for i in range(len(up))]
    for i in order:
        for j in down[i]:
            rank[j] = max(rank[j], rank[i] + spans[i])
    if exits:
        last = max((rank[i] if i in exits else rank[i] + spans[i] for i in order), default=0)
        rank[exits.start:exits.stop] = [last] * len(exits)
    loose = [i not in entries for i in range(len(up))]
    for i in order:
        loose[i] = loose[i] and all(loose[j] and len(down[j]) == 1 for j in up[i])
    still = {*entries, *exits, *[i for i in order if loose[i]]}
    settle(rank, order, [[j for j in u if not loose[j]] for u in up], down, spans, still)
    for i in reversed(order):
        if loose[i] and down[i]:
            rank[i] = min(rank[j] for j in down[i]) - spans[i]
    return rank, loose


def settle(rank: list[int], order: Sequence[int], up: Sequence[Sequence[int]], down: Sequence[Sequence[int]], spans: Sequence[int],
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
        free = min([min(rank[j] for j in down[tail[i]]) - spans[tail[i]] - rank[tail[i]], *(reach[j] - rank[i] for j in up[i])])
        while free > 0:
            rank[i] += free
            if i == tail[i]:
                break
            i = down[i][0]


class Rows:
    """Items in rows, and a bend in each row that a long net crosses.

    An item that spans several rows has a slice in each row after its first. Items from ``n`` on are slices and bends. The last
    ``entries + exits`` items before are ports: the entries alone in the first row, the exits in the last; ``fixed`` says which stay in order.
    """

    def __init__(self, sizes: Sequence[tuple[float, float]], nets: Sequence[Net], spans: Sequence[int], entries: int = 0,
                 exits: int = 0, fixed: tuple[bool, bool] = (False, False)) -> None:
        n = self.n = len(sizes)
        self.nets, self.spans, self.entries, self.exits, self.fixed = nets, spans, entries, exits, fixed
        self.nodes = n - entries - exits
        self.above, self.below = neighbours(n, nets)
        self.rank, self.loose = ranks(self.above, self.below, self.spans, range(self.nodes, self.nodes + entries), range(self.nodes + entries, n))
        self.wide = [w for w, _ in sizes]            # of each item, slice and bend
        self.high = [h for _, h in sizes]
        self.owner = list(range(n))                  # the item of which it is, -1 for a bend
        self.start: list[int] = []                   # of each link between neighbouring rows: the item or bend above,
        self.end: list[int] = []                     # and below,
        self.leave: list[float] = []                 # and where it leaves and enters them, from their centres
        self.enter: list[float | None] = []
        self.edge: list[int] = []                    # the first edge in it, -1 between slices
        self.net: list[int] = []                     # and its net, -1 between slices
        self.height: list[int] = []                  # steps on the longest way on from it
        self.foot = [self.slice(i) for i in range(n)]  # the last slice of each item
        self.slices = len(self.start)                # so many links are between slices
        self.last: dict[tuple[int, int], int] = {}   # (net, item) -> the slice or bend from which the net enters the item
        self.into: dict[tuple[int, int], int] = {}   # (net, item) -> that link; not there where the net runs straight through many rows
        self.trunks: list[tuple[int, list[int]]] = []  # of each long net: itself, where it starts and its bends
        self.bend()
        total = len(self.rank)
        self.ups: list[list[int]] = [[] for _ in range(total)]    # links
        self.downs: list[list[int]] = [[] for _ in range(total)]
        for k, (u, v) in enumerate(zip(self.start, self.end, strict=True)):
            self.ups[v].append(k)
            self.downs[u].append(k)
        self.rounds = max(3, min(MOST_ROUNDS, WORK // (len(self.start) + total + 1)))
        self.layers: list[list[int]] = []
        self.at: list[int] = []                      # the place of each item in its row
        self.crossings = 0

    def slice(self, i: int) -> int:
        """Put slices of an item into the rows that it spans; the last of them."""
        for r in range(1, self.spans[i]):
            above = i if r == 1 else len(self.rank) - 1
            self.link(above, self.add(self.rank[i] + r, i), 0.0, 0.0, -1, -1, 0)
        return i if self.spans[i] == 1 else len(self.rank) - 1

    def bend(self) -> None:
        """Put a bend into each row that a net crosses; the shortest nets come first where there are too many."""
        rank, left = self.rank, MAX_BENDS
        spans = [max((rank[end.item] for end in net.ends), default=0) - rank[self.foot[net.source]] - 1 for net in self.nets]
        few = set()
        for k in sorted(range(len(self.nets)), key=lambda k: spans[k]):
            left -= max(0, spans[k])
            if left >= 0:
                few.add(k)
        for k, net in enumerate(self.nets):
            trunk = [self.foot[net.source]]
            top = rank[trunk[0]]
            ends = sorted(net.ends, key=lambda end: rank[end.item])
            beyond = list(accumulate(reversed([end.height for end in ends]), max))
            for end, high in zip(ends, reversed(beyond), strict=True):
                v = end.item
                if (k, v) in self.last:
                    continue
                self.last[k, v] = trunk[0]
                if k not in few and rank[v] > top + 1:
                    continue
                while len(trunk) < rank[v] - top:
                    bend = self.add(top + len(trunk), -1)
                    self.link(trunk[-1], bend, net.leave if len(trunk) == 1 else 0.0, 0.0, end.edge, k, high)
                    trunk.append(bend)
                self.last[k, v] = trunk[-1]
                self.into[k, v] = len(self.start)
                self.link(trunk[-1], v, net.leave if len(trunk) == 1 else 0.0, end.enter, end.edge, k, end.height)
            if len(trunk) > 1:
                self.trunks.append((k, trunk))

    def add(self, row: int, owner: int) -> int:
        """A new slice of an item, or a bend."""
        self.rank.append(row)
        self.owner.append(owner)
        self.wide.append(self.wide[owner] if owner >= 0 else 0.0)
        self.high.append(0.0)
        return len(self.rank) - 1

    def share(self, i: int, offset: float) -> float:
        """Where on an item a place is, in the measure of places in a row: less than half to the left or right."""
        return 0.9 * offset / (self.wide[i] or 1.0)

    def link(self, u: int, v: int, leave: float, enter: float | None, edge: int, net: int, height: int) -> None:
        """Join two of neighbouring rows."""
        self.start.append(u)
        self.end.append(v)
        self.leave.append(leave)
        self.enter.append(enter)
        self.edge.append(edge)
        self.net.append(net)
        self.height.append(height)
