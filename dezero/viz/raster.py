"""Graphs as PNG by matplotlib, with our own layout: for where there is no Graphviz and SVG will not do."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from dezero.viz.files import target
from dezero.viz.graph import Graph, Outputs
from dezero.viz.layout import FRAME_PAD
from dezero.viz.look import GROUND, MARKS, PALETTE, title
from dezero.viz.picture import make_picture
from dezero.viz.shapes import NOTE_SIZE, TITLE, Box, Line, Panel, Picture, baseline, curves, tag_at, worn
from dezero.viz.view import View, make_view

MAX_PIXELS = 30_000  # on the longer side; the canvas takes at most 65535, and memory by the square
# Fonts that may be there for the scripts that matplotlib's own lacks.
FONTS = ("DejaVu Sans", "Noto Sans CJK KR", "Noto Sans CJK JP", "Noto Sans KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo",
         "Arial Unicode MS")


def draw_graph_png(output: Outputs | Graph | View, path: str | os.PathLike[str], verbose: bool = True, scale: float = 2.0, theme: str = "light",
                   **options: Any) -> Path:
    """Draw the graph behind a variable into a PNG file, without Graphviz.

    Args:
        output: a Variable, or a sequence of them.
        path: the file; it ends in ``.png``.
        verbose: write shapes, dtypes and layers into the nodes.
        scale: pixels of the file per pixel of the layout; less where the file would have more than 30000 on a side.
        theme: "light" or "dark".
        options: what to show and to leave out, as :func:`dezero.viz.view.make_view` takes it: ``show``, ``depth``, ``collapse``, ``fold``,
            ``clusters``, ``max_nodes``.

    Returns:
        The path.

    Raises:
        ValueError: the ending is another, ``scale`` is not above 0, or ``theme`` or an option is none of those.
        ImportError: matplotlib is missing.
        InputTypeError: ``output`` is not a Variable or a sequence of them.

    Examples:
        >>> import numpy as np, tempfile
        >>> from dezero import Variable
        >>> x = Variable(np.array(1.0), name="x")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     draw_graph_png(x * x, f"{folder}/square.png", show="value").read_bytes()[1:4]
        b'PNG'
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError("draw_graph_png needs matplotlib: pip install 'dezero[plot]'") from None
    path = target(path, "draw_graph_png: path", (".png",), "plot_dot_graph writes .svg, .pdf and .dot")
    if not scale > 0:
        raise ValueError(f"draw_graph_png: scale is {scale}: a positive number is expected")
    if theme not in ("light", "dark"):
        raise ValueError(f"draw_graph_png: theme={theme!r}: 'light' or 'dark' is expected")
    view = make_view(output, verbose=verbose, **options)
    picture = make_picture(view)
    dpi = 72 * min(scale, MAX_PIXELS / max(picture.width, picture.height))
    brush = _Brush(theme == "dark")
    figure = Figure(figsize=(picture.width / 72, picture.height / 72), dpi=dpi, facecolor=brush.ground["paper"])
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, picture.width)
    axes.set_ylim(picture.height, 0)
    axes.set_axis_off()
    brush.draw(axes, picture)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="(?s).*[Gg]lyph.*")  # a letter that no font here has is drawn as a box
        canvas: Any = FigureCanvasAgg(figure)
        canvas.print_png(path, metadata={"Title": title(view.graph), "Software": "dezero"})
    return path


class _Brush:
    """Puts a picture onto axes, by day or by night."""

    def __init__(self, night: bool) -> None:
        from matplotlib import font_manager
        known = {font.name for font in font_manager.fontManager.ttflist}
        self.fonts = [name for name in FONTS if name in known]
        self.night = night
        self.ground = {name: pair[night] for name, pair in GROUND.items()}

    def draw(self, axes: Any, picture: Picture) -> None:
        """All of it, what is behind first."""
        for panel in picture.panels:
            self.panel(axes, panel)
        for line in picture.lines:
            self.line(axes, line)
        for box in picture.boxes:
            self.box(axes, box)
        for caption in picture.captions:
            self.text(axes, caption.x, caption.y, caption.text, NOTE_SIZE, "note", ha={"start": "left", "end": "right"}[caption.anchor])

    def text(self, axes: Any, x: float, y: float, text: str, size: float, colour: str, ha: str = "center") -> None:
        """A line of text; ``colour`` is a name of the ground's or a colour."""
        # parse_math: a name like $x$ is a name, not a formula
        axes.text(x, y, text, size=size, family=self.fonts, ha=ha, va="baseline", color=self.ground.get(colour, colour), parse_math=False)

    def panel(self, axes: Any, panel: Panel) -> None:
        """The box of a layer."""
        colours = self.ground["frame2" if panel.depth % 2 else "frame"], self.ground["rim"]
        for inset in (0.0, 3.0) if panel.repeats else (0.0,):
            self.rectangle(axes, panel.x + panel.width / 2, panel.y + panel.height / 2, panel.width - 2 * inset, panel.height - 2 * inset,
                           8.0 - inset, colours)
        self.text(axes, panel.x + FRAME_PAD, panel.y + TITLE, panel.title, NOTE_SIZE, "note", ha="left")

    def line(self, axes: Any, line: Line) -> None:
        """An edge with its head."""
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path as Outline
        points, codes = [line.points[0]], [Outline.MOVETO]
        for move in curves(line.points):
            points.extend(zip(move[::2], move[1::2], strict=True))
            codes.extend([Outline.LINETO] if len(move) == 2 else [Outline.CURVE4] * 3)
        if line.target:
            x, y = line.points[-1]
            points.extend([(x - 3.5, y - 6.5), (x, y), (x + 3.5, y - 6.5)])
            codes.extend([Outline.MOVETO, Outline.LINETO, Outline.LINETO])
        axes.add_patch(PathPatch(Outline(points, codes), fill=False, edgecolor=self.ground["line"], linewidth=1.2, joinstyle="round",
                                 capstyle="round"))

    def box(self, axes: Any, box: Box) -> None:
        """A node or a swatch."""
        from matplotlib.patches import Ellipse
        x, y, w, h = box.x, box.y, box.width, box.height
        colours, ink = self.colours(box)
        more: Any = {"linewidth": 2.4 if box.mark or box.kind == "parameter" else 1.0, "linestyle": (0, (4, 3)) if box.kind == "constant" else "-"}
        if box.shape == "ellipse":
            axes.add_patch(Ellipse((x, y), w, h, facecolor=colours[0], edgecolor=colours[1], **more))
        elif box.shape == "cards":
            for wide, high in ((w, h - 16), (w - 6, h - 8), (w - 12, h)):
                self.rectangle(axes, x, y, wide, high, 5.0, colours)
        else:
            self.rectangle(axes, x, y, w, h, {"pill": 16.0, "badge": h / 2}.get(box.shape, 6.0), colours, **more)
            if box.kind == "group":
                self.rectangle(axes, x, y, w - 5, h - 5, 4.0, colours)
        for k, (text, size) in enumerate(box.lines):
            self.text(axes, x, y + baseline(box, k), text, size, ink or ("note" if size == NOTE_SIZE else "ink"))
        if box.tag:
            self.text(axes, x + tag_at(box) - w / 2, y + 12.5 - h / 2, box.tag, NOTE_SIZE, "note", ha="left")
        if box.mark:
            self.box(axes, worn(box))

    def colours(self, box: Box) -> tuple[tuple[str, str], str]:
        """Fill and border of a box, and the colour of its text where it has its own."""
        marks = {key: mark.night if self.night else mark.day for key, mark in MARKS.items()}
        if box.kind == "badge":
            back, front = marks[box.dress]
            return (back, self.ground["paper"]), front
        fill, border = PALETTE[box.dress][2:] if self.night else PALETTE[box.dress][:2]
        return (fill, marks[box.mark][0] if box.mark else border), ""

    @staticmethod
    def rectangle(axes: Any, x: float, y: float, width: float, height: float, corner: float, colours: tuple[str, str], **more: Any) -> None:
        """A rectangle with round corners, by its centre."""
        from matplotlib.patches import FancyBboxPatch
        style = f"round,pad=0,rounding_size={min(corner, height / 2)}"
        axes.add_patch(FancyBboxPatch((x - width / 2, y - height / 2), width, height, boxstyle=style, facecolor=colours[0], edgecolor=colours[1],
                                      **{"linewidth": 1.0, **more}))

