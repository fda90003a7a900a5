"""The formulas that are shown are those that are run."""

from __future__ import annotations

import ast
import weakref
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Function, Variable, checkpoint
from dezero.core.operators import OPS
from dezero.viz.chain.between import Chain
from dezero.viz.chain.bound import Bound
from dezero.viz.formula import Opaque, formula_of
from dezero.viz.graph import Collection, collect
from dezero.viz.reading.symbolic import evaluate
from dezero.viz.values import Values, run_of
from tests import opcheck as oc
from tests.cases import CASES
from tests.cases.case import Case

DIFFERENTIABLE = [c for c in CASES if c.first and oc.floats(c)]


def run(case: Case) -> tuple[Collection, Values]:
    """The graph of a row of the table of ops, with its numbers."""
    if case.random:
        np.random.seed(0)
    ys = [y for y in oc.run(case, oc.variables(case, oc.draw(case))) if oc.tracked(y)]
    return collect(ys), run_of(ys)[1]


def rules(found: Collection, values: Values) -> Any:
    """Each formula of a graph: (function, input, the formula's value, the engine's), for random gradients of the results."""
    chain = Chain(found, values, "v0")
    bound = Bound(found, values, chain.sources, chain.results, list(found.functions), "v0")
    numbers = {name: values.arrays[v] for v, name in bound.names.items() if v in values.arrays}
    rng = np.random.default_rng(0)
    for f, fn in found.functions.items():
        outputs = [(fn._shape, fn._dtype)] if fn._shape is not None else fn._dtype
        gys = [rng.normal(size=shape).astype(dtype) for shape, dtype in outputs]
        for i, _, _ in fn._plan.calls:
            helpers = {name: bound.value_of(name) for name in bound.helpers}
            incoming = {j: bound.gradient(r) for j, r in bound.places[f].items()}
            gradients = {bound.gradients[r]: gys[j] for j, r in bound.places[f].items()}
            sent = [gys[j] if j in bound.places[f] else np.zeros_like(gys[j]) for j in range(len(gys))]
            yield fn, i, evaluate(bound.rule(f, i, incoming), gradients, numbers, helpers), bound.backward_of(f, i)(*sent)


@pytest.mark.parametrize("case", [pytest.param(c, id=c.id, marks=[pytest.mark.seeds] if c.random else []) for c in DIFFERENTIABLE])
def test_a_formula_evaluated_is_the_engines_gradient(case: Case) -> None:
    for fn, i, told, engine in rules(*run(case)):
        assert np.shape(told) == engine.shape, (fn, fn.argument(i))
        np.testing.assert_allclose(told, engine, rtol=1e-9, atol=1e-10, err_msg=f"{fn.op}, {fn.argument(i)}: {formula_of(fn).gradients}")


def test_formulas_that_are_told_in_parts_are_the_engines_gradients() -> None:
    told = set()
    for case in DIFFERENTIABLE:
        if case.random or not case.name.startswith(SAID):
            continue
        found, values = run(case)
        for id_, fn in found.functions.items():
            formula, arrays = formula_of(fn), inputs_of(found, values, id_)
            for i, rule in formula.rules.items():
                if rule.said and isinstance(rule.said[0][0], ast.expr):
                    told.add(fn.op)
                    check_parts(fn, i, rule, formula.results, arrays)
    assert told == {*SAID}


SAID = ("batch_norm", "instance_norm", "layer_norm", "rms_norm", "cholesky", "glu", "lstm_cell", "gru_cell", "scaled_dot_product_attention")


def inputs_of(found: Collection, values: Values, id_: str) -> dict[str, Any]:
    """The arrays of a function's inputs and results, by the names in its formula."""
    formula = formula_of(found.functions[id_])
    sources = [a for a, b in found.graph.edges if b == id_]
    results = {v.index: v.id for v in found.graph.variables if (id_, v.id) in found.graph.edges}
    arrays = {formula.arguments[i]: values.arrays[a] for i, a in zip(found.inputs[id_], sources, strict=True) if a in values.arrays}
    return arrays | {formula.results[j]: values.arrays[v] for j, v in results.items()}


def check_parts(fn: Any, i: int, rule: Any, results: tuple[str, ...], arrays: dict[str, Any]) -> None:
    """Evaluate a formula with its definitions, the last one first."""
    xs = [arrays.get(a) for a in formula_of(fn).arguments]
    twin = fn._again()
    leaves = [x if x is None or not fn.needs_grad(k) else Variable(x) for k, x in enumerate(xs)]
    ys = twin(*leaves)
    ys = ys if isinstance(ys, list) else [ys]
    rng = np.random.default_rng(1)
    gys = [rng.normal(size=y.shape) for y in ys]
    sum((F.sum(y * g) for y, g in zip(ys[1:], gys[1:], strict=True)), F.sum(ys[0] * gys[0])).backward()
    names: dict[str, Any] = {**arrays, **dict(zip(results, [y.data for y in ys], strict=True)), **dict(zip(rule.incoming, gys, strict=True)), **MATHS}
    formula, *where = rule.parts()
    for part in reversed(where):
        left, _, right = part.partition(" = ")
        value = eval(right, names)
        names.update({left: value} if ", " not in left else dict(zip(left.split(", "), value, strict=True)))
    engine = leaves[i].grad.data  # type: ignore[union-attr]
    np.testing.assert_allclose(eval(formula, names), engine, rtol=1e-5, atol=1e-7 + 1e-6 * np.abs(engine).max(), err_msg=rule.text())


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def gates(a: Any, b: Any = None) -> Any:
    """Those of an LSTM from the sum of its inputs, those of a GRU from what x and h send."""
    if b is None:
        i, f, g, o = np.split(a, 4, 1)
        return sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    (r, z, n), (hr, hz, hn) = np.split(a, 3, 1), np.split(b, 3, 1)
    return (s := sigmoid(r + hr)), sigmoid(z + hz), np.tanh(n + s * hn)


def half_lower(a: Any) -> Any:
    return np.tril(a) - 0.5 * np.eye(a.shape[-1]) * a


MATHS = {"sqrt": np.sqrt, "tanh": np.tanh, "sigmoid": sigmoid, "gates": gates, "concatenate": np.concatenate, "inv": np.linalg.inv,
         "halves": lambda x, axis: np.split(x, 2, axis), "lower_triangle_with_half_the_diagonal": half_lower,
         "softmax": lambda x: (e := np.exp(x - x.max(-1, keepdims=True))) / e.sum(-1, keepdims=True)}


def shown(y: Variable) -> tuple[str, dict[str, str]]:
    formula = formula_of(y.creator)
    return formula.forward, formula.gradients


X, W, V = (Variable(np.arange(1.0, n + 1).reshape(shape)) for n, shape in ((6, (2, 3)), (12, (3, 4)), (3, (3,))))


@pytest.mark.parametrize(("y", "forward", "gradients"), [
    (F.sin(X), "y = sin(x)", {"x": "gx = gy * cos(x)"}),
    (F.cos(X), "y = cos(x)", {"x": "gx = gy * -sin(x)"}),
    (F.tanh(X), "y = tanh(x)", {"x": "gx = gy * (1 - y * y)"}),
    (X * X, "y = a * b", {"a": "ga = gy * b", "b": "gb = gy * a"}),
    (X / X, "y = a / b", {"a": "ga = gy / b", "b": "gb = -gy * y / b"}),
    (X * 2.5, "y = a * 2.5", {"a": "ga = gy * 2.5"}),
    (-X, "y = -x", {"x": "gx = -gy"}),
    (X ** 2, "y = x ** 2", {"x": "gx = gy * 2 * x"}),
    (X ** 3, "y = x ** 3", {"x": "gx = gy * 3 * x ** 2"}),
    (X ** -2, "y = x ** -2", {"x": "gx = gy * -2 * x ** -3"}),
    (F.log2(X), "y = log2(x)", {"x": "gx = gy / (x * 0.693147)"}),
    (X + V, "y = a + b", {"a": "ga = gy", "b": "gb = sum_to(gy, (3,))"}),
    (F.relu(X), "y = relu(x)", {"x": "gx = gy * (y > 0)"}),
    (F.leaky_relu(X, 0.1), "y = leaky_relu(x, slope=0.1)", {"x": "gx = gy * ((x > 0) + (1 - (x > 0)) * 0.1)"}),
    (F.maximum(X, 2.0), "y = maximum(x0, 2)", {"x0": "gx0 = gy * ((x0 > 2) + 0.5 * (x0 == 2))"}),
    (F.clip(X, 2, None), "y = clip(x, x_min=2, x_max=None)", {"x": "gx = where(x >= 2, gy, 0)"}),
    (F.silu(X), "y = silu(x)", {"x": "gx = gy * sigmoid(x) * (x * (1 - sigmoid(x)) + 1)"}),
    (F.matmul(X, W), "y = a @ b", {"a": "ga = gy @ b.T", "b": "gb = a.T @ gy"}),
    (F.linear(X, W, Variable(np.ones(4))), "y = linear(x, W, b)", {"x": "gx = gy @ W.T", "W": "gW = x.T @ gy", "b": "gb = gy.sum(0)"}),
    (F.sum(X, axis=1), "y = sum(x, axis=1)", {"x": "gx = broadcast_to(gy.reshape((2, 1)), (2, 3))"}),
    (F.mean(X), "y = mean(x)", {"x": "gx = broadcast_to(gy / 6, (2, 3))"}),
    (F.reshape(X, (3, 2)), "y = x.reshape((3, 2))", {"x": "gx = gy.reshape((2, 3))"}),
    (X.T, "y = x.T", {"x": "gx = gy.transpose()"}),
    (F.transpose(X, (1, 0)), "y = x.transpose((1, 0))", {"x": "gx = gy.transpose((1, 0))"}),
    (X[1:, 0], "y = x[1:, 0]", {"x": "gx = zeros((2, 3)) with gy added at [1:, 0]"}),
    (X[np.array([0, 0])], "y = x[index0]", {"x": "gx = zeros((2, 3)) with gy added at [index0]"}),
    (F.concatenate([X, X], 1), "y = concatenate(x0, x1, axis=1)", {"xs[0]": "gx0 = gy[:, 0:3]", "xs[1]": "gx1 = gy[:, 3:6]"}),
    (F.softmax(X), "y = softmax(x)", {"x": "gx = gy * y - y * (gy * y).sum(1, keepdims=True)"}),
    (F.softmax_cross_entropy(X, np.array([0, 2])), "y = softmax_cross_entropy(x, t)", {"x": "gx = gy / 2 * (softmax(x) - one_hot(t, 3))"}),
    (F.mean_squared_error(X, X), "y = mean_squared_error(x0, x1)", {"x0": "gx0 = gy * (x0 - x1)", "x1": "gx1 = -gy * (x0 - x1)"}),
    (F.prod(X), "y = prod(x)", {"x": "gx = gy * the product of the other elements of x"}),
    (F.einsum("ij,jk->ik", X, W), "y = einsum(operand0, operand1, subscripts='ij,jk->ik')",
     {"operands[0]": "goperand0 = einsum(gy, operand1, subscripts='ik,jk->ij')",
      "operands[1]": "goperand1 = einsum(gy, operand0, subscripts='ik,ij->jk')"}),
    (F.conv2d(Variable(np.ones((1, 1, 4, 4))), Variable(np.ones((1, 1, 2, 2))), stride=2), "y = conv2d(x, W, stride=(2, 2))",
     {"x": "gx = conv_transpose2d(gy, W, stride=(2, 2), outsize=(4, 4))", "W": "gW = conv2d_grad_w(x, gy, kernel_size=(2, 2), stride=(2, 2))"}),
    (F.rnn_cell(X, Variable(np.ones((2, 4))), W, Variable(np.ones((4, 4)))), "y = rnn_cell(x, h, Wx, Wh)",
     {"x": "gx = (gy * (1 - y * y)) @ Wx.T", "h": "gh = (gy * (1 - y * y)) @ Wh.T", "Wx": "gWx = x.T @ (gy * (1 - y * y))",
      "Wh": "gWh = h.T @ (gy * (1 - y * y))"}),
], ids=lambda v: v if isinstance(v, str) else "")
def test_what_a_reader_sees(y: Variable, forward: str, gradients: dict[str, str]) -> None:
    assert shown(y) == (forward, gradients)


def test_all_ops_have_formulas_that_say_something() -> None:
    """The table of ops as a reader sees it: few gradients have but a name."""
    unread, ops = set(), set()
    for case in DIFFERENTIABLE:
        if case.random:
            continue
        for fn in run(case)[0].functions.values():
            formula = formula_of(fn)
            ops.add(fn.op)
            assert formula.forward.partition(" = ")[2] and formula.gradients.keys() <= {fn.argument(i) for i in range(len(fn._edges))}
            assert all(len(text) < 600 and text.startswith("g") for text in formula.gradients.values())
            unread |= {fn.op for rule in formula.rules.values() if not rule.said and any(isinstance(h, Opaque) for h in rule.helpers.values())}
    assert unread == {"index_set", "index_add", "group_norm", "rnn_cell", "lstm_cell", "gru_cell", "rnn", "lstm", "gru",
                      "scaled_dot_product_attention", "weighted_softmax_cross_entropy", "nll_loss"}
    assert len(ops) > 110 and ops <= {*OPS, "take_along_axis", "embedding"}


# -- ops of users ----------------------------------------------------------------------------------------

class Cube(Function):
    def forward(self, x: Any) -> Any: return x ** 3

    def backward(self, gy: Variable) -> Any:
        x, = self.inputs
        return 3 * x ** 2 * gy


class Scaled(Function, op="scaled"):
    broadcasts = scalars = True

    def __init__(self, k: float) -> None: self.k = k
    def forward(self, x: Any) -> Any: return np.tanh(x * self.k)
    def grad_x(self, gy: Any, *, y: Any) -> Any: return gy * self.slope(y)

    def slope(self, y: Any) -> Any:
        if self.k == 1:
            return 1 - y * y
        return (1 - y * y) * self.k


class Loop(Function):
    def forward(self, x: Any, *others: Any) -> Any: return x ** 4

    def backward(self, gy: Variable) -> Any:
        g = gy
        for x in [self.inputs[0]] * 3:
            g = g * x
        return g * 4


class Pair(Function):
    def forward(self, a: Any, b: Any) -> Any: return a * np.exp(b)

    def backward(self, gy: Variable) -> Any:
        b, y = self.inputs[1], self.outputs[0]()
        return gy * F.exp(b), gy * y


class Branch(Function):
    def forward(self, x: Any) -> Any: return np.abs(x)
    def backward(self, gy: Variable) -> Any: return gy if self.inputs[0].data.sum() > 0 else -gy


class Mask(Function):
    def forward(self, x: Any) -> Any:
        self.mask = x > 1
        return x * self.mask

    def backward(self, gy: Variable) -> Any: return gy * self.mask


class Two(Function):
    def forward(self, x: Any) -> Any: return x * 2, x ** 2
    def backward(self, g0: Variable, g1: Variable) -> Any: return g0 * 2 + g1 * 2 * self.inputs[0]


@pytest.mark.parametrize(("y", "forward", "gradients"), [
    (Cube()(X), "y = x ** 3", {"x": "gx = 3 * x ** 2 * gy"}),
    (Scaled(1)(X), "y = tanh(x)", {"x": "gx = gy * (1 - y * y)"}),
    (Scaled(2.5)(X), "y = tanh(x * 2.5)", {"x": "gx = gy * 2.5 * (1 - y * y)"}),
    (Loop()(X), "y = x ** 4", {"x": "gx = gy * 4 * x * x * x"}),
    (Pair()(X, X), "y = a * exp(b)", {"a": "ga = gy * exp(b)", "b": "gb = gy * y"}),
    (Branch()(X), "y = absolute(x)", {"x": "gx = branch_grad_x(gy)"}),
    (Mask()(X), "y = x * (x > 1)", {"x": "gx = gy * mask"}),
    (Two()(X)[0], "y0, y1 = two(x)", {"x": "gx = g0 * 2 + g1 * 2 * x"}),
    (checkpoint(lambda h: h * 2, X), "y = checkpoint(x)", {"input 0": "gx = checkpoint_grad_x(gy)"}),
], ids=lambda v: v if isinstance(v, str) else "")
def test_ops_of_users_are_read(y: Variable, forward: str, gradients: dict[str, str]) -> None:
    if not forward.startswith("y = checkpoint"):
        assert shown(y) == (forward, gradients)
    for fn, i, told, engine in rules(collect(y), run_of(y)[1]):
        np.testing.assert_allclose(told, engine, rtol=1e-12, err_msg=f"{fn.op}, {i}")


def test_reading_runs_no_code_of_the_user() -> None:
    calls = []

    class Loud(Function):
        def forward(self, x: Any) -> Any: return x * 2

        def backward(self, gy: Variable) -> Any:
            calls.append(gy)
            print("backward")
            return gy * 2

    y = Loud()(X)
    formula = formula_of(y.creator)
    assert not calls and formula.gradients == {"x": "gx = loud_grad_x(gy)"}


def test_without_source_a_name_stands_for_the_formula() -> None:
    names: dict[str, Any] = {"Function": Function}
    exec("class Hidden(Function):\n  def forward(self, x): return x * 5\n  def backward(self, gy): return gy * 5", names)
    y = names["Hidden"]()(X)
    assert shown(y) == ("y = hidden(x)", {"x": "gx = hidden_grad_x(gy)"})
    for _, _, told, engine in rules(collect(y), run_of(y)[1]):
        np.testing.assert_array_equal(told, engine)


def test_a_change_in_place_is_not_read_as_a_sum() -> None:
    class Sly(Function):
        def forward(self, x: Any) -> Any: return x * 3

        def backward(self, gy: Variable) -> Any:
            g = gy
            g = g + gy
            twice = g
            twice += gy
            return g

    assert shown(Sly()(X))[1] == {"x": "gx = sly_grad_x(gy)"}


def test_formulas_are_found_once_for_equal_settings_and_hold_no_graph() -> None:
    a, b = F.sum(X, axis=1), F.sum(X * 1.0, axis=1)
    assert formula_of(a.creator) is formula_of(b.creator)
    assert formula_of(F.sum(X, axis=0).creator) is not formula_of(a.creator)
    x = Variable(np.ones(3))
    y = Mask()(x)
    gone = weakref.ref(y.creator)
    formula_of(y.creator)
    del y
    assert gone() is None
