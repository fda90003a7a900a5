"""Points in the plane: the classes that a model gives to each place, their change in training, and plain scatter plots."""

from __future__ import annotations

import base64
import io
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dezero.backend import as_numpy
from dezero.config import no_grad, test_mode
from dezero.errors import ShapeError, describe
from dezero.viz.plots.figure import MARKERS, colours, encode, finish, import_error, label, new_figure, target_path, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Target = str | os.PathLike[str]

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Decision regions</title>
<style>body{{font:15px sans-serif;text-align:center}}img{{max-width:100%}}input{{width:22em;vertical-align:middle}}</style></head>
<body><img id="p" alt="decision regions"><br><button id="b">Pause</button> <input id="s" type="range" min="0" max="{last}" value="0">
<script>
const frames=[{frames}],p=document.getElementById("p"),b=document.getElementById("b"),s=document.getElementById("s");let on=true;
function show(){{p.src="data:image/png;base64,"+frames[+s.value]}}
b.onclick=()=>{{on=!on;b.textContent=on?"Pause":"Play"}};s.oninput=()=>{{on=false;b.textContent="Play";show()}};
setInterval(()=>{{if(on){{s.value=(+s.value+1)%frames.length;show()}}}},{wait});show();
</script></body></html>
"""


def decision_grid(x: Any, resolution: int = 200, margin: float = 0.1) -> np.ndarray:
    """The places at which the pictures here ask a model: a square grid that covers the points ``x`` and a margin around them.

    Args:
        x: points (N, 2).
        resolution: places along each side.
        margin: share of the extent that is added at each end.

    Returns:
        Places (resolution * resolution, 2), row by row from the lower left, in the dtype of ``x``.

    Raises:
        ShapeError: ``x`` holds no points in the plane.

    Examples:
        >>> import numpy as np
        >>> print(decision_grid(np.array([[0.0, 0.0], [1.0, 2.0]]), resolution=2, margin=0.0))
        [[0. 0.]
         [1. 0.]
         [0. 2.]
         [1. 2.]]
    """
    points = _points("decision_grid", x)
    low, high = points.min(0), points.max(0)
    extra = np.where(high > low, margin * (high - low), 0.5)
    sides = np.linspace(low - extra, high + extra, max(2, resolution))
    a, b = np.meshgrid(sides[:, 0], sides[:, 1])
    return np.stack([a.ravel(), b.ravel()], 1).astype(points.dtype if points.dtype.kind == "f" else np.float64)


def decision_boundary(predict: Callable[[Any], Any], x: Any, t: Any, path: Target | None = None, resolution: int = 200,
                      title: str | None = None, labels: Sequence[Any] | None = None, axis_labels: tuple[str, str] | None = None) -> Figure:
    """The class that a model gives to each place of the plane, as colours, with the data on top.

    Args:
        predict: places (M, 2) -> scores (M, C), classes (M,) as integers, or one score (M,) or (M, 1) whose sign decides, or a
            probability in [0, 1]; a model will do. It is called without graph and in test mode.
        x: data (N, 2).
        t: their classes (N,).
        path: a .png, .svg or .pdf file to write; its folder is made.
        resolution: places along each side.
        title: above the picture.
        labels: the names of the classes.
        axis_labels: what the two coordinates are.

    Returns:
        The matplotlib Figure.

    Raises:
        ShapeError: ``x`` is not (N, 2), or ``predict`` gives no score for each place.
        ValueError: the suffix is unknown.

    Examples:
        >>> import numpy as np
        >>> x = np.array([[0.0, 0.0], [1.0, 1.0], [0.2, 0.1]])
        >>> figure = decision_boundary(lambda places: (places.sum(1) > 1).astype(int), x, np.array([0, 1, 0]), resolution=20)
        >>> figure.axes[0].get_legend() is None and len(figure.legends)
        1
    """
    grid = decision_grid(x, resolution)
    return finish(_region_figure(_ask(predict, grid), grid, x, t, title, labels, axis_labels), path)


def decision_animation(frames: Sequence[Any], x: Any, t: Any, path: Target, resolution: int = 120, seconds: float = 0.15,
                       titles: Sequence[Any] | None = None, labels: Sequence[Any] | None = None,
                       axis_labels: tuple[str, str] | None = None) -> Path:
    """The decision regions of one moment of training after another, as a moving picture.

    Args:
        frames: for each moment a ``predict`` as ``decision_boundary`` takes it; or what a model gave for ``decision_grid(x, resolution)``
            at that moment, so that no weights need be kept.
        x: data (N, 2).
        t: their classes (N,).
        path: a .gif file; or an .html file with a button and a slider that needs nothing else.
        resolution: places along each side, for frames that are functions.
        seconds: how long each frame is shown.
        titles: one for each frame; else its number.
        labels: the names of the classes.
        axis_labels: what the two coordinates are.

    Returns:
        The path of the file.

    Raises:
        ShapeError: as ``decision_boundary``.
        ValueError: there are no frames, too few titles, or the suffix is unknown.

    Examples:
        >>> import tempfile
        >>> import numpy as np
        >>> moments = [lambda p, c=c: p[:, 0] + p[:, 1] - c for c in (0.5, 1.5)]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     print(decision_animation(moments, np.eye(2), np.array([0, 1]), folder + "/a.gif", resolution=20).name)
        a.gif
    """
    target = target_path(path, (".gif", ".html"))
    if not len(frames) or (titles is not None and len(titles) < len(frames)):
        raise ValueError(f"decision_animation: {len(frames)} frames and {len(frames) if titles is None else len(titles)} titles: "
                         "at least one frame is expected, and a title for each")
    pictures = []
    for i, frame in enumerate(frames):
        values = None if callable(frame) else as_numpy(frame)
        grid = decision_grid(x, resolution if values is None else math.isqrt(len(values)))
        title = titles[i] if titles else f"{i + 1} of {len(frames)}"
        figure = _region_figure(_ask(frame, grid) if values is None else values, grid, x, t, title, labels, axis_labels)
        pictures.append(encode(finish(figure, None), "png"))
    wait = max(20, round(1000 * seconds))
    if target.suffix.lower() == ".html":
        texts = ",".join(f'"{base64.b64encode(picture).decode()}"' for picture in pictures)
        target.write_text(PAGE.format(last=len(pictures) - 1, frames=texts, wait=wait), encoding="utf-8")
    else:
        _write_gif(target, pictures, wait)
    return target


def scatter2d(points: Any, t: Any = None, path: Target | None = None, title: str | None = None, labels: Sequence[Any] | None = None) -> Figure:
    """Points in the plane, coloured by class: codes of an autoencoder, say.

    Args:
        points: (N, 2).
        t: their classes (N,); None for one colour.
        path: a .png, .svg or .pdf file to write; its folder is made.
        title: above the picture.
        labels: the names of the classes.

    Returns:
        The matplotlib Figure.

    Raises:
        ShapeError: ``points`` is not (N, 2).
        ValueError: the suffix is unknown.

    Examples:
        >>> import numpy as np
        >>> len(scatter2d(np.eye(2), [0, 1]).axes[0].collections)
        2
    """
    p = _points("scatter2d", points)
    figure = new_figure(6.2, 5.4)
    axes = figure.add_subplot()
    tidy(axes, "both")
    _data(axes, p, np.zeros(len(p), int) if t is None else as_numpy(t).reshape(-1), None, labels, edge=False)
    if t is not None:
        figure.legend(loc="outside right upper", frameon=False, fontsize=9)
    axes.set_title(label(title, 70) if title else "")
    return finish(figure, path)


def _points(name: str, x: Any) -> np.ndarray:
    points: np.ndarray = as_numpy(x)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ShapeError(f"{name}: points {describe(points)}: (N, 2) is expected")
    return points


def _ask(predict: Callable[[Any], Any], grid: np.ndarray) -> np.ndarray:
    with no_grad(), test_mode():
        values: np.ndarray = as_numpy(predict(grid))
    return values


def _leads(values: np.ndarray, places: int) -> tuple[np.ndarray, np.ndarray]:
    """The classes that occur, and by how much each leads over the others at each place (C, M)."""
    y = values.reshape(values.shape[0], -1) if values.ndim > 1 else values.reshape(-1, 1)
    if values.ndim == 0 or len(y) != places:
        raise ShapeError(f"decision_boundary: predict gave {describe(values)} for {places} places: "
                         f"({places}, C) scores or ({places},) classes are expected")
    if y.shape[1] == 1 and (y == np.round(y)).all():
        found = np.unique(y).astype(np.int64)
        return found, np.where(y[:, 0] == found[:, None], 1.0, -1.0)
    y = y.astype(np.float64)
    if y.shape[1] == 1:
        y = y - 0.5 if y.min() >= 0 and y.max() <= 1 else y
        y = np.concatenate([-y, y], 1)
    ordered = np.sort(y, 1)
    best, second = ordered[:, -1:], ordered[:, -2:-1]
    return np.arange(y.shape[1]), np.where(y == best, best - second, y - best).T


def _region_figure(values: np.ndarray, grid: np.ndarray, x: Any, t: Any, title: Any, labels: Sequence[Any] | None,
                   axis_labels: tuple[str, str] | None) -> Figure:
    """Tinted regions, their borders, the data and a legend."""
    points, classes = _points("decision_boundary", x), as_numpy(t)
    classes = classes.argmax(1) if classes.ndim == 2 and classes.shape[1] > 1 else classes.reshape(-1)
    if len(classes) != len(points):
        raise ShapeError(f"decision_boundary: t {describe(as_numpy(t))} for {len(points)} points: one class for each is expected")
    found, leads = _leads(values, len(grid))
    known = np.union1d(found, classes)
    n = math.isqrt(len(grid))
    a, b = grid[:n, 0], grid[::n, 1]
    figure = new_figure(6.4, 5.0)
    axes = figure.add_subplot()
    for c, lead in zip(found, leads, strict=True):
        if lead.max() > 0:
            colour = colours(len(known))[int(np.searchsorted(known, c))]
            axes.contourf(a, b, lead.reshape(n, n), levels=[0.0, max(1e-12, float(lead.max()) * 1.01)], colors=[colour], alpha=0.25)
            if lead.min() < 0:
                axes.contour(a, b, lead.reshape(n, n), levels=[0.0], colors=["0.25"], linewidths=0.8)
    _data(axes, points, classes, known, labels, edge=True)
    axes.set(xlim=(a[0], a[-1]), ylim=(b[0], b[-1]))
    axes.tick_params(labelsize=8)
    if axis_labels is not None:
        axes.set(xlabel=label(axis_labels[0], 60), ylabel=label(axis_labels[1], 60))
    if title:
        axes.set_title(label(title, 60), fontsize=11)
    figure.legend(loc="outside right upper", frameon=False, fontsize=9)
    return figure


def _data(axes: Axes, points: np.ndarray, t: np.ndarray, known: np.ndarray | None, labels: Sequence[Any] | None, edge: bool) -> None:
    """The points, each class with its colour and its marker."""
    known = np.unique(t) if known is None else known
    size = float(np.clip(6000 / len(points), 8, 36))
    for i, (c, colour) in enumerate(zip(known, colours(len(known)), strict=True)):
        here = points[t == c]
        name = label(labels[int(c)], 24) if labels is not None and 0 <= int(c) < len(labels) else f"class {c}"
        if len(here):
            axes.scatter(here[:, 0], here[:, 1], s=size, color=[colour], marker=MARKERS[i % len(MARKERS)], label=name,
                         edgecolors="white" if edge else "none", linewidths=0.6, zorder=3)


def _write_gif(target: Path, pictures: list[bytes], wait: int) -> None:
    try:
        from PIL import Image
    except ImportError as error:
        raise import_error(error) from error
    images = [Image.open(io.BytesIO(picture)).convert("RGB").quantize(128, dither=Image.Dither.NONE) for picture in pictures]
    # The last frame stays longer, so that the result is seen before all begins anew.
    images[0].save(target, save_all=True, append_images=images[1:], duration=[wait] * (len(images) - 1) + [max(wait, 1500)], loop=0)
