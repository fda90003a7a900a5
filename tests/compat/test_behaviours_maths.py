"""Readers' scripts on functions to minimise, higher derivatives and arrays: steps 24 to 42."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Function, Variable, setup_variable
from dezero import core_simple as simple
from dezero.errors import IntegerGradientError

setup_variable()


def V(*values: Any) -> Variable:
    return Variable(np.array(values[0] if len(values) == 1 else values, dtype=float))


# -- functions to minimise, Taylor series, Newton (steps 24 to 36) --------------------------------


def goldstein_price(x: Any, y: Any) -> Any:
    s, d = x + y + 1, 2 * x - 3 * y
    return (1 + s ** 2 * (19 - 14 * x + 3 * x ** 2 - 14 * y + 6 * x * y + 3 * y ** 2)) * (
        30 + d ** 2 * (18 - 32 * x + 12 * x ** 2 + 48 * y - 36 * x * y + 27 * y ** 2))


@pytest.mark.parametrize(("f", "gradient"), [
    (lambda x, y: x ** 2 + y ** 2, (2, 2)),
    (lambda x, y: 0.26 * (x ** 2 + y ** 2) - 0.48 * x * y, (0.04, 0.04)),
    (goldstein_price, (-5376, 8064)),
])
def test_gradients_of_test_functions(f: Any, gradient: Any) -> None:
    x, y = V(1.0), V(1.0)
    f(x, y).backward()
    assert np.allclose([float(x.grad), float(y.grad)], gradient, rtol=1e-12)
    assert isinstance(x.grad, Variable) and isinstance(x.grad.data, np.ndarray)


class Sine(Function):
    def forward(self, x):
        return np.sin(x)

    def backward(self, gy):
        x = self.inputs[0].data
        return gy * np.cos(x)  # 0-d data: np.float64 times a Variable


def sine_series(x: Any, threshold: float) -> Any:
    y: Any = 0
    for k in range(100_000):
        term = x ** (2 * k + 1) * ((-1) ** k / math.factorial(2 * k + 1))
        y = y + term
        if abs(term.data) < threshold:
            break
    return y


def test_sine_as_an_own_function_and_as_a_series() -> None:
    x = V(np.pi / 4)
    y = Sine()(x)
    y.backward()
    assert float(y) == math.sin(math.pi / 4) and math.isclose(float(x.grad), math.cos(math.pi / 4))
    x.cleargrad()
    y = sine_series(x, 1e-4)
    y.backward()
    assert f"{float(y):.7f}" == "0.7071065" and math.isclose(float(x.grad), 0.7071032, abs_tol=5e-8)
    x.cleargrad()
    y = sine_series(x, 1e-150)
    y.backward()
    assert math.isclose(float(y), math.sqrt(0.5)) and math.isclose(float(x.grad), math.sqrt(0.5))


def test_an_own_function_with_arrays_in_its_backward_on_the_left() -> None:
    class Left(Function):
        def forward(self, x): return np.sin(x)
        def backward(self, gy): return np.cos(self.inputs[0].data) * gy

    x = V([0.1, 0.2])
    Left()(x).backward()
    assert isinstance(x.grad, Variable) and np.allclose(x.grad.data, np.cos([0.1, 0.2]))


def rosenbrock(a: Any, b: Any) -> Any:
    return 100 * (b - a ** 2) ** 2 + (a - 1) ** 2


def test_gradient_descent_with_gradients_as_variables() -> None:
    a, b = V(0.0), V(2.0)
    rosenbrock(a, b).backward()
    assert (float(a.grad), float(b.grad)) == (-2, 400)
    for _ in range(999):
        y = rosenbrock(a, b)
        a.cleargrad(); b.cleargrad()
        y.backward()
        a.data -= 0.001 * a.grad.data
        b.data -= 0.001 * b.grad.data
    assert f"{float(a):.4f} {float(b):.4f}" == "0.6835 0.4657"


def test_gradient_descent_with_the_small_core() -> None:
    a, b = simple.Variable(np.array(0.0)), simple.Variable(np.array(2.0))
    for _ in range(999):
        y = rosenbrock(a, b)
        a.cleargrad(); b.cleargrad()
        y.backward()
        a.data -= 0.001 * a.grad  # a plain array there
        b.data -= 0.001 * b.grad
    assert isinstance(a.grad, np.ndarray) and f"{float(a):.4f} {float(b):.4f}" == "0.6835 0.4657"


def quartic(x: Any) -> Any:
    return x ** 4 - 2 * x ** 2


def newton_by_hand() -> list[float]:
    x, path = simple.Variable(np.array(2.0)), []
    for _ in range(10):
        path.append(float(x.data))
        y = quartic(x)
        x.cleargrad()
        y.backward()
        x.data -= x.grad / (12 * x.data ** 2 - 4)
    return path


def newton_by_double_backward() -> list[float]:
    x, path = V(2.0), []
    for _ in range(10):
        path.append(float(x.data))
        y = quartic(x)
        x.cleargrad()
        y.backward(create_graph=True)
        gx = x.grad
        x.cleargrad()
        gx.backward()
        x.data -= gx.data / x.grad.data
    return path


def test_newton() -> None:
    by_hand, by_graph = newton_by_hand(), newton_by_double_backward()
    assert np.allclose(by_hand, by_graph, rtol=1e-14) and by_graph[0] == 2 and math.isclose(by_graph[-1], 1.0)
    assert len({round(v, 6) for v in by_graph}) < 10  # it has arrived before the end


def test_higher_derivatives_of_sine() -> None:
    x = Variable(np.linspace(-7, 7, 50))
    y = F.sin(x)
    y.backward(create_graph=True)
    logs = [y.data]
    for _ in range(3):
        logs.append(x.grad.data)
        gx = x.grad
        x.cleargrad()
        gx.backward(create_graph=True)
    for log, wanted in zip(logs, (np.sin, np.cos, lambda v: -np.sin(v), lambda v: -np.cos(v)), strict=True):
        assert np.allclose(log, wanted(x.data))


@pytest.mark.parametrize("order", range(1, 6))
def test_derivatives_of_tanh(order: int) -> None:
    t = math.tanh(1.0)
    s = 1 - t * t
    wanted = [s, -2 * t * s, s * (6 * t * t - 2), s * t * (16 - 24 * t * t), s * (16 - 120 * t * t + 120 * t ** 4)][order - 1]
    x = V(1.0)
    x.name = "x"
    y = F.tanh(x)
    for i in range(order):
        x.cleargrad()
        y.backward(create_graph=True)
        y = x.grad
        y.name = f"gx{i + 1}"
    assert math.isclose(float(y), wanted, rel_tol=1e-12)
    assert y.creator is not None and y.name == f"gx{order}"


@pytest.mark.parametrize(("power", "of_gradient", "wanted"), [(2, 3, 100), (3, 2, 300)])
def test_a_gradient_inside_a_formula(power: int, of_gradient: int, wanted: float) -> None:
    x = V(2.0)
    y = x ** power
    y.backward(create_graph=True)
    gx = x.grad
    x.cleargrad()
    z = gx ** of_gradient + y
    z.backward()
    assert str(x.grad) == f"variable({float(wanted)})"


# -- arrays (steps 37 to 42) ----------------------------------------------------------------------


def test_elementwise_sums_and_their_gradients() -> None:
    x, c = V([[1, 2, 3], [4, 5, 6]]), V([[10, 20, 30], [40, 50, 60]])
    t = x + c
    y = F.sum(t)
    y.backward(retain_grad=True)
    assert str(y.grad) == "variable(1.0)"
    for v in (t, x, c):
        assert str(v.grad) == "variable([[1. 1. 1.]\n          [1. 1. 1.]])"


def test_gradients_of_integers_are_refused_with_advice() -> None:
    """The original gives integer gradients, and cuts them off in the next step; here integers are constants."""
    x = Variable(np.array([[1, 2, 3], [4, 5, 6]]))
    with pytest.raises(IntegerGradientError, match=r"int64.*x\.astype\(np\.float32\)"):
        F.sum(x + 1).backward()
    y = F.sum(x.astype(np.float32) * V([1, 2, 3]))
    assert float(y) == 46 and np.array_equal((x * 2).data, [[2, 4, 6], [8, 10, 12]])


def test_reshape_and_transpose_in_all_forms() -> None:
    x = V([[1, 2, 3], [4, 5, 6]])
    for y in (F.reshape(x, (6,)), x.reshape(6), x.reshape((6,)), x.reshape([6]), x.reshape(-1), x.reshape(np.int64(6))):
        y.backward(retain_grad=True)
        assert y.shape == (6,) and np.array_equal(x.grad.data, np.ones((2, 3))) and y.grad.shape == (6,)
        x.cleargrad()
    for y in (F.transpose(x), x.transpose(), x.T, x.transpose(1, 0), x.transpose((1, 0)), F.transpose(x, (1, 0)), x.transpose([1, 0])):
        y.backward()
        assert y.shape == (3, 2) and x.grad.shape == (2, 3)
        x.cleargrad()
    z = Variable(np.random.default_rng(0).normal(size=(1, 2, 3, 4)))
    assert z.transpose(1, 0, 3, 2).shape == (2, 1, 4, 3)
    shape = (3, 4)
    assert F.reshape(z, (-1, *shape)).shape == (2, 3, 4)


def test_sum_over_axes() -> None:
    x = V([1, 2, 3, 4, 5, 6])
    y = F.sum(x)
    y.backward()
    assert str(y) == "variable(21.0)" and str(x.grad) == "variable([1. 1. 1. 1. 1. 1.])"
    x = V([[1, 2, 3], [4, 5, 6]])
    y = F.sum(x, axis=0)
    y.backward()
    assert str(y) == "variable([5. 7. 9.])" and np.array_equal(x.grad.data, np.ones((2, 3)))
    z = Variable(np.ones((2, 3, 4, 5)))
    assert z.sum(keepdims=True).shape == (1, 1, 1, 1) and z.sum(axis=(0, 2)).shape == (3, 5) and z.sum(-1).shape == (2, 3, 4)


def test_broadcasting_and_its_gradient() -> None:
    a, b = V([1, 2, 3]), V([10])
    y = a + b
    y.backward()
    assert str(y) == "variable([11. 12. 13.])" and str(b.grad) == "variable([3.])"
    x = V([[1, 2, 3], [4, 5, 6]])
    y = F.sum_to(x, (1, 3))
    assert str(y) == "variable([[5. 7. 9.]])"
    y = F.sum_to(x, (2, 1))
    y.backward()
    assert str(y) == "variable([[ 6.]\n          [15.]])" and np.array_equal(x.grad.data, np.ones((2, 3)))
    assert F.broadcast_to(a, (2, 3)).shape == (2, 3)


def test_shapes_of_products() -> None:
    rng = np.random.default_rng(0)
    x, W = Variable(rng.normal(size=(2, 3))), Variable(rng.normal(size=(3, 4)))
    for y in (F.matmul(x, W), x.dot(W), x @ W, x.matmul(W)):
        y.backward()
        assert x.grad.shape == (2, 3) and W.grad.shape == (3, 4)


@pytest.mark.seeds
def test_linear_regression() -> None:
    np.random.seed(0)
    x = np.random.rand(100, 1)
    y = 5 + 2 * x + np.random.rand(100, 1)
    x, y = Variable(x), Variable(y)
    W, b = Variable(np.zeros((1, 1))), Variable(np.zeros(1))

    def mse(p: Variable, t: Variable) -> Variable:
        d = p - t
        return F.sum(d ** 2) / len(d)

    for _ in range(100):
        loss = mse(F.matmul(x, W) + b, y)
        W.cleargrad()
        b.cleargrad()
        loss.backward()
        W.data -= 0.1 * W.grad.data
        b.data -= 0.1 * b.grad.data
    assert f"{float(W):.3f} {float(b):.3f} {float(loss.data):.4f}" == "2.118 5.466 0.0791"
    assert math.isclose(float(F.mean_squared_error(F.matmul(x, W) + b, y)), float(mse(F.matmul(x, W) + b, y)))
