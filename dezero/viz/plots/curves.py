"""Curves over epochs: of one run, of several runs side by side, of learning rates and their schedules."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dezero.backend import as_numpy
from dezero.viz.plots.figure import COLOURS, colours, finish, label, legend_below, new_figure, scale_colours, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    Path = str | os.PathLike[str] | None
    History = Mapping[str, Sequence[Any]]

TITLES = {"loss": "Loss", "accuracy": "Accuracy", "live_units": "Share of live ReLUs"}
FEW = 20  # up to so many epochs each has a marker


def learning_curves(history: History, path: Path = None, title: str | None = None) -> Figure:
    """Loss on the left axis and accuracy on the right one, for training and validation, in one picture.

    Args:
        history: name -> one number an epoch: any of "loss", "val_loss", "accuracy", "val_accuracy". None and NaN leave a gap.
        path: a .png, .svg or .pdf file to write; its folder is made.
        title: above the picture.

    Returns:
        The matplotlib Figure, which a notebook displays.

    Raises:
        ValueError: the history holds none of these, or the suffix is unknown.
        ImportError: matplotlib is missing.

    Examples:
        >>> figure = learning_curves({"loss": [0.9, 0.5], "val_loss": [1.0, 0.7], "val_accuracy": [0.6, 0.8]})
        >>> [axes.get_ylabel() for axes in figure.axes]
        ['Loss', 'Accuracy']
    """
    shown = [name for name in ("loss", "accuracy") if _curves(history, name)]
    if not shown:
        held = ", ".join(map(repr, history)) or "nothing"
        raise ValueError(f"learning_curves: the history holds {held}: 'loss' or 'accuracy' is expected, with or without 'val_'")
    figure = new_figure(7.2, 4.4)
    left = figure.add_subplot()
    handles: list[Line2D] = []
    for i, name in enumerate(shown):
        axes = left if i == 0 else left.twinx()
        colour = COLOURS[("loss", "accuracy").index(name)]
        for prefix, values in _curves(history, name).items():
            handles += _line(axes, values, colour, f"{'validation' if prefix else 'training'} {name}", dashed=bool(prefix))
        tidy(axes, "y" if i == 0 else None)
        axes.set_ylabel(TITLES[name], color=colour)
        axes.tick_params(axis="y", colors=colour)
        if i:
            axes.spines["right"].set(visible=True, color=colour)
        _scale(axes, name, list(_curves(history, name).values()))
    _epochs(left, max(len(v) for name in shown for v in _curves(history, name).values()))
    if title:
        left.set_title(label(title, 90))
    legend_below(figure, handles)
    return finish(figure, path)


def compare_curves(histories: Mapping[Any, History], metric: str | Sequence[str] | None = None, path: Path = None,
                   title: str | None = None) -> Figure:
    """Several runs in the same panels: one for the loss, one for the accuracy, one for the share of live ReLUs if it was recorded.

    Args:
        histories: label -> history, as ``learning_curves`` takes it; "live_units" holds the share of units above zero, in [0, 1].
        metric: names of the panels to draw ("loss", "accuracy", "live_units" or any other name in the histories); None draws what there is of
            the three.
        path: a .png, .svg or .pdf file to write; its folder is made.
        title: above the panels.

    Returns:
        The matplotlib Figure.

    Raises:
        ValueError: no history holds what is asked for, or the suffix is unknown.

    Examples:
        >>> runs = {"lr 0.1": {"loss": [1.0, 0.5], "accuracy": [0.5, 0.8]}, "lr 1.5": {"loss": [3.0, 2.3], "accuracy": [0.1, 0.1]}}
        >>> [axes.get_title() for axes in compare_curves(runs).axes]
        ['Loss', 'Accuracy']
        >>> len(compare_curves(runs, metric="loss").axes)
        1
    """
    wanted = [metric] if isinstance(metric, str) else list(metric or TITLES)
    panels = [name for name in wanted if any(_curves(h, name) for h in histories.values())]
    if not panels or (metric is not None and panels != wanted):
        missing = [name for name in wanted if name not in panels]
        held = ", ".join(map(repr, sorted({k for h in histories.values() for k in h}))) or "nothing"
        raise ValueError(f"compare_curves: no history holds {' or '.join(map(repr, missing))}: they hold {held}")
    figure = new_figure(max(6.4, 4.4 * len(panels)), 4.4)
    for axes, name in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        drawn = []
        for colour, history in zip(colours(len(histories)), histories.values(), strict=True):
            for prefix, values in _curves(history, name).items():
                _line(axes, values, colour, "", dashed=bool(prefix))
                drawn.append(values)
        axes.set_title(label(TITLES.get(name, name)), fontsize=11)
        tidy(axes)
        _scale(axes, name, drawn)
        _epochs(axes, max(map(len, drawn)))
    _legend_of_runs(figure, histories, panels)
    if title:
        figure.suptitle(label(title, 110))
    return finish(figure, path)


def learning_rates(histories: Mapping[Any, History], path: Path = None, title: str | None = None) -> Figure:
    """Learning rates compared: the loss of each over the epochs, and what each reached in the end, the best one marked.

    Args:
        histories: learning rate -> history of its run.
        path: a .png, .svg or .pdf file to write; its folder is made.
        title: above the panels.

    Returns:
        The matplotlib Figure. Right panel: accuracy if it was recorded, else loss; of the validation data if there are any.

    Raises:
        ValueError: a rate is no positive number, a history holds no loss, or the suffix is unknown.

    Examples:
        >>> figure = learning_rates({0.01: {"loss": [2.3, 2.0]}, 0.1: {"loss": [2.0, 0.5]}, 3.0: {"loss": [9.0, float("nan")]}})
        >>> print(figure.axes[1].get_title())
        Best: 0.1
    """
    runs = {float(rate): histories[rate] for rate in sorted(histories, key=float)}
    if not runs or min(runs) <= 0 or not all(_curves(h, "loss") for h in runs.values()):
        raise ValueError(f"learning_rates: got rates {list(runs)}: positive rates are expected, each with a history that holds 'loss'")
    figure = new_figure(9.6, 4.4)
    left, right = figure.subplots(1, 2)
    drawn = []
    for colour, (rate, history) in zip(scale_colours(len(runs)), runs.items(), strict=True):
        drawn.append(list(_curves(history, "loss").values())[-1])
        _line(left, drawn[-1], colour, f"{rate:g}{_fate(history)}")
    left.set_title("Validation loss" if any("val_loss" in h for h in runs.values()) else "Training loss", fontsize=11)
    tidy(left)
    _scale(left, "loss", drawn)
    _epochs(left, max(map(len, drawn)))
    legend_below(figure, left.get_lines(), "Learning rate")
    _reached(right, runs)
    if title:
        figure.suptitle(label(title, 110))
    return finish(figure, path)


def lr_schedule(rates: Sequence[float] | Mapping[str, Sequence[float]], path: Path = None, title: str | None = None) -> Figure:
    """The learning rate at each step.

    Args:
        rates: one rate a step (or an epoch), or label -> rates for several schedules.
        path: a .png, .svg or .pdf file to write; its folder is made.
        title: above the picture.

    Returns:
        The matplotlib Figure.

    Raises:
        ValueError: there are no rates, or the suffix is unknown.

    Examples:
        >>> figure = lr_schedule([0.1, 0.1, 0.05, 0.025])
        >>> print(figure.axes[0].get_ylabel())
        Learning rate
    """
    named = {str(k): _numbers(v) for k, v in rates.items()} if isinstance(rates, Mapping) else {"": _numbers(rates)}
    if not named or not all(len(v) for v in named.values()):
        raise ValueError("lr_schedule: no rates were given: one for each step is expected")
    figure = new_figure(7.2, 3.8)
    axes = figure.add_subplot()
    for colour, (name, values) in zip(colours(len(named)), named.items(), strict=True):
        line, = _line(axes, values, colour, label(name), start=0)
        line.set_drawstyle("steps-post")  # a rate holds until the next
    tidy(axes)
    axes.set(xlabel="Step", ylabel="Learning rate")
    axes.set_title(label(title, 90) if title else "")
    if len(named) > 1:
        legend_below(figure, axes.get_lines())
    return finish(figure, path)


def _numbers(values: Any) -> np.ndarray:
    """One float for each epoch; None is NaN, and an entry of several numbers (one a layer) is their mean."""
    return np.array([np.nan if v is None else float(np.mean(as_numpy(v))) for v in values], dtype=np.float64)


def _curves(history: History, name: str) -> dict[str, np.ndarray]:
    """Prefix ("" or "val_") -> numbers, of those that were recorded."""
    found = {prefix: _numbers(history[prefix + name]) for prefix in ("", "val_") if prefix + name in history}
    return {prefix: values for prefix, values in found.items() if len(values)}


def _line(axes: Axes, values: np.ndarray, colour: Any, name: str, dashed: bool = False, start: int = 1) -> list[Line2D]:
    """Draw what is finite, with markers if there are few points."""
    places = np.flatnonzero(np.isfinite(values))
    marker = "" if len(values) > FEW else "s" if dashed else "o"
    return axes.plot(places + start, values[places], color=colour, label=name, linestyle="--" if dashed else "-", linewidth=1.8, marker=marker,
                     markersize=4.5, markerfacecolor="white" if dashed else colour, alpha=0.9)


def _epochs(axes: Axes, n: int) -> None:
    from matplotlib.ticker import FixedLocator, MaxNLocator

    axes.set_xlabel("Epoch")
    axes.xaxis.set_major_locator(FixedLocator([1]) if n == 1 else MaxNLocator(integer=True, nbins=8))
    side = 0.6 if n == 1 else max(0.15, 0.02 * n)
    axes.set_xlim(1 - side, n + side)


def _scale(axes: Axes, name: str, drawn: list[np.ndarray]) -> None:
    """Per cent for shares; a logarithmic axis for a loss that leaves its first value far behind."""
    from matplotlib.ticker import FuncFormatter

    finite = np.concatenate(drawn)
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        axes.text(0.5, 0.5, "no finite value", transform=axes.transAxes, ha="center", color="0.4")
    elif name in ("accuracy", "live_units") and finite.min() >= 0 and finite.max() <= 1:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.4g} %"))
        if name == "live_units":
            axes.set_ylim(-0.03, 1.03)
    elif name == "loss" and finite.min() > 0 and finite.max() > 100 * min(v[np.isfinite(v)][0] for v in drawn if np.isfinite(v).any()):
        axes.set_yscale("log")
        axes.set_ylim(bottom=max(0.7 * float(finite.min()), 1e-12 * float(finite.max())))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    elif name == "loss" and finite.min() >= 0:
        axes.set_ylim(0, 1.05 * float(finite.max()) or 1)


def _fate(history: History) -> str:
    """A remark on a run whose loss is not finite in the end."""
    losses = list(_curves(history, "loss").values())
    return " (diverged)" if any(np.isnan(v[-1]) or np.isinf(v[-1]) for v in losses[:1]) else ""


def _legend_of_runs(figure: Figure, histories: Mapping[Any, History], panels: list[str]) -> None:
    """One entry for each run that has a name; where both are drawn, also what solid and dashed mean."""
    from matplotlib.lines import Line2D

    runs = zip(colours(len(histories)), histories.items(), strict=True)
    handles = [Line2D([], [], color=colour, linewidth=2.5, label=label(name) + _fate(h)) for colour, (name, h) in runs if str(name)]
    both = any(len(_curves(h, name)) == 2 for h in histories.values() for name in panels)
    if both:
        handles += [Line2D([], [], color="0.3", label="training"), Line2D([], [], color="0.3", linestyle="--", label="validation")]
    if handles:
        legend_below(figure, handles)


def _reached(axes: Axes, runs: dict[float, History]) -> None:
    """The last value of each run against its rate, on a logarithmic axis."""
    from matplotlib.ticker import NullLocator

    name = "accuracy" if all(_curves(h, "accuracy") for h in runs.values()) else "loss"
    ends = np.array([list(_curves(h, name).values())[-1][-1] for h in runs.values()])
    rates = np.array(list(runs))
    axes.set_xscale("log")
    axes.plot(rates, ends, color="0.6", linewidth=1.2, zorder=1)
    axes.scatter(rates, ends, c=scale_colours(len(rates)), s=55, zorder=2)
    tidy(axes)
    axes.set(xlabel="Learning rate", ylabel=f"{TITLES[name]} in the end")
    step = -(-len(rates) // 8)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(rates[::step], [f"{rate:g}" for rate in rates[::step]], rotation=45 if len(rates) > 5 else 0)
    _scale(axes, name, [ends])
    if np.isfinite(ends).any():
        best = int(np.nanargmax(ends) if name == "accuracy" else np.nanargmin(ends))
        axes.scatter(rates[best], ends[best], s=170, facecolors="none", edgecolors=COLOURS[1], linewidths=2, zorder=3)
        axes.set_title(f"Best: {rates[best]:g}", fontsize=11)
