"""Gathering and scattering on the emulated device: the host's results in few launches, nothing waited for, and the same bits where asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, cuda
from dezero.backend import kernels_of
from dezero.backend.cuda import precision, scatter
from dezero.backend.cuda.launch import counting
from dezero.backend.kernels import REFERENCE
from tests.strict import StrictArray, to_strict

pytestmark = pytest.mark.usefixtures("emulated")

TOLERANCE = {"float64": 1e-12, "float32": 1e-5, "float16": 2e-3, "bfloat16": 2e-2}
orders = pytest.mark.parametrize("fixed", [False, True], ids=["atomic", "fixed"])


def dtype_of(name: str) -> np.dtype:
    return np.dtype(getattr(pytest.importorskip("ml_dtypes"), name) if name == "bfloat16" else name)


@orders
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("rows", "d", "places"), [
    (4, 3, [3, 0, 3, 3, 1]), (4, 1, [3, 0, 3, 3, 1]), (1, 300, [0] * 40), (7, 2, "random"), (2, 5, "random"), (500, 40, "random"), (4, 2, []),
    (3, 2, [1]),
])
def test_sums_at_places_equal_the_references(emulated: Any, fixed: bool, dtype: str, rows: int, d: int, places: Any) -> None:
    rng = np.random.default_rng(0)
    places = np.asarray(rng.integers(0, rows, 400) if places == "random" else places, np.int64)
    values = rng.normal(size=(len(places), d)).astype(dtype_of(dtype))
    expected = np.zeros((rows, d))
    np.add.at(expected, places, values.astype(float))
    for as_places in (places, places.astype(np.int32), np.repeat(places, 2)[::2]):
        for as_values in (values, np.asfortranarray(values)):
            y = to_strict(np.zeros((rows, d), values.dtype))
            with cuda.deterministic(fixed), counting() as launches:
                kernels_of(emulated).scatter_add(y, StrictArray(as_places), StrictArray(as_values))
            assert y.dtype == values.dtype
            tolerance = TOLERANCE[dtype]
            np.testing.assert_allclose(y.get().astype(float), expected, rtol=tolerance, atol=tolerance * (1 + abs(expected).max(initial=0)))
            assert sum(launches.values()) == (0 if not len(places) else 1 if not fixed else 1 if len(places) <= scatter._PIECE else 2)
    assert precision.deterministic_sums is False


def test_the_fixed_order_is_that_of_the_values(emulated: Any) -> None:
    rng = np.random.default_rng(1)
    places = np.repeat([2, 0, 2, 1], [70, 1, 300, 129])  # runs over several pieces, ends at their edges
    for _ in range(3):
        rng.shuffle(places)
        values = (rng.normal(size=(500, 3)) * 10.0 ** rng.integers(-4, 4, (500, 1))).astype(np.float32)
        found = []
        for _ in range(2):
            y = to_strict(np.zeros((3, 3), np.float32))
            with cuda.deterministic():
                kernels_of(emulated).scatter_add(y, to_strict(places), to_strict(values))
            found.append(y.get())
        assert found[0].tobytes() == found[1].tobytes()
        expected = np.zeros((3, 3))
        np.add.at(expected, places, values.astype(float))
        np.testing.assert_allclose(found[0], expected, rtol=1e-4, atol=1e-2)


@orders
@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "bool", "complex128"])
def test_other_dtypes_are_summed_too(emulated: Any, fixed: bool, dtype: str) -> None:
    places = np.array([1, 0, 1, 1])
    values = np.array([[200], [1], [100], [0]]).astype(dtype)
    y, expected = to_strict(np.zeros((3, 1), dtype)), np.zeros((3, 1), dtype)
    with cuda.deterministic(fixed):
        kernels_of(emulated).scatter_add(y, to_strict(places), to_strict(values))
    np.add.at(expected, places, values)
    np.testing.assert_array_equal(y.get(), expected)


@orders
def test_a_place_out_of_range_is_left_out(emulated: Any, fixed: bool) -> None:
    y = to_strict(np.zeros((2, 1)))
    with cuda.deterministic(fixed):
        kernels_of(emulated).scatter_add(y, to_strict(np.array([5, 0, -1, 2, 1])), to_strict(np.arange(1.0, 6).reshape(5, 1)))
    assert y.get().tolist() == [[2], [5]]


@pytest.mark.parametrize("dtype", [*TOLERANCE, "int32", "bool", "complex64"])
def test_the_last_write_stays(emulated: Any, dtype: str) -> None:
    rng = np.random.default_rng(0)
    rows, many = np.array([2, 0, 2, -1]), rng.integers(-50, 50, 600)

    def draw(*shape: int) -> Any:
        return np.asarray(rng.normal(size=shape) * 3).astype(dtype_of(dtype))
    for y, index, value in [(draw(5, 3), rows, draw(4, 3)), (draw(5, 3), (slice(1, 3), 0), draw(2)), (draw(5, 3), (rows, rows % 3), draw(4)),
                            (draw(5, 3), rows, draw()), (draw(50, 7), many, draw(600, 7)), (draw(5, 3), rows[:0], draw(0, 3)),
                            (draw(4, 5, 3), (slice(None), rows), draw(4, 4, 3)), (draw(5, 3), (Ellipsis, rows % 3), draw(5, 4)),
                            (draw(6, 2).T, many % 2, draw(600, 6))]:
        y = np.ascontiguousarray(y)
        ours, expected = to_strict(y), y.copy()
        on_device = tuple(map(to_strict, index)) if isinstance(index, tuple) else to_strict(index)
        kernels_of(emulated).write_at(ours, on_device, to_strict(value))
        expected[index] = value
        assert ours.dtype == expected.dtype
        np.testing.assert_array_equal(ours.get(), expected)


def test_places_are_joined_in_one_launch_for_each_index_array(emulated: Any) -> None:
    rng = np.random.default_rng(0)
    shape = (5, 7, 3)
    items = [rng.integers(-5, 5, (4, 1)).astype(np.int32), rng.integers(0, 7, (4, 6)).astype(np.uint8), rng.integers(-3, 3, 6)]
    for k in (1, 2, 3):
        with counting() as launches:
            found = kernels_of(emulated).joined_places([to_strict(i) for i in items[:k]], shape)
        assert sum(launches.values()) == k and found.dtype == np.int64
        np.testing.assert_array_equal(found.get(), REFERENCE["joined_places"](np, items[:k], shape))


@orders
@pytest.mark.usefixtures("no_host")
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_embedding_and_its_gradient_do_not_wait_for_the_device(fixed: bool, dtype: str) -> None:
    rng = np.random.default_rng(0)
    W, ids, gy = rng.normal(size=(11, 5)), rng.integers(0, 11, (6, 50)), rng.normal(size=(6, 50, 5))
    table = Variable(to_strict(W.astype(dtype_of(dtype))))
    with counting() as launches, cuda.deterministic(fixed):
        y = F.embedding(to_strict(ids), table)
        y.grad = to_strict(gy.astype(y.dtype))
        y.backward()
    assert launches == {"dezero_gather_rows": 1, "dezero_first_place": 1,
                        **({"dezero_sorted_sum": 1, "dezero_carry_sum": 1} if fixed else {"dezero_scatter_add": 1})}
    expected = np.zeros_like(W)
    np.add.at(expected, ids, gy)
    assert table.grad is not None and table.grad.dtype == y.dtype
    np.testing.assert_allclose(y.data._a.astype(float), W[ids], rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    np.testing.assert_allclose(table.grad.data._a.astype(float), expected, rtol=TOLERANCE[dtype], atol=20 * TOLERANCE[dtype])


@pytest.mark.usefixtures("no_host")
def test_indexing_does_not_wait_for_the_device() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 5))
    i, j = rng.integers(-6, 6, 9), rng.integers(0, 5, 9)
    for index in ((i,), (i, j), (slice(None), j), (i[:, None], j)):
        for make in (lambda v, at: F.get_item(v, at), lambda v, at: F.index_add(v, at, 2.0), lambda v, at: F.index_set(v, at, 2.0)):
            theirs, ours = Variable(x), Variable(to_strict(x))
            expected, found = make(theirs, index), make(ours, tuple(a if isinstance(a, slice) else to_strict(a) for a in index))
            for y in (F.sum(expected * expected), F.sum(found * found)):
                y.backward()
            np.testing.assert_allclose(found.data._a, expected.data)
            assert ours.grad is not None and theirs.grad is not None
            np.testing.assert_allclose(ours.grad.data._a, theirs.grad.data)


def test_an_id_out_of_range_shows_as_nan_and_reads_nothing() -> None:
    W = to_strict(np.arange(6.0, dtype=np.float32).reshape(3, 2))
    y = F.embedding(to_strict(np.array([2, 3, -1, 10 ** 9])), W)
    assert y.data.get().tolist()[0] == [4, 5] and np.isnan(y.data.get()[1:]).all()


def test_tables_of_other_shapes_are_gathered_from() -> None:
    rng = np.random.default_rng(0)
    for shape, ids in [((4,), [1, 3]), ((4, 2, 3), [[0, 3]]), ((4, 700), [2, 2, 1]), ((4, 2), np.zeros((0, 3), int)), ((4, 0), [1])]:
        W, ids = rng.normal(size=shape), np.asarray(ids)
        np.testing.assert_array_equal(F.embedding(to_strict(ids), to_strict(W)).data.get(), W[ids])
    W = rng.normal(size=(3, 4)).T
    np.testing.assert_array_equal(F.embedding(to_strict(np.array([3, 0])), StrictArray(W)).data.get(), W[[3, 0]])
    assert F.embedding(to_strict(np.array([1])), to_strict(np.arange(4))).data.get().tolist() == [1]


def test_the_switch_holds_from_the_call_on_or_in_a_block() -> None:
    cuda.deterministic(True)
    try:
        assert precision.deterministic_sums
        with cuda.deterministic(False):
            assert not precision.deterministic_sums
        assert precision.deterministic_sums
    finally:
        cuda.deterministic(False)
    assert not precision.deterministic_sums
