"""Views: which options draw what, what is refused and how, and how large graphs get small."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable
from dezero.config import layer_scope
from dezero.errors import InputTypeError
from dezero.models import GPT, MLP, VGG16, ResNet18
from dezero.viz import collect_graph, get_svg_graph
from dezero.viz.view import WORDS, View, make_view
from tests.viz.graphs import HOSTILE, classifier, derivative, goldstein
from tests.viz.programs import Program, boxes_of, check_whole, count_functions

pytestmark = pytest.mark.seeds  # layers draw their weights

ROOT = Path(__file__).resolve().parents[2]


def mlp(layers: int = 12) -> Variable:
    return MLP((4,) * layers, activation=F.relu)(Variable(np.ones((2, 4), np.float32), name="x"))


def layers(view: View) -> list[str]:
    return [box.layer for box, _, _ in boxes_of(view.clusters)]


def test_without_options_all_is_drawn_with_boxes() -> None:
    view = make_view(classifier())
    assert view.graph == collect_graph(classifier())
    assert [box.layer for box in view.clusters] == ["l0", "l1"]
    assert (view.show, view.values, view.notes) == (("shape", "dtype", "layer"), None, ())
    assert make_view(classifier(), verbose=False).show == ()
    assert make_view(classifier(), clusters=False).clusters == ()


@pytest.mark.parametrize(("show", "expected"), [("shape,grad", ("shape", "grad")), (" value , dtype", ("dtype", "value")), ("", ()),
                                               (["grad", "shape"], ("shape", "grad")), ((), ()),
                                               ({"value"}, ("value",)), ("shape,shape", ("shape",)), (",".join(WORDS), WORDS)])
def test_show_is_words_in_one_order(show: Any, expected: tuple[str, ...]) -> None:
    assert make_view(goldstein(), show=show, verbose=False).show == expected


@pytest.mark.parametrize(("options", "error", "words"), [
    ({"show": "shape,valeu"}, ValueError, "'valeu' is unknown: words of shape, dtype, layer, value, grad"),
    ({"show": True}, TypeError, "show is a bool"), ({"show": ["shape", 1]}, TypeError, "show is a list"), ({"show": 7}, TypeError, "show is a int"),
    ({"depth": -1}, ValueError, "depth is -1: at least 0, or None, is expected"), ({"depth": 1.5}, TypeError, "depth is 1.5: a whole number"),
    ({"depth": True}, TypeError, "depth is True: a whole number"), ({"depth": "1"}, TypeError, "depth is '1'"),
    ({"max_nodes": 0}, ValueError, "max_nodes is 0: at least 1"), ({"max_nodes": -5}, ValueError, "max_nodes is -5"),
    ({"max_nodes": 2.0}, TypeError, "max_nodes is 2.0"), ({"collapse": 3}, TypeError, "collapse is a int: True, the path of a layer"),
    ({"collapse": ["l0", None]}, TypeError, "collapse is a list"), ({"collapse": None}, TypeError, "collapse is a NoneType"),
    ({"collapse": "l9"}, ValueError, "there is no layer 'l9' in this graph: it has .*'l0'"), ({"collapse": ["l0", "L1"]}, ValueError, "'L1'.*'l1'"),
    ({"collapse": ""}, ValueError, "there is no layer ''"), ({"colour": "red"}, TypeError, "colour")])
def test_wrong_options_are_refused_with_what_is_right(options: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make_view(classifier(), **options)


def test_a_layer_that_is_not_there_is_answered_by_near_ones() -> None:
    y = GPT(11, 4, 8, 2, 12)(np.zeros((1, 4), int))
    with pytest.raises(ValueError, match=r"no layer 'blocks.12' in this graph: it has .*'blocks.11'.* and others$"):
        make_view(y, collapse="blocks.12")
    with pytest.raises(ValueError, match="no layer 'l0': nothing in this graph ran in a layer"):
        make_view(goldstein(), collapse="l0")
    for name in HOSTILE:
        with pytest.raises(ValueError, match="no layer") as caught:
            make_view(y, collapse=name)
        assert len(str(caught.value)) < 400 and str(caught.value).isprintable()
    with layer_scope("x" * 1_000_000):
        y = F.sin(Variable(np.array(1.0)))
    with pytest.raises(ValueError, match="no layer") as caught:
        make_view(y, collapse="y" * 1_000_000)
    assert len(str(caught.value)) < 400


def test_what_is_no_variable_is_refused() -> None:
    for wrong in (3, "y", [], np.ones(2)):
        with pytest.raises(InputTypeError, match="a Variable or a list"):
            make_view(wrong)


def test_a_graph_or_a_view_will_do() -> None:
    graph = collect_graph(mlp())
    view = make_view(graph, collapse=True, show="value")
    assert view.values is None and len(view.graph.groups) == 12
    assert make_view(view) is view
    assert make_view(view.graph, max_nodes=5).graph.groups, "a graph with groups is reduced further"
    assert len(make_view(make_view(graph, max_nodes=5).graph, max_nodes=3, fold=True).graph.nodes) <= 3


def test_depth_and_collapse() -> None:
    y = GPT(11, 4, 8, 2, 3)(np.zeros((1, 4), int))
    sizes = [len(make_view(y, depth=d).graph.nodes) for d in (0, 1, 2, 3, np.int64(9))]
    assert sizes == sorted(sizes) and sizes[0] < sizes[1] < sizes[2] and sizes[-1] == len(collect_graph(y).nodes)
    assert make_view(y, collapse=True) == make_view(y, depth=0) == make_view(y, collapse=True, depth=5)
    one = make_view(y, collapse="blocks.1")
    assert [g.layer for g in one.graph.groups] == ["blocks.1"] and "blocks.0.attention" in layers(one)
    both = make_view(y, collapse=["blocks.1", "embed"], depth=1)
    assert {"blocks.1", "embed", "blocks.0.attention"} <= {g.layer for g in both.graph.groups}
    assert make_view(y, collapse=[]) == make_view(y)


def test_fold_with_the_others() -> None:
    y = mlp(12)
    view = make_view(y, fold=True)
    assert [box.times for box in view.clusters] == [11, 1] and view.notes == ()
    assert [(box.times, box.layer) for box in make_view(y, fold=True, clusters=False).clusters] == [(11, "")]
    assert [(g.layer, g.last, g.times) for g in make_view(y, fold=True, collapse=True).graph.groups] == [("l0", "l10", 1), ("l11", "", 1)]
    apart = make_view(y, fold=True, collapse="l4")
    assert [g.layer for g in apart.graph.groups] == ["l4"] and [box.times for box in apart.clusters if box.times > 1] == [4, 7]
    assert count_functions(apart.graph, apart.clusters) == 23


def test_values_are_those_of_what_is_left() -> None:
    y = mlp(12)
    y.backward(retain_grad=True, retain_graph=True)
    for options in ({}, {"fold": True}, {"collapse": True}, {"max_nodes": 10}):
        view = make_view(y, show="value,grad", **options)
        assert set(view.values.arrays) | set(view.values.gradients) <= {v.id for v in view.graph.variables}
        assert view.values.arrays[view.graph.outputs[0]].tolist() == y.data.tolist()
        shapes = {v.id: v.shape for v in view.graph.variables}
        assert all(shapes[i] == a.shape for i, a in view.values.arrays.items())
    assert make_view(y, show="shape").values is None


@pytest.mark.parametrize("limit", [1000, 190, 100, 60, 30, 10, 3, 2, 1])
def test_graphs_are_reduced_until_they_fit(limit: int) -> None:
    y = ResNet18(num_classes=10)(np.ones((1, 3, 32, 32), np.float32))
    view = make_view(y, max_nodes=limit)
    check_whole(view.graph, view.clusters)
    assert len(view.graph.nodes) <= limit and count_functions(view.graph, view.clusters) == 69
    assert len(view.notes) == (limit < 201)
    if 60 <= limit < 201:
        assert len(view.graph.nodes) > limit / 4, "no more than needed"
    note = "".join(view.notes)
    assert ("repeat" in note) == (limit < 201) and ("layers are one node" in note) == (limit < 60) and ("one after another" in note) == (limit < 20)


def test_notes_say_what_was_done() -> None:
    assert make_view(mlp(40), max_nodes=100).notes == ("239 nodes are more than max_nodes=100: parts that repeat are drawn once",)
    y = GPT(11, 4, 8, 2, 3)(np.zeros((1, 4), int))
    assert make_view(y, max_nodes=70).notes == (
        "184 nodes are more than max_nodes=70: parts that repeat are drawn once; layers more than 2 levels deep are one node each",)
    assert "layers more than 1 level deep are one node each" in make_view(y, max_nodes=40).notes[0]
    y = Variable(np.array(1.0))
    for k in range(3000):
        y = F.sin(y) * float(k)
    view = make_view(y)
    assert view.notes == ("15,001 nodes are more than max_nodes=1,000: functions that ran one after another are one node",)
    assert len(view.graph.nodes) > 500 and make_view(y, max_nodes=None).graph == collect_graph(y)
    assert make_view(mlp(40), max_nodes=None).notes == ()


def test_a_long_chain_is_one_group() -> None:
    y = Variable(np.array(1.0))
    for _ in range(5_000):
        y = y + 1
    view = make_view(y, show="value")
    assert [(g.name, g.times) for g in view.graph.groups] == [("Add", 5_000)] and len(view.graph.nodes) == 3
    assert sorted(float(a) for a in view.values.arrays.values()) == [1, 5_001]


@pytest.mark.parametrize("seed", range(12))
def test_every_choice_of_options_draws_a_whole_graph(seed: int) -> None:
    output = Program(seed, 25).all
    rng = np.random.default_rng(seed)
    known = layers(make_view(output))
    for _ in range(4):
        paths = [layer for layer in known if rng.random() < 0.3]
        options = {"fold": bool(rng.integers(2)), "depth": [None, 0, 1, 2][rng.integers(4)], "clusters": bool(rng.integers(2)),
                   "collapse": paths if rng.random() < 0.5 else bool(rng.integers(2)), "max_nodes": [None, 1, 5, 20, 60][rng.integers(5)]}
        view = make_view(output, **options)
        check_whole(view.graph, view.clusters)
        assert count_functions(view.graph, view.clusters) == len(collect_graph(output).functions)
        assert options["max_nodes"] is None or len(view.graph.nodes) <= max(options["max_nodes"], len(set(view.graph.outputs)))


def test_the_same_in_every_process() -> None:
    code = ("from tests.viz.programs import Program; from dezero.viz.view import make_view\n"
            "for seed in range(4):\n    print(make_view(Program(seed, 20).all, fold=True, max_nodes=60))")
    texts = [subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={"PYTHONHASHSEED": seed, "PATH": "", "OPENBLAS_NUM_THREADS": "1"},
                            capture_output=True, check=True).stdout for seed in ("1", "2")]
    assert texts[0] == texts[1] and len(texts[0]) > 1000


@pytest.mark.slow
def test_vgg16_collapsed_is_drawn_in_two_seconds() -> None:
    y = VGG16()(np.ones((1, 3, 224, 224), np.float32))
    start = time.process_time()
    svg = get_svg_graph(y, collapse=True)
    assert time.process_time() - start < 2
    assert len(make_view(y, collapse=True).graph.nodes) < 200 and svg.count("<title>") < 200


@pytest.mark.slow
def test_a_hundred_thousand_nodes() -> None:
    rng = np.random.default_rng(0)
    known = [Variable(np.array(1.0)) for _ in range(5)]
    for i in range(50_000):
        a = known[rng.integers(max(0, len(known) - 500), len(known))]
        known.append(F.tanh(known[-1]) if i % 3 == 0 else a + known[-1] if i % 3 == 1 else a * known[-1])
    start = time.process_time()
    view = make_view(known[-1])
    assert time.process_time() - start < 10
    assert len(view.graph.nodes) <= 1000 and count_functions(view.graph, view.clusters) == 50_000


def test_derivatives_can_be_reduced() -> None:
    y = derivative(F.tanh, 6)
    whole = make_view(y)
    assert whole.graph == collect_graph(y)
    view = make_view(y, max_nodes=20)
    check_whole(view.graph, view.clusters)
    assert len(view.graph.nodes) <= 20 and count_functions(view.graph) == len(whole.graph.functions)
