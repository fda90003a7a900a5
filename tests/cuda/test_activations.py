"""Elementwise ops on the device: each value and each gradient is one launch and nothing else, in every dtype, and equals the op's own maths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, grad
from dezero.backend import kernels_of
from dezero.backend.cuda.launch import counting
from dezero.backend.kernels import FUSED
from dezero.core.operators import OPS
from tests import strict
from tests.strict import to_strict

pytestmark = pytest.mark.usefixtures("emulated")

Call = Callable[..., Any]
SLOPE = (0.1, 1.0)
# Op -> call, range of each input; how many launches forward takes if not one of a kernel: 0 where CuPy's own function is one.
ONE: dict[str, tuple[Call, list[tuple[float, float]], int]] = {
    "relu": (F.relu, [(-2, 2)], 1), "sigmoid": (F.sigmoid, [(-9, 9)], 1), "silu": (F.silu, [(-9, 9)], 1), "gelu": (F.gelu, [(-6, 6)], 1),
    "tanh_gelu": (lambda x: F.gelu(x, approximate=True), [(-6, 6)], 1), "softplus": (lambda x: F.softplus(x, beta=2.5), [(-9, 9)], 1),
    "mish": (F.mish, [(-9, 9)], 1), "leaky_relu": (F.leaky_relu, [(-2, 2)], 1), "elu": (lambda x: F.elu(x, 0.7), [(-4, 4)], 1),
    "selu": (F.selu, [(-4, 4)], 1), "hard_tanh": (F.hard_tanh, [(-2, 2)], 1), "prelu": (F.prelu, [(-2, 2), SLOPE], 1),
    "glu": (F.glu, [(-3, 3)], 1), "pow": (lambda x: x ** 3, [(-2, 2)], 1), "rsqrt": (F.rsqrt, [(0.2, 4)], 1),
    "clip": (lambda x: F.clip(x, -0.5, 1), [(-2, 2)], 1), "erf": (F.erf, [(-3, 3)], 1),
    "div": (F.div, [(-2, 2), (0.5, 2)], 0), "power": (F.pow, [(0.2, 2), (-2, 2)], 0), "square": (F.square, [(-2, 2)], 0),
    "sqrt": (F.sqrt, [(0.1, 4)], 0), "reciprocal": (F.reciprocal, [(0.5, 4)], 1), "expm1": (F.expm1, [(-2, 2)], 0),
    "log1p": (F.log1p, [(-0.5, 4)], 0), "log2": (F.log2, [(0.2, 4)], 0), "log10": (F.log10, [(0.2, 4)], 0), "sin": (F.sin, [(-4, 4)], 0),
    "cos": (F.cos, [(-4, 4)], 0), "tan": (F.tan, [(-1, 1)], 0), "arcsin": (F.arcsin, [(-0.9, 0.9)], 0), "arccos": (F.arccos, [(-0.9, 0.9)], 0),
    "arctan": (F.arctan, [(-3, 3)], 0), "arctan2": (F.arctan2, [(0.2, 2), (0.2, 2)], 0), "sinh": (F.sinh, [(-3, 3)], 0),
    "cosh": (F.cosh, [(-3, 3)], 0), "tanh": (F.tanh, [(-3, 3)], 0), "abs": (F.abs, [(-2, 2)], 0), "maximum": (F.maximum, [(-2, 2), (-2, 2)], 0),
    "minimum": (F.minimum, [(-2, 2), (-2, 2)], 0),
}
LOSSES: dict[str, tuple[Call, list[tuple[float, float]]]] = {
    "mean_squared_error": (F.mean_squared_error, [(-2, 2), (-2, 2)]), "mean_absolute_error": (F.mean_absolute_error, [(-2, 2), (-2, 2)]),
    "huber": (lambda x, t, reduction="mean": F.huber(x, t, 0.5, reduction), [(-2, 2), (-2, 2)]),
    "sigmoid_cross_entropy": (F.sigmoid_cross_entropy, [(-5, 5), (0, 1)]), "binary_cross_entropy": (F.binary_cross_entropy, [(0.05, 0.95), (0, 1)]),
    "kl_div": (F.kl_div, [(-5, 0), (0, 1)]),
}
TOLERANCE = {"float16": 4e-3, "float32": 2e-5, "float64": 1e-12, "bfloat16": 3e-2}
SHAPES: dict[str, Any] = {"a matrix": (7, 10), "one element": (1, 2), "nothing": (0, 4), "large": (41, 80)}


def of(dtype: str) -> Any:
    return np.dtype(pytest.importorskip("ml_dtypes").bfloat16) if dtype == "bfloat16" else np.dtype(dtype)


def draw(ranges: Any, shape: Any, dtype: str) -> list[Any]:
    rng = np.random.default_rng(0)
    shapes = [shape, shape if len(ranges) < 2 or ranges[1] != SLOPE else shape[1:]]  # PReLU's slope broadcasts
    return [rng.uniform(low, high, s).astype(of(dtype)) for (low, high), s in zip(ranges, shapes, strict=False)]


class Work:
    """Counts launches of our kernels, and what else of the array module is run."""

    def __init__(self, monkeypatch: Any) -> None:
        self.other = 0
        wrap = strict.wrap

        def counted(y: Any) -> Any:
            self.other += isinstance(y, (np.ndarray, np.generic))
            return wrap(y)

        monkeypatch.setattr(strict, "wrap", counted)


def run(call: Call, xs: Any, seed: int = 1) -> tuple[Any, list[Any]]:
    """The value, and the gradients from a random one that flows in."""
    vs = [Variable(x) for x in xs]
    y = call(*vs)
    w = np.asarray(np.random.default_rng(seed).normal(size=y.shape)).astype(y.dtype)
    y.grad = Variable(to_strict(w) if isinstance(y.data, strict.StrictArray) else w, requires_grad=False)
    y.backward()
    return y.data, [None if v.grad is None else v.grad.data for v in vs]


def compare(found: Any, expected: Any, dtype: str, tolerance: float) -> None:
    """``expected`` is the host's in float64 for half precision, since the device computes in float32."""
    expected = np.asarray(expected, np.float64)
    assert found.dtype == of(dtype)
    np.testing.assert_allclose(found.get().astype(np.float64), expected, rtol=tolerance, atol=tolerance * (1 + np.abs(expected).max(initial=0)))


def both(call: Call, xs: Any, dtype: str = "float64", tolerance: float = 1e-12) -> None:
    """The device's value and gradients are the host's."""
    (y, gs), (expected, wanted) = (run(call, [move(x) for x in xs]) for move in (to_strict, np.asarray))
    for f, e in zip([y, *gs], [expected, *wanted], strict=True):
        compare(f, e, dtype, tolerance)


def exact(xs: Any, dtype: str) -> list[Any]:
    return [x.astype(np.float64) for x in xs] if dtype in ("float16", "bfloat16") else xs


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("op", [*ONE, *LOSSES])
def test_values_and_gradients_are_those_of_the_host(op: str, shape: str, dtype: str) -> None:
    call, ranges = (ONE[op] if op in ONE else LOSSES[op])[:2]
    xs = draw(ranges, SHAPES[shape], dtype)
    y, gs = run(call, [to_strict(x) for x in xs])
    expected, wanted = run(call, exact(xs, dtype))
    compare(y, expected, dtype, TOLERANCE[dtype])
    for g, e in zip(gs, wanted, strict=True):
        compare(g, e, dtype, (1 if g.size == xs[0].size else 20) * TOLERANCE[dtype])


@pytest.mark.parametrize("op", ONE)
def test_one_launch_forward_and_one_for_each_gradient(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    call, ranges, forward = ONE[op]
    xs = [Variable(to_strict(x)) for x in draw(ranges, (7, 10), "float32")]
    work = Work(monkeypatch)
    views = 2 if op == "glu" else 0  # both halves of the input, and of its gradient
    with counting() as launches:
        y = call(*xs)
    assert (launches.total(), work.other) == (forward, 1 - forward + views)
    node: Any = y.creator
    work.other = 0
    with counting() as launches:
        for _, formula, takes in node._plan.calls:
            kept = () if takes is None else (node._kept[takes],) if type(takes) is int else takes(node._kept)
            formula(node, y.data, *kept)
    own = len(FUSED["cupy"][op].parts) - ("forward" in FUSED["cupy"][op].parts)  # the others are one function of CuPy each
    assert (launches.total(), work.other) == (own, len(xs) - own + 2 * views)


@pytest.mark.parametrize("op", LOSSES)
def test_a_loss_is_one_launch_and_a_sum_and_one_launch_backward(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    call, ranges = LOSSES[op]
    x, t = (to_strict(x) for x in draw(ranges, (7, 10), "float32"))
    v = Variable(x)
    one = Variable(to_strict(np.ones((), np.float32)), requires_grad=False)
    work = Work(monkeypatch)
    monkeypatch.setattr(strict.StrictArray, "__bool__", lambda self: pytest.fail("the host waits for the device"))
    with counting() as launches:
        y = call(v, t)
    assert launches == {f"dezero_{op}": 1}
    before = work.other
    y.grad = one
    with counting() as launches:
        y.backward()
    assert launches.total() == 1
    assert before <= 3, "the room for the elements, their sum, its dtype"
    assert work.other - before <= 0


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("op", LOSSES)
def test_losses_reduce_as_on_the_host(op: str, reduction: str) -> None:
    call, ranges = LOSSES[op]
    both(lambda x, t: call(x, t, reduction=reduction), draw(ranges, (5, 6), "float64"))


def test_a_mean_of_many_in_half_precision_neither_overflows_nor_vanishes() -> None:
    x = np.full((2, 4000), 30, np.float16)
    assert float(F.huber(to_strict(x), to_strict(x * 0)).data.get()) == 29.5


@pytest.mark.parametrize(("op", "x", "t"), [("sigmoid_cross_entropy", 0.5, -1.0), ("binary_cross_entropy", 0.5, 2.0),
                                            ("binary_cross_entropy", 1.5, 1.0), ("kl_div", -1.0, -0.5)])
def test_what_the_host_refuses_is_nan_on_the_device(op: str, x: float, t: float) -> None:
    assert np.isnan(getattr(F, op)(to_strict(np.full((2, 3), x)), to_strict(np.full((2, 3), t))).data.get())


FAR = np.array([-1e4, 1e4, -300.0, 300.0, -0.0, 0.0, -30.0, 30.0])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("op", ["sigmoid", "silu", "gelu", "tanh_gelu", "softplus", "mish", "elu", "selu", "leaky_relu", "hard_tanh", "relu", "tanh"])
def test_far_out_all_is_finite_and_nan_stays_nan(op: str, dtype: str) -> None:
    call = ONE[op][0]
    y, (gx,) = run(call, [to_strict(FAR.astype(dtype))])
    expected, (ex,) = run(call, [FAR])
    rtol, atol = (2e-2, 4e-3) if dtype == "float16" else (1e-5, 1e-5)
    for found, e in ((y, expected), (gx, ex)):
        np.testing.assert_allclose(found.get(), e.astype(dtype), rtol=rtol, atol=atol)
    y, (gx,) = run(call, [to_strict(np.array([np.nan, 1.0], dtype))])
    host, (hx,) = run(call, [np.array([np.nan, 1.0], dtype)])
    np.testing.assert_array_equal(np.isnan(y.get()), np.isnan(host))
    np.testing.assert_array_equal(np.isnan(gx.get()), np.isnan(hx))


@pytest.mark.parametrize("op", ["gelu", "tanh_gelu"])
def test_half_precision_costs_no_cast_and_higher_orders_do_not_overflow(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    call = ONE[op][0]
    x = Variable(to_strict(np.array([-300.0, -1.0, 0.5, 300.0], np.float16)))
    work = Work(monkeypatch)
    y = call(x)
    assert work.other == 0
    gx = grad(y, x, to_strict(np.ones(4, np.float16)), create_graph=True)
    ggx = grad(gx, x, to_strict(np.ones(4, np.float16)))
    assert gx.dtype == ggx.dtype == np.float16
    wide = Variable(x.data.get().astype(float))
    expected = grad(call(wide), wide, np.ones(4), create_graph=True)
    np.testing.assert_allclose(gx.data.get(), expected.data, rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(ggx.data.get(), grad(expected, wide, np.ones(4)).data, rtol=5e-3, atol=5e-3)


def test_numbers_broadcasting_and_other_strides_are_served() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.uniform(0.5, 2, (4, 1, 6)), rng.uniform(0.5, 2, (5, 1))
    for call in (F.div, F.maximum, F.arctan2, F.pow):
        both(lambda a, b, call=call: call(a.T, b[::-1]), [a, b])
    for call in (lambda x: 3 / x, lambda x: F.maximum(x, 1), lambda x: F.pow(2.0, x), lambda x: F.clip(x, x_max=1)):
        both(call, [a])
    for c in (0, 1, 2, 3, 4, 0.5, -2, 2.5):
        both(lambda x, c=c: x ** c, [a])


def test_what_no_kernel_serves_runs_the_ops_own_maths(emulated: Any) -> None:
    ints, floats = np.array([[-2, 0], [1, 3]]), np.ones((2, 2), np.float32)
    with counting() as launches:
        for call in (F.sigmoid, F.gelu, F.glu, F.softplus, F.selu, lambda x: F.clip(x, 0, 1), lambda x: x ** 3, F.erf):
            np.testing.assert_allclose(call(Variable(to_strict(ints))).data.get(), call(Variable(ints)).data, rtol=1e-12)
        y, _ = run(F.div, [to_strict(floats), to_strict(2 * floats.astype(np.float64))])  # two dtypes
        assert y.dtype == np.float64
        assert kernels_of(emulated).erf(to_strict(ints)).dtype == np.float64
    assert launches.keys() <= {"dezero_erf", "dezero_div_grad_b"}, "these find floats of one dtype on the way"


def test_at_a_limit_rounded_to_the_dtype_the_gradient_passes() -> None:
    x = np.array([0.1, 0.3], np.float16)
    for move in (to_strict, np.asarray):
        _, (gx,) = run(lambda v: F.clip(v, 0.1, 0.3) * 1.0, [move(x)])
        assert (strict.unwrap(gx) != 0).all() if move is to_strict else (gx != 0).all()


def test_every_row_names_an_op_and_its_formulas() -> None:
    for op, entry in FUSED["cupy"].items():
        cls = OPS["gather" if op == "embedding" else op]  # an embedding is a gather under a name of its own
        for part in entry.parts:
            assert part == "forward" or part in cls.wants, f"{op}: {part}"
