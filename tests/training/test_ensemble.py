"""Models that decide together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable
from dezero.errors import ShapeError
from dezero.optimizers import Adam
from dezero.training import Ensemble, Stacking, Trainer, mean_probabilities, vote
from tests.training.problems import blobs, bytes_of, loader, make_net, trainer


def test_the_majority_wins_and_ties_go_to_the_higher_mean_probability() -> None:
    a, b, c = (np.array(p)[None] for p in ([0.4, 0.6, 0.0], [0.4, 0.6, 0.0], [0.9, 0.1, 0.0]))
    assert vote([a, b, c]).tolist() == [1] and mean_probabilities([a, b, c]).argmax(1).tolist() == [0]
    assert vote([b, c]).tolist() == [0]  # one vote each, means 0.65 and 0.35
    assert vote([np.array([[0.0, 5.0, 1.0]]), Variable(c), b]).tolist() == [1]  # scores, Variables
    assert vote([[2, 0], [2, 1], [1, 1]]).tolist() == [2, 1] and vote([np.array([1]), np.array([0])]).tolist() == [0]


def test_a_tie_is_between_the_classes_that_have_the_votes() -> None:
    a, b, c, d = (np.array([p]) for p in ([0.5, 0.0, 0.5 - 1e-9, 0.0], [0.52, 0.0, 0.48, 0.0], [0, 0.55, 0.45, 0], [0, 0.52, 0.48, 0.0]))
    assert vote([a, b, c, d]).tolist() == [1]  # class 2 has the highest mean and no vote


def test_an_ensemble_of_trained_models() -> None:
    models = []
    for seed in range(3):
        run = trainer(Adam(0.02), make_net(seed=seed))
        run.fit(loader(), epochs=5)
        models.append(run.model)
    x, t = blobs(50, seed=9)
    for how in ("vote", "mean"):
        ensemble = Ensemble(models, how)
        assert (ensemble.predict(x) == t).mean() == ensemble.evaluate([(x[:30], t[:30]), (x[30:], t[30:])])["accuracy"] > 0.9
    assert np.allclose(ensemble.predict_probabilities(x).sum(1), 1) and ensemble.predict_probabilities(x).dtype == np.float32


@pytest.mark.seeds
def test_stacking_learns_whom_to_trust() -> None:
    class Blind:
        """Looks at nothing; and says the first class."""

        def __call__(self, x: Any) -> Any: return Variable(np.tile(np.array([9.0, 0, 0], np.float32), (len(x), 1)))

    def fit(model: Any, x: Any, t: Any) -> None:
        sizes.append(len(x))
        if not isinstance(model, Blind):
            Trainer(model, Adam(0.05), F.softmax_cross_entropy).fit([(x, t)], epochs=60)

    sizes: list[int] = []
    net = make_net()
    before = bytes_of(net)

    class Meta(type(net)):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.l1.W.data = np.random.default_rng(0).normal(0, 0.5, (9, 8)).astype(np.float32)

    stacking = Stacking([Blind(), net, Blind()], Meta(), fit, folds=3, seed=0)
    x, t = blobs(60)
    with pytest.raises(RuntimeError, match="call fit"):
        stacking.predict(x)
    stacking.fit(x, t)
    assert sizes == [40] * 9 + [60] * 4  # each model on the other folds, the meta model, each model on all
    assert bytes_of(net) == before and len(stacking.trained) == 3
    x, t = blobs(50, seed=3)
    assert stacking.evaluate([(x, t)])["accuracy"] > 0.9 and np.allclose(stacking.predict_probabilities(x).sum(1), 1)


@pytest.mark.seeds
def test_stacking_trains_by_itself() -> None:
    x, t = blobs(30)
    first = Stacking([make_net()], make_net_of_three(), folds=2, seed=0).fit(x, t)
    assert first.predict(x).shape == (30,)


def make_net_of_three() -> Any:
    net = make_net()
    net.l1.W.data = np.ones((3, 8), np.float32)
    return net


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: vote([make_net()]), TypeError, "give the inputs too"),
    (lambda: vote([]), ValueError, "no members"),
    (lambda: vote([np.zeros((2, 3)), np.zeros((3, 3))]), ShapeError, "of equal shapes"),
    (lambda: vote([np.zeros(3)]), ShapeError, "integer labels"),
    (lambda: mean_probabilities([[0, 1]]), ShapeError, "vote"),
    (lambda: Ensemble([]), ValueError, "empty"),
    (lambda: Ensemble([make_net()], how="max"), ValueError, "'vote' or 'mean'"),
    (lambda: Ensemble([make_net()]).evaluate([]), ValueError, "no batch"),
    (lambda: Stacking([], make_net()), ValueError, "empty"),
])
def test_mistakes_are_explained(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
