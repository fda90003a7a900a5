"""Pooling and resizing: the book's names, padding, ties, integers, errors, and gradients of any order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, grad
from dezero.errors import InputTypeError, ShapeError


def normal(*shape: int, seed: int = 0, dtype: Any = np.float64) -> Any:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


# -- maximum ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("f", [F.pooling, F.pooling_simple, F.max_pool2d])
def test_padding_never_wins(f: Any) -> None:
    x = Variable(np.full((1, 1, 3, 3), -1.0, np.float32))
    y = f(x, 3, 1, 1)
    y.backward()
    assert y.dtype == np.float32
    assert (y.data == -1).all()
    assert x.grad.data.sum() == pytest.approx(9)


def test_the_books_names_step_by_one_and_the_others_by_the_kernel() -> None:
    x = normal(1, 1, 6, 6)
    assert F.pooling(x, 2).shape == F.average_pooling(x, 2).shape == F.pooling_simple(x, 2).shape == (1, 1, 5, 5)
    assert F.max_pool2d(x, 2).shape == F.avg_pool2d(x, (2, 2)).shape == (1, 1, 3, 3)
    assert F.max_pool2d(x, (2, 3)).shape == (1, 1, 3, 2)
    np.testing.assert_array_equal(F.pooling(x, 2, 2).data, F.max_pool2d(x, 2).data)


def test_the_first_of_equal_maxima_gets_the_gradient() -> None:
    x = Variable(np.array([[[[1.0, 3.0, 3.0], [3.0, 3.0, 0.0]]]]))
    F.max_pool2d(x, 2, 1).backward()
    np.testing.assert_array_equal(x.grad.data, [[[[0, 2, 0], [0, 0, 0]]]])
    x.cleargrad()
    F.pooling_simple(x, 2, 1).backward()  # the twin shares it, as F.max does
    assert x.grad.data[0, 0, 1, 0] == pytest.approx(1 / 3)


def test_an_infinite_gradient_stays_in_its_place() -> None:
    x = Variable(normal(1, 1, 4, 4))
    y = F.max_pool2d(x, 2)
    y.grad = np.array([[[[np.inf, 1.0], [1.0, 1.0]]]])
    y.backward()
    assert np.isinf(x.grad.data).sum() == 1
    assert not np.isnan(x.grad.data).any()


def test_nan_wins_and_infinities_are_values() -> None:
    x = np.array([[[[np.nan, 1.0, -np.inf, -np.inf]]]])
    np.testing.assert_array_equal(F.max_pool2d(x, (1, 2)).data, [[[[np.nan, -np.inf]]]])


def test_integers() -> None:
    x = -np.arange(16).reshape(1, 1, 4, 4)
    y = F.max_pool2d(x, 3, 1, 1)
    assert y.dtype == x.dtype
    assert y.data[0, 0, 3, 3] == -10
    np.testing.assert_array_equal(F.pooling_simple(x, 3, 1, 1).data, y.data)
    assert F.max_pool2d(np.zeros((1, 1, 2, 2), np.uint8), 2, pad=1).dtype == np.uint8
    assert F.max_pool2d(np.ones((1, 1, 2, 2), bool), 2, pad=1).data.all()
    assert F.avg_pool2d(x, 4).data[0, 0, 0, 0] == -7.5
    assert F.interpolate(x, 2).dtype == x.dtype
    assert F.interpolate(x, 2, mode="bilinear").dtype == np.float64
    assert F.adaptive_avg_pool2d(x, 1).data[0, 0, 0, 0] == -7.5


# -- mean -------------------------------------------------------------------------------------------


def test_average_pooling_counts_padding_unless_told() -> None:
    x = np.ones((1, 1, 2, 2), np.float32)
    assert F.average_pooling(x, 2, 1, 1).data[0, 0, 0, 0] == 0.25
    inside = F.avg_pool2d(x, 2, 1, 1, count_include_pad=False)
    assert inside.dtype == np.float32
    np.testing.assert_array_equal(inside.data, np.ones((1, 1, 3, 3)))


def test_gradient_of_a_kernel_that_is_not_square() -> None:
    x = Variable(normal(1, 1, 4, 3))
    F.average_pooling(x, (2, 1)).backward()
    np.testing.assert_allclose(x.grad.data[0, 0], np.array([0.5, 1, 1, 0.5])[:, None] * np.ones(3))


def test_half_precision_means_are_summed_in_float32() -> None:
    x = np.full((1, 1, 256, 256), 3.0, np.float16)
    for y in (F.avg_pool2d(x, 256), F.global_average_pool2d(x), F.adaptive_avg_pool2d(x, 1)):
        assert y.dtype == np.float16
        assert float(y.data.ravel()[0]) == 3.0


def test_adaptive_means_on_a_grid_that_divides_are_average_pooling() -> None:
    x = normal(2, 3, 6, 4)
    np.testing.assert_allclose(F.adaptive_avg_pool2d(x, (3, 2)).data, F.avg_pool2d(x, 2).data)
    np.testing.assert_allclose(F.adaptive_avg_pool2d(x, 1).data[:, :, 0, 0], F.global_average_pool2d(x).data)


# -- resizing ---------------------------------------------------------------------------------------


def test_interpolating_a_plane_and_a_constant() -> None:
    rows, cols = np.mgrid[:4, :5].astype(float)
    plane = (2 * rows - cols)[None, None]
    y = F.interpolate(plane, (7, 9), mode="bilinear", align_corners=True).data[0, 0]
    np.testing.assert_allclose(y, np.arange(7)[:, None] - np.arange(9) / 2, atol=1e-12)
    np.testing.assert_allclose(F.interpolate(np.ones((1, 1, 3, 3)), 8, mode="bilinear").data, 1)
    np.testing.assert_allclose(F.interpolate(plane, (4, 5), mode="bilinear").data, plane)
    assert F.interpolate(plane, 1, mode="bilinear", align_corners=True).data[0, 0, 0, 0] == plane[0, 0, 0, 0]


def test_nearest_copies_infinities_without_a_trace_elsewhere() -> None:
    x = np.array([[[[-np.inf, 1.0]]]], np.float32)
    np.testing.assert_array_equal(F.interpolate(x, scale_factor=2).data, [[[[-np.inf, -np.inf, 1, 1]] * 2]])


# -- gradients of higher order ----------------------------------------------------------------------


@pytest.mark.parametrize("f", [
    lambda x: F.max_pool2d(x, 2), lambda x: F.max_pool2d(x, (3, 2), (2, 1), 1), lambda x: F.pooling(x, 2), lambda x: F.avg_pool2d(x, 3, 2, 1),
    lambda x: F.max_pool1d(x.reshape(1, 4, 6), 3, 2, 1), lambda x: F.interpolate(x, 5), lambda x: F.interpolate(x, 5, mode="bilinear"),
    lambda x: F.adaptive_avg_pool2d(x, 3), lambda x: F.pooling_simple(x, 2),
])
def test_third_derivatives(f: Any) -> None:
    x, d = np.random.default_rng(0).permutation(24).reshape(1, 1, 4, 6) * 0.1, normal(1, 1, 4, 6, seed=1)

    def second(x: Any, create_graph: bool = False) -> Any:
        v = Variable(x)
        y = F.sum(f(v) ** 4)
        g, = grad(y, [v], create_graph=True)
        gg, = grad(F.sum(g * d), [v], create_graph=create_graph)
        return v, F.sum(gg * d)

    v, y = second(x, create_graph=True)
    ggg, = grad(y, [v])
    h = 1e-4
    numerical = (float(second(x + h * d)[1].data) - float(second(x - h * d)[1].data)) / (2 * h)
    assert float((ggg.data * d).sum()) == pytest.approx(numerical, rel=1e-6)


# -- errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("call", "words"), [
    (lambda: F.max_pool2d(normal(3, 4, 4), 2), ["max_pool2d: x (3, 4, 4) float64", "(N, C, H, W)", "x[None]"]),
    (lambda: F.avg_pool2d(normal(4, 4), 2), ["avg_pool2d: x (4, 4) float64", "it has 2 axes"]),
    (lambda: F.max_pool2d(normal(1, 1, 2, 2), 3), ["input size 2, kernel size 3, stride 3, pad 0"]),
    (lambda: F.max_pool2d(normal(1, 1, 4, 4), 2, pad=2), ["pad is (2, 2)", "less than the kernel size (2, 2)"]),
    (lambda: F.avg_pool2d(normal(1, 1, 4, 4), 2, pad=2, count_include_pad=False), ["count_include_pad=False", "less than the kernel size"]),
    (lambda: F.max_pool1d(normal(1, 1, 4, 4), 2), ["max_pool1d: x (1, 1, 4, 4)", "(N, C, L)"]),
    (lambda: F.avg_pool1d(normal(1, 4), 2), ["avg_pool1d: ", "x[None]"]),
    (lambda: F.global_average_pool2d(normal(1, 4)), ["global_average_pool2d: "]),
    (lambda: F.adaptive_avg_pool2d(normal(1, 4), 2), ["adaptive_avg_pool2d: "]),
    (lambda: F.interpolate(normal(1, 4, 4), 2), ["interpolate: ", "x[None]"]),
    (lambda: F.pooling_simple(normal(1, 4, 4), 2), ["pooling_simple: ", "x[None]"]),
])
def test_misfits_say_what_would_be_right(call: Any, words: list[str]) -> None:
    with pytest.raises(ShapeError) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda x: F.max_pool2d(x, 0), ValueError, "max_pool2d: kernel_size is 0: it must be positive"),
    (lambda x: F.max_pool2d(x, 2.0), TypeError, "max_pool2d: kernel_size is 2.0: an integer or a pair"),
    (lambda x: F.interpolate(x), ValueError, "give one of the two"),
    (lambda x: F.interpolate(x, 2, 2.0), ValueError, "give one of the two"),
    (lambda x: F.interpolate(x, 2, mode="cubic"), ValueError, "mode is 'cubic': 'nearest' or 'bilinear'"),
    (lambda x: F.interpolate(x, 2, align_corners=True), ValueError, "align_corners is for 'bilinear'"),
    (lambda x: F.interpolate(x, scale_factor=0.1), ValueError, r"would become \(0, 0\)"),
    (lambda x: F.interpolate(x, scale_factor="2"), TypeError, "a number or a pair of numbers"),
    (lambda x: F.interpolate(x, 0), ValueError, "size is 0: it must be positive"),
    (lambda x: F.adaptive_avg_pool2d(x, (2, 2, 2)), TypeError, "output_size"),
    (lambda x: F.global_average_pool2d([1.0]), InputTypeError, "x is a list"),
])
def test_parameters_are_checked(call: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        call(normal(1, 1, 4, 4))
