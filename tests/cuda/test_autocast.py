"""Mixed precision on the emulated device: a training step in it has the CPU's values, master weights in float32, and waits for nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, autocast, checkpoint, optimizers
from dezero.backend.cuda.launch import counting
from dezero.models import MLP
from dezero.training import Trainer
from tests.cuda.test_waits import NETS, loss_of
from tests.strict import StrictArray, fetches, to_strict

pytestmark = [pytest.mark.usefixtures("emulated"), pytest.mark.seeds]


@pytest.fixture(params=["float16", "bfloat16"])
def low(request: pytest.FixtureRequest) -> Any:
    return np.dtype(np.float16 if request.param == "float16" else pytest.importorskip("ml_dtypes").bfloat16)


def gradients(model: Any, x: Any, t: Any, low: Any) -> tuple[Any, list[Any]]:
    with autocast(low):
        y = model(x)
        loss = loss_of(y, t)
    model.cleargrads()
    loss.backward()
    assert loss.dtype == np.float32 and y.dtype == low
    return loss, [p.grad for p in model.params()]


@pytest.mark.parametrize("name", NETS)
def test_a_step_agrees_with_the_host_and_fetches_nothing(name: str, low: Any) -> None:
    build, x, t = NETS[name]
    np.random.seed(0)
    model = build()
    model(x)
    np.random.seed(1)
    expected, theirs = gradients(model, x, t, low)
    model.to_gpu()
    optimizer = optimizers.AdamW().setup(model)
    optimizer.add_hook(optimizers.ClipGrad(1.0))
    np.random.seed(1)
    x, t = to_strict(x), to_strict(t)
    with fetches() as found:
        loss, ours = gradients(model, x, t, low)
        optimizer.update()
    assert not found
    assert loss.data.get() == pytest.approx(expected.item(), rel=2e-2)
    assert len(ours) == len(theirs) and all(isinstance(g.data, StrictArray) and g.dtype == np.float32 for g in ours)
    assert all(isinstance(p.data, StrictArray) and p.dtype == np.float32 for p in model.params())


@pytest.mark.parametrize("name", ["mlp", "cnn", "words"])
def test_gradients_agree_with_the_host(name: str, low: Any) -> None:
    build, x, t = NETS[name]
    np.random.seed(0)
    model = build()
    model(x)
    np.random.seed(1)
    _, theirs = gradients(model, x, t, low)
    theirs = [g.data for g in theirs]
    model.to_gpu()
    np.random.seed(1)
    _, ours = gradients(model, to_strict(x), to_strict(t), low)
    for a, b in zip(ours, theirs, strict=True):
        assert np.linalg.norm(a.data.get() - b) <= 0.05 * np.linalg.norm(b) + 1e-3


def test_numbers_leave_half_precision_as_it_is(low: Any) -> None:
    x = Variable(to_strict(np.linspace(-1, 1, 6).astype(low)))
    y = F.leaky_relu(x * 0.5 + 1.0, 0.1) / 3
    y.backward()
    assert y.dtype == low and x.grad is not None and x.grad.dtype == low


def test_activations_of_products_are_one_launch(low: Any) -> None:
    x, W = to_strict(np.ones((4, 8), np.float32)), Variable(to_strict(np.ones((8, 8), np.float32)))
    with autocast(low), counting() as launches:
        F.gelu(F.linear(x, W))
    assert sum(n for name, n in launches.items() if "gelu" in name) == 1


def test_checkpoint_runs_again_in_the_same_dtype(low: Any) -> None:
    x, W = Variable(to_strict(np.ones((2, 3), np.float32))), Variable(to_strict(np.ones((3, 3), np.float32)))
    seen = []

    def part(v: Any) -> Any:
        seen.append((v @ W).dtype)
        return F.relu(v @ W)
    with autocast(low):
        y = checkpoint(part, x)
    y.backward()
    assert seen == [low, low] and W.grad is not None and W.grad.dtype == np.float32


def test_fit_in_mixed_precision_waits_as_seldom_as_in_float32(low: Any) -> None:
    _, x, t = NETS["mlp"]
    model = MLP((8, 3), activation=F.relu)
    model(x)
    trainer = Trainer(model.to_gpu(), optimizers.SGD(0.1), F.softmax_cross_entropy, precision=low.name)
    with fetches() as found:
        trainer.fit([(to_strict(x), to_strict(t))] * 8, epochs=2)
    scaled = low == np.float16  # the scaler asks after each step whether a gradient has overflowed
    assert sum(found.values()) == 2 + 16 * scaled
    assert trainer.history["loss"][1] < trainer.history["loss"][0]
    assert trainer.predict(to_strict(x)).dtype == np.float32
