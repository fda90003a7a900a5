"""What a run shows in the end: pictures in its folder, and tables."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

import dezero.functions as F
from dezero.cli.tasks import IMAGES, POINTS
from dezero.training import Evaluator
from dezero.viz import plots


@np.errstate(over="ignore", invalid="ignore")  # weights that have diverged are shown as they are
def probabilities(model: Any, data: Any, size: int = 500) -> tuple[Any, Any]:
    """Softmax probabilities (N, C) of a data set's samples, and their labels (N,)."""
    x, t = data[:]
    scores = Evaluator(model).predict(x, size)
    return F.softmax(scores.astype(np.float64)).data, t


def pictures(run: Any) -> bool:
    """Learning curves, confusion matrix, worst mistakes; where inputs are points of a plane, the regions of the classes.

    Returns:
        Were they drawn? False where matplotlib is missing.
    """
    folder, task, history = run.folder, run.task, run.history
    p, t = probabilities(run.trainer.model.to_cpu(), task.test)
    try:
        plots.learning_curves(history, folder / "curves.png")
        plots.confusion_matrix(p, t, task.classes, folder / "confusion.png")
        if task.kind != POINTS:
            images = task.test.data.astype(np.float32) / IMAGES[run.settings.data][1]
            plots.mistakes(images, p.argmax(axis=1), t, p, path=folder / "mistakes.png", labels=task.classes)
        elif task.shape == (2,):
            x, labels = task.test[:]
            plots.decision_boundary(lambda points: run.trainer.model(points.astype(np.float32)).data, x, labels, folder / "regions.png",
                                    labels=task.classes)
    except ImportError as error:
        print(f"no pictures: {error}", file=sys.stderr)
        return False
    return True


def share(values: Any) -> str:
    """The last of some shares as per cent."""
    return f"{values[-1]:.1%}" if values else "-"


def table_of_runs(histories: Mapping[str, Any], head: str) -> str:
    """A row for each run, and what the share of live ReLUs means.

    Args:
        histories: label -> history.
        head: above the labels.
    """
    rows = [(head, "loss", "accuracy", "test accuracy", "live ReLUs", "")]
    for name, history in histories.items():
        column = {key: history.get(key, []) for key in ("loss", "accuracy", "val_accuracy", "live_units")}
        loss = f"{column['loss'][-1]:.4f}" if column["loss"] else "-"
        rows.append((name, loss, share(column["accuracy"]), share(column["val_accuracy"]), share(column["live_units"]),
                     "diverged" if history.stopped else ""))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    if any(share < 0.5 for h in histories.values() for share in h.get("live_units", [])[-1:]):
        lines += ["", "A ReLU is live if it is above 0 for at least one sample of a batch. A rate that is too high throws weights and",
                  "biases so far that a unit is 0 for every sample: its gradient is 0 too, so it never comes back.",
                  "Where few are live, the network has become smaller."]
    return "\n".join(lines)


def confusion_table(p: Any, t: Any, classes: list[str]) -> str:
    """Precision, recall and the number of samples of each class."""
    predicted = p.argmax(axis=1)
    rows = [("class", "samples", "precision", "recall")]
    for i, name in enumerate(classes):
        hit = int(((predicted == i) & (t == i)).sum())
        rows.append((name, str(int((t == i).sum())), ratio(hit, int((predicted == i).sum())), ratio(hit, int((t == i).sum()))))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    return "\n".join("  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))]) for row in rows)


def ratio(a: int, b: int) -> str:
    """As per cent."""
    return f"{a / b:.1%}" if b else "-"
