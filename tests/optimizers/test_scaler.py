"""The loss scaler: gradients that overflow leave the step out, small ones do not vanish, and it all goes on from a saved state."""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Parameter, Variable
from dezero.errors import AnomalyError, StateError
from dezero.optimizers import SGD, Adam, ClipGrad, LossScaler
from dezero.training import Trainer

pytestmark = pytest.mark.seeds
rng = np.random.default_rng(0)
X, T = rng.normal(size=(32, 4)).astype(np.float16), rng.integers(0, 3, 32)


def net(dtype: Any = np.float16) -> L.Sequential:
    model = L.Sequential(L.Linear(16, in_size=4), F.relu, L.Linear(3, in_size=16))
    for i, p in enumerate(model.params()):
        assert p.data is not None
        p.data = np.random.default_rng(i).normal(size=p.shape).astype(dtype) / 4
    return model


@pytest.fixture
def quiet() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy tells of overflows
        yield


@pytest.mark.usefixtures("quiet")
def test_a_real_overflow_leaves_the_step_out_and_halves_the_scale() -> None:
    w = Parameter(np.array([1.0, 2.0], np.float16))
    optimizer, scaler = Adam(0.1).setup([w]), LossScaler()
    steps = []
    for _ in range(8):
        w.cleargrad()
        loss = F.sum(w * np.array([40.0, 1.0], np.float16))  # 40 times 2^11 is the first scale whose gradient is below 65504
        scaler.scale(loss).backward()
        steps.append(scaler.step(optimizer))
        assert w.grad is not None
        if not steps[-1]:
            assert np.array_equal(w.data, [1, 2]) and not optimizer.state_dict()["arrays"]
    assert steps == [False] * 5 + [True] * 3
    assert scaler.factor == 2.0 ** 10 and scaler.good == 3 and scaler.skipped == optimizer.skipped == 5 and optimizer.t == 3
    np.testing.assert_array_equal(w.grad.data, np.array([40.0, 1.0]))  # type: ignore[union-attr]


def test_the_scale_doubles_after_good_steps() -> None:
    w = Parameter(np.ones(1, np.float32))
    optimizer, scaler = SGD(0.0).setup([w]), LossScaler(8.0, interval=3)
    factors = []
    for _ in range(7):
        w.cleargrad()
        scaler.scale(F.sum(w)).backward()
        scaler.step(optimizer)
        factors.append(scaler.factor)
    assert factors == [8, 8, 16, 16, 16, 32, 32]
    assert LossScaler().factor == 65536 and LossScaler().interval == 2000


def test_a_gradient_that_float16_cannot_hold_arrives_in_the_weights() -> None:
    moved = {}
    for scaled in (False, True):
        w, small = Parameter(np.ones(1, np.float16)), np.full(1, 1e-4, np.float16)
        optimizer, scaler = SGD(1e6).setup([w]), LossScaler()
        loss = F.sum(w * small * small)
        (scaler.scale(loss) if scaled else loss).backward()
        if scaled:
            assert scaler.step(optimizer) and w.grad is not None and w.grad.dtype == np.float32
        else:
            optimizer.update()
        moved[scaled] = 1 - float(w.data[0])
    assert moved[False] == 0 and moved[True] == pytest.approx(0.01, rel=0.05)


def test_a_net_of_float16_learns_like_one_of_float32() -> None:
    losses = {}
    for dtype in (np.float16, np.float32):
        model = net(dtype)
        optimizer, scaler = Adam(0.02).setup(model), LossScaler(2.0 ** 12, interval=20)
        optimizer.add_hook(ClipGrad(1.0))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            for _ in range(60):
                loss = F.softmax_cross_entropy(model(X.astype(dtype)), T)
                model.cleargrads()
                scaler.scale(loss).backward()
                scaler.step(optimizer)
        losses[dtype] = float(F.softmax_cross_entropy(model(X.astype(dtype)), T).data)
        assert all(p.dtype == dtype for p in model.params())
    assert losses[np.float16] == pytest.approx(losses[np.float32], abs=0.05) and losses[np.float16] < 0.8


def test_clipping_sees_the_true_gradients() -> None:
    w = Parameter(np.zeros(2, np.float32))
    optimizer = SGD(1.0).setup([w])
    optimizer.add_hook(ClipGrad(1.0))
    scaler = LossScaler()
    scaler.scale(F.sum(w * np.array([0.3, 0.4], np.float32))).backward()
    scaler.step(optimizer)
    np.testing.assert_allclose(w.data, [-0.3, -0.4], rtol=1e-6)


def test_unscaling_before_the_step_is_not_done_twice() -> None:
    w = Parameter(np.zeros(1, np.float32))
    optimizer, scaler = SGD(1.0).setup([w]), LossScaler(4.0)
    for _ in range(2):
        w.cleargrad()
        scaler.scale(F.sum(w)).backward()
        assert scaler.unscale(optimizer)
        assert w.grad is not None and w.grad.data.tolist() == [1]
        assert scaler.step(optimizer)
    assert w.data.tolist() == [-2]


def test_several_optimizers_step_together_or_not_at_all() -> None:
    a, b = Parameter(np.zeros(1, np.float32)), Parameter(np.zeros(1, np.float32))
    first, second, scaler = SGD(1.0).setup([a]), SGD(1.0).setup([b]), LossScaler(4.0)
    scaler.scale(F.sum(a) + F.sum(b)).backward()
    assert b.grad is not None
    b.grad.data[0] = np.inf
    assert not scaler.step(first, second) and (first.skipped, second.skipped) == (1, 1) and a.data[0] == 0 and scaler.factor == 2


def test_a_gradient_of_two_parameters_is_divided_once() -> None:
    a, b = Parameter(np.zeros(1, np.float32)), Parameter(np.zeros(1, np.float32))
    g = np.full(1, 8.0, np.float32)
    a.grad, b.grad = g, g
    LossScaler(4.0).step(SGD(1.0).setup([a, b, a]))
    assert a.data[0] == b.data[0] == -2


@pytest.mark.usefixtures("quiet")
def test_a_trainer_takes_it_as_a_hook_and_reports_the_true_loss() -> None:
    def run(scaler: Any) -> Any:
        model = net(np.float32)
        optimizer = Adam(0.02).setup(model)
        loss: Any = F.softmax_cross_entropy
        if scaler is not None:
            optimizer.add_hook(scaler)
            loss = scaler.loss(loss)
        x = X.astype(np.float32)
        history = Trainer(model, optimizer, loss).fit([(x, T)], [(x, T)], epochs=5)
        return history, optimizer

    (plain, _), (scaled, optimizer) = run(None), run(LossScaler(2.0 ** 10))
    np.testing.assert_allclose(scaled["loss"], plain["loss"], rtol=1e-5)
    np.testing.assert_allclose(scaled["val_loss"], plain["val_loss"], rtol=1e-5)
    assert optimizer.t == 5 and optimizer.skipped == 0
    scaler = LossScaler(2.0 ** 130)  # no float32
    _, optimizer = run(scaler)
    assert optimizer.skipped == scaler.skipped == 3 and optimizer.t == 2


def test_a_hook_that_returns_false_leaves_the_update_out() -> None:
    w = Parameter(np.zeros(1))
    w.grad = np.ones(1)
    optimizer, calls = SGD(1.0).setup([w]), []
    optimizer.add_hook(lambda params: False)
    optimizer.add_hook(calls.append)
    optimizer.update()
    assert (optimizer.t, optimizer.skipped, calls, w.data[0]) == (0, 1, [], 0)


def test_gradients_that_are_never_finite_are_no_overflow() -> None:
    w = Parameter(np.zeros(1, np.float32))
    optimizer, scaler = SGD(1.0).setup([w]), LossScaler()
    with pytest.raises(AnomalyError, match="they do not overflow, there is a fault elsewhere"):
        for _ in range(100):
            w.grad = np.full(1, np.nan, np.float32)
            scaler.step(optimizer)
    assert scaler.skipped == 41 and w.data[0] == 0


def test_the_state_goes_through_json() -> None:
    scaler = LossScaler(64.0)
    scaler.good, scaler.skipped = 7, 3
    other = LossScaler()
    other.load_state_dict(json.loads(json.dumps(scaler.state_dict())))
    assert (other.factor, other.good, other.skipped) == (64, 7, 3)
    for wrong in ({}, {"factor": "x", "good": 1, "skipped": 0}, 3):
        with pytest.raises(StateError, match="is not what state_dict"):
            other.load_state_dict(wrong)  # type: ignore[arg-type]
    assert other.factor == 64


def test_a_scaler_that_is_a_hook_is_saved_with_its_optimizer() -> None:
    def made(scale: float) -> Any:
        optimizer = SGD(1.0).setup([Parameter(np.zeros(1, np.float32))])
        optimizer.add_hook(ClipGrad(1.0))
        optimizer.add_hook(LossScaler(scale))
        return optimizer
    state = json.loads(json.dumps(made(32.0).state_dict()["scalars"]))
    optimizer = made(8.0)
    optimizer.load_state_dict({"scalars": state, "arrays": {}})
    assert optimizer.hooks[1].factor == 32
    optimizer.hooks.pop()
    with pytest.raises(StateError, match="it has a state of hook 1, .*: add the same hooks before loading"):
        optimizer.load_state_dict({"scalars": state, "arrays": {}})


def test_mistakes_are_told() -> None:
    for call in (lambda: LossScaler(0), lambda: LossScaler(interval=0), lambda: LossScaler(growth=0.5), lambda: LossScaler(backoff=1.0)):
        with pytest.raises(ValueError, match="expected"):
            call()
    with pytest.raises(RuntimeError, match=r"SGD has nothing to update: call setup\(model\) first"):
        LossScaler().step(SGD())
    assert repr(LossScaler(1024)) == "LossScaler(1024, interval=2000)"


def test_a_loss_of_float16_starts_with_what_float16_holds() -> None:
    w = Parameter(np.ones(1, np.float16))
    scaler = LossScaler()
    loss = scaler.loss(lambda v: F.sum(v * np.float16(1)))(w)
    loss.backward()
    assert scaler.factor == 2 ** 15 and w.grad is not None and w.grad.data.tolist() == [2 ** 15]
    assert scaler.loss(lambda v: v)(Variable(np.ones(1), requires_grad=False)).grad is None
