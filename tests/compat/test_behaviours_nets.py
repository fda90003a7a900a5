"""Readers' scripts on networks written without layers, on sequences, and on checks of gradients: steps 43 to 60."""

from __future__ import annotations

import gc
import math
import weakref
from typing import Any

import numpy as np
import pytest

import dezero
import dezero.functions as F
from dezero import Parameter, Variable, as_variable, no_grad, setup_variable, test_mode
from dezero.backend.kernels import REFERENCE
from dezero.functions_conv import Conv2DGradW, im2col_array
from dezero.utils import array_allclose, array_equal, gradient_check, numerical_grad

setup_variable()


def V(*values: Any) -> Variable:
    return Variable(np.array(values[0] if len(values) == 1 else values, dtype=float))


# -- networks without layers (steps 43 to 57) -----------------------------------------------------


@pytest.mark.seeds
@pytest.mark.parametrize("simple_functions", [False, True])
def test_two_layers_on_a_curve(simple_functions: bool) -> None:
    np.random.seed(0)
    x = np.random.rand(100, 1)
    y = np.sin(2 * np.pi * x) + np.random.rand(100, 1)
    W1, b1 = Variable(0.01 * np.random.randn(1, 10)), Variable(np.zeros(10))
    W2, b2 = Variable(0.01 * np.random.randn(10, 1)), Variable(np.zeros(1))
    linear, sigmoid, loss_of = ((F.linear_simple, F.sigmoid_simple, F.mean_squared_error_simple) if simple_functions else
                                (F.linear, F.sigmoid, F.mean_squared_error))
    steps, losses = 301 if simple_functions else 9001, {}
    for i in range(steps):
        loss = loss_of(linear(sigmoid(linear(x, W1, b1)), W2, b2), y)
        for p in (W1, b1, W2, b2):
            p.cleargrad()
        loss.backward()
        for p in (W1, b1, W2, b2):
            p.data -= 0.2 * p.grad.data
        losses[i] = float(loss.data)
    assert losses[300] < losses[0]
    if not simple_functions:
        assert f"{losses[9000]:.4f}" == "0.0772"


def test_a_parameter_may_get_its_array_late_and_of_any_layout() -> None:
    W = Parameter(None, name="W")
    assert isinstance(W, Variable) and W.data is None
    rng = np.random.default_rng(0)
    W.data = rng.normal(size=(4, 3)).T  # not contiguous
    y = F.matmul(np.ones((2, 3)), W)
    y.backward()
    assert W.grad.shape == (3, 4)
    kernels = Parameter(np.zeros((2, 3, 3, 3), np.float32))
    kernels.data = rng.normal(size=(3, 3, 3, 2)).transpose(3, 0, 1, 2)  # float64 in place of float32, as the book's GAN does
    x = rng.normal(size=(1, 3, 5, 5))
    y = F.conv2d(x, kernels)
    y.backward()
    wanted = F.conv2d(x, np.ascontiguousarray(kernels.data))
    assert y.dtype == np.float64 and np.allclose(y.data, wanted.data) and kernels.grad.shape == (2, 3, 3, 3)
    kernels.data = kernels.data[::-1, :, ::-1]
    kernels.data -= 0.1 * kernels.grad.data
    assert not kernels.data.flags.c_contiguous and F.conv2d(x, kernels).shape == (1, 2, 3, 3)


def test_gradients_start_from_a_seed() -> None:
    x = V([1.0, 2.0])
    y = x ** 2
    y.grad = V([1.0, 10.0])
    y.backward()
    assert np.array_equal(x.grad.data, [2, 40])
    x.grad = None
    assert x.grad is None


def test_rows_by_index() -> None:
    x = V([[1, 2, 3], [4, 5, 6]])
    y = F.get_item(x, 1)
    y.backward()
    assert str(y) == "variable([4. 5. 6.])" and str(x.grad) == "variable([[0. 0. 0.]\n          [1. 1. 1.]])"
    x.cleargrad()
    x[np.array([0, 0, 1])].backward()
    assert np.array_equal(x.grad.data, [[2, 2, 2], [1, 1, 1]])
    i = np.argmax(x.data[0])
    assert float(x[0, i]) == 3 and x[:, 2].shape == (2,) and x[1:].shape == (1, 3) and x[..., None].shape == (2, 3, 1)
    rows = Variable(np.array([1, 0]))
    assert np.array_equal(x[rows].data, x.data[::-1]) and [float(v.sum()) for v in x] == [6, 15]
    assert F.embed_id(rows, x).shape == (2, 3)


@pytest.mark.seeds
def test_the_global_seed_governs_dropout() -> None:
    x = np.ones(100)
    masks = []
    for seed in (0, 0, 1):
        np.random.seed(seed)
        masks.append(F.dropout(x).data)
    assert np.array_equal(masks[0], masks[1]) and not np.array_equal(masks[0], masks[2])
    assert set(np.unique(masks[0])) == {0.0, 2.0}
    with test_mode():
        assert np.array_equal(F.dropout(x, 0.9).data, x)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
@pytest.mark.parametrize("wrap", [lambda t: t, Variable])
def test_cross_entropy_of_labels_as_data_sets_give_them(dtype: Any, wrap: Any) -> None:
    rng = np.random.default_rng(0)
    x, t = Variable(rng.normal(size=(4, 3)).astype(np.float32)), np.array([2, 0, 1, 1], dtype)
    loss = F.softmax_cross_entropy(x, wrap(t))
    loss.backward()
    p = F.softmax_simple(x).data
    assert np.allclose(loss.data, -np.log(p[np.arange(4), t]).mean()) and np.allclose(x.grad.data, (p - np.eye(3)[t]) / 4, atol=1e-6)
    assert loss.shape == () and (loss.dtype, x.grad.dtype) == (np.float32, np.float32)
    assert math.isclose(float(F.softmax_cross_entropy_simple(x, wrap(t))), float(loss), rel_tol=1e-6)
    assert float(F.accuracy(x, wrap(t)).data) == (p.argmax(1) == t).mean()


def test_losses_of_one_element_in_two_shapes() -> None:
    assert float(F.mean_squared_error(V([[3.0]]), V([1.0]))) == 4
    assert float(F.mean_squared_error(V(3.0), V(1.0))) == 4
    p = V([[0.25], [0.5]])
    assert math.isclose(float(F.binary_cross_entropy(p, np.array([1, 0]))), -(math.log(0.25) + math.log(0.5)) / 2)
    assert math.isclose(float(F.sigmoid_cross_entropy(V([[0.0], [0.0]]), np.array([1, 0]))), math.log(2))


@pytest.mark.seeds
def test_minibatches_of_classes() -> None:
    np.random.seed(0)
    t = np.repeat(np.arange(3), 40)
    x = (np.array([[0, 2], [2, -1], [-2, -1]])[t] + 0.5 * np.random.randn(120, 2)).astype(np.float32)
    params = [Parameter((0.5 * np.random.randn(2, 8)).astype(np.float32)), Parameter(np.zeros(8, np.float32)),
              Parameter((0.5 * np.random.randn(8, 3)).astype(np.float32)), Parameter(np.zeros(3, np.float32))]

    def model(x: Any) -> Variable:
        return F.linear(F.relu(F.linear(x, *params[:2])), *params[2:])

    for _ in range(20):
        order, total = np.random.permutation(120), 0.0
        for i in range(4):
            rows = order[i * 30:(i + 1) * 30]
            loss = F.softmax_cross_entropy(model(x[rows]), t[rows])
            for p in params:
                p.cleargrad()
            loss.backward()
            for p in params:
                p.data -= 0.5 * p.grad.data
            total += float(loss.data) * len(rows)
    with no_grad():
        y = model(x)
        assert y.creator is None and float(F.accuracy(y, t).data) > 0.95 and total / 120 < 0.2
    assert all(p.data.dtype == p.grad.dtype == np.float32 for p in params)


def test_shapes_of_columns_and_convolutions() -> None:
    x1, x2 = np.zeros((1, 3, 7, 7)), np.zeros((10, 3, 7, 7))
    assert F.im2col(x1, kernel_size=5, stride=1, pad=0, to_matrix=True).shape == (9, 75)
    assert F.im2col(x2, kernel_size=(5, 5), stride=(1, 1), pad=(0, 0), to_matrix=True).shape == (90, 75)
    x, W = Variable(np.random.default_rng(0).normal(size=(1, 5, 15, 15))), Variable(np.ones((8, 5, 3, 3)))
    y = F.conv2d_simple(x, W, b=None, stride=1, pad=1)
    y.backward()
    assert y.shape == (1, 8, 15, 15) and x.grad.shape == (1, 5, 15, 15) and np.allclose(y.data, F.conv2d(x, W, pad=1).data)
    assert dezero.utils.get_conv_outsize(4, 3, 1, 1) == 4 and dezero.utils.pair(2) == (2, 2)


def test_columns_go_back_to_images() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 4))
    for matrix in (True, False):
        col = F.im2col(x, 3, 1, 1, matrix)
        back = F.col2im(col, x.shape, 3, 1, 1, to_matrix=matrix)
        count = F.col2im(F.im2col(np.ones_like(x), 3, 1, 1), x.shape, 3, 1, 1)
        assert np.allclose(back.data, x * count.data)


@pytest.mark.parametrize(("stride", "pad"), [(1, 0), (2, 1), ((1, 2), (2, 0))])
def test_the_reference_convolution_is_one_contraction_bit_for_bit(stride: Any, pad: Any) -> None:
    rng = np.random.default_rng(0)
    x, W, b = (rng.normal(size=s).astype(np.float32) for s in ((2, 3, 9, 8), (4, 3, 3, 3), (4,)))
    col = im2col_array(x, 3, stride, pad, to_matrix=False)
    wanted = np.rollaxis(np.tensordot(np.ascontiguousarray(col), W, ((1, 2, 3), (1, 2, 3))) + b, 3, 1)
    pairs = [dezero.utils.pair(v) for v in (stride, pad)]
    assert np.array_equal(REFERENCE["conv2d"](np, x, W, b, *pairs, (1, 1), 1), wanted)
    assert np.allclose(F.conv2d(x, W, b, stride, pad).data, wanted, rtol=0, atol=2e-5)


def test_gradient_of_the_weights_is_an_op_too() -> None:
    rng = np.random.default_rng(0)
    x, gy = Variable(rng.normal(size=(1, 2, 5, 5))), Variable(rng.normal(size=(1, 3, 3, 3)))
    gW = Conv2DGradW(3)(x, gy)
    assert gW.shape == (3, 2, 3, 3)
    F.sum(gW ** 2).backward()
    assert x.grad.shape == x.shape and gy.grad.shape == gy.shape


# -- sequences (steps 59 and 60) ------------------------------------------------------------------


def sequence_loss(steps: int, cut: int, W: list[Parameter], series: np.ndarray) -> tuple[list[float], Variable]:
    """An Elman net over a series, cut off from its past every ``cut`` steps."""
    h: Any = None
    loss: Any = 0
    found = []
    for i in range(steps):
        x, t = series[i].reshape(1, 1), series[i + 1].reshape(1, 1)
        h = F.tanh(F.linear(x, W[0], W[1])) if h is None else F.tanh(F.linear(x, W[0], W[1]) + F.matmul(h, W[2]))
        loss += F.mean_squared_error(F.linear(h, W[3], W[4]), t)
        if (i + 1) % cut == 0:
            for p in W:
                p.cleargrad()
            loss.backward()
            loss.unchain_backward()
            for p in W:
                p.data -= 0.1 / cut * p.grad.data
            found.append(float(loss.data) / cut)
            loss = 0
    return found, h


def test_truncated_backpropagation_through_time() -> None:
    rng = np.random.default_rng(0)
    W = [Parameter(0.3 * rng.normal(size=s)) for s in ((1, 10), (10,), (10, 10), (10, 1), (1,))]
    series = np.sin(np.linspace(0, 60 * np.pi, 3001))
    losses, h = sequence_loss(3000, 30, W, series)
    assert sum(losses[-5:]) < 0.1 * sum(losses[:5])
    assert h.creator is None or all(v.creator is None for v in h.creator.inputs)  # nothing of the past hangs on it


def test_unchaining_leaves_nothing_of_the_past_alive() -> None:
    gc.collect()
    gc.disable()
    try:
        W = Parameter(np.eye(3) * 0.5)
        h, refs = Variable(np.ones((1, 3))), []
        for _ in range(3):
            for _ in range(4):
                h = F.tanh(F.matmul(h, W))
                refs.append(weakref.ref(h.creator))
            loss = F.sum(h)
            loss.backward()
            loss.unchain_backward()
        assert sum(r() is not None for r in refs) <= 1
    finally:
        gc.enable()


# -- checks of gradients --------------------------------------------------------------------------


def test_gradient_checks_as_readers_call_them() -> None:
    rng = np.random.default_rng(0)
    x = Variable(rng.normal(size=(2, 3)))
    y = F.sum(x ** 2)
    y.backward()
    assert array_allclose(x.grad.data, numerical_grad(lambda v: F.sum(v ** 2), x.data))
    assert array_allclose(numerical_grad(F.sin, np.array(1.0)), math.cos(1.0))
    assert gradient_check(F.tanh, rng.normal(size=(3, 2))) is True
    assert gradient_check(lambda a, b: a * b, rng.normal(size=3), rng.normal(size=3))
    assert gradient_check(F.matmul, rng.normal(size=(2, 3)), Variable(rng.normal(size=(3, 2))), rtol=1e-3, atol=1e-4)
    assert gradient_check(F.softmax, rng.normal(size=(2, 3)), axis=0)
    assert array_equal(as_variable(np.ones(2)), np.ones(2)) and not array_equal(np.ones(2), np.zeros(2))
    assert array_allclose(np.ones(2), Variable(np.ones(2) + 1e-7))


def test_layers_outputs_may_be_looked_at_and_written() -> None:
    x = V([[1.0, 2.0]])
    y = F.relu(x * 2)
    z = F.sum(y)
    z.backward(retain_grad=True)
    kept = y.creator.outputs[0]()
    kept.data[...] = 7.0
    assert np.array_equal(y.data, [[7, 7]]) and np.array_equal(y.grad.data, [[1, 1]])


def test_float32_images_give_float32_logits() -> None:
    rng = np.random.default_rng(0)
    x = rng.random((2, 1, 8, 8)).astype(np.float32)
    W, b, V2 = (Parameter((rng.normal(size=s) * np.sqrt(1 / 9)).astype(np.float32)) for s in ((4, 1, 3, 3), (4,), (36, 10)))
    y = F.linear(F.dropout(F.flatten(F.pooling(F.relu(F.conv2d(x, W, b)), 2, 2)), 0.5, seed=0), V2)
    loss = F.softmax_cross_entropy(y, np.array([3, 7], np.uint8)) + 1e-4 * F.sum(W ** 2) * np.float64(0.5)
    loss.backward()
    assert {v.dtype for v in (y, loss, W.grad, b.grad, V2.grad)} == {np.dtype(np.float32)}
