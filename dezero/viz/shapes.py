"""Shapes: the parts of a picture of a graph at their places, in pixels, for any canvas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from dezero.viz.layout import Point
from dezero.viz.look import MARKS, text_width

NAME_SIZE, NOTE_SIZE, BADGE_SIZE, LEADING, MARGIN = 13.0, 10.5, 9.0, 15.0, 14.0
TITLE = 14.0  # from the top of a layer's box to the baseline of its title


@dataclass(frozen=True, slots=True)
class Box:
    """A node in its place, or a swatch of the legend."""

    id: str                                # of the node, "" in the legend
    kind: str                              # "leaf", "parameter", "result", "constant", "function", "group", or "badge"
    dress: str                             # its colours: a key of the palette, or for a badge of the marks
    shape: str                             # "box", "ellipse", "pill", "badge", or "cards" for what repeats
    x: float                               # its centre
    y: float
    width: float
    height: float
    lines: tuple[tuple[str, float], ...] = ()  # text and size of the letters
    sentence: str = ""
    tag: str = ""                          # a small sign in its corner: which derivative it is of
    mark: str = ""                         # a key of the marks: its badge and the colour of its border


@dataclass(frozen=True, slots=True)
class Line:
    """A curve: points through which it runs downward, vertical at each."""

    points: tuple[Point, ...]
    source: str                            # id of the node from which it comes
    target: str = ""                       # and to which it leads; "" where it is a stretch that several edges share
    place: int = 0                         # among the edges that lead there
    label: str = ""                        # the name of the argument, where it makes a difference
    mark: str = ""                         # a key of the marks


@dataclass(frozen=True, slots=True)
class Caption:
    """A line of small text."""

    x: float
    y: float                               # its baseline
    text: str
    anchor: str = "start"                  # "start" or "end": where x is


@dataclass(frozen=True, slots=True)
class Panel:
    """The box of a layer."""

    layer: str
    x: float                               # its left
    y: float                               # its top
    width: float
    height: float
    depth: int                             # how many boxes it is in
    title: str
    repeats: bool                          # has it a double border?


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is to draw, in this order, and the size of the whole in pixels."""

    panels: tuple[Panel, ...]
    lines: tuple[Line, ...]
    boxes: tuple[Box, ...]
    captions: tuple[Caption, ...]
    width: float
    height: float


def curves(points: Sequence[Point]) -> list[tuple[float, ...]]:
    """A way as moves for a pen, after its first point: (x, y) for a straight line, (x1, y1, x2, y2, x, y) for a Bezier curve."""
    moves: list[tuple[float, ...]] = []
    for (x0, y0), (x1, y1) in pairwise(points):
        bend = (y1 - y0) / 2
        moves.append((x1, y1) if x0 == x1 else (x0, y0 + bend, x1, y1 - bend, x1, y1))
    return moves


def baseline(box: Box, k: int) -> float:
    """How far below a box's centre line ``k`` of its text stands."""
    return LEADING * (k - (len(box.lines) - 1) / 2) + 0.36 * box.lines[k][1]


def tag_at(box: Box) -> float:
    """How far from its left side a box's tag begins."""
    return {"function": 5.0}.get(box.kind, 8.0 if box.shape == "box" else 11.0)


def badge_of(key: str) -> Box:
    """A badge with the sign of a mark."""
    sign = MARKS[key].sign
    return Box("", "badge", key, "badge", 0.0, 0.0, text_width(sign, BADGE_SIZE) + 9.0, 13.0, ((sign, BADGE_SIZE),))


def worn(box: Box) -> Box:
    """The badge that a marked box wears at its top, right of the middle, where edges come in."""
    badge = badge_of(box.mark)
    aside = 0.3 * box.width if box.shape == "ellipse" else box.width / 2 - badge.width / 2 + 9.0
    return replace(badge, x=box.x + max(aside, 8.0 + badge.width / 2), y=box.y - box.height / 2)


def order_sign(derivative: int) -> str:
    """The sign of a derivative.

    Examples:
        >>> [order_sign(k) for k in (0, 1, 2, 10)]
        ['', '∂', '∂²', '∂¹⁰']
    """
    return "∂" + (str(derivative).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")) if derivative > 1 else "") if derivative else ""
