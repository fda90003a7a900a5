"""The columns of a layered layout: from left to right, where each item and each bend stands."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from itertools import pairwise
from math import inf

from dezero.viz.rows import Rows

GAP, BEND_GAP = 18.0, 10.0  # between items, beside bends
NEAR = 24.0                 # a link that is so nearly upright is made upright
REPEAT = 2
LIMITS = ((1e9, 96.0, 48.0, 24.0), (100.0, 50.0, 30.0, 10.0), (40.0, 24.0, 16.0, 8.0))
STEP = 12.0                 # between edges that enter a node side by side


def nearest(wants: Sequence[float], weights: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """The places nearest to ``wants`` in weighted least squares that keep the order and the gaps.

    With the gaps taken off it is isotonic regression, solved by pooling neighbours that violate the order (Ayer, Brunk, Ewing,
    Reid and Silverman, 1955, "An empirical distribution function for sampling with incomplete information").

    Examples:
        >>> nearest([5.0, 5.0], [1.0, 1.0], [4.0])
        [3.0, 7.0]
    """
    blocks: list[tuple[float, float, int]] = []  # mean, weight, how many
    offsets, offset = [], 0.0
    for i, (want, weight) in enumerate(zip(wants, weights, strict=True)):
        offset += gaps[i - 1] if i else 0.0
        offsets.append(offset)
        mean, count = want - offset, 1
        while blocks and blocks[-1][0] >= mean:
            before, other, more = blocks.pop()
            mean = (mean * weight + before * other) / (weight + other)
            weight, count = weight + other, count + more
        blocks.append((mean, weight, count))
    flat = [mean for mean, _, count in blocks for _ in range(count)]
    return [a + b for a, b in zip(flat, offsets, strict=True)]


class Columns:
    """The places of all items, and what pulls them."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.x = [0.0] * len(rows.rank)
        self.gaps = [[self.gap(i, j) for i, j in pairwise(layer)] for layer in rows.layers]
        self.main = [self.chief(v) for v in range(rows.n)]
        self.mouths = self.enter()  # (net, number of the end) -> where that edge enters its node, from its centre
        self.weight = [self.pull(k) for k in range(len(rows.start))]
        self.shift = self.shifts()  # of each link: how much farther right its lower item stands if it is upright

    def gap(self, i: int, j: int) -> float:
        """The least distance between the centres of neighbours in a row."""
        n = self.rows.n
        return (self.rows.wide(i) + self.rows.wide(j)) / 2 + (GAP if i < n and j < n and self.rows.wide(i) and self.rows.wide(j) else BEND_GAP)

    def chief(self, v: int) -> int:
        """The link that comes to a node from its main input, -1 if none stands out: side trees do not, nor do edges from afar."""
        rows = self.rows
        links = rows.ups[v]
        for keep in (lambda u: u >= rows.n or not rows.loose[u], lambda u: u >= rows.n or bool(rows.above[u])):
            solid = [k for k in links if keep(rows.start[k])]
            if solid:
                near = [k for k in solid if rows.start[k] < rows.n]
                return solid[0] if len(solid) == 1 else near[0] if len(near) == 1 else -1
        return links[0] if len(links) == 1 else -1

    def enter(self) -> dict[tuple[int, int], float]:
        """Where edges enter nodes: the main one in the middle, the others beside it in the order in which they come."""
        rows = self.rows
        coming: list[list[tuple[float, int, int, int]]] = [[] for _ in range(rows.n)]
        for k, net in enumerate(rows.nets):
            for e, (v, enter, edge) in enumerate(net.ends):
                if enter is None:
                    u = rows.last[k, v]
                    coming[v].append((rows.at[u] + (0.9 * net.leave / (rows.wide(u) or 1.0) if u == net.source else 0.0), edge, k, e))
        found = {}
        for v, edges in enumerate(coming):
            edges.sort()
            chief = [nth for nth, (_, _, k, _) in enumerate(edges) if rows.into.get((k, v), -2) == self.main[v]]
            middle = chief[0] if len(chief) == 1 else (len(edges) - 1) / 2
            step = min(STEP, 0.36 * rows.wide(v) / max(1.0, middle, len(edges) - 1 - middle))
            for nth, (_, _, k, e) in enumerate(edges):
                found[k, e] = step * (nth - middle)
        return found

    def pull(self, k: int) -> float:
        """How much a link wants to be upright: most between bends, much to a main input, hardly from an input that is used once.

        The factors 1 and 8 are those of Gansner, Koutsofios, North and Vo (1993), "A technique for drawing directed graphs".
        """
        rows = self.rows
        u, v = rows.start[k], rows.end[k]
        if u >= rows.n and v >= rows.n:
            return 8.0
        if v < rows.n and self.main[v] == k:
            return 8.0 if len(rows.downs[u]) == 1 else 3.0
        if u < rows.n and rows.loose[u] and v < rows.n and self.main[v] >= 0:
            return 0.001 if not rows.above[u] else 0.1
        return 1.0

    def shifts(self) -> list[float]:
        """For each link, the difference of the places of its ends when it is upright."""
        rows = self.rows
        inside: dict[int, list[float]] = {}
        for (k, e), mouth in self.mouths.items():
            link = rows.into.get((k, rows.nets[k].ends[e][0]))
            if link is not None:
                inside.setdefault(link, []).append(mouth)
        return [leave - (sum(inside[k]) / len(inside[k]) if k in inside else enter or 0.0)
                for k, (leave, enter) in enumerate(zip(rows.leave, rows.enter, strict=True))]

    # -- places -------------------------------------------------------------------------------------

    def place(self) -> None:
        """Each row as near to the mean of its neighbours as the widths allow, sweep after sweep; then nearly upright links upright."""
        rows, x = self.rows, self.x
        for layer, gaps in zip(rows.layers, self.gaps, strict=True):
            for (i, j), gap in zip(pairwise(layer), gaps, strict=True):
                x[j] = x[i] + gap
            middle = (x[layer[0]] + x[layer[-1]]) / 2
            for i in layer:
                x[i] -= middle
        turns = 2 * rows.rounds
        for turn in range(turns):
            self.sweep(turn % 2 == 0, turn >= turns - 4)
        balanced = list(x)
        spread = self.spread()
        for limits in LIMITS:
            x[:] = balanced
            for _ in range(REPEAT):
                self.straighten(limits)
            if self.spread() <= 1.12 * spread + GAP:
                break
        left = min((x[i] - rows.wide(i) / 2 for i in range(len(x))), default=0.0)
        for i in range(len(x)):
            x[i] -= left

    def spread(self) -> float:
        """The width of all rows together."""
        rows, x = self.rows, self.x
        return max([x[i] + rows.wide(i) / 2 for i in range(len(x))], default=0.0) - min([x[i] - rows.wide(i) / 2 for i in range(len(x))], default=0.0)

    def sweep(self, downward: bool, both: bool) -> None:
        """Place all rows once, by the neighbours on the side that one comes from or on both."""
        rows, x = self.rows, self.x
        start, end, shift, weight = rows.start, rows.end, self.shift, self.weight
        for r in range(len(rows.layers)) if downward else reversed(range(len(rows.layers))):
            wants, weights = [], []
            for i in rows.layers[r]:
                ups, downs = rows.ups[i], rows.downs[i]
                if not both and ups and downs:
                    if downward:
                        downs = []
                    else:
                        ups = []
                total = sum([weight[k] for k in ups]) + sum([weight[k] for k in downs])
                pulled = sum([weight[k] * (x[start[k]] + shift[k]) for k in ups]) + sum([weight[k] * (x[end[k]] - shift[k]) for k in downs])
                weights.append(total or 0.001)
                wants.append(pulled / total if total else x[i])
            for i, found in zip(rows.layers[r], nearest(wants, weights, self.gaps[r]), strict=True):
                x[i] = found

    def straighten(self, limits: tuple[float, ...]) -> None:
        """Join what stands nearly upright into columns, and move these apart until nothing overlaps."""
        rows, x = self.rows, self.x
        columns, column, offset = self.join(limits)
        wants = [sum(x[i] - offset[i] for i in items) / len(items) for items in columns]
        lefts: list[list[tuple[int, float]]] = [[] for _ in columns]   # the columns left of a column, and how far they must be
        rights: list[list[tuple[int, float]]] = [[] for _ in columns]
        for layer, gaps in zip(rows.layers, self.gaps, strict=True):
            for (i, j), gap in zip(pairwise(layer), gaps, strict=True):
                apart = gap + offset[i] - offset[j]
                lefts[column[j]].append((column[i], apart))
                rights[column[i]].append((column[j], apart))
        order = self.across(lefts, rights)
        places = self.project(wants, order, lefts, rights)
        for _ in range(4):
            for c in (*order, *reversed(order)):
                low = max((places[a] + apart for a, apart in lefts[c]), default=-inf)
                high = min((places[b] - apart for b, apart in rights[c]), default=inf)
                want = self.wish(columns[c], column, offset, places)
                places[c] = min(max(places[c] if want is None else want, low), high) if low <= high else (low + high) / 2
        for i in range(len(x)):
            x[i] = places[column[i]] + offset[i]

    def join(self, limits: tuple[float, ...]) -> tuple[list[list[int]], list[int], list[float]]:
        """Columns of items whose links become upright: the items, the column of each, and how far right of its column it stands."""
        rows, x = self.rows, self.x
        n = rows.n

        def lean(k: int) -> float:
            return abs(x[rows.start[k]] + self.shift[k] - x[rows.end[k]])

        def rate(k: int) -> tuple[int, float, int]:
            return (-int(self.weight[k]), lean(k), k)

        up, down = [-1] * len(x), [-1] * len(x)
        taken: list[list[tuple[int, int]]] = [[] for _ in rows.layers]
        for k in sorted(range(len(rows.start)), key=rate):
            u, v = rows.start[k], rows.end[k]
            limit = limits[0 if u >= n and v >= n else 1 if self.weight[k] >= 8 else 2 if self.weight[k] >= 3 else 3]
            if down[u] >= 0 or up[v] >= 0 or lean(k) > limit:
                continue
            pairs, pair = taken[rows.rank[u]], (rows.at[u], rows.at[v])
            place = bisect(pairs, pair)
            if (place and pairs[place - 1][1] > pair[1]) or (place < len(pairs) and pairs[place][1] < pair[1]):
                continue
            pairs.insert(place, pair)
            down[u], up[v] = k, k
        columns: list[list[int]] = []
        column, offset = [0] * len(x), [0.0] * len(x)
        for layer in rows.layers:
            for i in layer:
                if up[i] >= 0:
                    above = rows.start[up[i]]
                    column[i], offset[i] = column[above], offset[above] + self.shift[up[i]]
                    columns[column[i]].append(i)
                else:
                    column[i] = len(columns)
                    columns.append([i])
        return columns, column, offset

    def across(self, lefts: list[list[tuple[int, float]]], rights: list[list[tuple[int, float]]]) -> list[int]:
        """The columns, each after all that are left of it."""
        waiting = [len(side) for side in lefts]
        order = [c for c, w in enumerate(waiting) if not w]
        for c in order:  # grows while it runs
            for d, _ in rights[c]:
                waiting[d] -= 1
                if not waiting[d]:
                    order.append(d)
        return order

    def project(self, wants: list[float], order: list[int], lefts: list[list[tuple[int, float]]],
                rights: list[list[tuple[int, float]]]) -> list[float]:
        """Places near the wanted ones that keep all distances: half way between pushing everything right and everything left."""
        right, left = list(wants), list(wants)
        for c in order:
            for a, apart in lefts[c]:
                right[c] = max(right[c], right[a] + apart)
        for c in reversed(order):
            for b, apart in rights[c]:
                left[c] = min(left[c], left[b] - apart)
        return [(a + b) / 2 for a, b in zip(left, right, strict=True)]

    def wish(self, items: list[int], column: list[int], offset: list[float], places: list[float]) -> float | None:
        """Where a column would like to be: the weighted median of where its links to other columns are upright."""
        rows = self.rows
        pulls = []
        for i in items:
            c = column[i]
            for k in rows.ups[i]:
                u = rows.start[k]
                if column[u] != c:
                    pulls.append((places[column[u]] + offset[u] + self.shift[k] - offset[i], self.weight[k]))
            for k in rows.downs[i]:
                v = rows.end[k]
                if column[v] != c:
                    pulls.append((places[column[v]] + offset[v] - self.shift[k] - offset[i], self.weight[k]))
        if not pulls:
            return None
        pulls.sort()
        half, total = sum(w for _, w in pulls) / 2, 0.0
        for k, (want, w) in enumerate(pulls):
            total += w
            if total > half + 1e-9:
                return want
            if total >= half - 1e-9:
                return (want + pulls[min(k + 1, len(pulls) - 1)][0]) / 2
        return pulls[-1][0]
