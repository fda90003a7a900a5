"""Rows for dezero/functions/metrics.py: counted one by one."""

from __future__ import annotations

import numpy as np

from tests.cases.case import Case, Const, Floats, ints


def _labels(y: np.ndarray) -> list[int]:
    return [int(v) for v in (y.argmax(1) if y.dtype.kind == "f" else y.ravel())]


def _confusion(y: np.ndarray, t: np.ndarray, classes: int) -> np.ndarray:
    m = np.zeros((classes, classes), int)
    for i, j in zip(t.ravel(), _labels(y), strict=True):
        m[i, j] += 1
    return m


def _rates(y: np.ndarray, t: np.ndarray, kind: str) -> list[float]:
    """The rate of each class that occurs."""
    p, t, out = _labels(y), list(t), []
    for c in sorted({*p, *t}):
        hits = sum(a == b == c for a, b in zip(p, t, strict=True))
        below = {"precision": p.count(c), "recall": t.count(c), "f1": (p.count(c) + t.count(c)) / 2}[kind]
        out.append(hits / below if below else 0.0)
    return out


def _top(y: np.ndarray, t: np.ndarray, k: int) -> float:
    return float(np.mean([label in np.argsort(row)[-k:] for row, label in zip(y, t.ravel(), strict=True)]))


def _r2(y: np.ndarray, t: np.ndarray) -> np.ndarray:
    return np.mean(1 - np.var(t - y, axis=0) / t.var(0) - ((t - y).mean(0) ** 2) / t.var(0))


SCORES = Const(lambda rng: rng.normal(size=(12, 4)))
LABELS = ints(4, (12,))

CASES: list[Case] = [
    Case("accuracy", (SCORES, LABELS), lambda y, t: np.mean(y.argmax(1) == t)),
    Case("accuracy", (SCORES, ints(4, (12, 1))), lambda y, t: np.mean(y.argmax(1) == t[:, 0]), label="column of labels"),
    Case("accuracy", (LABELS, LABELS), lambda y, t: np.mean(y == t), label="labels"),
    Case("accuracy", (Const(lambda rng: rng.normal(size=(2, 3, 4))), ints(3, (2, 4))), lambda y, t: np.mean(y.argmax(1) == t), label="(N, C, d)"),
    Case("top_k_accuracy", (Const(lambda rng: rng.normal(size=(9, 7))), ints(7, (9,))), lambda y, t: _top(y, t, 5)),
    Case("top_k_accuracy", (SCORES, ints(4, (12, 1))), lambda y, t: _top(y, t, 2), call=lambda F, y, t: F.top_k_accuracy(y, t, k=2), label="k"),
    Case("confusion_matrix", (SCORES, LABELS), lambda y, t: _confusion(y, t, 4)),
    Case("confusion_matrix", (LABELS, LABELS), lambda y, t: _confusion(y, t, 6), call=lambda F, y, t: F.confusion_matrix(y, t, num_classes=6),
         label="labels"),
    *(Case(name, (SCORES, LABELS), lambda y, t, name=name: np.mean(_rates(y, t, name))) for name in ("precision", "recall", "f1")),
    *(Case(name, (SCORES, LABELS), lambda y, t: np.mean(y.argmax(1) == t), call=lambda F, y, t, name=name: getattr(F, name)(y, t, average="micro"),
           label="micro") for name in ("precision", "recall", "f1")),
    *(Case(name, (Const(lambda rng: rng.permutation(12) % 3), Const(lambda rng: rng.permutation(12) % 3)),
           lambda y, t, name=name: [_rates(y, t, name)], call=lambda F, y, t, name=name: getattr(F, name)(y, t, average=None), label="each")
      for name in ("precision", "recall", "f1")),
    Case("r2", (Floats((6,)), Floats((6,))), _r2, first=False, half=False, f32=1e-4, why="a constant; squares of float16 are coarse"),
    Case("r2", (Floats((6, 2)), Floats((6, 2))), _r2, first=False, half=False, f32=1e-4, label="columns",
         why="a constant; squares of float16 are coarse"),
]
