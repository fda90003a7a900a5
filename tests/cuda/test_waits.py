"""Nothing in a training step makes the host wait for the device; what has to look at values says so, and is counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Variable, cuda, detect_anomaly, optimizers
from dezero.errors import RangeError
from dezero.models import GPT, MLP
from dezero.training import Trainer
from dezero.training.averages import Averages
from tests.strict import StrictArray, fetches, to_strict, xp

pytestmark = [pytest.mark.usefixtures("emulated"), pytest.mark.seeds]

rng = np.random.default_rng(0)
IMAGES = rng.normal(size=(4, 1, 8, 8)).astype(np.float32)
ROWS = rng.normal(size=(4, 6)).astype(np.float32)
STEPS = rng.normal(size=(5, 4, 6)).astype(np.float32)
LABELS = np.array([0, 2, 1, 2])
IDS = rng.integers(0, 11, (2, 7))


class Reader(L.Layer):
    """A sequence through an LSTM, the last state to classes."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.fc = L.LSTM(5), L.Linear(3)

    def forward(self, x: Any) -> Any:
        return self.fc(self.rnn(x)[-1])


class Words(L.Layer):
    """Ids to rows, and their mean to classes."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.fc = L.EmbedID(11, 6), L.Linear(3)

    def forward(self, ids: Any) -> Any:
        return self.fc(F.mean(self.embed(ids), axis=1))


def cnn() -> Any:
    return L.Sequential(L.Conv2d(4, 3, pad=1), L.BatchNorm(), F.relu, L.MaxPool2d(2), L.Flatten(), L.Dropout(0.5), L.Linear(3))


NETS: dict[str, tuple[Callable[[], Any], Any, Any]] = {
    "mlp": (lambda: MLP((8, 3), activation=F.relu), ROWS, LABELS),
    "cnn": (cnn, IMAGES, LABELS),
    "lstm": (Reader, STEPS, LABELS),
    "gpt": (lambda: GPT(11, context=8, embed_size=8, heads=2, num_layers=2, dropout_ratio=0.1), IDS, IDS),
    "words": (Words, IDS, LABELS[:2]),
}


def loss_of(y: Any, t: Any) -> Any:
    return F.softmax_cross_entropy(y.reshape(-1, y.shape[-1]), t.reshape(-1))


def step(model: Any, optimizer: Any, x: Any, t: Any) -> None:
    loss = loss_of(model(x), t)
    model.cleargrads()
    loss.backward()
    optimizer.update()


@pytest.mark.parametrize("make", [optimizers.SGD, optimizers.MomentumSGD, optimizers.Adam, optimizers.AdamW], ids=lambda make: make.__name__)
@pytest.mark.parametrize("name", NETS)
def test_a_training_step_fetches_nothing(name: str, make: Any) -> None:
    build, x, t = NETS[name]
    model = build()
    model(x)
    model.to_gpu()
    optimizer = make().setup(model)
    optimizer.add_hook(optimizers.ClipGrad(1.0))
    x, t = to_strict(x), to_strict(t)
    for _ in range(2):
        with fetches() as found, cuda.counting_fetches() as ours:
            step(model, optimizer, x, t)
        assert not found and not ours
    assert all(isinstance(p.data, StrictArray) for p in model.params())


def test_waits_of_the_package_itself_are_counted_by_name() -> None:
    for make, expected in ((lambda m: optimizers.SGD(0.1).setup(m, check_finite=True), {"check_finite": 1}),
                           (lambda m: optimizers.SGD(0.1).setup(m, skip_nonfinite=True), {"check_finite": 1})):
        model = MLP((3,), in_size=4).to_gpu()
        with cuda.counting_fetches() as found:
            step(model, make(model), to_strict(np.ones((2, 4), np.float32)), to_strict(np.array([0, 1])))
        assert dict(found) == expected
    model, scaler = MLP((3,), in_size=4).to_gpu(), optimizers.LossScaler()
    optimizer = optimizers.SGD(0.1).setup(model)
    loss = scaler.scale(F.softmax_cross_entropy(model(to_strict(np.ones((2, 4), np.float32))), to_strict(np.array([0, 1]))))
    loss.backward()
    with cuda.counting_fetches() as found:
        scaler.step(optimizer)
    assert dict(found) == {"LossScaler": 1}


LOSSES: dict[str, Callable[[Any], Any]] = {
    "weights": lambda x: F.softmax_cross_entropy(x, labels(LABELS), class_weight=to_strict(np.ones(3, np.float32))),
    "ignore_index": lambda x: F.softmax_cross_entropy(x, labels(LABELS), ignore_index=2, label_smoothing=0.1),
    "nll": lambda x: F.nll_loss(F.log_softmax(x), labels(LABELS)),
    "sigmoid": lambda x: F.sigmoid_cross_entropy(x, to_strict(np.eye(4, 3))),
    "binary": lambda x: F.binary_cross_entropy(F.sigmoid(x), to_strict(np.eye(4, 3))),
    "kl": lambda x: F.kl_div(F.log_softmax(x), to_strict(np.full((4, 3), 1 / 3))),
    "hinge": lambda x: F.hinge(x, labels(LABELS)),
    "hinge of two": lambda x: F.hinge(x[:, 0], to_strict(np.array([-1, 1, 1, -1]))),
    "one-hot": lambda x: F.mean_squared_error(x, F.one_hot(labels(LABELS), 3)),
    "take": lambda x: F.sum(F.take(x, labels(LABELS), axis=0)),
    "index_add": lambda x: F.sum(F.index_add(x, labels(LABELS), x)),
    "index_set": lambda x: F.sum(F.index_set(x, labels(LABELS), x)),
    "accuracy": lambda x: F.sum(x) * F.accuracy(x, labels(LABELS)),
}


def labels(t: Any) -> Any:
    return to_strict(np.asarray(t))


@pytest.mark.parametrize("name", LOSSES)
def test_losses_and_lookups_fetch_nothing(name: str) -> None:
    x = Variable(to_strict(ROWS[:, :3]))
    with fetches() as found:
        LOSSES[name](x).backward()
    assert not found and x.grad is not None


WRONG: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], type[Exception], str]] = {
    "cross entropy": (lambda x: F.softmax_cross_entropy(x, labels([0, 3, 1, 2]), reduction="none"), lambda y: y[1], IndexError, "label 3 in t"),
    "negative": (lambda x: F.softmax_cross_entropy(x, labels([0, 1, -1, 2]), reduction="none"), lambda y: y[2], IndexError, "label -1 in t"),
    "weighted": (lambda x: F.softmax_cross_entropy(x, labels([0, 3, 1, 2]), label_smoothing=0.1, reduction="none"), lambda y: y[1], IndexError,
                 "label 3 in t"),
    "nll": (lambda x: F.nll_loss(F.log_softmax(x), labels([0, 3, 1, 2]), reduction="none"), lambda y: y[1], IndexError, "label 3 in t"),
    "embedding": (lambda x: F.embedding(labels([0, 4]), x), lambda y: y[1], IndexError, "4 is out of range"),
    "sigmoid": (lambda x: F.sigmoid_cross_entropy(x, to_strict(np.full((4, 3), -1, np.float32)), reduction="none"), lambda y: y, RangeError,
                "labels -1 and 1"),
    "binary": (lambda x: F.binary_cross_entropy(x * 0 + 2, to_strict(np.ones((4, 3), np.float32)), reduction="none"), lambda y: y, RangeError,
               "p must be prob"),
    "kl": (lambda x: F.kl_div(x, to_strict(np.full((4, 3), -1, np.float32)), reduction="none"), lambda y: y, RangeError, "p must not be negative"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_out_of_range_gives_nan_on_a_device_and_an_error_within_detect_anomaly(name: str) -> None:
    run, bad, error, words = WRONG[name]
    x = Variable(to_strict(ROWS[:, :3]))
    with fetches() as found:
        y = run(x)
    assert not found
    values = y.data.get()
    assert np.isnan(bad(values)).all() and (name in ("sigmoid", "binary", "kl") or np.isfinite(values[0]).all())
    with detect_anomaly(), pytest.raises(error, match=words):
        run(x)


def test_rows_of_an_id_out_of_range_get_no_gradient_elsewhere() -> None:
    W = Variable(to_strict(ROWS))
    y = F.embedding(labels([1, 9, 1, -7]), W)
    y.backward()
    assert W.grad is not None
    assert np.array_equal(W.grad.data.get(), np.array([[0.0], [2.0], [0.0], [0.0]]) * np.ones((4, 6)))


def test_fit_fetches_once_an_epoch() -> None:
    model = MLP((8, 3), activation=F.relu)
    model(ROWS)
    batches = [(to_strict(ROWS), to_strict(LABELS)) for _ in range(8)]
    trainer = Trainer(model.to_gpu(), optimizers.SGD(0.1), F.softmax_cross_entropy, [F.accuracy])
    with fetches() as found, cuda.counting_fetches() as ours:
        trainer.fit(batches, epochs=3)
    assert dict(found) == {"get": 3} and sum(ours.values()) == 3, "the sums of an epoch come over together"
    assert trainer.history["loss"][2] < trainer.history["loss"][0]


def test_averages_fetch_when_64_numbers_wait() -> None:
    averages = Averages()
    with fetches() as found:
        for i in range(130):
            averages.add("a", to_strict(np.array(float(i), np.float32 if i % 2 else np.float64)), 1 + i % 2)
        assert found == {"get": 2}
        means = averages.means()
    weights = np.array([1 + i % 2 for i in range(130)])
    assert found == {"get": 3} and means == {"a": pytest.approx((np.arange(130) * weights).sum() / weights.sum())}


def test_the_counter_of_a_real_run_counts_what_goes_through_dezero() -> None:
    v = Variable(to_strict(np.array(2.5)))
    with cuda.counting_fetches() as outer:
        float(v)
        with cuda.counting_fetches() as found:
            float(v), int(v), bool(v), v.item(), v.tolist(), np.asarray(v), cuda.as_numpy(v), v.detach().to_cpu()
            float(Variable(np.array(1.0))), cuda.as_numpy(np.ones(2))  # these are here already
    assert found == {"item": 4, "tolist": 1, "as_numpy": 3} and outer == {"item": 5, "tolist": 1, "as_numpy": 3}
    float(v)
    assert sum(outer.values()) == 9, "it stops with the block"


@pytest.mark.usefixtures("strict_device")
def test_the_stand_in_counts_what_waits() -> None:
    a = to_strict(np.arange(3.0))
    with fetches() as found:
        a.get(), a[0].item(), float(a[0]), int(a[0]), bool(a[0]), a.tolist(), a[a > 0], a.nonzero(), xp.where(a > 0), xp.unique(a)
        [0, 1][to_strict(np.array(1))]
        a[a > 0] = 1.0
    assert found == dict.fromkeys(("get", "item", "float", "int", "bool", "tolist", "mask", "nonzero", "where", "unique", "index"), 1)
