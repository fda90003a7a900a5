"""Picture: a graph as boxes with text and curves at their places, ready for any canvas."""

from __future__ import annotations

from dataclasses import dataclass

from dezero.viz.graph import FunctionNode, Graph, VariableNode
from dezero.viz.layout import Route, lay_out
from dezero.viz.look import sentence, text_width, words

NAME_SIZE, NOTE_SIZE, LEADING, MARGIN = 13.0, 10.5, 15.0, 14.0


@dataclass(frozen=True, slots=True)
class Box:
    """A node in its place: a box for a function, an ellipse for a variable."""

    kind: str                              # a key of the palette
    x: float                               # its centre
    y: float
    width: float
    height: float
    lines: tuple[tuple[str, float], ...]   # text and size of the letters
    sentence: str


@dataclass(frozen=True, slots=True)
class Picture:
    """All boxes and curves, and the size of the whole, in pixels."""

    boxes: tuple[Box, ...]
    routes: tuple[Route, ...]
    width: float
    height: float


def make_picture(graph: Graph, verbose: bool = True) -> Picture:
    """Lay a graph out.

    Args:
        graph: what to draw.
        verbose: write shapes, dtypes and layers into the nodes.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> from dezero.viz import collect_graph
        >>> picture = make_picture(collect_graph(Variable(np.array(1.0), name="x")))
        >>> picture.boxes[0].lines
        (('x', 13.0), ('() float64', 10.5))
    """
    nodes = graph.nodes
    index = {node.id: i for i, node in enumerate(nodes)}
    lines = [_lines(node, verbose) for node in nodes]
    sizes = [_size(node, rows) for node, rows in zip(nodes, lines, strict=True)]
    layout = lay_out(sizes, [(index[a], index[b]) for a, b in graph.edges])
    boxes = tuple([Box("function" if isinstance(node, FunctionNode) else node.kind, x + MARGIN, y + MARGIN, *size, rows, sentence(node))
                   for node, size, rows, (x, y) in zip(nodes, sizes, lines, layout.centres, strict=True)])
    routes = tuple([Route(tuple([(x + MARGIN, y + MARGIN) for x, y in route.points]), route.arrow) for route in layout.routes])
    return Picture(boxes, routes, layout.width + 2 * MARGIN, layout.height + 2 * MARGIN)


def _lines(node: VariableNode | FunctionNode, verbose: bool) -> tuple[tuple[str, float], ...]:
    """A named node has its name in large letters and the rest in small ones."""
    named = isinstance(node, FunctionNode) or node.name or node.kind == "constant"
    return tuple([(line, NOTE_SIZE if k or not named else NAME_SIZE) for k, line in enumerate(words(node, verbose))])


def _size(node: VariableNode | FunctionNode, lines: tuple[tuple[str, float], ...]) -> tuple[float, float]:
    wide = max((text_width(*line) for line in lines), default=0.0)
    if isinstance(node, FunctionNode):
        return max(52.0, wide + 22.0), 12.0 + LEADING * len(lines)
    return max(26.0, 1.14 * wide + 22.0), (26.0, 27.0, 44.0)[min(2, len(lines))]


def curves(route: Route) -> list[tuple[float, ...]]:
    """A route as moves for a pen, after its first point: (x, y) for a straight line, (x1, y1, x2, y2, x, y) for a Bezier curve."""
    moves: list[tuple[float, ...]] = []
    for (x0, y0), (x1, y1) in zip(route.points, route.points[1:], strict=False):
        bend = (y1 - y0) / 2
        moves.append((x1, y1) if x0 == x1 else (x0, y0 + bend, x1, y1 - bend, x1, y1))
    return moves
