"""What pulls the items of a layered layout to the left and right, and where they stand when all pull at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from dezero.viz.rows import Rows

GAP, BEND_GAP = 18.0, 10.0  # between items, beside bends
STIFF = 1000.0              # how upright a tall item is
FINAL = 4                   # pairs of sweeps by the neighbours on both sides
STILL = 0.5                 # sweeps that move nothing farther are enough
STEP = 12.0                 # between edges that enter a node side by side

Pull = tuple[int, float, float]  # another item, how far right of it an item would be, how strongly it pulls


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
        self.heir = self.heirs()
        self.mouths = self.enter()  # (net, number of the end) -> where that edge enters its node, from its centre
        self.weight = [self.pull(k) for k in range(len(rows.start))]
        self.shift = self.shifts()  # of each link: how much farther right its lower item stands if it is upright
        self.pulls: list[tuple[list[Pull], list[Pull]]] = [([], []) for _ in self.x]  # on each item, from above and from below
        for u, v, shift, weight in zip(rows.start, rows.end, self.shift, self.weight, strict=True):
            self.pulls[v][0].append((u, shift, weight))
            self.pulls[u][1].append((v, -shift, weight))

    def gap(self, i: int, j: int) -> float:
        """The least distance between the centres of neighbours in a row."""
        a, b = self.rows.wide[i], self.rows.wide[j]
        return (a + b) / 2 + (GAP if a and b else BEND_GAP)

    def chief(self, v: int) -> int:
        """The link that comes to a node from its main input, -1 if none stands out: side trees do not, nor do edges from afar."""
        rows = self.rows
        links = rows.ups[v]
        if len(links) < 2:
            return links[0] if links else -1
        owners = {k: rows.owner[rows.start[k]] for k in links}
        solid = [k for k in links if owners[k] < 0 or not rows.loose[owners[k]]]
        solid = solid or [k for k in links if owners[k] < 0 or rows.above[owners[k]]]
        if len(solid) < 2:
            return solid[0] if solid else -1
        deep = sorted([(-rows.nets[rows.net[k]].depth, k) for k in solid])
        if -deep[0][0] >= 4 - 2 * deep[1][0]:
            return deep[0][1]
        near = [k for k in solid if owners[k] >= 0]
        return near[0] if len(near) == 1 else -1

    def heirs(self) -> dict[tuple[int, int], int]:
        """The link with which the longest way goes on from a place in a net, -1 where there are two."""
        rows = self.rows
        found: dict[tuple[int, int], tuple[int, int]] = {}
        for k in range(rows.slices, len(rows.start)):
            place, height = (rows.start[k], rows.net[k]), rows.height[k]
            best, _ = found.get(place, (-2, -1))
            if height >= best:
                found[place] = (height, -1 if height == best else k)
        return {place: link for place, (_, link) in found.items()}

    def enter(self) -> dict[tuple[int, int], float]:
        """Where edges enter nodes: the main one in the middle, the others beside it in the order in which they come."""
        rows = self.rows
        coming: list[list[tuple[float, int, int, int]]] = [[] for _ in range(rows.n)]
        for k, net in enumerate(rows.nets):
            for e, end in enumerate(net.ends):
                if end.enter is None:
                    u = rows.last[k, end.item]
                    coming[end.item].append((rows.at[u] + (rows.share(u, net.leave) if rows.owner[u] >= 0 else 0.0), end.edge, k, e))
        found = {}
        for v, edges in enumerate(coming):
            edges.sort()
            chief = [nth for nth, (_, _, k, _) in enumerate(edges) if rows.into.get((k, v), -2) == self.main[v]]
            middle = chief[0] if len(chief) == 1 else (len(edges) - 1) / 2
            step = min(STEP, 0.36 * rows.wide[v] / max(1.0, middle, len(edges) - 1 - middle))
            for nth, (_, _, k, e) in enumerate(edges):
                found[k, e] = step * (nth - middle)
        return found

    def pull(self, k: int) -> float:
        """How much a link wants to be upright: most between bends, much to a main input, hardly from an input that is used once.

        The factors 1 and 8 are those of Gansner, Koutsofios, North and Vo (1993), "A technique for drawing directed graphs".
        """
        rows = self.rows
        if k < rows.slices:
            return STIFF
        u, v = rows.owner[rows.start[k]], rows.owner[rows.end[k]]
        if u < 0 and v < 0:
            return 8.0
        if v >= 0 and self.main[v] == k:
            return 8.0 if self.heir[rows.start[k], rows.net[k]] == k else 3.0
        if u >= 0 and rows.loose[u] and v >= 0 and self.main[v] >= 0:
            return 0.001 if not rows.above[u] else 0.1
        return 1.0

    def shifts(self) -> list[float]:
        """For each link, the difference of the places of its ends when it is upright."""
        rows = self.rows
        inside: dict[int, list[float]] = {}
        for (k, e), mouth in self.mouths.items():
            link = rows.into.get((k, rows.nets[k].ends[e].item))
            if link is not None:
                inside.setdefault(link, []).append(mouth)
        return [leave - (sum(inside[k]) / len(inside[k]) if k in inside else enter or 0.0)
                for k, (leave, enter) in enumerate(zip(rows.leave, rows.enter, strict=True))]

    def balance(self) -> None:
        """Put each row as near to the mean of its neighbours as the widths allow, sweep after sweep."""
        rows, x = self.rows, self.x
        for layer, gaps in zip(rows.layers, self.gaps, strict=True):
            for (i, j), gap in zip(pairwise(layer), gaps, strict=True):
                x[j] = x[i] + gap
            middle = (x[layer[0]] + x[layer[-1]]) / 2
            for i in layer:
                x[i] -= middle
        for _ in range(rows.rounds - 2):
            before = list(x)
            self.sweep(downward=True, both=False)
            self.sweep(downward=False, both=False)
            if max([abs(a - b) for a, b in zip(x, before, strict=True)], default=0.0) < STILL:
                break
        for _ in range(FINAL):
            self.sweep(downward=True, both=True)
            self.sweep(downward=False, both=True)

    def sweep(self, downward: bool, both: bool) -> None:
        """Place all rows once, by the neighbours on the side that one comes from or on both."""
        rows, x, pulls = self.rows, self.x, self.pulls
        layers = range(len(rows.layers)) if downward else reversed(range(len(rows.layers)))
        for r in layers:
            wants, weights = [], []
            for i in rows.layers[r]:
                above, below = pulls[i]
                if above and below and not both:
                    sides = above if downward else below
                else:
                    sides = above + below
                total = pulled = 0.0
                for j, shift, weight in sides:
                    total += weight
                    pulled += weight * (x[j] + shift)
                weights.append(total or 0.001)
                wants.append(pulled / total if total else x[i])
            found = nearest(wants, weights, self.gaps[r]) if len(wants) > 1 else wants
            for i, place in zip(rows.layers[r], found, strict=True):
                x[i] = place
