"""A layered layout of a directed graph without cycles: rows, the order in them, columns, curves and frames, without recursion.

The four steps are those of Sugiyama, Tagawa and Toda (1981), "Methods for visual understanding of hierarchical system structures".
The inside of a frame is laid out first, on its own; then it is a node of what is around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dezero.viz.columns import Columns, nearest
from dezero.viz.nested import Group, Part, Plain, Point, plain, take_apart
from dezero.viz.order import reduce_crossings
from dezero.viz.rows import CircleError, Rows

__all__ = ["FRAME_PAD", "FRAME_TITLE", "Frame", "Group", "Layout", "Point", "Route", "lay_out", "nearest"]

ROW_GAP = 26.0      # between rows
TURN = 14.0         # for an edge to turn aside at the border of a frame
FRAME_TITLE = 18.0  # the height of the line at the top of a frame in which its title stands
FRAME_PAD = 10.0    # between a frame and what is in it

Key = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Route:
    """A curve: points through which it runs downward, vertical at each; ``arrow`` where it ends at a node, not in a branch."""

    points: tuple[Point, ...]
    arrow: bool
    source: int = -1                 # the node from which it comes
    after: tuple[int, int] | None = None  # the route that it goes on from and how many points of that lead here; None: from the node


@dataclass(frozen=True, slots=True)
class Frame:
    """The rectangle around a group.

    The title of the group stands ``FRAME_PAD`` from its left, in the first ``FRAME_TITLE`` of its height; no edge crosses it there.
    """

    x: float                         # its left
    y: float                         # its top
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything goes.

    Attributes:
        centres: the centre of each node.
        routes: the curves: one with an arrow for each edge, in the order of the edges, then those that edges share.
        width: of the whole, which begins at 0.
        height: of the whole, which begins at 0.
        frames: one for each group, a group before the groups inside it and these before the next.
    """

    centres: tuple[Point, ...]
    routes: tuple[Route, ...]
    width: float
    height: float
    frames: tuple[Frame, ...] = ()

    def points(self) -> int:
        """How many points the ways of all edges have together: far more than the routes where many edges share a long stretch."""
        found = 0
        for route in self.routes:
            if route.arrow:
                found += len(route.points)
                after = route.after
                while after is not None:
                    found += after[1]
                    after = self.routes[after[0]].after
        return found

    def way(self, edge: int) -> tuple[Point, ...]:
        """All points of an edge, from the bottom of the node from which it comes to the top of the other.

        Examples:
            >>> lay_out([(20, 10), (20, 10)], [(0, 1)]).way(0)
            ((10.0, 10.0), (10.0, 36.0))
        """
        route = self.routes[edge]
        pieces = [route.points]
        while route.after is not None:
            before, count = route.after
            route = self.routes[before]
            pieces.append(route.points[:count])
        points = [p for piece in reversed(pieces) for p in piece]
        return tuple([p for k, p in enumerate(points) if not k or max(abs(p[0] - points[k - 1][0]), abs(p[1] - points[k - 1][1])) > 1e-6])


def lay_out(sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]], groups: Sequence[Group] = ()) -> Layout:
    """Lay nodes out in rows from top to bottom, each below all that lead to it, and those of a group in a frame of their own.

    Args:
        sizes: width and height of each node.
        edges: pairs (from, to) of positions in ``sizes``; a pair may come several times.
        groups: the outermost groups. No path may leave a group and come back.

    Returns:
        The layout; the same for the same arguments.

    Raises:
        ValueError: edges lead round in a circle, also when each group is taken as one node, or a position is wrong.

    Examples:
        >>> layout = lay_out([(20, 10), (20, 10), (20, 10)], [(0, 2), (1, 2)])
        >>> [x for x, y in layout.centres]
        [10.0, 48.0, 29.0]
        >>> layout = lay_out([(20, 10), (20, 10), (20, 10)], [(0, 2), (1, 2)], [Group((1, 2), title=30.0)])
        >>> layout.frames[0].y > layout.centres[0][1]
        True
    """
    parts = take_apart(len(sizes), edges, groups)
    first = [min(part.nodes, default=len(sizes)) for part in parts]
    for p in reversed(range(1, len(parts))):
        first[parts[p].parent] = min(first[parts[p].parent], first[p])
    sheets: list[Sheet] = []
    for p in reversed(range(len(parts))):  # the inner ones are behind the outer ones
        sheets.append(Sheet(p, parts, plain(p, parts, sizes, first)))
    sheets.reverse()
    for part, sheet in zip(parts, sheets, strict=True):
        left, top = part.corner
        for (what, k), (x, y) in zip(sheet.plain.items, sheet.centres, strict=True):
            if what == "part":
                parts[k].corner = (left + x - parts[k].size[0] / 2, top + y - parts[k].size[1] / 2)
    centres: list[Point] = [(0.0, 0.0)] * len(sizes)
    for part, sheet in zip(parts, sheets, strict=True):
        for (what, k), (x, y) in zip(sheet.plain.items, sheet.centres, strict=True):
            if what == "node":
                centres[k] = (part.corner[0] + x, part.corner[1] + y)
    frames = tuple([Frame(*part.corner, *part.size) for part in parts[1:]])
    return Layout(tuple(centres), joined(parts, sheets), *parts[0].size, frames)


def joined(parts: Sequence[Part], sheets: Sequence[Sheet]) -> tuple[Route, ...]:
    """The curves of all parts: those that end at nodes, then those between bends and ports."""
    first: list[tuple[Key, Route, Key, int]] = []
    then: list[tuple[Key, Route, Key, int]] = []
    for p, (part, sheet) in enumerate(zip(parts, sheets, strict=True)):
        left, top = part.corner
        for key, route, before, count in sheet.routes(p):
            moved = replace(route, points=tuple([(left + x, top + y) for x, y in route.points]))
            (first if route.arrow else then).append((key, moved, before, count))
    found = sorted(first, key=lambda item: item[0][1]) + then
    index = {key: k for k, (key, _, _, _) in enumerate(found)}
    whole = {key: len(route.points) for key, route, _, _ in found}
    return tuple([replace(route, after=(index[before], count or whole[before])) if before in index else route for _, route, before, count in found])


class Sheet:
    """A part laid out on its own, and the size and the ports that it has from that."""

    def __init__(self, p: int, parts: list[Part], graph: Plain) -> None:
        self.plain, self.framed, self.part = graph, p > 0, parts[p]
        try:
            rows = Rows(graph.sizes, graph.nets, len(self.part.entries), len(self.part.exits))
        except CircleError as circle:
            stuck = [graph.items[i] for i in circle.items]
            names = ", ".join([f"node {k}" if what == "node" else f"group {k - 1}" for what, k in stuck[:10] if what in ("node", "part")])
            raise ValueError(f"lay_out: edges lead round in a circle through some of {names}: none is expected, "
                             "also when each group is taken as one node") from None
        self.rows = rows
        reduce_crossings(rows)
        self.columns = Columns(rows)
        self.columns.place()
        self.x = self.columns.x
        self.frame()
        self.stack()

    def frame(self) -> None:
        """Find the width, move everything right of the padding and the entries right of the title, and note where the ports are."""
        rows, part = self.rows, self.part
        right = max((x + rows.wide(i) / 2 for i, x in enumerate(self.x)), default=0.0)
        left = 0.0
        nodes = rows.n - rows.entries - rows.exits
        if self.framed:
            title = part.title + 2 * FRAME_PAD if part.title else 0.0
            left = min([-FRAME_PAD, *[x - title for x in self.x[nodes:nodes + rows.entries]]])
            right = max(right + FRAME_PAD, left + title)
        self.x = [x - left for x in self.x]
        self.width = right - left
        ports = iter(self.x[nodes:rows.n])
        for side in (part.entries, part.exits):
            for u in side:
                side[u] = next(ports) - self.width / 2

    def stack(self) -> None:
        """Rows one below the other, farther apart where edges run far sideways."""
        rows = self.rows
        travel = [0.0] * (len(rows.layers) + 1)
        for k, (u, v) in enumerate(zip(rows.start, rows.end, strict=True)):
            travel[rows.rank[v]] = max(travel[rows.rank[v]], abs(self.x[u] + self.columns.shift[k] - self.x[v]))
        self.tops, self.bottoms = [], []
        last = len(rows.layers) - 1
        head = (FRAME_TITLE if self.part.title else 0.0) if self.framed else 0.0
        y = head + FRAME_PAD / 2 if self.framed and not rows.entries else 0.0
        for r, layer in enumerate(rows.layers):
            border = (r == 1 and rows.entries) or (r == last and rows.exits)
            if r:
                least = ROW_GAP if not border else TURN if travel[r] > 1 else 0.0
                y += least + (min(50.0, travel[r] / 9) if travel[r] > 1 else 0.0)
            self.tops.append(y)
            y += max((rows.high(i) for i in layer), default=0.0)
            if r == 0 and rows.entries:
                y += head + FRAME_PAD
            if r == last and rows.exits:
                y += FRAME_PAD
            self.bottoms.append(y)
        if self.framed and not rows.exits:
            y += FRAME_PAD
        self.part.size = (self.width, y)
        self.centres = [(self.x[i], self.level(i)) for i in range(rows.n)]

    def level(self, i: int) -> float:
        """The height at which an item stands in its row: in the middle, or in a tall row near its users or where it comes from."""
        rows = self.rows
        top, bottom = self.tops[rows.rank[i]], self.bottoms[rows.rank[i]]
        nodes = rows.n - rows.entries - rows.exits
        if i >= nodes:
            return top if i < nodes + rows.entries else bottom
        half = rows.high(i) / 2
        if bottom - top > 2 * half + 2 * ROW_GAP:
            if not rows.above[i] and rows.below[i]:
                return bottom - half
            if not rows.below[i] and rows.above[i]:
                return top + half
        return (top + bottom) / 2

    def routes(self, p: int) -> list[tuple[Key, Route, Key, int]]:
        """The curves of all nets: the key of each, the curve, the key of that from which it goes on, and after how many points (0: after all)."""
        rows, items, sources = self.rows, self.plain.items, self.plain.sources
        found: list[tuple[Key, Route, Key, int]] = []
        trunks = dict(rows.trunks)
        for k, net in enumerate(rows.nets):
            what, which = items[net.source]
            before = ("exit", sources[k], which) if what == "part" else ("entry", sources[k], p) if what == "entry" else ("", 0, 0)
            bends: dict[int, int] = {}
            if k in trunks:
                way = self.way(k, trunks[k], None)
                bends = {i: way.index((self.x[i], self.bottoms[rows.rank[i]])) + 1 for i in trunks[k][1:]}
                found.append((("trunk", k, p), Route(way, False, sources[k]), before, 0))
            for e, (v, enter, edge) in enumerate(net.ends):
                what, which = items[v]
                i = rows.last[k, v]
                way = self.way(k, [i, v], self.columns.mouths[k, e] if enter is None else enter)
                key = ("edge", edge, 0) if what == "node" else ("entry", sources[k], which) if what == "part" else ("exit", sources[k], p)
                found.append((key, Route(way, enter is None, sources[k]), ("trunk", k, p) if i in bends else before, bends.get(i, 0)))
        return found

    def way(self, k: int, path: list[int], place: float | None) -> tuple[Point, ...]:
        """The points on the way from the bottom of an item or a bend to the last bend, or at ``place`` into an item."""
        rows = self.rows
        points: list[Point] = []
        for nth, i in enumerate(path):
            top, bottom = self.tops[rows.rank[i]], self.bottoms[rows.rank[i]]
            if nth == 0:
                x = self.x[i] + (rows.nets[k].leave if i < rows.n else 0.0)
                points += [(x, self.centres[i][1] + rows.high(i) / 2 if i < rows.n else bottom), (x, bottom)]
            elif place is not None and nth + 1 == len(path):
                points += [(self.x[i] + place, top), (self.x[i] + place, self.centres[i][1] - rows.high(i) / 2)]
            else:
                points += [(self.x[i], top), (self.x[i], bottom)]
        return tuple([p for nth, p in enumerate(points) if not nth or p != points[nth - 1]])
