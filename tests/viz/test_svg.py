"""Our own drawing: valid XML, readable, harmless, nothing on top of anything else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Function, Variable
from dezero.config import layer_scope
from dezero.viz import collect_graph, get_svg_graph
from dezero.viz.graph import Cluster, Graph, GroupNode, VariableNode
from dezero.viz.look import GROUND, MARKS, text_width
from dezero.viz.picture import make_picture
from dezero.viz.shapes import Box, Picture, baseline, worn
from dezero.viz.svg import render_svg
from dezero.viz.view import View, make_view
from tests.viz.graphs import HOSTILE, classifier, dense, derivative, goldstein

SVG = "{http://www.w3.org/2000/svg}"
TAGS = {"svg", "title", "desc", "style", "rect", "g", "ellipse", "path", "text"}
ATTRIBUTES = {"class", "role", "aria-labelledby", "width", "height", "viewBox", "id", "x", "y", "rx", "ry", "transform", "d", "data-node",
              "data-from", "data-to", "data-place", "data-layer"}
GRAPHS = {"goldstein": goldstein, "classifier": classifier, "sin2": lambda: derivative(F.sin, 2), "tanh4": lambda: derivative(F.tanh, 4),
          "leaf": lambda: Variable(np.array(1.0), name="x"), "two": lambda: [Variable(np.array(1.0)) * 2, Variable(np.array(1.0))]}
graphs = pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)


def texts(root: ET.Element) -> list[str]:
    return [t.text or "" for t in root.iter(f"{SVG}text")]


def classed(root: ET.Element, name: str) -> list[ET.Element]:
    return [e for e in root.iter() if name in (e.get("class") or "").split()]


def broken() -> Variable:
    """A computation in which much is wrong."""
    x = Variable(np.array([[1.0, np.nan], [2.0, 3.0]]), name="x")
    dead = F.relu(x * 0.0 - 5.0)
    dead.name = "dead"
    y = F.matmul(dead, Variable(np.full((2, 2), 1e8), name="huge")) / Variable(np.array([1.0, np.inf]), name="infinite")
    y.name = "y"
    return y


def grouped() -> View:
    """What a view looks like in which layers were collapsed."""
    variables = (VariableNode("v0", "leaf", "x", (8, 3), "float32", "", 0), VariableNode("v1", "result", None, (8, 4), "float32", "", 1),
                 VariableNode("v2", "result", "y", (8, 2), "float32", "", 2, 1))
    groups = (GroupNode("g0", "Block", "h.0", 12, 24, 3_400_000, times=32, last="h.31"), GroupNode("g1", "Linear", "head", 1, 2, 10, derivative=1))
    return View(Graph(variables, (), (("v0", "g0"), ("g0", "v1"), ("v1", "g1"), ("g1", "v2")), ("v2",), groups), show=("shape", "dtype", "layer"),
                notes=("1,204 functions were collapsed: " + "every word of this long note has to stay inside of the picture, " * 4,))


def boxed() -> View:
    """A view with boxes in a box, one of which repeats."""
    with layer_scope("encoder"):
        x = Variable(np.ones((4, 8), np.float32), name="x")
        y = F.relu(dense(dense(x, "first", (8, 8)), "second", (8, 8)))
    view = make_view(y, clusters=False)
    inner = (Cluster("encoder.first", ("v1", "v2", "f0")), Cluster("encoder.second", ("v4", "v5", "f1"), times=3))
    return View(view.graph, (Cluster("encoder", ("v3", "v6", "f2"), inner),), None, ("shape",))


VIEWS = {**{name: lambda make=make: make_view(make()) for name, make in GRAPHS.items()},
         "broken": lambda: make_view(broken(), show="shape,value,grad"), "bare": lambda: make_view(derivative(F.tanh, 2), verbose=False),
         "grouped": grouped, "boxed": boxed}
views = pytest.mark.parametrize("make", VIEWS.values(), ids=VIEWS)


@views
def test_it_is_xml_with_every_node_and_edge(make: Any) -> None:
    view = make()
    graph, root = view.graph, ET.fromstring(render_svg(view))
    assert root.tag == f"{SVG}svg" and root.get("role") == "img"
    assert [g.get("data-node") for g in classed(root, "node")] == [node.id for node in graph.nodes]
    edges = [p for p in classed(root, "edge") if p.get("data-to")]
    assert [(p.get("data-from"), p.get("data-to")) for p in edges] == list(graph.edges)
    for id_ in {b for _, b in graph.edges}:
        places = [p.get("data-place") for p in edges if p.get("data-to") == id_]
        assert places == [str(k) for k in range(len(places))]
    assert {v.name for v in graph.variables if v.name} <= set(texts(root))
    numbers = re.findall(r"-?(?:[\d.]+|nan|inf)", " ".join(p.get("d", "").partition("m")[0] for p in root.iter(f"{SVG}path")))
    assert all(np.isfinite(float(n)) and float(n) >= 0 for n in numbers)
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= TAGS and {a for e in root.iter() for a in e.attrib} <= ATTRIBUTES


def test_the_kinds_of_nodes_are_classes() -> None:
    root = ET.fromstring(get_svg_graph(classifier()))
    found = {g.get("data-node"): g.get("class") for g in classed(root, "node")}
    graph = collect_graph(classifier())
    assert all(found[v.id] == f"node variable {v.kind}" for v in graph.variables) and {found[f.id] for f in graph.functions} == {"node function"}
    root = ET.fromstring(render_svg(grouped()))
    assert [g.get("class") for g in classed(root, "node")] == ["node variable leaf", "node variable result", "node variable result d1", "node group",
                                                              "node group d1"]


def test_it_says_in_words_what_it_shows() -> None:
    root = ET.fromstring(get_svg_graph(classifier()))
    label = root.get("aria-labelledby")
    assert label is not None
    title, words = [e.text or "" for id_ in label.split() for e in root.iter() if e.get("id") == id_]
    assert title == "Computation graph of loss"
    assert "4 parameters" in words and "starts from x, W, b" in words and "Linear, ReLU, Linear, SoftmaxCrossEntropy" in words
    nodes = [g.findtext(f"{SVG}title") for g in root.iter(f"{SVG}g")]
    assert "result hidden, (32, 5) float32, in l0" in nodes and "function Linear, in l0" in nodes


def test_ids_do_not_clash_on_a_page_and_are_the_same_every_time() -> None:
    def ids(svg: str) -> list[str]:
        return [i for e in ET.fromstring(svg).iter() if (i := e.get("id"))]

    first, second, again = ids(get_svg_graph(classifier())), ids(get_svg_graph(classifier(), show="shape")), ids(get_svg_graph(classifier()))
    assert len(set(first + second)) == len(first) + len(second) and first == again
    assert {i.partition("-")[2] for i in first} == {"t", "d", *[node.id for node in collect_graph(classifier()).nodes]}


def test_it_has_a_dark_dress_and_rules_for_itself_alone() -> None:
    night = "@media (prefers-color-scheme:dark)"
    for theme, root in (("auto", ".dezero-graph "), ("light", ".dezero-graph.light "), ("dark", ".dezero-graph.dark ")):
        drawn = ET.fromstring(get_svg_graph(broken(), show="value", theme=theme))
        style = drawn.findtext(f"{SVG}style") or ""
        assert (night in style) == (theme == "auto") and (theme in str(drawn.get("class"))) == (theme != "auto")
        rules = [line.partition("{")[0] for line in style.splitlines() if not line.startswith(("@", "}"))]
        assert all(selector.startswith(root) for rule in rules for selector in rule.split(","))
        assert (GROUND["paper"][0] in style) == (theme != "dark") and (GROUND["paper"][1] in style) == (theme != "light")
    with pytest.raises(ValueError, match="theme='night': one of 'auto', 'light', 'dark' is expected"):
        get_svg_graph(broken(), theme="night")


class Double(Function):
    def forward(self, x: Any) -> Any:
        return x * 2

    def backward(self, gy: Any) -> Any:
        return gy * 2


@pytest.mark.parametrize("name", [*HOSTILE, "x" * 1_000_000, "<![CDATA[", "--><!--", "';alert(1)//", "}</style><script>", "url(//a)"],
                         ids=lambda name: ascii(name[:30]))
def test_hostile_names_are_text(name: str) -> None:
    x = Variable(np.array([np.nan, 1.0]), name=name)
    with layer_scope(name):
        y = type("".join(c for c in name if c != "\0" and not "\ud800" <= c <= "\udfff"), (Double,), {})()(x) - x
    y.name = name
    view = make_view(y, show="shape,dtype,layer,value,grad", clusters=False)
    graph = replace(view.graph, functions=tuple([replace(f, arguments=(name, name), settings=((name, name),)) for f in view.graph.functions]))
    view = View(graph, (Cluster(name, ("f0", "v1"), (Cluster(name, ("f1",), last=name),)),), view.values, view.show, (name,))
    for svg in (render_svg(view), render_svg(view, marks={"f0": "added"}, remarks={"f0": name})):
        root = ET.fromstring(svg.encode())
        assert {e.tag.removeprefix(SVG) for e in root.iter()} <= TAGS and {a for e in root.iter() for a in e.attrib} <= ATTRIBUTES
        assert len(svg) < 30_000
        assert "url(" not in str(root.findtext(f"{SVG}style"))


def test_a_graph_of_a_hundred_nodes_is_light() -> None:
    y = goldstein()
    assert len(collect_graph(y).nodes) >= 90 and len(get_svg_graph(y)) < 60_000 and len(get_svg_graph(y, show="shape,dtype,value,grad")) < 60_000


@views
def test_nothing_overlaps_and_arrows_run_down_onto_their_node(make: Any) -> None:
    picture = make_picture(make())
    boxes = {box.id: box for box in picture.boxes}
    for a, b in combinations(picture.boxes, 2):
        assert abs(a.x - b.x) >= (a.width + b.width) / 2 or abs(a.y - b.y) >= (a.height + b.height) / 2
    for box in picture.boxes:
        assert box.width / 2 <= box.x <= picture.width - box.width / 2 and box.height / 2 <= box.y <= picture.height - box.height / 2
    for line in picture.lines:
        assert all(b[1] >= a[1] for a, b in zip(line.points, line.points[1:], strict=False))
        (x0, y0), (x1, y1), a, b = line.points[0], line.points[-1], boxes[line.source], boxes[line.target]
        assert abs(x0 - a.x) < a.width / 2 and y0 == pytest.approx(a.y + a.height / 2)
        assert abs(x1 - b.x) < b.width / 2 and y1 == pytest.approx(b.y - b.height / 2)
    assert no_line_through_a_box(picture)


def no_line_through_a_box(picture: Picture) -> bool:
    """Straight parts of long edges keep off the nodes that they pass."""
    for line in picture.lines:
        for (x0, y0), (x1, y1) in zip(line.points, line.points[1:], strict=False):
            for box in picture.boxes if x0 == x1 else ():
                if box.id not in (line.source, line.target) and abs(x0 - box.x) < box.width / 2 and y0 < box.y < y1:
                    return False
    return True


@views
def test_text_stays_in_its_shape_and_in_the_picture(make: Any) -> None:
    picture = make_picture(make())
    for box in [*picture.boxes, *[worn(box) for box in picture.boxes if box.mark]]:
        for k, (text, size) in enumerate(box.lines):
            low, high = baseline(box, k), baseline(box, k) - 0.75 * size
            assert all(inside(box, text_width(text, size) / 2, y) for y in (low, high)), (box.id, text)
        if box.tag:
            first = max(text_width(*line) for line in box.lines)
            assert first / 2 + text_width(box.tag, 10.5) + 5 <= box.width / 2
    for caption in picture.captions:
        left = caption.x - (text_width(caption.text, 10.5) if caption.anchor == "end" else 0)
        assert 0 <= left and left + text_width(caption.text, 10.5) <= picture.width and 8 <= caption.y <= picture.height - 3
    for panel in picture.panels:
        assert text_width(panel.title, 10.5) + 12 <= panel.width


def inside(box: Box, x: float, y: float) -> bool:
    if box.shape == "ellipse":
        return (x / (box.width / 2)) ** 2 + (y / (box.height / 2)) ** 2 <= 1
    return x + 2 <= box.width / 2 and abs(y) <= box.height / 2


def test_marks_are_signs_and_colours() -> None:
    root = ET.fromstring(get_svg_graph(broken(), show="value"))
    worn_by = {g.findtext(f"{SVG}text"): badge.findtext(f"{SVG}text") for g in classed(root, "node") for badge in classed(g, "badge")}
    assert worn_by["x"] == worn_by["y"] == worn_by["dead"] == "NaN" and worn_by["huge"] == "huge" and worn_by["infinite"] == "inf"
    assert {"holds NaN", "holds infinity", "above 1e6"} <= set(texts(root)) and "dead: all zero" not in texts(root)
    assert "stroke:" + MARKS["nan"].day[0] in str(root.findtext(f"{SVG}style"))
    assert "6 nodes: holds NaN. 1 node: holds infinity. 1 node: above 1e6." in str(root.findtext(f"{SVG}desc"))
    assert not classed(ET.fromstring(get_svg_graph(broken())), "badge")


def test_a_dead_gradient_is_marked() -> None:
    x = Variable(np.array([-1.0, -2.0]), name="x")
    y = F.sum(F.relu(x))
    y.backward()
    root = ET.fromstring(get_svg_graph(y, show="grad"))
    (node,) = [g for g in classed(root, "node") if "x" in texts(g)]
    assert "grad [0, 0]" in texts(node) and "zero" in texts(node) and "dead: all zero" in str(node.findtext(f"{SVG}title"))


def test_others_can_mark_nodes_and_edges() -> None:
    view = make_view(classifier())
    root = ET.fromstring(render_svg(view, marks={"f0": "added", "v0>f0:0": "removed"}, remarks={"f0": "was Conv2d"}))
    (node,) = classed(root, "added") and [g for g in classed(root, "added") if g.get("data-node")]
    assert node.get("data-node") == "f0" and str(node.findtext(f"{SVG}title")).endswith("added, in l0, was Conv2d")
    assert "was Conv2d" in texts(node)
    (edge,) = [p for p in classed(root, "removed") if p.tag == f"{SVG}path"]
    assert (edge.get("data-from"), edge.get("data-to"), edge.get("data-place")) == ("v0", "f0", "0")
    assert {"added", "removed"} <= set(texts(root))


def test_passes_have_a_legend() -> None:
    root = ET.fromstring(get_svg_graph(derivative(F.tanh, 4)))
    assert {"forward", "2nd derivative", "3rd to 4th derivative", "∂²", "∂³…"} <= set(texts(root))
    signs = {node.id: node.derivative for node in collect_graph(derivative(F.tanh, 4)).functions}
    for g in classed(root, "function"):
        if g.get("data-node"):
            k = signs[str(g.get("data-node"))]
            assert (["∂" + "  ²³⁴"[k]] if k else []) == [t for t in texts(g) if "∂" in t]
            assert f"d{min(k, 3)}" in str(g.get("class")) or not k
    assert not classed(ET.fromstring(get_svg_graph(goldstein())), "swatch")
    assert "1st derivative" in get_svg_graph(derivative(F.sin, 1))


def test_a_long_legend_and_a_long_note_go_on_in_the_next_line() -> None:
    view = make_view(derivative(F.tanh, 4), verbose=False)
    picture = make_picture(View(view.graph, notes=("y" * 500,)), marks=dict(zip(["v0", "v1", "v2", "v3", "v4", "v5", "v6"], MARKS, strict=True)))
    swatches = [box for box in picture.boxes if not box.id]
    assert len(swatches) == 3 + len(MARKS) and len({box.y for box in swatches}) > 1
    assert all(caption.x + text_width(caption.text, 10.5) <= picture.width for caption in picture.captions)
    assert sum(len(caption.text) for caption in picture.captions if set(caption.text) == {"y"}) == 500


def test_the_order_of_inputs_is_told_where_it_counts() -> None:
    a, b = Variable(np.array(1.0), name="left"), Variable(np.array(2.0), name="right")
    matrices = F.matmul(a.reshape(1, 1), b.reshape(1, 1))
    for y, named in ((a - b, True), (b / a, True), (matrices, True), (a + b, False), (a * b, False), (a - a, False)):
        root = ET.fromstring(get_svg_graph(y))
        labels = [p.findtext(f"{SVG}title") for p in classed(root, "edge") if p.findtext(f"{SVG}title")]
        assert labels == (["argument a", "argument b"] if named else [])
        assert ({"a", "b"} <= set(texts(root))) == named
    a.name = "a"
    assert "b" not in texts(ET.fromstring(get_svg_graph(a - b)))  # a's name tells it
    root = ET.fromstring(get_svg_graph(classifier()))
    assert [p.findtext(f"{SVG}title") for p in classed(root, "edge") if p.get("data-to") == "f0"] == ["argument x", "argument W", "argument b"]


def test_groups_look_like_many() -> None:
    root = ET.fromstring(render_svg(grouped()))
    cards, double = classed(root, "group")
    assert {"Block ×32", "h.0 … h.31", "12 functions each", "3.4 M parameters each"} <= set(texts(cards))
    assert len(list(cards.iter(f"{SVG}rect"))) == 3 and len(list(double.iter(f"{SVG}rect"))) == 2
    assert "1 function" not in texts(double) and "1,204 functions were collapsed:" in " ".join(texts(root))


def test_layers_are_boxes_behind_the_edges() -> None:
    root = ET.fromstring(render_svg(boxed()))
    assert [r.get("data-layer") for r in root if r.get("data-layer")] == ["encoder", "encoder.first", "encoder.second"]
    kinds = [str(e.get("class")).split()[0] for e in root][4:]
    order = ["".join(kinds).index(kind) for kind in ("layer", "edge", "node")]
    assert order == sorted(order) and "layer" not in kinds[kinds.index("edge"):] and "edge" not in kinds[kinds.index("node"):]
    assert texts(root)[:3] == ["encoder", "encoder.first", "encoder.second ×3"]
    assert "l0" not in texts(root) and len(classed(root, "layer")) == 4  # a second border where it repeats


@pytest.mark.seeds
def test_the_same_bytes_in_every_process() -> None:
    script = ("from tests.viz.test_svg import *; import hashlib; "
              "print(hashlib.sha256(''.join(render_svg(make()) for make in VIEWS.values()).encode()).hexdigest())")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2]), "OPENBLAS_NUM_THREADS": "1"}
    runs = [subprocess.run([sys.executable, "-c", script], env={**environment, "PYTHONHASHSEED": seed}, capture_output=True, text=True)
            for seed in ("0", "1")]
    found = {run.stdout for run in runs}
    assert all(run.returncode == 0 for run in runs), runs[0].stderr
    assert len(found) == 1 and len(found.pop()) == 65


def test_edges_that_run_along_with_one_another_are_drawn_once_if_they_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    x = Variable(np.array(1.0), name="x")
    y = x
    for _ in range(9):
        y = F.sin(y) + x
    whole = make_picture(make_view(y))
    assert all(line.target for line in whole.lines)
    monkeypatch.setattr("dezero.viz.picture.JOINED", 0)
    shared = make_picture(make_view(y))
    (stretch,) = [line for line in shared.lines if not line.target]
    assert stretch.source == "v0" and sum(bool(line.target) for line in shared.lines) == len(whole.lines)
    assert sum(len(line.points) for line in shared.lines) < sum(len(line.points) for line in whole.lines)
    root = ET.fromstring(render_svg(make_view(y)))
    assert [p.get("data-from") for p in classed(root, "edge") if not p.get("data-to")] == ["v0"]


def test_an_edge_past_many_rows_is_straight_between_few_bends() -> None:
    x = Variable(np.array(1.0), name="x")
    y = x
    for _ in range(30):
        y = F.sin(y)
    picture = make_picture(make_view(y + x))
    longest = max(picture.lines, key=lambda line: line.points[-1][1] - line.points[0][1])
    assert len({p[0] for p in longest.points}) <= 4


def test_a_chain_of_5000_functions_is_drawn_without_recursion() -> None:
    y = Variable(np.array(1.0))
    for _ in range(5_000):
        y = F.sin(y)
    frame, depth = sys._getframe(), 1
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(depth + 60)
        svg = render_svg(View(collect_graph(y)))
    finally:
        sys.setrecursionlimit(limit)
    assert svg.count('class="node') == 10_001
