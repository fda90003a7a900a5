"""Optimizers and schedules at the edges of what is promised: odd targets, groups, states from elsewhere, values written out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero.layers as L
from dezero import Parameter
from dezero.backend import register_module, unregister_module
from dezero.backend.kernels import REFERENCE
from dezero.errors import InputTypeError, StateError
from dezero.optimizers import (
    SGD,
    AdaDelta,
    AdaGrad,
    Adam,
    AdamW,
    ClipGrad,
    ClipValue,
    CosineLR,
    Lion,
    MomentumSGD,
    MultiStepLR,
    NAdam,
    OneCycle,
    RAdam,
    ReduceLROnPlateau,
    RMSprop,
    StepLR,
    WarmUp,
    WeightDecay,
)
from tests.strict import StrictArray, to_strict, xp

ALL = [SGD, MomentumSGD, AdaGrad, AdaDelta, RMSprop, Adam, AdamW, NAdam, RAdam, Lion]


def param(*shape: int, value: float = 1.0, grad: float = 1.0) -> Parameter:
    p = Parameter(np.full(shape, value, np.float32))
    p.grad = np.full(shape, grad, np.float32)
    return p


@pytest.mark.parametrize("make", ALL)
def test_scalars_and_empty_arrays_train_as_others_do(make: Any) -> None:
    params = scalar, empty, vector = param(), param(0, 3), param(3)
    optimizer = make().setup(params)
    for hook in (WeightDecay(0.1), ClipGrad(5.0), ClipValue(0.4)):
        optimizer.add_hook(hook)
    for _ in range(8):
        for p in params:
            p.grad = np.ones(p.shape, np.float32)
        optimizer.update()
    assert type(scalar.data) is np.ndarray and scalar.dtype == np.float32 and empty.shape == (0, 3)
    np.testing.assert_allclose(scalar.data, vector.data[0], rtol=1e-6)
    assert scalar.data < 1


def test_names_that_are_equal_as_text_are_told() -> None:
    with pytest.raises(InputTypeError, match="the target has two parameters of the name '1'"):
        SGD().setup({1: param(2), "1": param(2)})


def test_a_schedule_outlives_the_groups_of_an_earlier_target() -> None:
    optimizer = SGD(lr=1.0).setup([param(1)], [{"params": "0", "lr": 0.5}])
    schedule = StepLR(optimizer, 1, 0.5)
    optimizer.setup([param(1)])
    schedule.step()
    assert optimizer.lr == 0.5 and optimizer.groups == []


@pytest.mark.parametrize("where", ["options", "groups"])
@pytest.mark.parametrize("name, value, message", [
    ("update", 3.0, r"it has the option 'update'; those of MomentumSGD are rate, momentum, nesterov, weight_decay"),
    ("momentum", "abc", "its option momentum is 'abc': a number of at least 0"),
    ("rate", -3.0, r"its option rate is -3\.0: a number of at least 0"),
    ("rate", float("nan"), "its option rate is nan"),
])
def test_a_state_with_other_options_is_refused_whole(where: str, name: str, value: Any, message: str) -> None:
    optimizer = MomentumSGD().setup([param(2)], [{"params": "0", "lr": 0.5}])
    state = optimizer.state_dict()
    (state["scalars"]["options"] if where == "options" else state["scalars"]["groups"][0])[name] = value
    state["scalars"]["t"] = 77
    with pytest.raises(StateError, match=message):
        optimizer.load_state_dict(state)
    assert optimizer.t == 0 and optimizer.momentum == 0.9 and optimizer.rate == 0.01 and callable(optimizer.update)


def test_the_last_of_two_groups_counts_where_both_have_the_option() -> None:
    p = param(1, value=0.0)
    SGD(lr=1.0).setup([p], [{"params": "0", "lr": 0.25}, {"params": "0", "lr": 0.5}]).update()
    assert p.data == -0.5


def test_decay_beside_the_gradient_takes_the_rate_of_the_group() -> None:
    p = param(1, grad=0.0)
    AdamW(lr=0.001, weight_decay=0.5).setup([p], [{"params": "0", "lr": 0.1}]).update()
    np.testing.assert_allclose(p.data, 0.95, rtol=1e-6)


def test_a_parameter_that_joins_leaves_the_state_of_the_others() -> None:
    net = L.Layer()
    net.a = param(1, value=0.0)
    optimizer = MomentumSGD(lr=1.0, momentum=0.5).setup(net)
    optimizer.update()
    net.b = param(1, value=0.0)
    optimizer.update()
    assert net.a.data == -2.5 and net.b.data == -1


def test_a_state_is_fitted_again_where_the_optimizer_has_run_already() -> None:
    source = MomentumSGD().setup([param(2)])
    source.update()
    register_module(StrictArray, xp)
    try:
        p = Parameter(to_strict(np.ones(2, np.float32)))
        optimizer = MomentumSGD().setup([p])
        p.grad = to_strict(np.ones(2, np.float32))
        optimizer.update()
        optimizer.load_state_dict(source.state_dict())
        optimizer.update()
        assert all(isinstance(a, StrictArray) for a in optimizer.state_dict()["arrays"].values())
    finally:
        unregister_module(StrictArray)


def test_a_centred_variance_below_nothing_counts_as_nothing() -> None:
    p, g = np.zeros(1, np.float32), np.full(1, 0.5, np.float32)
    v, mean = np.full(1, 0.2, np.float32), np.full(1, 0.5, np.float32)
    REFERENCE["rmsprop_step"](np, p, g, v, mean, None, 1.0, 0.9, 1.0, 0.0)
    np.testing.assert_allclose(p, -0.5)


def test_the_plateau_rests_after_a_fall_and_never_raises_the_rate() -> None:
    optimizer = SGD(lr=1.0)
    schedule = ReduceLROnPlateau(optimizer, factor=0.5, patience=0, cooldown=2)
    rates = []
    for _ in range(8):
        schedule.step(1.0)
        rates.append(optimizer.lr)
    assert rates == [1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]
    low = SGD(lr=0.01)
    schedule = ReduceLROnPlateau(low, patience=0, min_lr=0.1)
    schedule.step(1.0)
    schedule.step(1.0)
    assert low.lr == 0.01


@pytest.mark.parametrize("options", [{"patience": -1}, {"cooldown": -1}, {"threshold": float("nan")}, {"threshold": -1.0}])
def test_a_plateau_of_impossible_numbers_is_refused(options: Any) -> None:
    with pytest.raises(ValueError, match=r"ReduceLROnPlateau: .*at least 0"):
        ReduceLROnPlateau(SGD(), **options)


def test_milestones_fall_at_their_own_steps() -> None:
    schedule = MultiStepLR(SGD(lr=1.0), [4, 2], 0.5)
    assert [schedule.rate_at(i) for i in range(6)] == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]


def test_a_ramp_leads_each_group_to_its_own_rate() -> None:
    optimizer = SGD(lr=1.0).setup([param(1), param(1)])
    schedule = WarmUp(CosineLR(optimizer, 4), 2, start=0.5)
    optimizer.add_group("1", lr=0.1)  # after the schedule was made
    rates = []
    for _ in range(6):
        rates.append((optimizer.lr, optimizer.groups[0].options["rate"]))
        schedule.step()
    share = [0.75, 1.0, *((1 + np.cos(np.pi * np.arange(1, 5) / 4)) / 2)]
    np.testing.assert_allclose([b for _, b in rates[1:]], np.multiply(0.1, share[:5]), rtol=1e-6)
    np.testing.assert_allclose([a for a, _ in rates[1:]], share[:5], rtol=1e-6)


def test_a_ramp_starts_from_what_the_schedule_behind_it_started_from() -> None:
    optimizer = SGD(lr=0.01).setup([param(1)], [{"params": "0", "lr": 0.1}])
    WarmUp(OneCycle(optimizer, max_rate=1.0, steps=10), 4, start=1.0)
    assert optimizer.lr == pytest.approx(1 / 25) and optimizer.groups[0].options["rate"] == pytest.approx(10 / 25)


def test_one_cycle_keeps_the_proportion_of_groups() -> None:
    optimizer = SGD(lr=0.1).setup([param(1)], [{"params": "0", "lr": 0.2}])
    schedule = OneCycle(optimizer, max_rate=1.0, steps=11, warmup=0.5)
    for _ in range(5):
        schedule.step()
        assert optimizer.groups[0].options["rate"] == pytest.approx(2 * optimizer.lr)


def test_a_ramp_before_a_cycle_leads_a_late_group_in_proportion() -> None:
    optimizer = SGD(lr=0.1).setup([param(1), param(1)])
    schedule = WarmUp(OneCycle(optimizer, max_rate=1.0, steps=8), 2)
    optimizer.add_group("1", lr=0.2)
    for _ in range(6):
        schedule.step()
        assert optimizer.groups[0].options["rate"] == pytest.approx(2 * optimizer.lr)


@pytest.mark.parametrize("make", [Adam, NAdam, RAdam, AdamW])
def test_a_parameter_that_joins_late_has_a_count_of_its_own(make: Any) -> None:
    early, late, alone = param(2), param(2), param(2)
    net = L.Layer()
    net.early = early
    whole, part = make().setup(net), make().setup([alone])
    for i in range(12):
        if i == 5:
            net.late = late
        early.grad = np.full(2, 0.1 * i, np.float32)
        late.grad = alone.grad = np.full(2, np.sin(i), np.float32)
        whole.update()
        if i >= 5:
            part.update()
    assert np.array_equal(late.data, alone.data)


@pytest.mark.torch
@pytest.mark.parametrize("name", ["AdamW", "NAdam", "RAdam"])
def test_groups_clipping_a_schedule_and_a_restart_together_equal_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    start = [rng.normal(size=shape).astype(np.float32) for shape in ((4, 3), (3,))]
    theirs = [torch.nn.Parameter(torch.tensor(a)) for a in start]
    other = getattr(torch.optim, name)([{"params": theirs[:1]}, {"params": theirs[1:], "lr": 0.003}], lr=0.01, weight_decay=0.1)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(other, 30)
    kind = {"AdamW": AdamW, "NAdam": NAdam, "RAdam": RAdam}[name]

    def make(arrays: Any) -> Any:
        params = [Parameter(a.copy()) for a in arrays]
        optimizer = kind(lr=0.01, weight_decay=0.1).setup(params, [{"params": "1", "lr": 0.003}])
        optimizer.add_hook(ClipGrad(1.0))
        return params, optimizer, CosineLR(optimizer, 30)

    params, optimizer, schedule = make(start)
    for i in range(30):
        for p, q in zip(params, theirs, strict=True):
            g = rng.normal(size=p.shape).astype(np.float32)
            p.grad, q.grad = g, torch.tensor(g)
        torch.nn.utils.clip_grad_norm_(theirs, 1.0)
        for each in (optimizer.update, schedule.step, other.step, cosine.step):
            each()
        if i == 13:
            states = optimizer.state_dict(), schedule.state_dict()
            params, optimizer, schedule = make([p.data for p in params])
            optimizer.load_state_dict(states[0])
            schedule.load_state_dict(states[1])
    for p, q in zip(params, theirs, strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-5, atol=2e-6)
