"""Rows for the losses: dezero/functions/loss.py, loss_class.py and loss_probability.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.cases.case import Case, Const, Floats, ints
from tests.cases.lazy import special

PAIR = (Floats((4, 3)), Floats((4, 3)))
APART = (Floats((4, 3), 0.2, 2.0), Floats((4, 3), -2.0, -0.2))  # never equal: the kinks are where they are
SCORES, LABELS = Floats((4, 3)), ints(3, (4,))
WEIGHT = Const(lambda rng: rng.uniform(0.5, 2, 3).astype("f4").astype("f8"))
PROBABILITY = Floats((4, 3), 0.1, 0.9)


def _batch(x: np.ndarray) -> int:
    return max(1, len(x)) if x.ndim else 1


def _huber(x: np.ndarray, t: np.ndarray, delta: float) -> np.ndarray:
    d = np.abs(x - t)
    return np.where(d <= delta, d ** 2 / 2, delta * (d - delta / 2))


def _huber_far(rng: np.random.Generator) -> np.ndarray:
    return np.resize([0.3, -0.2, 2.6, -2.7], (4, 3)) + rng.uniform(-0.1, 0.1, (4, 3))


def _bce(p: np.ndarray, t: np.ndarray) -> np.ndarray:
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


def _nll(log_p: np.ndarray, t: np.ndarray, w: np.ndarray | None = None, ignore: int | None = None, smoothing: float = 0.0) -> Any:
    """The losses of the rows and the weights that their mean divides by, in a loop."""
    classes = log_p.shape[1]
    w = np.ones(classes) if w is None else w
    losses, weights = [], []
    for row, label in zip(log_p, t, strict=True):
        on = 0.0 if label == ignore else 1.0
        target = np.full(classes, smoothing / classes) + (1 - smoothing) * (np.arange(classes) == label)
        losses.append(-on * (target * w * row).sum())
        weights.append(on * w[label] if on else 0.0)
    return np.array(losses), np.array(weights)


def _ce(x: np.ndarray, t: np.ndarray, reduction: str = "mean", **kwargs: Any) -> Any:
    losses, weights = _nll(special.log_softmax(x, 1), t, **kwargs)
    return losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.sum() / weights.sum()


def _ce_row(label: str, inputs: tuple[Any, ...], **kwargs: Any) -> Case:
    """A row whose third input, if any, are the weights of the classes."""
    def arguments(w: Any) -> dict[str, Any]:
        return kwargs if not w else {**kwargs, "class_weight": w[0]}

    def oracle(x: Any, t: Any, *w: Any) -> Any:
        names = {"label_smoothing": "smoothing", "ignore_index": "ignore", "class_weight": "w"}
        return _ce(x, t, **{names.get(k, k): v for k, v in arguments(w).items()})

    return Case("softmax_cross_entropy", inputs, oracle, call=lambda F, x, t, *w: F.softmax_cross_entropy(x, t, **arguments(w)), label=label)


def _flattened(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, 1, -1).reshape(-1, x.shape[1])


def _cosine(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
    return (a * b).sum(axis) / np.linalg.norm(a, axis=axis) / np.linalg.norm(b, axis=axis)


def _hinge(x: np.ndarray, t: np.ndarray, margin: float = 1.0) -> np.ndarray:
    return np.array([sum(max(0.0, margin - row[label] + row[j]) for j in range(len(row)) if j != label) for row, label in zip(x, t, strict=True)])


HUBER = (Floats((4, 3), make=_huber_far), Floats((4, 3), -0.2, 0.2))
IMAGES, MAP = Floats((2, 3, 2)), ints(3, (2, 2))
SIGNS = Const(lambda rng: rng.choice([-1, 1], (4, 3)))
HINGE = Floats((4, 3), make=lambda rng: np.resize([0.3, -2.2, 1.6, -0.4, 2.7], (4, 3)) + rng.uniform(-0.1, 0.1, (4, 3)))
IGNORED = Const(lambda rng: np.array([2, -1, 0, -1]))

CASES: list[Case] = [
    Case("mean_squared_error", PAIR, lambda x, t: ((x - t) ** 2).sum() / _batch(x), zero_size=((0, 3), (0, 3))),
    Case("mean_squared_error", PAIR, lambda x, t: (x - t) ** 2, call=lambda F, x, t: F.mean_squared_error(x, t, reduction="none"), label="none"),
    Case("mean_squared_error", (Floats((3,)), Floats(())), lambda x, t: ((x - t) ** 2).mean(), label="one number", zero_d=True),
    Case("mean_squared_error_simple", PAIR, lambda x, t: ((x - t) ** 2).sum() / _batch(x), zero_d=True),
    Case("sum_squared_error", PAIR, lambda x, t: ((x - t) ** 2).sum() / 2, zero_d=True, zero_size=((0, 3), (0, 3))),
    Case("mean_absolute_error", APART, lambda x, t: np.abs(x - t).sum() / max(1, x.size), zero_d=True, zero_size=((0, 3), (0, 3))),
    Case("mean_absolute_error", APART[::-1], lambda x, t: np.abs(x - t), call=lambda F, x, t: F.mean_absolute_error(x, t, reduction="none"),
         label="none"),
    Case("huber", HUBER, lambda x, t: _huber(x, t, 1.0).sum() / max(1, x.size), zero_size=((0, 3), (0, 3))),
    Case("huber", HUBER, lambda x, t: _huber(x, t, 0.9).sum(),
         call=lambda F, x, t: F.huber(x, t, delta=0.9, reduction="sum"), label="delta"),
    Case("sigmoid_cross_entropy", (SCORES, PROBABILITY), lambda x, t: _bce(special.expit(x), t).sum() / _batch(x), zero_d=True,
         zero_size=((0, 3), (0, 3))),
    Case("sigmoid_cross_entropy", (SCORES, ints(2, (4, 3))), lambda x, t: _bce(special.expit(x), t), label="none",
         call=lambda F, x, t: F.sigmoid_cross_entropy(x, t, reduction="none")),
    Case("sigmoid_cross_entropy", (Floats((4, 1)), ints(2, (4,))), lambda x, t: _bce(special.expit(x[:, 0]), t).mean(), label="flat labels"),
    Case("binary_cross_entropy", (PROBABILITY, PROBABILITY), lambda p, t: _bce(p, t).sum() / _batch(p), zero_d=True, zero_size=((0, 3), (0, 3))),
    Case("binary_cross_entropy", (Floats((4, 1), 0.1, 0.9), ints(2, (4,))), lambda p, t: _bce(p[:, 0], t).sum(), label="flat labels",
         call=lambda F, p, t: F.binary_cross_entropy(p, t, reduction="sum")),
    Case("kl_div", (Floats((4, 3)), PROBABILITY), lambda x, p: (special.xlogy(p, p) - p * x).sum() / _batch(p), zero_size=((0, 3), (0, 3))),
    Case("kl_div", (Floats((2, 2)), Const(lambda rng: np.array([[0.25, 0.75], [0.0, 1.0]]))), lambda x, p: special.xlogy(p, p) - p * x,
         call=lambda F, x, p: F.kl_div(x, p, reduction="none"), label="none"),
    Case("cosine_similarity", PAIR, _cosine, f32=1e-4, broadcast=(((4, 3), (3,)), ((4, 1, 3), (2, 3)))),
    Case("cosine_similarity", PAIR, lambda a, b: _cosine(a, b, 0), call=lambda F, a, b: F.cosine_similarity(a, b, axis=0), label="axis 0", f32=1e-4),
    Case("softmax_cross_entropy", (SCORES, LABELS), _ce),
    Case("softmax_cross_entropy", (SCORES, ints(3, (4, 1))), lambda x, t: _ce(x, t[:, 0]), label="column of labels"),
    _ce_row("sum", (SCORES, LABELS), reduction="sum"),
    _ce_row("none", (SCORES, LABELS), reduction="none"),
    _ce_row("weight", (SCORES, LABELS, WEIGHT)),
    _ce_row("weight, none", (SCORES, LABELS, WEIGHT), reduction="none"),
    _ce_row("ignored", (SCORES, IGNORED), ignore_index=-1),
    _ce_row("smooth", (SCORES, LABELS), label_smoothing=0.1),
    _ce_row("all options", (SCORES, IGNORED, WEIGHT), ignore_index=-1, label_smoothing=0.2),
    _ce_row("all options, sum", (SCORES, IGNORED, WEIGHT), ignore_index=-1, label_smoothing=0.2, reduction="sum"),
    Case("softmax_cross_entropy", (IMAGES, MAP), lambda x, t: _ce(_flattened(x), t.ravel()), label="(N, C, d)"),
    Case("softmax_cross_entropy", (IMAGES, MAP), lambda x, t: _ce(_flattened(x), t.ravel(), "none").reshape(2, 2), label="(N, C, d) none",
         call=lambda F, x, t: F.softmax_cross_entropy(x, t, reduction="none")),
    Case("softmax_cross_entropy", (SCORES, PROBABILITY), lambda x, q: -(q * special.log_softmax(x, 1)).sum(1).mean(), label="probabilities"),
    Case("softmax_cross_entropy", (IMAGES, Floats((2, 3, 2), 0.1, 0.9), WEIGHT), label="probabilities, all options",
         oracle=lambda x, q, w: -(((0.9 * q + 0.1 / 3) * special.log_softmax(x, 1)) * w[:, None]).sum(1).mean(),
         call=lambda F, x, q, w: F.softmax_cross_entropy(x, q, class_weight=w, label_smoothing=0.1)),
    Case("softmax_cross_entropy_simple", (SCORES, LABELS), _ce),
    Case("nll_loss", (SCORES, LABELS), lambda x, t: _nll(x, t)[0].mean()),
    Case("nll_loss", (SCORES, IGNORED, WEIGHT), lambda x, t, w: np.divide(*map(np.sum, _nll(x, t, w, -1))), label="options",
         call=lambda F, x, t, w: F.nll_loss(x, t, class_weight=w, ignore_index=-1)),
    Case("nll_loss", (IMAGES, MAP), lambda x, t: _nll(_flattened(x), t.ravel())[0].reshape(2, 2), label="(N, C, d) none",
         call=lambda F, x, t: F.nll_loss(x, t, reduction="none")),
    Case("hinge", (HINGE, SIGNS), lambda x, t: np.maximum(0, 1 - x * t).mean()),
    Case("hinge", (HINGE, LABELS), lambda x, t: _hinge(x, t).mean(), label="classes"),
    Case("hinge", (HINGE, LABELS), lambda x, t: _hinge(x, t, 0.5), call=lambda F, x, t: F.hinge(x, t, margin=0.5, reduction="none"),
         label="margin"),
]
