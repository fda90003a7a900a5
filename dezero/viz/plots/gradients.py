"""Inside a network: how activations are distributed and how gradients flow through the layers."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from dezero.backend import as_numpy
from dezero.viz.flow import FlowRow, gradient_flow_report, last_mean
from dezero.viz.plots.figure import COLOURS, finish, label, legend_below, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    Path = str | os.PathLike[str] | None

FLAG_COLOURS = {"": COLOURS[0], "vanishing": COLOURS[4], "exploding": COLOURS[1], "dead": COLOURS[6]}
SMALLEST, LARGEST = 1e-45, 1e40  # a little beyond what float32 holds


def activation_histograms(activations: Mapping[str, Any], path: Path = None, title: str | None = None, bins: int = 60) -> Figure:
    """How the outputs of each layer are distributed, with their mean, standard deviation and share of zeros.

    Args:
        activations: layer -> array or Variable of any shape.
        path: a .png, .svg or .pdf file to write; its folder is made.
        title: above the panels.
        bins: bars in each panel.

    Returns:
        The matplotlib Figure, a panel for each layer. A bar of zeros (ReLU) that towers above the rest is cut, its share being in the panel's title.

    Raises:
        ValueError: there are no layers, or the suffix is unknown.

    Examples:
        >>> import numpy as np
        >>> figure = activation_histograms({"l0": np.array([0.0, 0.0, 1.0, 2.0])})
        >>> print(figure.axes[0].get_title())
        l0
        mean 0.75, std 0.83, zero 50 %
    """
    if not activations:
        raise ValueError("activation_histograms: no layers were given: a mapping of names to arrays is expected")
    n = len(activations)
    columns = min(n, 4)
    rows = -(-n // columns)
    figure = new_figure(max(3.6, 2.8 * columns), 2.4 * rows + (0.4 if title else 0))
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (name, given) in zip(panels, activations.items(), strict=False):
        values = np.asarray(as_numpy(given), np.float64).ravel()
        finite = values[np.isfinite(values)]
        lost = "" if len(finite) == len(values) else f", {len(values) - len(finite)} not finite"
        if not len(finite):
            axes.set_title(f"{label(name, 30)}\nno finite value", fontsize=9)
            continue
        zeros = float((finite == 0).mean())
        counts, _, bars = axes.hist(finite, bins=bins, color=COLOURS[0])
        rest = np.sort(np.asarray(counts))[-2] if len(counts) > 1 else 0
        if zeros > 0.2 and 0 < 1.5 * rest < np.max(counts):
            axes.set_ylim(0, 1.5 * rest)
            bars[int(np.argmax(counts))].set_color(COLOURS[1])
        dead = f", zero {zeros:.0%}".replace("%", " %") if zeros else ""
        axes.set_title(f"{label(name, 30)}\nmean {finite.mean():.2g}, std {finite.std():.2g}{dead}{lost}", fontsize=9)
        tidy(axes)
        axes.set_yticks([])
        axes.tick_params(labelsize=8)
    for axes in panels[n:]:
        axes.set_axis_off()
    if title:
        figure.suptitle(label(title, 90))
    return finish(figure, path)


def gradient_flow(gradients: Mapping[str, Any] | Iterable[tuple[Any, ...]], path: Path = None, title: str | None = None) -> Figure:
    """The size of each parameter's gradient from the first layer (top) to the last, with those marked that vanish, explode or are dead.

    Args:
        gradients: name -> gradient in the order of the layers; or pairs, triples (name, mean |g|, max |g|) or rows, as
            ``dezero.viz.flow.gradient_flow_report`` takes them.
        path: a .png, .svg or .pdf file to write; its folder is made.
        title: above the picture.

    Returns:
        The matplotlib Figure: bars are means, ticks the largest elements, on a logarithmic scale.

    Raises:
        ValueError: there are no gradients, or the suffix is unknown.
        TypeError: a gradient is no array.

    Examples:
        >>> import numpy as np
        >>> figure = gradient_flow({"l0.W": np.full(4, 1e-9), "l1.W": np.zeros(4), "l2.W": np.full(4, 0.1)})
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['vanishing', 'dead']
    """
    rows = gradient_flow_report(gradients)
    if not rows:
        raise ValueError("gradient_flow: no gradients were given: call backward() first, then pass name -> gradient")
    figure = new_figure(7.6, max(2.2, 1.2 + 0.26 * len(rows)))
    axes = figure.add_subplot()
    low, high = _limits(rows)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    for i, row in enumerate(rows):
        flag = row.flags[0] if row.flags else ""
        length = min(max(row.mean, low), high) if math.isfinite(row.mean) else high
        if row.largest != 0:
            axes.barh(i, length - low, left=low, height=0.66, color=FLAG_COLOURS[flag])
        if low < row.largest < high:
            axes.plot([row.largest] * 2, [i - 0.33, i + 0.33], color=FLAG_COLOURS[flag], linewidth=2)
        if flag:
            axes.text(1.01, i, flag, transform=axes.get_yaxis_transform(), va="center", fontsize=8, color=FLAG_COLOURS[flag], weight="bold")
    _dress(figure, rows, low, high)
    if title:
        axes.set_title(label(title, 90), fontsize=11)
    return finish(figure, path)


def _limits(rows: list[FlowRow]) -> tuple[float, float]:
    """The ends of the scale: whole powers of ten around all means and maxima."""
    sizes = [min(max(v, SMALLEST), LARGEST) for row in rows for v in (row.mean, row.largest) if math.isfinite(v) and v > 0] or [1.0]
    return 10.0 ** (math.floor(math.log10(min(sizes))) - 1), 10.0 ** (math.floor(math.log10(max(sizes))) + 1)


def _dress(figure: Figure, rows: list[FlowRow], low: float, high: float) -> None:
    """Names, scale, the line under which gradients count as vanishing, the legend."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes = figure.axes[0]
    axes.xaxis.set_major_locator(LogLocator(10, numticks=9))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlabel="|gradient|")
    axes.set_yticks(range(len(rows)), [label(row.name, 32) for row in rows])
    tidy(axes, "x")
    axes.tick_params(axis="y", labelsize=8, length=0)
    handles: list[Any] = [Patch(color=COLOURS[0], label="mean"), Line2D([], [], color=COLOURS[0], marker="|", markersize=10, markeredgewidth=2,
                                                                       linestyle="", label="largest element")]
    last = last_mean(rows)
    if low < 1e-5 * last:
        axes.axvline(1e-5 * last, color="0.3", linestyle=":", linewidth=1.3)
        handles.append(Line2D([], [], color="0.3", linestyle=":", label="1e-5 of the last layer"))
    legend_below(figure, handles)
