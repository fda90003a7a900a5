"""What a classifier takes for what: the confusion matrix and the worst mistakes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dezero.backend import as_numpy
from dezero.errors import ShapeError, describe
from dezero.viz.plots.figure import finish, label, new_figure
from dezero.viz.plots.images import as_pictures, draw_tiles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Path = str | os.PathLike[str] | None

MOST_NUMBERED = 26  # with more classes the cells are too small for numbers


def confusion_matrix(predicted: Any, true: Any, labels: Sequence[Any] | None = None, path: Path = None, title: str | None = None) -> Figure:
    """How often each class was taken for each: counts in the cells, colours as shares of the true class (the row).

    Args:
        predicted: classes (N,), integers; or scores or probabilities (N, C), of which the largest counts.
        true: classes (N,).
        labels: the names of the classes, in their order; else their numbers.
        path: a .png, .svg or .pdf file to write; its folder is made.
        title: above the matrix; else the accuracy.

    Returns:
        The matplotlib Figure.

    Raises:
        ShapeError: there are no samples, or not as many of one as of the other.
        ValueError: a class is negative or has no name, or the suffix is unknown.

    Examples:
        >>> figure = confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2], labels=["cat", "dog", "owl"])
        >>> print(figure.axes[0].get_title())
        Accuracy 75.0 % (3 of 4)
    """
    p, t = _classes("confusion_matrix", predicted, true)
    names = _names("confusion_matrix", labels, max(p.max(), t.max()) + 1, as_numpy(predicted))
    n = len(names)
    counts = np.bincount(t * n + p, minlength=n * n).reshape(n, n)
    share = counts / np.maximum(1, counts.sum(1, keepdims=True))
    longest = max(map(len, names))
    side = float(np.clip(0.48 * n, 2.6, 11)) + min(2.0, 0.07 * longest)
    figure = new_figure(side + 2.0, side + 1.2)
    axes = figure.add_subplot()
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    bar = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label("Share of the true class", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    step = -(-n // 40)
    ticks = range(0, n, step)
    axes.set_xticks(ticks, names[::step], rotation=90 if longest > 3 or n > 30 else 0, fontsize=9 if n <= MOST_NUMBERED else 7)
    axes.set_yticks(ticks, names[::step], fontsize=9 if n <= MOST_NUMBERED else 7)
    axes.set(xlabel="Predicted class", ylabel="True class")
    right = int((p == t).sum())
    axes.set_title(label(title, 60) if title else f"Accuracy {100 * right / len(t):.1f} % ({right} of {len(t)})", fontsize=11)
    if n <= MOST_NUMBERED:
        _numbers(axes, counts, share)
    return finish(figure, path)


def mistakes(images: Any, predicted: Any, true: Any, probabilities: Any = None, count: int = 25, path: Path = None,
             labels: Sequence[Any] | None = None, title: str | None = None) -> Figure:
    """The worst mistakes: the images whose wrong class got the largest probability, with both classes and that probability.

    Args:
        images: (N, H, W), (N, 1, H, W) or (N, 3, H, W), as ``image_grid`` takes them.
        predicted: classes (N,), or scores (N, C), of which the largest counts.
        true: classes (N,).
        probabilities: (N, C), or (N,) of the predicted class; without them the mistakes stand in the order of the data.
        count: at most so many.
        path: a .png, .svg or .pdf file to write; its folder is made.
        labels: the names of the classes.
        title: above the images; else how many mistakes there are.

    Returns:
        The matplotlib Figure.

    Raises:
        ShapeError: the arrays are not of one length.
        ValueError: a class is negative or has no name, or the suffix is unknown.

    Examples:
        >>> import numpy as np
        >>> p = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
        >>> figure = mistakes(np.zeros((3, 8, 8)), p, np.array([0, 0, 0]), p)
        >>> [text.get_text() for text in figure.axes[0].texts[:2]]
        ['1, not 0\\n80.0 %', '1, not 0\\n60.0 %']
    """
    p, t = _classes("mistakes", predicted, true)
    x = as_numpy(images)
    if x.ndim < 3 or len(x) != len(t):
        raise ShapeError(f"mistakes: images {describe(x)} for {len(t)} samples: one image for each is expected")
    wrong = np.flatnonzero(p != t)
    names = _names("mistakes", labels, max(p.max(), t.max()) + 1, as_numpy(predicted))
    part = f"The worst {max(1, count)} of {len(wrong)}" if count < len(wrong) else f"All {len(wrong)}" if len(wrong) > 1 else "The only"
    head = title or f"{part} mistake{'' if len(wrong) == 1 else 's'} in {len(t)} images (predicted, not true)"
    if not len(wrong):
        figure = new_figure(5, 1.2)
        figure.text(0.5, 0.5, label(title or f"No mistake in {len(t)} images", 70), ha="center", va="center")
        return finish(figure, path)
    sure = _probability(probabilities, p)
    if sure is not None:
        wrong = wrong[np.argsort(-sure[wrong], kind="stable")]
    else:
        head = head if title else head.replace("worst", "first", 1)
    wrong = wrong[: max(1, count)]
    between = ", " if max(len(names[p[i]] + names[t[i]]) for i in wrong) < 9 else "\n"
    texts = [f"{names[p[i]]}{between}not {names[t[i]]}" for i in wrong]
    if sure is not None:
        texts = [f"{text}\n{100 * sure[i]:.1f} %" for text, i in zip(texts, wrong, strict=True)]
    return finish(draw_tiles(as_pictures(x[wrong], "mistakes"), texts, max(int(np.ceil(np.sqrt(len(wrong)))), min(5, len(wrong))), head), path)


def _classes(name: str, predicted: Any, true: Any) -> tuple[np.ndarray, np.ndarray]:
    """Predicted and true classes as integers (N,)."""
    p, t = as_numpy(predicted), as_numpy(true)
    if p.ndim == 2 and p.shape[1] > 1:
        p = p.argmax(1)
    p, t = p.reshape(-1), t.reshape(-1)
    if len(p) != len(t) or not len(t):
        raise ShapeError(f"{name}: predicted {describe(as_numpy(predicted))} and true {describe(as_numpy(true))}: "
                         "one class for each sample is expected in both")
    if min(p.min(), t.min()) < 0 or (p != p.astype(np.int64)).any() or (t != t.astype(np.int64)).any():
        raise ValueError(f"{name}: classes must be whole numbers from 0 on")
    return p.astype(np.int64), t.astype(np.int64)


def _names(name: str, labels: Sequence[Any] | None, classes: int, predicted: np.ndarray) -> list[str]:
    """The names of the classes; scores tell of classes that do not occur."""
    n = max(int(classes), predicted.shape[1] if predicted.ndim == 2 else 0)
    if labels is None:
        return [str(i) for i in range(n)]
    if len(labels) < classes:
        raise ValueError(f"{name}: {len(labels)} labels for {classes} classes: a name for each is expected")
    return [label(text, 24) for text in labels]


def _probability(probabilities: Any, p: np.ndarray) -> np.ndarray | None:
    """The probability of each predicted class."""
    if probabilities is None:
        return None
    given = as_numpy(probabilities)
    if len(given) != len(p) or given.ndim not in (1, 2):
        raise ShapeError(f"mistakes: probabilities {describe(given)} for {len(p)} samples: ({len(p)}, C) or ({len(p)},) is expected")
    sure: np.ndarray = given[np.arange(len(p)), p] if given.ndim == 2 else given
    return sure


def _numbers(axes: Axes, counts: np.ndarray, share: np.ndarray) -> None:
    """The counts in the cells, white on dark and pale where nothing is."""
    size = 9 if len(counts) <= 14 and counts.max() < 10000 else 7 if counts.max() < 10000 else 6
    for (i, j), count in np.ndenumerate(counts):
        colour = "white" if share[i, j] > 0.55 else "0.15" if count else "0.75"
        axes.text(j, i, str(count), ha="center", va="center", fontsize=size, color=colour)
