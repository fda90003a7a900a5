"""The rows of a layered layout: which row each node is in, where long edges bend, and the order within a row."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from itertools import pairwise

GAP, BEND_GAP = 18.0, 10.0  # between nodes, beside the bends of long edges
MAX_BENDS = 100_000         # long edges beyond this many bends are drawn straight
WORK = 250_000              # steps that sweeps may take; large graphs get fewer sweeps


def ranks(n: int, up: Sequence[Sequence[int]], down: Sequence[Sequence[int]]) -> list[int]:
    """The longest path to each node; what hangs on one node alone comes down to it."""
    rank, waiting = [0] * n, [len(u) for u in up]
    order = [i for i in range(n) if not waiting[i]]
    for i in order:  # grows while it runs
        for j in down[i]:
            rank[j] = max(rank[j], rank[i] + 1)
            waiting[j] -= 1
            if not waiting[j]:
                order.append(j)
    loose = [True] * n  # a tree of its own: it can move down as a whole, and only the edge from its root gets shorter
    for i in order:
        loose[i] = all(loose[j] and len(down[j]) == 1 for j in up[i])
    for i in reversed(order):
        if loose[i] and down[i]:
            rank[i] = min(rank[j] for j in down[i]) - 1
    return rank


class Rows:
    """The graph in rows: nodes, and a bend in each row that a long edge crosses; the edges from one node share their bends."""

    def __init__(self, sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]]) -> None:
        n = self.n = len(sizes)
        self.sizes, self.edges = sizes, edges
        up: list[list[int]] = [[] for _ in range(n)]
        down: list[list[int]] = [[] for _ in range(n)]
        for u, v in edges:
            up[v].append(u)
            down[u].append(v)
        self.rank = ranks(n, up, down)
        once = [not up[i] and len(down[i]) == 1 for i in range(n)]
        self.light = [once[i] and not all(once[j] for j in up[down[i][0]]) for i in range(n)]  # they gather around a user that others place
        self.last: dict[tuple[int, int], int] = {}                        # (u, v) -> the node or bend from which the edge enters v
        self.links: list[tuple[int, int]] = []                            # between nodes and bends of neighbouring rows
        self.trunks: list[list[int]] = []                                 # each long edge's way down to its last bend
        self.straight: set[tuple[int, int]] = set()
        self.bend(down)
        total = len(self.rank)
        self.up: list[list[int]] = [[] for _ in range(total)]
        self.down: list[list[int]] = [[] for _ in range(total)]
        for u, v in self.links:
            self.up[v].append(u)
            self.down[u].append(v)
        self.rounds = max(3, min(24, WORK // (len(self.links) + total + 1)))
        self.layers = self.first_order()

    def bend(self, down: list[list[int]]) -> None:
        """Put a bend into each row that the edges of a node cross, one for all of them."""
        rank, left = self.rank, MAX_BENDS
        spans = [max((rank[v] for v in down[u]), default=0) - rank[u] - 1 for u in range(self.n)]
        few = set()
        for u in sorted(range(self.n), key=lambda u: spans[u]):
            left -= max(0, spans[u])
            if left >= 0:
                few.add(u)
        for u in range(self.n):
            trunk = [u]
            for v in sorted(set(down[u]), key=lambda v: rank[v]):
                if u not in few and rank[v] > rank[u] + 1:
                    self.straight.add((u, v))
                    continue
                while len(trunk) < rank[v] - rank[u]:
                    self.links.append((trunk[-1], len(rank)))
                    trunk.append(len(rank))
                    rank.append(rank[u] + len(trunk) - 1)
                self.last[u, v] = trunk[-1]
            if len(trunk) > 1:
                self.trunks.append(trunk)
        self.links.extend((self.last[e], e[1]) for e in self.edges if e in self.last)

    def first_order(self) -> list[list[int]]:
        """Rows in the order of a walk up from the last nodes, in which a tree has no crossings."""
        layers: list[list[int]] = [[] for _ in range(max(self.rank, default=-1) + 1)]
        seen = [False] * len(self.rank)
        todo = [i for i in reversed(range(self.n)) if not self.down[i]]
        while todo:
            i = todo.pop()
            if not seen[i]:
                seen[i] = True
                layers[self.rank[i]].append(i)
                todo.extend(j for j in reversed(self.up[i]) if not seen[j])
        return layers

    # -- order -----------------------------------------------------------------------------------

    def reduce_crossings(self) -> None:
        """Sort each row by the mean place of the neighbours above, then below, and so on; keep the best."""
        self.at = [0] * len(self.rank)
        for layer in self.layers:
            self.number(layer)
        best, fewest, since = [list(layer) for layer in self.layers], self.crossings(), 0
        for turn in range(self.rounds):
            if not fewest or since >= 6:
                break
            downward = turn % 2 == 0
            for layer in self.layers if downward else reversed(self.layers):
                self.sort(layer, self.up if downward else self.down)
            since += 1
            if (now := self.crossings()) < fewest:
                best, fewest, since = [list(layer) for layer in self.layers], now, 0
        self.layers = best
        for layer in best:
            self.number(layer)

    def number(self, layer: list[int]) -> None:
        """Note the places in a row."""
        for place, i in enumerate(layer):
            self.at[i] = place

    def sort(self, layer: list[int], sides: list[list[int]]) -> None:
        """Sort a row by the mean place of the neighbours on one side; who has none there keeps its place."""
        at = self.at
        mean = {i: sum(at[j] for j in sides[i]) / len(sides[i]) for i in layer if sides[i]}
        moved = iter(sorted(mean, key=lambda i: (mean[i], at[i])))
        layer[:] = [next(moved) if i in mean else i for i in layer]
        self.number(layer)

    def crossings(self) -> int:
        """How many pairs of links cross."""
        total = 0
        for layer in self.layers[1:]:
            ends = sorted((self.at[j], self.at[i]) for i in layer for j in self.up[i])
            seen: list[int] = []
            for _, end in ends:
                total += len(seen) - bisect_right(seen, end)
                insort(seen, end)
        return total

    # -- widths ----------------------------------------------------------------------------------------

    def wide(self, i: int) -> float:
        """The width of a node; a bend has none."""
        return self.sizes[i][0] if i < self.n else 0.0

    def gaps(self, layer: list[int]) -> list[float]:
        """The least distances between the centres of neighbours in a row."""
        return [(self.wide(i) + self.wide(j)) / 2 + (GAP if i < self.n and j < self.n else BEND_GAP) for i, j in pairwise(layer)]
