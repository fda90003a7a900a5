"""What a user reads when an op cannot work: op, inputs, shapes, dtypes, what would be right, and the layer."""

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable
from dezero.backend import register_module, unregister_module
from dezero.config import layer_scope
from dezero.errors import DeviceError, DTypeError, ShapeError
from tests.strict import StrictArray, xp


def V(*shape, dtype=np.float64):
    return Variable(np.ones(shape, dtype))


@pytest.mark.parametrize("call, message", [
    (lambda: F.matmul(V(32, 784, dtype=np.float32), V(1000, 10, dtype=np.float32)),
     "matmul: a (32, 784) float32 and b (1000, 10) float32: a.shape[-1] must equal b.shape[-2]"),
    (lambda: V(2, 3) + V(4), "add: a (2, 3) float64 and b (4,) float64: the shapes must be equal, or each axis, counted from the last, equal or 1"),
])
def test_golden_messages(call, message):
    with pytest.raises(ShapeError) as error:
        call()
    assert str(error.value) == message
    with layer_scope("encoder"), layer_scope("fc2"), pytest.raises(ShapeError) as error:
        call()
    assert str(error.value) == "encoder.fc2: " + message


@pytest.mark.parametrize("call, words", [
    (lambda: F.reshape(V(2, 3), (4, 2)), ["reshape", "(2, 3)", "(4, 2)"]),
    (lambda: F.linear(V(5, 3), V(4, 2)), ["linear", "(5, 3)", "(4, 2)"]),
    (lambda: F.linear(V(5, 3), V(3, 2), V(4)), ["linear", "(4,)"]),
    (lambda: F.concatenate([V(2, 3), V(2, 4)], axis=0), ["concatenate", "(2, 3)", "(2, 4)"]),
    (lambda: F.transpose(V(2, 3), (0, 1, 2)), ["transpose", "(2, 3)"]),
    (lambda: F.broadcast_to(V(2, 3), (4, 3)), ["broadcast_to", "(2, 3)", "(4, 3)"]),
    (lambda: F.sum_to(V(2, 3), (4,)), ["sum_to", "(2, 3)", "(4,)"]),
    (lambda: F.mean_squared_error(V(3, 1), V(3)), ["mean_squared_error", "(3, 1)", "(3,)"]),
    (lambda: F.einsum("ij,jk->ik", V(2, 3), V(4, 5)), ["einsum", "'j'", "(4, 5)"]),
    (lambda: F.conv2d(V(1, 3, 8, 8), V(4, 2, 3, 3)), ["conv2d", "channels"]),
])
def test_shapes_that_do_not_fit(call, words):
    with pytest.raises(ShapeError) as error:
        call()
    assert all(word in str(error.value) for word in words), str(error.value)


def test_an_index_out_of_range_stays_an_index_error():
    with pytest.raises(IndexError, match="get_item"):
        V(3)[5]


def test_dtypes_that_do_not_work():
    with pytest.raises(DTypeError, match="x bool|neg"):
        -Variable(np.array([True, False]))


def test_host_and_device_arrays_do_not_mix():
    register_module(StrictArray, xp)
    try:
        with pytest.raises(DeviceError, match=r"add.*a is on the host and b is on cuda:0"):
            V(2) + Variable(StrictArray(np.ones(2)))
    finally:
        unregister_module(StrictArray)
