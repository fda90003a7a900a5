"""Pooling on the emulated device: one launch each, ties and padding as in the reference, sums that do not depend on chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable
from dezero.backend import kernels_of
from dezero.backend.cuda import pooling
from dezero.backend.cuda.launch import counting
from dezero.backend.kernels import REFERENCE
from tests.strict import StrictArray, to_strict

pytestmark = pytest.mark.usefixtures("emulated")

rng = np.random.default_rng(0)
TOLERANCE = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 2e-6, "float64": 1e-14}
DTYPES = pytest.mark.parametrize("name", TOLERANCE)
# (x, kernel, stride, pad)
WINDOWS = [((2, 3, 6, 5), (2, 2), (2, 2), (0, 0)), ((1, 2, 7, 6), (3, 2), (2, 1), (1, 1)), ((2, 2, 7, 7), (2, 2), (3, 3), (1, 0)),
           ((2, 2, 4, 4), (4, 4), (4, 4), (0, 0)), ((2, 3, 20, 21), (3, 3), (2, 2), (1, 1)), ((3, 2, 11, 9), (3, 3), (1, 1), (2, 2)),
           ((1, 2, 3, 3), (2, 2), (1, 1), (4, 4)), ((3, 1, 9, 10), (9, 10), (1, 1), (0, 0)), ((1, 1, 30, 30), (9, 8), (2, 3), (4, 4)),
           ((1, 1, 1, 1), (1, 1), (1, 1), (0, 0)), ((0, 2, 4, 4), (2, 2), (2, 2), (0, 0))]
EACH_WINDOW = pytest.mark.parametrize("shape, kernel, stride, pad", WINDOWS)


def dtype_of(name: str) -> Any:
    return np.dtype(pytest.importorskip("ml_dtypes").bfloat16 if name == "bfloat16" else name)


def kernels() -> Any:
    return kernels_of(pooling.cupy())


def close(found: Any, expected: Any, name: str) -> None:
    assert isinstance(found, StrictArray)
    np.testing.assert_allclose(found.get().astype(np.float64), expected, rtol=TOLERANCE[name], atol=TOLERANCE[name] * 20)


@DTYPES
@EACH_WINDOW
def test_maxima_and_their_gradients_with_ties(shape: Any, kernel: Any, stride: Any, pad: Any, name: str) -> None:
    x = np.round(rng.normal(size=shape)).astype(dtype_of(name))
    with counting() as launches:
        y = kernels().max_pool2d(to_strict(x), kernel, stride, pad)
        expected = REFERENCE["max_pool2d"](np, x.astype(float), kernel, stride, pad)
        assert y.dtype == x.dtype
        close(y, expected, name)
        gy, v = rng.normal(size=y.shape).astype(x.dtype), rng.normal(size=shape).astype(x.dtype)
        gx = kernels().max_pool2d_grad(to_strict(gy), to_strict(x), y, kernel, stride, pad)
        close(gx, REFERENCE["max_pool2d_grad"](np, gy.astype(float), x.astype(float), expected, kernel, stride, pad), name)
        picked = kernels().max_pool2d_pick(to_strict(v), to_strict(x), y, kernel, stride, pad)
        close(picked, REFERENCE["max_pool2d_pick"](np, v.astype(float), x.astype(float), expected, kernel, stride, pad), name)
    assert gx.dtype == picked.dtype == x.dtype
    assert set(launches.values()) <= {1} and len(launches) == (3 if x.size else 0)


@DTYPES
@EACH_WINDOW
def test_means_and_their_gradients(shape: Any, kernel: Any, stride: Any, pad: Any, name: str) -> None:
    x = rng.normal(size=shape).astype(dtype_of(name))
    with counting() as launches:
        y = kernels().avg_pool2d(to_strict(x), kernel, stride, pad)
        gy = rng.normal(size=y.shape).astype(x.dtype)
        gx = kernels().avg_pool2d_grad(to_strict(gy), shape[2:], kernel, stride, pad)
    close(y, REFERENCE["avg_pool2d"](np, x.astype(float), kernel, stride, pad), name)
    close(gx, REFERENCE["avg_pool2d_grad"](np, gy.astype(float), shape[2:], kernel, stride, pad), name)
    assert y.dtype == gx.dtype == x.dtype and launches == ({"dezero_avg_pool": 1, "dezero_avg_pool_grad": 1} if x.size else {})


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64, bool])
def test_integers_give_what_the_reference_gives(dtype: Any) -> None:
    x = rng.integers(-2 if np.dtype(dtype).kind == "i" else 0, 2, (2, 2, 5, 6)).astype(dtype)
    for kernel, pad in ((3, 1), (2, 0)):
        call = (kernel, kernel), (2, 2), (pad, pad)
        y = REFERENCE["max_pool2d"](np, x, *call)
        np.testing.assert_array_equal(kernels().max_pool2d(to_strict(x), *call).get(), y)
        np.testing.assert_array_equal(kernels().max_pool2d_pick(to_strict(x), to_strict(x), to_strict(y), *call).get(),
                                      REFERENCE["max_pool2d_pick"](np, x, x, y, *call))
        mean = kernels().avg_pool2d(to_strict(x), *call)
        np.testing.assert_allclose(mean.get(), REFERENCE["avg_pool2d"](np, x, *call))


def test_large_integers_are_compared_exactly() -> None:
    x = 2**62 + np.arange(16).reshape(1, 1, 4, 4)
    np.testing.assert_array_equal(kernels().max_pool2d(to_strict(x), (2, 2), (2, 2), (0, 0)).get(), x[:, :, 1::2, 1::2])


@pytest.mark.parametrize("value", [np.nan, -np.inf, np.inf])
def test_nan_and_infinities_behave_as_in_the_reference(value: float) -> None:
    x = rng.normal(size=(1, 2, 6, 6))
    x[0, 0, 1:5, 2:] = value
    x[0, 1, 0, 0] = x[0, 1, 5, 5] = x[0, 1, :, 3] = value
    call = (3, 3), (2, 2), (1, 1)
    y = kernels().max_pool2d(to_strict(x), *call)
    np.testing.assert_array_equal(y.get(), REFERENCE["max_pool2d"](np, x, *call))
    gy = rng.normal(size=y.shape)
    np.testing.assert_allclose(kernels().max_pool2d_grad(to_strict(gy), to_strict(x), y, *call).get(),
                               REFERENCE["max_pool2d_grad"](np, gy, x, y.get(), *call))
    np.testing.assert_allclose(kernels().max_pool2d_pick(to_strict(x), to_strict(x), y, *call).get(),
                               REFERENCE["max_pool2d_pick"](np, x, x, y.get(), *call))


def test_images_that_are_all_minus_infinity_lose_to_padding() -> None:
    x = np.full((1, 1, 4, 4), -np.inf)
    for call in (((3, 3), (2, 2), (1, 1)), ((3, 3), (1, 1), (0, 0)), ((2, 3), (2, 2), (0, 1))):
        y = REFERENCE["max_pool2d"](np, x, *call)
        gy = rng.normal(size=y.shape)
        np.testing.assert_allclose(kernels().max_pool2d_grad(*map(to_strict, (gy, x, y)), *call).get(),
                                   REFERENCE["max_pool2d_grad"](np, gy, x, y, *call))


def test_views_and_indices_of_64_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    x = rng.normal(size=(3, 2, 8, 8)).transpose(0, 1, 3, 2)
    call = (3, 3), (2, 2), (1, 1)
    for wide in (False, True):
        if wide:
            monkeypatch.setattr(pooling, "narrow", lambda *numbers: 0)
        y = kernels().max_pool2d(to_strict(x).transpose(0, 1, 3, 2).copy().transpose(0, 1, 3, 2), *call)
        np.testing.assert_array_equal(y.get(), REFERENCE["max_pool2d"](np, x, *call))
        gx = kernels().max_pool2d_grad(y, to_strict(x), y, *call)
        np.testing.assert_allclose(gx.get(), REFERENCE["max_pool2d_grad"](np, y.get(), x, y.get(), *call))
        np.testing.assert_allclose(kernels().max_pool2d_pick(to_strict(x), to_strict(x), y, *call).get(), y.get())
        np.testing.assert_allclose(kernels().avg_pool2d(to_strict(x), *call).get(), REFERENCE["avg_pool2d"](np, x, *call))
        np.testing.assert_allclose(kernels().avg_pool2d_grad(y, (8, 8), *call).get(), REFERENCE["avg_pool2d_grad"](np, y.get(), (8, 8), *call))


def test_a_step_of_pooling_is_one_launch_each_way_and_no_copy_to_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Any, *args: Any) -> Any: raise AssertionError("an array goes to the host")
    for name in ("get", "item", "tolist", "__float__", "__bool__", "__int__"):
        monkeypatch.setattr(StrictArray, name, refuse)
    for call, kernel in ((lambda x: F.max_pool2d(x, 3, 2, 1), "max"), (lambda x: F.avg_pool2d(x, 2), "avg"), (F.global_average_pool2d, "avg")):
        x = Variable(to_strict(rng.normal(size=(2, 3, 8, 8)).astype(np.float32)))
        y = call(x)
        y.grad = Variable(y.data)
        with counting() as launches:
            call(x)
            y.backward()
        assert launches == {f"dezero_{kernel}_pool": 1, f"dezero_{kernel}_pool_grad": 1}
