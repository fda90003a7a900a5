"""Every row of the table of ops on the GPU: the same values and gradients as on the CPU, and nothing comes back to the host."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, cuda
from dezero.backend import as_cupy, as_numpy
from dezero.backend.random import Philox
from tests import opcheck as oc
from tests.cases import CASES
from tests.cases.case import Case

pytestmark = pytest.mark.gpu

# Half precision: the CPU rounds after each step of an op, a kernel once at its end.
TOLERANCE: dict[Any, float] = {np.float64: 1e-9, np.float32: 1e-4, np.float16: 2e-2}
ROWS = [pytest.param(c, id=c.id, marks=[pytest.mark.seeds] if c.random else []) for c in CASES if c.strict]


@pytest.fixture(scope="module")
def cupy() -> ModuleType:
    return pytest.importorskip("cupy")


def to_device(values: list[Any]) -> list[Any]:
    return [as_cupy(v) if isinstance(v, np.ndarray) else v for v in values]


def compare(found: Any, expected: Any, tolerance: float) -> None:
    expected = np.asarray(expected)
    assert found.dtype == expected.dtype
    largest = np.abs(expected[np.isfinite(expected)]).max(initial=0)
    np.testing.assert_allclose(as_numpy(found), expected, rtol=tolerance, atol=tolerance * (1 + largest))


def check(case: Case, values: list[Any], on_device: list[Any], tolerance: float, cupy: ModuleType, create_graph: bool = False) -> None:
    """The row with these arrays, which are the same on host and device, gives the same; a random row draws the same numbers."""
    expected = oc.run(case, oc.variables(case, values))
    xs = oc.variables(case, on_device)
    ys = oc.run(case, xs)
    for y, e in zip(ys, expected, strict=True):
        assert isinstance(oc.array(y), cupy.ndarray), f"the result is a {type(oc.array(y)).__name__}"
        compare(oc.array(y), oc.array(e), tolerance)
    if not case.first:
        return
    ws = [w.astype(oc.array(e).dtype) for w, e in zip(oc.cotangents(case, values), expected, strict=True)]
    oc.send(ys, [Variable(as_cupy(w), requires_grad=False) for w in ws], create_graph)
    for i, e in zip(oc.floats(case), oc.gradients(case, values, ws), strict=True):
        g = xs[i].grad
        assert g is None or isinstance(g.data, cupy.ndarray), f"the gradient is a {type(g.data).__name__}"
        compare(np.zeros_like(e) if g is None else g.data, e, tolerance)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("case", ROWS)
def test_gpu_equals_cpu(case: Case, dtype: Any, cupy: ModuleType) -> None:
    if dtype is np.float16 and not case.half:
        pytest.skip("not made for half precision")
    values = oc.cast(oc.draw(case), dtype)
    for create_graph in (False, True):
        check(case, values, to_device(values), TOLERANCE[dtype], cupy, create_graph)


def strided(x: Any) -> list[Any]:
    """The same array on the device in other orders: transposed, with gaps, backwards."""
    if not isinstance(x, np.ndarray) or not x.ndim:
        return to_device([x]) * 3
    wide = np.zeros([2 * n for n in x.shape], x.dtype)
    gaps, back = (tuple(slice(None, None, step) for _ in x.shape) for step in (2, -1))
    wide[gaps] = x
    return [as_cupy(np.ascontiguousarray(x.T)).T, as_cupy(wide)[gaps], as_cupy(np.ascontiguousarray(x[back]))[back]]


@pytest.mark.parametrize("case", ROWS)
def test_strides_do_not_matter_on_the_gpu(case: Case, cupy: ModuleType) -> None:
    values = oc.cast(oc.draw(case), np.float32)
    for variant in zip(*map(strided, values), strict=True):
        check(case, values, list(variant), TOLERANCE[np.float32], cupy)


@pytest.mark.parametrize("case", [pytest.param(c, id=c.id) for c in CASES if c.strict and c.zero_size is not None and not c.random])
def test_empty_arrays_launch_nothing_that_fails(case: Case, cupy: ModuleType) -> None:
    values = [np.zeros(shape, np.asarray(v).dtype) for shape, v in zip(case.zero_size or (), oc.draw(case), strict=True)]
    check(case, values, to_device(values), 1e-9, cupy)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (7,), (1000, 33)], ids=str)
def test_random_numbers_have_the_same_bits(shape: tuple[int, ...], dtype: str, cupy: ModuleType) -> None:
    host, device = Philox(7), Philox(7)
    for draw in ("uniform", "keep_mask", "normal"):
        given = (shape, 0.3) if draw == "keep_mask" else (shape,)
        a, b = getattr(host, draw)(*given, dtype), getattr(device, draw)(*given, dtype, xp=cupy)
        assert isinstance(b, cupy.ndarray) and host.state == device.state
        if draw == "normal":  # logarithm and sine are each side's own
            compare(b, a, 1e-2 if dtype == "float16" else 1e-5)
        else:
            np.testing.assert_array_equal(as_numpy(b), a)
    assert np.array_equal(host.bits(5), as_numpy(device.bits(5, xp=cupy)))


@pytest.mark.seeds
def test_a_wait_for_the_device_is_counted(cupy: ModuleType) -> None:
    x = Variable(as_cupy(np.ones(3)))
    with cuda.counting_fetches() as found:
        float(x.sum())
    assert sum(found.values()) == 1


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_sums_by_place_have_the_same_bits_each_time_where_that_is_asked_for(dtype: str, cupy: ModuleType) -> None:
    rng = np.random.default_rng(0)
    table, ids, w = (rng.normal(size=(50, 33)).astype(dtype), rng.integers(0, 50, 20_000), rng.normal(size=(20_000, 33)).astype(dtype))
    found = []
    for _ in range(3):
        with cuda.deterministic():
            W = Variable(as_cupy(table))
            F.sum(F.embedding(as_cupy(ids), W) * as_cupy(w)).backward()
        assert W.grad is not None
        found.append(as_numpy(W.grad.data))
    expected = np.zeros((50, 33))
    np.add.at(expected, ids, w.astype(np.float64))
    assert np.array_equal(found[0], found[1]) and np.array_equal(found[0], found[2])
    compare(as_cupy(found[0]), expected.astype(dtype), {"float16": 1e-2, "float32": 1e-5, "float64": 1e-12}[dtype])
