"""The tests made out of the rows notice what they are there for: ops that are wrong in one way each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dezero import Function, Variable
from dezero.core.arithmetic import Elementwise
from tests import test_ops as t
from tests.cases.case import Case, Floats
from tests.strict import StrictArray, to_strict, xp
from tests.test_ops import strict  # noqa: F401  (a fixture)


def row(op: Callable[..., Any], oracle: Any = np.exp, shapes: tuple[Any, ...] = ((2, 3),), **options: Any) -> Case:
    return Case("exp", tuple(Floats(s) for s in shapes), oracle, call=lambda F, *xs: op(*xs), label=getattr(op, "__name__", "row"), **options)


class Right(Elementwise):
    """exp as it should be."""

    def forward(self, x: Any) -> Any: return self.xp.exp(x)
    def grad_x(self, gy: Any, *, y: Any) -> Any: return gy * y


TESTS = [t.test_value, t.test_constants_leave_no_graph, t.test_first_derivative, t.test_second_derivative, t.test_float32_stays_float32,
         t.test_float16_stays_float16, t.test_zero_d, t.test_zero_size, t.test_strides_do_not_matter, t.test_memory_of_inputs_and_gradients]


@pytest.mark.parametrize("test", TESTS)
def test_a_right_op_passes(test: Any) -> None:
    test(row(lambda x: Right()(x), zero_size=((0, 3),)))


@pytest.mark.usefixtures("strict")
def test_a_right_op_passes_on_strict_arrays() -> None:
    t.test_strict_stand_in(row(lambda x: Right()(x)))


class WrongGradient(Right):
    def grad_x(self, gy: Any, *, y: Any) -> Any: return gy * y * 1.0001


class IgnoresIncoming(Right):
    def grad_x(self, gy: Any, *, y: Any) -> Any: return y


class SecondIsConstant(Right):
    def grad_x(self, gy: Any, *, y: Any) -> Any: return gy * np.asarray(y)


class Float64Gradient(Right):
    def grad_x(self, gy: Any, *, y: Any) -> Any: return gy * y * np.ones(1)


class Float64Value(Right):
    def forward(self, x: Any) -> Any: return np.exp(x) * np.ones(())


class ChangesInput(Right):
    def forward(self, x: Any) -> Any:
        y = np.exp(x)
        x += 1
        return y


class ChangesResult(Right):
    def grad_x(self, gy: Any, *, y: Any) -> Any:
        g = gy * y
        if not isinstance(y, Variable):
            y[...] = 0
        return g


class MixesWithHost(Right):
    def forward(self, x: Any) -> Any: return self.xp.exp(x) * np.ones(x.shape)


class Transposed(Right):
    def forward(self, x: Any) -> Any: return np.exp(np.ravel(x, order="K")).reshape(x.shape)


class HoldsOutput(Right):
    """Keeps its result for itself."""


def holds_output(x: Any) -> Any:
    fn = HoldsOutput()
    fn.mine = y = fn(x)
    return y


@pytest.mark.parametrize(("op", "tests"), [
    (WrongGradient, [t.test_first_derivative]),
    (IgnoresIncoming, [t.test_first_derivative, t.test_second_derivative]),
    (SecondIsConstant, [t.test_second_derivative]),
    (Float64Value, [t.test_float32_stays_float32, t.test_float16_stays_float16]),
    (ChangesInput, [t.test_memory_of_inputs_and_gradients]),
    (ChangesResult, [t.test_memory_of_inputs_and_gradients]),
    (Transposed, [t.test_strides_do_not_matter]),
])
def test_a_wrong_op_is_noticed(op: type[Function], tests: list[Any]) -> None:
    for test in tests:
        with pytest.raises(AssertionError):
            test(row(lambda x: op()(x)))


def test_a_gradient_of_another_dtype_is_noticed() -> None:
    with pytest.raises(AssertionError, match="float64 gradient, seen with create_graph=True"):  # though what lands in .grad is cast
        t.test_float32_stays_float32(row(lambda x: Float64Gradient()(x)))


def test_a_wrong_value_is_noticed() -> None:
    with pytest.raises(AssertionError):
        t.test_value(row(lambda x: Right()(x), lambda x: np.exp(x) + 1e-8))


def test_a_reference_cycle_is_noticed() -> None:
    with pytest.raises(AssertionError, match="still alive"):
        t.test_no_reference_cycle(row(holds_output), "no backward")


@pytest.mark.usefixtures("strict")
def test_mixing_with_numpy_is_noticed() -> None:
    with pytest.raises(TypeError, match="NumPy array"):
        t.test_strict_stand_in(row(lambda x: MixesWithHost()(x)))


# -- the stand-in itself -------------------------------------------------------------------------


def device() -> StrictArray:
    return to_strict(np.arange(6.0).reshape(2, 3))


@pytest.mark.parametrize("mix", [
    lambda x: np.exp(x), lambda x: np.asarray(x), lambda x: x + np.ones(3), lambda x: np.ones(3) + x, lambda x: xp.exp(np.ones(3)),
    lambda x: x[np.array([0, 1])], lambda x: x.__setitem__(0, np.ones(3)), lambda x: xp.concatenate([x, np.ones((2, 3))]), lambda x: np.sum(x),
    lambda x: xp.sum([1, 2]), lambda x: xp.add(x, 1, where=x > 0), lambda x: xp.add(x, np.array(1.0)), lambda x: x.dot(np.ones(3)),
    lambda x: x.sum(initial=1.0),
])
def test_the_stand_in_refuses_host_arrays(mix: Any) -> None:
    with pytest.raises(TypeError):
        mix(device())


def test_the_stand_in_lacks_what_cupy_lacks() -> None:
    for name in ("errstate", "nditer"):
        assert not hasattr(xp, name)
    assert not hasattr(xp.add, "at")
    assert not hasattr(device().flags, "writeable")


def test_the_stand_in_computes_as_numpy() -> None:
    x, a = device(), np.arange(6.0).reshape(2, 3)
    for got, expected in [(x + 1, a + 1), (2 / (x + 1), 2 / (a + 1)), (np.float64(2) * x, 2 * a), (x.sum(0), a.sum(0)), (x.sum(), a.sum()),
                          (x[:, None, 1], a[:, None, 1]), (x[x > 2], a[a > 2]), (xp.where(x > 2, x, 0.0), np.where(a > 2, a, 0)),
                          (xp.linalg.norm(x), np.linalg.norm(a)), (xp.stack([x, x]), np.stack([a, a])), (-x @ x.T, -a @ a.T), (x.max(1), a.max(1))]:
        assert isinstance(got, StrictArray)
        np.testing.assert_allclose(got.get(), expected)
    x += 1
    np.testing.assert_array_equal(x.get(), a + 1)
    assert isinstance(xp.random.default_rng(0).normal(size=3), StrictArray)
    assert xp.asarray(x) is x
    assert bool(xp.all(x > 0)) is True
