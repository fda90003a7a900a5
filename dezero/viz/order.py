"""The order of the items within the rows of a layered layout, with few crossings."""

from __future__ import annotations

from bisect import bisect_right, insort
from itertools import pairwise

from dezero.viz.rows import Rows

PATIENCE = 6  # sweeps without gain before the search ends


class Order:
    """Where the links of each item end, in the measure of places in a row."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        total = len(rows.rank)
        self.at = rows.at = [0] * total
        self.above: list[list[tuple[int, float]]] = [[] for _ in range(total)]  # neighbours, and where on them
        self.below: list[list[tuple[int, float]]] = [[] for _ in range(total)]
        for k in sorted(range(len(rows.start)), key=lambda k: (rows.leave[k], rows.enter[k] or 0.0, rows.edge[k])):
            u, v, leave, enter = rows.start[k], rows.end[k], rows.leave[k], rows.enter[k]
            self.above[v].append((u, 0.9 * leave / (rows.wide(u) or 1.0)))
            self.below[u].append((v, 0.9 * (enter or 0.0) / (rows.wide(v) or 1.0)))
        self.layers = self.walk(downward=False)
        self.number()

    def walk(self, downward: bool) -> list[list[int]]:
        """Rows in the order of a walk up from the last items (or down from the first), in which a tree has no crossings."""
        sides, starts = (self.below, self.above) if downward else (self.above, self.below)
        layers: list[list[int]] = [[] for _ in range(max(self.rows.rank, default=-1) + 1)]
        seen = [False] * len(self.at)
        todo = [i for i in reversed(range(self.rows.n)) if not starts[i]]
        while todo:
            i = todo.pop()
            if not seen[i]:
                seen[i] = True
                layers[self.rows.rank[i]].append(i)
                todo.extend(j for j, _ in reversed(sides[i]) if not seen[j])
        return layers

    def number(self) -> None:
        """Note the places in all rows."""
        for layer in self.layers:
            for place, i in enumerate(layer):
                self.at[i] = place

    def sort(self, layer: list[int], sides: list[list[tuple[int, float]]]) -> None:
        """Sort a row by the mean place of the neighbours on one side; who has none there keeps its place."""
        at = self.at
        mean = {i: sum(at[j] + s for j, s in sides[i]) / len(sides[i]) for i in layer if sides[i]}
        moved = iter(sorted(mean, key=lambda i: (mean[i], at[i])))
        layer[:] = [next(moved) if i in mean else i for i in layer]
        for place, i in enumerate(layer):
            at[i] = place

    def crossings(self) -> int:
        """How many pairs of links cross."""
        total, at = 0, self.at
        for layer in self.layers[1:]:
            ends = sorted((at[u] + s, at[v]) for v in layer for u, s in self.above[v])
            seen: list[int] = []
            for _, end in ends:
                total += len(seen) - bisect_right(seen, end)
                insort(seen, end)
        return total

    def exchange(self) -> bool:
        """Exchange neighbours in a row wherever that saves crossings; whether it did."""
        at, found = self.at, False
        for layer in self.layers:
            for k, (i, j) in enumerate(pairwise(list(layer))):
                i = layer[k]
                before = after = 0
                for sides in (self.above, self.below):
                    left, right = [at[a] + s for a, s in sides[i]], [at[a] + s for a, s in sides[j]]
                    before += sum(a > b for a in left for b in right)
                    after += sum(b > a for a in left for b in right)
                if after < before:
                    layer[k], layer[k + 1] = j, i
                    at[i], at[j] = k + 1, k
                    found = True
        return found


def reduce_crossings(rows: Rows) -> None:
    """Sort each row by the neighbours above, then below, and so on; keep the best."""
    order = Order(rows)
    best, fewest, since = [list(layer) for layer in order.layers], order.crossings(), 0
    for turn in range(rows.rounds):
        if not fewest or since >= PATIENCE:
            break
        downward = turn % 2 == 0
        for layer in order.layers if downward else reversed(order.layers):
            order.sort(layer, order.above if downward else order.below)
        since += 1
        if (now := order.crossings()) < fewest:
            best, fewest, since = [list(layer) for layer in order.layers], now, 0
    order.layers = rows.layers = best
    order.number()
    for _ in range(rows.rounds // 2 if fewest else 0):
        if not order.exchange():
            break
