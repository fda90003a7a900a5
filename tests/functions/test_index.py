"""Indexing: what rows cannot say. Kinds of indices, errors, iteration, repeated places, the kernels."""

from functools import partial

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable
from dezero.backend.kernels import REFERENCE, kernels_of
from dezero.errors import DTypeError, ShapeError


@pytest.fixture
def x():
    return Variable(np.arange(12.0).reshape(3, 4))


INDICES = [0, -1, np.int64(1), np.array(2), slice(None, None, -2), (1, 2), (0, np.int64(3)), (Ellipsis, 1), None, (slice(None), None, 0), (),
           [0, 2, 0], np.array([0, 2, 0]), np.array([1, 1], np.uint8), np.array([1, 1], np.uint64), [], (slice(None), []), ([0, 1], [2, 3]),
           range(2), [True, False, True], np.array([True, False, True]), True, np.arange(12).reshape(3, 4) > 5, ([True, False, True], [1, 1])]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_any_index_as_in_numpy(x, index):
    plain = index if not isinstance(index, range) else list(index)
    expected = x.data[plain if plain is not True else None]
    y = x[index]
    np.testing.assert_array_equal(y.data, expected)
    gy = np.random.default_rng(0).normal(size=expected.shape)
    gx = np.zeros((3, 4))
    np.add.at(gx, plain if plain is not True else None, gy)
    y.grad = gy
    y.backward()
    np.testing.assert_allclose(x.grad.data, gx)


def test_variables_of_ints_and_bools_are_indices(x):
    i = Variable(np.array([2, 0]))
    np.testing.assert_array_equal(x[i].data, x.data[[2, 0]])
    np.testing.assert_array_equal(x[i, Variable(np.array(1))].data, x.data[[2, 0], 1])
    np.testing.assert_array_equal(x[Variable(np.array([True, False, True]))].data, x.data[[0, 2]])
    np.testing.assert_array_equal(x[: Variable(np.array(2))].data, x.data[:2])


def test_iteration_stops_at_the_end(x):
    rows = list(x)
    assert len(rows) == 3
    F.stack([r * i for i, r in enumerate(rows)]).backward()
    np.testing.assert_array_equal(x.grad.data, [[0] * 4, [1] * 4, [2] * 4])


@pytest.mark.parametrize(("index", "words"), [
    (3, r"get_item: x \(3, 4\) float64: index 3 is out of bounds for axis 0 with size 3"),
    ((0, 9), "index 9 is out of bounds for axis 1 with size 4"),
    ([0, 7], r"get_item: x \(3, 4\) float64 and indices\[0\] \(2,\) int64: index 7 is out of bounds"),
    ((0, 0, 0), "too many indices"),
    (1.5, "only integers, slices"),
    (np.array([0.5]), "must be of integer"),
    (np.array([True, False]), "boolean index did not match"),
])
def test_wrong_indices_are_index_errors(x, index, words):
    with pytest.raises(IndexError, match=words):
        x[index]


def test_assignment_points_to_index_set(x):
    with pytest.raises(TypeError, match="index_set"):
        x[0] = 1.0


def test_index_set_and_add_leave_x_alone(x):
    before = x.data.copy()
    np.testing.assert_array_equal(F.index_set(x, 0, 5.0).data[0], [5] * 4)
    np.testing.assert_array_equal(F.index_add(x, [0, 0], 5.0).data[0], before[0] + 10)
    np.testing.assert_array_equal(x.data, before)


def test_index_set_sends_no_gradient_to_overwritten_values(x):
    value = Variable(np.array([[1.0], [2.0], [3.0]]))
    y = F.index_set(x, [1, 0, 1], value)
    np.testing.assert_array_equal(y.data[:2], [[2] * 4, [3] * 4])
    y.backward()
    np.testing.assert_array_equal(value.grad.data, [[0], [4], [4]])
    np.testing.assert_array_equal(x.grad.data, [[0] * 4, [0] * 4, [1] * 4])


def test_writing_keeps_the_dtype_of_x():
    x = Variable(np.zeros(3, np.float32))
    assert F.index_set(x, 0, np.float64(1)).dtype == F.index_add(x, [0, 1], np.ones(2)).dtype == np.float32
    assert F.index_set(np.zeros(3, np.int64), 0, 2).dtype == np.int64
    for write in (F.index_set, F.index_add):
        with pytest.raises(DTypeError, match="would be cut off"):
            write(np.zeros(3, np.int64), 0, 0.5)


@pytest.mark.parametrize("write", [F.index_set, F.index_add])
@pytest.mark.parametrize("index", [slice(2), [0, 1]])
def test_values_must_fit(x, write, index):
    with pytest.raises(ShapeError, match=rf"{write.__name__}: x \(3, 4\) float64(,| and) value \(3,\) float64"):
        write(x, index, np.ones(3))


def test_lookup_errors_name_the_id_and_the_table():
    W = Variable(np.zeros((5, 2)))
    with pytest.raises(IndexError, match=r"embedding: W \(5, 2\): ids x \(2,\) int64: 7 is out of range: there are 5, from 0 to 4"):
        F.embedding(np.array([0, 7]), W)
    with pytest.raises(IndexError, match="-1 is out of range"):
        F.embedding(np.array([0, -1]), W)
    with pytest.raises(DTypeError, match="integers are expected"):
        F.embedding(np.array([0.0]), W)
    with pytest.raises(IndexError, match=r"one_hot: classes t \(1,\) int64: 3 is out of range"):
        F.one_hot(np.array([3]), 3)
    with pytest.raises(ShapeError, match="equally many axes"):
        F.take_along_axis(W, np.array([0]), 0)
    with pytest.raises(ShapeError, match="take: axis 2"):
        F.take(W, 0, 2)


def test_embedding_takes_variables_lists_and_numbers():
    W = Variable(np.arange(6.0).reshape(3, 2))
    assert F.embed_id is F.embedding
    for ids in (np.array([1, 1]), Variable(np.array([1, 1])), [1, 1]):
        np.testing.assert_array_equal(F.embedding(ids, W).data, [[2, 3], [2, 3]])
    np.testing.assert_array_equal(F.embedding(2, W).data, [4, 5])
    F.embedding([1, 1, 0], W).backward()
    np.testing.assert_array_equal(W.grad.data, [[1, 1], [2, 2], [0, 0]])


def test_one_hot_is_a_constant():
    y = F.one_hot(np.array([0, 2]), 3)
    assert y.dtype == np.float32
    assert not y.requires_grad


def test_float16_gradients_are_summed_in_float32():
    x = Variable(np.zeros(2, np.float16))
    F.take(x, np.zeros(3000, int)).backward()
    assert x.grad.dtype == np.float16
    assert x.grad.data[0] == 3000


def test_an_index_keeps_no_reference_to_the_elements():
    x = Variable(np.ones((3, 2)))
    y = (x * 2.0)[[0, 1, 1]]
    assert all(kept.dtype.kind == "i" for kept in y.creator._kept)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(("n", "m", "d"), [(1, 5, 3), (7, 40, 1), (7, 40, 3), (50, 3, 2), (4, 0, 2), (3, 4, 0), (2, 1000, 2)])
def test_scatter_add_as_its_reference(dtype, n, m, d):
    rng = np.random.default_rng(0)
    places, values = rng.integers(0, n, m), rng.normal(size=(m, d)).astype(dtype)
    expected = np.zeros((n, d))
    for p, v in zip(places, values, strict=True):
        expected[p] += v
    for kernel in (partial(REFERENCE["scatter_add"], np), kernels_of(np).scatter_add):
        y = np.zeros((n, d), dtype)
        kernel(y, places, values)
        np.testing.assert_allclose(y, expected, rtol=2e-3 if dtype == np.float16 else 1e-5, atol=2e-2 if dtype == np.float16 else 1e-5)


def test_write_at_as_its_reference():
    rng = np.random.default_rng(0)
    for index in (slice(1, 3), ([0, 2, 0], slice(None)), (slice(None), np.array([1, 1, 3, 1])), (np.array([[0], [2]]), np.array([1, 1, 2]))):
        index = tuple(np.asarray(i) if isinstance(i, list) else i for i in index) if isinstance(index, tuple) else index
        a, b = np.zeros((3, 4)), np.zeros((3, 4))
        value = rng.normal(size=a[index].shape)
        REFERENCE["write_at"](np, a, index, value)
        kernels_of(np).write_at(b, index, value)
        np.testing.assert_array_equal(a, b)
