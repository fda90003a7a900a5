"""What is collected of a graph: everything once, by names that stay, at any depth."""

from __future__ import annotations

import numpy as np
import pytest

import dezero.functions as F
from dezero import Function, Parameter, Variable, no_grad
from dezero.config import layer_scope
from dezero.errors import InputTypeError
from dezero.viz import Graph, collect_graph
from tests.viz.graphs import classifier, derivative, goldstein


def one(graph: Graph, name: str) -> object:
    found = [v for v in graph.variables if v.name == name]
    assert len(found) == 1, f"{name} is there {len(found)} times"
    return found[0]


def test_a_variable_used_twice_is_one_node_with_two_edges() -> None:
    x = Variable(np.array([1.0, 2.0]), name="x")
    graph = collect_graph(x * x)
    assert [(v.id, v.kind, v.name, v.shape, v.dtype, v.generation) for v in graph.variables] == [
        ("v0", "leaf", "x", (2,), "float64", 0), ("v1", "result", None, (2,), "float64", 1)]
    assert graph.edges == (("v0", "f0"), ("v0", "f0"), ("f0", "v1"))
    assert graph.outputs == ("v1",)


def test_shared_results_and_functions_are_there_once() -> None:
    x = Variable(np.array(1.0), name="x")
    a = F.sin(x)
    y = F.exp(a) + F.cos(a) * a
    graph = collect_graph(y)
    assert sorted(f.name for f in graph.functions) == ["Add", "Cos", "Exp", "Mul", "Sin"]
    assert len(graph.variables) == 6
    assert len({v.id for v in graph.variables}) == 6


@pytest.mark.parametrize("leaf", [Variable(np.array(1.0)), Parameter(np.zeros((2, 3), np.float32), name="W"), Variable(np.arange(3)), Variable(None)])
def test_a_leaf_is_a_graph_of_one_node(leaf: Variable) -> None:
    graph = collect_graph(leaf)
    assert (len(graph.variables), graph.functions, graph.edges) == (1, (), ())


def test_a_result_without_a_graph_is_one_node() -> None:
    with no_grad():
        y = Variable(np.array(1.0)) * 2
    assert len(collect_graph(y).variables) == 1


def test_kinds_of_variables() -> None:
    x, W, t = Variable(np.ones((4, 3)), name="x"), Parameter(np.ones((3, 2)), name="W"), np.zeros(4, np.int64)
    graph = collect_graph(F.softmax_cross_entropy(F.matmul(x, W) * 2, t))
    assert [(v.kind, v.name) for v in graph.variables] == [
        ("leaf", "x"), ("parameter", "W"), ("result", None), ("constant", "2"), ("result", None), ("constant", "t"), ("result", None)]


def test_an_input_that_is_left_out_is_no_node() -> None:
    graph = collect_graph(F.linear(Variable(np.ones((2, 3))), Parameter(np.ones((3, 4)), name="W")))
    assert len(graph.variables) == 3


def test_names_shapes_and_layers_of_the_dead_appear() -> None:
    graph = collect_graph(classifier())
    hidden = one(graph, "hidden")
    assert (hidden.shape, hidden.dtype, hidden.layer) == ((32, 5), "float32", "l0")
    assert [(f.name, f.op, f.layer) for f in graph.functions] == [
        ("Linear", "linear", "l0"), ("ReLU", "relu", ""), ("Linear", "linear", "l1"), ("SoftmaxCrossEntropy", "softmax_cross_entropy", "")]
    assert [v.layer for v in graph.variables if v.kind == "parameter"] == ["l0", "l0", "l1", "l1"]


def test_the_graph_is_the_same_after_backward_freed_it() -> None:
    y = goldstein()
    before = collect_graph(y)
    y.backward()
    assert collect_graph(y) == before


def test_generation_is_the_books() -> None:
    y = goldstein()
    graph = collect_graph(y)
    assert graph.variables[-1].generation == y.generation
    assert graph.functions[-1].generation == y.creator.generation


def test_order_is_that_of_running() -> None:
    x = Variable(np.array(1.0))
    late, early = None, F.sin(x)
    late = F.cos(x)
    graph = collect_graph(late + early)
    assert [(f.name, f.order) for f in graph.functions] == [("Cos", 1), ("Sin", 0), ("Add", 2)]


def test_gradients_have_graphs() -> None:
    graph = collect_graph(derivative(F.tanh, 3))
    assert graph.variables[-1].name == "gx3"
    assert [f.name for f in graph.functions].count("Tanh") == 1


def test_outputs_of_one_function_and_several_outputs() -> None:
    x = Variable(np.arange(4.0), name="x")
    a, b = F.split(x, 2)
    a.name = "a"
    graph = collect_graph([a * 2, b])
    assert [f.name for f in graph.functions].count("Split") == 1
    assert one(graph, "a").shape == (2,)
    assert len(graph.outputs) == 2


def test_a_result_knows_its_place_among_the_results() -> None:
    x = Variable(np.arange(6.0), name="x")
    a, b, c = F.split(x, 3)
    a.name, b.name, c.name = "a", "b", "c"
    graph = collect_graph(c * a)
    assert {v.name: v.index for v in graph.variables if v.name} == {"x": 0, "a": 0, "c": 2}


@pytest.mark.parametrize("freed", [False, True])
def test_an_input_that_may_be_left_out(freed: bool) -> None:
    x, W, b = Variable(np.ones((2, 3))), Parameter(np.ones((3, 2)), name="W"), np.ones(2)
    for bias, expected in ((None, ["x", "W"]), (b, ["x", "W", "b"])):
        y = F.linear(x, W, bias)
        if freed:
            y.backward()
        function, = collect_graph(y).functions
        assert list(function.arguments) == expected
    y = F.layer_norm(x, None, np.ones(3))
    if freed:
        y.backward()
    assert collect_graph(y).functions[0].arguments == ("x", "beta"), "None is no array"


def test_settings_are_short_texts_that_stay_the_same() -> None:
    class Set(Function):
        def __init__(self, a, b, c, d=0, *, e=None):
            self.a, self.b, self.c, self.d, self.e = a, b, c, d, e

        def forward(self, x):
            return x * 1.0

        def backward(self, gy):
            return gy

    y = Set(np.str_("mean"), (1, object(), 2.5, None, np.exp, np.int8(3)), np.ones(3), np.float32(0.1), e=np.exp)(Variable(np.array(1.0)))
    settings = dict(collect_graph(y).functions[0].settings)
    assert settings == {"a": "'mean'", "b": "(1, object, 2.5, None, exp, 3)", "c": "ndarray", "d": "0.1", "e": "exp"}
    y = Set("x" * 1000, [1] * 1000, {1: 2})(Variable(np.array(1.0)))
    assert all(len(text) <= 40 for _, text in collect_graph(y).functions[0].settings)
    assert dict(collect_graph(F.sum(Variable(np.ones((2, 3))), axis=(0, 1))).functions[0].settings)["axis"] == "(0, 1)"


def test_a_users_function_in_the_books_form() -> None:
    class Cube(Function):
        def forward(self, x):
            return x ** 3

        def backward(self, gy):
            return 3 * self.inputs[0] ** 2 * gy

    graph = collect_graph(Cube()(Variable(np.array(2.0), name="x")))
    assert graph.functions[0].name == "Cube"
    assert [v.name for v in graph.variables] == ["x", None]


def test_cut_graphs_end_at_the_cut() -> None:
    x = Variable(np.array(1.0), name="x")
    h = F.sin(x)
    h.name = "h"
    y = F.exp(h)
    h.unchain()
    assert [(v.name, v.kind) for v in collect_graph(y).variables] == [("h", "leaf"), (None, "result")]

    y = F.exp(F.cos(F.sin(x)))
    y.unchain_backward()
    graph = collect_graph(y)
    assert [f.name for f in graph.functions] == ["Exp"]
    assert [v.kind for v in graph.variables] == ["leaf", "result"]


def test_a_chain_of_20000_functions_is_collected_without_recursion() -> None:
    x = Variable(np.array(1.0))
    y = x
    with layer_scope("deep"):
        for _ in range(20_000):
            y = y + 1
    graph = collect_graph(y)
    assert len(graph.functions) == 20_000
    assert graph.functions[-1].generation == 19_999


def test_numbers_are_short() -> None:
    x = Variable(np.array(1.0))
    y = x
    for c in (3, -0.1, 1e200, 12345678.9, 10**12, True, np.float32(0.1), float("nan")):
        y = y * c
    assert [v.name for v in collect_graph(y).variables if v.kind == "constant"] == [
        "3", "-0.1", "1e+200", "1.23457e+07", "1e+12", "True", "0.1", "nan"]


@pytest.mark.parametrize(("wrong", "words"), [(np.ones((2, 3)), r"\(2, 3\) float64"), ([], "empty list"),
                                             ([Variable(np.array(1.0)), None], "None"), ("y", "str")])
def test_what_is_no_output_is_an_error(wrong: object, words: str) -> None:
    with pytest.raises(InputTypeError, match=f"{words}.*Variable or a list"):
        collect_graph(wrong)


def test_an_index_is_told_as_it_is_written() -> None:
    x = Variable(np.ones((4, 6, 8)))
    for y, text in ((x[:, 0:4], "(:, 0:4)"), (x[1], "1"), (x[::2], "::2"), (x[..., -1], "(..., -1)"), (x[1:, None], "(1:, None)")):
        assert collect_graph(y).functions[0].settings == (("slices", text),)
