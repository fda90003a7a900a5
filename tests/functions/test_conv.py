"""Convolution: what the book gives, errors that help, dtypes, and gradients of any order."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, functions_conv, grad
from dezero.backend.im2col import get_conv_outsize, get_deconv_outsize, im2col_array, pair
from dezero.errors import InputTypeError, ShapeError


def normal(*shape: int, seed: int = 0, dtype: Any = np.float64) -> Any:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


# -- sizes ------------------------------------------------------------------------------------------


def test_sizes_of_the_book() -> None:
    assert get_conv_outsize(4, 3, 1, 1) == 4
    assert get_conv_outsize(7, 3, 2, 0) == 3
    for size, k, s, p in product((1, 4, 7), (1, 3), (1, 2), (0, 1)):
        if size + 2 * p >= k and s * (size - 1) + k > 2 * p:
            assert get_conv_outsize(get_deconv_outsize(size, k, s, p), k, s, p) == size


@pytest.mark.parametrize(("function", "arguments", "words"), [
    (get_conv_outsize, (2, 5, 1, 1), ["input size 2, kernel size 5, stride 1, pad 1", "at least the kernel size"]),
    (get_conv_outsize, (4, 3, 0, 1), ["stride 0", "must be positive"]),
    (get_conv_outsize, (4, 3, 1, -1), ["pad must not be negative"]),
    (get_deconv_outsize, (1, 2, 1, 3), ["input size 1, kernel size 2, stride 1, pad 3", "must be positive"]),
])
def test_an_empty_output_is_an_error_that_says_everything(function: Any, arguments: Any, words: list[str]) -> None:
    with pytest.raises(ShapeError) as caught:
        function(*arguments)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("x", [3, np.int64(3), np.array(3), (3, 3), [3, 3], np.array([3, 3])])
def test_pair_takes_what_stands_for_two_integers(x: Any) -> None:
    assert pair(x) == (3, 3)
    assert all(type(i) is int for i in pair(x))


@pytest.mark.parametrize("x", [1.5, "ab", (1, 2, 3), None, (1.0, 2)])
def test_pair_refuses_the_rest(x: Any) -> None:
    with pytest.raises(TypeError, match="pair: "):
        pair(x)


# -- the book ---------------------------------------------------------------------------------------


def test_shapes_of_step_57() -> None:
    assert F.im2col(normal(1, 3, 7, 7), kernel_size=5, stride=1, pad=0, to_matrix=True).shape == (9, 75)
    assert F.im2col(normal(10, 3, 7, 7), kernel_size=(5, 5), stride=(1, 1), pad=(0, 0), to_matrix=True).shape == (90, 75)
    x, W = Variable(normal(1, 5, 15, 15)), Variable(normal(8, 5, 3, 3))
    y = F.conv2d_simple(x, W, b=None, stride=1, pad=1)
    y.backward()
    assert y.shape == (1, 8, 15, 15)
    assert x.grad.shape == (1, 5, 15, 15)
    np.testing.assert_allclose(F.conv2d(x, W, None, 1, 1).data, y.data, rtol=1e-12, atol=1e-12)


def test_the_compatibility_module_has_the_same_functions() -> None:
    for name in ("conv2d", "deconv2d", "conv2d_simple", "pooling", "pooling_simple", "average_pooling", "im2col", "col2im"):
        assert getattr(functions_conv, name) is getattr(F, name)
    y = functions_conv.Conv2d(stride=1, pad=1)(normal(1, 2, 4, 4), normal(3, 2, 3, 3), None)
    assert y.shape == (1, 3, 4, 4)
    assert F.deconv2d is F.conv_transpose2d


def test_deconvolution_takes_the_books_arguments() -> None:
    x, W, b = normal(2, 3, 4, 4), normal(3, 5, 3, 3), normal(5)
    assert F.deconv2d(x, W, b, 2, 1).shape == (2, 5, 7, 7)
    assert F.deconv2d(x, W, b, stride=2, pad=1, outsize=(8, 7)).shape == (2, 5, 8, 7)
    np.testing.assert_allclose(F.deconv2d(x, W, b, 2, 1).data, F.deconv2d(x, W, None, 2, 1).data + b[:, None, None])


def test_column_layout_is_image_channel_kernel_place() -> None:
    x = normal(2, 3, 5, 4)
    col = im2col_array(x, (2, 3), (2, 1), (1, 0), to_matrix=False)
    assert col.shape == (2, 3, 2, 3, 3, 2)
    assert col[1, 2, 1, 2, 1, 1] == x[1, 2, 1 * 2 + 1 - 1, 1 + 2]
    np.testing.assert_array_equal(im2col_array(x, (2, 3), (2, 1), (1, 0)), col.transpose(0, 4, 5, 1, 2, 3).reshape(12, 18))


# -- results ----------------------------------------------------------------------------------------


def test_results_are_contiguous_images_in_the_inputs_dtype() -> None:
    for dtype in (np.float16, np.float32, np.float64):
        x, W, b = normal(2, 3, 5, 5, dtype=dtype), normal(4, 3, 3, 3, dtype=dtype), normal(4, dtype=dtype)
        for y in (F.conv2d(x, W, b, 2, 1), F.deconv2d(normal(2, 4, 3, 3, dtype=dtype), W, b[:3], 2), F.conv2d_simple(x, W, b, 2, 1)):
            assert y.dtype == dtype
        assert F.conv2d(x, W, b).data.flags.c_contiguous


def test_half_precision_is_summed_in_float32() -> None:
    x, W = np.full((1, 512, 3, 3), 0.1, np.float16), np.full((1, 512, 3, 3), 0.1, np.float16)
    exact = 4608 * float(x[0, 0, 0, 0]) ** 2
    assert abs(float(F.conv2d(x, W).data[0, 0, 0, 0]) - exact) < 0.02
    large = F.conv2d(np.full((1, 2, 1, 1), 300, np.float16), np.array([300, -300], np.float16).reshape(1, 2, 1, 1))
    assert float(large.data[0, 0, 0, 0]) == 0.0  # each term alone is beyond float16
    b = Variable(np.zeros(1, np.float16))
    y = F.conv2d(np.ones((512, 1, 8, 8), np.float16), np.ones((1, 1, 1, 1), np.float16), b)
    y.grad = np.full(y.shape, 0.01, np.float16)
    y.backward()
    assert float(b.grad.data[0]) == pytest.approx(327.75, abs=0.2)


def test_a_plain_array_gets_no_gradient() -> None:
    W = Variable(normal(3, 2, 2, 2))
    y = F.conv2d(normal(1, 2, 4, 4), W)
    assert not y.creator.needs_grad(0)
    y.backward()
    assert W.grad.shape == W.shape


def test_frozen_weights_keep_no_image() -> None:
    x = Variable(normal(1, 2, 4, 4))
    y = F.conv2d(x, normal(3, 2, 2, 2))
    assert [a.shape for a in y.creator._kept] == [(3, 2, 2, 2)]


def test_dilation_is_a_kernel_with_holes_and_groups_are_slices() -> None:
    x, W = normal(2, 4, 8, 8), normal(6, 4, 2, 3)
    holes = np.zeros((6, 4, 4, 5))
    holes[:, :, ::3, ::2] = W
    np.testing.assert_allclose(F.conv2d(x, W, dilation=(3, 2)).data, F.conv2d(x, holes).data, rtol=1e-12, atol=1e-12)
    V = W[:, :2]
    apart = np.concatenate([F.conv2d(x[:, :2], V[:3]).data, F.conv2d(x[:, 2:], V[3:]).data], 1)
    np.testing.assert_allclose(F.conv2d(x, V, groups=2).data, apart, rtol=1e-12, atol=1e-12)


def test_transposed_convolution_and_col2im_are_adjoints() -> None:
    x, W = normal(2, 3, 7, 6), normal(4, 3, 3, 2)
    y = F.conv2d(x, W, None, 2, 1)
    g = normal(*y.shape, seed=1)
    assert np.vdot(y.data, g) == pytest.approx(np.vdot(x, F.deconv2d(g, W, None, 2, 1, outsize=(7, 6)).data))
    col = F.im2col(x, (3, 2), 2, 1)
    c = normal(*col.shape, seed=2)
    assert np.vdot(col.data, c) == pytest.approx(np.vdot(x, F.col2im(c, x.shape, (3, 2), 2, 1).data))


def test_integer_images_are_constants() -> None:
    x = np.arange(32, dtype=np.uint8).reshape(1, 2, 4, 4)
    W = Variable(np.ones((1, 2, 2, 2), np.float32))
    y = F.conv2d(x, W)
    y.backward()
    assert y.dtype == np.float32
    assert W.grad.data[0, 0, 0, 0] == x[0, 0, :3, :3].sum()


# -- gradients of higher order ----------------------------------------------------------------------


def check_orders(f: Any, inputs: list[Any], order: int) -> None:
    """Differentiate along fixed directions again and again, and compare the last derivative with differences of the one before."""
    ds = [normal(*x.shape, seed=9 + i) for i, x in enumerate(inputs)]

    def nested(shift: float, n: int) -> Any:
        xs = [Variable(x + shift * d) for x, d in zip(inputs, ds, strict=True)]
        y = (f(*xs) ** 3).sum()
        for k in range(n):
            gs = grad(y, xs, create_graph=k < n - 1)
            y = sum((g * d).sum() for g, d in zip(gs, ds, strict=True))
        return float(y.data)

    h = 1e-4
    for n in range(1, order + 1):
        numerical = (nested(h, n - 1) - nested(-h, n - 1)) / (2 * h)
        assert nested(0.0, n) == pytest.approx(numerical, rel=1e-5)


@pytest.mark.parametrize("parameters", [{}, {"stride": (2, 1), "pad": (1, 0)}, {"dilation": 2, "pad": 1}, {"groups": 2}])
def test_three_orders_through_images_weights_and_bias(parameters: dict[str, Any]) -> None:
    each = 4 // parameters.get("groups", 1)
    check_orders(lambda x, W, b: F.conv2d(x, W, b, **parameters), [normal(1, 4, 5, 4), 0.3 * normal(2, each, 2, 2), normal(2)], 3)
    check_orders(lambda x, W, b: F.conv_transpose2d(x, W, b, **parameters), [normal(1, 4, 3, 3), 0.3 * normal(4, 2, 2, 2),
                                                                             normal(2 * parameters.get("groups", 1))], 3)


def test_second_derivative_of_the_weights_that_the_book_could_not_compute() -> None:
    x, W = Variable(normal(1, 1, 3, 3)), Variable(normal(1, 1, 2, 2))
    y = F.sum(F.conv2d(x, W) ** 2)
    gW, = grad(y, [W], create_graph=True)
    ggW, = grad(F.sum(gW * gW), [W])
    col = im2col_array(x.data, 2, 1, 0)
    H = 2 * col.T @ col  # the loss is |col w|^2
    np.testing.assert_allclose(ggW.data.ravel(), 2 * H @ H @ W.data.ravel())


# -- errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("call", "words"), [
    (lambda: F.conv2d(normal(3, 4, 4), normal(2, 3, 3, 3)), ["conv2d: x (3, 4, 4) float64", "(N, C, H, W)", "x[None]"]),
    (lambda: F.conv2d(normal(1, 3, 4, 4), normal(2, 4, 3, 3)), ["x has 3 channels, W wants 4"]),
    (lambda: F.conv2d(normal(1, 4, 4, 4), normal(4, 4, 3, 3), groups=2), ["x has 4 channels, W wants 8 in 2 groups"]),
    (lambda: F.conv2d(normal(1, 4, 4, 4), normal(3, 2, 3, 3), groups=2), ["groups is 2", "divide W.shape[0] = 3"]),
    (lambda: F.conv2d(normal(1, 3, 4, 4), normal(2, 3, 5, 5)), ["input size 4, kernel size 5, stride 1, pad 0"]),
    (lambda: F.conv2d(normal(1, 3, 4, 4), normal(2, 3, 3)), ["W has 3 axes"]),
    (lambda: F.conv2d(normal(1, 3, 4, 4), 2.0), ["W has 0 axes"]),
    (lambda: F.conv2d(normal(1, 3, 4, 4), normal(2, 3, 3, 3), normal(3)), ["b has shape (3,), it must be (2,)"]),
    (lambda: F.deconv2d(normal(1, 3, 4, 4), normal(2, 3, 3, 3)), ["conv_transpose2d: ", "x has 3 channels, W wants 2"]),
    (lambda: F.deconv2d(normal(1, 3, 4, 4), normal(3, 2, 3, 3), stride=2, outsize=12), ["outsize is (12, 12)", "[9, 10]"]),
    (lambda: F.conv1d(normal(3, 4), normal(2, 3, 3)), ["conv1d: x (3, 4) float64", "(N, C, L)", "x[None]"]),
    (lambda: F.conv1d(normal(1, 3, 4), normal(2, 3)), ["W must be (OC, C / groups, K)"]),
    (lambda: F.conv2d_simple(normal(1, 3, 4, 4), normal(2, 4, 3, 3)), ["W must be (OC, 3, KH, KW)"]),
    (lambda: F.im2col(normal(3, 4, 4), 2), ["im2col: x (3, 4, 4)", "x[None]"]),
    (lambda: F.col2im(normal(3, 4), (1, 1, 3, 3), 2), ["columns of shape (4, 4), not (3, 4)"]),
    (lambda: F.col2im(normal(4, 4), (3, 3), 2), ["input_shape (3, 3)"]),
])
def test_misfits_say_what_would_be_right(call: Any, words: list[str]) -> None:
    with pytest.raises(ShapeError) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(("parameters", "error", "words"), [
    ({"stride": 0}, ValueError, "conv2d: stride is 0: it must be positive"),
    ({"pad": -1}, ValueError, "conv2d: pad is -1: it must not be negative"),
    ({"dilation": (1, 0)}, ValueError, r"conv2d: dilation is \(1, 0\): it must be positive"),
    ({"stride": 1.5}, TypeError, "conv2d: stride is 1.5: an integer or a pair"),
    ({"groups": 0}, ValueError, "conv2d: groups is 0: a positive integer"),
])
def test_parameters_are_checked(parameters: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        F.conv2d(normal(1, 1, 4, 4), normal(1, 1, 2, 2), **parameters)


def test_lists_are_refused() -> None:
    for call in (lambda: F.conv1d([[1.0]], normal(1, 1, 1)), lambda: F.conv2d_simple([[1.0]], normal(1, 1, 1, 1)),
                 lambda: F.conv2d_simple(normal(1, 1, 2, 2), [[1.0]])):
        with pytest.raises(InputTypeError, match="is a list"):
            call()


# -- a second oracle --------------------------------------------------------------------------------


@pytest.mark.torch
def test_float32_results_and_gradients_agree_with_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle here")
    for size, (k, s, p, d), groups in product(((9, 9), (8, 13)), ((1, 1, 0, 1), (3, 1, 1, 1), (3, 2, 1, 1), (3, 1, 2, 2), (5, 3, 0, 1)), (1, 2, 4)):
        x, W, b = normal(3, 4, *size, dtype=np.float32), normal(8, 4 // groups, k, k, dtype=np.float32), normal(8, dtype=np.float32)
        ours, theirs = [Variable(a) for a in (x, W, b)], [torch.tensor(a, requires_grad=True) for a in (x, W, b)]
        y, t = F.conv2d(*ours, s, p, d, groups), torch.nn.functional.conv2d(*theirs, s, p, d, groups)
        g = normal(*y.shape, seed=3, dtype=np.float32)
        y.grad = g
        y.backward()
        t.backward(torch.tensor(g))
        for a, e in [(y, t), *((o.grad, e.grad) for o, e in zip(ours, theirs, strict=True))]:
            np.testing.assert_allclose(a.data, e.detach().numpy(), rtol=2e-4, atol=2e-4)
