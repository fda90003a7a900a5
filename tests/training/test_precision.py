"""Trainer in mixed precision: casts around forward and loss, float32 weights, and for float16 a scaled loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero.optimizers import SGD, Adam, ClipGrad
from dezero.training import Callback, Evaluator, TerminateOnNaN, Trainer

pytestmark = pytest.mark.seeds

rng = np.random.default_rng(0)
X = rng.normal(size=(32, 3)).astype(np.float32)
T = (X[:, 0] > 0).astype(int)
BATCHES = [(X[:16], T[:16]), (X[16:], T[16:])]


@pytest.fixture(params=["float16", "bfloat16"])
def precision(request: pytest.FixtureRequest) -> str:
    if request.param == "bfloat16":
        pytest.importorskip("ml_dtypes")
    return str(request.param)


class Seen(L.Layer):
    """Notes the dtypes that go through it."""

    def __init__(self) -> None:
        super().__init__()
        self.dtypes: list[str] = []

    def forward(self, x: Any) -> Any:
        self.dtypes.append(str(x.dtype))
        return x


def net() -> Any:
    return L.Sequential(L.Linear(16, in_size=3), F.relu, Seen(), L.Linear(2, in_size=16))


def test_it_trains_in_mixed_precision_with_weights_in_float32(precision: str) -> None:
    model = net()
    trainer = Trainer(model, Adam(0.01), F.softmax_cross_entropy, [F.accuracy], precision=precision)
    trainer.optimizer.add_hook(ClipGrad(1.0))
    history = trainer.fit(BATCHES, BATCHES, epochs=20)
    assert set(model[2].dtypes) == {precision}, "the validation runs in it too"
    assert history["loss"][-1] < 0.5 * history["loss"][0] and history["val_accuracy"][-1] > 0.9
    assert all(p.dtype == np.float32 and p.grad is not None and p.grad.dtype == np.float32 for p in model.params())
    y = trainer.predict(X)
    assert y.dtype == np.float32 and y.shape == (32, 2)


def test_float32_and_none_cast_nothing() -> None:
    for name in (None, "float32"):
        model = net()
        Trainer(model, SGD(0.1), F.softmax_cross_entropy, precision=name).fit(BATCHES)
        assert set(model[2].dtypes) == {"float32"}


def test_an_evaluator_has_it_too(precision: str) -> None:
    model = net()
    found = Evaluator(model, F.softmax_cross_entropy, precision=precision).evaluate(BATCHES)
    assert set(model[2].dtypes) == {precision}
    assert found["loss"] == pytest.approx(Evaluator(model, F.softmax_cross_entropy).evaluate(BATCHES)["loss"], rel=2e-2)


def test_a_step_of_your_own_runs_in_it(precision: str) -> None:
    model = net()

    def step(trainer: Any, batch: Any) -> Any:
        return F.softmax_cross_entropy(trainer.model(batch[0]), batch[1])
    history = Trainer(model, Adam(0.01), None, step=step, precision=precision).fit(BATCHES, epochs=10)
    assert set(model[2].dtypes) == {precision} and history["loss"][-1] < history["loss"][0]


def test_a_step_that_updates_by_itself_runs_in_it(precision: str) -> None:
    model, optimizer = net(), Adam(0.01)

    def step(trainer: Any, batch: Any) -> Any:
        loss = F.softmax_cross_entropy(trainer.model(batch[0]), batch[1])
        trainer.model.cleargrads()
        loss.backward()
        optimizer.update()
        return {"loss": loss}
    history = Trainer(model, optimizer, None, step=step, precision=precision).fit(BATCHES, epochs=10)
    assert history["loss"][-1] < history["loss"][0]


class Gradients(Callback):
    """Keeps the largest gradient of each batch."""

    def __init__(self) -> None:
        self.largest: list[float] = []

    def on_backward(self, trainer: Any) -> None:
        self.largest.append(max(float(abs(p.grad.data).max()) for p in trainer.model.params()))


def test_float16_scales_the_loss_and_shows_true_gradients() -> None:
    tiny = 1e-7  # gradients below 6e-8 are 0 in float16
    ends = []
    for precision in ("float32", "float16"):
        np.random.seed(0)
        seen = Gradients()
        trainer = Trainer(net(), SGD(1e6), lambda y, t: F.softmax_cross_entropy(y, t) * tiny, callbacks=[seen, TerminateOnNaN()], precision=precision)
        trainer.fit(BATCHES, epochs=5)
        ends.append((seen.largest, trainer.history["loss"]))
    assert ends[0][0] == pytest.approx(ends[1][0], rel=5e-2) and ends[0][1] == pytest.approx(ends[1][1], rel=5e-2)


def test_a_step_that_overflows_is_left_out_and_nobody_sees_its_gradients() -> None:
    seen = Gradients()
    trainer = Trainer(net(), SGD(1e-6), lambda y, t: F.softmax_cross_entropy(y, t) * 100, callbacks=[seen, TerminateOnNaN()], precision="float16")
    with np.errstate(all="ignore"):
        trainer.fit(BATCHES, epochs=10)
    scaler = trainer._precision.scaler
    assert scaler is not None and 0 < scaler.skipped < 20 and scaler.factor < 2**16
    assert trainer.optimizer.skipped == scaler.skipped and trainer.optimizer.t + scaler.skipped == 20 and len(seen.largest) == trainer.optimizer.t
    assert np.isfinite(seen.largest).all() and trainer.history.stopped == ""


def test_the_scale_is_saved_with_the_run(tmp_path: Path) -> None:
    a = Trainer(net(), SGD(0.1), F.softmax_cross_entropy, precision="float16")
    a.fit(BATCHES)
    assert a._precision.scaler is not None
    a._precision.scaler.factor = 1024.0
    a.save(tmp_path / "run")
    b, c = (Trainer(net(), SGD(0.1), F.softmax_cross_entropy, precision=p) for p in ("float16", None))
    b.load(tmp_path / "run")
    c.load(tmp_path / "run")
    assert b._precision.scaler is not None and b._precision.scaler.factor == 1024 and c._precision.scaler is None


def test_mistakes_are_explained() -> None:
    for make in (lambda p: Trainer(net(), SGD(0.1), F.softmax_cross_entropy, precision=p), lambda p: Evaluator(net(), precision=p)):
        for wrong in ("half", "fp16", 16, np.float16):
            with pytest.raises(ValueError, match=r"precision is .*: 'float32', 'bfloat16', 'float16' or None is expected"):
                make(wrong)
