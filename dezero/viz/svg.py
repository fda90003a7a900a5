"""Graphs as SVG, laid out here: no other program is needed, and any browser shows it."""

from __future__ import annotations

from dezero.viz.graph import Graph, Outputs, collect_graph
from dezero.viz.layout import Route
from dezero.viz.look import PALETTE, description, title
from dezero.viz.picture import Box, curves, make_picture

_FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans KR', sans-serif"
_ARROW = 3.5, 7.0  # half the width of an arrow's head, and its length


def get_svg_graph(output: Outputs, verbose: bool = True) -> str:
    """The graph behind a variable as the text of an SVG picture, the same in every run.

    Functions are blue boxes; variables are ellipses, parameters among them with a thick border, constants with a dashed one. It follows
    the reader's choice of light or dark, and says in words (title and description) what it shows.

    Args:
        output: a Variable, or a sequence of them.
        verbose: write shapes, dtypes and layers into the nodes.

    Raises:
        InputTypeError: ``output`` is something else.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> svg = get_svg_graph(Variable(np.array(1.0), name="x") ** 2)
        >>> svg.startswith("<svg ") and "Pow" in svg
        True
    """
    return render_svg(collect_graph(output), verbose)


def render_svg(graph: Graph, verbose: bool = True) -> str:
    """A collected graph as SVG.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> from dezero.viz import collect_graph
        >>> render_svg(collect_graph(Variable(np.array(1.0)))).count("<ellipse")
        1
    """
    picture = make_picture(graph, verbose)
    wide, high = _n(picture.width), _n(picture.height)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" class="dezero-graph" role="img" '
             f'width="{wide}" height="{high}" viewBox="0 0 {wide} {high}">',
             f"<title>{escape(title(graph))}</title>", f"<desc>{escape(description(graph))}</desc>", f"<style>{_style()}</style>",
             '<rect class="paper" width="100%" height="100%"/>', *map(_curve, picture.routes), *map(_box, picture.boxes), "</svg>"]
    return "\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Text for XML, between tags and in attributes. Names are cleaned of control characters before.

    Examples:
        >>> escape('</svg><script>"')
        '&lt;/svg&gt;&lt;script&gt;&quot;'
    """
    for c, code in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        text = text.replace(c, code)
    return text


def _n(x: float) -> str:
    """A coordinate: tenths of a pixel, no more zeros than needed."""
    return f"{x:.1f}".removesuffix(".0").replace("-0", "0") if abs(x) < 0.05 else f"{x:.1f}".removesuffix(".0")


def _style() -> str:
    """The colours; each rule is bound to the picture's class, as a style in SVG holds for the whole page around it."""
    def rules(night: bool) -> list[str]:
        paper, ink, faint, line = ("#14181C", "#F2F4F6", "#B9C0C7", "#8D98A3") if night else ("#FFFFFF", "#1A1A1A", "#4F5358", "#6B7178")
        found = [f".paper{{fill:{paper}}}", f"text{{fill:{ink}}}", f".note{{fill:{faint}}}", f".line{{stroke:{line}}}", f".head{{fill:{line}}}"]
        for kind, colours in PALETTE.items():
            fill, border = colours[2:] if night else colours[:2]
            found.append(f".{kind}{{fill:{fill};stroke:{border}}}")
        return [f".dezero-graph {rule}" for rule in found]

    fixed = [f"text{{font-family:{_FONT};text-anchor:middle}}", ".line{fill:none;stroke-width:1.2}", ".parameter{stroke-width:2.4}",
             ".constant{stroke-dasharray:4 3}"]
    day = [f".dezero-graph {rule}" for rule in fixed] + rules(night=False)
    return "\n".join([*day, "@media (prefers-color-scheme: dark){", *rules(night=True), "}"])


def _curve(route: Route) -> str:
    (x, y), (end, tip) = route.points[0], route.points[-1]
    moves = [("L" if len(move) == 2 else "C") + " ".join(_n(a) for a in move) for move in curves(route)]
    line = f'<path class="line" d="M{_n(x)} {_n(y)}{"".join(moves)}"/>'
    if not route.arrow:
        return line
    half, length = _ARROW
    return f'{line}<path class="head" d="M{_n(end - half)} {_n(tip - length)}L{_n(end + half)} {_n(tip - length)}L{_n(end)} {_n(tip)}Z"/>'


def _box(box: Box) -> str:
    if box.kind == "function":
        corner = f'x="{_n(box.x - box.width / 2)}" y="{_n(box.y - box.height / 2)}"'
        shape = f'<rect class="function" {corner} width="{_n(box.width)}" height="{_n(box.height)}" rx="6"/>'
    else:
        shape = f'<ellipse class="{box.kind}" cx="{_n(box.x)}" cy="{_n(box.y)}" rx="{_n(box.width / 2)}" ry="{_n(box.height / 2)}"/>'
    lines = []
    for k, (text, size) in enumerate(box.lines):
        note = ' class="note"' if k else ""
        y = box.y + baseline(box, k)
        lines.append(f'<text{note} x="{_n(box.x)}" y="{_n(y)}" font-size="{_n(size)}">{escape(text)}</text>')
    return f"<g><title>{escape(box.sentence)}</title>{shape}{''.join(lines)}</g>"


def baseline(box: Box, k: int) -> float:
    """How far below a box's centre line ``k`` of its text stands."""
    return 15.0 * (k - (len(box.lines) - 1) / 2) + 0.36 * box.lines[k][1]
