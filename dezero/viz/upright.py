"""The upright lines of a layered layout: what nearly stands in a column comes to stand in it."""

from __future__ import annotations

from bisect import bisect
from itertools import pairwise
from math import inf

from dezero.viz.columns import Columns
from dezero.viz.rows import MOST_ROUNDS, Rows

# How far from upright a link may be that is made so: between bends, on a long way, from a main input, at a bend, from one of several
# inputs that are alike, and from a side input (never). The last is taken with which the picture is not wider than with the first by more
# than WIDER of it.
LIMITS = ((40.0, 24.0, 16.0, 8.0, 4.0, -1.0), (80.0, 44.0, 28.0, 10.0, 4.0, -1.0), (inf, 96.0, 48.0, 24.0, 4.0, -1.0))
WIDER = 0.12
PASSES = 3


def place(rows: Rows) -> Columns:
    """Give all items and bends their places, from 0 to the right."""
    columns = Columns(rows)
    columns.balance()
    x, balanced = columns.x, list(columns.x)
    half, best, narrow = [w / 2 for w in rows.wide], balanced, 0.0
    for limits in LIMITS if rows.rounds >= MOST_ROUNDS / 2 else LIMITS[:1]:
        x[:] = balanced
        Upright(columns, limits).settle()
        Upright(columns, limits).settle()  # what has come near to others joins them
        width = max(map(float.__add__, x, half), default=0.0) - min(map(float.__sub__, x, half), default=0.0)
        if not narrow:
            best, narrow = list(x), width
        elif width <= (1 + WIDER) * narrow:
            best = list(x)
    x[:] = best
    left = min(map(float.__sub__, x, half), default=0.0)
    x[:] = [a - left for a in x]
    return columns


class Upright:
    """Items joined into columns, with what keeps these apart and what pulls them."""

    def __init__(self, columns: Columns, limits: tuple[float, ...]) -> None:
        self.columns, self.rows = columns, columns.rows
        x, rows = columns.x, self.rows
        self.column, self.offset = self.join(limits)  # of each item, and how far right of its column it stands
        n = max(self.column, default=-1) + 1
        near: dict[tuple[int, int], float] = {}       # neighbours from left to right, and how far apart they must be
        for layer, gaps in zip(rows.layers, columns.gaps, strict=True):
            for (i, j), gap in zip(pairwise(layer), gaps, strict=True):
                pair, apart = (self.column[i], self.column[j]), gap + self.offset[i] - self.offset[j]
                near[pair] = max(near.get(pair, apart), apart)
        self.lefts: list[list[tuple[int, float]]] = [[] for _ in range(n)]
        self.rights: list[list[tuple[int, float]]] = [[] for _ in range(n)]
        for (a, b), apart in near.items():
            self.lefts[b].append((a, apart))
            self.rights[a].append((b, apart))
        self.pulls: list[list[tuple[int, float, float]]] = [[] for _ in range(n)]  # another column, how far right of it, how strongly
        for k, (u, v) in enumerate(zip(rows.start, rows.end, strict=True)):
            a, b = self.column[u], self.column[v]
            if a != b:
                apart = columns.shift[k] + self.offset[u] - self.offset[v]
                self.pulls[a].append((b, -apart, columns.weight[k]))
                self.pulls[b].append((a, apart, columns.weight[k]))
        self.bends = [True] * n                       # has a column nothing but bends?
        total, count = [0.0] * n, [0] * n
        for i, c in enumerate(self.column):
            self.bends[c] = self.bends[c] and rows.owner[i] < 0
            total[c] += x[i] - self.offset[i]
            count[c] += 1
        self.wants = [a / b for a, b in zip(total, count, strict=True)]

    def join(self, limits: tuple[float, ...]) -> tuple[list[int], list[float]]:
        """Choose the links that become upright, none of which crosses another."""
        rows, x, weight, shift = self.rows, self.columns.x, self.columns.weight, self.columns.shift
        lean = [abs(x[u] + a - x[v]) for u, v, a in zip(rows.start, rows.end, shift, strict=True)]
        up, down = [-1] * len(x), [-1] * len(x)
        taken: list[list[tuple[int, int]]] = [[] for _ in rows.layers]
        for _, _, k in sorted([(-int(w), a, k) for k, (w, a) in enumerate(zip(weight, lean, strict=True))]):
            u, v = rows.start[k], rows.end[k]
            if down[u] >= 0 or up[v] >= 0 or (k >= rows.slices and lean[k] > limits[self.kind(k)]):
                continue
            pairs, pair = taken[rows.rank[u]], (rows.at[u], rows.at[v])
            place = bisect(pairs, pair)
            if (place == 0 or pairs[place - 1][1] < pair[1]) and (place == len(pairs) or pairs[place][1] > pair[1]):
                pairs.insert(place, pair)
                down[u], up[v] = k, k
        column, offset, n = [0] * len(x), [0.0] * len(x), 0
        for layer in rows.layers:
            for i in layer:
                if up[i] < 0:
                    column[i], n = n, n + 1
                else:
                    above = rows.start[up[i]]
                    column[i], offset[i] = column[above], offset[above] + shift[up[i]]
        return column, offset

    def kind(self, k: int) -> int:
        """Which limit holds for a link; a side input does not stand above a node beside the main one."""
        rows, weight = self.rows, self.columns.weight[k]
        u, v = rows.owner[rows.start[k]], rows.owner[rows.end[k]]
        if u < 0 and v < 0:
            return 0
        if weight >= 3:
            return 1 if weight >= 8 else 2
        if u < 0 or v < 0:
            return 3
        main = self.columns.main[v]
        return 4 if main < 0 else 3 if main == k or rows.owner[rows.start[main]] < 0 else 5

    def settle(self) -> None:
        """Move the columns apart until nothing overlaps, then each to where it is pulled as far as there is room."""
        order = self.across()
        places = self.apart(order)
        for _ in range(PASSES):
            for way in (order, order[::-1]):
                for c in way:
                    low, high = -inf, inf
                    for a, apart in self.lefts[c]:
                        low = max(low, places[a] + apart)
                    for b, apart in self.rights[c]:
                        high = min(high, places[b] - apart)
                    if self.pulls[c]:
                        places[c] = min(max(self.wish(c, places, low, high), low), max(low, high))
        self.columns.x[:] = [places[c] + offset for c, offset in zip(self.column, self.offset, strict=True)]

    def across(self) -> list[int]:
        """The columns, each after all that are left of it; there are no circles, as no column crosses another."""
        waiting = [len(side) for side in self.lefts]
        order = [c for c, w in enumerate(waiting) if not w]
        for c in order:  # grows while it runs
            for d, _ in self.rights[c]:
                waiting[d] -= 1
                if not waiting[d]:
                    order.append(d)
        return order

    def apart(self, order: list[int]) -> list[float]:
        """Places near the wanted ones that keep all distances: half way between pushing everything right and everything left."""
        right, left = list(self.wants), list(self.wants)
        for c in order:
            for a, apart in self.lefts[c]:
                right[c] = max(right[c], right[a] + apart)
        for c in reversed(order):
            for b, apart in self.rights[c]:
                left[c] = min(left[c], left[b] - apart)
        return [(a + b) / 2 for a, b in zip(left, right, strict=True)]

    def wish(self, c: int, places: list[float], low: float, high: float) -> float:
        """Where a column would like to be, with room from low to high: the weighted median of where its links to other columns are upright."""
        pulls = sorted([(places[d] + apart, weight) for d, apart, weight in self.pulls[c]])
        half, total = sum([weight for _, weight in pulls]) / 2, 0.0
        for k, (want, weight) in enumerate(pulls):
            total += weight
            if total > half + 1e-9:
                return want
            if total >= half - 1e-9:
                other = pulls[min(k + 1, len(pulls) - 1)][0]
                if not self.bends[c]:
                    return (want + other) / 2
                return other if low <= other <= high and not low <= want <= high else want  # one turn is better than two half ones
        return pulls[-1][0]
