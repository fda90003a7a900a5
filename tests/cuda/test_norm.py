"""Norms on the emulated device: values, gradients and running statistics as on the CPU, in few launches, for all dtypes and layouts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, no_grad, test_mode
from dezero.backend import kernels_of
from dezero.backend.cuda import norm
from dezero.backend.cuda.launch import counting
from dezero.backend.kernels import REFERENCE
from tests.strict import StrictArray, to_strict

pytestmark = pytest.mark.usefixtures("emulated")

rng = np.random.default_rng(0)
TOLERANCE = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 2e-5, "float64": 1e-11}
DTYPES = pytest.mark.parametrize("name", TOLERANCE)


def dtype_of(name: str) -> Any:
    return np.dtype(pytest.importorskip("ml_dtypes").bfloat16 if name == "bfloat16" else name)


def draw(*shape: int, dtype: Any = np.float64) -> Any:
    return rng.normal(size=shape).astype(dtype)


def close(found: Any, expected: Any, tolerance: float) -> None:
    found = found.get() if isinstance(found, StrictArray) else found
    expected = np.asarray(expected, np.float64)
    np.testing.assert_allclose(found.astype(np.float64), expected, rtol=tolerance, atol=tolerance * (1 + np.abs(expected).max(initial=0)))


def both(call: Any, arrays: Any, w: Any) -> Any:
    """Value and gradients, with ``w`` flowing in."""
    xs = [None if a is None else Variable(a) for a in arrays]
    y = call(*xs)
    y.grad = Variable(w)
    y.backward()
    return [y.data, *(x.grad.data for x in xs if x is not None)]


def check(call: Any, arrays: Any, name: str, on_device: Any = to_strict) -> Any:
    """The device's results against the CPU's in float64; gives the launches."""
    dtype = dtype_of(name)
    arrays = [None if a is None else a.astype(dtype) for a in arrays]
    w = draw(*arrays[0].shape, dtype=dtype)
    expected = both(call, [None if a is None else a.astype(np.float64) for a in arrays], w.astype(np.float64))
    with counting() as launches:
        found = both(call, [None if a is None else on_device(a) for a in arrays], to_strict(w))
    for f, e in zip(found, expected, strict=True):
        assert isinstance(f, StrictArray) and f.dtype == dtype
        close(f, e, TOLERANCE[name])
    return launches


def shifted(a: Any) -> Any:
    """The array on the device, where no access of several elements at once is aligned."""
    return to_strict(np.concatenate([a.ravel()[:1], a.ravel()]))[1:].reshape(a.shape)


def turned(a: Any) -> Any:
    """The array on the device, not contiguous."""
    return to_strict(np.ascontiguousarray(a.T)).T


ROWS = [(1, 2), (5, 3), (3, 64), (9, 100), (4, 257), (3, 1030), (2, 3, 4, 8), (2, 4100)]


@DTYPES
@pytest.mark.parametrize("shape", ROWS, ids=str)
def test_layer_norm(shape: Any, name: str) -> None:
    launches = check(F.layer_norm, (3 * draw(*shape) + 2, draw(shape[-1]), draw(shape[-1])), name)
    assert launches["dezero_norm_rows"] == launches["dezero_norm_rows_grad"] == 1
    room = 16384 // (8 if name == "float64" else 4)
    assert launches["dezero_norm_finish"] == (shape[-1] <= room) and launches["dezero_norm_channels_grad"] == (shape[-1] > room)
    assert sum(launches.values()) == 3


@DTYPES
@pytest.mark.parametrize("place", [shifted, turned], ids=["unaligned", "turned"])
def test_layer_norm_of_any_memory(name: str, place: Any) -> None:
    check(F.layer_norm, (draw(7, 64), draw(64), draw(64)), name, place)
    check(train, (draw(4, 3, 16), draw(3), draw(3)), name, place)


def train(x: Any, gamma: Any = None, beta: Any = None) -> Any:
    return F.batch_norm(x, gamma, beta, None, None)


def test_one_block_takes_several_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(norm, "MOST_BLOCKS", 2)
    check(F.layer_norm, (draw(37, 12), draw(12), draw(12)), "float32")
    check(F.layer_norm, (draw(11, 600), draw(600), draw(600)), "float32")


@pytest.mark.parametrize("call, arrays", [
    (F.layer_norm, (draw(4, 6), None, draw(6))), (F.layer_norm, (draw(4, 6), draw(6))), (F.layer_norm, (draw(3, 2, 4), draw(2, 4), draw(2, 4))),
    (lambda x: F.layer_norm(x, axis=0), (draw(5, 3),)), (lambda x, g: F.layer_norm(x, g, axis=(-1, 0)), (draw(3, 2, 4), draw(3, 4))),
    (lambda x, g: F.layer_norm(x, g, axis=1), (draw(3, 4, 2), draw(4))), (F.layer_norm, (draw(2, 3), draw(2, 3), draw(2, 3))),
    (F.layer_norm, (draw(1, 1), draw(1), draw(1))),
], ids=["shift", "scale", "two axes", "axis 0", "outer axes", "middle axis", "all axes", "one element"])
@DTYPES
def test_layer_norm_over_other_axes(call: Any, arrays: Any, name: str) -> None:
    check(call, arrays, name)


@DTYPES
@pytest.mark.parametrize("shape", [(5, 3), (2, 3, 64), (2, 4100)], ids=str)
def test_rms_norm(shape: Any, name: str) -> None:
    launches = check(F.rms_norm, (draw(*shape), draw(shape[-1])), name)
    assert sum(launches.values()) == 3


@DTYPES
@pytest.mark.parametrize("shape, groups", [((3, 4), 2), ((2, 4, 3), 2), ((2, 6, 5, 8), 3), ((2, 6, 8, 8), 1), ((1, 4, 40, 60), 2)], ids=str)
def test_group_and_instance_norm(shape: Any, groups: int, name: str) -> None:
    launches = check(lambda x, g, b: F.group_norm(x, g, b, groups), (draw(*shape), draw(shape[1]), draw(shape[1])), name)
    assert sum(launches.values()) <= 3
    if len(shape) > 2:
        check(F.instance_norm, (draw(*shape), draw(shape[1]), draw(shape[1])), name)


CHANNELS = [(6, 3), (64, 40), (1, 5), (2, 3, 2, 2), (3, 5, 7, 7), (2, 3, 4, 4), (2, 1, 3, 4), (2, 2, 70, 60), (1200, 3), (1100, 2, 3)]


@DTYPES
@pytest.mark.parametrize("shape", CHANNELS, ids=str)
def test_batch_norm(shape: Any, name: str) -> None:
    C, many = shape[1], np.prod(shape) // shape[1] > 1025
    running = [0.5 * abs(draw(C)), 0.5 + abs(draw(C))]
    here, there = [r.copy() for r in running], [to_strict(r.astype("float64" if name == "float64" else "float32")) for r in running]
    calls = iter((here, there))
    launches = check(lambda x, g, b: F.batch_norm(x, g, b, *next(calls), decay=0.7), (3 * draw(*shape) + 2, draw(C), draw(C)), name)
    for h, t in zip(here, there, strict=True):
        close(t, h, TOLERANCE[name])
    assert launches == {"dezero_norm_channels": 1 + many, "dezero_norm_channels_grad": 1 + many}


def test_batch_norm_moves_what_is_tracked_only_and_only_where_a_graph_is_recorded() -> None:
    x, mean = to_strict(draw(4, 3)), to_strict(np.zeros(3))
    with no_grad():
        F.batch_norm(x, None, None, mean, to_strict(np.ones(3)))
    assert not mean.get().any()
    F.batch_norm(Variable(x), None, None, mean, None)
    close(mean, 0.1 * x.get().mean(0), 1e-12)


def test_running_statistics_of_half_precision_and_views_move_too() -> None:
    x = draw(6, 4)
    mean, var = to_strict(np.zeros(4, np.float16)), to_strict(np.ones((4, 2), np.float16))[:, 0]
    F.batch_norm(to_strict(x), None, None, mean, mean * 0)
    close(mean, 0.1 * x.mean(0), 2e-3)
    F.batch_norm(to_strict(x), None, None, to_strict(np.zeros(4)), var)
    close(var, 0.9 + 0.1 * x.var(0, ddof=1), 2e-3)


@DTYPES
@pytest.mark.parametrize("shape", [(6, 3), (2, 3, 8, 8), (2, 2, 70, 61)], ids=str)
def test_batch_norm_in_use_is_one_launch(shape: Any, name: str) -> None:
    dtype, C = dtype_of(name), shape[1]
    values = [draw(*shape), draw(C), draw(C), draw(C), 0.5 + abs(draw(C))]
    values = [v.astype(dtype) for v in values[:3]] + [v.astype(np.float32) for v in values[3:]]
    with test_mode(), no_grad():
        expected = F.batch_norm(*[v.astype(np.float64) for v in values]).data
        with counting() as launches:
            found = F.batch_norm(*map(to_strict, values)).data
    assert found.dtype == dtype and launches == {"dezero_norm_channels": 1}
    close(found, expected, TOLERANCE[name])


def test_mixed_precision_keeps_each_dtype_without_copies() -> None:
    x, gamma, beta = Variable(to_strict(draw(4, 8, dtype=np.float16))), *(Variable(to_strict(draw(8, dtype=np.float32))) for _ in range(2))
    y = F.layer_norm(x, gamma, beta)
    y.grad = Variable(to_strict(draw(4, 8, dtype=np.float32)))
    y.backward()
    grads = [v.grad for v in (x, gamma, beta)]
    assert [v.dtype for v in (y, *grads) if v is not None] == [np.float32, np.float16, np.float32, np.float32]


def test_eps_may_be_an_integer() -> None:
    x = to_strict(draw(3, 4))
    kernels = kernels_of(norm.cupy())
    for axes in ((1,), (0,)):
        close(kernels.normalize(x, None, None, axes, 3, True)[0], REFERENCE["normalize"](np, x.get(), None, None, axes, 3, True)[0], 1e-12)


def test_double_parameters_make_a_double_result() -> None:
    x, gamma = draw(4, 8, dtype=np.float32), draw(8)
    found = both(F.layer_norm, [to_strict(x), to_strict(gamma)], to_strict(np.ones((4, 8))))
    for f, e in zip(found, both(F.layer_norm, [x, gamma], np.ones((4, 8))), strict=True):
        assert f.dtype == e.dtype
        close(f, e, 1e-6)


@pytest.mark.parametrize("shape", [(3, 50), (2, 3, 50), (1, 2, 9000)], ids=str)
def test_values_far_from_0_keep_their_variance(shape: Any) -> None:
    x = (draw(*shape) + 1e4).astype(np.float32)
    for call in (F.layer_norm, train):
        expected = call(x.astype(np.float64)).data
        assert np.abs(call(to_strict(x)).data.get() - expected).max() < 2e-3


def test_an_outlier_in_front_does_not_drown_the_rest() -> None:
    x = draw(2, 2, 9000).astype(np.float32)
    x[0, :, 0] = 1e4
    expected = train(x.astype(np.float64)).data
    assert np.abs(train(to_strict(x)).data.get() - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("call", [F.layer_norm, train, lambda x: F.group_norm(x, None, None, 2)], ids=["rows", "channels", "groups"])
def test_nan_shows_where_the_cpu_has_it_and_nowhere_else(call: Any) -> None:
    x = draw(3, 4)
    x[1, 2] = np.nan
    np.testing.assert_array_equal(np.isnan(call(to_strict(x)).data.get()), np.isnan(call(x).data))


@pytest.mark.parametrize("call", [F.layer_norm, train, F.rms_norm, lambda x: F.group_norm(x, None, None, 2)],
                         ids=["rows", "channels", "rms", "groups"])
def test_empty_arrays_launch_nothing(call: Any) -> None:
    with counting() as launches:
        assert call(to_strict(np.zeros((0, 4)))).shape == (0, 4)
    assert not launches


def test_only_gradients_that_are_needed_are_made() -> None:
    gamma = Variable(to_strict(draw(8)))
    y = F.layer_norm(to_strict(draw(5, 8)), gamma)
    with counting() as launches:
        y.backward()
    assert launches == {"dezero_norm_rows_grad": 1, "dezero_norm_finish": 1}
    x = Variable(to_strict(draw(5, 8)))
    y = F.layer_norm(x)
    with counting() as launches:
        y.backward()
    assert launches == {"dezero_norm_rows_grad": 1}


def test_nothing_goes_to_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = [Variable(to_strict(draw(*shape))) for shape in ((4, 6, 5, 5), (6,), (6,))]
    running = [to_strict(draw(6)), to_strict(np.ones(6))]

    def refuse(self: Any, *args: Any) -> Any: raise AssertionError("an array goes to the host")
    for name in ("get", "item", "tolist", "__float__", "__bool__", "__int__"):
        monkeypatch.setattr(StrictArray, name, refuse)
    for y in (F.batch_norm(*arrays, *running), F.group_norm(*arrays, 2), F.layer_norm(arrays[0])):
        y.grad = Variable(y.data)
        y.backward()
    with test_mode():
        F.batch_norm(*arrays, *running)


@DTYPES
@pytest.mark.parametrize("shape, axes", [((4, 5), (1,)), ((4, 5), (0,)), ((2, 3, 4), (0, 2)), ((2, 3, 4), (1,)), ((2, 3, 9), (0, 2)),
                                         ((3, 4), (0, 1)), ((3, 1, 4), (1,)), ((2, 2, 4200), (0, 2)), ((2, 3, 2, 3), (0, 2))], ids=str)
def test_sums(shape: Any, axes: Any, name: str) -> None:
    dtype = dtype_of(name)
    a, b = draw(*shape, dtype=dtype), draw(*shape, dtype=dtype)
    kernels = kernels_of(norm.cupy())
    for found, expected in ((kernels.sum_over(to_strict(a), axes), a.astype(float)),
                            (kernels.dot_over(to_strict(a), to_strict(b), axes), a.astype(float) * b)):
        assert found.dtype == dtype
        close(found, expected.astype(float).sum(axes, keepdims=True), 5 * TOLERANCE[name])


@pytest.mark.parametrize("per", [None, (1, 3, 1), (1, 1, 4), (2, 1, 1), (1, 1, 1), (1, 3, 4), (2, 3, 4), (4,)], ids=str)
@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (0, 2), (1, 2), (0, 1, 2)], ids=str)
def test_the_kernel_takes_parameters_of_any_shape(axes: Any, per: Any) -> None:
    x, gamma = draw(2, 3, 4), None if per is None else draw(*per)
    found = kernels_of(norm.cupy()).normalize(to_strict(x), None if gamma is None else to_strict(gamma), None, axes, 0.1, True)
    for f, e in zip(found, REFERENCE["normalize"](np, x.copy(), gamma, None, axes, 0.1, True), strict=True):
        assert f.shape == e.shape
        close(f, e, 1e-12)
    if per is not None and len(per) == 3:
        w, (_, mean, _, rstd) = draw(2, 3, 4), found
        theirs = REFERENCE["normalize_grads"](np, w, x, gamma, mean.get(), rstd.get(), axes, per, (True, True, True))
        ours = kernels_of(norm.cupy()).normalize_grads(to_strict(w), to_strict(x), to_strict(gamma), mean, rstd, axes, per, (True, True, True))
        for f, e in zip(ours, theirs, strict=True):
            assert f.shape == e.shape
            close(f, e, 1e-12)
