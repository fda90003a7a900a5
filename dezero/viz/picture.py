"""Picture: a view as boxes with text, curves and frames at their places, ready for any canvas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import sqrt

from dezero.viz.graph import Cluster, FunctionNode, GraphNode, GroupNode, VariableNode
from dezero.viz.layout import Group, Layout, Point, lay_out
from dezero.viz.legend import below, entries
from dezero.viz.look import clean, dress, frame_title, mark, sentence, text_width, words
from dezero.viz.shapes import LEADING, MARGIN, NAME_SIZE, NOTE_SIZE, Box, Caption, Line, Panel, Picture, order_sign, worn
from dezero.viz.view import View

NARROWEST = 340.0  # a picture with a legend or notes is as wide as this at least
STUB = 7.0         # the last straight bit of an edge
JOINED = 100_000   # points of all lines together; beyond, the stretch that edges of one node share is drawn once
SAME_EITHER_WAY = frozenset({"add", "mul", "maximum", "minimum", "sum_squared_error", "mean_squared_error"})


def make_picture(view: View, marks: Mapping[str, str] | None = None, remarks: Mapping[str, str] | None = None) -> Picture:
    """Lay a view out.

    Args:
        view: what to draw.
        marks: keys of ``look.MARKS`` for ids of nodes, which wear the badge, and for edges as "from>to:place", which take the colour;
            None: what stands out about the numbers.
        remarks: for ids of nodes, a line more in them, and in their sentences.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> from dezero.viz.view import make_view
        >>> picture = make_picture(make_view(Variable(np.array(1.0), name="x")))
        >>> picture.boxes[0].lines
        (('x', 13.0), ('() float64', 10.5))
    """
    nodes = view.graph.nodes
    marks = {node.id: mark(node, view) for node in nodes} if marks is None else marks
    boxes = [_box(node, view, marks.get(node.id, ""), remarks or {}) for node in nodes]
    index = {box.id: i for i, box in enumerate(boxes)}
    groups, clusters = _groups(view.clusters, index)
    layout = lay_out([(b.width, b.height) for b in boxes], [(index[a], index[b]) for a, b in view.graph.edges], groups)
    legend = entries(view, {*marks.values()})
    inner = max(layout.width, NARROWEST) if legend or view.notes else layout.width
    left = MARGIN + (inner - layout.width) / 2
    placed = tuple([replace(box, x=x + left, y=y + MARGIN) for box, (x, y) in zip(boxes, layout.centres, strict=True)])
    panels = tuple([Panel(clean(c.layer, 200), f.x + left, f.y + MARGIN, f.width, f.height, depth, frame_title(c), c.times > 1)
                    for (c, depth), f in zip(clusters, layout.frames, strict=True)])
    lines = tuple(_lines(view, layout, marks, left))
    swatches, captions, height = below(legend, view.notes, inner, layout.height + MARGIN)
    return Picture(panels, lines, placed + swatches, (*_arguments(lines, view), *captions), inner + 2 * MARGIN, height + MARGIN)


def _box(node: GraphNode, view: View, marked: str, remarks: Mapping[str, str]) -> Box:
    """A node's box, not yet at its place. A named node has its name in large letters and the rest in small ones."""
    named = not isinstance(node, VariableNode) or node.name or node.kind == "constant"
    text = [*words(node, view), *([clean(remarks[node.id])] if node.id in remarks else [])]
    lines = tuple([(line, NOTE_SIZE if k or not named else NAME_SIZE) for k, line in enumerate(text)])
    wide = max((text_width(*line) for line in lines), default=0.0)
    high = 12.0 + LEADING * max(1, len(lines))
    if isinstance(node, VariableNode):
        kind, tag, shape = node.kind, "", "ellipse" if len(lines) < 3 else "pill"
        size = _around(lines) if shape == "ellipse" else (wide + 26.0, high)
    else:
        kind, tag = "function" if isinstance(node, FunctionNode) else "group", order_sign(node.derivative)
        shape = "cards" if isinstance(node, GroupNode) and node.times > 1 else "box"
        size = max(52.0, wide + 22.0 + (12.0 if kind == "group" else 0.0) + 2 * text_width(tag, NOTE_SIZE)), high
    said = ", ".join([sentence(node, view, marked), *([clean(remarks[node.id], 200)] if node.id in remarks else [])])
    box = Box(node.id, kind, dress(node), shape, 0.0, 0.0, *size, lines, said, tag, marked)
    return box if not marked else replace(box, width=max(box.width, 2 * (worn(box).width + 8.0)))


def _around(lines: Sequence[tuple[str, float]]) -> tuple[float, float]:
    """Width and height of an ellipse around at most two lines: all corners of the text are inside."""
    b, a = (13.0, 9.0) if len(lines) < 2 else (22.0, 23.0)
    for k, (text, size) in enumerate(lines):
        y = abs(LEADING * (k - (len(lines) - 1) / 2)) + 0.42 * size
        a = max(a, text_width(text, size) / 2 / sqrt(1 - (y / b) ** 2))
    return 2 * a + 8.0, 2 * b


def _groups(clusters: Sequence[Cluster], index: Mapping[str, int]) -> tuple[list[Group], list[tuple[Cluster, int]]]:
    """The clusters for the layout, and each with its depth, a cluster before those inside it and these before the next."""
    flat, todo = [], [(c, 0) for c in reversed(clusters)]
    while todo:
        cluster, depth = todo.pop()
        flat.append((cluster, depth))
        todo.extend((c, depth + 1) for c in reversed(cluster.inner))
    done: list[Group] = []  # from behind: those inside a cluster are the last ones when its turn comes
    for cluster, _ in reversed(flat):
        n = len(cluster.inner)
        inner = tuple(reversed(done[len(done) - n:]))
        del done[len(done) - n:]
        done.append(Group(tuple([index[i] for i in cluster.members]), inner, text_width(frame_title(cluster), NOTE_SIZE)))
    return done[::-1], flat


def _lines(view: View, layout: Layout, marks: Mapping[str, str], left: float) -> list[Line]:
    """A line for each edge, from its node on, though edges of one node share their first stretch; and such stretches where they are too many."""
    whole, nodes, names = layout.points() <= JOINED, view.graph.nodes, _names(view)
    seen: dict[str, int] = {}
    found = [] if whole else [Line(_simple(route.points, left), nodes[route.source].id) for route in layout.routes if not route.arrow]
    for k, (a, b) in enumerate(view.graph.edges):
        seen[b] = place = seen.get(b, -1) + 1
        points = _simple(layout.way(k) if whole else layout.routes[k].points, left)
        found.append(Line(_landing(points), a, b, place, names[b][place] if b in names else "", marks.get(f"{a}>{b}:{place}", "")))
    return found


def _simple(points: Sequence[Point], left: float) -> tuple[Point, ...]:
    """A way at its place in the picture, without points at which nothing turns."""
    kept: list[Point] = []
    for x, y in points:
        if len(kept) > 1 and kept[-2][0] == kept[-1][0] == x:
            kept.pop()
        if not kept or abs(y - kept[-1][1]) > 0.05 or abs(x - kept[-1][0]) > 0.05:
            kept.append((x, y))
    return tuple([(x + left, y + MARGIN) for x, y in kept])


def _landing(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """A way that comes down straight under its arrow's head."""
    (x, y), (end, tip) = points[-2:]
    return points if x == end or tip - y < 2 * STUB else (*points[:-1], (end, tip - STUB), points[-1])


def _names(view: View) -> dict[str, tuple[str, ...]]:
    """For functions in which the order of several inputs makes a difference: the names of their arguments."""
    sources: dict[str, set[str]] = {}
    for a, b in view.graph.edges:
        sources.setdefault(b, set()).add(a)
    return {f.id: tuple([clean(name, 20) for name in f.arguments]) for f in view.graph.functions
            if f.arguments and f.op not in SAME_EITHER_WAY and len(sources.get(f.id, ())) > 1}


def _arguments(lines: Sequence[Line], view: View) -> list[Caption]:
    """Names of arguments beside the tips of two arrows, the outer sides of which are free; none where the variables' names tell them already."""
    names = {v.id: v.name for v in view.graph.variables}
    coming: dict[str, list[Line]] = {}
    for line in lines:
        if line.label:
            coming.setdefault(line.target, []).append(line)
    found = []
    for pair in coming.values():
        if len(pair) == 2 and all(len(line.label) < 4 and line.label != names.get(line.source) for line in pair):
            west, east = sorted(pair, key=lambda line: line.points[-1][0])
            found.append(Caption(west.points[-1][0] - 5.5, west.points[-1][1] - 2.0, west.label, "end"))
            found.append(Caption(east.points[-1][0] + 5.5, east.points[-1][1] - 2.0, east.label))
    return found
