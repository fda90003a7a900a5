"""What rows cannot say of reductions: ties, zeros, float16, safety, errors, the book's results."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable
from dezero.errors import DTypeError, ShapeError


def gradient(f: Any, x: Any) -> np.ndarray:
    v = Variable(np.asarray(x, float))
    f(v).backward()
    return v.grad.data


# -- the book's results -----------------------------------------------------------------------------


def test_sum_of_the_book() -> None:
    x = Variable(np.array([[1, 2, 3], [4, 5, 6]], float))
    assert F.sum(x).item() == 21
    assert F.sum(x, 0).data.tolist() == [5, 7, 9]
    assert x.sum(axis=0).data.tolist() == [5, 7, 9]
    assert F.sum(np.ones((2, 3, 4, 5)), keepdims=True).shape == (1, 1, 1, 1)


def test_gradients_may_be_changed_in_place() -> None:
    x = Variable(np.ones((2, 3)))
    F.sum(x).backward()
    x.grad.data += 1
    assert x.grad.data.tolist() == [[2, 2, 2], [2, 2, 2]]


def test_max_over_a_negative_axis() -> None:
    assert gradient(lambda x: F.max(x, axis=-1), [[1, 2], [4, 3]]).tolist() == [[0, 1], [1, 0]]


def test_average_is_mean_and_keeps_float32() -> None:
    assert F.average is F.mean
    x = Variable(np.ones((2, 3), np.float32))
    y = F.average(x)
    y.backward()
    assert y.dtype == x.grad.dtype == np.float32


# -- conventions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("f", [F.max, F.min])
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1), -1])
def test_ties_share_the_gradient_evenly(f: Any, axis: Any) -> None:
    g = gradient(lambda x: f(x, axis), np.full((2, 3), 7.0))
    n = 6 if axis in (None, (0, 1)) else 2 if axis == 0 else 3
    np.testing.assert_allclose(g, 1 / n)


def test_ties_beside_others() -> None:
    assert gradient(lambda x: F.max(x, 1), [[1, 3, 3], [5, 2, 2]]).tolist() == [[0, 0.5, 0.5], [1, 0, 0]]


def test_nan_wins_and_gets_no_gradient() -> None:
    x = Variable(np.array([[np.nan, 1.0], [2.0, 1.0]]))
    y = F.max(x, axis=1)
    y.backward()
    assert np.isnan(y.data[0])
    assert x.grad.data.tolist() == [[0, 0], [1, 0]]


@pytest.mark.parametrize("value", [0.0, 0.1, 1e4, -3.3])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("axis", [None, 0, (0, 1)])
def test_std_of_equal_elements_has_gradient_zero(value: float, dtype: str, axis: Any) -> None:
    x = Variable(np.full((7, 3), value, dtype))
    y = F.std(x, axis)
    y.backward()
    assert not y.data.any()
    assert not x.grad.data.any()


def test_std_of_equal_elements_has_finite_second_derivatives() -> None:
    x = Variable(np.full(3, 0.1))
    F.std(x).backward(create_graph=True)
    g = x.grad
    x.cleargrad()
    g.backward()
    assert np.isfinite(x.grad.data).all()


@pytest.mark.parametrize("p", [None, "fro", 0.5, 1, 1.5, 2, 3, np.inf])
def test_norm_of_zeros_has_gradient_zero(p: Any) -> None:
    assert not gradient(lambda x: F.norm(x, p), np.zeros((2, 3))).any()
    assert not gradient(lambda x: F.norm(x, p, axis=1), np.zeros((2, 3))).any()


@pytest.mark.parametrize("p", [0.5, 1, 1.5])
def test_norm_has_gradient_zero_for_an_element_that_is_zero(p: float) -> None:
    g = gradient(lambda x: F.norm(x, p), [0.0, 3.0, -4.0])
    assert g[0] == 0
    assert np.isfinite(g).all()


def test_largest_elements_share_the_gradient_of_a_norm() -> None:
    assert gradient(lambda x: F.norm(x, np.inf), [-2, 2, 1]).tolist() == [-0.5, 0.5, 0]


# -- products ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("zeros", [(), (1,), (0, 3), (0, 1, 2)])
def test_all_derivatives_of_a_product_hold_with_zeros(zeros: Any) -> None:
    x = np.array([2.0, -1.5, 0.5, 3.0, 1.2])
    x[list(zeros)] = 0
    others = [[math.prod(x[k] for k in range(5) if k not in (i, j)) if i != j else 0 for j in range(5)] for i in range(5)]
    v = Variable(x)
    F.prod(v).backward(create_graph=True)
    g = v.grad
    np.testing.assert_allclose(g.data, [math.prod(x[k] for k in range(5) if k != i) for i in range(5)])
    for i in range(5):
        v.cleargrad()
        g[i].backward(retain_graph=True)
        np.testing.assert_allclose(v.grad.data, others[i], atol=1e-15)


def test_third_derivative_of_a_product() -> None:
    x = Variable(np.array([0.0, 0.0, 5.0]))
    g = F.prod(x)
    for i in range(3):
        x.cleargrad()
        g.backward(create_graph=True)
        g = x.grad[i]
    assert g.item() == 1


# -- dtypes and safety ------------------------------------------------------------------------------


def test_float16_is_summed_in_float32() -> None:
    x = np.full((3, 4096), 1.001, np.float16)
    exact = x.astype(float)
    assert F.sum(x, axis=1).dtype == np.float16
    for f, oracle in ((F.sum, np.sum), (F.mean, np.mean), (F.cumsum, np.cumsum), (F.logsumexp, None), (F.norm, np.linalg.norm)):
        y = f(x[0], axis=0).data
        expected = np.log(np.exp(exact[0]).sum()) if oracle is None else oracle(exact[0], axis=0)
        np.testing.assert_allclose(y, expected, rtol=1e-3)
    np.testing.assert_allclose(F.sum(x.T.copy(), axis=0).data, exact.sum(1), rtol=1e-3)
    assert F.mean(np.full(100, 6e4, np.float16)).item() == pytest.approx(6e4, rel=1e-3)
    assert F.std(np.array([-6e4, 6e4], np.float16)).item() == pytest.approx(6e4, rel=1e-3)
    assert F.norm(np.array([3e4, 4e4], np.float16)).item() == pytest.approx(5e4, rel=1e-3)


@pytest.mark.parametrize("f", [F.sum, F.mean, F.var, F.std, F.max, F.min, F.logsumexp, F.norm, lambda x: F.norm(x, 10), lambda x: F.norm(x, 1)])
def test_large_inputs_are_safe_in_float32(f: Any) -> None:
    x = Variable(np.array([-1e4, 0, 3, 1e4], np.float32))
    y = f(x)
    y.backward()
    assert y.dtype == x.grad.dtype == np.float32
    assert np.isfinite(y.data).all()
    assert np.isfinite(x.grad.data).all()


def test_logsumexp_of_minus_infinity() -> None:
    x = Variable(np.array([[-np.inf, -np.inf], [-np.inf, 1.0]]))
    y = F.logsumexp(x, axis=1)
    y.backward()
    assert y.data.tolist() == [-math.inf, 1.0]
    assert x.grad.data.tolist() == [[0, 0], [0, 1]]


def test_variance_of_a_large_offset_keeps_its_digits() -> None:
    x = np.array([1e6 - 1, 1e6 + 1], np.float32)
    assert F.var(x).item() == 1
    assert F.std(x).item() == 1


@pytest.mark.parametrize("f", [F.sum, F.prod, F.max, F.min, F.cumsum, F.argmax])
def test_integers_stay_integers_and_are_constants(f: Any) -> None:
    y = f(Variable(np.array([1, 2, 3])))
    assert y.dtype.kind == "i"
    assert not y.requires_grad


@pytest.mark.parametrize("f", [F.mean, F.var, F.std, F.logsumexp, F.norm])
def test_integers_give_floats(f: Any) -> None:
    assert f(np.array([1, 2, 3])).dtype == np.float64


def test_places_are_constants() -> None:
    x = Variable(np.array([[1.0, 3.0], [4.0, 2.0]]))
    assert F.argmax(x).item() == 2
    assert x.argmin(axis=1).data.tolist() == [0, 1]
    assert not F.argmax(x).requires_grad


# -- errors -----------------------------------------------------------------------------------------

ALL = [F.sum, F.mean, F.var, F.std, F.prod, F.max, F.min, F.logsumexp, F.argmax, F.argmin, F.cumsum, lambda x, axis: F.norm(x, axis=axis),
       lambda x, axis: F.norm(x, 1, axis), lambda x, axis: F.norm(x, np.inf, axis), lambda x, axis: F.norm(x, 3, axis)]


@pytest.mark.parametrize("f", ALL)
@pytest.mark.parametrize("axis", [2, -3])
def test_axis_out_of_range(f: Any, axis: int) -> None:
    with pytest.raises(ShapeError, match=rf"x \(2, 3\) float64: axis {axis} is out of range: x has the axes -2 to 1"):
        f(np.ones((2, 3)), axis)


def test_strange_axes() -> None:
    with pytest.raises(ShapeError, match=r"sum: x \(2, 3\) float64: axis \(0, -2\) names an axis twice"):
        F.sum(np.ones((2, 3)), axis=(0, -2))
    with pytest.raises(DTypeError, match=r"axis must be an int, a tuple of ints or None: \[0, 1\] was given"):
        F.sum(np.ones((2, 3)), axis=[0, 1])
    with pytest.raises(ShapeError, match="x has no axes"):
        F.sum(np.array(1.0), axis=1)
    with pytest.raises(DTypeError, match="argmax: x"):
        F.argmax(np.ones((2, 3)), axis=(0, 1))


def test_nothing_has_no_largest_element() -> None:
    for f in (F.max, F.min, F.argmax, F.argmin, F.logsumexp):
        with pytest.raises(ShapeError, match=r"x \(0, 3\) float64: no elements have no largest"):
            f(np.ones((0, 3)), axis=0)


def test_too_few_elements_for_a_variance() -> None:
    with pytest.raises(ShapeError, match=r"var: x \(1, 3\) float64: a variance of 1 with ddof=1"):
        F.var(np.ones((1, 3)), axis=0, ddof=1)


@pytest.mark.parametrize("order", [0, -1, "nuc", np.nan])
def test_unknown_norms(order: Any) -> None:
    with pytest.raises(ValueError, match="norm: ord .* was given: None, 'fro', inf"):
        F.norm(np.ones(3), order)
