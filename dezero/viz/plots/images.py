"""Pictures in rows and columns: images of a data set, and the weights of a layer seen as images."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dezero.backend import as_numpy
from dezero.errors import ShapeError, describe
from dezero.viz.plots.figure import finish, label, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    Path = str | os.PathLike[str] | None

LETTER = 0.068  # the width of a letter of 8 points, and the height of its line, in inches
LINE = 0.15
GAP = 0.08


def image_grid(images: Any, titles: Sequence[Any] | None = None, rows: int | None = None, cols: int | None = None, path: Path = None,
               title: str | None = None) -> Figure:
    """Images in rows and columns, each with its title.

    Args:
        images: (N, H, W) grey, (N, 1, H, W) grey or (N, 3, H, W) RGB, an array or Variable; also (N, H, W, 3), and one image (H, W).
            Floats in [0, 1], bytes, or any range, which is then stretched over all images together.
        titles: one for each image, lines broken where they hold a newline; None for none.
        rows: rows of the grid; images that do not fit are left out.
        cols: columns; about as many as rows if neither is given.
        path: a .png, .svg or .pdf file to write; its folder is made.
        title: above the grid.

    Returns:
        The matplotlib Figure.

    Raises:
        ShapeError: the array holds no images.
        ValueError: there are fewer titles than images, or the suffix is unknown.

    Examples:
        >>> import numpy as np
        >>> figure = image_grid(np.eye(4).reshape(1, 4, 4).repeat(6, 0), titles=list("abcdef"), cols=3)
        >>> len(figure.axes[0].images)
        6
    """
    pictures = as_pictures(images, "image_grid")
    if rows is None and cols is None:
        cols = math.ceil(math.sqrt(len(pictures)))
    columns = cols or math.ceil(len(pictures) / (rows or 1))
    pictures = pictures[: rows * columns] if rows else pictures
    if titles is not None and len(titles) < len(pictures):
        raise ValueError(f"image_grid: {len(titles)} titles for {len(pictures)} images: one for each is expected")
    return finish(draw_tiles(pictures, titles, columns, title), path)


def filters(W: Any, path: Path = None, count: int = 64, title: str | None = None) -> Figure:
    """The weights of a layer as images: blue is negative, red positive, white zero.

    Args:
        W: weights (OC, C, KH, KW) of a convolution, or (I, O) of a linear layer on square images, I = H * H or 3 * H * H. With one channel each
            filter is one image; three channels are shown as colours, grey being zero; else the rows are filters and the columns
            their first 16 channels.
        path: a .png, .svg or .pdf file to write; its folder is made.
        count: at most so many filters, the first ones.
        title: above the filters.

    Returns:
        The matplotlib Figure.

    Raises:
        ShapeError: the weights are none of these.
        ValueError: the suffix is unknown.

    Examples:
        >>> import numpy as np
        >>> len(filters(np.random.default_rng(0).normal(size=(8, 1, 3, 3))).axes[0].images)
        8
        >>> len(filters(np.ones((784, 10))).axes[0].images)
        10
    """
    w = np.asarray(as_numpy(W), np.float64)
    side = math.isqrt(len(w) if w.ndim == 2 else 0)
    colour_side = math.isqrt(len(w) // 3 if w.ndim == 2 else 0)
    if w.ndim == 2 and w.size and side**2 == len(w):
        w = w.T.reshape(-1, 1, side, side)
    elif w.ndim == 2 and w.size and 3 * colour_side**2 == len(w):
        w = w.T.reshape(-1, 3, colour_side, colour_side)
    elif w.ndim != 4 or not w.size:
        raise ShapeError(f"filters: W {describe(w)}: weights (OC, C, KH, KW) of a convolution are expected, or (I, O) with I = H * H pixels")
    n, c, shape = len(w), w.shape[1], "x".join(map(str, w.shape[1 if w.shape[1] in (1, 3) else 2:]))
    largest = float(np.abs(w[np.isfinite(w)]).max(initial=0)) or 1.0
    caption = title or f"{min(n, count)} of {n} filters, {shape}, largest |w| = {largest:.3g}"
    if c == 3:
        coloured = np.clip(np.nan_to_num(0.5 + 0.5 * w[:count].transpose(0, 2, 3, 1) / largest, nan=0.5), 0, 1)
        return finish(draw_tiles(coloured, None, _columns(min(n, count)), caption), path)
    if c == 1:
        tiles, columns = w[:count, 0], _columns(min(n, count))
    else:
        count, columns = min(count, 16), min(c, 16)
        tiles = w[:count, :columns].reshape(-1, *w.shape[2:])
        caption = title or f"{min(n, count)} of {n} filters (rows), {columns} of {c} channels, {shape}, largest |w| = {largest:.3g}"
    return finish(draw_tiles(tiles, None, columns, caption, colours="RdBu_r", low=-largest, high=largest), path)


def as_pictures(images: Any, name: str) -> np.ndarray:
    """Images as floats in [0, 1], (N, H, W) if grey and (N, H, W, 3) if coloured.

    Raises:
        ShapeError: the array holds no images.
    """
    x: np.ndarray = as_numpy(images)
    if x.ndim == 2:
        x = x[None]
    if x.ndim == 4 and x.shape[1] in (1, 3):
        x = x.transpose(0, 2, 3, 1)
    if x.ndim not in (3, 4) or not x.size or x.dtype.kind not in "biuf" or (x.ndim == 4 and x.shape[3] not in (1, 3)):
        raise ShapeError(f"{name}: images {describe(x)}: at least one is expected, as (N, H, W), (N, 1, H, W) or (N, 3, H, W) numbers")
    if x.ndim == 4 and x.shape[3] == 1:
        x = x[..., 0]
    if x.dtype == np.uint8:
        return x / 255.0
    x = x.astype(np.float64)
    finite = x[np.isfinite(x)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low < 0 or high > 1:
        x = (x - low) / ((high - low) or 1.0)
    return np.asarray(np.clip(np.nan_to_num(x), 0, 1))


def draw_tiles(pictures: np.ndarray, titles: Sequence[Any] | None, columns: int, title: str | None = None, colours: str = "gray",
               low: float = 0.0, high: float = 1.0) -> Figure:
    """All pictures on one pair of axes, whose unit is an inch: many times faster than axes for each."""
    from matplotlib.patches import Rectangle

    n, (height, width) = len(pictures), pictures.shape[1:3]
    columns = max(1, min(columns, n))
    rows = -(-n // columns)
    cell = max(0.35, min(1.25, 12 / columns)) * (1 if titles is None else 1.05)
    tall = cell * min(4.0, max(0.25, height / width))
    letters = max(3, int((cell + GAP / 2) / LETTER))
    texts = [] if titles is None else ["\n".join(label(line, letters) for line in str(t).split("\n")) for t in list(titles)[:n]]
    above = LINE * max((t.count("\n") + 1 for t in texts), default=0) + (0.05 if texts else 0)
    head = 0.35 if title else 0.0
    size = columns * (cell + GAP) + GAP, rows * (tall + above + GAP) + GAP + head
    wide = max(size[0], LETTER * 1.25 * len(title or "") + 0.3, 2.0)
    left = (wide - size[0]) / 2
    figure = new_figure(wide, max(size[1], 0.8), constrained=False)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    for i, picture in enumerate(pictures):
        x = left + GAP + i % columns * (cell + GAP)
        y = head + GAP + i // columns * (tall + above + GAP)
        axes.imshow(picture, cmap=colours, vmin=low, vmax=high, extent=(x, x + cell, y + above + tall, y + above), interpolation="nearest")
        axes.add_patch(Rectangle((x, y + above), cell, tall, fill=False, edgecolor="0.75", linewidth=0.6))
        if texts:
            axes.text(x + cell / 2, y + above - 0.04, texts[i], ha="center", va="bottom", fontsize=8, linespacing=1.15)
    if title:
        axes.text(wide / 2, head / 2 + 0.05, label(title, 200), ha="center", va="center", fontsize=10)
    axes.set(xlim=(0, wide), ylim=(max(size[1], 0.8), 0), aspect="auto")
    return figure


def _columns(n: int) -> int:
    """Columns of a grid a little wider than tall."""
    return max(1, math.ceil(math.sqrt(1.6 * n)))
