"""Several devices: arrays stay where they are, work is done there, and mixing is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Variable, optimizers
from dezero.backend import arrays, device
from dezero.backend.device import as_device, device_of, put
from dezero.errors import DeviceError
from tests import strict
from tests.strict import to_strict

pytestmark = [pytest.mark.usefixtures("devices"), pytest.mark.seeds]

X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


def net() -> L.Sequential:
    model = L.Sequential(L.Linear(5, in_size=3), F.relu, L.Linear(2, in_size=5))
    for i, p in enumerate(model.params()):
        assert p.data is not None
        p.data = np.random.default_rng(i).normal(size=p.shape).astype(np.float32)
    return model


def step(model: L.Sequential, optimizer: Any, x: Any) -> None:
    loss = F.mean_squared_error(model(x), model(x).data * 0)
    model.cleargrads()
    loss.backward()
    optimizer.update()


def test_a_model_on_the_second_device_trains_there() -> None:
    host, second = net(), net().to_gpu("cuda:1")
    ours, theirs = optimizers.Adam(0.1).setup(host), optimizers.Adam(0.1).setup(second)
    for _ in range(3):
        step(host, ours, X)
        strict.Device.current = 0  # somebody else works on the first device meanwhile
        step(second, theirs, put(X, 1))
    for a, b in zip(host.params(), second.params(), strict=True):
        assert b.device == "cuda:1"
        np.testing.assert_allclose(b.data.get(), a.data, rtol=1e-4, atol=1e-5)


def test_two_models_on_two_devices_may_take_turns_within_a_step() -> None:
    x0, x1 = Variable(put(X, 0)), Variable(put(X, 1))
    y0, y1 = F.sum(F.tanh(x0) * x0), F.sum(F.tanh(x1) * x1)
    y0.backward()
    y1.backward()
    assert x0.grad is not None and x1.grad is not None
    assert (x0.grad.device, x1.grad.device) == ("cuda:0", "cuda:1")
    strict.Device.current = 0
    first = x0.grad.data.get()
    assert np.array_equal(first, x1.grad.data.get())


def test_arrays_of_two_devices_are_refused_with_their_names() -> None:
    with pytest.raises(DeviceError, match=r"mul: arrays of two devices are mixed: a is on cuda:0 and b is on cuda:1; move one with to_gpu"):
        Variable(put(X, 0)) * Variable(put(X, 1))
    with pytest.raises(DeviceError, match="mul: host and device arrays are mixed: a is on cuda:0 and b is on the host; move one"):
        Variable(put(X, 0)) * Variable(X)


def test_an_array_moves_from_device_to_device_and_back() -> None:
    x = Variable(X)
    for where, expected in (("cuda:1", "cuda:1"), (0, "cuda:0"), ("gpu", "cuda:0")):
        x.to_gpu(where)
        assert x.device == device_of(x) == expected
    x.to_cpu()
    assert x.device == "cpu" and np.array_equal(x.data, X)
    here = put(X, 0)
    assert put(here, "cuda") is here, "no copy where it is there already"


def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(DeviceError, match=r"cuda:5 is asked for: there are 2 CUDA devices, cuda:0 to cuda:1"):
        put(X, "cuda:5")
    for wrong in ("gpux", "cuda:", -1, None, 1.5, True):
        with pytest.raises(ValueError, match="'cpu', 'gpu', 'cuda', or 'cuda:1'"):
            as_device(wrong)


def test_where_there_are_several_devices_ops_look_even_if_others_have_put_the_arrays_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when CuPy's own ``with Device(1)`` made them: CuPy's first array that is met tells."""
    assert not device.several
    with strict.Device(1):
        a = to_strict(X)
    for tell in arrays.adopted:
        tell(strict.xp)
    assert device.several
    assert F.relu(Variable(a)).device == "cuda:1" and strict.Device.current == 1
    device.several, strict.Device.current = False, 0
    monkeypatch.setattr(strict.Device, "count", 1)
    for tell in arrays.adopted:
        tell(strict.xp)
    assert not device.several, "one device: nothing is asked"
