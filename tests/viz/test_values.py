"""The numbers of a graph: those that the program holds, and those of a run that is watched and leaves no trace."""

from __future__ import annotations

import gc
import sys
import weakref
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Function, Parameter, Variable, checkpoint, config, detect_anomaly, no_grad
from dezero.config import layer_scope
from dezero.errors import InputTypeError, ShapeError
from dezero.viz import collect_graph
from dezero.viz.graph import collect
from dezero.viz.values import Values, keep_values, run_of, shown_of, state_of
from tests.cases import CASES
from tests.cases.case import Floats
from tests.strict import to_strict
from tests.viz.graphs import classifier, derivative, goldstein

RNG = np.random.default_rng(3)


def named(output: Any, values: Values) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arrays and gradients by the names of the variables."""
    names = {v.id: v.name for v in collect_graph(output).variables if v.name}
    return ({names[i]: a for i, a in values.arrays.items() if i in names}, {names[i]: g for i, g in values.gradients.items() if i in names})


def check_flows(output: Any, values: Values) -> None:
    """What reaches a variable is the sum of what its users send."""
    graph = collect_graph(output)
    functions = {f.id for f in graph.functions}
    sums: dict[str, Any] = {}
    places: dict[str, int] = {}
    for a, b in graph.edges:
        if b in functions:
            k = places[b] = places.get(b, -1) + 1
            if (b, k) in values.flows:
                sums[a] = sums.get(a, 0) + values.flows[b, k]
    for id_, total in sums.items():
        if id_ not in graph.outputs:
            np.testing.assert_allclose(values.gradients[id_], total, rtol=1e-5, atol=1e-6)


class Cube(Function):
    def forward(self, x):
        return x ** 3

    def backward(self, gy):
        return 3 * self.inputs[0] ** 2 * gy


class Both(Function):
    def forward(self, x, y):
        return x * y, x + y

    def backward(self, gp, gs):
        x, y = self.inputs
        return gp * y + gs, gp * x + gs


def test_state_is_what_there_is_and_runs_nothing() -> None:
    x = Variable(np.array([3.0, 4.0]), name="x")
    with layer_scope("l"):
        h = x * 2.0
    h.name = "h"
    y = F.sum(h * x)
    y.name = "y"
    arrays, gradients = named(y, state_of(collect(y)))
    assert arrays["x"].tolist() == [3, 4] and arrays["h"].tolist() == [6, 8] and arrays["y"] == 50 and arrays["2"] == 2
    assert gradients == {}
    y.backward(retain_grad=True)
    _, gradients = named(y, state_of(collect(y)))
    assert gradients["x"].tolist() == [12, 16] and gradients["h"].tolist() == [3, 4] and gradients["y"] == 1
    assert all(type(g) is np.ndarray for g in gradients.values())


def test_state_of_the_dead_is_what_the_graph_kept() -> None:
    x = Variable(np.array([1.0, 2.0]))
    y = F.sum(F.exp(x) * F.sin(x))
    values = state_of(collect(y))
    kept = [a.tolist() for a in values.arrays.values()]
    assert np.exp([1.0, 2.0]).tolist() in kept and np.sin([1.0, 2.0]).tolist() in kept
    y.backward()
    assert np.exp([1.0, 2.0]).tolist() not in [a.tolist() for a in state_of(collect(y)).arrays.values()]


def test_what_a_picture_shows() -> None:
    x = Variable(np.array([1.0, 2.0]), name="x")
    h = F.exp(x) + 1.0
    y = F.sum(-h)
    h.name = "h"
    del h
    values = shown_of(collect(y), y, gradients=True)
    assert set(values.arrays) == {v.id for v in collect_graph(y).variables} and values.gradients == {}, "no backward yet"
    np.testing.assert_allclose(named(y, values)[0]["h"], np.exp([1.0, 2.0]) + 1)
    y.backward()
    x.grad = np.array([7.0, 7.0])
    _, gradients = named(y, shown_of(collect(y), y, gradients=True))
    assert gradients["x"].tolist() == [7, 7] and gradients["h"].tolist() == [-1, -1], "of a leaf what the program holds, of a result what it was"
    assert shown_of(collect(y), y, gradients=False).gradients.keys() == state_of(collect(y)).gradients.keys()
    assert x.grad.data.tolist() == [7, 7]


@pytest.mark.parametrize("when", ["before", "after", "kept"])
def test_a_run_finds_all_values_and_gradients(when: str) -> None:
    if when == "kept":
        with keep_values():
            y = goldstein()
    else:
        y = goldstein()
    before = collect_graph(y)
    if when != "before":
        y.backward()
    x = next(v for v in collect(y).places.values() if getattr(v, "name", None) == "x")
    held = None if x.grad is None else x.grad.data.copy()
    graph, values = run_of(y)
    assert graph == before
    assert set(values.arrays) == {v.id for v in graph.variables}
    assert {v.id for v in graph.variables if v.kind != "constant"} == set(values.gradients)
    assert set(values.order) == {f.id for f in graph.functions} and values.notes == ()
    arrays, gradients = named(y, values)
    assert arrays["z"] == 1876 and gradients["z"] == 1
    np.testing.assert_allclose([gradients["x"], gradients["y"]], [-5376.0, 8064.0])
    check_flows(y, values)
    assert (x.grad is None) == (held is None) and (held is None or x.grad.data == held)


def test_order_is_that_of_backward() -> None:
    x = Variable(np.array(1.0))
    graph, values = run_of(F.exp(F.sin(x)) * F.cos(x))
    names = {f.id: f.name for f in graph.functions}
    order = {f.id: f.order for f in graph.functions}
    assert [order[f] for f in values.order] == sorted(order.values(), reverse=True)
    assert names[values.order[0]] == "Mul"


@pytest.mark.seeds
def test_nothing_changes_in_the_program() -> None:
    rng = np.random.get_state()
    x = Parameter(np.array([1.0, 2.0], np.float32), name="x")
    x.grad = np.array([9.0, 9.0], np.float32)
    grad = x.grad
    with keep_values():
        y = F.sum(F.dropout(F.exp(x), 0.5) * x)
    np.random.set_state(rng)
    mode = config.current()
    for freed in (False, True):
        run_of(y)
        assert x.grad is grad and grad.data.tolist() == [9, 9] and y.grad is None
        assert config.current() is mode and np.array_equal(np.random.get_state()[1], rng[1])
        if not freed:
            y.backward()
            x.grad = grad
    with no_grad(), config.test_mode():
        _, again = run_of(y)
    assert again.gradients and again.notes == ()


def test_after_backward_numbers_are_those_of_before() -> None:
    y = classifier()
    _, before = run_of(y)
    y.backward(retain_graph=True)
    _, kept = run_of(y)
    assert set(kept.gradients) == set(before.gradients) and set(kept.flows) == set(before.flows)
    for id_, g in before.gradients.items():
        np.testing.assert_array_equal(kept.gradients[id_], g)
        assert kept.gradients[id_].dtype == g.dtype
    y.backward()
    _, freed = run_of(y)
    assert freed.flows == {} and "softmax_cross_entropy" in freed.notes[0] and "retain_graph=True" in freed.notes[0], "the labels are gone"
    with keep_values():
        y = classifier()
    y.backward()
    _, again = run_of(y)
    for id_, g in before.gradients.items():
        np.testing.assert_array_equal(again.gradients[id_], g)
    assert again.notes == () and set(again.arrays) == set(before.arrays)


def test_where_a_run_is_impossible_the_gradients_of_the_program_are_there() -> None:
    x = Variable(np.array([1.0, 2.0]), name="x")
    y = F.sum(x * np.array([2.0, 3.0]))
    y.backward()
    _, values = run_of(y)
    assert named(y, values)[1]["x"].tolist() == [2, 3] and values.order == () and len(values.notes) == 1
    assert "2 of 2 functions have no numbers, the first is mul" in values.notes[0]
    live = F.relu(x + np.array([1.0, 1.0]))
    note, = run_of(F.sum(live))[1].notes
    assert "the first is add" in note and "keep_values" in note and "retain_graph" not in note


def test_a_leaf_that_changed_is_told() -> None:
    x = Variable(np.array([1.0, 2.0]), name="x")
    y = F.sum(x * x)
    y.backward()
    x.data += 1
    _, values = run_of(y)
    assert "another now" in values.notes[0]
    assert named(y, values)[1]["x"].tolist() == [4, 6], "values and gradients belong together"
    with keep_values():
        y = F.sum(x * x)
    y.backward()
    x.data += 1
    _, values = run_of(y)
    assert values.notes == () and named(y, values)[0]["x"].tolist() == [2, 3] and named(y, values)[1]["x"].tolist() == [4, 6]
    assert x.data.tolist() == [3, 4]


def test_values_that_are_kept_are_copies() -> None:
    scale = Variable(np.array(2.0), name="scale")
    with keep_values():
        y = F.sum(F.broadcast_to(F.reshape(scale, (1,)), (3,)))
    scale.data[...] = 5.0
    y.backward()
    assert named(y, run_of(y)[1])[0]["scale"] == 2


def test_a_gradient_to_start_from() -> None:
    x = Variable(np.array([1.0, 2.0]), name="x")
    y = x * x
    assert named(y, run_of(y, np.array([1.0, 10.0]))[1])[1]["x"].tolist() == [2, 40]
    z = F.sin(x)
    values = run_of([y, z], [np.array([1.0, 0.0]), Variable(np.zeros(2))])[1]
    assert named([y, z], values)[1]["x"].tolist() == [2, 0]
    with pytest.raises(ShapeError, match=r"\(3,\).*\(2,\)"):
        run_of(y, np.ones(3))
    with pytest.raises(ValueError, match="1 gradients are given for 2 outputs"):
        run_of([y, z], [np.ones(2)])
    with pytest.raises(InputTypeError, match="a Variable or a list"):
        run_of(np.ones(2))


@pytest.mark.parametrize("freed", [False, True])
def test_several_outputs_of_a_function(freed: bool) -> None:
    x = Variable(np.arange(6.0), name="x")
    a, b, c = F.split(x, 3)
    a.name, b.name = "a", "b"
    y = F.sum(a * b)
    del c
    if freed:
        y.backward()
    _, values = run_of(y)
    arrays, gradients = named(y, values)
    assert arrays["b"].tolist() == [2, 3] and gradients["a"].tolist() == [2, 3] and gradients["x"].tolist() == [2, 3, 0, 1, 0, 0]
    check_flows(y, values)


@pytest.mark.parametrize("freed", [False, True])
def test_outputs_of_both_kinds(freed: bool) -> None:
    x, n = Variable(np.array([1.0, 2.0]), name="x"), Variable(np.array([1, 2]), name="n")
    y = F.sum(x * x)
    if freed:
        y.backward()
    _, values = run_of([y, x, n, y])
    assert named([y, x, n, y], values)[1]["x"].tolist() == [5, 9]
    assert named([y, x, n, y], values)[0]["n"].tolist() == [1, 2]


def test_leaves_alone() -> None:
    x = Variable(np.array([1.0, 2.0]))
    assert run_of(x)[1].gradients["v0"].tolist() == [1, 1] and x.grad is None
    for leaf in (Variable(None), Variable(np.arange(2)), Variable(np.ones(2), requires_grad=False)):
        assert run_of(leaf)[1].gradients == {}


@pytest.mark.parametrize("freed", [False, True])
def test_the_books_form(freed: bool) -> None:
    x, y = Variable(np.array(2.0), name="x"), Variable(np.array(3.0), name="y")
    p, s = Both()(Cube()(x), y)
    p.name = "p"
    z = p * s
    if freed:
        z.backward()
    _, values = run_of(z)
    arrays, gradients = named(z, values)
    assert arrays["p"] == 24 and gradients["p"] == 11
    np.testing.assert_allclose([gradients["x"], gradients["y"]], [(11 * 3 + 24) * 12, 11 * 8 + 24])
    check_flows(z, values)


class Noise(Function):
    def forward(self, x):
        return x + np.random.rand(2)

    def backward(self, gy):
        return gy


@pytest.mark.seeds
def test_random_numbers_of_the_program_are_not_used_up() -> None:
    x = Variable(np.array([1.0, 2.0]), name="x")
    y = F.sum(F.exp(Noise()(x)))
    y.backward()
    state = np.random.get_state()
    assert "draws random numbers" in run_of(y)[1].notes[0]
    assert np.random.get_state()[2] == state[2] and np.array_equal(np.random.get_state()[1], state[1])


@pytest.mark.seeds
def test_outputs_of_layers_are_held_for_those_who_look() -> None:
    layer = L.Linear(2, in_size=3)
    y = F.sum(layer(np.ones((4, 3), np.float32)))
    graph = collect_graph(y)
    result, = (v.id for v in graph.variables if v.shape == (4, 2))
    assert state_of(collect(y)).arrays[result].shape == (4, 2)


class Once(Function):
    def forward(self, x):
        if getattr(self, "ran", False):
            raise RuntimeError("only once")
        self.ran = True
        return x + 1.0

    def backward(self, gy):
        return gy


def test_a_function_that_does_not_run_again() -> None:
    x = Variable(np.array(2.0), name="x")
    y = Once()(x) * 2.0
    y.backward()
    _, values = run_of(y)
    assert "once: it did not run again (RuntimeError: only once)" in values.notes[0]
    assert named(y, values)[1]["x"] == 2


@pytest.mark.seeds
@pytest.mark.parametrize("freed", [False, True])
@pytest.mark.parametrize("keep", [False, True])
def test_checkpoint(freed: bool, keep: bool) -> None:
    x, W = Variable(np.array([1.0, 2.0]), name="x"), Parameter(np.array([3.0, 4.0]), name="W")
    masks = []

    def part(v: Variable) -> Variable:
        masks.append(F.dropout(v, 0.5).data.copy())
        return F.sin(v * W) * F.dropout(v, 0.5)

    def build() -> Variable:
        h = checkpoint(part, x * 1.0)
        h.name = "h"
        return F.sum(h * W)

    if keep:
        with keep_values():
            y = build()
    else:
        y = build()
    y.backward(retain_graph=not freed)
    gx, gW = x.grad.data.copy(), W.grad.data.copy()
    x.cleargrad(), W.cleargrad()
    state = np.random.get_state()
    graph, values = run_of(y)
    arrays, gradients = named(y, values)
    np.testing.assert_allclose(gradients["x"], gx)
    np.testing.assert_allclose(gradients["W"], gW)
    assert arrays["W"].tolist() == [3, 4] and arrays["h"].shape == (2,) and values.notes == ()
    assert np.array_equal(np.random.get_state()[1], state[1]) and np.random.get_state()[2] == state[2] and x.grad is None and W.grad is None
    assert {f.name for f in graph.functions} >= {"Checkpoint"}
    assert all(np.array_equal(mask, masks[0]) for mask in masks)
    check_flows(y, values)


def test_what_a_checkpoint_used_besides_its_arguments() -> None:
    x, W = Variable(np.array([1.0, 2.0]), name="x"), Parameter(np.array([3.0, 4.0]), name="W")
    with keep_values():
        y = F.sum(checkpoint(lambda v: F.sin(v * W), x))
    assert named(y, state_of(collect(y)))[0]["W"].tolist() == [3, 4]
    with keep_values():
        y = F.sum(checkpoint(lambda v: v * W, x) * W)
    W.data = np.array([5.0, 6.0])
    _, values = run_of(y)
    assert "backward did not run (ChangedInPlaceError: checkpoint: the function gave another result" in values.notes[0] and values.flows == {}
    W.data = np.array([3.0, 4.0])
    y.backward()
    W.data = np.array([5.0, 6.0])
    _, values = run_of(y)
    assert "another now" in values.notes[0], "it uses W as it is now"
    arrays, gradients = named(y, values)
    assert arrays["W"].tolist() == [3, 4] and gradients["W"].tolist() == [1 * 5 + 1 * 3, 2 * 6 + 2 * 4]


def test_checkpoint_of_what_was_not_given() -> None:
    x = Variable(np.array([1.0, 2.0]), name="x")
    h = F.exp(x)
    y = F.sum(checkpoint(lambda v: v * h, x))
    _, values = run_of(y)
    assert values.notes == () and named(y, values)[1]["x"].shape == (2,)
    y.backward()
    _, values = run_of(y)
    assert "checkpoint: it did not run again" in values.notes[0] and named(y, values)[1]["x"].tolist() == x.grad.data.tolist()


@pytest.mark.parametrize("freed", [False, True])
def test_hooks_run_as_in_backward(freed: bool) -> None:
    x = Variable(np.array([1.0, 2.0]), name="x")
    a, b = F.split(x * 3.0, 2)
    x.register_hook(lambda g: g + 1.0)
    a.register_hook(lambda g: g * 10.0)
    h = F.concatenate((a, b))
    h.register_hook(lambda g: g * 2.0)
    y = F.sum(h * h)
    y.backward(retain_graph=not freed)
    _, values = run_of(y)
    assert named(y, values)[1]["x"].tolist() == x.grad.data.tolist() == [1 * 3 * 2 * 2 * 10 * 3 + 1, 2 * 3 * 2 * 2 * 3 + 1]


def test_detect_anomaly_and_keep_values_go_together() -> None:
    x = Variable(np.array([1.0, 0.0]), name="x")
    with detect_anomaly(), keep_values():
        with pytest.raises(ArithmeticError, match="log, called at .*test_values.py"):
            F.log(x)
        y = F.sum(x * np.array([2.0, 3.0]))
        y.backward()
        _, values = run_of(y)
    assert named(y, values)[1]["x"].tolist() == [2, 3] and values.notes == ()
    with keep_values(), detect_anomaly():
        y = F.sum(x * np.array([2.0, 3.0]))
        y.backward()
    assert run_of(y)[1].gradients


def test_graphs_with_nan_can_be_looked_at() -> None:
    x = Variable(np.array([1.0, 0.0, -1.0]), name="x")
    with np.errstate(all="ignore"):
        y = F.sum(F.log(x) / x)
        y.backward()
    _, values = run_of(y)
    assert np.isnan(named(y, values)[1]["x"][2]) and values.notes == ()
    with detect_anomaly():
        assert np.isnan(run_of(y)[1].gradients["v0"][2])


@pytest.mark.parametrize("freed", [False, True])
def test_dtypes_stay(freed: bool) -> None:
    x, W = Variable(np.ones((2, 3), np.float16), name="x"), Parameter(np.ones((3, 2), np.float32), name="W")
    y = F.sum(F.tanh(F.matmul(x, W) * 0.5).astype(np.float16))
    if freed:
        y.backward()
    graph, values = run_of(y)
    known = {v.id: v for v in graph.variables}
    for id_, a in (*values.arrays.items(), *values.gradients.items()):
        if known[id_].kind != "constant":
            assert (a.dtype, a.shape) == (known[id_].dtype, known[id_].shape), known[id_]
    _, gradients = named(y, values)
    assert gradients["x"].dtype == np.float16 and gradients["W"].dtype == np.float32 and values.notes == ()


@pytest.mark.parametrize("freed", [False, True])
def test_device_arrays_come_as_host_arrays(freed: bool, strict_device: Any) -> None:
    x, W = Variable(to_strict(np.ones((2, 3))), name="x"), Parameter(to_strict(np.ones((3, 2))), name="W")
    with keep_values():
        y = F.sum(F.relu(F.matmul(x, W) + to_strict(np.array([1.0, 2.0])))) * 2.0
    state = state_of(collect(y))
    if freed:
        y.backward()
        assert all(type(g) is np.ndarray for g in state_of(collect(y)).gradients.values())
    _, values = run_of(y)
    every = [*state.arrays.values(), *values.arrays.values(), *values.gradients.values(), *values.flows.values()]
    assert all(type(a) is np.ndarray for a in every) and values.notes == ()
    assert named(y, values)[1]["W"].tolist() == [[4, 4]] * 3


def test_cut_graphs() -> None:
    x = Variable(np.array(1.0), name="x")
    h = F.sin(x)
    h.name = "h"
    y = F.exp(h) * h
    h.unchain()
    for freed in (False, True):
        if freed:
            y.backward()
        arrays, gradients = named(y, run_of(y)[1])
        assert "x" not in arrays
        np.testing.assert_allclose([arrays["h"], gradients["h"]], [np.sin(1.0), np.exp(np.sin(1.0)) * (1 + np.sin(1.0))])

    a = F.sin(x)
    y = F.exp(F.cos(a) + a)
    y.unchain_backward()
    graph, values = run_of(y)
    assert values.gradients[graph.outputs[0]] == 1 and set(values.gradients) == {v.id for v in graph.variables}


def test_gradients_of_gradients() -> None:
    with keep_values():
        gx = derivative(F.tanh, 2)
    _, before = run_of(gx)
    expected = 6 * np.tanh(1.0) ** 4 - 8 * np.tanh(1.0) ** 2 + 2
    for freed in (False, True):
        if freed:
            gx.backward()
        graph, values = run_of(gx)
        leaf, = [v.id for v in graph.variables if v.name == "x"]
        np.testing.assert_allclose(values.gradients[leaf], -expected)
        assert set(values.arrays) == {v.id for v in graph.variables} and set(before.flows) == set(values.flows)
        check_flows(gx, values)


def test_a_long_chain_without_recursion() -> None:
    limit = sys.getrecursionlimit()
    x = Variable(np.array(1.0), name="x")
    y = x
    for _ in range(5_000):
        y = y + 1.0
    sys.setrecursionlimit(300)
    try:
        assert len(state_of(collect(y)).arrays) > 5_000
        _, values = run_of(y)
        assert len(values.order) == 5_000
        y.backward()
        graph, values = run_of(y)
        assert named(y, values)[1]["x"] == 1 and len(values.arrays) == 10_001 and values.notes == ()
        del values, graph
    finally:
        sys.setrecursionlimit(limit)


def test_nothing_stays_in_memory() -> None:
    gc.collect()
    gc.disable()
    try:
        with keep_values():
            x = Variable(np.ones(1000), name="x")
            y = F.sum(checkpoint(F.exp, F.sin(x)) * x)
        last = y.creator
        held = [weakref.ref(last), weakref.ref(x), weakref.ref(last.inputs[0])]
        for freed in (False, True):
            if freed:
                y.backward()
            graph, values = run_of(y)
            held.append(weakref.ref(next(a for a in values.flows.values() if a.size)))
            del graph, values
        del y, last, x
        assert [r() for r in held] == [None] * len(held)
    finally:
        gc.enable()


@pytest.mark.seeds
def test_a_model_before_and_after_a_step() -> None:
    net = L.Sequential(L.Linear(4, in_size=3), L.BatchNorm(), F.relu, L.Dropout(0.5), L.Linear(2, in_size=4))
    x, t = Variable(np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32), requires_grad=False), np.zeros(5, int)
    with keep_values():
        loss = F.softmax_cross_entropy(net(x), t)
    buffers = [b.data.copy() for b in net.buffers()]
    _, before = run_of(loss)
    loss.backward()
    _, after = run_of(loss)
    assert before.notes == after.notes == ()
    for id_, g in before.gradients.items():
        np.testing.assert_allclose(after.gradients[id_], g, rtol=1e-6)
    for p in net.params():
        assert any(np.array_equal(p.grad.data, g) for g in after.gradients.values())
    assert all(np.array_equal(a, b.data) for a, b in zip(buffers, net.buffers(), strict=True)), "running statistics stay"


@pytest.mark.seeds
@pytest.mark.parametrize("case", [case for case in CASES if case.first and any(isinstance(x, Floats) for x in case.inputs)], ids=lambda case: case.id)
def test_every_op(case: Any) -> None:
    rng = np.random.default_rng(7)
    np.random.seed(0)
    inputs = [x.draw(rng) for x in case.inputs]
    with keep_values():
        variables = [Variable(x) if isinstance(kind, Floats) else x for x, kind in zip(inputs, case.inputs, strict=True)]
        ys = case.run(F, *variables)
        ys = [y for y in (ys if isinstance(ys, (tuple, list)) else [ys]) if isinstance(y, Variable) and y.requires_grad]
    graph = collect_graph(ys)
    loss = sum((F.sum(y * (k + 1.0)) for k, y in enumerate(ys)), 0.0)
    _, before = run_of(loss)
    loss.backward()
    _, after = run_of(loss)
    assert collect_graph(ys) == graph, "the graph is the same after backward"
    assert before.notes == after.notes == ()
    for v in variables:
        if isinstance(v, Variable) and v.grad is not None:
            places = collect(loss).places
            for id_ in (id_ for id_, place in places.items() if place is v):
                np.testing.assert_allclose(before.gradients[id_], v.grad.data, rtol=1e-9, atol=1e-12)
                np.testing.assert_allclose(after.gradients[id_], v.grad.data, rtol=1e-9, atol=1e-12)
    shapes = {v.id: v.shape for v in collect_graph(loss).variables}
    functions = collect(loss).functions
    places: dict[str, int] = {}
    for a, b in collect_graph(loss).edges:
        if b in functions:
            k = places[b] = places.get(b, -1) + 1
            assert (b, k) not in after.flows or after.flows[b, k].shape == before.flows[b, k].shape == shapes[a]
    assert set(after.arrays) == set(before.arrays) == {v.id for v in collect_graph(loss).variables}


def test_detect_anomaly_inside_of_keep_values_lets_it_keep() -> None:
    x = Variable(np.array([1.0, 2.0]))
    with keep_values(), detect_anomaly():
        y = F.sum(x * np.array([3.0, 4.0]))
    y.backward()
    _, values = run_of(y)
    assert not values.notes and values.gradients["v0"].tolist() == [3.0, 4.0]


def test_a_limit_gives_up_the_oldest_copies() -> None:
    x = Variable(np.ones(100), name="x")
    with keep_values(limit=5_000):  # an op has copies of 2,400 bytes
        ys = [x * np.full(100, float(i)) for i in range(5)]
        gone = x * np.full(100, 9.0)
        del gone
        last = x * np.full(100, 5.0)
    for y in (*ys, last):
        y.backward()
        y.data = None
    kept = [y for y in (*ys, last) if "v2" in run_of(y)[1].arrays]
    assert kept == [last], "the one that is gone had its share"
    np.testing.assert_array_equal(run_of(last)[1].arrays["v2"], np.full(100, 5.0))
