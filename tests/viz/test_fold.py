"""Boxes, layers as one node, parts that repeat, runs of functions: fewer nodes that still tell the truth."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Parameter, Variable
from dezero.config import layer_scope
from dezero.models import GPT, MLP, VGG16, ResNet18
from dezero.viz import Cluster, Graph, collect_graph
from dezero.viz.fold import all_boxes, below, collapse, deeper_than, without_layers
from dezero.viz.groups import find_clusters, levels
from dezero.viz.repeats import repeats
from dezero.viz.runs import in_runs
from tests.viz.graphs import derivative, goldstein
from tests.viz.programs import Program, boxes_of, check_whole, contracted, count_functions, count_parameters, reachable

pytestmark = pytest.mark.seeds  # layers draw their weights

IMAGE = np.ones((1, 3, 32, 32), np.float32)


def tree(clusters: tuple[Cluster, ...]) -> list[Any]:
    """The boxes in short: the path, or the path and what is in it."""
    def short(box: Cluster) -> Any:
        name = box.layer + (f"…{box.last}" if box.last else "") + (f"×{box.times}" if box.times > 1 else "") + "'" * box.derivative
        return (name, [short(inner) for inner in box.inner]) if box.inner else name
    return [short(box) for box in clusters]


def names(graph: Graph, cluster: Cluster) -> list[str]:
    known = {node.id: node for node in graph.nodes}
    return [known[i].name or known[i].kind for i in cluster.members]


def folded(output: Any) -> tuple[Graph, tuple[Cluster, ...]]:
    graph = collect_graph(output)
    return repeats(graph, find_clusters(graph))


def leaf(shape: tuple[int, ...], name: str = "x") -> Variable:
    return Variable(np.ones(shape, np.float32), name=name)


# -- boxes ------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("path", "expected"), [("", []), ("a", ["a"]), ("a.b", ["a", "b"]), ("blocks.0.1.fc", ["blocks.0.1", "fc"]),
                                                ("0.a", ["0", "a"]), ("a..b", ["a", "", "b"]), ("l1.0", ["l1.0"])])
def test_places_in_lists_belong_to_the_name(path: str, expected: list[str]) -> None:
    assert [name for name, _ in levels(path)] == expected
    assert not expected or levels(path)[-1][1] == path


def test_boxes_nest_and_hold_what_is_theirs() -> None:
    net = L.Sequential(L.Linear(3, in_size=4), L.Residual(L.Linear(3, in_size=3), F.relu))
    with layer_scope("net"):
        y = net(leaf((2, 4)))
    graph = collect_graph(y)
    clusters = find_clusters(graph)
    assert tree(clusters) == [("net", ["net.l0", ("net.l1", [("net.l1.body", ["net.l1.body.l0"])])])]
    outer, = clusters
    first, second = outer.inner
    assert names(graph, first) == ["W", "b", "Linear"]
    assert names(graph, second) == ["result", "Add"], "what the body gives to the sum"
    assert names(graph, outer) == ["result"], "the output of net.l0, used by net.l1"
    known = {v.id: v.name for v in graph.variables}
    assert {known[v] for v in known if not any(v in inside for _, _, inside in boxes_of(clusters))} == {"x", None}, "the input and the output"
    check_whole(graph, clusters)


def test_a_result_that_is_used_inside_and_outside_is_inside() -> None:
    x = leaf((2,))
    with layer_scope("a"):
        h = F.sin(x)
        h.name = "h"
        k = F.cos(h)
    graph = collect_graph(k * h)
    box, = find_clusters(graph)
    assert names(graph, box) == ["h", "Sin", "Cos"]
    graph, clusters = collapse(graph, (box,), all_boxes)
    assert clusters == () and [(g.name, g.functions) for g in graph.groups] == [("Sin, Cos", 2)]
    assert sorted(v.name or "" for v in graph.variables) == ["", "", "h", "x"]
    reachable(graph.edges)


def test_raw_input_and_labels_are_outside() -> None:
    with layer_scope("net"):
        y = F.relu(L.Linear(3, in_size=4)(np.ones((2, 4), np.float32)))
    graph = collect_graph(F.softmax_cross_entropy(y, np.zeros(2, int)))
    inside = {v for _, _, nodes in boxes_of(find_clusters(graph)) for v in nodes}
    outside = [v.name for v in graph.variables if v.id not in inside]
    assert outside == ["x", None, "t", None]
    with layer_scope("net"):
        y = F.linear(leaf((2, 4)), Parameter(np.ones((4, 3), np.float32)), np.ones(3, np.float32))
    box, = find_clusters(collect_graph(y))
    assert names(collect_graph(y), box) == ["parameter", "b", "Linear"], "with an input, an array is the layer's own"


def test_calls_one_after_another_are_told_apart() -> None:
    rnn, fc = L.RNN(3, in_size=2), L.Linear(3, in_size=3)
    rnn._name, fc._name = "rnn", "fc"
    y = None
    for _ in range(4):
        y = rnn(leaf((1, 2)))
    assert tree(find_clusters(collect_graph(y))) == ["rnn"] * 4
    assert tree(find_clusters(collect_graph(fc(fc(y))))) == ["rnn"] * 4 + ["fc"] * 2

    net = L.Sequential(L.Linear(3, in_size=3), F.relu, L.Linear(3, in_size=3))
    net._name = "net"
    assert tree(find_clusters(collect_graph(net(net(net(y)))))) == ["rnn"] * 4 + [("net", ["net.l0", "net.l2"])] * 3


def test_the_first_step_of_a_loop_may_be_another() -> None:
    class Step(L.Layer):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.h = L.Linear(3, in_size=3), L.Linear(3, in_size=3), None

        def forward(self, x):
            x = F.reshape(x, (1, 3))  # in front of the first parameter
            self.h = F.tanh(self.a(x) if self.h is None else self.a(x) + self.b(self.h))
            return self.h

    step = Step()
    step._name = "step"
    for _ in range(4):
        y = step(leaf((3,)))
    clusters = find_clusters(collect_graph(y))
    assert tree(clusters) == [("step", ["step.a"])] + [("step", ["step.a", "step.b"])] * 3
    graph = collect_graph(y)
    assert all(names(graph, box).count("Reshape") == 1 for box in clusters)


def test_a_layer_used_twice_in_one_call_is_no_second_call() -> None:
    norm, a, b = L.LayerNorm(3), L.Linear(3, in_size=3), L.Linear(5, in_size=3)
    norm._name, a._name, b._name = "norm", "a", "b"
    with layer_scope("block"):
        y = b(norm(a(norm(leaf((2, 3))))))
    assert tree(find_clusters(collect_graph(y))) == [("block", ["block.norm", "block.a", "block.norm", "block.b"])]


def test_derivatives_have_boxes_of_their_own() -> None:
    net = MLP((3, 1), in_size=2)
    x = leaf((4, 2))
    y = F.sum(net(x) ** 2)
    y.backward(create_graph=True)
    graph = collect_graph([y, F.sum(x.grad ** 2)])
    clusters = find_clusters(graph)
    assert tree(clusters) == ["l0", "l1", "l1'", "l0'"]
    check_whole(graph, clusters)
    y = net(x)
    x.cleargrad()
    y.backward(create_graph=True)
    assert tree(find_clusters(collect_graph([y, x.grad]))) == ["l0", "l1", "l1'", "l0'"], "also without a function between them"


@pytest.mark.parametrize("build", [lambda: GPT(11, 4, 8, 2, 2, dropout_ratio=0.1)(np.zeros((1, 4), int)), lambda: ResNet18(num_classes=10)(IMAGE),
                                   goldstein, lambda: derivative(F.tanh, 4), lambda: Variable(np.array(1.0))])
def test_boxes_of_real_models(build: Any) -> None:
    graph = collect_graph(build())
    clusters = find_clusters(graph)
    check_whole(graph, clusters)
    for level in range(4):
        check_whole(*collapse(graph, clusters, deeper_than(level)))
    check_whole(*repeats(graph, clusters))


# -- layers as one node -----------------------------------------------------------------------------

def test_a_layer_as_one_node() -> None:
    graph = collect_graph(F.sum(MLP((5, 3), in_size=4)(leaf((2, 4)))))
    small, clusters = collapse(graph, find_clusters(graph), below(["l1"]))
    group, = small.groups
    assert (group.id, group.name, group.layer, group.functions, group.parameters, group.numbers, group.times) == ("g0", "Linear", "l1", 1, 2, 18, 1)
    assert tree(clusters) == ["l0"]
    assert {node.id for node in small.nodes} - {"g0"} < {node.id for node in graph.nodes}, "ids stay"
    assert [e for e in small.edges if "g0" in e] == [("v4", "g0"), ("g0", "v7")]


def test_paths_choose_layers_and_lists_of_layers() -> None:
    graph = collect_graph(GPT(11, 4, 8, 2, 3)(np.zeros((1, 4), int)))
    clusters = find_clusters(graph)
    assert [g.layer for g in collapse(graph, clusters, below(["blocks"]))[0].groups] == ["blocks.0", "blocks.1", "blocks.2"]
    assert [g.layer for g in collapse(graph, clusters, below(["blocks.1.attention", "norm"]))[0].groups] == ["blocks.1.attention", "norm"]
    assert [g.layer for g in collapse(graph, clusters, below(["block"]))[0].groups] == []
    assert collapse(graph, clusters, below([])) == (graph, clusters)
    inner = collapse(graph, clusters, deeper_than(1))[0].groups
    assert {g.layer for g in inner} == {f"blocks.{i}.{part}" for i in range(3) for part in ("attention", "norm1", "norm2", "fc1", "fc2")}
    group = collapse(graph, clusters, deeper_than(0))[0].groups[2]
    assert group.name == "LayerNorm, Linear, Reshape, …" and group.layer == "blocks.0"


def test_groups_of_groups_add_up() -> None:
    graph = collect_graph(GPT(11, 4, 8, 2, 3)(np.zeros((1, 4), int)))
    clusters = find_clusters(graph)
    at_once = collapse(graph, clusters, deeper_than(0))
    assert collapse(*collapse(graph, clusters, deeper_than(1)), deeper_than(0))[0].groups == tuple(
        replace(a, name=b.name) for a, b in zip(at_once[0].groups, collapse(*collapse(graph, clusters, deeper_than(1)), deeper_than(0))[0].groups,
                                                strict=True))
    assert sum(g.numbers for g in at_once[0].groups) == sum(int(np.prod(v.shape)) for v in graph.variables if v.kind == "parameter")


@pytest.mark.parametrize("seed", range(40))
def test_collapsing_loses_and_invents_no_edge(seed: int) -> None:
    graph = collect_graph(Program(seed).all)
    clusters = find_clusters(graph)
    check_whole(graph, clusters)
    rng = np.random.default_rng(seed)
    picked = {box.layer for box, _, _ in boxes_of(clusters) if rng.random() < 0.4}
    small, left = collapse(graph, clusters, lambda layer, level: layer in picked)
    check_whole(small, left)
    assert count_functions(small) == len(graph.functions) and count_parameters(small) == count_parameters(graph)
    stay = {node.id for node in small.nodes}
    assert {node for node in graph.nodes if node.id in stay} == {*small.variables, *small.functions}

    inside: dict[str, str] = {}   # what is drawn in which group
    todo = list(clusters)
    groups = iter(sorted(small.groups, key=lambda g: g.order))
    chosen = []
    while todo:
        box = todo.pop(0)
        if box.layer in picked:
            chosen.append(box)
        else:
            todo.extend(box.inner)
    order = {f.id: f.order for f in graph.functions}
    parts = [[i for _, _, nodes in boxes_of((box,))[:1] for i in nodes] for box in chosen]
    for part in sorted(parts, key=lambda part: min(order[i] for i in part if i in order)):
        inside.update(dict.fromkeys([i for i in part if i not in stay], next(groups).id))
    made = {b: inside.get(a, a) for a, b in graph.edges if b not in order}
    expected = {(inside.get(a, a), inside.get(b, b)) for a, b in graph.edges}
    expected = {(a, b) for a, b in expected if a != b and not (b.startswith("g") and made.get(a) == b)}
    assert set(small.edges) == expected
    before, after = reachable(graph.edges), reachable(small.edges)
    for a in stay & before.keys():  # what leaves a group stands for that group
        assert {b for b in before[a] if b in stay} <= after[a] | after.get(made.get(a, ""), set())


# -- parts that repeat ------------------------------------------------------------------------------

def test_a_function_over_and_over_is_a_group() -> None:
    y = leaf((3,))
    for _ in range(1000):
        y = y + 1
    y.name = "y"
    graph, clusters = folded(y)
    assert clusters == () and [(g.id, g.name, g.functions, g.times) for g in graph.groups] == [("g0", "Add", 1, 1000)]
    assert [v.name for v in graph.variables] == ["x", "y"] and graph.edges == (("v0", "g0"), ("g0", graph.outputs[0]))


def test_equal_layers_are_a_box_with_times() -> None:
    graph, clusters = folded(MLP((4,) * 32, activation=F.relu)(leaf((2, 4))))
    assert tree(clusters) == [("×31", ["l0…l30"]), "l31"]
    assert names(graph, clusters[0]) == ["result", "ReLU"]
    assert len(graph.nodes) == 3 + 5 + 2 + 1 and count_functions(graph, clusters) == 63


def test_blocks_are_one_box_by_their_paths() -> None:
    graph, clusters = folded(GPT(11, 4, 8, 2, 12)(np.zeros((1, 4), int)))
    boxes = [box for box, _, _ in boxes_of(clusters) if box.times > 1]
    assert [(box.layer, box.last, box.times) for box in boxes] == [("blocks.0", "blocks.11", 12)]
    assert all(not box.last for box, _, _ in boxes_of(boxes[0].inner)), "inner paths are those of the first"
    small, left = collapse(graph, clusters, deeper_than(0))
    assert [(g.layer, g.last, g.times, g.functions) for g in small.groups if g.times > 1] == [("blocks.0", "blocks.11", 12, 20)]
    assert left == ()


def test_steps_of_a_recurrent_network() -> None:
    rnn, fc = L.LSTM(4, in_size=3), L.Linear(5, in_size=4)
    rnn._name, fc._name = "rnn", "fc"
    loss = 0
    for i in range(10):
        loss = loss + F.softmax_cross_entropy(fc(rnn(leaf((2, 3), f"x{i}"))), np.zeros(2, int))
    graph, clusters = folded(loss)
    assert tree(clusters) == ["rnn", "fc", ("×9", ["rnn", "fc"])], "the first step has no state to start from"
    inside = boxes_of(clusters[2:])[0][2]
    outside = [v.name for v in graph.variables if not any(v.id in nodes for _, _, nodes in boxes_of(clusters))]
    assert sorted(filter(None, outside)) == ["0", "W", "Wh", "Wx", "b", "b", "t", "x0"]
    assert "x1 … x9" in [v.name for v in graph.variables if v.id in inside] and graph.outputs[0] not in inside
    entering = {v.id for v in graph.variables} & {a for a, b in graph.edges if b in inside and a not in inside}
    assert len(entering) == 5 + 3, "the weights; h, c and the loss"


def test_a_state_enters_the_first_time_and_leaves_the_last() -> None:
    h, W = leaf((2, 3), "h0"), Parameter(np.ones((3, 3), np.float32), name="W")
    for i in range(6):
        h = F.tanh(F.matmul(h, W) + leaf((2, 3), f"x{i}"))
        h.name = f"h{i + 1}"
    graph, clusters = folded(F.sum(h))
    box, = clusters
    assert box.times == 6 and names(graph, box) == ["result", "x0 … x5", "result", "MatMul", "Add", "Tanh"]
    inside = set(box.members)
    known = {v.id: v.name for v in graph.variables}
    assert {known[a] for a, b in graph.edges if b in inside and a not in inside} == {"h0", "W"}
    assert [known[b] for a, b in graph.edges if a in inside and b not in inside] == ["h1 … h6"]
    graph, clusters = folded(F.sum(F.concatenate([h * 1.0, h])))
    assert clusters[0].times == 6, "who uses the last state does not matter"


def test_each_time_may_take_another_piece() -> None:
    xs, h = leaf((6, 2, 3)), leaf((2, 3), "h")
    for t in range(6):
        h = F.tanh(h * xs[t])
    graph, (box,) = folded(h)
    piece, = (f for f in graph.functions if f.name == "GetItem")
    assert box.times == 6 and piece.id in box.members and piece.settings == (("slices", "0 … 5"),)
    xs, h = leaf((2, 6, 3)), leaf((2, 3), "h")
    for t in range(6):
        h = F.tanh(h * xs[:, t] if t != 3 else h * xs[t % 2, 1:2])
    assert sum(box.times for box in folded(h)[1]) < 6, "a piece of another shape"


def test_states_that_something_collects() -> None:
    h, every = leaf((2, 3)), []
    for _ in range(5):
        h = F.tanh(h * 0.5)
        every.append(h)
    graph, clusters = folded(F.concatenate(every))
    assert clusters[0].times == 5
    join, = (f for f in graph.functions if f.name == "Concatenate")
    assert len(join.arguments) == 1 and sum(b == join.id for _, b in graph.edges) == 1
    graph, clusters = folded(F.concatenate([every[0], *every[2:]]))
    assert sum(box.times for box in clusters) < 5, "one of them is used in another way"


def test_parts_of_parts() -> None:
    y = leaf((3,))
    for _ in range(4):
        for _ in range(5):
            y = F.sin(y * 2.0)
        y = F.tanh(y)
    graph, clusters = folded(y)
    assert tree(clusters) == [("×4", ["×5"])] and count_functions(graph, clusters) == 44
    assert len(graph.functions) == 3 and len(graph.variables) == 5
    y = leaf((3,))
    for _ in range(4):
        for _ in range(5):
            y = F.sin(y)
        y = F.tanh(y)
    graph, clusters = folded(y)
    assert tree(clusters) == ["×4"] and [(g.name, g.times) for g in graph.groups] == [("Sin", 5)]


def test_outputs_of_one_function_go_to_a_time_each() -> None:
    h = leaf((1, 3), "h")
    for part in F.split(leaf((6, 3)), 6):
        h = F.tanh(h + F.sin(part))
    graph, clusters = folded(h)
    box, = clusters
    assert box.times == 6 and sum(a == "f0" for a, _ in graph.edges) <= 1 and len(graph.functions) == 4


@pytest.mark.parametrize("change", ["op", "shape", "setting", "constant", "wiring", "skip", "dtype", "use", "output"])
def test_what_is_not_alike_is_not_folded(change: str) -> None:
    """Six times the same but for the fourth."""
    x = leaf((2, 2))
    y, seen, more = x, [], []
    for i in range(6):
        odd = i == 3
        a = F.sum(y, axis=int(odd and change == "setting"), keepdims=True)
        b = F.broadcast_to(a if not (odd and change == "shape") else F.sum(a, keepdims=True), (2, 2))
        c = (F.exp if odd and change == "op" else F.sin)(b) * (3.0 if odd and change == "constant" else 2.0)
        if change == "dtype":
            c = c.astype(np.float64 if odd else np.float32)
        y = c + (b if odd and change == "wiring" else x)
        y = y * (seen[0] if odd and change == "skip" else y)
        seen.append(b)
        if odd and change == "use":
            more.append(b)
        if change == "output":
            first, second = F.split(y, 2)
            y = F.concatenate([first, first])
            more.extend([second] * odd)
    y = F.sum(y)
    for v in more:
        y = y + F.sum(v)
    graph = collect_graph(y)
    small, clusters = repeats(graph, ())
    check_whole(small, clusters)
    assert count_functions(small, clusters) == len(graph.functions)
    assert 1 < max((box.times for box in clusters), default=0) <= 3
    assert max((g.times for g in small.groups), default=0) < 5


def test_names_of_numbers_matter_and_names_of_leaves_do_not() -> None:
    y = leaf((2,))
    for c in (1, 2, 3, 4):
        y = y + c
    assert folded(y)[0].groups == ()
    y = leaf((2,))
    for c in "abcd":
        y = y + leaf((2,), c)
    graph, clusters = folded(y)
    assert clusters[0].times == 4 and "a … d" in [v.name for v in graph.variables]


def test_a_state_that_starts_from_a_number() -> None:
    h = 1.0
    for i in range(5):
        h = F.tanh(leaf((2,), f"x{i}") * h)
    graph, (box,) = folded(h)
    number, = (v.id for v in graph.variables if v.name == "1")
    assert box.times == 5 and number not in box.members and (number, "f0") in graph.edges


def test_a_number_in_the_first_of_several_layers_stays_where_it_enters() -> None:
    h = 1.0
    for i in range(5):
        with layer_scope(f"s{i}"):
            h = F.tanh(leaf((2,), f"x{i}") * h)
    graph, (box,) = folded(h)
    number, = (v.id for v in graph.variables if v.name == "1")
    assert (box.layer, box.last, box.times) == ("s0", "s4", 5) and number not in box.members


def test_levels_are_those_of_layers() -> None:
    y = leaf((2, 4))
    for k in range(4):
        with layer_scope(f"block{k}"):
            y = MLP((4, 4), in_size=4)(y)
        y = F.relu(y)
    graph, clusters = folded(y)
    assert tree(clusters) == [("×4", [("block0…block3", ["block0.l0", "block0.l1"])])]
    small, left = collapse(graph, clusters, deeper_than(1))
    assert tree(left) == [("×4", ["block0…block3"])] and [g.layer for g in small.groups] == ["block0.l0", "block0.l1"]
    assert [g.layer for g in collapse(graph, clusters, deeper_than(0))[0].groups] == ["block0"]


def test_what_leaves_a_layer_is_where_it_is_used() -> None:
    x = leaf((2,))
    with layer_scope("net"), layer_scope("a"):
        h = F.sin(x)
        y = F.cos(h)
    with layer_scope("net"):
        z = F.exp(y)
    graph = collect_graph(z * h)
    small, clusters = collapse(graph, find_clusters(graph), below(["net.a"]))
    assert tree(clusters) == ["net"] and names(small, clusters[0]) == ["result", "Exp", "Sin, Cos"], "y is in the box, h and the output are not"


def test_parts_that_hang_together_by_their_inputs() -> None:
    x = leaf((4, 2))
    three = [F.split(F.exp(x), 4) for _ in range(3)]
    y = F.concatenate([F.concatenate([part[i] for part in three]) for i in range(4)])
    graph, clusters = folded(y)
    check_whole(graph, clusters)
    assert count_functions(graph, clusters) == 11 and len(graph.functions) < 11
    made = {b for _, b in graph.edges}
    assert all(v.id in made for v in graph.variables if v.kind == "result")


def test_a_state_that_is_one_of_the_inputs() -> None:
    xs = [leaf((2,), f"x{i}") for i in range(5)]
    h = xs[0]
    for x in xs:
        h = F.tanh(x + h)
    graph, clusters = folded(h)
    assert clusters[0].times == 4, "the first time takes x0 twice"
    check_whole(graph, clusters)


def test_two_of_a_function_are_drawn_as_they_are() -> None:
    assert folded(F.sin(F.sin(leaf((2,)))))[0].groups == ()
    assert folded(F.sin(F.sin(F.sin(leaf((2,))))))[0].groups[0].times == 3


def test_layers_that_are_to_be_shown_apart() -> None:
    graph = collect_graph(MLP((4,) * 8, activation=F.relu)(leaf((2, 4))))
    _, clusters = repeats(graph, find_clusters(graph), lambda layer: layer == "l3")
    assert tree(clusters) == [("×3", ["l0…l2"]), "l3", ("×4", ["l4…l7"])]


def test_parts_do_not_cut_boxes() -> None:
    x = leaf((2,))
    for name in ("a", "b", "c"):
        with layer_scope(name):
            x = F.cos(F.sin(F.sin(x)))
    assert tree(folded(x)[1]) == ["a…c×3"]
    with layer_scope("d"):
        x = F.sin(x)
    for _ in range(3):
        x = F.sin(x)
    graph, clusters = folded(x)
    assert tree(clusters) == ["a…c×3", "d"] and [g.times for g in graph.groups] == [3]


def test_parts_begin_where_a_reader_would() -> None:
    def block(x: Variable, name: str, size: int = 4) -> Variable:
        with layer_scope(name):
            x = F.linear(x, Parameter(np.ones((x.shape[1], size), np.float32)))
        return F.relu(x)

    x = F.relu(F.sin(leaf((2, 4))))
    for name in "abc":
        x = block(x, name)
    graph, clusters = folded(F.cos(x))
    assert tree(clusters) == [("×3", ["a…c"])] and [f.order for f in graph.functions if f.name == "ReLU"] == [1, 3], "with a box, not before"
    x = block(leaf((2, 9)), "a")
    for name in "bcd":
        x = block(x, name)
    graph, clusters = folded(F.cos(x))
    assert tree(clusters) == ["a", ("×3", ["b…d"])] and names(graph, clusters[1])[-1] == "ReLU", "as the first, which has another size"
    x = F.sin(leaf((2, 3)) * 3.0)
    for _ in range(4):
        x = F.tanh(F.sin(x * 2.0))
    graph, clusters = folded(x)
    assert names(graph, clusters[0])[-3:] == ["Mul", "Sin", "Tanh"]


def test_parts_end_where_boxes_do() -> None:
    x = leaf((2,))
    for name, count in (("a", 3), ("b", 4), ("c", 5)):
        with layer_scope(name):
            for _ in range(count):
                x = F.sin(x)
    graph, clusters = folded(x)
    assert tree(clusters) == ["a", "b", "c"] and [(g.layer, g.times) for g in graph.groups] == [("a", 3), ("b", 4), ("c", 5)]
    x = leaf((2,))
    for name in "abc":
        with layer_scope(name):
            x = F.cos(F.sin(x))
    with layer_scope("d"):
        x = F.cos(F.sin(x)) * 2.0
    assert tree(folded(x)[1]) == ["a…c×3", "d"], "the last one is but a part of a box"


def test_folding_again_changes_nothing() -> None:
    for y in (GPT(11, 4, 8, 2, 4)(np.zeros((1, 4), int)), MLP((4,) * 9)(leaf((2, 4)))):
        once = folded(y)
        assert repeats(*once) == once


@pytest.mark.parametrize("seed", range(80))
def test_folding_tells_the_truth(seed: int) -> None:
    graph = collect_graph(Program(seed, 20).all)
    clusters = find_clusters(graph)
    small, boxes = repeats(graph, clusters)
    check_whole(small, boxes)
    assert count_functions(small, boxes) == len(graph.functions)
    stay = {node.id for node in small.nodes}
    assert {f.id for f in small.functions} <= {f.id for f in graph.functions} and {v.id for v in small.variables} <= {v.id for v in graph.variables}
    arguments = {f.id: {name.partition("[")[0] for name in f.arguments} for f in graph.functions}
    assert all({name.partition("[")[0] for name in f.arguments} == arguments[f.id] for f in small.functions)
    made = {b for a, b in small.edges}
    assert all(v.id in made for v in small.variables if v.kind == "result")
    inside = {i for box, _, nodes in boxes_of(boxes) if box.times > 1 for i in nodes}
    repeating = [box for box, _, _ in boxes_of(boxes) if box.times > 1]
    before, after = reachable(graph.edges), reachable(contracted(small, repeating))
    for a in stay - inside:
        assert {b for b in before.get(a, ()) if b in stay - inside} <= after.get(a, set()), "a way got lost"
    check_whole(*collapse(small, boxes, deeper_than(0)))
    gone = collapse(small, boxes, all_boxes)
    check_whole(*gone)
    assert gone[1] == () and count_functions(gone[0]) == len(graph.functions)


def test_boxes_of_what_repeats_alone() -> None:
    graph, clusters = folded(MLP((4,) * 9, activation=F.relu)(leaf((2, 4))))
    box, = without_layers(graph, clusters)
    assert box.times == 8 and box.inner == () and {*box.members} == {*boxes_of(clusters[:1])[0][2]}


# -- runs -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("limit", [1, 2, 3, 7, 20, 60])
@pytest.mark.parametrize("seed", range(6))
def test_runs_fit(seed: int, limit: int) -> None:
    graph = collect_graph(Program(seed, 40).all)
    small = in_runs(graph, limit)
    assert len(small.nodes) <= limit and count_functions(small) == len(graph.functions)
    reachable(small.edges)
    assert set(small.outputs) <= {v.id for v in small.variables}
    if limit > len(graph.outputs) + 30:
        assert small.outputs == graph.outputs


def test_runs_do_not_mix_forward_and_derivatives() -> None:
    x = leaf(())
    y = x
    for _ in range(30):
        y = F.sin(y) * 2.0
    y.backward(create_graph=True)
    graph = collect_graph(x.grad)
    small = in_runs(graph, 40)
    orders = {f.order: f.derivative for f in graph.functions}
    edges = sorted(g.order for g in small.groups)
    for group in small.groups:
        end = next((o for o in edges if o > group.order), len(orders))
        assert {orders[o] for o in range(group.order, end)} == {group.derivative}
    assert {g.derivative for g in small.groups} == {0, 1}


def test_a_run_is_named_by_its_functions_and_its_layer() -> None:
    y = leaf(())
    with layer_scope("deep"):
        for k in range(3000):
            y = F.sin(y) * float(k)
    small = in_runs(collect_graph(y), 40)
    assert small.groups[0].name.endswith(" functions") and {g.layer for g in small.groups} == {"deep"}
    assert sum(g.functions for g in small.groups) == 6000


# -- size -------------------------------------------------------------------------------------------

def random_graph(n: int, reach: int) -> Graph:
    rng = np.random.default_rng(0)
    known = [leaf(()) for _ in range(5)]
    for i in range(n):
        a, b = known[rng.integers(max(0, len(known) - reach), len(known))], known[-1]
        known.append(a + b if i % 3 else F.sin(b) if i % 2 else a * b)
    return collect_graph(known[-1])


@pytest.mark.parametrize("reach", [10, 10**6])
def test_large_graphs_take_no_recursion_and_little_time(reach: int) -> None:
    with np.errstate(all="ignore"):
        graph = random_graph(10_000, reach)
    limit = sys.getrecursionlimit()
    depth = len(__import__("inspect").stack(0))
    start = time.process_time()
    sys.setrecursionlimit(depth + 60)
    try:
        clusters = find_clusters(graph)
        small, clusters = repeats(graph, clusters)
        assert len(in_runs(collapse(small, clusters, all_boxes)[0], 500).nodes) <= 500
    finally:
        sys.setrecursionlimit(limit)
    assert time.process_time() - start < 10


def test_deep_boxes_take_no_recursion() -> None:
    y = leaf(())
    for k in range(300):
        with layer_scope(".".join(["a"] * (k % 150 + 1))):
            y = F.sin(y) * float(k)
    graph = collect_graph(y)
    limit = sys.getrecursionlimit()
    depth = len(__import__("inspect").stack(0))
    sys.setrecursionlimit(depth + 60)
    try:
        clusters = find_clusters(graph)
        folded_, boxes = repeats(graph, clusters)
        assert collapse(folded_, boxes, deeper_than(0))[0].groups[0].functions
        assert without_layers(folded_, boxes) is not None
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.slow
def test_vgg_collapsed_is_small() -> None:
    graph = collect_graph(VGG16(num_classes=10)(IMAGE))
    small, clusters = collapse(graph, find_clusters(graph), deeper_than(0))
    assert len(small.nodes) < 100 and clusters == () and len(small.groups) == 16
    assert [g.layer for g in small.groups][:3] == ["conv1_1", "conv1_2", "conv2_1"]
