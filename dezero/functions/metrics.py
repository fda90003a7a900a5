"""Measures of how good predictions are. They are constants: no gradient flows through them."""

from __future__ import annotations

from typing import Any

from dezero.backend import array_module, arrays, device
from dezero.core.checks import integer, operand
from dezero.core.compat import as_variable
from dezero.core.types import Operand
from dezero.core.value import is_float
from dezero.core.variable import Variable, handle
from dezero.errors import ShapeError, describe
from dezero.functions.shape import shape_of


def accuracy(y: Operand, t: Operand) -> Variable:
    """The share of right predictions.

    Args:
        y: scores (N, C) or (N, C, d1, ...), whose largest is the prediction; or predicted labels in the shape of ``t``.
        t: labels (N,), (N, 1) or (N, d1, ...), or one-hot rows in the shape of the scores.

    Returns:
        One number (0-d) in [0, 1], a constant.

    Raises:
        ShapeError: the shapes do not fit.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.accuracy(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1])))
        variable(0.5)
    """
    predicted, true = _labels("accuracy", y, t)
    return handle((predicted == true).sum() / max(1, true.size), None)


def top_k_accuracy(y: Operand, t: Operand, k: int = 5) -> Variable:
    """The share of samples whose label is among the ``k`` largest scores. Of equal scores the label's counts as the smaller.

    Args:
        y: scores (N, C).
        t: labels (N,) or (N, 1).
        k: how many scores count, 1 to C.

    Returns:
        One number (0-d) in [0, 1], a constant.

    Raises:
        ShapeError: the shapes do not fit.
        ValueError: ``k`` is not in 1 to C.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.top_k_accuracy(np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]), np.array([1, 2]), k=2))
        variable(0.5)
    """
    scores, t = operand("top_k_accuracy", "y", y).data, operand("top_k_accuracy", "t", t).data
    if arrays.foreign:
        device.one_place("top_k_accuracy", (("y", scores), ("t", t)))
    if scores.ndim != 2 or t.shape not in ((len(scores),), (len(scores), 1)):
        raise ShapeError(f"top_k_accuracy: y {describe(scores)} and t {describe(t)}: scores (N, C) and labels (N,) are expected")
    if not 1 <= integer("top_k_accuracy", "k", k) <= scores.shape[1]:
        raise ValueError(f"top_k_accuracy: k is {k}: it must be in 1 to C = {scores.shape[1]}")
    rows = array_module(scores).arange(len(scores))
    t = t.reshape(-1)
    _check_range("top_k_accuracy", t, scores.shape[1])
    own = scores[rows, t]
    not_below = (scores >= own[:, None]).sum(1)  # the label itself is one of them; a NaN is not
    return handle(((not_below <= k) & (own == own)).sum() / max(1, t.size), None)


def confusion_matrix(y: Operand, t: Operand, num_classes: int | None = None) -> Variable:
    """How often label i was predicted as j: the element in row i and column j.

    Args:
        y: scores (N, C), whose largest is the prediction, or predicted labels in the shape of ``t``.
        t: labels, integers from 0.
        num_classes: the size of the matrix; None takes C, or one more than the largest label.

    Returns:
        (C, C) integers, a constant.

    Raises:
        ShapeError: the shapes do not fit.
        IndexError: a label is negative, or not below ``num_classes``.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1])))
        variable([[1 1]
                  [0 1]])
    """
    return handle(_confusion("confusion_matrix", y, t, num_classes), None)


def precision(y: Operand, t: Operand, average: str | None = "macro", num_classes: int | None = None) -> Variable:
    """Of the predictions of a class, the share that is right; 0 for a class that was never predicted.

    Args:
        y, t, num_classes: as in ``confusion_matrix``.
        average: "macro" is the mean over the classes that occur in ``y`` or ``t``, "micro" counts all predictions
            together, None gives each class.

    Returns:
        One number (0-d), or (C,) with ``average=None``, a constant.

    Raises:
        ShapeError, IndexError: as ``confusion_matrix``.
        ValueError: ``average`` is unknown.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.precision(np.array([0, 1, 1]), np.array([0, 0, 1]), average=None))
        variable([1.  0.5])
    """
    return _averaged("precision", y, t, average, num_classes, lambda hits, predicted, true: (hits, predicted))


def recall(y: Operand, t: Operand, average: str | None = "macro", num_classes: int | None = None) -> Variable:
    """Of the samples of a class, the share that was found; 0 for a class that has none.

    Args:
        y, t, num_classes: as in ``confusion_matrix``.
        average: as in ``precision``.

    Returns:
        One number (0-d), or (C,) with ``average=None``, a constant.

    Raises:
        ShapeError, IndexError: as ``confusion_matrix``.
        ValueError: ``average`` is unknown.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.recall(np.array([0, 1, 1]), np.array([0, 0, 1]), average=None))
        variable([0.5 1. ])
    """
    return _averaged("recall", y, t, average, num_classes, lambda hits, predicted, true: (hits, true))


def f1(y: Operand, t: Operand, average: str | None = "macro", num_classes: int | None = None) -> Variable:
    """The harmonic mean of precision and recall; 0 for a class that occurs nowhere.

    Args:
        y, t, num_classes: as in ``confusion_matrix``.
        average: as in ``precision``.

    Returns:
        One number (0-d), or (C,) with ``average=None``, a constant.

    Raises:
        ShapeError, IndexError: as ``confusion_matrix``.
        ValueError: ``average`` is unknown.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.f1(np.array([0, 1, 1, 1]), np.array([0, 0, 1, 1]), average="micro"))
        variable(0.75)
    """
    return _averaged("f1", y, t, average, num_classes, lambda hits, predicted, true: (2 * hits, predicted + true))


def r2(y: Operand, t: Operand) -> Variable:
    """The coefficient of determination: 1 minus the squared errors over those of the mean of ``t``.

    Args:
        y: predictions, (N,) or (N, ...); each column counts for itself, and the result is the mean over the columns.
        t: what was to be predicted, the same shape. A column that does not vary gives 1 if met exactly, else 0.

    Returns:
        One number (0-d), at most 1, a constant.

    Raises:
        ShapeError: the shapes differ, or there is no axis of samples.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.r2(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0])))
        variable(0.5)
    """
    y, t = operand("r2", "y", y), operand("r2", "t", t)
    if y.shape != t.shape or not y.shape or not y.size:
        raise ShapeError(f"r2: y {describe(y)} and t {describe(t)} must have the same shape (N, ...) with at least one element")
    predicted, true = y.data.astype("float64"), t.data.astype("float64")
    rest = ((true - predicted) ** 2).sum(0)
    spread = ((true - true.mean(0)) ** 2).sum(0)
    flat = spread == 0
    score = 1 - rest / (spread + flat)
    score = score * (1 - flat) + (rest == 0) * flat
    return handle(score.mean().astype(y.dtype if is_float(y.data) else "float64"), None)


def _averaged(op: str, y: Any, t: Any, average: str | None, num_classes: int | None, parts: Any) -> Variable:
    """A ratio of counts for each class, or averaged; 0 where the count below is 0."""
    if average not in ("macro", "micro", None):
        raise ValueError(f"{op}: average is {average!r}: it must be 'macro', 'micro' or None")
    m = _confusion(op, y, t, num_classes)
    counts = m.diagonal(), m.sum(0), m.sum(1)
    if average == "micro":
        counts = tuple(c.sum() for c in counts)
    above, below = parts(*counts)
    ratio = above / (below + (below == 0))
    if average == "macro":
        occurs = (counts[1] + counts[2]) > 0
        ratio = ratio.sum() / max(1, int(occurs.sum()))
    return handle(ratio, None)


def _confusion(op: str, y: Any, t: Any, num_classes: int | None) -> Any:
    predicted, true = (v.reshape(-1) for v in _labels(op, y, t))
    xp = array_module(true)
    classes = num_classes
    if classes is None:
        shape = shape_of(op, y, "y")
        largest = max((int(v.max()) for v in (predicted, true) if v.size), default=-1)
        classes = max(largest + 1, shape[1] if len(shape) > 1 and is_float(as_variable(y).data) else 0)
    for v in (predicted, true):
        _check_range(op, v, classes)
    cells = true.astype("int64") * classes + predicted.astype("int64")
    return xp.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def _check_range(op: str, labels: Any, classes: int) -> None:
    if labels.size and (int(labels.min()) < 0 or int(labels.max()) >= classes):
        bad = labels[(labels < 0) | (labels >= classes)][0]
        raise IndexError(f"{op}: label {int(bad)} is out of range: with {classes} classes the labels are 0 to {classes - 1}")


def _labels(op: str, y: Any, t: Any) -> tuple[Any, Any]:
    """Predicted and true labels, in the same shape."""
    y, t = operand(op, "y", y).data, operand(op, "t", t).data
    if arrays.foreign:
        device.one_place(op, (("y", y), ("t", t)))
    scores, labels = y, t
    if y.ndim > 1 and y.shape[1] > 1 and t.shape == y.shape and is_float(y):
        t = t.argmax(1)  # one-hot
    if y.ndim > 1 and (is_float(y) or y.shape != t.shape):
        if y.shape[1] == 1 and is_float(y):
            raise ShapeError(f"{op}: y {describe(y)} has one score per sample, of which the largest says nothing: "
                             "pass labels, (y.data > 0).astype(int) say (0.5 for probabilities)")
        y = y.argmax(1)
    if is_float(y) or y.size != t.size or len(y) != len(t):
        raise ShapeError(f"{op}: y {describe(scores)} and t {describe(labels)}: y must be scores (N, C) for labels t (N,), or labels of t's shape")
    return y, t.reshape(y.shape)


__all__ = ["accuracy", "confusion_matrix", "f1", "precision", "r2", "recall", "top_k_accuracy"]
