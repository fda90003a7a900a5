"""Activations: conventions at kinks, safety far out, integers, errors."""

from __future__ import annotations

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable
from dezero.errors import ShapeError

ACTIVATIONS = {
    "sigmoid": F.sigmoid, "sigmoid_simple": F.sigmoid_simple, "relu": F.relu, "leaky_relu": F.leaky_relu, "elu": F.elu, "selu": F.selu,
    "gelu": F.gelu, "gelu tanh": lambda x: F.gelu(x, approximate=True), "silu": F.silu, "softplus": F.softplus,
    "softplus beta": lambda x: F.softplus(x, beta=3.0), "hard_tanh": F.hard_tanh, "mish": F.mish, "prelu": lambda x: F.prelu(x, 0.25),
    "glu": F.glu, "softmax": F.softmax, "softmax_simple": F.softmax_simple, "log_softmax": F.log_softmax,
}
FAR = [[-1e4, 1e4, 0.0, 1e4], [1e4, -1e4, 1e4, 0.0], [-1e4, -1e4, -1e4, -1e4], [3e3, 88.0, -88.0, -104.0]]
LIMITS = {"sigmoid": (0, 1), "relu": (0, 1e4), "leaky_relu": (-2e3, 1e4), "elu": (-1, 1e4), "gelu": (0, 1e4), "gelu tanh": (0, 1e4), "silu": (0, 1e4),
          "softplus": (0, 1e4), "hard_tanh": (-1, 1), "mish": (0, 1e4), "prelu": (-2.5e3, 1e4), "sigmoid_simple": (0, 1)}


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_far_out_values_and_derivatives_are_finite(name: str, dtype: type) -> None:
    x = Variable(np.array(FAR, dtype))
    y = ACTIVATIONS[name](x)
    y.grad = Variable(np.linspace(-1, 1, y.size, dtype=dtype).reshape(y.shape))
    y.backward(create_graph=True)
    first = x.grad
    assert y.dtype == first.dtype == dtype
    assert np.isfinite(y.data).all()
    assert np.isfinite(first.data).all()
    if first.creator is not None:
        x.cleargrad()
        first.backward()
        assert x.grad is None or np.isfinite(x.grad.data).all()  # None for straight pieces


@pytest.mark.parametrize("name", LIMITS)
def test_far_out_limits(name: str) -> None:
    np.testing.assert_allclose(ACTIVATIONS[name](np.float32([-1e4, 1e4])).data, LIMITS[name], rtol=1e-6, atol=2e-6)


@pytest.mark.parametrize(("f", "slope"), [
    (F.relu, 0.0), (F.leaky_relu, 0.2), (F.elu, 1.0), (lambda x: F.elu(x, alpha=0.5), 0.5), (F.selu, 1.0507009873554805 * 1.6732632423543772),
    (lambda x: F.prelu(x, 0.3), 0.3), (F.sigmoid, 0.25), (F.sigmoid_simple, 0.25)])
def test_derivative_at_zero(f: object, slope: float) -> None:
    x = Variable(np.zeros(2))
    f(x).backward()
    np.testing.assert_allclose(x.grad.data, slope, rtol=1e-12)


def test_hard_tanh_is_flat_at_its_corners() -> None:
    x = Variable(np.array([-1.0, 1.0, 0.999]))
    F.hard_tanh(x).backward()
    assert x.grad.tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_integers_are_taken(name: str) -> None:
    x = np.array([[-2, 0], [1, 3]])
    np.testing.assert_allclose(ACTIVATIONS[name](x).data, ACTIVATIONS[name](x.astype(float)).data, rtol=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS.keys() - {"glu", "softmax", "softmax_simple", "log_softmax"})
def test_plain_numbers_are_taken(name: str) -> None:
    np.testing.assert_allclose(ACTIVATIONS[name](0.7).data, ACTIVATIONS[name](np.array([0.7])).data[0], rtol=1e-12)


def test_log_softmax_is_exact_where_softmax_is_zero() -> None:
    y = F.log_softmax(np.float32([[0.0, -500.0]]))
    assert y.data.tolist() == [[0.0, -500.0]]


@pytest.mark.parametrize("f", [F.softmax, F.log_softmax])
def test_one_sample_needs_its_axis(f: object) -> None:
    with pytest.raises(ShapeError, match=r"softmax: x \(3,\) float64: x has no axis 1: pass axis=-1"):
        f(np.ones(3))
    assert f(np.ones(3), axis=-1).shape == (3,)


def test_masked_scores_get_no_probability() -> None:
    x = Variable(np.array([[0.0, -np.inf, 0.0]]))
    y = F.softmax(x)
    y.grad = Variable(np.array([[1.0, 2.0, 3.0]]))
    y.backward()
    assert y.tolist() == [[0.5, 0.0, 0.5]]
    np.testing.assert_allclose(x.grad.data, [[-0.5, 0.0, 0.5]])


def test_softmax_of_half_precision_sums_exactly() -> None:
    y = F.softmax(np.zeros((1, 4096), np.float16))
    assert y.dtype == np.float16
    np.testing.assert_allclose(y.data.astype(float).sum(), 1.0, rtol=1e-3)


def test_prelu_refuses_a_slope_that_fits_no_axis() -> None:
    with pytest.raises(ShapeError, match=r"prelu: x \(2, 3\) float64 and slope \(2,\) float64: slope must be one number or shape \(3,\)"):
        F.prelu(np.ones((2, 3)), np.ones(2))


def test_prelu_learns_its_slope() -> None:
    slope = Variable(np.float32([0.25]))
    F.prelu(np.float32([[-2.0, 3.0], [-1.0, 0.0]]), slope).backward()
    assert slope.grad.tolist() == [-3.0]
    assert slope.grad.dtype == np.float32


@pytest.mark.parametrize(("call", "message"), [
    (lambda x: F.elu(x, alpha=-1.0), "elu: alpha is -1.0: it must not be negative"),
    (lambda x: F.softplus(x, beta=0), "softplus: beta is 0: it must be positive"),
    (lambda x: F.glu(x), r"glu: x \(2, 3\) float64: axis -1 must be an axis of even size"),
    (lambda x: F.glu(x, axis=5), r"glu: x \(2, 3\) float64: axis 5 must be an axis of even size")])
def test_wrong_parameters(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(np.ones((2, 3)))


def test_inputs_stay_as_they_are() -> None:
    x = np.array([[3.0, -1.0], [0.5, 2.0]])
    before = x.copy()
    for f in ACTIVATIONS.values():
        f(Variable(x)).backward()
    np.testing.assert_array_equal(x, before)


@pytest.mark.torch
@pytest.mark.parametrize("name", ["selu", "elu", "silu", "mish", "gelu", "softplus", "leaky_relu", "hard_tanh", "glu"])
def test_as_pytorch(name: str) -> None:
    import torch
    x = np.random.default_rng(0).normal(size=(3, 4)) * 3
    proper = {"hard_tanh": "hardtanh"}.get(name, name)
    u = torch.tensor(x, requires_grad=True)
    extra = {"negative_slope": 0.2} if name == "leaky_relu" else {}
    expected = getattr(torch.nn.functional, proper)(u, **extra)
    expected.sum().backward()
    v = Variable(x)
    y = getattr(F, name)(v)
    y.backward()
    np.testing.assert_allclose(y.data, expected.detach().numpy(), rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(v.grad.data, u.grad.numpy(), rtol=1e-6, atol=1e-12)
