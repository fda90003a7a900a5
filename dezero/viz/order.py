"""The order of the items within the rows of a layered layout, with few crossings."""

from __future__ import annotations

from bisect import bisect_right, insort

import numpy as np
from numpy.typing import NDArray

from dezero.viz.rows import MOST_ROUNDS, Rows

PATIENCE = 6  # sweeps without gain before a search ends
STARTS = ((False, False), (False, True), (True, False), (True, True))  # mirrored, downward
SOLID = 1000   # crossings that one with an item counts for
CROWD = 20_000 # links between two rows, beyond which no order helps
CELLS = 2_000_000  # numbers in the tables for a row that is sifted
FEW = 8        # links of an item that is put in the order of the arguments

Neighbour = tuple[int, float, int]  # an item, where on it a link ends, and how bad it is to cross that


class Order:
    """Where the links of each item end, in the measure of places in a row, and how bad it is to cross them."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        total = len(rows.rank)
        self.at = rows.at = [0] * total
        self.above: list[list[Neighbour]] = [[] for _ in range(total)]
        self.below: list[list[Neighbour]] = [[] for _ in range(total)]
        self.gaps: list[list[tuple[int, float, int, float]]] = [[] for _ in range(max(rows.rank, default=-1) + 1)]  # the links above each row
        for k in sorted(range(len(rows.start)), key=lambda k: (rows.leave[k], rows.enter[k] or 0.0, rows.edge[k])):
            u, v, leave, enter = rows.start[k], rows.end[k], rows.leave[k], rows.enter[k]
            weight = 1 if k >= rows.slices else SOLID
            upper, lower = rows.share(u, leave), rows.share(v, enter or 0.0)
            self.above[v].append((u, upper, weight))
            self.below[u].append((v, lower, weight))
            self.gaps[rows.rank[v]].append((u, upper, v, lower))
        self.layers: list[list[int]] = []
        middle = rows.nodes + rows.entries
        ports = {0: range(rows.nodes, middle), max(rows.rank, default=0): range(middle, rows.n)}
        self.ports = {r: items for fixed, (r, items) in zip(rows.fixed, ports.items(), strict=False) if fixed and items}  # rows that stay

    def walk(self, downward: bool, mirrored: bool) -> list[list[int]]:
        """Rows in the order of a walk up from the last items (or down from the first), in which a tree has no crossings."""
        sides, starts = (self.below, self.above) if downward else (self.above, self.below)
        layers: list[list[int]] = [[] for _ in range(max(self.rows.rank, default=-1) + 1)]
        seen = [False] * len(self.at)
        ends = [i for i in range(len(self.at)) if not starts[i]]
        todo = sorted(ends, key=lambda i: self.rows.owner[i], reverse=True)
        while todo:
            i = todo.pop()
            if not seen[i]:
                seen[i] = True
                layers[self.rows.rank[i]].append(i)
                todo.extend([j for j, _, _ in (sides[i] if mirrored else reversed(sides[i])) if not seen[j]])
        for r, ports in self.ports.items():
            layers[r] = list(ports)
        return layers

    def number(self) -> None:
        """Note the places in all rows."""
        for layer in self.layers:
            for place, i in enumerate(layer):
                self.at[i] = place

    def sort(self, layer: list[int], sides: list[list[Neighbour]]) -> None:
        """Sort a row by the mean place of the neighbours on one side; who has none there keeps its place."""
        at = self.at
        mean = {i: sum([at[j] + s for j, s, _ in sides[i]]) / len(sides[i]) for i in layer if sides[i]}
        moved = iter(sorted(mean, key=lambda i: (mean[i], at[i])))
        layer[:] = [next(moved) if i in mean else i for i in layer]
        for place, i in enumerate(layer):
            at[i] = place

    def crossings(self) -> int:
        """How many pairs of links cross, those through solid items counted many times."""
        total, at = SOLID * len(self.cuts()), self.at
        for links in self.gaps:
            if len(links) > CROWD:
                continue
            ends = sorted([(at[u] + s, at[v] + t) for u, s, v, t in links])
            seen: list[float] = []
            for _, end in ends:
                total += len(seen) - bisect_right(seen, end)
                insort(seen, end)
        return total

    def cuts(self) -> list[int]:
        """The links between slices of an item that others cross."""
        rows, at, found = self.rows, self.at, []
        body: dict[int, list[int]] = {}
        for k in range(rows.slices):
            body.setdefault(rows.rank[rows.end[k]], []).append(k)
        for r, links in body.items():
            ends = [(at[u] + s, at[v] + t) for u, s, v, t in self.gaps[r]]
            for k in links:
                a, b = at[rows.start[k]], at[rows.end[k]]
                if any((p - a) * (q - b) < 0 for p, q in ends):
                    found.append(k)
        return found

    def cost(self, layer: list[int]) -> NDArray[np.float64]:
        """By how much more links cross if the first of two items in a row is left of the second than if it is right of it."""
        at, n = self.at, len(layer)
        total = np.zeros((n, n))
        for sides in (self.above, self.below):
            ends = sorted({at[a] + s for i in layer for a, s, _ in sides[i]})
            column = {end: k for k, end in enumerate(ends)}
            links = np.zeros((n, len(ends)))
            for k, i in enumerate(layer):
                for a, s, weight in sides[i]:
                    links[k, column[at[a] + s]] += weight
            right = links @ (np.cumsum(links, axis=1) - links).T  # ends of the first right of ends of the second
            total += right - right.T
        return total

    def sift(self) -> bool:
        """Move each item to the place in its row where its links cross fewest others; whether any moved.

        As in Matuszewski, Schönfeld and Molitor (1999), "Using sifting for k-layer straightline crossing minimization".
        """
        found = False
        for r, layer in enumerate(self.layers):
            size = len(layer) + sum([len(self.above[i]) + len(self.below[i]) for i in layer])
            if len(layer) < 2 or len(layer) * size > CELLS or r in self.ports:
                continue
            cost, order = self.cost(layer), list(range(len(layer)))
            for k in range(len(layer)):
                now = order.index(k)
                rest = order[:now] + order[now + 1:]
                places = np.append(np.cumsum(cost[k, rest[::-1]])[::-1], 0.0)  # left of all, of all but the first, ...
                best = int(places.argmin())
                if places[best] < places[now]:
                    order = [*rest[:best], k, *rest[best:]]
            if order != sorted(order):
                layer[:] = [layer[k] for k in order]
                for place, i in enumerate(layer):
                    self.at[i] = place
                found = True
        return found

    def search(self, downward: bool, mirrored: bool) -> int:
        """Walk, sort each row by the neighbours on one side, then on the other, and so on, then sift; how many crossings are left."""
        self.layers = self.walk(downward, mirrored)
        self.number()
        best, fewest, since = self.layers, self.crossings(), 0
        for turn in range(self.rows.rounds):
            if not fewest or since >= PATIENCE:
                break
            self.layers = [list(layer) for layer in self.layers]
            up = downward == (turn % 2 == 0)
            for r in reversed(range(len(self.layers))) if up else range(len(self.layers)):
                if r not in self.ports:
                    self.sort(self.layers[r], self.below if up else self.above)
            since += 1
            if (now := self.crossings()) < fewest:
                best, fewest, since = self.layers, now, 0
        self.layers = best
        self.number()
        for _ in range(self.rows.rounds // 2 if fewest else 0):
            if not self.sift():
                break
        return self.crossings() if fewest else 0

    def arrange(self) -> None:
        """Exchange neighbours in a row that lead to the same node in the wrong order of its arguments, where that costs no crossing."""
        at, first = self.at, self.rows.edge
        users = [{self.rows.end[k]: first[k] for k in links} if len(links) + len(up) <= FEW else {}
                 for links, up in zip(self.rows.downs, self.rows.ups, strict=True)]
        for r, layer in enumerate(self.layers):
            for _ in range(PATIENCE if r not in self.ports else 0):
                swapped = False
                for k, j in enumerate(layer[1:]):
                    i = layer[k]
                    common = [v for v in users[i] if v in users[j]]
                    if common and all(users[i][v] > users[j][v] >= 0 for v in common) and self.gain(i, j) >= 0:
                        layer[k], layer[k + 1] = j, i
                        at[i], at[j] = k + 1, k
                        swapped = True
                if not swapped:
                    break

    def gain(self, i: int, j: int) -> int:
        """How many crossings it saves to exchange two neighbours in a row, of which ``i`` is the left one."""
        total, at = 0, self.at
        for sides in (self.above, self.below):
            for a, s, w in sides[i]:
                for b, t, v in sides[j]:
                    total += w * v * ((at[a] + s > at[b] + t) - (at[a] + s < at[b] + t))
        return total


def reduce_crossings(rows: Rows) -> list[int]:
    """Find an order in all rows with few crossings.

    Returns:
        The links between slices that are crossed: these items cannot span so many rows.
    """
    order = Order(rows)
    fewest = -1
    alike = any(n > 1 and not fixed for n, fixed in zip((rows.entries, rows.exits), rows.fixed, strict=True))  # groups may be, and shall look so
    for mirrored, downward in STARTS if not alike and rows.rounds == MOST_ROUNDS else STARTS[:1]:
        found = order.search(downward, mirrored)
        if fewest < 0 or found < fewest:
            rows.layers, fewest = order.layers, found
        if not fewest:
            break
    order.layers, rows.crossings = rows.layers, fewest
    order.number()
    order.arrange()
    return order.cuts()
