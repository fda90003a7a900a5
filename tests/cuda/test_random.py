"""Random numbers of the device: the bits are those of the host, each draw is one launch, and so is dropout each way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Philox, Variable, grad
from dezero.backend import kernels_of
from dezero.backend.cuda.launch import counting
from dezero.backend.kernels import REFERENCE
from dezero.backend.random import keep_mask, normal, random_bits, uniform
from tests.strict import StrictArray, to_strict

pytestmark = pytest.mark.usefixtures("emulated")

DTYPES = ["float16", "float32", "float64", "bfloat16"]
SHAPES = [(), (1,), (0, 3), (31,), (4096,), (4097,), (3, 5, 700), (20_000,)]  # a block of threads serves 4096 elements of a mask


def of(dtype: str) -> Any:
    return np.dtype(pytest.importorskip("ml_dtypes").bfloat16) if dtype == "bfloat16" else np.dtype(dtype)


@pytest.mark.parametrize(("seed", "offset"), [(0, 0), (7, 3), ((1 << 64) - 1, (1 << 62) - 400), (-5, 1 << 33)])
@pytest.mark.parametrize("n", [0, 1, 31, 1025, 3000])
def test_the_words_are_those_of_the_host(emulated: Any, n: int, seed: int, offset: int) -> None:
    with counting() as launches:
        found = random_bits(emulated, n, np.uint16, seed, offset)
    assert isinstance(found, StrictArray)
    np.testing.assert_array_equal(found.get(), random_bits(np, n, np.uint16, seed, offset))
    assert launches == ({"dezero_random_words": 1} if n else {})


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_masks_and_uniform_numbers_are_those_of_the_host_to_the_bit(emulated: Any, shape: Any, dtype: str) -> None:
    for draw, name in ((lambda xp: keep_mask(xp, shape, 0.3, of(dtype), 9, 2), "dezero_dropout"),
                       (lambda xp: uniform(xp, shape, of(dtype), 9, 2), "dezero_random_uniform")):
        with counting() as launches:
            found = draw(emulated)
        expected = draw(np)
        assert found.dtype == expected.dtype == of(dtype)
        np.testing.assert_array_equal(found.get().astype(float), expected.astype(float))
        assert launches == ({name: 1} if found.size else {})


@pytest.mark.parametrize("ratio", [1e-6, 0.1, 0.5, 0.999, 0.9999, 1.0])
def test_any_ratio_gives_the_mask_of_the_host(emulated: Any, ratio: float) -> None:
    for dtype in DTYPES[:3]:
        np.testing.assert_array_equal(keep_mask(emulated, (999,), ratio, dtype, 3).get(), keep_mask(np, (999,), ratio, dtype, 3))


def test_normal_numbers_agree_to_rounding_errors(emulated: Any) -> None:
    for dtype, rtol in (("float16", 1e-3), ("float32", 1e-5), ("float64", 1e-12)):
        np.testing.assert_allclose(normal(emulated, (5, 77), dtype, 4).get(), normal(np, (5, 77), dtype, 4), rtol=rtol)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_dropout_is_one_launch_each_way_and_equals_the_host(shape: Any, dtype: str) -> None:
    rng = np.random.default_rng(0)
    x, w = (np.asarray(rng.normal(size=shape)).astype(of(dtype)) for _ in range(2))

    def run(move: Any) -> tuple[Any, Any]:
        v = Variable(move(x))
        y = F.dropout(v, 0.3, seed=12)
        y.grad = Variable(move(w), requires_grad=False)
        y.backward()
        assert v.grad is not None
        return y.data, v.grad.data

    with counting() as launches:
        found = run(to_strict)
    assert launches == ({"dezero_dropout": 2} if x.size else {})
    for f, e in zip(found, run(lambda a: a), strict=True):
        assert isinstance(f, StrictArray)
        assert f.dtype == e.dtype == of(dtype)
        np.testing.assert_array_equal(f.get().astype(float), np.asarray(e).astype(float))


def test_arrays_of_other_strides_are_served(emulated: Any) -> None:
    x = np.random.default_rng(0).normal(size=(40, 60)).astype(np.float32)
    for view in (lambda a: a.T, lambda a: a[::2, ::3], lambda a: a[:, ::-1]):
        found = kernels_of(emulated).dropout(view(to_strict(x)), 0.5, 1, 0)
        np.testing.assert_array_equal(found.get(), REFERENCE["dropout"](np, view(x), 0.5, 1, 0))


def test_infinities_that_are_dropped_give_nan_as_on_the_host() -> None:
    x = np.full(200, np.inf, np.float32)
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(F.dropout(to_strict(x), 0.5, seed=1).data.get(), F.dropout(x, 0.5, seed=1).data)


def test_higher_derivatives_go_through_the_same_mask() -> None:
    x = Variable(to_strict(np.linspace(1, 2, 20)))
    y = F.dropout(x, 0.5, seed=3)
    mask = y.data.get() / x.data.get()
    gx = grad(y ** 3, x, to_strict(np.ones(20)), create_graph=True)
    np.testing.assert_allclose(gx.data.get(), 3 * x.data.get() ** 2 * mask ** 3)
    np.testing.assert_allclose(grad(gx, x, to_strict(np.ones(20))).data.get(), 6 * x.data.get() * mask ** 3)


@pytest.mark.seeds
def test_numpys_seed_governs_host_and_device_alike() -> None:
    found = []
    for move in (to_strict, lambda a: a):
        np.random.seed(4)
        net = L.Sequential(L.Dropout(0.4), F.relu, L.Dropout(0.2))
        found.append(net(move(np.ones((30, 7), np.float32))).data)
    np.testing.assert_array_equal(found[0].get(), found[1])


def test_a_generator_replays_on_the_device_what_the_host_has_drawn() -> None:
    x = np.ones((30, 7), np.float32)
    g = Philox(5)
    host = [F.dropout(x, 0.4, generator=g).data for _ in range(3)]
    after = g.state
    g.state = (5, 0)
    for h in host:
        np.testing.assert_array_equal(F.dropout(to_strict(x), 0.4, generator=g).data.get(), h)
    assert g.state == after


def test_integers_give_floats_as_on_the_host() -> None:
    y = F.dropout(to_strict(np.arange(40)), 0.5, seed=2)
    np.testing.assert_array_equal(y.data.get(), F.dropout(np.arange(40), 0.5, seed=2).data)
