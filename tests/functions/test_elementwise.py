"""What rows cannot say of elementwise functions: conventions at kinks, dtypes of mixed inputs, safety, errors."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable
from dezero.backend import kernels_of
from dezero.backend.kernels import OVERRIDES, REFERENCE
from dezero.errors import InputTypeError, ShapeError


def gradient(f: Any, *xs: Any) -> Any:
    """The gradients of the sum of f at arrays (one alone comes without a list)."""
    vs = [Variable(np.asarray(x, float)) for x in xs]
    f(*vs).backward()
    gs = [v.grad.data.tolist() for v in vs]
    return gs[0] if len(gs) == 1 else gs


# -- conventions ------------------------------------------------------------------------------------


def test_abs_has_gradient_zero_at_zero() -> None:
    assert gradient(F.abs, [-2, 0, 2]) == [-1, 0, 1]
    assert gradient(abs, [-2, 0, 2]) == [-1, 0, 1]


@pytest.mark.parametrize("f", [F.sign, F.floor, F.ceil, F.round])
def test_steps_have_gradient_zero_even_under_an_infinite_one(f: Any) -> None:
    x = Variable(np.array([-1.5, 0.0, 0.2, 3.0]))
    y = f(x)
    y.grad = Variable(np.full(4, np.inf))
    y.backward()
    assert x.grad.data.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("f", [F.maximum, F.minimum])
def test_ties_share_the_gradient(f: Any) -> None:
    assert gradient(f, [1.0, 2.0], [1.0, 2.0]) == [[0.5, 0.5], [0.5, 0.5]]


def test_maximum_with_nan_gives_nan_and_no_gradient() -> None:
    x = Variable(np.array([np.nan, 1.0]))
    y = F.maximum(x, 0.0)
    y.backward()
    assert np.isnan(y.data[0])
    assert x.grad.data.tolist() == [0, 1]


def test_clip_passes_the_gradient_at_its_limits() -> None:
    assert gradient(lambda x: F.clip(x, 0, 1), [-1, 0, 0.5, 1, 2]) == [0, 1, 1, 1, 0]
    assert gradient(lambda x: x.clip(0, 1), [-1, 0, 2]) == [0, 1, 0]
    assert gradient(lambda x: F.clip(x, np.zeros(3), np.ones(3)), [0, 0.5, 1]) == [1, 1, 1]


def test_clip_with_variable_limits_sends_them_the_gradient() -> None:
    assert gradient(F.clip, [-1, 0.5, 3], [0, 0, 0], [1, 1, 1]) == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]


def test_clip_and_where_do_not_let_infinite_gradients_through() -> None:
    x = Variable(np.array([-1.0, 4.0]))
    y = F.clip(x, 0)
    y.grad = Variable(np.array([np.inf, 1.0]))
    y.backward()
    assert x.grad.data.tolist() == [0, 1]
    x0, x1 = Variable(np.array([1.0, 2.0])), Variable(np.array([3.0, 4.0]))
    y = F.where(np.array([True, False]), x0, x1)
    y.grad = Variable(np.array([np.nan, np.inf]))
    y.backward()
    assert x0.grad.data[1] == 0
    assert x1.grad.data[0] == 0


def test_where_guards_what_has_no_finite_value() -> None:
    def safe_log(x: Variable) -> Variable:
        return F.where(x > 0, F.log(F.where(x > 0, x, 1.0)), 0.0)
    assert gradient(safe_log, [-1, 0, 2]) == [0, 0, 0.5]


@pytest.mark.parametrize("condition", [True, np.True_, np.array(1), Variable(np.array([1, 0]))])
def test_where_takes_what_counts_as_a_condition(condition: Any) -> None:
    y = F.where(condition, Variable(np.array([1.0, 2.0])), 0.0)
    assert y.data[0] == 1


def test_sqrt_has_an_infinite_gradient_at_zero() -> None:
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert gradient(F.sqrt, [0.0]) == [math.inf]


# -- powers -----------------------------------------------------------------------------------------


def test_power_at_zero() -> None:
    base, exponent = gradient(F.pow, [0, 0, 0], [0, 1, 2])
    assert base == [0, 1, 0]
    assert exponent == [0, 0, 0]


def test_power_takes_any_side() -> None:
    x = Variable(np.array([2.0, 3.0]))
    c = np.array([3.0, 2.0])
    for y, expected in ((x ** 2, [4, 9]), (x ** c, [8, 9]), (2 ** x, [4, 8]), (2.0 ** x, [4, 8]), (c ** x, [9, 8]), (x ** x, [4, 27]),
                        (x ** np.float64(2), [4, 9]), (F.pow(2, x), [4, 8]), (F.pow(x, c=3), [8, 27]), (F.pow(x, Variable(c)), [8, 9])):
        np.testing.assert_allclose(y.data, expected)
    assert F.pow(2, 3).data == 8


@pytest.mark.parametrize(("base", "slope"), [(2.0, 4 * math.log(2)), (2, 4 * math.log(2)), (0, 0.0), (1.0, 0.0)])
def test_gradient_of_a_number_to_a_power(base: float, slope: float) -> None:
    assert gradient(lambda c: base ** c, 2.0) == pytest.approx(slope)


def test_power_of_one_and_zero_have_all_derivatives_at_zero() -> None:
    for c, expected in ((0, 0), (1, 0), (2, 2)):
        x = Variable(np.array(0.0))
        (x ** c).backward(create_graph=True)
        g = x.grad
        x.cleargrad()
        if g.creator is not None:
            g.backward()
        assert (0 if x.grad is None else x.grad.item()) == expected


# -- dtypes -----------------------------------------------------------------------------------------

BINARY = [F.add, F.sub, F.mul, F.div, F.pow, F.maximum, F.minimum, F.arctan2, lambda a, b: F.where(True, a, b), lambda a, b: F.where(False, a, b)]


@pytest.mark.parametrize("f", BINARY)
@pytest.mark.parametrize("number", [2, 2.5, np.float64(2.5), np.int64(2), True])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_numbers_do_not_change_the_dtype(f: Any, number: Any, dtype: str) -> None:
    for shape in ((3,), ()):
        for create_graph in (False, True):
            for order in (1, -1):
                x = Variable(np.full(shape, 1.5, dtype))
                y = f(*[x, number][::order])
                assert y.dtype == dtype
                y.backward(create_graph=create_graph)
                assert x.grad is None or x.grad.dtype == dtype


UNARY = ["abs", "sign", "square", "sqrt", "rsqrt", "reciprocal", "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "arcsin",
         "arccos", "arctan", "sinh", "cosh", "tanh", "erf", "floor", "ceil", "round", "neg", "copy", "identity"]


@pytest.mark.parametrize("name", UNARY)
def test_numbers_and_integers_are_constants(name: str) -> None:
    f = getattr(F, name)
    for x in (0.5, 1, np.float32(0.5), np.array(0.5), np.array([1, 1]), Variable(np.array([1, 1]))):
        y = f(x)
        assert isinstance(y, Variable)
        assert not y.requires_grad
    assert F.erf(Variable(np.array([0, 1], np.int8))).dtype == np.float64


# -- comparisons ------------------------------------------------------------------------------------


def test_comparisons_give_plain_arrays() -> None:
    x = Variable(np.array([1.0, 2.0, 3.0], np.float32))
    for y, expected in ((x < 2, [1, 0, 0]), (x <= 2, [1, 1, 0]), (x > 2, [0, 0, 1]), (x >= 2, [0, 1, 1]), (2 < x, [0, 0, 1]), (2 >= x, [1, 1, 0]),
                        (F.equal(x, x), [1, 1, 1]), (F.not_equal(2, x), [1, 0, 1]), (x < np.array([2, 2, 9]), [1, 0, 1])):
        assert type(y) is np.ndarray
        assert y.dtype == np.bool_
        assert y.tolist() == [bool(e) for e in expected]


def test_a_number_is_compared_in_the_dtype_of_its_partner() -> None:
    x = Variable(np.array([0.1], np.float32))
    assert F.equal(x, 0.1).all()
    assert F.equal(x, np.float64(0.1)).all()
    assert F.equal(1, 1).dtype == np.bool_


def test_comparison_errors() -> None:
    with pytest.raises(ShapeError, match=r"less: x0 \(2,\) float64 and x1 \(3,\) float64: the shapes must be equal"):
        F.less(np.zeros(2), np.zeros(3))
    with pytest.raises(InputTypeError, match=r"equal: x1 is a list: Variables, arrays and numbers are expected"):
        F.equal(np.zeros(2), [1, 2])


# -- errors and safety ------------------------------------------------------------------------------


@pytest.mark.parametrize("f", [F.add, F.maximum, F.pow, F.arctan2, lambda a, b: F.where(a > 0, a, b)])
def test_shapes_that_do_not_broadcast(f: Any) -> None:
    with pytest.raises(ShapeError, match=r"\(2, 3\) float64 and \w+ \(4,\) float64: the shapes must be equal, or each axis"):
        f(Variable(np.ones((2, 3))), np.ones(4))


def test_clip_errors() -> None:
    with pytest.raises(ValueError, match="both None"):
        F.clip(np.zeros(2))
    with pytest.raises(ValueError, match="x_min 2 is above x_max 1"):
        F.clip(np.zeros(2), 2, 1)


@pytest.mark.parametrize("name", ["abs", "sign", "square", "arctan", "tanh", "erf", "sin", "cos", "floor"])
def test_large_inputs_are_safe_in_float32(name: str) -> None:
    x = Variable(np.array([-1e4, -1e-30, 0, 1e-30, 1e4], np.float32))
    y = getattr(F, name)(x)
    y.backward()
    assert np.isfinite(y.data).all()
    assert np.isfinite(x.grad.data).all()


def test_exp_underflows_silently() -> None:
    assert F.exp(np.float32(-1e4)).item() == 0


# -- kernels ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-15), ("float32", 1e-6), ("float16", 1e-3)])
def test_erf_is_accurate(dtype: str, tolerance: float) -> None:
    x = np.concatenate([np.linspace(-7, 7, 20001), [0.46875, np.nextafter(0.46875, 0), 3.92, 6.0, 30.0]]).astype(dtype)
    exact = np.array([math.erf(v) for v in x.astype(float)])
    y = kernels_of(np).erf(x)
    assert y.dtype == dtype
    assert np.abs(y - exact).max() < tolerance
    inside = np.abs(exact) > 1e-2
    assert np.abs(y[inside] / exact[inside] - 1).max() < tolerance


def test_erf_keeps_its_digits_near_zero_and_its_sign() -> None:
    tiny = np.array([1e-300, -1e-10, 0.0, -0.0, np.inf, -np.inf, np.nan])
    y = kernels_of(np).erf(tiny)
    np.testing.assert_allclose(y[:2], tiny[:2] * 2 / math.sqrt(math.pi), rtol=1e-15)
    assert np.signbit(y[3])
    assert y[4:6].tolist() == [1, -1]
    assert np.isnan(y[6])
    np.testing.assert_allclose(kernels_of(np).erf(np.float32(1e-30)), 1.1283792e-30, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64"])
def test_select_agrees_with_its_reference(dtype: str) -> None:
    rng = np.random.default_rng(0)
    condition = rng.random((60, 70)) < 0.5
    x, y = (rng.normal(size=(2, 60, 70)) * 5).astype(dtype)
    if dtype != "int64":
        x[0], y[1] = np.nan, np.inf
    for a, b in ((x, y), (x, 0.0), (0.0, y), (x, 0), (x, 1.5), (x[0], y), (x[:, :1], y[0]), (x, y[0]), (x, np.float64(3)), (1, 2)):
        for c in (condition, condition[0], condition[::-1, ::-1]):
            fast, plain = OVERRIDES["numpy"]["select"](c, a, b), REFERENCE["select"](np, c, a, b)
            np.testing.assert_array_equal(fast, plain)
            assert fast.dtype == plain.dtype


def test_erf_needs_no_scipy() -> None:
    code = "import sys, numpy as np, dezero.functions as F; F.erf(np.array([1.0])); print('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"


def test_book_aliases() -> None:
    x0, x1 = np.array([6.0]), np.array([3.0])
    assert F.rsub(x0, x1).item() == -3
    assert F.rdiv(x0, x1).item() == 0.5
    assert F.add(2.0, Variable(x0)).item() == 8
