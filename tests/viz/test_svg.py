"""Our own drawing: valid XML, readable, harmless, nothing on top of anything else."""

from __future__ import annotations

import builtins
import re
import xml.etree.ElementTree as ET
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable
from dezero.viz import collect_graph, draw_graph_png, get_svg_graph
from dezero.viz.layout import lay_out, nearest
from dezero.viz.look import clean
from dezero.viz.picture import Picture, make_picture
from tests.viz.graphs import HOSTILE, classifier, derivative, goldstein

SVG = "{http://www.w3.org/2000/svg}"
GRAPHS = {"goldstein": goldstein, "classifier": classifier, "sin2": lambda: derivative(F.sin, 2), "tanh4": lambda: derivative(F.tanh, 4),
          "leaf": lambda: Variable(np.array(1.0), name="x"), "two": lambda: [Variable(np.array(1.0)) * 2, Variable(np.array(1.0))]}
graphs = pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)


def texts(root: ET.Element) -> list[str]:
    return [t.text or "" for t in root.iter(f"{SVG}text")]


@graphs
@pytest.mark.parametrize("verbose", [True, False])
def test_it_is_xml_with_every_node_and_edge(make: Any, verbose: bool) -> None:
    y = make()
    graph, root = collect_graph(y), ET.fromstring(get_svg_graph(y, verbose))
    assert root.tag == f"{SVG}svg" and root.get("role") == "img"
    assert len(list(root.iter(f"{SVG}ellipse"))) == len(graph.variables)
    assert len(list(root.iter(f"{SVG}rect"))) == len(graph.functions) + 1  # and the paper
    assert sum(p.get("class") == "head" for p in root.iter(f"{SVG}path")) == len(graph.edges)
    assert {v.name for v in graph.variables if v.name} <= set(texts(root))
    numbers = re.findall(r'[ "MLC](-?[\d.]+|nan|inf)', " ".join(p.get("d", "") for p in root.iter(f"{SVG}path")))
    assert all(np.isfinite(float(n)) and float(n) >= 0 for n in numbers)


def test_it_says_in_words_what_it_shows() -> None:
    root = ET.fromstring(get_svg_graph(classifier()))
    assert root.findtext(f"{SVG}title") == "Computation graph of loss"
    words = root.findtext(f"{SVG}desc")
    assert "4 parameters" in words and "starts from x, W, b" in words and "Linear, ReLU, Linear, SoftmaxCrossEntropy" in words
    nodes = [g.findtext(f"{SVG}title") for g in root.iter(f"{SVG}g")]
    assert "result hidden, (32, 5) float32, in l0" in nodes and "function Linear, in l0" in nodes


def test_it_has_a_dark_dress_and_rules_for_itself_alone() -> None:
    style = ET.fromstring(get_svg_graph(goldstein())).findtext(f"{SVG}style")
    assert "@media (prefers-color-scheme: dark)" in style
    rules = [line for line in style.splitlines() if not line.startswith(("@", "}"))]
    assert all(line.startswith(".dezero-graph ") for line in rules)


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names_are_text(name: str) -> None:
    x = Variable(np.array(1.0), name=name)
    y = x * x
    y.name = name
    svg = get_svg_graph(y)
    root = ET.fromstring(svg.encode())
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {"svg", "title", "desc", "style", "rect", "g", "ellipse", "path", "text"}
    assert len(svg) < 12_000
    assert not any(a.startswith("on") or "href" in a for e in root.iter() for a in e.attrib)


@pytest.mark.parametrize(("name", "shown"), [("a\0b", "ab"), ("two\nlines", "two lines"), ("\u202eevil", "evil"), ("x" * 100, "x" * 39 + "…"),
                                             ("\ud800", ""), ("데이터", "데이터"), ("x" * 40, "x" * 40), ("\x01" * 900 + "x", "…")])
def test_clean(name: str, shown: str) -> None:
    assert clean(name) == shown


@graphs
def test_nothing_overlaps_and_arrows_run_down_onto_their_node(make: Any) -> None:
    picture = make_picture(collect_graph(make()))
    for a, b in combinations(picture.boxes, 2):
        assert abs(a.x - b.x) >= (a.width + b.width) / 2 or abs(a.y - b.y) >= (a.height + b.height) / 2
    for box in picture.boxes:
        assert box.width / 2 <= box.x <= picture.width - box.width / 2 and box.height / 2 <= box.y <= picture.height - box.height / 2
    for route in picture.routes:
        assert all(b[1] >= a[1] for a, b in zip(route.points, route.points[1:], strict=False))
        if route.arrow:
            x, y = route.points[-1]
            assert any(abs(x - b.x) < b.width / 2 and abs(y - (b.y - b.height / 2)) < 1e-6 for b in picture.boxes)
    assert no_line_through_a_box(picture)


def no_line_through_a_box(picture: Picture) -> bool:
    """Straight parts of long edges keep off the nodes that they pass."""
    for route in picture.routes:
        for (x0, y0), (x1, y1) in zip(route.points, route.points[1:], strict=False):
            for box in picture.boxes if x0 == x1 else ():
                if abs(x0 - box.x) < box.width / 2 and y0 < box.y < y1:
                    return False
    return True


def test_a_tree_has_no_crossings_and_inputs_stand_by_their_user() -> None:
    layout = lay_out([(10, 10)] * 7, [(0, 2), (1, 2), (2, 6), (3, 5), (4, 5), (5, 6)])
    x = [c[0] for c in layout.centres]
    assert x[0] < x[2] < x[1] < x[3] < x[5] < x[4]
    assert [x[i] + x[j] for i, j in ((0, 4), (1, 3), (2, 5))] == pytest.approx([2 * x[6]] * 3)
    late = lay_out([(10, 10)] * 6, [(0, 1), (1, 2), (2, 3), (3, 5), (4, 5)])
    assert late.centres[4][1] == late.centres[3][1]


def test_nearest_places_keep_order_and_gaps() -> None:
    assert nearest([0.0, 10.0], [1.0, 1.0], [5.0]) == [0.0, 10.0]
    assert nearest([10.0, 0.0], [1.0, 3.0], [4.0]) == pytest.approx([-0.5, 3.5])
    assert nearest([], [], []) == []


def test_an_edge_past_many_rows_is_straight_between_few_bends() -> None:
    x = Variable(np.array(1.0), name="x")
    y = x
    for _ in range(30):
        y = F.sin(y)
    picture = make_picture(collect_graph(y + x))
    trunk = next(r for r in picture.routes if not r.arrow)
    assert len({p[0] for p in trunk.points}) <= 3


@pytest.mark.parametrize("n", [200])
def test_every_pair_linked_is_laid_out(n: int) -> None:
    edges = [(i, j) for i in range(n) for j in range(i + 1, n)]
    layout = lay_out([(10.0, 10.0)] * n, edges)
    assert len({c[1] for c in layout.centres}) == n


def test_a_chain_of_20000_functions_is_drawn() -> None:
    y = Variable(np.array(1.0))
    for _ in range(20_000):
        y = F.sin(y)
    assert get_svg_graph(y, verbose=False).count("<rect") == 20_001


@pytest.mark.parametrize("name", ["x", "$x^2$ and $(", "입력", "עברית\nx", "\0"], ids=ascii)
def test_png_by_matplotlib(name: str, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="pillow is not installed")
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    y = classifier() * Variable(np.array(1.0, np.float32), name=name)
    path = draw_graph_png(y, tmp_path / "그래프 1.png")
    picture = make_picture(collect_graph(y))
    with image.open(path) as drawn:
        pixels = np.asarray(drawn.convert("RGB"))
    assert abs(pixels.shape[1] - 2 * picture.width) < 2 and abs(pixels.shape[0] - 2 * picture.height) < 2
    box = picture.boxes[0]
    assert tuple(pixels[round(2 * (box.y - box.height / 2 + 4)), round(2 * box.x)]) == (0xFF, 0xE0, 0xA3)
    assert draw_graph_png(y, tmp_path / "again.png").read_bytes() == path.read_bytes()


def test_png_of_a_huge_graph_is_shrunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    monkeypatch.setattr("dezero.viz.raster.MAX_PIXELS", 300)
    head = draw_graph_png(goldstein(), tmp_path / "a.png").read_bytes()[:24]
    assert max(int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")) <= 301


def test_png_wrong_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = Variable(np.array(1.0))
    with pytest.raises(ValueError, match=r"ends in \.svg: \.png is expected"):
        draw_graph_png(x, tmp_path / "a.svg")
    with pytest.raises(ValueError, match="scale is 0"):
        draw_graph_png(x, tmp_path / "a.png", scale=0)
    real = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'dezero\[plot\]'"):
        draw_graph_png(x, tmp_path / "a.png")
