"""The chain rule that is told is the one that is run: evaluated, it gives the engine's gradients."""

from __future__ import annotations

import io
import sys
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Function, Parameter, Variable, checkpoint
from dezero.core.backprop import last_output
from dezero.errors import InputTypeError, IntegerGradientError, UntrackedError
from dezero.models import MLP
from dezero.viz import explain, keep_values
from dezero.viz.chain.between import MANY
from dezero.viz.explain import Explanation, explanation_of
from dezero.viz.graph import collect
from dezero.viz.values import Values, run_of
from tests.strict import to_strict
from tests.viz.graphs import HOSTILE, derivative, goldstein


def quiet(x: Variable, y: Variable, max_paths: int = 12) -> Explanation:
    """The explanation, without printing it."""
    return explain(x, y, max_paths=max_paths, file=io.StringIO())


def evaluated(e: Explanation) -> Any:
    return np.asarray(eval(e.expression, dict(e.names)))


def named(y: Variable, name: str) -> Variable:
    """A leaf of a graph by its name."""
    return next(place for place in collect(y).places.values() if isinstance(place, Variable) and place.name == name)


# -- random graphs -----------------------------------------------------------------------------------

ONE = [F.sin, F.exp, F.tanh, F.sigmoid, F.relu, F.square, F.log1p, F.softplus, lambda v: F.sqrt(F.abs(v) + 0.1), lambda v: -v, lambda v: v ** 3,
       lambda v: v * 2.5, lambda v: 1 / (v * v + 1), lambda v: v - 0.5, lambda v: F.clip(v, -0.5, 0.5), F.leaky_relu]
TWO = [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / (b * b + 1), F.maximum, F.minimum]
MORE = [F.sum, F.max, lambda v: F.sum(v, axis=-1), lambda v: F.mean(v, axis=0, keepdims=True), lambda v: v.reshape(-1), lambda v: v.T, lambda v: v[0],
        lambda v: F.softmax(v, axis=-1), lambda v: F.concatenate([v, v * 2.0], 0), lambda v: F.matmul(v, v.T),
        lambda v: F.broadcast_to(v, (2, *v.shape)), lambda v: F.linear(v.reshape(1, -1), Variable(np.ones((v.size, 2)))), F.logsumexp]
NAMES = ["x", "y", "W", "W", "b", "gx", "sin", "sum", "gy", "a", "lambda", None, None, None]


def random_graph(rng: np.random.Generator) -> tuple[list[Variable], Variable]:
    """Leaves and an output: numbers or arrays that broadcast, used again and again."""
    shapes = [()] if rng.random() < 0.4 else [(), (3,), (2, 3), (2, 1), (1, 3)]
    leaves = [Variable(rng.uniform(0.3, 1.5, shapes[rng.integers(len(shapes))]), name=NAMES[rng.integers(len(NAMES))])
              for _ in range(rng.integers(1, 5))]
    pool = list(leaves)
    for _ in range(rng.integers(2, 14)):
        a, b = pool[rng.integers(max(0, len(pool) - 4), len(pool))], pool[rng.integers(len(pool))]
        kind = rng.random()
        if kind < 0.45 or (kind > 0.8 and a.ndim == 0):
            v = ONE[rng.integers(len(ONE))](a)
        elif kind > 0.8:
            v = MORE[rng.integers(len(MORE))](a if a.size < 40 else F.sum(a, axis=0, keepdims=True))
        else:
            v = TWO[rng.integers(len(TWO))](a, b if fits(a, b) else F.sum(b))
        if rng.random() < 0.3:
            v.name = NAMES[rng.integers(len(NAMES))]
        pool.append(v if v.size < 200 else F.sum(v))
    return leaves, F.sum(pool[-1] * pool[-1]) if rng.random() < 0.5 else pool[-1]


def fits(a: Variable, b: Variable) -> bool:
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("seed", range(200))
def test_the_expression_evaluated_is_the_gradient(seed: int) -> None:
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        leaves, y = random_graph(rng)
        y.backward(retain_graph=bool(rng.random() < 0.5))
        for x in leaves:
            if x.grad is None or not np.isfinite(x.grad.data).all():
                continue
            e, size = quiet(x, y, 5), np.abs(x.grad.data).max()
            told = evaluated(e)
            assert told.shape == x.shape
            np.testing.assert_allclose(told, x.grad.data, rtol=1e-9, atol=1e-9 * size, err_msg=e.expression)
            np.testing.assert_allclose(e.value, x.grad.data, rtol=1e-12, atol=1e-12 * size)
            assert e.check()
            if len(e.paths) == e.count:
                np.testing.assert_allclose(sum(p.value for p in e.paths), x.grad.data, rtol=1e-9, atol=1e-9 * size)
            for step in e.steps:
                np.testing.assert_allclose(sum(part.value for part in step.parts), step.value, rtol=1e-9, atol=1e-9 * np.abs(step.value).max())


# -- what a reader sees --------------------------------------------------------------------------------

def test_numbers_are_products_of_local_derivatives(capsys: pytest.CaptureFixture[str]) -> None:
    x = Variable(np.array(2.0), name="x")
    y = F.sin(x) * x ** 2 + x
    y.backward()
    e = explain(x)
    assert capsys.readouterr().out == f"{e}\n" == """gx = ∂y/∂x = 2.973

Forward
  x          = 2
  a = sin(x) = 0.9093
  b = x ** 2 = 4
  c = a * b  = 3.637
  y = c + x  = 5.637

Paths from y back to x: 3
  1. y → c → a → x
     b · cos(x) = 4 · (-0.4161) = -1.665
  2. y → c → b → x
     a · 2 * x = 0.9093 · 4 = 3.637
  3. y → x
     1
  Their sum: -1.665 + 3.637 + 1 = 2.973

Backward
  gy = 1
  gc = gy                 = 1
  gb = gc * a             = 0.9093
  ga = gc * b             = 4
  gx = ga * cos(x)        = -1.665   sin
     + gb * 2 * x         = 3.637    pow
     + gy                 = 1        add
     = -1.665 + 3.637 + 1 = 2.973

In one formula
  gx = b * cos(x) + 2 * a * x + 1
"""
    assert e.expression == "b * cos(x) + 2 * a * x + 1" and sorted(e.names) == ["a", "b", "cos", "x"]
    assert float(x.grad.data) == float(e.value) and [p.variables for p in e.paths][2] == ("y", "x")  # type: ignore[union-attr]


def two_layers() -> tuple[Variable, list[Parameter]]:
    """The loss of a network of two layers, and its parameters."""
    rng = np.random.default_rng(0)
    W, b = [Parameter(rng.normal(size=s), name="W") for s in ((8, 5), (5, 3))], [Parameter(np.zeros(s), name="b") for s in (5, 3)]
    h = F.relu(F.linear(Variable(rng.normal(size=(32, 8)), name="x"), W[0], b[0]))
    h.name = "h"
    loss = F.softmax_cross_entropy(F.linear(h, W[1], b[1]), Variable(rng.integers(0, 3, 32), name="t"))
    loss.name = "loss"
    return loss, [*W, *b]


def test_arrays_are_nested_formulas_with_shapes() -> None:
    loss, (W1, W2, b1, _) = two_layers()
    e = quiet(W1, loss)
    assert e.formula == e.expression == "x.T @ (((1 / 32 * (softmax(c) - one_hot(t, 3))) @ W2.T) * (h > 0))"
    assert [(s.gradient, s.parts[0].formula) for s in e.steps] == [
        ("gloss", "1"), ("gc", "gloss / 32 * (softmax(c) - one_hot(t, 3))"), ("gh", "gc @ W2.T"), ("ga", "gh * (h > 0)"), ("gW1", "x.T @ ga")]
    assert [(line.variable, line.formula) for line in e.lines] == [
        ("x", ""), ("W1", ""), ("b1", ""), ("a", "linear(x, W1, b1)"), ("h", "relu(a)"), ("W2", ""), ("b2", ""), ("c", "linear(h, W2, b2)"),
        ("t", ""), ("loss", "softmax_cross_entropy(c, t)")]
    text = str(e)
    assert "gW1 = ∂loss/∂W1   (8, 5) mean" in text and "The path from loss back to W1\n  loss → c → h → a → W1\n" in text
    assert quiet(W2, loss).formula == "h.T @ (1 / 32 * (softmax(a) - one_hot(t, 3)))"
    assert quiet(b1, loss).steps[-1].parts[0].formula == "ga.sum(0)"
    loss.backward()
    np.testing.assert_allclose(evaluated(e), W1.grad.data, rtol=1e-9)  # type: ignore[union-attr]


def test_broadcasting_is_undone_in_the_formula() -> None:
    b, x = Variable(np.zeros(3), name="b"), Variable(np.arange(6.0).reshape(2, 3), name="x")
    e = quiet(b, F.sum((b + x) ** 2))
    assert e.steps[-1].parts[0].formula == "sum_to(ga, (3,))" and e.check()
    np.testing.assert_array_equal(evaluated(e), [6, 10, 14])
    assert "sum(y)" in str(quiet(b, b + x)) and "(2, 3)" in str(quiet(b, b + x))


def test_higher_derivatives_are_graphs_like_others() -> None:
    gx = derivative(F.tanh, 1)
    gx.name = "gx"
    e = quiet(named(gx, "x"), gx)
    assert e.gradient == "grad_x" and e.check() and "1 - a * a" in str(e)
    assert float(e.value) == pytest.approx(-2 * np.tanh(1.0) * (1 - np.tanh(1.0) ** 2))


def test_a_gradient_is_summed_where_paths_meet() -> None:
    e = quiet(named(z := goldstein(), "x"), z, 3)
    assert e.count == 8 and len(e.paths) == 3 and "and 5 more" in str(e) and e.check()
    z.backward()
    assert float(e.value) == float(named(z, "x").grad.data) == -5376  # type: ignore[union-attr]
    assert len(e.steps[-1].parts) == 8 and sum(float(p.value) for p in quiet(named(z, "x"), z).paths) == -5376


def test_results_parameters_and_the_output_itself_can_be_explained() -> None:
    x = Variable(np.array(2.0), name="x")
    a = x * x
    y = F.sin(a) + a
    assert quiet(a, y).expression == "cos(x) + 1" and quiet(a, y).check()
    assert quiet(y, y).expression == "1" and str(quiet(y, y)).startswith("gy = ∂y/∂y = 1\n")
    assert "named" not in str(quiet(a, y))


def test_numbers_are_found_before_and_after_backward() -> None:
    W, x = Variable(np.ones((3, 2)), name="W"), Variable(np.arange(6.0).reshape(2, 3), name="x")
    y = F.sum(F.tanh(F.matmul(x, W)) * F.exp(x[:, 0:2]))
    before = str(quiet(W, y))
    y.backward()
    assert str(quiet(W, y)) == before and quiet(W, y).complete
    x = Variable(np.array([1.0, 2.0]), name="x")
    for inside in (False, True):
        with keep_values() if inside else np.errstate():
            y = F.sum(x * np.array([3.0, 4.0]))
        x.cleargrad()
        y.backward()
        e = quiet(x, y)
        assert e.check() == e.complete == inside and ("keep_values" in str(e)) != inside
        assert e.count == 1 and "y → b → x" in str(e) and "gx = ∂y/∂x = [3, 4]" in str(e)


def test_no_gradient_changes_and_a_strange_one_is_noted() -> None:
    x = Variable(np.array(3.0), name="x")
    y = x * x
    e = quiet(x, y)
    assert x.grad is None and not e.notes
    y.backward(retain_graph=True)
    assert not quiet(x, y).notes
    y.backward()
    assert x.grad is not None and float(x.grad.data) == 12 and "x.grad holds something else" in str(quiet(x, y))


def test_hooks_are_noted() -> None:
    x = Variable(np.array(3.0), name="x")
    h = x * 2.0
    h.name = "h"
    h.register_hook(lambda g: g * 10)
    e = quiet(x, h * h)
    assert "a hook changes the gradient of h, which" in str(e) and not e.check()


# -- the output of the last backward -------------------------------------------------------------------

def test_the_last_output_is_remembered_weakly_and_by_thread() -> None:
    x = Variable(np.array(3.0), name="x")
    y = x * x
    y.backward()
    assert last_output() is y and explain(x, file=io.StringIO()).value == 6
    seen: list[Any] = []
    thread = threading.Thread(target=lambda: seen.append(last_output()))
    thread.start()
    thread.join()
    assert seen == [None]
    gone = weakref.ref(y)
    del y
    assert gone() is None and last_output() is None
    with pytest.raises(UntrackedError, match=r"pass the output: explain\(x, y\)"):
        explain(x)
    (z := Variable(np.array(1.0)) * 2.0).backward()
    with pytest.raises(UntrackedError, match=r"was not computed from x; pass the output: explain\(x, y\)"):
        x.explain()
    assert last_output() is z


def test_the_method_is_the_function(capsys: pytest.CaptureFixture[str]) -> None:
    x = Variable(np.array(3.0), name="x")
    assert x.explain(x * x).formula == "x + x" and capsys.readouterr().out.startswith("gx = ∂y/∂x = 6\n")


def test_wrong_inputs_are_refused() -> None:
    x = Variable(np.array(3.0), name="x")
    y = x * 2.0
    for args, error, match in (((3.0, y), InputTypeError, "x is 3.0: a Variable is expected"), ((x, [y]), InputTypeError, "y is list: a Variable"),
                               ((Variable(np.array(1)), y), IntegerGradientError, "x is int64"), ((x.detach(), y), UntrackedError, "x is a constant"),
                               ((Variable(np.array(1.0)), y), UntrackedError, "no path leads from y back"), ((x, x), UntrackedError, "is a leaf"),
                               ((y, x), UntrackedError, "x was computed from y, not y from x: are they swapped"),
                               ((y * 3, y), UntrackedError, "are they swapped"), ((y, Variable(np.array(1.0))), UntrackedError, "is a leaf")):
        with pytest.raises(error, match=match):
            explain(*args)  # type: ignore[arg-type]


def test_an_input_without_a_gradient_is_refused() -> None:
    class Choose(Function):
        def forward(self, x: Any, t: Any) -> Any: return x * (t > 0)
        def backward(self, gy: Variable) -> Any: return gy * (self.inputs[1].data > 0), None

    x, t = Variable(np.array(3.0), name="x"), Variable(np.array(1.0), name="t")
    with pytest.raises(UntrackedError, match="no gradient flows from the output to this variable: it is used as a constant there"):
        explain(t, Choose()(x, t))


# -- many ops, long chains, odd names --------------------------------------------------------------------

def networks() -> dict[str, Any]:
    """Losses of small networks of many kinds."""
    rng = np.random.default_rng(0)
    x, img = rng.normal(size=(4, 5)).astype(np.float32), rng.normal(size=(2, 3, 8, 8))
    t = np.array([0, 1, 2, 1])
    cell, head, gru, attend = L.LSTM(4), L.Linear(1), L.GRU(3), L.MultiHeadAttention(4, 2)
    conv = L.Sequential(L.Conv2d(3, 3, pad=1), L.BatchNorm(), F.relu, L.Conv2d(4, 3, stride=2), F.relu)
    seq = Variable(rng.normal(size=(2, 3, 4)), requires_grad=False)
    return {
        "mlp": F.softmax_cross_entropy(MLP((10, 3), activation=F.sigmoid)(x), t),
        "lstm": sum(F.mean_squared_error(head(cell(x[:2])), np.zeros((2, 1), np.float32)) for _ in range(3)),
        "gru": F.sum(gru(x[:2]) * gru(x[:2])),
        "conv": F.sum(F.average_pooling(conv(img), 3) ** 2),
        "attention": F.sum(F.layer_norm(attend(seq)) * rng.normal(size=(2, 3, 4))),
        "checkpoint": checkpoint(lambda h: F.sum(F.tanh(h) * h), L.Linear(2)(x)) * 3.0,
    }


@pytest.mark.seeds
def test_every_parameter_of_all_kinds_of_networks_can_be_explained() -> None:
    for name, loss in networks().items():
        found, values = collect(loss), run_of(loss)[1]
        parameters = [id_ for id_, place in found.places.items() if isinstance(place, Parameter) and id_ in values.gradients]
        assert parameters, name
        for id_ in parameters:
            e = explanation_of(found, values, id_, max_paths=3)
            assert e.check() and str(e).count("\n") > 5, (name, e.variable)
            np.testing.assert_allclose(evaluated(e), e.value, rtol=2e-3, atol=2e-4 * np.abs(e.value).max() + 1e-6)


def test_the_numbers_of_a_device_are_explained(strict_device: None) -> None:
    x = Variable(to_strict(np.array([1.0, 2.0])), name="x")
    e = quiet(x, F.sum(F.sin(x) * x))
    assert e.check() and type(e.value) is np.ndarray


@pytest.mark.parametrize("n", [3_000])
def test_long_chains_need_no_recursion(n: int) -> None:
    x = Variable(np.array(0.5), name="x")
    y = x
    for i in range(n):
        y = F.sin(y) if i % 2 else y * 1.0001
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(250)
    try:
        e = quiet(x, y)
        text, right = str(e), e.check()
    finally:
        sys.setrecursionlimit(limit)
    assert right and len(text) < 10_000 and "more …" in text and e.formula == "" and e.count == 1
    assert float(evaluated(e)) == pytest.approx(float(e.value), rel=1e-12)


def test_paths_are_counted_and_not_walked() -> None:
    x = Variable(np.array(0.1), name="x")
    y = x
    for _ in range(60):
        y = y * 0.5 + y * 0.4
    e = quiet(x, y, 4)
    assert e.count == MANY and len(e.paths) == 4 and "1,000,000,000,000 or more" in str(e) and e.check()
    assert quiet(x, y, 0).paths == () and len(e.expression) < 10_000
    y = x
    for _ in range(20):
        y = y + y
    assert quiet(x, y, 2).count == 2 ** 20 and float(quiet(x, y).value) == 2 ** 20


def test_odd_names_do_no_harm() -> None:
    x = Variable(np.array(1.5), name="x")
    y = x * 1.0
    leaves = [Variable(np.array(1.0 + i / 100), name=name) for i, name in enumerate([*HOSTILE, "lambda", "abs", "이름", "gx", "gy", "y", "x"])]
    for v in leaves:
        y = y * v
    e = quiet(x, y, 1)
    text = str(e)
    assert e.check() and evaluated(e) == pytest.approx(float(e.value)) and len(text) < 20_000
    assert not any(c in text for c in "\0\x1b\u202e\u2066\ud800\r\t") and "<script>" not in e._repr_html_()
    names = [line.variable for line in e.lines] + [s.gradient for s in e.steps]
    assert len(names) == len({*names}) and all(name.isidentifier() for name in names)
    assert str(quiet(x, y, 1)) == text


def test_a_screen_without_the_letters_does_not_stop_it() -> None:
    x = Variable(np.array(3.0), name="x")
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    explain(x, x * x, file=out)
    out.seek(0)
    assert out.read().startswith("gx = ?y/?x = 6\n")


def test_values_may_be_missing() -> None:
    x = Variable(np.array(3.0), name="x")
    y = x * x
    e = explanation_of(collect(y), Values(), "v0")
    assert e.value is None and not e.check() and e.formula == "x + x" and e.count == 2 and "gx = ∂y/∂x\n" in str(e)
