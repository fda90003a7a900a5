"""Schedules set the rates that their formulas say, for all groups, and go on from a saved state."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from dezero import Parameter
from dezero.errors import InputTypeError, StateError
from dezero.optimizers import (
    SGD,
    Adam,
    CosineLR,
    CosineWarmRestarts,
    ExponentialLR,
    LambdaLR,
    MultiStepLR,
    OneCycle,
    PolynomialLR,
    ReduceLROnPlateau,
    Schedule,
    StepLR,
    WarmUp,
)

# name -> ours, and PyTorch's schedule of an optimizer
CLOSED: dict[str, tuple[Any, Any]] = {
    "step": (lambda o: StepLR(o, 3, 0.5), lambda s, o: s.StepLR(o, 3, 0.5)),
    "multistep": (lambda o: MultiStepLR(o, [9, 2, 5], 0.5), lambda s, o: s.MultiStepLR(o, [2, 5, 9], 0.5)),
    "exponential": (lambda o: ExponentialLR(o, 0.9), lambda s, o: s.ExponentialLR(o, 0.9)),
    "polynomial": (lambda o: PolynomialLR(o, 15, 2.0), lambda s, o: s.PolynomialLR(o, 15, 2.0)),
    "cosine": (lambda o: CosineLR(o, 20, 0.01), lambda s, o: s.CosineAnnealingLR(o, 20, 0.01)),
    "restarts": (lambda o: CosineWarmRestarts(o, 3, 2, 0.01), lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, 2, 0.01)),
    "restarts_even": (lambda o: CosineWarmRestarts(o, 4), lambda s, o: s.CosineAnnealingWarmRestarts(o, 4)),
    "lambda": (lambda o: LambdaLR(o, lambda i: 0.7 ** i), lambda s, o: s.LambdaLR(o, lambda i: 0.7 ** i)),
    "warmup": (lambda o: WarmUp(o, 5), lambda s, o: s.LinearLR(o, total_iters=5)),
    "warmup_cosine": (lambda o: WarmUp(CosineLR(o, 15), 5, start=0.1),
                      lambda s, o: s.SequentialLR(o, [s.LinearLR(o, 0.1, total_iters=5), s.CosineAnnealingLR(o, 15)], [5])),
    "onecycle": (lambda o: OneCycle(o, 0.9, 20), lambda s, o: s.OneCycleLR(o, [0.9, 0.09], 20, cycle_momentum=False)),
    "onecycle_linear": (lambda o: OneCycle(o, 0.9, 20, warmup=0.45, start_div=10, final_div=100, shape="linear"),
                        lambda s, o: s.OneCycleLR(o, [0.9, 0.09], 20, pct_start=0.45, anneal_strategy="linear", cycle_momentum=False,
                                                  div_factor=10, final_div_factor=100)),
}
closed = pytest.mark.parametrize("name", CLOSED)


def optimizer_of(rate: float = 0.5) -> Any:
    optimizer = Adam(rate).setup({"a": Parameter(np.zeros(1)), "b": Parameter(np.zeros(1)), "c": Parameter(np.zeros(1))})
    return optimizer.add_group("b", lr=rate / 10).add_group("c", weight_decay=0.1)


def rates(optimizer: Any) -> list[float]:
    return [optimizer.option("rate", p) for p in optimizer.target.values()]


@closed
def test_the_closed_form_is_what_the_steps_set(name: str) -> None:
    optimizer = optimizer_of()
    schedule = CLOSED[name][0](optimizer)
    for i in range(25):
        assert optimizer.rate == schedule.rate == schedule.rate_at(i)
        a, b, c = rates(optimizer)
        assert a == c and b == schedule.rate_from(0.05, i)
        schedule.step()


@closed
def test_a_restored_schedule_goes_on_the_same(name: str) -> None:
    optimizer, other = optimizer_of(), optimizer_of()
    schedule, again = CLOSED[name][0](optimizer), CLOSED[name][0](other)
    for i in range(24):
        if i in (3, 7):
            other = optimizer_of()
            other.rate, other.groups[0].options["rate"] = rates(optimizer)[:2]  # as the optimizer's own state would restore them
            again = CLOSED[name][0](other)
            again.load_state_dict(json.loads(json.dumps(schedule.state_dict())))
        assert rates(other) == rates(optimizer)
        schedule.step()
        again.step()


@closed
@pytest.mark.torch
def test_a_schedule_equals_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    tensors = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    theirs = torch.optim.SGD([{"params": tensors[:1]}, {"params": tensors[1:], "lr": 0.05}], lr=0.5)
    expected = CLOSED[name][1](torch.optim.lr_scheduler, theirs)
    optimizer = optimizer_of()
    schedule = CLOSED[name][0](optimizer)
    for _ in range(19):
        assert rates(optimizer)[:2] == pytest.approx([g["lr"] for g in theirs.param_groups], rel=1e-9, abs=1e-15)
        theirs.step()
        expected.step()
        schedule.step()


METRICS = [1.0, 0.9, 0.95, 0.9, 0.89999, 0.91, 0.8, 0.8, float("nan"), 0.8, 0.8, 0.8, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7]
PLATEAUS: list[dict[str, Any]] = [{"factor": 0.5, "patience": 2}, {"factor": 0.1, "patience": 1, "cooldown": 2, "min_lr": 0.002},
                                  {"mode": "max", "factor": 0.5, "patience": 2}, {"patience": 0, "threshold": 0.05, "threshold_mode": "abs"}]


@pytest.mark.torch
@pytest.mark.parametrize("options", PLATEAUS)
def test_the_plateau_equals_pytorchs(options: Any) -> None:
    torch = pytest.importorskip("torch")
    tensors = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    theirs = torch.optim.SGD([{"params": tensors[:1]}, {"params": tensors[1:], "lr": 0.05}], lr=0.5)
    expected = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, eps=0.0, **options)
    optimizer = optimizer_of()
    schedule = ReduceLROnPlateau(optimizer, **options)
    for m in METRICS:
        expected.step(m)
        schedule.step(m)
        assert rates(optimizer)[:2] == pytest.approx([g["lr"] for g in theirs.param_groups], rel=1e-9)


@pytest.mark.parametrize("options", PLATEAUS)
def test_the_plateau_falls_and_goes_on_from_its_state(options: Any) -> None:
    optimizer = optimizer_of()
    schedule = ReduceLROnPlateau(optimizer, **options)
    for i, m in enumerate(METRICS):
        schedule.step(m)
        if i == 8:
            other = optimizer_of()
            again = ReduceLROnPlateau(other, **options)
            other.load_state_dict(optimizer.state_dict())
            again.load_state_dict(json.loads(json.dumps(schedule.state_dict())))
        elif i > 8:
            again.step(m)
            assert rates(other) == rates(optimizer)
    assert optimizer.rate < 0.5
    assert optimizer.rate >= options.get("min_lr", 0)


def test_warm_up_may_lead_to_a_plateau() -> None:
    optimizer = SGD(1.0)
    schedule = WarmUp(ReduceLROnPlateau(optimizer, patience=0, factor=0.5), steps=2, start=0.0)
    seen = []
    for loss in (1.0, 0.9, 0.8, 0.8, 0.8):
        seen.append(optimizer.lr)
        schedule.step(loss)
    assert seen == [0, 0.5, 1, 1, 0.5]


def test_the_rate_of_a_group_that_comes_later_is_scheduled_too() -> None:
    optimizer = SGD(0.5).setup({"a": Parameter(np.zeros(1)), "b": Parameter(np.zeros(1))})
    schedule = ExponentialLR(optimizer, 0.5)
    schedule.step()
    optimizer.add_group("b", lr=0.4)
    schedule.step()
    assert rates(optimizer) == [0.125, 0.1]


def test_adam_takes_its_rate_from_a_schedule() -> None:
    p = Parameter(np.zeros(1))
    optimizer = Adam(0.1).setup([p])
    schedule = StepLR(optimizer, 1)
    for _ in range(2):
        p.grad = np.ones(1)
        optimizer.update()
        schedule.step()
    np.testing.assert_allclose(p.data, [-0.11], rtol=1e-6)
    assert optimizer.alpha == pytest.approx(0.001)


def test_one_cycle_reaches_its_top_and_stays_at_its_end() -> None:
    schedule = OneCycle(SGD(), 1.0, 101, warmup=0.5)
    curve = [schedule.rate_at(i) for i in range(200)]
    assert max(curve) == pytest.approx(1.0, rel=1e-3) and curve[0] == pytest.approx(0.04)
    assert curve[100:] == [pytest.approx(4e-6)] * 100
    for warmup, steps in ((0.0, 5), (1.0, 5), (0.3, 1)):
        assert all(math.isfinite(OneCycle(SGD(), 1.0, steps, warmup).rate_at(i)) for i in range(8))


@pytest.mark.parametrize(("call", "words"), [
    (lambda o: StepLR(o, 0), "StepLR: step_size is 0: a positive number of steps is expected"),
    (lambda o: CosineLR(o, -1), "CosineLR: steps is -1"),
    (lambda o: OneCycle(o, 1.0, 10, shape="sine"), "'cosine' or 'linear'"),
    (lambda o: OneCycle(o, 1.0, 10, warmup=2), "a share of the steps"),
    (lambda o: OneCycle(o, 1.0, 10, start_div=0), "a number above 0"),
    (lambda o: ReduceLROnPlateau(o, mode="least"), "'min' or 'max'"),
    (lambda o: ReduceLROnPlateau(o, threshold_mode="x"), "'rel' or 'abs'"),
    (lambda o: ReduceLROnPlateau(o, factor=1.0), "a number below 1"),
    (lambda o: ExponentialLR(o, -0.5), "at least 0"),
])
def test_mistakes_are_told(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call(SGD())


def test_wrong_kinds_are_told() -> None:
    with pytest.raises(InputTypeError, match="an Optimizer is expected"):
        StepLR(0.1, 2)
    with pytest.raises(TypeError, match="a function of the number of the step"):
        LambdaLR(SGD(), 0.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"call step\(validation_loss\)"):
        ReduceLROnPlateau(SGD()).step()
    with pytest.raises(NotImplementedError, match="depends on the metrics"):
        ReduceLROnPlateau(SGD()).rate_at(1)
    with pytest.raises(NotImplementedError):
        Schedule(SGD()).step()


def test_the_state_of_another_schedule_is_refused() -> None:
    state = StepLR(SGD(), 2).state_dict()
    for other in (CosineLR(SGD(), 5), WarmUp(SGD(), 5), ReduceLROnPlateau(SGD())):
        with pytest.raises(StateError, match="of StepLR"):
            other.load_state_dict(state)
    with pytest.raises(StateError, match="is not what state_dict"):
        StepLR(SGD(), 2).load_state_dict({"schedule": "StepLR"})
    with pytest.raises(StateError, match="more groups"):
        StepLR(SGD(), 2).load_state_dict({**state, "group_bases": {"0": 0.1}})
    with pytest.raises(StateError, match="no schedule after the ramp"):
        WarmUp(StepLR(SGD(), 2), 3).load_state_dict(WarmUp(SGD(), 3).state_dict())
