"""A part of a layered layout on paper: rows and columns become places, edges become curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from dezero.viz.nested import Inside, Nest, Part, Point
from dezero.viz.order import reduce_crossings
from dezero.viz.rows import CircleError, Rows, neighbours
from dezero.viz.upright import place

ROW_GAP = 26.0      # between rows
PITCH = 60.0        # about how high a row is, with the gap
TURN = 14.0         # for an edge to turn aside at the border of a frame
FRAME_TITLE = 18.0  # the height of the line at the top of a frame in which its title stands
FRAME_PAD = 10.0    # between a frame and what is in it
MAX_LOOKS = 1_000_000  # that may be taken for what is beside tall items
MAX_TRIES = 5       # to let inner parts span several rows

Key = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Route:
    """A curve: points through which it runs downward, vertical at each; ``arrow`` where it ends at a node, not in a branch."""

    points: tuple[Point, ...]
    arrow: bool
    source: int = -1                 # the node from which it comes
    after: tuple[int, int] | None = None  # the route that it goes on from and how many points of that lead here; None: from the node


class Sheet:
    """A part laid out on its own, and the size and the ports that it has from that."""

    def __init__(self, p: int, nest: Nest, insides: Mapping[int, Inside], fixed: tuple[bool, bool]) -> None:
        self.p, self.part, self.plain = p, nest.parts[p], nest.plain(p, insides)
        self.rows = self.ordered(fixed)
        self.columns = place(self.rows)
        self.x = self.columns.x
        self.frame()
        self.stack()
        ports = [x - self.width / 2 for x in self.x[self.rows.nodes:self.rows.n]]
        self.inside = Inside((self.width, self.height), dict(zip(self.part.entries, ports, strict=False)),
                             dict(zip(self.part.exits, ports[len(self.part.entries):], strict=True)), self.plain.heights)

    def stays(self, part: Part, fixed: tuple[bool, bool]) -> bool:
        """Would it be the same with these ports fixed in the order that they have in a part?"""
        entries, exits = list(self.inside.entries), list(self.inside.exits)
        return max(len(entries), len(exits)) < 2 or (self.rows.fixed == fixed and entries == part.entries and exits == part.exits)

    def ordered(self, fixed: tuple[bool, bool]) -> Rows:
        """Rows in order, in which an inner part spans about as many as the items beside it need."""
        graph = self.plain
        n = len(graph.items)
        spans, boxes = [1] * n, [i for i, (what, _) in enumerate(graph.items) if what == "part"]
        if 0 < len(boxes) * n < MAX_LOOKS:
            above, below = neighbours(n, graph.nets)
            for i in boxes:
                spans[i] = max(1, min(round((graph.sizes[i][1] + ROW_GAP) / PITCH), 1 + beside(i, above, below)))
        for tries in count():
            try:
                rows = Rows(graph.sizes, graph.nets, spans, len(self.part.entries), len(self.part.exits), fixed)
            except CircleError as circle:
                raise CircleError(circle.items, [graph.items[i] for i in circle.items]) from None
            cuts = reduce_crossings(rows)
            if not cuts:
                break
            for k in cuts:
                i = rows.owner[rows.end[k]]
                spans[i] = min(spans[i], rows.rank[rows.start[k]] - rows.rank[i] + 1)
            if tries > MAX_TRIES:
                spans = [1] * n
        return rows

    def frame(self) -> None:
        """Find the width, and move everything right of the padding and the entries right of the title."""
        rows, part = self.rows, self.part
        right = max((x + rows.wide[i] / 2 for i, x in enumerate(self.x)), default=0.0)
        left = 0.0
        if self.p:
            title = part.title + 2 * FRAME_PAD if part.title else 0.0
            left = min([-FRAME_PAD, *[x - title for x in self.x[rows.nodes:rows.nodes + rows.entries]]])
            right = max(right + FRAME_PAD, left + title)
        self.x = [x - left for x in self.x]
        self.width = right - left

    def stack(self) -> None:
        """Rows one below the other, farther apart where edges run far sideways, and high enough for what spans several."""
        rows, last = self.rows, len(self.rows.layers) - 1
        travel = [0.0] * (last + 1)
        for k, (u, v) in enumerate(zip(rows.start, rows.end, strict=True)):
            travel[rows.rank[v]] = max(travel[rows.rank[v]], abs(self.x[u] + self.columns.shift[k] - self.x[v]))
        head = FRAME_TITLE if self.p and self.part.title else 0.0
        gaps, heights = [], []
        for r, layer in enumerate(rows.layers):
            border = (r == 1 and rows.entries) or (r == last and rows.exits)
            least = ROW_GAP if not border else TURN if travel[r] > 1 else 0.0
            gaps.append((least if r else 0.0) + (min(50.0, travel[r] / 9) if travel[r] > 1 else 0.0))
            heights.append(max([rows.high[i] for i in layer if rows.owner[i] >= 0 and rows.spans[rows.owner[i]] == 1], default=0.0))
        if rows.entries:
            heights[0] = head + FRAME_PAD
        if rows.exits:
            heights[last] = FRAME_PAD
        self.stretch(gaps, heights)
        y = head + FRAME_PAD / 2 if self.p and not rows.entries else 0.0
        self.tops, self.bottoms = [], []
        for gap, height in zip(gaps, heights, strict=True):
            self.tops.append(y + gap)
            y += gap + height
            self.bottoms.append(y)
        self.height = y + (FRAME_PAD if self.p and not rows.exits else 0.0)
        self.centres = [(self.x[i], self.level(i)) for i in range(rows.n)]

    def stretch(self, gaps: Sequence[float], heights: list[float]) -> None:
        """Give tall items their height: from rows in which nothing else stands, as far as there are such."""
        rows = self.rows
        busy = [any(rows.owner[i] >= 0 and rows.spans[rows.owner[i]] == 1 for i in layer) for layer in rows.layers]
        for i in sorted([i for i in range(rows.nodes) if rows.spans[i] > 1], key=lambda i: rows.rank[rows.foot[i]]):
            span = range(rows.rank[i], rows.rank[i] + rows.spans[i])
            short = rows.high[i] - sum([heights[r] for r in span]) - sum([gaps[r] for r in span[1:]])
            free = [r for r in span if not busy[r]] or span
            for r in free if short > 0 else ():
                heights[r] += short / len(free)

    def level(self, i: int) -> float:
        """The height at which an item stands in its row: in the middle, or in a tall row near its users or where it comes from."""
        rows = self.rows
        top, bottom = self.tops[rows.rank[i]], self.bottoms[rows.rank[i]]
        if i >= rows.nodes:
            return top if i < rows.nodes + rows.entries else bottom
        half = rows.high[i] / 2
        if rows.spans[i] > 1:
            return top + half
        if bottom - top > 2 * half + 2 * ROW_GAP:
            if not rows.above[i] and rows.below[i]:
                return bottom - half
            if not rows.below[i] and rows.above[i]:
                return top + half
        return (top + bottom) / 2

    def routes(self) -> list[tuple[Key, Route, Key, int]]:
        """The curves of all nets: the key of each, the curve, the key of that from which it goes on, and after how many points (0: after all)."""
        rows, items, sources, p = self.rows, self.plain.items, self.plain.sources, self.p
        found: list[tuple[Key, Route, Key, int]] = []
        trunks = dict(rows.trunks)
        for k, net in enumerate(rows.nets):
            what, which = items[net.source]
            before = ("exit", sources[k], which) if what == "part" else ("entry", sources[k], p) if what == "entry" else ("", 0, 0)
            bends: dict[int, int] = {}  # how many points of the trunk lead to the lower end of each
            if k in trunks:
                way = self.way(k, trunks[k], None)
                at = {point: nth + 1 for nth, point in enumerate(way)}
                bends = {i: at[self.x[i], self.bottoms[rows.rank[i]]] for i in trunks[k][1:]}
                found.append((("trunk", k, p), Route(way, False, sources[k]), before, 0))
            for e, end in enumerate(net.ends):
                what, which = items[end.item]
                i = rows.last[k, end.item]
                way = self.way(k, [i, end.item], self.columns.mouths[k, e] if end.enter is None else end.enter)
                key = ("edge", end.edge, 0) if what == "node" else ("entry", sources[k], which) if what == "part" else ("exit", sources[k], p)
                found.append((key, Route(way, end.enter is None, sources[k]), ("trunk", k, p) if i in bends else before, bends.get(i, 0)))
        return found

    def way(self, k: int, path: list[int], place: float | None) -> tuple[Point, ...]:
        """The points on the way from the bottom of an item or a bend to the last bend, or at ``place`` into an item."""
        rows = self.rows
        points: list[Point] = []
        for nth, i in enumerate(path):
            top, bottom, item = self.tops[rows.rank[i]], self.bottoms[rows.rank[i]], rows.owner[i]
            if nth == 0:
                x = self.x[i] + (rows.nets[k].leave if item >= 0 else 0.0)
                points += [(x, self.centres[item][1] + rows.high[item] / 2 if item >= 0 else bottom), (x, bottom)]
            elif place is not None and nth + 1 == len(path):
                points += [(self.x[i] + place, top), (self.x[i] + place, self.centres[i][1] - rows.high[i] / 2)]
            else:
                points += [(self.x[i], top), (self.x[i], bottom)]
        return tuple([p for nth, p in enumerate(points) if not nth or p != points[nth - 1]])


def beside(i: int, above: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> int:
    """How many items are neither before nor behind an item."""
    found = {i}
    for ends in (above, below):
        todo = [i]
        while todo:
            new = [j for j in ends[todo.pop()] if j not in found]
            found.update(new)
            todo += new
    return len(above) - len(found)
