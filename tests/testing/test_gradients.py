"""The checks find what is wrong, accept what is right, and leave the caller's things alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dezero import Function, Parameter, Variable, utils
from dezero.errors import GradientCheckError, InputTypeError
from dezero.testing import array_allclose, array_equal, check_gradients, gradient_check, numerical_grad


class Square(Function):
    """Right in both orders."""

    def forward(self, x: Any) -> Any: return x ** 2
    def backward(self, gy: Any) -> Any: return gy * self.inputs[0] * 2


class WrongFirst(Square):
    """The factor 2 is missing."""

    def backward(self, gy: Any) -> Any: return gy * self.inputs[0]


class WrongSecond(Square):
    """The first derivative is right, but a constant to the second."""

    def backward(self, gy: Any) -> Any: return gy * (self.inputs[0].data * 2)


class WrongIncoming(Square):
    """Forgets the incoming gradient, which a check with ones cannot see."""

    def backward(self, gy: Any) -> Any: return self.inputs[0] * 2


class WrongInB(Function):
    """Right with respect to a, wrong with respect to b."""

    def forward(self, a: Any, b: Any) -> Any: return a * b
    def backward(self, gy: Any) -> Any: return gy * self.inputs[1], gy


def x64() -> np.ndarray:
    return np.array([[1.0, 2.0, -3.0], [0.5, 0.1, 4.0]])


def test_numerical_grad_of_arrays_variables_and_numbers() -> None:
    np.testing.assert_allclose(numerical_grad(lambda x: x ** 3, x64()), 3 * x64() ** 2, rtol=1e-6)
    np.testing.assert_allclose(numerical_grad(Square(), Variable(x64())), 2 * x64(), rtol=1e-6)
    np.testing.assert_allclose(numerical_grad(lambda x, a, b=0.0: a * x + b, 2.0, 5.0, b=1.0), 5.0, rtol=1e-6)
    assert numerical_grad(np.sin, np.zeros((0, 3))).shape == (0, 3)


def test_numerical_grad_of_float32_is_exact_enough() -> None:
    found = numerical_grad(lambda x: x ** 2, x64().astype(np.float32))
    np.testing.assert_allclose(found, 2 * x64().astype(np.float32), rtol=1e-6)


def test_numerical_grad_refuses_integers() -> None:
    with pytest.raises(InputTypeError, match=r"int64.*astype"):
        numerical_grad(lambda x: x, np.arange(3))


@pytest.mark.parametrize("order", [1, 2])
def test_right_gradients_pass(order: int) -> None:
    check_gradients(Square(), x64(), order=order)
    check_gradients(lambda a, b: a * b / 2, x64(), Variable(x64() + 1), order=order)
    check_gradients(lambda a, b: [a * b, a], x64(), x64(), order=order)


def test_wrong_first_derivative_is_reported_in_full() -> None:
    with pytest.raises(GradientCheckError) as caught:
        check_gradients(WrongFirst(), x64())
    report = str(caught.value)
    assert "first order" in report
    assert "input 0, shape (2, 3): 6 of 6 elements" in report
    assert "relative error 0.5" in report
    assert "[0, 0]: backpropagated" in report


def test_wrong_second_derivative_passes_the_first_order_only() -> None:
    check_gradients(WrongSecond(), x64())
    with pytest.raises(GradientCheckError, match=r"second order[\s\S]*input 0"):
        check_gradients(WrongSecond(), x64(), order=2)


def test_random_incoming_gradients_find_what_ones_cannot() -> None:
    assert not gradient_check(WrongIncoming(), x64())


def test_all_inputs_are_checked() -> None:
    with pytest.raises(GradientCheckError, match="input 1"):
        check_gradients(WrongInB(), x64(), x64() + 1)


def test_constants_are_not_checked() -> None:
    check_gradients(WrongInB(), x64(), Variable(x64() + 1, requires_grad=False))
    check_gradients(lambda x, i, n: x * i * n, x64(), np.array([1, 2, 3]), 2)
    with pytest.raises(InputTypeError, match="no input"):
        check_gradients(lambda i: i, np.arange(3))


def test_a_missing_gradient_says_how_to_make_a_constant() -> None:
    with pytest.raises(GradientCheckError, match=r"input 1[\s\S]*requires_grad=False"):
        check_gradients(lambda a, b: a * b.data, x64(), x64())


def test_nan_is_a_difference() -> None:
    class Nan(Square):
        def backward(self, gy: Any) -> Any: return gy * np.nan
    with pytest.raises(GradientCheckError, match="nan"):
        check_gradients(Nan(), x64())


def test_unknown_order_is_refused() -> None:
    with pytest.raises(ValueError, match="order is 3"):
        check_gradients(Square(), x64(), order=3)


def test_gradient_check_prints_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert gradient_check(Square(), x64()) is True
    assert capsys.readouterr().out == ""
    assert gradient_check(WrongFirst(), x64()) is False
    assert "relative error" in capsys.readouterr().out


def test_the_callers_variables_and_parameters_stay_as_they_are() -> None:
    x, W = Variable(x64().astype(np.float32)), Parameter(np.ones((2, 3), np.float32))
    x.grad, data = Variable(np.full((2, 3), 7.0, np.float32)), x.data
    assert gradient_check(lambda x: x * W, x)
    check_gradients(lambda x: x * W, x, order=2)
    assert x.data is data
    assert x.dtype == np.float32
    np.testing.assert_array_equal(x.data, x64().astype(np.float32))
    np.testing.assert_array_equal(x.grad.data, 7.0)
    assert W.grad is None
    assert W.dtype == np.float32


def test_a_stale_gradient_does_no_harm() -> None:
    x = Variable(x64())
    x.grad = Variable(np.full((2, 3), 100.0))
    assert gradient_check(Square(), x)


def test_an_array_that_the_function_changes_is_a_copy() -> None:
    seen = np.zeros(3)

    def f(x: Any, running: Any) -> Any:
        running.data += 1
        return x * 2

    assert gradient_check(f, x64(), seen)
    np.testing.assert_array_equal(seen, 0)


def test_random_functions_can_be_checked_and_leave_the_state() -> None:
    before = np.random.get_state()[1].copy()
    assert gradient_check(lambda x: x * np.random.rand(2, 3), x64())
    assert numerical_grad(lambda x: x * np.random.rand(2, 3), x64()).shape == (2, 3)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_comparisons() -> None:
    assert array_equal(Variable(x64()), x64())
    assert not array_equal(x64(), x64()[0])
    assert array_allclose(Variable(x64()), x64() + 1e-6)
    assert not array_allclose(x64(), x64() + 1e-2)
    assert array_allclose(x64(), x64() + 1e-2, atol=0.1)


def test_sum_to() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(utils.sum_to(x, (3, 1)), x.sum((0, 2), keepdims=False)[:, None])
    np.testing.assert_array_equal(utils.sum_to(x, ()), x.sum())
    np.testing.assert_array_equal(utils.sum_to(x, (2, 3, 4)), x)
    for shape in [(2, 2, 4), (5, 2, 3, 4)]:
        with pytest.raises(ValueError, match="cannot be summed"):
            utils.sum_to(x, shape)


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (-1, -3)])
def test_shapes_of_reductions(axis: Any) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    kept = x.sum(axis, keepdims=True)
    assert utils.max_backward_shape(x, axis) == list(kept.shape)
    assert utils.reshape_sum_backward(x.sum(axis), x.shape, axis, False).shape == kept.shape
    assert utils.reshape_sum_backward(kept, x.shape, axis, True).shape == kept.shape
    np.testing.assert_allclose(utils.logsumexp(x, axis), np.log(np.exp(x).sum(axis, keepdims=True)))


def test_an_axis_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="axis 3 is out of range"):
        utils.max_backward_shape(np.zeros((2, 3)), 3)


def test_logsumexp_at_the_limits() -> None:
    x = np.array([[-np.inf, -np.inf], [np.inf, 1e4], [1e4, 1e4], [-1e4, -1e4]])
    np.testing.assert_allclose(utils.logsumexp(x)[:, 0], [-np.inf, np.inf, 1e4 + np.log(2), -1e4 + np.log(2)])


def test_pair() -> None:
    assert utils.pair(np.int64(3)) == (3, 3)
    assert utils.pair([1, 2]) == (1, 2)
    for wrong in (1.5, [1, 2, 3], "ab"):
        with pytest.raises(TypeError, match="pair"):
            utils.pair(wrong)


def test_a_backward_that_computes_with_bare_arrays_is_found_at_second_order() -> None:
    class Cube(Function):
        def forward(self, x: Any) -> Any:
            return x ** 3

        def backward(self, gy: Any) -> Any:
            x, = self.inputs
            return Variable(3 * x.data ** 2 * gy.data)  # right, and without a history

    x = Variable(np.array([1.0, 2.0]))
    check_gradients(Cube(), x, order=1)
    with pytest.raises(GradientCheckError, match="second"):
        check_gradients(Cube(), x, order=2)
