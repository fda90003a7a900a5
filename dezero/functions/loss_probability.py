"""Losses on probabilities, and on scores that say yes or no: cross entropy, divergence, and the hinge."""

from __future__ import annotations

from math import prod
from typing import Any

from dezero.backend import array_module
from dezero.backend.arrays import finfo
from dezero.core.arithmetic import Sub
from dezero.core.checks import may_look, number, operand
from dezero.core.types import Operand
from dezero.core.variable import Variable
from dezero.errors import RangeError, describe
from dezero.functions.activation import Sigmoid
from dezero.functions.compare import Clip
from dezero.functions.explog import Log
from dezero.functions.loss import PairLoss, check_reduction, partners, target_like
from dezero.functions.loss_class import check_labels, labelled_rows
from dezero.functions.rectifier import relu
from dezero.functions.shape import reshape, shape_of


def check_targets(t: Any) -> None:
    """Refuse what is no probability; labels -1 and 1 would give a loss without a lower end. Not on a device: see ``may_look``.

    Raises:
        RangeError: an element is not in [0, 1].
    """
    if t.size and may_look(t) and (t.min() < 0 or t.max() > 1):
        raise RangeError("t must be 0 or 1, or probabilities in [0, 1]; from labels -1 and 1 write (t + 1) / 2")


class SigmoidCrossEntropy(PairLoss, op="sigmoid_cross_entropy"):
    """y = -sum (t log p + (1 - t) log(1 - p)) / N for p = sigmoid(x)."""

    per_sample = True

    def forward(self, x, t):
        check_targets(t)
        return self.reduced(x, t)

    def loss(self, x, t):
        xp = self.xp
        return xp.log1p(xp.exp(-abs(x))) + (xp.maximum(x, 0) - x * t)

    def slope(self, x, t): return Sub.on(Sigmoid.on(x), t)
    def slope_t(self, x, t): return -x


class BinaryCrossEntropy(PairLoss, op="binary_cross_entropy"):
    """y = -sum (t log p + (1 - t) log(1 - p)) / N."""

    per_sample = True

    def forward(self, p, t):
        if p.size and may_look(p) and ((p < 0).any() or (p > 1).any()):
            raise RangeError("p must be probabilities in [0, 1]; for scores use F.sigmoid_cross_entropy")
        check_targets(t)
        return self.reduced(p, t)

    def inside(self, p):
        """p, kept as far from 0 and 1 as 1 is from the next number."""
        eps = float(finfo(p.dtype).eps)
        return Clip.on(p, x_min=eps, x_max=1 - eps)

    def loss(self, x, t):
        q = self.inside(x)
        return (t - 1) * self.xp.log1p(-q) - t * self.xp.log(q)

    def slope(self, x, t):
        q = self.inside(x)
        return Sub.on(q, t) / (q * (1 - q))

    def grad_p(self, gy, *, p, t): return self.scaled(gy, p, t) * self.slope(p, t)

    def grad_t(self, gy, *, p, t):
        q = self.inside(p)
        return self.scaled(gy, p, t) * (Log.on(1 - q) - Log.on(q))


class KLDiv(PairLoss, op="kl_div"):
    """y = sum t (log t - x) / N for x = log q."""

    per_sample = True

    def safe(self, t):
        """t, away from 0, where t log t is 0 all the same."""
        return Clip.on(t, x_min=float(finfo(t.dtype).tiny), x_max=None)

    def forward(self, log_q, p):
        if p.size and may_look(p) and not (p >= 0).all():
            raise RangeError("p must not be negative: log_q comes first, then p")
        return self.reduced(log_q, p)

    def loss(self, x, t): return t * (self.xp.log(self.safe(t)) - x)
    def grad_log_q(self, gy, *, log_q, p): return self.scaled(gy, log_q, p) * -p
    def grad_p(self, gy, *, log_q, p): return self.scaled(gy, log_q, p) * (Log.on(self.safe(p)) - log_q + 1)


def sigmoid_cross_entropy(x: Operand, t: Operand, reduction: str = "mean") -> Variable:
    """The binary cross entropy of ``sigmoid(x)``: the sum of log(1 + exp(x)) - x t. Exact for scores of any size.

    Args:
        x: scores (logits), (N, ...).
        t: 0 or 1, or probabilities between; as many elements as ``x``, and reshaped to it if the numbers of axes differ.
        reduction: "mean" divides the sum by N, as the book does, "sum", or "none" for each loss.

    Returns:
        One number (0-d), or with "none" the shape of ``x``.

    Raises:
        ShapeError: the shapes do not fit.
        RangeError: some ``t`` is not in [0, 1].

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.sigmoid_cross_entropy(np.array([1e4, -1e4, 0.0]), np.array([1, 0, 1]), reduction="sum"))
        variable(0.6931471805599453)
    """
    check_reduction("sigmoid_cross_entropy", reduction)
    return SigmoidCrossEntropy(reduction)(*partners(x, _shaped("sigmoid_cross_entropy", x, t)))


def binary_cross_entropy(p: Operand, t: Operand, reduction: str = "mean") -> Variable:
    """The cross entropy of probabilities: the sum of -t log p - (1 - t) log(1 - p).

    p counts as at least eps and at most 1 - eps, eps being the distance from 1 to the next number of the dtype, so loss and
    gradient stay finite, and a gradient is there even for a p of exactly 0 or 1. ``sigmoid_cross_entropy`` on scores is
    exact and faster.

    Args:
        p: probabilities, (N, ...).
        t: 0 or 1, or probabilities between; as many elements as ``p``, and reshaped to it if the numbers of axes differ.
        reduction: "mean" divides the sum by N, as the book does, "sum", or "none" for each loss.

    Returns:
        One number (0-d), or with "none" the shape of ``p``.

    Raises:
        ShapeError: the shapes do not fit.
        RangeError: some ``p`` or ``t`` is not in [0, 1].

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.binary_cross_entropy(np.array([0.5, 0.25]), np.array([1, 1]), reduction="none"))
        variable([0.69314718 1.38629436])
    """
    check_reduction("binary_cross_entropy", reduction)
    return BinaryCrossEntropy(reduction)(*partners(p, _shaped("binary_cross_entropy", p, t, "p")))


def hinge(x: Operand, t: Operand, margin: float = 1.0, reduction: str = "mean") -> Variable:
    """The loss of support vector machines: how far scores fall short of a margin. At the margin the derivative is 0.

    Args:
        x: scores: (N,) or any shape for two classes, (N, C) for C classes.
        t: for two classes -1 or 1, in the shape of ``x``: max(0, margin - t x). For C classes labels in [0, C), integers
            (N,): the sum over the wrong classes j of max(0, margin - x[t] + x[j]) (Weston and Watkins, 1999).
        margin: not negative.
        reduction: "mean" over the losses, "sum", or "none" for each.

    Returns:
        One number (0-d), or with "none" the shape of ``t``.

    Raises:
        ShapeError: the shapes do not fit.
        ValueError: two classes, and labels other than -1 and 1.
        IndexError: a label is out of range.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.hinge(np.array([0.5, -2.0]), np.array([1, -1])), F.hinge(np.array([[1.0, 3.0, 0.5]]), np.array([0])))
        variable(0.25) variable(3.5)
    """
    check_reduction("hinge", reduction)
    x, t, margin = operand("hinge", "x", x), operand("hinge", "t", t), number("hinge", "margin", margin)
    if x.shape == t.shape:
        if may_look(t.data) and not (abs(t.data) == 1).all():
            raise ValueError(f"hinge: t {describe(t)} in the shape of x must be -1 or 1; from labels 0 and 1 write 2 * t - 1")
        y = relu(margin - x * target_like(x, t.data))
    else:
        rows, labels = labelled_rows("hinge", x, t)
        check_labels(rows, labels._data, "hinge: ")
        own = rows[array_module(rows).arange(len(labels)), labels.data].reshape(-1, 1)
        y = relu(rows - own + margin).sum(1) - margin  # the right class has added the margin itself
    return y if reduction == "none" else y.sum() if reduction == "sum" else y.sum() / max(1, y.size)


def kl_div(log_q: Operand, p: Operand, reduction: str = "mean") -> Variable:
    """The Kullback-Leibler divergence of a predicted distribution q from p: the sum of p (log p - log q).

    Args:
        log_q: logarithms of the predicted probabilities, (N, ...), from ``log_softmax`` say.
        p: the probabilities to reach, the same shape, not negative; where p is 0 the term is 0.
        reduction: "mean" divides the sum by N, "sum", or "none" for each term.

    Returns:
        One number (0-d), or with "none" the shape of ``log_q``.

    Raises:
        ShapeError: the shapes differ.
        RangeError: ``p`` is negative somewhere.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> p = np.array([[0.5, 0.5, 0.0]])
        >>> print(F.kl_div(np.log(np.array([[0.25, 0.5, 0.25]])), p))
        variable(0.34657359027997264)
    """
    check_reduction("kl_div", reduction)
    return KLDiv(reduction)(*partners(log_q, p))


def _shaped(op: str, x: Any, t: Any, name: str = "x") -> Any:
    """``t`` in the shape of ``x``, if only the numbers of axes differ."""
    to, given = shape_of(op, x, name), shape_of(op, t, "t")
    if given in ((), to) or len(to) == len(given) or prod(to) != prod(given):
        return t
    return reshape(t, to) if isinstance(t, Variable) else t.reshape(to)


__all__ = ["binary_cross_entropy", "hinge", "kl_div", "sigmoid_cross_entropy"]
