"""The difference of two graphs: as text that a log can keep, and as a picture."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Parameter, Variable
from dezero.config import layer_scope
from dezero.errors import InputTypeError
from dezero.models import MLP
from dezero.viz import Graph, GraphDiff, GroupNode, collect_graph, diff
from dezero.viz.compare.pairing import common
from tests.viz.graphs import HOSTILE, classifier, dense, derivative, goldstein

pytestmark = pytest.mark.seeds  # the weights of the models
SVG = "{http://www.w3.org/2000/svg}"
ROOT = Path(__file__).resolve().parents[2]


def digits(*sizes: int, activation: Any = F.relu, batch: int = 32, dtype: Any = np.float32) -> Variable:
    """The loss of a perceptron."""
    x = Variable(np.ones((batch, 8), dtype), name="x")
    return F.softmax_cross_entropy(MLP(sizes, activation)(x), np.zeros(batch, np.int64))


def norm(detached: bool) -> Variable:
    """x over its norm, through which the gradient may flow or not."""
    x = Variable(np.array([3.0, 4.0]), name="x")
    size = F.sqrt(F.sum(x * x))
    return F.sum(x / (size.detach() if detached else size))


def two(f: Any) -> Variable:
    return F.sum(f(Variable(np.ones(3), name="x"), Variable(np.ones(3), name="y")))


def lstm(steps: int) -> Variable:
    layer = L.LSTM(4, in_size=3)
    h = None
    for _ in range(steps):
        h = layer(Variable(np.ones((2, 3), np.float32)))
    return F.sum(h)


def block(names: str) -> Variable:
    """Layers of these names, in this order."""
    y = Variable(np.ones((1, 4), np.float32), name="x")
    for name in names:
        y = dense(y, name, (4, 4))
    return y


GOLDEN = {
    "another activation": (lambda: digits(5, 3), lambda: digits(5, 3, activation=F.gelu), """\
1 difference: 0 added, 0 removed, 1 changed (functions: 4 -> 4)
~ function ReLU: ReLU -> GELU"""),
    "one more layer": (lambda: digits(5, 5, 3), lambda: digits(5, 5, 5, 3), """\
7 differences: 4 added, 0 removed, 3 changed (functions: 6 -> 8)
~ parameter W in l2: shape (5, 3) -> (5, 5)
~ parameter b in l2: shape (3,) -> (5,)
+ function ReLU 3 of 3: (result of Linear in l2) -> (32, 5) float32
+ parameter W in l3: (5, 3) float32
+ parameter b in l3: (3,) float32
+ function Linear in l3: (result of ReLU 3 of 3, W, b) -> (32, 3) float32
~ function SoftmaxCrossEntropy: input x: result of Linear in l2 -> result of Linear in l3
  and 1 result looks different after these: result of Linear in l2: shape (32, 3) -> (32, 5)"""),
    "one layer less": (lambda: digits(5, 3), lambda: digits(3), """\
7 differences: 0 added, 4 removed, 3 changed (functions: 4 -> 2)
~ parameter W in l0: shape (8, 5) -> (8, 3)
~ parameter b in l0: shape (5,) -> (3,)
- function ReLU: (result of Linear in l0) -> (32, 5) float32
- parameter W in l1: (5, 3) float32
- parameter b in l1: (3,) float32
- function Linear in l1: (result of ReLU, W, b) -> (32, 3) float32
~ function SoftmaxCrossEntropy: input x: result of Linear in l1 -> result of Linear in l0
  and 1 result looks different after these: result of Linear in l0: shape (32, 5) -> (32, 3)"""),
    "a larger batch": (lambda: digits(5, 3), lambda: digits(5, 3, batch=64), """\
2 differences: 0 added, 0 removed, 2 changed (functions: 4 -> 4)
~ variable x: shape (32, 8) -> (64, 8)
~ constant t of SoftmaxCrossEntropy: shape (32,) -> (64,)
  and 3 results look different after these: result of Linear in l0: shape (32, 5) -> (64, 5), ..."""),
    "another dtype": (lambda: F.sin(Variable(np.ones(3), name="x")), lambda: F.sin(Variable(np.ones(3, np.float32), name="x")), """\
1 difference: 0 added, 0 removed, 1 changed (functions: 1 -> 1)
~ variable x: dtype float64 -> float32
  and 1 result looks different after these: result of Sin: dtype float64 -> float32"""),
    "a missing detach": (lambda: norm(True), lambda: norm(False), """\
4 differences: 3 added, 0 removed, 1 changed (functions: 2 -> 5)
+ function Mul: (x, x) -> (2,) float64
+ function Sum 1 of 2: (result of Mul, axis=None, keepdims=False) -> () float64
+ function Sqrt: (result of Sum 1 of 2) -> () float64
~ function Div: input b: 5 -> result of Sqrt"""),
    "arguments the other way round": (lambda: two(lambda x, y: x - y), lambda: two(lambda x, y: y - x), """\
1 difference: 0 added, 0 removed, 1 changed (functions: 2 -> 2)
~ function Sub: input a: x -> y, input b: y -> x"""),
    "another setting": (lambda: F.sum(Variable(np.ones((2, 3))), axis=0), lambda: F.sum(Variable(np.ones((2, 3))), axis=1), """\
1 difference: 0 added, 0 removed, 1 changed (functions: 1 -> 1)
~ function Sum: axis 0 -> 1
  and 1 result looks different after these: result of Sum: shape (3,) -> (2,)"""),
    "another number": (lambda: two(lambda x, y: x * 2 + y), lambda: two(lambda x, y: x * 3 + y), """\
1 difference: 0 added, 0 removed, 1 changed (functions: 3 -> 3)
~ constant 2 of Mul: 2 -> 3"""),
    "another name": (lambda: Variable(np.ones(3), name="x") * 2, lambda: Variable(np.ones(3), name="z") * 2, """\
1 difference: 0 added, 0 removed, 1 changed (functions: 1 -> 1)
~ variable x: name x -> z"""),
    "a leaf becomes a parameter": (lambda: Variable(np.ones(3), name="x") * 2, lambda: Parameter(np.ones(3), name="x") * 2, """\
1 difference: 0 added, 0 removed, 1 changed (functions: 1 -> 1)
~ variable x: kind leaf -> parameter"""),
    "more steps of time": (lambda: lstm(2), lambda: lstm(3), """\
4 differences: 3 added, 0 removed, 1 changed (functions: 3 -> 4)
+ result 2 of LSTMCell 2 of 3: (2, 4) float32
+ variable: (2, 3) float32
+ function LSTMCell 3 of 3: (variable (2, 3) float32, result 1 of LSTMCell 2 of 3, result 2 of LSTMCell 2 of 3, Wx, Wh, b) -> (2, 4) float32
~ function Sum: input x: result of LSTMCell 2 of 2 -> result of LSTMCell 3 of 3"""),
    "layers in another order": (lambda: block("ab"), lambda: block("ba"), """\
3 differences: 0 added, 0 removed, 3 changed (functions: 2 -> 2)
~ function Linear in b: input x: result of Linear in a -> x
~ function Linear in a: input x: x -> result of Linear in b
~ output 0: result of Linear in b -> result of Linear in a"""),
    "a derivative more": (lambda: derivative(F.sin, 1), lambda: derivative(F.sin, 2), """\
6 differences: 3 added, 2 removed, 1 changed (functions: 2 -> 3)
- function Cos, 1st derivative: (x) -> () float64
- function Mul, 1st derivative: (1, result of Cos, 1st derivative) -> gx1 () float64
+ function Sin, 2nd derivative: (x) -> () float64
+ function Neg, 2nd derivative: (result of Sin, 2nd derivative) -> () float64
+ function Mul, 2nd derivative: (1, result of Neg, 2nd derivative) -> gx2 () float64
~ output 0: gx1 -> gx2"""),
    "two outputs": (lambda: goldstein(), lambda: [z := goldstein(), z], """\
1 difference: 0 added, 0 removed, 1 changed (functions: 38 -> 38)
~ output 1: nothing -> z"""),
    "a leaf alone": (lambda: Variable(np.ones(3), name="x"), lambda: Parameter(np.ones((3, 2)), name="x"), """\
1 difference: 0 added, 0 removed, 1 changed (functions: 0 -> 0)
~ variable x: kind leaf -> parameter, shape (3,) -> (3, 2)"""),
}
GRAPHS = {"goldstein": goldstein, "classifier": classifier, "digits": lambda: digits(5, 4, 3), "lstm": lambda: lstm(3),
          "sin3": lambda: derivative(F.sin, 3), "norm": lambda: norm(False), "leaf": lambda: Variable(np.ones(2), name="x")}
cases = pytest.mark.parametrize("name", GOLDEN)


def random_graph(seed: int, n: int) -> Graph:
    rng = random.Random(seed)
    pool = [Variable(np.zeros(()), name=f"x{i}") for i in range(3)]
    for _ in range(n):
        a, b = rng.choice(pool[-8:]), rng.choice(pool[-8:])
        pool.append(rng.choice([lambda a, b: F.sin(a), lambda a, b: F.cos(a), lambda a, b: a + b, lambda a, b: a * b])(a, b))
    y = pool[-1]
    for v in pool[-6:-1]:
        y = y + v
    return collect_graph(y)


@cases
def test_golden_texts(name: str) -> None:
    first, second, text = GOLDEN[name]
    found = diff(first(), second())
    assert str(found) == repr(found) == text
    assert found and not found.same
    assert {change.sign for change in found.changes} <= set("+-~")


@cases
def test_the_other_way_round(name: str) -> None:
    """What one way adds, the other way removes."""
    first, second = (collect_graph(make()) for make in GOLDEN[name][:2])
    there, back = diff(first, second), diff(second, first)
    assert {b: a for a, b in there.pairs.items()} == back.pairs
    for sign, other in ("+-", "-+", "~~"):
        assert sorted((c.first, c.second) for c in there.changes if c.sign == sign) == sorted(
            (c.second, c.first) for c in back.changes if c.sign == other)


@pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)
def test_the_same_computation_twice(make: Any) -> None:
    found = diff(make(), make())
    assert found.same and not found and found.changes == ()
    assert str(found) == f"no difference (functions: {len(found.first.functions)})"
    assert len(found.pairs) == len(found.first.nodes)


def shuffled(graph: Graph, seed: int) -> Graph:
    """The same graph with its nodes in another order and under other ids."""
    rng = random.Random(seed)
    names = {node.id: node.id[0] for node in graph.nodes}
    numbers = rng.sample(range(1000), len(names))
    ids = {id_: f"{letter}{n}" for (id_, letter), n in zip(names.items(), numbers, strict=True)}
    variables = [replace(v, id=ids[v.id]) for v in graph.variables]
    functions = [replace(f, id=ids[f.id]) for f in graph.functions]
    rng.shuffle(variables)
    rng.shuffle(functions)
    return Graph(tuple(variables), tuple(functions), tuple([(ids[a], ids[b]) for a, b in graph.edges]), tuple([ids[v] for v in graph.outputs]))


@pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)
@pytest.mark.parametrize("seed", range(3))
def test_ids_and_order_of_the_nodes_do_not_matter(make: Any, seed: int) -> None:
    graph = collect_graph(make())
    assert diff(graph, shuffled(graph, seed)).same


def changed_somewhere(graph: Graph, rng: random.Random) -> Graph:
    """The graph with one thing about it changed."""
    way = rng.randrange(6)
    variables, functions, edges = list(graph.variables), list(graph.functions), list(graph.edges)
    i, k, n = rng.randrange(len(variables)), rng.randrange(len(functions)), rng.randrange(len(edges))
    if way == 0:
        variables[i] = replace(variables[i], name="another") if rng.randrange(2) else replace(variables[i], dtype="another")
    elif way == 1:
        variables[i] = replace(variables[i], shape=(7, 7, 7))
    elif way == 2:
        functions[k] = replace(functions[k], name="Other", op="other")
    elif way == 3:
        functions[k] = replace(functions[k], settings=(("setting", "5"),))
    elif way == 4:
        functions[k] = replace(functions[k], layer="another.layer")
    elif edges[n][0].startswith("v"):
        free = [v.id for v in variables if v.kind != "result" and v.id != edges[n][0]]
        edges[n] = (rng.choice(free or [edges[n][0]]), edges[n][1])
    return Graph(tuple(variables), tuple(functions), tuple(edges), graph.outputs)


@pytest.mark.parametrize("make", [goldstein, classifier, lambda: digits(5, 4, 3), lambda: derivative(F.sin, 3)])
def test_no_change_is_missed_and_none_is_made_up(make: Any) -> None:
    rng, graph = random.Random(0), collect_graph(make())
    for _ in range(40):
        other = changed_somewhere(graph, rng)
        found = diff(graph, other)
        assert bool(found) == (other != graph)
        assert sum(not change.follows for change in found.changes) <= 8
        assert len(found.pairs) >= len(graph.nodes) - 3


def test_steps_that_repeat_are_found_in_order() -> None:
    """Of many functions that look alike, those after an insertion are the ones before it."""
    def chain(n: int, at: int) -> Variable:
        y = Variable(np.ones(()), name="x")
        for i in range(n):
            y = F.exp(F.sin(y)) if i == at else F.sin(y)
        return y

    found = diff(chain(50, -1), chain(50, 20))
    assert [change.line for change in found.changes] == [
        "+ function Exp: (result of Sin 21 of 50) -> () float64",
        "~ function Sin 22 of 50: input x: result of Sin 21 of 50 -> result of Exp"]
    assert all(a == b or int(b[1:]) == int(a[1:]) + 1 for a, b in found.pairs.items())


def test_layers_under_another_path() -> None:
    def net(path: str) -> Variable:
        y = Variable(np.ones((1, 4), np.float32), name="x")
        for i in range(3):
            with layer_scope(f"{path}.{i}"):
                y = F.relu(y)
        return y

    found = diff(net("encoder"), net("enc"))
    assert [change.text for change in found.changes] == [
        f"function ReLU in encoder.{i}: layer encoder.{i} -> enc.{i}" for i in range(3)]


def test_graphs_with_nothing_in_common() -> None:
    found = diff(goldstein(), classifier())
    assert {change.sign for change in found.changes} == set("+-~")
    assert not any(found.first.nodes[0] is node for node in found.second.nodes)
    assert "~ output 0: z -> loss" in str(found)


def test_views_and_groups() -> None:
    def graph(times: int) -> Graph:
        base = collect_graph(classifier())
        group = GroupNode("g0", "Block", "h", 12, 4, 340, times)
        return replace(base, groups=(group,), edges=(*base.edges, (base.outputs[0], "g0")))

    assert diff(graph(3), graph(3)).same
    assert [change.line for change in diff(graph(3), graph(4)).changes] == ["~ group Block in h: times 3 -> 4"]


def test_wrong_arguments(tmp_path: Path) -> None:
    x = Variable(np.ones(2), name="x")
    with pytest.raises(InputTypeError, match="a graph of str: the output of the computation is expected"):
        diff(x, "x")  # type: ignore[arg-type]
    found = diff(x, x * 2)
    with pytest.raises(ValueError, match=r"ends in \.png: \.svg or \.txt is expected; \.svg is the picture"):
        found.save(tmp_path / "a.png")
    with pytest.raises(FileNotFoundError, match="make it first"):
        found.save(tmp_path / "none" / "a.svg")


def test_it_is_saved(tmp_path: Path) -> None:
    found = diff(digits(5, 3), digits(5, 5, 3))
    assert found.save(tmp_path / "차이 1.svg").read_text(encoding="utf-8") == found.svg()
    assert found.save(str(tmp_path / "a.TXT")).read_text(encoding="utf-8") == f"{found}\n"


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names(name: str) -> None:
    def make(k: int) -> Variable:
        with layer_scope(name):
            y = Variable(np.ones(2), name=name + "x" * k) * Variable(np.ones(2), name=name)
        y.name = name
        return F.sin(y) if k else F.cos(y)

    found = diff(make(0), make(1))
    text = str(found)
    assert len(text.splitlines()) == 1 + sum(not change.follows for change in found.changes)
    assert not re.search("[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    assert len(text) < 3000
    root = ET.fromstring(found.svg().encode())
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {"svg", "title", "desc", "style", "rect", "g", "ellipse", "path", "text"}
    ET.fromstring(f"<div>{found._repr_html_()}</div>".encode())


def longest(xs: str, ys: str) -> int:
    table = [[0] * (len(ys) + 1) for _ in range(len(xs) + 1)]
    for i, j in product(range(len(xs)), range(len(ys))):
        table[i + 1][j + 1] = table[i][j] + 1 if xs[i] == ys[j] else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


def test_common_is_a_longest_common_subsequence() -> None:
    rng = random.Random(0)
    for letters, _ in product(("ab", "abcd", "abcdefghijklmnop"), range(60)):
        xs, ys = ("".join(rng.choices(letters, k=rng.randrange(14))) for _ in range(2))
        found = common(xs, ys)
        assert all(xs[i] == ys[j] for i, j in found)
        assert all(i < k and j < m for (i, j), (k, m) in pairwise(found))
        assert len(found) == longest(xs, ys)


def test_many_alike_are_still_aligned_quickly() -> None:
    xs, ys = "y" + "ab" * 2000, "z" + "ba" * 2000 + "y"
    start = time.perf_counter()
    found = common(xs, ys)
    assert time.perf_counter() - start < 2
    assert len(found) >= 2000 and all(xs[i] == ys[j] for i, j in found)
    assert all(i < k and j < m for (i, j), (k, m) in pairwise(found))


def test_5000_nodes_and_deep_graphs() -> None:
    first, second = random_graph(1, 3500), random_graph(2, 3500)
    start = time.perf_counter()
    found = diff(first, second)
    assert time.perf_counter() - start < 4 and len(found.changes) > 1000
    y = Variable(np.zeros(()))
    for _ in range(8_000):
        y = F.sin(y)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try:
        found = diff(y, F.cos(y))
        svg = found.svg()
    finally:
        sys.setrecursionlimit(limit)
    assert [change.sign for change in found.changes] == ["+", "~"] and len(svg) < 20_000


def test_the_same_bytes_in_every_process() -> None:
    code = ("from tests.viz.test_diff import *\n"
            "for make, other, _ in GOLDEN.values():\n    d = diff(make(), other()); print(d); print(d.svg())\n"
            "print(diff(random_graph(0, 60), random_graph(1, 60)).svg())")
    outputs = [subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, timeout=100,
                              env={**os.environ, "PYTHONHASHSEED": seed}).stdout for seed in ("1", "2")]
    assert outputs[0] == outputs[1] and len(outputs[0]) > 10_000


def test_a_diff_holds_no_variable() -> None:
    import gc
    import weakref

    y = digits(5, 3)
    place = weakref.ref(y)
    found: GraphDiff = diff(y, y)
    del y
    gc.collect()
    assert place() is None and found.same
