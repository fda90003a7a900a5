"""Metrics by name, and which way of a metric is the better one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dezero.core import Variable

Metric = Callable[[Any, Any], Any]
Metrics = Mapping[str, Metric] | Iterable[Metric] | Metric | None

RESERVED = ("epoch", "loss", "lr", "seconds")  # what the history calls its own columns
HIGHER = ("acc", "precision", "recall", "f1", "r2", "auc", "live_units", "score")  # what is better the higher it is, by its name


def named_metrics(metrics: Metrics) -> dict[str, Metric]:
    """Name -> function of (outputs, targets).

    Args:
        metrics: a mapping, or functions that go by their own names.

    Raises:
        TypeError: one is no function, or has no name of its own.
        ValueError: a name is taken by the history, or given twice.

    Examples:
        >>> import dezero.functions as F
        >>> list(named_metrics([F.accuracy]))
        ['accuracy']
    """
    if metrics is None:
        return {}
    pairs: list[tuple[Any, Any]]
    if isinstance(metrics, Mapping):
        pairs = list(metrics.items())
    else:
        pairs = [(getattr(f, "__name__", None), f) for f in ([metrics] if callable(metrics) else metrics)]
    found: dict[str, Metric] = {}
    for name, f in pairs:
        if not callable(f):
            raise TypeError(f"Trainer: metric {name or f!r} is a {type(f).__name__}: a function of (outputs, targets) is expected")
        if not isinstance(name, str) or name == "<lambda>":
            raise TypeError(f"Trainer: the metric {f!r} has no name: pass a dict, metrics={{'name': f}}")
        if name in RESERVED or name.startswith("val_") or name in found:
            why = "is given twice" if name in found else "is a column of the history's own"
            raise ValueError(f"Trainer: the metric name {name!r} {why}: pass a dict with another name, metrics={{'name': f}}")
        found[name] = f
    return found


def plain(y: Any) -> Any:
    """Outputs as arrays: what is computed from them builds no graph.

    Examples:
        >>> import numpy as np
        >>> plain((Variable(np.ones(2)), 3))
        (array([1., 1.]), 3)
    """
    if isinstance(y, Variable):
        return y.data
    return tuple(map(plain, y)) if isinstance(y, (tuple, list)) else y


def higher_is_better(name: str, mode: str | None, who: str) -> bool:
    """Is a metric the better the higher it is?

    Args:
        name: of the metric; accuracy, f1, precision and their like are better when higher, anything else when lower.
        mode: "max" or "min" decide it; None goes by the name.
        who: for the message.

    Raises:
        ValueError: the mode is unknown.

    Examples:
        >>> higher_is_better("val_accuracy", None, "best"), higher_is_better("val_loss", None, "best")
        (True, False)
    """
    if mode not in (None, "min", "max"):
        raise ValueError(f"{who}: mode is {mode!r}: 'min' (lower is better), 'max' or None (by the name of the metric) is expected")
    return any(word in name.lower() for word in HIGHER) if mode is None else mode == "max"


def improved(value: float | None, best: float | None, higher: bool, by: float = 0.0) -> bool:
    """Is ``value`` better than ``best`` by more than ``by``? A NaN or None never is; anything else is better than None.

    Examples:
        >>> improved(0.5, 0.6, higher=False), improved(float("nan"), None, higher=True)
        (True, False)
    """
    if value is None or math.isnan(value):
        return False
    return best is None or (value > best + by if higher else value < best - by)


def value_of(record: Mapping[str, Any], metric: str, who: str) -> float:
    """A metric of an epoch.

    Raises:
        KeyError: there is none of this name; the message lists those that are there.
    """
    if metric not in record:
        known = ", ".join(name for name in record if name != "epoch")
        advice = "; fit(..., val_loader=...) adds those that begin with val_" if metric.startswith("val_") and "val_loss" not in record else ""
        raise UnknownMetric(f"{who}: there is no metric {metric!r}: this run has {known}{advice}")
    return float(record[metric])


class UnknownMetric(KeyError):
    """A metric that the history does not have; the message says which there are."""

    def __str__(self) -> str:  # KeyError shows its message in quotes
        return str(self.args[0])
