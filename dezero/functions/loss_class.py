"""Losses on the scores of classes, with class numbers as labels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dezero.backend import array_module
from dezero.backend.arrays import kind_of
from dezero.core.checks import fraction, integer, may_look, operand, shown
from dezero.core.compat import as_variable
from dezero.core.function import Function
from dezero.core.types import Operand
from dezero.core.value import is_float, is_half
from dezero.core.variable import Variable
from dezero.errors import DTypeError, ShapeError, describe
from dezero.functions.explog import Exp, Log
from dezero.functions.loss import check_reduction, target_like
from dezero.functions.probability import LogSoftmax, log_softmax
from dezero.functions.reduce import wide
from dezero.functions.shape import moveaxis, reshape

UNSIGNED = {1: "uint8", 2: "uint16", 4: "uint32", 8: "uint64"}


def check_labels(x: Any, t: Any, head: str = "") -> None:
    """Refuse labels that name no column of ``x``; ``head`` comes first in the message. Labels on a device are not looked at: see ``may_look``.

    Raises:
        IndexError: one is out of range.
    """
    if not may_look(t):
        return
    unsigned = t.view(UNSIGNED[t.dtype.itemsize]) if t.dtype.kind == "i" else t  # a negative label is a huge one here
    classes = x.shape[1]
    if t.size and int(unsigned.max()) >= classes:
        bad = int(t[(t < 0) | (t >= classes)][0])
        leave_out = f"; to leave these rows out, pass ignore_index={bad}" if bad < 0 else ""
        raise IndexError(f"{head}label {bad} in t is out of range: with C = {classes} classes the labels are 0 to {classes - 1}{leave_out}")


class SoftmaxCrossEntropy(Function, op="softmax_cross_entropy"):
    """y_n = -log softmax(x_n)[t_n], their sum or their mean."""

    saves = ("e", "s", "places")

    def __init__(self, reduction="mean"):
        self.reduction = reduction

    def forward(self, x, t):
        check_labels(x, t)
        y, _, e, s, places = self.kernels.cross_entropy(x, t, None)
        y = self.reduced(y)
        return (y if y.dtype == x.dtype or not is_float(x) else y.astype(x.dtype)), e, s, places

    def grad_x(self, gy, *, e, s, places):
        a = gy if gy.dtype == s.dtype else gy.astype(s.dtype)
        if self.reduction == "mean":
            a = a / max(1, len(s))
        g = self.kernels.cross_entropy_grad(e, s, places, a, a.reshape(-1, 1) if a.shape else a)
        return g if g.dtype == gy.dtype else g.astype(gy.dtype)

    def compose(self, x, t): return self.reduced(-LogSoftmax(1)(x)[self.xp.arange(len(t)), t])

    def reduced(self, y):
        """The losses of the rows, their sum or their mean."""
        if self.reduction == "none":
            return y
        return y.sum() / max(1, len(y)) if self.reduction == "mean" else y.sum()


class NLLLoss(Function, op="nll_loss"):
    """y_n = -w[t_n] x_n[t_n] for logarithms x of probabilities and weights w of the classes; the mean divides by the weights."""

    smoothing = 0.0

    def __init__(self, ignore_index=None, reduction="mean"):
        self.ignore_index, self.reduction = ignore_index, reduction

    def rows(self, x, t, w):
        """Labels safe to index with; for each row its weight, and 1 or 0 for being there at all; what a mean multiplies by."""
        kept = (t == t) if self.ignore_index is None else (t != self.ignore_index)
        t = t * kept
        check_labels(x, t)
        if may_look(t):
            a = w[t] * kept
        else:  # a label out of range makes its loss NaN
            inside = (t >= 0) & (t < len(w))
            t = t * inside
            a = self.xp.where(inside, w[t] * kept, math.nan)
        if self.reduction != "mean":
            return t, a, kept.astype(w.dtype), 1.0
        total = a.sum()
        some = (total != 0).astype(w.dtype)
        return t, a, kept.astype(w.dtype), some / (total + (1 - some))

    def forward(self, x, t, w):
        y = self.from_log(wide(x), t, wide(w))
        return y.astype(x.dtype) if is_half(x) else y

    def grad_x(self, gy, *, x, t, w):
        t, a, _, share = self.rows(x, t, w)
        g = self.xp.zeros(x.shape, gy.dtype)
        g[self.xp.arange(len(t)), t] = gy * -share * a
        return g

    def compose(self, x, t, w): return self.from_log(x, t, w)

    def from_log(self, log_p, t, w):
        """The loss of logarithms of probabilities, as arrays or as Variables."""
        t, a, kept, share = self.rows(log_p, t, w)
        y = -log_p[self.xp.arange(len(t)), t] * (a * (1 - self.smoothing))
        if self.smoothing:
            y = y - (log_p * w).sum(1) * (kept * (self.smoothing / len(w)))
        return y if self.reduction == "none" else y.sum() * share


class WeightedSoftmaxCrossEntropy(NLLLoss, op="weighted_softmax_cross_entropy"):
    """SoftmaxCrossEntropy with weights of the classes, rows to leave out, and a share of the target spread over all classes."""

    saves = ("e", "s", "places")

    def __init__(self, smoothing=0.0, ignore_index=None, reduction="mean"):
        self.smoothing, self.ignore_index, self.reduction = smoothing, ignore_index, reduction

    def forward(self, x, t, w):
        w = wide(w)
        t, a, kept, share = self.rows(x, t, w)
        y, spread, e, s, places = self.kernels.cross_entropy(x, t, w if self.smoothing else None)
        y = y * (a * (1 - self.smoothing))
        if self.smoothing:
            y = y + spread * (kept * (self.smoothing / len(w)))
        y = y if self.reduction == "none" else y.sum() * share
        return (y.astype(x.dtype) if is_float(x) else y), e, s, places

    def grad_x(self, gy, *, x, t, w, e, s, places):
        w = w.astype(s.dtype)
        t, a, kept, share = self.rows(x, t, w)
        scale = gy.astype(s.dtype) * share
        on_label, on_each = scale * a * (1 - self.smoothing), scale * kept * (self.smoothing / len(w))
        g = self.kernels.cross_entropy_grad(e, s, places, on_label, (on_label + on_each * w.sum())[:, None])
        if self.smoothing:
            g -= on_each[:, None] * w
        return g.astype(gy.dtype)

    def compose(self, x, t, w): return self.from_log(LogSoftmax(1)(x), t, w)


def softmax_cross_entropy(x: Operand, t: Operand, class_weight: Operand | None = None, ignore_index: int | None = None,
                          label_smoothing: float = 0.0, reduction: str = "mean") -> Variable:
    """The cross entropy of ``softmax(x)``: the mean of -log p[t], exact for scores of any size.

    Args:
        x: scores (N, C), or (N, C, d1, ...).
        t: labels in [0, C), integers of any kind: (N,), (N, 1), or (N, d1, ...). Or probabilities in the shape of ``x``
            (one-hot rows, say), which have a gradient too if they are a Variable.
        class_weight: (C,), multiplies the loss of each class. The mean then divides by the weights of the labels.
        ignore_index: rows with this label count for nothing, also not in the mean. If none is left the loss is 0.
        label_smoothing: this share of each target is spread evenly over the C classes (Szegedy et al., 2015).
        reduction: "mean", "sum", or "none" for the loss of each row.

    Returns:
        One number (0-d), or with "none" (N,) or (N, d1, ...).

    Raises:
        ShapeError: the shapes do not fit.
        IndexError: a label is out of range. Labels on a device are looked at within ``detect_anomaly`` only, as the host would have to wait for
            it; else one that is out of range makes its loss NaN.
        DTypeError: labels are not integers.
        ValueError: ``label_smoothing`` is not in [0, 1], or the reduction is unknown.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> x = np.array([[2.0, 2.0, -1e4], [1e4, 0.0, 0.0]])
        >>> print(F.softmax_cross_entropy(x, np.array([0, 0])))
        variable(0.34657359027997264)
    """
    op = "softmax_cross_entropy"
    check_reduction(op, reduction)
    plain = class_weight is None and ignore_index is None and not label_smoothing
    if plain and type(t) is np.ndarray and t.ndim == 1 and t.dtype.kind == "i" and isinstance(x, Variable) and x.shape[:1] == t.shape and x.ndim == 2:
        return SoftmaxCrossEntropy(reduction)(x, t)  # the usual case, in every training step, needs none of what follows
    x, t = operand(op, "x", x), operand(op, "t", t)
    label_smoothing = fraction(op, "label_smoothing", label_smoothing)
    if x.shape == t.shape and len(x.shape) > 1 and (x.shape[1] > 1 or is_float(t._data)):
        return _with_probabilities(x, t, class_weight, label_smoothing, reduction)
    rows, labels = labelled_rows(op, x, t)
    if plain:
        y = SoftmaxCrossEntropy(reduction)(rows, labels)
    else:
        y = WeightedSoftmaxCrossEntropy(label_smoothing, _label_or_none(op, ignore_index), reduction)(rows, labels, _weights(op, rows, class_weight))
    return y if reduction != "none" or len(x.shape) == 2 else reshape(y, (x.shape[0], *x.shape[2:]))


def softmax_cross_entropy_simple(x: Operand, t: Operand) -> Variable:
    """``softmax_cross_entropy`` out of plain ops, to look into.

    Args:
        x: scores (N, C).
        t: labels in [0, C), integers (N,) or (N, 1).

    Returns:
        One number (0-d).

    Raises:
        ShapeError, IndexError, DTypeError: as ``softmax_cross_entropy``.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.softmax_cross_entropy_simple(np.array([[2.0, 2.0]]), np.array([0])))
        variable(0.6931471805599453)
    """
    op = "softmax_cross_entropy_simple"
    x, labels = labelled_rows(op, operand(op, "x", x), operand(op, "t", t))
    label = labels.data
    check_labels(x, label, op + ": ")
    n = len(label)
    z = x - x.data.max(1, keepdims=True)
    log_p = z - Log()(Exp()(z).sum(1, keepdims=True))
    return -log_p[array_module(label).arange(n), label].sum() / n


def nll_loss(log_p: Operand, t: Operand, class_weight: Operand | None = None, ignore_index: int | None = None,
             reduction: str = "mean") -> Variable:
    """The negative log likelihood of labels: the mean of -log_p[t], for what ``log_softmax`` gave.

    Args:
        log_p: logarithms of probabilities, (N, C) or (N, C, d1, ...).
        t: labels in [0, C), integers (N,), (N, 1) or (N, d1, ...).
        class_weight: (C,), multiplies the loss of each class. The mean then divides by the weights of the labels.
        ignore_index: rows with this label count for nothing, also not in the mean. If none is left the loss is 0.
        reduction: "mean", "sum", or "none" for the loss of each row.

    Returns:
        One number (0-d), or with "none" (N,) or (N, d1, ...).

    Raises:
        ShapeError, IndexError, DTypeError: as ``softmax_cross_entropy``.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.nll_loss(np.log(np.array([[0.5, 0.5], [0.2, 0.8]])), np.array([0, 1]), reduction="none"))
        variable([0.69314718 0.22314355])
    """
    check_reduction("nll_loss", reduction)
    log_p, t = operand("nll_loss", "log_p", log_p), operand("nll_loss", "t", t)
    rows, labels = labelled_rows("nll_loss", log_p, t)
    y = NLLLoss(_label_or_none("nll_loss", ignore_index), reduction)(rows, labels, _weights("nll_loss", rows, class_weight))
    return y if reduction != "none" or log_p.ndim == 2 else reshape(y, (log_p.shape[0], *log_p.shape[2:]))


def labelled_rows(op: str, x: Variable, t: Variable) -> tuple[Any, Variable]:
    """Scores as rows (M, C) with their labels (M,).

    Raises:
        ShapeError, DTypeError: the scores have no axis of classes, or ``t`` holds no labels for them.
    """
    n, given = x.shape, t.shape
    if len(n) < 2:
        raise ShapeError(f"{op}: x {describe(x)}: scores (N, C) are expected; for one sample write x.reshape(1, -1)")
    wanted = (n[0], *n[2:])
    if given not in (wanted, (n[0], 1, *n[2:])):
        raise ShapeError(f"{op}: x {describe(x)} and t {describe(t)}: labels of shape {wanted} are expected, or probabilities of shape {n}")
    if t.dtype.kind not in "biu":
        raise DTypeError(f"{op}: t {describe(t)}: labels must be integers; write t.astype(int)")
    odd = t.dtype.char in "?LQ"  # a bool index is a mask, and uint64 with int64 makes floats
    if len(n) == 2 and len(given) == 1 and not odd:
        return x, t
    labels = as_variable((t.data.astype("int64") if odd else t.data).reshape(-1))
    return (x if len(n) == 2 else moveaxis(x, 1, -1).reshape(-1, n[1])), labels


def _weights(op: str, x: Variable, w: Any) -> Any:
    """The weights of the classes as an array in the dtype of the scores; ones where none are given."""
    xp, dtype = array_module(x), x.dtype if is_float(x.data) else "float64"
    if w is None:
        return xp.ones(x.shape[1], dtype)
    w = xp.asarray(getattr(w, "_data", w))
    if kind_of(w.dtype) not in "biuf":
        raise DTypeError(f"{op}: class_weight is {shown(w)}: numbers are expected, one for each of the {x.shape[1]} classes")
    w = w.astype(dtype)
    if w.shape != x.shape[1:2]:
        raise ShapeError(f"{op}: class_weight has shape {w.shape}: one weight for each of the {x.shape[1]} classes is expected")
    return w


def _label_or_none(op: str, label: Any) -> int | None:
    return None if label is None else integer(op, "ignore_index", label)


def _with_probabilities(x: Variable, t: Variable, w: Any, smoothing: float, reduction: str) -> Variable:
    """The cross entropy where the target is a distribution; the mean is that over the rows."""
    t = target_like(x, t)
    if smoothing:
        t = t * (1 - smoothing) + smoothing / x.shape[1]
    if w is not None:
        t = t * _weights("softmax_cross_entropy", x, w).reshape(-1, *(1,) * (x.ndim - 2))
    y = -(log_softmax(x, 1) * t).sum(1)
    return y if reduction == "none" else y.sum() if reduction == "sum" else y.sum() / max(1, y.size)


__all__ = ["nll_loss", "softmax_cross_entropy", "softmax_cross_entropy_simple"]
