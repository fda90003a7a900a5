"""Graphs as PNG by matplotlib, with our own layout: for where there is no Graphviz and SVG will not do."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from dezero.viz.graph import Outputs, collect_graph
from dezero.viz.layout import Route
from dezero.viz.look import PALETTE, title
from dezero.viz.picture import Box, Picture, curves, make_picture
from dezero.viz.svg import baseline

MAX_PIXELS = 30_000  # on the longer side; the canvas takes at most 65535, and memory by the square
# Fonts that may be there for the scripts that matplotlib's own lacks.
FONTS = ("DejaVu Sans", "Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo",
         "Noto Sans CJK JP", "Arial Unicode MS")


def draw_graph_png(output: Outputs, path: str | os.PathLike[str], verbose: bool = True, scale: float = 2.0) -> Path:
    """Draw the graph behind a variable into a PNG file, without Graphviz.

    Args:
        output: a Variable, or a sequence of them.
        path: the file; it ends in ``.png``.
        verbose: write shapes, dtypes and layers into the nodes.
        scale: pixels of the file per pixel of the layout; less where the file would have more than 30000 on a side.

    Returns:
        The path.

    Raises:
        ValueError: the ending is another, or ``scale`` is not above 0.
        ImportError: matplotlib is missing.
        InputTypeError: ``output`` is not a Variable or a sequence of them.

    Examples:
        >>> import numpy as np, tempfile
        >>> from dezero import Variable
        >>> x = Variable(np.array(1.0), name="x")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     draw_graph_png(x * x, f"{folder}/square.png").read_bytes()[1:4]
        b'PNG'
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError("draw_graph_png needs matplotlib: pip install 'dezero[plot]'") from None
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ValueError(f"draw_graph_png: path={str(path)!r} ends in {path.suffix or 'nothing'}: .png is expected; "
                         "plot_dot_graph writes .svg, .pdf and .dot")
    if not scale > 0:
        raise ValueError(f"draw_graph_png: scale is {scale}: a positive number is expected")
    graph = collect_graph(output)
    picture = make_picture(graph, verbose)
    dpi = 72 * min(scale, MAX_PIXELS / max(picture.width, picture.height))
    figure = Figure(figsize=(picture.width / 72, picture.height / 72), dpi=dpi, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, picture.width)
    axes.set_ylim(picture.height, 0)
    axes.set_axis_off()
    _fill(axes, picture)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="(?s).*[Gg]lyph.*")  # a letter that no font here has is drawn as a box
        canvas: Any = FigureCanvasAgg(figure)
        canvas.print_png(path, metadata={"Title": title(graph), "Software": "dezero"})
    return path


def _fill(axes: Any, picture: Picture) -> None:
    """Put all curves, boxes and lines of text onto the axes."""
    from matplotlib import font_manager
    known = {font.name for font in font_manager.fontManager.ttflist}
    fonts = [name for name in FONTS if name in known]
    for route in picture.routes:
        _curve(axes, route)
    for box in picture.boxes:
        _box(axes, box)
        for k, (text, size) in enumerate(box.lines):
            # parse_math: a name like $x$ is a name, not a formula
            axes.text(box.x, box.y + baseline(box, k), text, size=size, family=fonts, ha="center", va="baseline", color="#4F5358" if k else "#1A1A1A",
                      parse_math=False)


def _curve(axes: Any, route: Route) -> None:
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path as Outline
    points, codes = [route.points[0]], [Outline.MOVETO]
    for move in curves(route):
        points.extend(zip(move[::2], move[1::2], strict=True))
        codes.extend([Outline.LINETO] if len(move) == 2 else [Outline.CURVE4] * 3)
    axes.add_patch(PathPatch(Outline(points, codes), fill=False, edgecolor="#6B7178", linewidth=1.2))
    if route.arrow:
        x, y = route.points[-1]
        axes.add_patch(Polygon([(x - 3.5, y - 7), (x + 3.5, y - 7), (x, y)], facecolor="#6B7178", linewidth=0))


def _box(axes: Any, box: Box) -> None:
    from matplotlib.patches import Ellipse, FancyBboxPatch
    fill, border = PALETTE[box.kind][:2]
    if box.kind == "function":
        axes.add_patch(FancyBboxPatch((box.x - box.width / 2, box.y - box.height / 2), box.width, box.height, boxstyle="round,pad=0,rounding_size=6",
                                      facecolor=fill, edgecolor=border))
    else:
        style: Any = {"parameter": {"linewidth": 2.4}, "constant": {"linestyle": (0, (4, 3))}}.get(box.kind, {})
        axes.add_patch(Ellipse((box.x, box.y), box.width, box.height, facecolor=fill, edgecolor=border, **style))
