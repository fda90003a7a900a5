"""A layered layout of a directed graph without cycles: rows, the order in them, columns, curves and frames, without recursion.

The four steps are those of Sugiyama, Tagawa and Toda (1981), "Methods for visual understanding of hierarchical system structures".
The inside of a frame is laid out first, on its own; then it is a node of what is around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dezero.viz.nested import Group, Inside, Nest, Point
from dezero.viz.rows import CircleError
from dezero.viz.sheet import FRAME_PAD, FRAME_TITLE, Key, Route, Sheet

__all__ = ["FRAME_PAD", "FRAME_TITLE", "Frame", "Group", "Layout", "Point", "Route", "lay_out"]

TRIES = ((True, False), (False, True), (True, True))  # which ports are put in order for more layouts of what is in groups: entries, exits
WORK = 3000  # items and bends in so many layouts; large graphs get one more


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
    try:
        nest = Nest(sizes, edges, groups)
        sheets = fewest(nest)
    except CircleError as circle:
        names = ", ".join([f"node {k}" if what == "node" else f"group {k - 1}" for what, k in circle.names[:10] if what in ("node", "part")])
        raise ValueError(f"lay_out: edges lead round in a circle through some of {names}: none is expected, "
                         "also when each group is taken as one node") from None
    corners = [(0.0, 0.0)] * len(sheets)
    centres: list[Point] = [(0.0, 0.0)] * len(sizes)
    for sheet, (left, top) in zip(sheets, corners, strict=True):  # the corners of inner parts are set before their turn comes
        for (what, k), (x, y) in zip(sheet.plain.items, sheet.centres, strict=True):
            if what == "node":
                centres[k] = (left + x, top + y)
            elif what == "part":
                corners[k] = (left + x - sheets[k].width / 2, top + y - sheets[k].height / 2)
    frames = tuple([Frame(*corner, *sheet.inside.size) for corner, sheet in zip(corners[1:], sheets[1:], strict=True)])
    return Layout(tuple(centres), joined(sheets, corners), *sheets[0].inside.size, frames)


def fewest(nest: Nest) -> list[Sheet]:
    """All parts laid out; again with ports in the order in which edges come to them from outside, where that saves crossings."""
    best = sheets_of(nest, [], (False, False))
    found, size = sum(sheet.rows.crossings for sheet in best), sum(len(sheet.rows.rank) for sheet in best)
    for fixed in TRIES[:max(1, WORK // size)] if found and len(best) > 1 else ():
        if not found:
            break
        moved = False
        for part, sheet, wish in zip(nest.parts, best, wishes(best), strict=True):
            for ports, now, far, chosen in zip((part.entries, part.exits), (sheet.inside.entries, sheet.inside.exits), wish, fixed, strict=True):
                if chosen:
                    ports.sort(key=far.__getitem__)
                    moved = moved or ports != sorted(ports, key=now.__getitem__)
        if not moved:
            continue
        sheets = sheets_of(nest, best, fixed)
        crossings = sum(sheet.rows.crossings for sheet in sheets)
        if crossings < found:
            best, found = sheets, crossings
    return best


def sheets_of(nest: Nest, before: Sequence[Sheet], fixed: tuple[bool, bool]) -> list[Sheet]:
    """All parts laid out, the inner ones before the outer ones; those for which nothing changes stay as they were before."""
    sheets: list[Sheet] = []
    insides: dict[int, Inside] = {}
    for p in reversed(range(len(nest.parts))):
        part, old = nest.parts[p], before[p] if before else None
        if old is None or not old.stays(part, fixed) or any(insides[q] is not before[q].inside for q in part.inner):
            old = Sheet(p, nest, insides, fixed)
        sheets.append(old)
        insides[p] = old.inside
    return sheets[::-1]


def wishes(sheets: Sequence[Sheet]) -> list[tuple[dict[int, float], dict[int, float]]]:
    """For each part, from how far right the edges come to its entries, and to where they go from its exits."""
    found: list[tuple[dict[int, float], dict[int, float]]] = [({}, {}) for _ in sheets]
    for sheet in sheets:
        rows, items = sheet.rows, sheet.plain.items
        for k, (net, u) in enumerate(zip(rows.nets, sheet.plain.sources, strict=True)):
            for end in net.ends:
                what, which = items[end.item]
                if what == "part":
                    i = rows.last[k, end.item]
                    found[which][0][u] = sheet.x[i] + (net.leave if rows.owner[i] >= 0 else 0.0)
            what, which = items[net.source]
            if what == "part":
                goes = [sheet.x[rows.end[j]] + (rows.enter[j] or 0.0) for j in rows.downs[rows.foot[net.source]] if rows.net[j] == k]
                found[which][1][u] = sum(goes) / len(goes) if goes else 0.0
    return found


def joined(sheets: Sequence[Sheet], corners: Sequence[Point]) -> tuple[Route, ...]:
    """The curves of all parts: those that end at nodes, then those between bends and ports."""
    first: list[tuple[Key, Route, Key, int]] = []
    then: list[tuple[Key, Route, Key, int]] = []
    for sheet, (left, top) in zip(sheets, corners, strict=True):
        for key, route, before, count in sheet.routes():
            moved = replace(route, points=tuple([(left + x, top + y) for x, y in route.points]))
            (first if route.arrow else then).append((key, moved, before, count))
    found = sorted(first, key=lambda item: item[0][1]) + then
    index = {key: k for k, (key, _, _, _) in enumerate(found)}
    whole = {key: len(route.points) for key, route, _, _ in found}
    return tuple([replace(route, after=(index[before], count or whole[before])) if before in index else route for _, route, before, count in found])
