"""A layered layout of a directed graph without cycles: ranks, order within them, coordinates and routes, without recursion.

The four steps are those of Sugiyama, Tagawa and Toda (1981), "Methods for visual understanding of hierarchical system structures".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from dezero.viz.rows import BEND_GAP, Rows

ROW_GAP = 26.0  # between rows

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Route:
    """A curve: points through which it runs downward, vertical at each; ``arrow`` where it ends at a node, not in a branch."""

    points: tuple[Point, ...]
    arrow: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything goes: the centre of each node, the curves, and the size of the whole."""

    centres: tuple[Point, ...]
    routes: tuple[Route, ...]
    width: float
    height: float


def lay_out(sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]]) -> Layout:
    """Lay nodes out in rows from top to bottom, each below all that lead to it.

    Args:
        sizes: width and height of each node.
        edges: pairs (from, to) of positions in ``sizes``; a pair may come several times.

    Returns:
        The layout; the same for the same arguments.

    Examples:
        >>> layout = lay_out([(20, 10), (20, 10), (20, 10)], [(0, 2), (1, 2)])
        >>> [x for x, y in layout.centres]
        [10.0, 48.0, 29.0]
    """
    rows = Rows(sizes, edges)
    rows.reduce_crossings()
    return routed(rows, place(rows))


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


def place(rows: Rows) -> list[float]:
    """Each row as near to the mean of its neighbours as the nodes' widths allow, sweep after sweep."""
    x = [0.0] * len(rows.rank)
    for layer in rows.layers:
        gaps = rows.gaps(layer)
        for (i, j), gap in zip(pairwise(layer), gaps, strict=True):
            x[j] = x[i] + gap
        shift = (x[layer[0]] + x[layer[-1]]) / 2
        for i in layer:
            x[i] -= shift
    for turn in range(2 * rows.rounds):
        downward = turn % 2 == 0
        final = turn >= 2 * rows.rounds - 4
        for layer in rows.layers if downward else reversed(rows.layers):
            wants, weights = [], []
            for i in layer:
                above, below = (rows.up[i], rows.down[i])
                near = above + below if final else (above or below) if downward else (below or above)
                pulls = [pull(rows, i, j) for j in near]
                weights.append(sum(pulls) or 0.001)
                wants.append(sum(w * x[j] for w, j in zip(pulls, near, strict=True)) / weights[-1] if near else x[i])
            for i, found in zip(layer, nearest(wants, weights, rows.gaps(layer)), strict=True):
                x[i] = found
    straighten(rows, x)
    left = min((x[i] - rows.wide(i) / 2 for i in range(len(x))), default=0.0)
    return [a - left for a in x]


def straighten(rows: Rows, x: list[float]) -> None:
    """Bring the bends of a long edge onto as few vertical lines as the nodes beside them leave room for."""
    for trunk in (*rows.trunks, *reversed(rows.trunks)):
        start = 1
        while start < len(trunk):
            low, high = room(rows, trunk[start], x)
            end = start + 1
            while end < len(trunk):
                left, right = room(rows, trunk[end], x)
                if max(low, left) > min(high, right):
                    break
                low, high = max(low, left), min(high, right)
                end += 1
            ends = [x[j] for j in (rows.down[trunk[-1]] if end == len(trunk) else [trunk[end]])]
            want = x[trunk[start - 1]] if low <= x[trunk[start - 1]] <= high else sum(ends) / len(ends)
            for i in trunk[start:end]:
                x[i] = min(max(want, low), high)
            start = end


def room(rows: Rows, i: int, x: list[float]) -> tuple[float, float]:
    """From where to where a bend can move between its neighbours; where it is, at least."""
    layer, at = rows.layers[rows.rank[i]], rows.at[i]
    before, after = layer[at - 1] if at else None, layer[at + 1] if at + 1 < len(layer) else None
    low = -inf if before is None else x[before] + rows.wide(before) / 2 + BEND_GAP
    high = inf if after is None else x[after] - rows.wide(after) / 2 - BEND_GAP
    return min(low, x[i]), max(high, x[i])


def pull(rows: Rows, i: int, j: int) -> float:
    """How much a link wants to be vertical: most between bends, hardly from an input that is used once.

    The factors 1 and 8 are those of Gansner, Koutsofios, North and Vo (1993), "A technique for drawing directed graphs".
    """
    if i >= rows.n and j >= rows.n:
        return 8.0
    return 0.001 if (i < rows.n and rows.light[i]) or (j < rows.n and rows.light[j]) else 1.0


def routed(rows: Rows, x: list[float]) -> Layout:
    """Rows one below the other, farther apart where edges run far sideways, and the curves."""
    travel = [0.0] * (len(rows.layers) + 1)
    for u, v in rows.links:
        travel[rows.rank[v]] = max(travel[rows.rank[v]], abs(x[u] - x[v]))
    tops, bottoms, y = [], [], 0.0
    for r, layer in enumerate(rows.layers):
        y += (ROW_GAP + min(50.0, travel[r] / 9)) if r else 0.0
        tops.append(y)
        y += max((rows.sizes[i][1] for i in layer if i < rows.n), default=0.0)
        bottoms.append(y)
    middle = [(a + b) / 2 for a, b in zip(tops, bottoms, strict=True)]
    centres = tuple([(x[i], middle[rows.rank[i]]) for i in range(rows.n)])

    def way(path: list[int], end: float | None = None) -> Route:
        points: list[Point] = []
        for k, i in enumerate(path):
            r, half = rows.rank[i], rows.sizes[i][1] / 2 if i < rows.n else 0.0
            a = x[i] if end is None or k + 1 < len(path) else end
            if k:
                points.append((a, tops[r]))
                points.append((a, middle[r] - half if i < rows.n else bottoms[r]))
            else:
                points.append((a, middle[r] + half if i < rows.n else bottoms[r]))
                points.append((a, bottoms[r]))
        return Route(tuple([p for k, p in enumerate(points) if not k or p != points[k - 1]]), end is not None)

    routes = [way(trunk) for trunk in rows.trunks]
    ends = ports(rows, x)
    routes.extend(way([rows.last.get(e, e[0]), e[1]], end) for e, end in zip(rows.edges, ends, strict=True))
    width = max([a + rows.wide(i) / 2 for i, a in enumerate(x)], default=0.0)
    return Layout(centres, tuple(routes), width, y)


def ports(rows: Rows, x: list[float]) -> list[float]:
    """Where each edge enters: side by side on top of the node, in the order from which they come."""
    coming: list[list[tuple[float, int]]] = [[] for _ in range(rows.n)]
    for k, (u, v) in enumerate(rows.edges):
        coming[v].append((x[rows.last.get((u, v), u)], k))
    ends = [0.0] * len(rows.edges)
    for v, edges in enumerate(coming):
        step = min(12.0, 0.7 * rows.sizes[v][0] / max(1, len(edges) - 1))
        for nth, (_, k) in enumerate(sorted(edges)):
            ends[k] = x[v] + step * (nth - (len(edges) - 1) / 2)
    return ends
