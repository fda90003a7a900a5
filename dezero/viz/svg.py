"""Graphs as SVG, laid out here: no other program is needed, and any browser shows it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dezero.viz.graph import Graph, Outputs
from dezero.viz.layout import FRAME_PAD
from dezero.viz.look import GROUND, MARKS, PALETTE, description, title
from dezero.viz.picture import make_picture
from dezero.viz.shapes import BADGE_SIZE, NAME_SIZE, NOTE_SIZE, TITLE, Box, Caption, Line, Panel, Picture, baseline, curves, tag_at, worn
from dezero.viz.view import View, make_view

FONT = "system-ui,'Segoe UI',Roboto,'Noto Sans','Noto Sans KR',sans-serif"
THEMES = {"auto": "", "light": ".light", "dark": ".dark"}
_HEAD = "m-3.5-6.5l3.5 6.5 3.5-6.5"  # an arrow's head, from its tip
_SIZES = {NAME_SIZE: "", NOTE_SIZE: ' class="note"', BADGE_SIZE: ' class="sign"'}


def get_svg_graph(output: Outputs | Graph | View, verbose: bool = True, theme: str = "auto", **options: Any) -> str:
    """The graph behind a variable as the text of an SVG picture, the same in every run.

    Functions are boxes, in the colour of the pass that made them: blue for forward, others for first, second and higher derivatives,
    with a sign and a legend. Variables are ellipses, parameters among them with a thick border, constants with a dashed one. Layers are
    frames with their path. What was collapsed is a box with a double border. It says in words (title and description) what it shows.

    Args:
        output: a Variable, or a sequence of them.
        verbose: write shapes, dtypes and layers into the nodes.
        theme: "light", "dark", or "auto" for what the reader's system is set to.
        options: what to show and to leave out, as :func:`dezero.viz.view.make_view` takes it: ``show``, ``depth``, ``collapse``, ``fold``,
            ``clusters``, ``max_nodes``.

    Raises:
        InputTypeError: ``output`` is something else.
        ValueError: ``theme`` or an option is none of those.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> svg = get_svg_graph(Variable(np.array(3.0), name="x") ** 2, show="value,grad")
        >>> svg.startswith("<svg ") and ">value 9<" in svg and ">grad: not computed yet<" in svg
        True
    """
    return render_svg(make_view(output, verbose=verbose, **options), theme)


def render_svg(view: View, theme: str = "auto", marks: Mapping[str, str] | None = None, remarks: Mapping[str, str] | None = None) -> str:
    """A view of a graph as SVG.

    Its parts can be found again: a node is ``<g id="PREFIX-v3" class="node variable leaf" data-node="v3">``, an edge a path with
    ``data-from``, ``data-to`` and ``data-place`` (its place among those that lead to the same node), a layer's box has ``data-layer``.

    Args:
        view: what to draw.
        theme: as in :func:`get_svg_graph`.
        marks: for nodes and edges, as in :func:`dezero.viz.picture.make_picture`.
        remarks: for nodes, as there.

    Raises:
        ValueError: there is no such theme.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> render_svg(make_view(Variable(np.array(1.0)))).count("<ellipse")
        1
    """
    if theme not in THEMES:
        raise ValueError(f"theme={theme!r}: one of {', '.join(map(repr, THEMES))} is expected")
    picture = make_picture(view, marks, remarks)
    prefix = "g" + hashlib.sha256(repr((picture, theme)).encode()).hexdigest()[:8]
    wide, high = _n(picture.width), _n(picture.height)
    said = description(view, {box.id: box.mark for box in picture.boxes})
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" class="dezero-graph{THEMES[theme].replace(".", " ")}" role="img" '
             f'aria-labelledby="{prefix}-t {prefix}-d" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}">',
             f'<title id="{prefix}-t">{escape(title(view.graph))}</title>', f'<desc id="{prefix}-d">{escape(said)}</desc>',
             f"<style>{style(picture, theme)}</style>", '<rect class="paper" width="100%" height="100%"/>',
             *map(_panel, picture.panels), *map(_line, picture.lines),
             *[_box(box, prefix) for box in picture.boxes], *map(_caption, picture.captions), "</svg>"]
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


def style(picture: Picture, theme: str) -> str:
    """The rules for what is in a picture; each is bound to the picture's class, as a style in SVG holds for the whole page around it."""
    root = f".dezero-graph{THEMES[theme]}"
    kinds = [key for key in PALETTE if any(box.dress == key for box in picture.boxes)]
    marked = {box.mark for box in picture.boxes} | {line.mark for line in picture.lines}
    signs = [key for key in MARKS if key in marked]

    def colours(k: int) -> list[str]:
        ground = {name: pair[k] for name, pair in GROUND.items()}
        found = [f".paper{{fill:{ground['paper']}}}", f"text{{fill:{ground['ink']}}}", f".note{{fill:{ground['note']}}}",
                 f".edge{{stroke:{ground['line']}}}"]
        if picture.panels:
            found.extend([f".layer{{fill:{ground['frame']};stroke:{ground['rim']}}}", f".layer.odd{{fill:{ground['frame2']}}}"])
        found.extend(f".{_class(key)}{{fill:{PALETTE[key][2 * k]};stroke:{PALETTE[key][2 * k + 1]}}}" for key in kinds)
        for key in signs:
            back, front = (MARKS[key].day, MARKS[key].night)[k]
            found.extend([f".node.{key},.edge.{key}{{stroke:{back}}}", f".badge.{key}{{fill:{back};stroke:{ground['paper']}}}",
                          f".badge.{key} text{{fill:{front}}}"])
        return found

    fixed = [f"text{{font:{NAME_SIZE:g}px {FONT};text-anchor:middle;stroke:none}}", f".note{{font-size:{NOTE_SIZE:g}px}}",
             f".sign{{font-size:{BADGE_SIZE:g}px}}", ".edge{fill:none;stroke-width:1.2;stroke-linejoin:round;stroke-linecap:round}",
             ".parameter{stroke-width:2.4}", ".constant{stroke-dasharray:4 3}", ".start{text-anchor:start}", ".end{text-anchor:end}"]
    if signs:
        fixed.extend([".node.marked,.edge.marked{stroke-width:2.4}", ".node.removed,.edge.removed{stroke-dasharray:5 3}",
                      ".badge{stroke-width:1;stroke-dasharray:none}"])
    rules = [*fixed, *colours(1 if theme == "dark" else 0)]
    night = ["@media (prefers-color-scheme:dark){", *[_bound(root, rule) for rule in colours(1)], "}"] if theme == "auto" else []
    return "\n".join([*[_bound(root, rule) for rule in rules], *night])


def _bound(root: str, rule: str) -> str:
    """A rule that holds within a root only."""
    selectors, body = rule.split("{")
    return ",".join([f"{root} {selector}" for selector in selectors.split(",")]) + "{" + body


def _class(key: str) -> str:
    """A key of the palette as classes."""
    return f"{key[:-1]}.d{key[-1]}" if key[-1].isdigit() else key


def _n(x: float) -> str:
    """A coordinate: tenths of a pixel, no more letters than needed."""
    text = f"{x:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _at(x: float, y: float) -> str:
    return f'transform="translate({_n(x)} {_n(y)})"'


def _rect(width: float, height: float, corner: float, more: str = "") -> str:
    """A rectangle around the origin."""
    return f'<rect x="{_n(-width / 2)}" y="{_n(-height / 2)}" width="{_n(width)}" height="{_n(height)}" rx="{_n(corner)}"{more}/>'


def _panel(panel: Panel) -> str:
    shade = ' class="layer odd"' if panel.depth % 2 else ' class="layer"'
    outer = f' data-layer="{escape(panel.layer)}"'
    boxes = [f'<rect{shade}{outer if not inset else ""} x="{_n(panel.x + inset)}" y="{_n(panel.y + inset)}" '
             f'width="{_n(panel.width - 2 * inset)}" height="{_n(panel.height - 2 * inset)}" rx="{8 - inset}"/>'
             for inset in ((0, 3) if panel.repeats else (0,))]
    return "".join(boxes) + _caption(Caption(panel.x + FRAME_PAD, panel.y + TITLE, panel.title))


def _line(line: Line) -> str:
    (x, y), tip = line.points[0], _HEAD if line.target else ""
    way = "".join([("L" if len(move) == 2 else "C") + " ".join([_n(a) for a in move]) for move in curves(line.points)])
    marked = f" marked {line.mark}" if line.mark else ""
    start = f'<path class="edge{marked}" d="M{_n(x)} {_n(y)}{way}{tip}" data-from="{line.source}"'
    if not line.target:
        return f"{start}/>"
    whole = f'{start} data-to="{line.target}" data-place="{line.place}"'
    return f"{whole}><title>argument {escape(line.label)}</title></path>" if line.label else f"{whole}/>"


def _box(box: Box, prefix: str) -> str:
    inside = _shape(box) + "".join([_text(box, k) for k in range(len(box.lines))])
    if box.tag:
        inside += f'<text class="note start" x="{_n(tag_at(box) - box.width / 2)}" y="{_n(12.5 - box.height / 2)}">{box.tag}</text>'
    colours = _class(box.dress).replace(".", " ")
    if not box.id:
        return f'<g class="{"badge" if box.kind == "badge" else "swatch"} {colours}" {_at(box.x, box.y)}>{inside}</g>'
    if box.mark:
        colours += f" marked {box.mark}"
        badge = worn(replace(box, x=0.0, y=0.0))
        inside += f'<g class="badge {badge.dress}" {_at(badge.x, badge.y)}>{_shape(badge)}{_text(badge, 0)}</g>'
    kind = box.kind if box.kind in ("function", "group") else "variable"
    return (f'<g id="{prefix}-{box.id}" class="node{"" if kind == box.kind else " variable"} {colours}" data-node="{box.id}" {_at(box.x, box.y)}>'
            f"<title>{escape(box.sentence)}</title>{inside}</g>")


def _shape(box: Box) -> str:
    w, h = box.width, box.height
    if box.shape == "ellipse":
        return f'<ellipse rx="{_n(w / 2)}" ry="{_n(h / 2)}"/>'
    if box.shape == "cards":
        return _rect(w, h - 16, 5) + _rect(w - 6, h - 8, 5) + _rect(w - 12, h, 6)
    if box.kind == "group":
        return _rect(w, h, 6) + _rect(w - 5, h - 5, 4)
    return _rect(w, h, {"pill": 16.0, "badge": h / 2}.get(box.shape, 6.0))


def _text(box: Box, k: int) -> str:
    text, size = box.lines[k]
    return f'<text{_SIZES[size]} y="{_n(baseline(box, k))}">{escape(text)}</text>'


def _caption(caption: Caption) -> str:
    return f'<text class="note {caption.anchor}" x="{_n(caption.x)}" y="{_n(caption.y)}">{escape(caption.text)}</text>'
