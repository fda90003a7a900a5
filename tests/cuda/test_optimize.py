"""Optimizers and hooks on the emulated device: what the host gives, one launch for all parameters, nothing copied, nothing waited for."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from dezero import Parameter
from dezero.backend import kernels_of
from dezero.backend.cuda import tables
from dezero.backend.cuda.launch import counting
from dezero.backend.cuda.optimize import RULES as KERNELS
from dezero.backend.kernels import REFERENCE
from dezero.errors import AnomalyError
from dezero.optimizers import SGD, Adam, AdamW, ClipGrad, ClipValue, LossScaler, MomentumSGD, NAdam, Rule, WeightDecay, global_norm
from dezero.optimizers.together import by_place
from tests.backend.test_kernels import ARGUMENTS
from tests.optimizers.oracles import RULES
from tests.strict import StrictArray, to_strict

pytestmark = pytest.mark.usefixtures("emulated")

rules = pytest.mark.parametrize("name", RULES)
SHAPES = [(3, 4), (5,), (), (0, 2), (97, 89)]  # the last is more than two pieces
TOLERANCE = {"float64": 1e-11, "float32": 3e-5, "float16": 2e-3, "bfloat16": 2e-2}


def dtype_of(name: str) -> np.dtype:
    return np.dtype(getattr(pytest.importorskip("ml_dtypes"), name) if name == "bfloat16" else name)


def twins(dtype: Any, shapes: Any = SHAPES, seed: int = 0) -> tuple[list[Parameter], list[Parameter]]:
    """The same parameters on the host and on the device."""
    rng = np.random.default_rng(seed)
    starts = [np.asarray(rng.normal(size=s)).astype(dtype) for s in shapes]
    return [Parameter(a) for a in starts], [Parameter(to_strict(a)) for a in starts]


def grads(host: list[Parameter], device: list[Parameter], seed: int, scale: float = 1.0) -> None:
    rng = np.random.default_rng(seed)
    for p, q in zip(host, device, strict=True):
        g = np.asarray(rng.normal(size=p.shape) * scale).astype(p.dtype)
        p.grad = g.copy()
        if q.grad is None:
            q.grad = to_strict(g)
        else:
            q.grad.data[...] = to_strict(g)


def same(host: list[Parameter], device: list[Parameter], tolerance: float) -> None:
    for p, q in zip(host, device, strict=True):
        assert isinstance(q.data, StrictArray) and q.dtype == p.dtype
        np.testing.assert_allclose(q.data.get().astype(float), p.data.astype(float), rtol=tolerance, atol=tolerance)


@rules
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_a_rule_equals_the_hosts_in_one_launch_for_all_parameters(name: str, dtype: str) -> None:
    host, device = twins(dtype_of(dtype))
    ours, theirs = RULES[name][0]().setup(device), RULES[name][0]().setup(host)
    for i in range(8):
        grads(host, device, i)
        theirs.update()
        with counting() as launches:
            ours.update()
        assert sum(launches.values()) == 1, launches
    same(host, device, TOLERANCE[dtype] * (10 if name == "rmsprop_all" else 1))
    state, expected = ours.state_dict(), theirs.state_dict()
    assert state["scalars"] == expected["scalars"] and list(state["arrays"]) == list(expected["arrays"])
    for key, a in state["arrays"].items():
        assert a.dtype == expected["arrays"][key].dtype
        np.testing.assert_allclose(a.get(), expected["arrays"][key], rtol=1e-4, atol=1e-4, err_msg=key)


@pytest.mark.usefixtures("no_host")
def test_a_step_neither_waits_nor_copies_once_the_table_is_there() -> None:
    host, device = twins(np.float32)
    optimizer = AdamW().setup(device)
    for hook in (WeightDecay(0.1), ClipValue(1.0), ClipGrad(1.0)):
        optimizer.add_hook(hook)
    for i in range(3):
        grads(host, device, i)
        before = tables.uploads
        with counting() as launches:
            optimizer.update()
        assert sum(launches.values()) == 5  # decay, clip, norm, scale, step
        assert i == 0 or tables.uploads == before


def test_other_places_of_the_gradients_are_found() -> None:
    host, device = twins(np.float32)
    ours, theirs = Adam().setup(device), Adam().setup(host)
    kept = []
    for i in range(4):
        for p in device:
            kept.append(p.grad)  # so that the next ones lie elsewhere
            p.cleargrad()
        grads(host, device, i)
        ours.update()
        theirs.update()
    same(host, device, 1e-5)


def test_only_so_many_tables_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_TABLES", 3)
    monkeypatch.setattr(tables, "_tables", type(tables._tables)())
    for n in range(1, 9):
        tables.table((n,), ((n,),), 0)
    assert len(tables._tables) == 3


def test_options_and_counts_of_their_own_part_the_parameters() -> None:
    host, device = twins(np.float32)
    optimizers = []
    for params in (host, device):
        optimizer = NAdam(0.01, weight_decay=0.1).setup({str(i): p for i, p in enumerate(params)})
        optimizers.append(optimizer.add_group("1", lr=0.3, weight_decay=0.0))
    for i in range(6):
        grads(host, device, i)
        if i < 3:
            host[2].cleargrad()
            device[2].cleargrad()  # it joins late
        for optimizer in optimizers[:1]:
            optimizer.update()
        with counting() as launches:
            optimizers[1].update()
        assert sum(launches.values()) == (2 if i < 3 else 3)
    same(host, device, 1e-5)
    assert optimizers[0].state_dict()["scalars"] == optimizers[1].state_dict()["scalars"]
    for optimizer in optimizers:
        optimizer.groups[0].options["rate"] = 0.0
        optimizer.beta1 = 0.5
    grads(host, device, 9)
    before = device[1].data.get()
    for optimizer in optimizers:
        optimizer.update()
    same(host, device, 1e-5)
    assert np.array_equal(before, device[1].data.get())


@pytest.mark.parametrize("layout", ["F", "strided"])
def test_parameters_and_gradients_of_other_layouts_are_stepped_on_all_the_same(layout: str) -> None:
    rng = np.random.default_rng(0)
    start, g = rng.normal(size=(6, 5)).astype(np.float32), rng.normal(size=(6, 5)).astype(np.float32)

    def lay(a: Any) -> Any:
        return StrictArray(np.asfortranarray(a) if layout == "F" else np.repeat(a, 2, 1)[:, ::2])
    for of_parameter in (True, False):
        host, device = Parameter(start.copy()), Parameter(lay(start) if of_parameter else to_strict(start))
        ours, theirs = Adam().setup([device]), Adam().setup([host])
        for optimizer, p in ((ours, device), (theirs, host)):
            for hook in (ClipGrad(0.5), ClipValue(0.1), WeightDecay(0.1)):
                optimizer.add_hook(hook)
            for _ in range(3):
                p.grad = g.copy() if p is host else lay(g)
                optimizer.update()
        same([host], [device], 1e-5)


def test_rules_of_users_work_one_by_one() -> None:
    class Averaged(Rule):
        def step(self, p: Any, g: Any, slot: Any, o: Any) -> None:
            m = slot.state("m")
            m += (g - m) / (slot.t + 1)
            p -= o.rate * m

    class Twice(SGD):
        def step(self, p: Any, g: Any, slot: Any, o: Any) -> None:
            super().step(p, g, slot, o)
            p -= 0.1

    class ByHand(MomentumSGD):
        def update_one(self, param: Any) -> None:
            param.data -= self.rate * param.grad.data

    for kind in (Averaged, Twice, ByHand):
        host, device = twins(np.float32)
        ours, theirs = kind(lr=0.1).setup(device), kind(lr=0.1).setup(host)
        for i in range(3):
            grads(host, device, i)
            ours.update()
            theirs.update()
        same(host, device, 1e-5)


def test_a_subclass_with_factors_of_its_own_is_heard() -> None:
    class Plain(Adam):
        def factors(self, t: int, slot: Any, o: Any) -> Any:
            return o.rate, 0.0, None

    host, device = twins(np.float32)
    ours, theirs = Plain(0.1).setup(device), Plain(0.1).setup(host)
    grads(host, device, 0)
    with counting() as launches:
        ours.update()
    theirs.update()
    assert launches["dezero_adam_step_together"] == 1
    same(host, device, 1e-6)


def test_small_steps_on_half_precision_add_up_and_are_saved() -> None:
    for array in (np.asarray, to_strict):
        p = Parameter(array(np.ones(3, np.float16)))
        optimizer = SGD(1e-4).setup({"p": p})
        for i in range(20):
            p.grad = array(np.ones(3, np.float16))
            optimizer.update()
            if i == 10:  # half of it by an optimizer that was restored
                state = copy.deepcopy(optimizer.state_dict())
                optimizer = SGD(1.0).setup({"p": p})
                optimizer.load_state_dict(state)
        values = p.data if array is np.asarray else p.data.get()
        assert values.dtype == np.float16
        np.testing.assert_array_equal(values, np.full(3, 1 - 20e-4, np.float16))  # each step alone would have been lost


def test_what_somebody_writes_to_half_precision_counts() -> None:
    host, device = twins(np.float16)
    ours, theirs = Adam(0.01).setup(device), Adam(0.01).setup(host)
    for i in range(4):
        grads(host, device, i)
        ours.update()
        theirs.update()
        if i == 1:
            host[0].data[0] = 7.0
            device[0].data[0] = 7.0
    same(host, device, 2e-3)
    assert (host[0].data[0] > 6.9).all()


def test_gradients_of_another_dtype_are_taken() -> None:
    host, device = twins(np.float16)
    ours, theirs = SGD(0.1).setup(device), SGD(0.1).setup(host)
    grads(host, device, 0)
    host[0].grad, device[0].grad = (p.grad.data.astype(np.float32) for p in (host[0], device[0]))  # type: ignore[union-attr]
    ours.update()
    theirs.update()
    same(host, device, 1e-3)


def test_state_moves_between_host_and_device(emulated: Any) -> None:
    host, device = twins(np.float32)
    ours, theirs = Adam(0.1).setup(device), Adam(0.1).setup(host)
    for i in range(4):
        grads(host, device, i)
        theirs.update()
        for p in device:
            data, grad = p.data, p.grad.data  # type: ignore[union-attr]
            p._data, p._grad._data = (data.get(), grad.get()) if i % 2 else (data, grad)  # type: ignore[union-attr]
        ours.update()
        for p in device:
            if type(p.data) is not StrictArray:
                p._data = to_strict(p.data)
            p.cleargrad()
    same(host, device, 1e-5)
    assert copy.deepcopy(ours)._together.batches == []


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_hooks_on_the_device_give_what_they_give_on_the_host(dtype: str, scale: float) -> None:
    for hook in (ClipGrad(1.0), ClipValue(0.5), WeightDecay(0.1), WeightDecay(0.1, skip_vectors=True)):
        host, device = twins(dtype_of(dtype))
        grads(host, device, 0, scale)
        memory = [q.grad.data for q in device]  # type: ignore[union-attr]
        hook(host)
        hook(device)
        for p, q, m in zip(host, device, memory, strict=True):
            assert q.grad is not None and p.grad is not None and q.grad.data is m
            np.testing.assert_allclose(m.get().astype(float), p.grad.data.astype(float), rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * scale)


def test_the_norm_is_of_all_gradients_in_all_dtypes_and_does_not_overflow() -> None:
    rng = np.random.default_rng(0)
    arrays = [np.asarray(rng.normal(size=s)).astype(d) for s, d in zip(SHAPES, ["f4", "f2", "f8", "f4", "f4"], strict=True)]
    expected = np.sqrt(sum((a.astype(np.float64) ** 2).sum() for a in arrays))
    assert global_norm([to_strict(a) for a in arrays]) == pytest.approx(expected, rel=1e-12)
    large = float(np.linalg.norm(arrays[0].astype(np.float64))) * 1e25
    assert global_norm([to_strict(arrays[0] * np.float32(1e25))]) == pytest.approx(large, rel=1e-6)
    assert global_norm([]) == 0.0 and global_norm([to_strict(np.zeros((0, 2)))]) == 0.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_gradients_that_are_not_finite(bad: float) -> None:
    host, device = twins(np.float32)
    grads(host, device, 0)
    device[4].grad.data[90, 80] = bad  # type: ignore[union-attr]
    before = [q.grad.data.get() for q in device]  # type: ignore[union-attr]
    ClipGrad(0.1)(device)
    for q, b in zip(device, before, strict=True):
        np.testing.assert_array_equal(q.grad.data.get(), b)  # type: ignore[union-attr]
    optimizer = SGD(0.1).setup({str(i): p for i, p in enumerate(device)}, skip_nonfinite=True)
    with counting() as launches:
        optimizer.update()
    assert optimizer.skipped == 1 and dict(launches) == {"dezero_unscale_together": 1}
    optimizer.check_finite = True
    with pytest.raises(AnomalyError, match="the gradient of '4'"):
        optimizer.update()
    device[4].grad.data[90, 80] = 1.0  # type: ignore[union-attr]
    optimizer.update()
    assert optimizer.t == 1


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_unscaling_tells_what_is_finite_and_widens_half_precision(emulated: Any, dtype: str) -> None:
    rng = np.random.default_rng(0)
    arrays = [np.asarray(rng.normal(size=s)).astype(dtype_of(dtype)) for s in SHAPES]
    wide = np.float64 if dtype == "float64" else np.float32
    for bad in (None, np.inf, np.nan):
        if bad is not None:
            arrays[0][1, 2] = bad
        strided = StrictArray(np.repeat(arrays[4], 2, 1)[:, ::2])
        ours = [*map(to_strict, arrays[:4]), strided]
        with counting() as launches:
            found, finite = kernels_of(emulated).unscale_together(ours, 2.0 ** -10)
        assert sum(launches.values()) == 1 and bool(finite) == (bad is None)
        for a, b, f in zip(arrays, ours, found, strict=True):
            assert f.dtype == wide and (dtype in ("float16", "bfloat16") or f is b)
            np.testing.assert_array_equal(f.get(), a.astype(wide) * wide(2.0 ** -10))


@pytest.mark.parametrize("name", [*KERNELS, "add_scaled"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_a_step_on_one_array_equals_its_reference_in_one_launch(emulated: Any, name: str, dtype: str) -> None:
    rng = np.random.default_rng(0)
    for arguments in ARGUMENTS[name](lambda *shape: rng.uniform(-2, 2, shape).astype(dtype)):
        for without in ((), (3,), (4,), (3, 4)) if name == "rmsprop_step" else ((),):
            theirs = [None if i in without else copy.deepcopy(a) for i, a in enumerate(arguments)]
            ours = [StrictArray(a.copy(order="K")) if isinstance(a, np.ndarray) else a for a in theirs]
            with counting() as launches:
                getattr(kernels_of(emulated), name)(*ours)
            assert sum(launches.values()) == 1
            if dtype == "float16":  # computed in float32 and rounded once
                theirs = [a.astype(np.float32) if isinstance(a, np.ndarray) else a for a in theirs]
            REFERENCE[name](np, *theirs)
            for a, b in zip(ours, theirs, strict=True):
                if isinstance(b, np.ndarray):
                    tolerance = {"float64": 1e-11, "float32": 2e-5, "float16": 2e-3}[dtype]
                    np.testing.assert_allclose(a.get(), b, rtol=tolerance, atol=tolerance * (1 + np.abs(b).max(initial=0)))


def test_adam_without_a_division_and_a_nan_pass_through(emulated: Any) -> None:
    arrays = [np.array([1.0, 2.0]), np.array([0.5, np.nan]), np.zeros(2), np.zeros(2)]
    ours = [to_strict(a) for a in arrays]
    kernels_of(emulated).adam_step(*ours, 0.9, 0.99, 1.0, 0.1, 0.0, None)
    REFERENCE["adam_step"](np, *arrays, 0.9, 0.99, 1.0, 0.1, 0.0, None)
    np.testing.assert_allclose(ours[0].get(), arrays[0])
    ours, arrays = [to_strict(a) for a in arrays[:3]], arrays[:3]
    kernels_of(emulated).lion_step(*ours, 0.1, 0.9, 0.99, 1.0)
    REFERENCE["lion_step"](np, *arrays, 0.1, 0.9, 0.99, 1.0)
    np.testing.assert_allclose(ours[0].get(), arrays[0])


def test_parameters_on_two_devices_are_stepped_on_where_they_are(devices: Any) -> None:
    from dezero.backend.device import put
    host, _ = twins(np.float32)
    where = ["cuda:0", "cuda:1", "cuda:1", "cuda:0", "cuda:0"]
    device = [Parameter(put(p.data, w)) for p, w in zip(host, where, strict=True)]
    ours, theirs = Adam(0.1).setup(device), Adam(0.1).setup(host)
    for optimizer in (ours, theirs):
        for hook in (ClipGrad(0.5), WeightDecay(0.1), ClipValue(1.0)):
            optimizer.add_hook(hook)
        optimizer.skip_nonfinite = True
    for i in range(3):
        rng = np.random.default_rng(i)
        for p, q, w in zip(host, device, where, strict=True):
            p.grad = np.asarray(rng.normal(size=p.shape), np.float32)
            q.grad = put(p.grad.data, w)  # type: ignore[union-attr]
        with counting() as launches:
            ours.update()
        theirs.update()
        assert launches["dezero_adam_step_together"] == 2
    for p, q in zip(host, device, strict=True):
        np.testing.assert_allclose(q.data.get(), p.data, rtol=1e-5, atol=1e-6)
    assert [len(group) for _, group in by_place(p.data for p in device)] == [3, 2]


def test_the_loss_scaler_unscales_and_checks_in_one_launch() -> None:
    host, device = twins(np.float16)
    scalers = LossScaler(2.0 ** 4), LossScaler(2.0 ** 4)
    ours, theirs = Adam(0.1).setup(device), Adam(0.1).setup(host)
    for i in range(4):
        for p in device:
            p.cleargrad()
        grads(host, device, i)
        if i == 2:
            host[0].grad.data[0, 0] = device[0].grad.data[0, 0] = np.inf  # type: ignore[union-attr]
        with counting() as launches:
            assert scalers[0].step(ours) is (i != 2)
        assert launches["dezero_unscale_together"] == 1 and sum(launches.values()) == (1 if i == 2 else 2)
        scalers[1].step(theirs)
    same(host, device, 2e-3)
    assert scalers[0].state_dict() == scalers[1].state_dict() and ours.skipped == 1
