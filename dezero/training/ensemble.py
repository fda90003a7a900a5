"""Ensembles: several models that decide together, by vote, by mean probability, or by a model that has learned whom to trust."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from dezero import functions as F
from dezero.backend import as_numpy, is_array
from dezero.core import Variable
from dezero.dataloaders import DataLoader
from dezero.datasets import ArrayDataset, k_fold
from dezero.errors import InputTypeError, RangeError, ShapeError, describe
from dezero.optimizers import Adam
from dezero.training.batches import inputs_of, split
from dezero.training.trainer import Trainer
from dezero.training.using import Evaluator

Fit = Callable[[Any, Any, Any], Any]


def vote(members: Iterable[Any], x: Any = None) -> Any:
    """The class that most members predict. Where several have as many votes, the one with the highest mean probability of them wins.

    Args:
        members: models, or their predictions: scores or probabilities (N, C), or labels (N,), where the lowest label wins a tie.
        x: the inputs (N, ...), for models.

    Returns:
        Labels (N,), integers.

    Raises:
        ShapeError: the predictions do not fit together.
        RangeError: a label is negative.

    Examples:
        >>> a, b = np.array([[0.6, 0.4], [0.1, 0.9]]), np.array([[0.2, 0.8], [0.3, 0.7]])
        >>> vote([a, b]), vote([[0, 1], [1, 1], [0, 0]])
        (array([1, 1]), array([0, 1]))
    """
    found = predictions("vote", members, x)
    if found[0].ndim == 1:
        if any(p.size and p.min() < 0 for p in found):
            raise RangeError(f"vote: the lowest label is {min(int(p.min()) for p in found)}: labels from 0 on are expected")
        classes = max(int(p.max()) for p in found if p.size) + 1 if any(p.size for p in found) else 1
        labels, mean = found, np.zeros((len(found[0]), classes))
    else:
        labels, mean = [p.argmax(1) for p in found], _mean([_probabilities(p) for p in found])
    votes = np.zeros(mean.shape)
    for label in labels:
        votes[np.arange(len(label)), label] += 1
    return np.where(votes == votes.max(1, keepdims=True), mean, -1.0).argmax(1)


def mean_probabilities(members: Iterable[Any], x: Any = None) -> Any:
    """The mean of the members' probabilities.

    Args:
        members: models, or their predictions (N, C). Rows that are no probabilities are taken for scores and go through softmax.
        x: the inputs (N, ...), for models.

    Returns:
        (N, C), rows that sum to 1.

    Raises:
        ShapeError: the predictions do not fit together, or are labels.

    Examples:
        >>> mean_probabilities([np.array([[0.6, 0.4]]), np.array([[0.2, 0.8]])])
        array([[0.4, 0.6]])
    """
    found = predictions("mean_probabilities", members, x)
    if found[0].ndim == 1:
        raise ShapeError(f"mean_probabilities: got labels {describe(found[0])}: scores or probabilities (N, C) are expected; vote() takes labels")
    return _mean([_probabilities(p) for p in found])


class Ensemble:
    """Models that were trained by themselves, and decide together.

    Args:
        models: at least one.
        how: "vote", or "mean" for the class of the highest mean probability.

    Raises:
        ValueError: there is no model, or ``how`` is unknown.

    Examples:
        >>> x = np.array([[2.0, 1.0], [0.0, 3.0]])
        >>> both = Ensemble([lambda x: x, lambda x: 2 * x])
        >>> both.predict(x), both.evaluate([(x, np.array([0, 0]))])
        (array([0, 1]), {'accuracy': 0.5})
    """

    def __init__(self, models: Sequence[Any], how: str = "vote") -> None:
        self.models = list(models)
        if not self.models:
            raise ValueError("Ensemble: the list of models is empty: at least one is needed")
        if how not in ("vote", "mean"):
            raise ValueError(f"Ensemble: how is {how!r}: 'vote' or 'mean' is expected")
        self.how = how

    def predict(self, x: Any) -> Any:
        """The labels (N,) for inputs (N, ...)."""
        return vote(self.models, x) if self.how == "vote" else mean_probabilities(self.models, x).argmax(1)

    def predict_probabilities(self, x: Any) -> Any:
        """The mean probabilities (N, C) for inputs (N, ...)."""
        return mean_probabilities(self.models, x)

    def evaluate(self, loader: Any) -> dict[str, float]:
        """``{"accuracy": share}`` of the right predictions on batches (x, t)."""
        return _accuracy(self, loader)


class Stacking:
    """A second model learns to decide from the predictions of the first ones (Wolpert, "Stacked generalization", 1992).

    It learns from predictions on samples that the first models have not seen: the data are cut into folds, and for each a copy of each
    model is trained on the other folds. In the end each model is trained on all data.

    Args:
        models: untrained models of the inputs, which give scores (N, C). They are copied, and stay untrained.
        meta_model: an untrained model of the joined probabilities (N, models x C).
        fit: ``fit(model, x, t)`` trains a model in place; None takes Adam for 20 epochs in batches of 32.
        folds: how many.
        seed: of the cut into folds; None draws from NumPy's global state.

    Attributes:
        trained: the models after :meth:`fit`.

    Raises:
        ValueError: there is no model.

    Examples:
        >>> class Majority:
        ...     def train(self, x, t):
        ...         self.scores = np.bincount(t, minlength=2) / len(t)
        ...     def __call__(self, x):
        ...         return np.tile(self.scores, (len(x), 1))
        >>> stacking = Stacking([Majority()], Majority(), fit=lambda model, x, t: model.train(x, t), folds=2, seed=0)
        >>> stacking.fit(np.zeros((6, 1)), np.array([1, 1, 0, 1, 1, 1])).predict(np.zeros((2, 1)))
        array([1, 1])
    """

    def __init__(self, models: Sequence[Any], meta_model: Any, fit: Fit | None = None, folds: int = 5, seed: int | None = None) -> None:
        self.models, self.meta_model = list(models), copy.deepcopy(meta_model)
        if not self.models:
            raise ValueError("Stacking: the list of models is empty: at least one is needed")
        self._fit, self.folds, self.seed = fit or fit_classifier, folds, seed
        self.trained: list[Any] = []

    def fit(self, x: Any, t: Any) -> Stacking:
        """Train all models.

        Args:
            x: inputs (N, ...).
            t: labels (N,).

        Returns:
            Itself.
        """
        parts: list[list[Any]] = [[] for _ in self.models]
        places = []
        for train, held_out in k_fold(x, self.folds, self.seed):
            places.append(held_out.indices)
            for model, column in zip(self.models, parts, strict=True):
                member = copy.deepcopy(model)
                self._fit(member, x[train.indices], t[train.indices])
                column.append(_probabilities(predictions("Stacking.fit", [member], x[held_out.indices])[0]))
        order = np.argsort(np.concatenate(places))
        features = np.concatenate([np.concatenate(column)[order] for column in parts], axis=1)
        self._fit(self.meta_model, features, t)
        self.trained = [copy.deepcopy(model) for model in self.models]
        for model in self.trained:
            self._fit(model, x, t)
        return self

    def predict_probabilities(self, x: Any) -> Any:
        """The probabilities (N, C) for inputs (N, ...).

        Raises:
            RuntimeError: it was not trained.
        """
        if not self.trained:
            raise RuntimeError("Stacking: call fit(x, t) first")
        features = np.concatenate([_probabilities(p) for p in predictions("Stacking.predict", self.trained, x)], axis=1)
        return _probabilities(predictions("Stacking.predict", [self.meta_model], features)[0])

    def predict(self, x: Any) -> Any:
        """The labels (N,) for inputs (N, ...)."""
        return self.predict_probabilities(x).argmax(1)

    def evaluate(self, loader: Any) -> dict[str, float]:
        """``{"accuracy": share}`` of the right predictions on batches (x, t)."""
        return _accuracy(self, loader)


def fit_classifier(model: Any, x: Any, t: Any, epochs: int = 20, batch_size: int = 32) -> None:
    """Train a classifier with Adam on the softmax cross entropy.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed, so that what calls this ends too.
    """
    trainer = Trainer(model, Adam(), F.softmax_cross_entropy)
    if trainer.fit(DataLoader(ArrayDataset(x, t), batch_size), epochs=epochs).interrupted:
        raise KeyboardInterrupt


def predictions(op: str, members: Iterable[Any], x: Any) -> list[Any]:
    """What each member says, as arrays on the host.

    Raises:
        ShapeError: they do not fit together.
        TypeError: there are models and no ``x``.
    """
    found = []
    for member in members:
        if isinstance(member, (Variable, list, tuple)) or is_array(member):
            found.append(as_numpy(member))
        elif x is None:
            raise TypeError(f"{op}: the members are models: give the inputs too, {op}(models, x)")
        else:
            found.append(as_numpy(Evaluator(member).predict(x)))
    if not found:
        raise ValueError(f"{op}: there are no members")
    shapes = [p.shape for p in found]
    labels = len(shapes[0]) == 1
    if len(set(shapes)) > 1 or len(shapes[0]) not in (1, 2) or any(labels != (p.dtype.kind in "iu") for p in found):
        given = ", ".join(describe(p) for p in found)
        raise ShapeError(f"{op}: the members give {given}: scores (N, C), or integer labels (N,), of equal shapes are expected")
    if not labels and shapes[0][1] < 2:
        raise ShapeError(f"{op}: the members give {describe(found[0])}, one score for each sample: a score for each class, (N, C), is expected; "
                         "of a probability p make np.hstack([1 - p, p])")
    return found


def _probabilities(p: Any) -> Any:
    """Rows of scores as probabilities; rows that are probabilities already as they are."""
    if (p >= 0).all() and (abs(p.sum(1) - 1) < 1e-3).all():
        return p
    e = np.exp(p - p.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def _mean(probabilities: list[Any]) -> Any:
    return sum(probabilities[1:], probabilities[0]) / len(probabilities)


def _accuracy(model: Any, loader: Any) -> dict[str, float]:
    right = total = 0
    for batch in loader:
        inputs, t = inputs_of(batch), as_numpy(split(batch)[1])
        if len(inputs) != 1:
            raise InputTypeError(f"{type(model).__name__}.evaluate: a batch has {len(inputs)} inputs: (x, t) is expected")
        right += int((model.predict(inputs[0]) == t.reshape(-1)).sum())
        total += t.size
    if not total:
        raise ValueError(f"{type(model).__name__}.evaluate: the loader gave no batch")
    return {"accuracy": right / total}


__all__ = ["Ensemble", "Stacking", "mean_probabilities", "vote"]
