"""What an optimizer has learned is saved by the names of parameters and goes on to the byte."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest

from dezero import Parameter
from dezero.backend import register_module, unregister_module
from dezero.errors import StateError
from dezero.optimizers import SGD, Adam, MomentumSGD, RMSprop
from tests.optimizers.oracles import RULES, problem
from tests.strict import StrictArray, to_strict, xp


def steps(optimizer: Any, gradients: Any) -> None:
    for gs in gradients:
        for p, g in zip(optimizer.target.values(), gs, strict=True):
            p.grad = g.copy()
        optimizer.update()


def through_json(state: Any) -> Any:
    return {"scalars": json.loads(json.dumps(state["scalars"])), "arrays": state["arrays"]}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_restored_optimizer_goes_on_to_the_byte(name: str, dtype: Any) -> None:
    starts, gradients = problem(dtype)
    make = RULES[name][0]
    whole = make().setup({str(i): Parameter(a.copy()) for i, a in enumerate(starts)}).add_group("1", lr=0.02)
    steps(whole, gradients[:12])
    state, arrays = through_json(whole.state_dict()), [p.data.copy() for p in whole.target.values()]
    steps(whole, gradients[12:30])
    again = make().setup({str(i): Parameter(a) for i, a in enumerate(arrays)}).add_group("1", lr=0.7)
    again.load_state_dict(state)
    steps(again, gradients[12:30])
    assert again.t == whole.t == 30 and again.groups[0].options == {"rate": 0.02}
    for p, q in zip(whole.target.values(), again.target.values(), strict=True):
        assert p.data.tobytes() == q.data.tobytes()


def optimizer_of(net: dict[str, Any], kind: Any = Adam) -> Any:
    optimizer = kind().setup(net)
    for p in net.values():
        p.grad = np.ones(p.shape)
    optimizer.update()
    return optimizer


def test_the_state_goes_by_name_and_is_a_copy() -> None:
    optimizer = optimizer_of({"l0.W": Parameter(np.zeros((2, 3))), "l0.b": Parameter(np.zeros(3))})
    state = optimizer.state_dict()
    assert list(state["arrays"]) == ["m/l0.W", "v/l0.W", "m/l0.b", "v/l0.b"]
    before = state["arrays"]["m/l0.W"].copy()
    optimizer.update()
    np.testing.assert_array_equal(state["arrays"]["m/l0.W"], before)
    optimizer.load_state_dict(state)
    optimizer.update()
    np.testing.assert_array_equal(state["arrays"]["m/l0.W"], before)  # what was given is not changed either
    live = optimizer.state_dict(copy=False)["arrays"]["m/l0.W"]
    assert live is optimizer.state(optimizer.target["l0.W"], "m")


def test_options_come_back() -> None:
    optimizer = RMSprop(0.1, momentum=0.5, centered=True).setup([Parameter(np.zeros(2))])
    other = RMSprop().setup([Parameter(np.zeros(2))])
    other.load_state_dict(through_json(optimizer.state_dict()))
    assert (other.lr, other.momentum, other.centered) == (0.1, 0.5, True)


@pytest.mark.parametrize(("change", "words"), [
    (lambda s: s["arrays"].pop("m/a"), "m/a"),
    (lambda s: s["arrays"].update({"w/z": np.zeros(2)}), "w/z"),
    (lambda s: s["arrays"].update({"v/b": np.zeros((4, 4))}), "v/b"),
    (lambda s: s["scalars"].update(optimizer="SGD"), "it is of SGD"),
    (lambda s: s["scalars"]["groups"].append({}), "it has 1 groups, this optimizer has 0"),
    (lambda s: s["scalars"]["params"].pop("b"), "does not know: b"),
    (lambda s: s["scalars"]["params"].update(c=s["scalars"]["params"]["a"]), "only in the saved state: c"),
    (lambda s: s.pop("scalars"), "is not what state_dict"),
    (lambda s: s["scalars"].pop("t"), "is not what state_dict"),
])
def test_a_state_that_does_not_fit_is_refused_whole(change: Any, words: str) -> None:
    optimizer = optimizer_of({"a": Parameter(np.zeros(2)), "b": Parameter(np.zeros((3, 2)))})
    state = optimizer.state_dict()
    change(state)
    other = optimizer_of({"a": Parameter(np.zeros(2)), "b": Parameter(np.zeros((3, 2)))})
    other.update()
    before = other.state_dict()
    with pytest.raises(StateError, match="nothing was loaded") as caught:
        other.load_state_dict(state)
    assert words in str(caught.value)
    assert other.state_dict()["scalars"] == before["scalars"]


def test_saving_and_loading_need_a_target() -> None:
    for call in (lambda: SGD().state_dict(), lambda: SGD().load_state_dict({})):
        with pytest.raises(RuntimeError, match=r"call setup\(model\) first"):
            call()


def test_a_parameter_that_is_not_sized_yet_takes_its_state_later() -> None:
    source = optimizer_of({"W": Parameter(np.zeros(2))}, MomentumSGD)
    state = source.state_dict()
    lazy = Parameter(None)
    target = MomentumSGD().setup({"W": lazy})
    target.load_state_dict(state)
    lazy.data = source.target["W"].data.copy()
    for optimizer in (source, target):
        optimizer.target["W"].grad = np.ones(2)
        optimizer.update()
    np.testing.assert_array_equal(lazy.data, source.target["W"].data)
    other = Parameter(None)
    target = MomentumSGD().setup({"W": other})
    target.load_state_dict(state)
    other.data, other.grad = np.zeros(5), np.zeros(5)
    with pytest.raises(StateError, match=r"has shape \(2,\), its array has shape \(5,\)"):
        target.update()


def test_a_state_of_the_host_goes_on_on_a_device() -> None:
    source = optimizer_of({"W": Parameter(np.zeros(2))})
    state = source.state_dict()
    register_module(StrictArray, xp)
    try:
        p = Parameter(to_strict(source.target["W"].data))
        target = Adam().setup({"W": p})
        target.load_state_dict(state)
        p.grad = to_strict(np.ones(2))
        target.update()
        source.update()
        np.testing.assert_allclose(p.data.get(), source.target["W"].data, rtol=1e-12)
    finally:
        unregister_module(StrictArray)


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_a_copy_of_optimizer_and_model_goes_on_by_itself(twin: Any) -> None:
    optimizer = Adam(0.1).setup([Parameter(np.zeros(2)), Parameter(np.ones(1))]).add_group("0", lr=0.2)
    for p in optimizer.target:
        p.grad = np.ones(p.shape)
    optimizer.update()
    other = twin(optimizer)
    for _ in range(2):
        other.update()
    assert [p.data[0] for p in optimizer.target] == pytest.approx([-0.2, 0.9])
    assert [p.data[0] for p in other.target] == pytest.approx([-0.6, 0.7])
