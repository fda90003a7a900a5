"""DOT text and the files made of it: golden, the same everywhere, harmless, and there without Graphviz too."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import types
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Function, Parameter, Variable, utils
from dezero.config import layer_scope
from dezero.errors import InputTypeError
from dezero.viz import collect_graph, get_dot_graph, plot_dot_graph
from dezero.viz import dot as module
from dezero.viz.graph import Cluster, FunctionNode, Graph, GroupNode, VariableNode
from dezero.viz.look import MARKS, PALETTE, clean
from dezero.viz.view import View
from tests.viz.graphs import HOSTILE, classifier, derivative, goldstein
from tests.viz.renew import FOLDER, GOLDEN, Folded

ROOT = Path(__file__).resolve().parents[2]
VALUE = r'(?:"(?:[^"\\]|\\.)*"|[\w.-]+)'
LINE = re.compile(rf"digraph \{{|\t*\}}|\t+subgraph cluster_\d+ \{{|\t+(?:graph|node|edge|[vfg]\d+) \[\w+={VALUE}(?: \w+={VALUE})*\]|"
                  r"\t[vfg]\d+ -> [vfg]\d+")
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
HOSTILES = [*HOSTILE, "<b>html</b>", "<", 'a\\"b"; X [label=', "x" * 1_000_000]


def square() -> Variable:
    x = Variable(np.array([1.0, 2.0], np.float32), name="x")
    y = x * x
    y.name = "y"
    return y


def node_lines(text: str, id_: str) -> str:
    """The line of a node."""
    return next(line.strip() for line in text.splitlines() if line.strip().startswith(f"{id_} ["))


def run_dot(text: str, *words: str, cwd: Path | None = None) -> str:
    done = subprocess.run(["dot", *words], input=text.encode(), capture_output=True, cwd=cwd)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()


@pytest.mark.seeds
@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name: str) -> None:
    expected = (FOLDER / f"{name}.dot").read_text(encoding="utf-8")
    assert GOLDEN[name]() == expected, "if it is meant to change, look at the picture and run python -m tests.viz.renew"


def test_each_golden_text_has_its_maker() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(GOLDEN)


@needs_dot
def test_graphviz_reads_every_golden_text() -> None:
    for name in GOLDEN:
        text = (FOLDER / f"{name}.dot").read_text(encoding="utf-8")
        known = run_dot(text, "-Tcanon")
        assert known.count("->") == text.count("->") and known.count("subgraph") == text.count("subgraph"), name


def test_the_books_utils_has_both() -> None:
    assert utils.get_dot_graph is get_dot_graph
    assert utils.plot_dot_graph is plot_dot_graph


def test_each_node_and_edge_is_written_once() -> None:
    for y in (goldstein(), classifier(), derivative(F.tanh, 3)):
        graph, text = collect_graph(y), get_dot_graph(y)
        assert sorted(re.findall(r"^\t+([vf]\d+) \[", text, re.M)) == sorted(node.id for node in graph.nodes)
        assert re.findall(r"^\t(\w+) -> (\w+)$", text, re.M) == list(graph.edges)


def test_layers_and_the_dead_are_in_the_text() -> None:
    text = get_dot_graph(classifier())
    assert r'label="hidden\n(32, 5) float32"' in text and "label=Linear" in get_dot_graph(classifier(), show="shape")
    assert "None" not in text


def test_bare_labels_are_the_books() -> None:
    text = get_dot_graph(classifier(), verbose=False)
    labels = re.findall(rf"^\t+[vf]\d+ \[label=({VALUE})", text, re.M)
    assert sorted(labels) == sorted(["x", "W", "b", "hidden", "Linear", '""', "ReLU", "W", "b", '""', "Linear", "t", "SoftmaxCrossEntropy", "loss"])


def test_kinds_differ_by_more_than_colour() -> None:
    text = get_dot_graph(F.sin(Parameter(np.array(1.0), name="w")) + 0.5, verbose=False)
    assert "penwidth=2.4" in node_lines(text, "v0") and 'style="filled,dashed"' in node_lines(text, "v2") and "label=0.5" in node_lines(text, "v2")
    assert "shape=box" in node_lines(text, "f0")


def test_derivatives_have_colours_and_words() -> None:
    text = get_dot_graph(derivative(F.tanh, 4))
    for order, key in ((0, "function"), (2, "function2"), (4, "function3")):
        lines = [line for line in text.splitlines() if f'fillcolor="{PALETTE[key][0]}"' in line]
        assert lines and all((f"\\n{order}nd derivative" if order == 2 else "th derivative" if order else "label=Tanh") in line
                             or "\\n3rd derivative" in line for line in lines)
    assert r'label="colours: blue forward, pink 2nd derivative, yellow 3rd to 4th derivative\l"' in text
    assert "colours: green 1st derivative" in get_dot_graph(derivative(F.sin, 1), verbose=False)
    assert "colours" not in get_dot_graph(goldstein()) and "\\n1st" not in get_dot_graph(derivative(F.sin, 1), verbose=False)


def test_colours_have_the_names_that_the_legend_gives() -> None:
    def rgb(key: str) -> list[int]:
        return [int(PALETTE[key][0][i:i + 2], 16) for i in (1, 3, 5)]

    blue, green, pink, yellow = rgb("function"), rgb("function1"), rgb("function2"), rgb("function3")
    assert max(blue) == blue[2] and max(green) == green[1] and min(pink) == pink[1] and min(yellow) == yellow[2]


def test_values_and_gradients_are_shown() -> None:
    x = Variable(np.array([3.0, 4.0]), name="x")
    y = F.sum(x * x)
    before = get_dot_graph(y, show="shape,value,grad")
    assert r'"x\n(2,)\nvalue [3, 4]\ngrad: not computed yet"' in before
    y.backward(retain_graph=True)
    assert r'"x\n(2,)\nvalue [3, 4]\ngrad [6, 8]"' in get_dot_graph(y, show="shape,value,grad")


def test_bad_numbers_are_marked_by_words_and_colour() -> None:
    y = F.sum(Parameter(np.array([1.0, np.nan]), name="w") * 2.0)
    line = node_lines(get_dot_graph(y, show="value"), "v0")
    assert MARKS["nan"].meaning in line and MARKS["nan"].day[0] in line


def graph_of(*functions: FunctionNode | GroupNode, clusters: tuple[Cluster, ...] = (), notes: tuple[str, ...] = ()) -> View:
    """A view made by hand: one variable that leads to each of the functions."""
    v = VariableNode("v0", "leaf", "x", (), "float64", "", 0)
    graph = Graph((v,), tuple(f for f in functions if isinstance(f, FunctionNode)), tuple(("v0", f.id) for f in functions), (),
                  tuple(f for f in functions if isinstance(f, GroupNode)))
    return View(graph, clusters, None, ("shape", "dtype", "layer"), notes)


def test_clusters_are_subgraphs_with_their_path() -> None:
    a, b, c = (FunctionNode(f"f{i}", "Sin", "sin", layer, 0, i) for i, layer in enumerate(("net.a", "net.b", "")))
    view = graph_of(a, b, c, clusters=(Cluster("net", (), (Cluster("net.a", ("f0",), times=3, last="net.c"), Cluster("net.b", ("f1",), (), 1))),))
    text = get_dot_graph(view)
    assert re.findall(r"subgraph (cluster_\d+) \{", text) == ["cluster_0", "cluster_1", "cluster_2"]
    for path, id_ in (("net.a", "f0"), ("net.b", "f1")):
        inside = re.search(rf'subgraph cluster_\d+ {{\s+graph \[[^\]]*label="{re.escape(path)}[^\]]*\]\s+(.*)', text)
        assert inside is not None and inside[1].startswith(f"{id_} [")
    assert "net.a … net.c ×3" in text
    assert "net.b · 1st derivative" in text and text.count("\t\t}") == 2, "inner boxes close inside the outer one"
    assert re.findall(r"^(\t+)(f\d) \[", text, re.M) == [("\t", "f2"), ("\t\t\t", "f0"), ("\t\t\t", "f1")], "each once, f2 in no box"


def test_groups_say_what_they_hold_and_how_often() -> None:
    text = get_dot_graph(graph_of(GroupNode("g0", "Block", "h0", 12, 4, 3_400_000, times=32)))
    line = node_lines(text, "g0")
    for words in ("Block ×32", "12 functions", "3.4 M parameters", "peripheries=2", "shape=box"):
        assert words in line
    assert "\tv0 -> g0\n" in text


def test_notes_stand_below() -> None:
    text = get_dot_graph(graph_of(notes=("1,204 functions were collapsed", "and \\N more <b>")))
    assert r'label="1,204 functions were collapsed\land \\N more <b>\l" labeljust=l labelloc=b' in text
    long = get_dot_graph(graph_of(notes=("so many words " * 30,)))
    assert max(len(line) for line in long.split(r"\l")[1:-1]) <= 100 and long.count("words") == 30


def test_boxes_in_boxes_need_no_recursion() -> None:
    cluster = Cluster("deep", ("f0",))
    for _ in range(300):
        cluster = Cluster("deep", (), (cluster,))
    limit = sys.getrecursionlimit()
    depth = len(__import__("inspect").stack(0))
    sys.setrecursionlimit(depth + 60)
    try:
        text = get_dot_graph(graph_of(FunctionNode("f0", "Sin", "sin", "", 0, 0), clusters=(cluster,)))
    finally:
        sys.setrecursionlimit(limit)
    assert text.count("subgraph") == 301


def test_options_pick_what_is_drawn() -> None:
    loss = classifier()
    assert r'label="Linear\nl0\n45 parameters"' in node_lines(get_dot_graph(loss, collapse="l0"), "g0")
    assert re.findall(r"label=(l\d) .*subgraph|label=(l\d)", get_dot_graph(loss, collapse="l0")) == [("", "l1")], "the box of the other layer"
    assert "subgraph" not in get_dot_graph(loss, clusters=False) and r'"Linear\nl0"' in get_dot_graph(loss, clusters=False)
    assert "(32, 8)" in get_dot_graph(loss, show="shape") and "float32" not in get_dot_graph(loss, show="shape")
    assert "more than max_nodes=8" in get_dot_graph(loss, max_nodes=8)
    with pytest.raises(TypeError, match="colour"):
        get_dot_graph(loss, colour="red")
    with pytest.raises(InputTypeError):
        get_dot_graph(3)


@pytest.mark.seeds
def test_a_model_hands_its_options_on(tmp_path: Path) -> None:
    path = Folded().plot(np.ones((2, 4), np.float32), to_file=tmp_path / "a.dot", verbose=False, fold=True, collapse=True)
    assert "×8" in path.read_text(encoding="utf-8") and "float32" not in path.read_text(encoding="utf-8")


def test_the_object_can_be_added_to() -> None:
    dot = module.dot_graph(square())
    dot.attr(rankdir="LR")
    dot.node("more", label="more")
    assert dot.source.startswith("digraph {") and "rankdir=LR" in dot.source and get_dot_graph(square()) == module.dot_graph(square()).source


def test_the_same_bytes_in_two_processes() -> None:
    code = ("from tests.viz.graphs import *; from dezero.viz import *; from dezero.viz.page import render_html; import sys\n"
            "for y in (goldstein(), classifier(), derivative(F.tanh, 3)):\n"
            "    sys.stdout.write(get_dot_graph(y, show='shape,value,grad') + get_dot_graph(y, collapse=True) + get_svg_graph(y) + render_html(y))")
    texts = [subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True,
                            check=True).stdout for seed in ("1", "2")]
    assert texts[0] == texts[1]
    assert len(texts[0]) > 1000


@pytest.mark.parametrize("name", HOSTILES, ids=lambda name: ascii(name[:30]))
def test_hostile_names_stay_inside_their_label(name: str, tmp_path: Path) -> None:
    with layer_scope(name):
        x = Variable(np.array(1.0), name=name)
        y = x * x
    y.name = name
    text = get_dot_graph(y)
    for line in text.splitlines():
        assert LINE.fullmatch(line), line
    assert text.count("->") == 3 and len(text) < 2500
    assert not re.search(r"[\0-\x08\x0b-\x1f\u202e\u2066\ud800\ufffe]", text)
    text.encode()
    plot_dot_graph(y, to_file=tmp_path / "x.dot")
    assert (tmp_path / "x.dot").read_text(encoding="utf-8") == text


def hostile_graph() -> View:
    """Each hostile name as that of a variable, a function, a group, a layer and a note."""
    variables, functions, groups, clusters, edges = [], [], [], [], []
    for i, name in enumerate(HOSTILES):
        variables.append(VariableNode(f"v{i}", "leaf", name, (), "float64", name, 0))
        functions.append(FunctionNode(f"f{i}", name, name, name, 0, i))
        groups.append(GroupNode(f"g{i}", name, name, 1, 1, 1))
        clusters.append(Cluster(name, (f"v{i}", f"f{i}")))
        edges += [(f"v{i}", f"f{i}"), (f"f{i}", f"g{i}")]
    graph = Graph(tuple(variables), tuple(functions), tuple(edges), (), tuple(groups))
    return View(graph, tuple(clusters), None, ("shape", "layer"), tuple(HOSTILES))


@needs_dot
def test_graphviz_reads_every_name_and_shows_it_as_it_is(tmp_path: Path) -> None:
    text = module.render_dot(hostile_graph())
    assert all(LINE.fullmatch(line) for line in text.splitlines())
    svg = run_dot(text, "-Tsvg", cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []
    root = ET.fromstring(svg)
    assert {e.tag.partition("}")[2] for e in root.iter()} <= {"svg", "g", "title", "polygon", "ellipse", "path", "text"}
    shown = [" ".join((e.text or "").split()) for e in root.iter() if e.tag.endswith("}text")]
    for name in HOSTILES:
        if cleaned := clean(name):
            assert shown.count(cleaned) >= 4, cleaned
    assert len(list(root.iter("{http://www.w3.org/2000/svg}ellipse"))) == len(HOSTILES)


def test_hostile_names_of_functions() -> None:
    for name in HOSTILES:
        if "\0" in name or "\ud800" in name:
            continue  # no class can be called that
        cls = type(name, (Function,), {"forward": lambda self, x: x + 1.0, "backward": lambda self, gy: gy})
        text = get_dot_graph(cls()(Variable(np.array(1.0))))
        assert all(LINE.fullmatch(line) for line in text.splitlines()) and text.count("->") == 2


@needs_dot
@pytest.mark.parametrize(("suffix", "head"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("PNG", b"\x89PNG")])
def test_graphviz_draws(suffix: str, head: bytes, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "그래프 폴더" / f"내 그림.{suffix}"
    path.parent.mkdir()
    assert plot_dot_graph(goldstein(), verbose=False, to_file=path) == path
    assert path.read_bytes().startswith(head)
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", ["png", "pdf"])
def test_without_graphviz_dot_and_svg_are_written(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("PATH", "")
    folder = tmp_path / "그래프 폴더"
    folder.mkdir()
    path = plot_dot_graph(goldstein(), to_file=str(folder / f"goldstein.{suffix}"))
    assert path == folder / "goldstein.svg"
    assert sorted(p.name for p in folder.iterdir()) == ["goldstein.dot", "goldstein.svg"]
    assert (folder / "goldstein.dot").read_text(encoding="utf-8") == get_dot_graph(goldstein())
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    for word in ("Graphviz", "not installed", "install graphviz", "goldstein.svg", "goldstein.dot", f"goldstein.{suffix}"):
        assert word.lower() in said.lower()


@pytest.mark.parametrize(("platform", "command"), [("linux", "sudo apt-get install graphviz"), ("darwin", "brew install graphviz"),
                                                   ("win32", "winget install Graphviz.Graphviz")])
def test_the_command_is_that_of_the_system(platform: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    monkeypatch.setattr(module.sys, "platform", platform)
    plot_dot_graph(square(), to_file=tmp_path / "a.png")
    assert command in capsys.readouterr().out


@pytest.mark.parametrize("suffix", ["svg", "dot"])
def test_svg_and_dot_never_need_the_program(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("PATH", "")
    path = plot_dot_graph(square(), to_file=tmp_path / f"a.{suffix}")
    assert path.read_text(encoding="utf-8").startswith({"svg": "<svg", "dot": "digraph"}[suffix])
    assert capsys.readouterr().out == ""


def test_without_the_package_there_is_svg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(ImportError, match="needs the Python package graphviz.*: pip install graphviz"):
        get_dot_graph(square())
    with pytest.raises(ImportError, match="pip install graphviz"):
        plot_dot_graph(square(), to_file=tmp_path / "a.dot")
    assert plot_dot_graph(square(), to_file=tmp_path / "a.svg").read_text(encoding="utf-8").startswith("<svg")
    assert capsys.readouterr().out == ""
    assert plot_dot_graph(square(), to_file=tmp_path / "b.png") == tmp_path / "b.svg"
    said = capsys.readouterr().out
    assert "pip install graphviz" in said and said.count("\n") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.svg", "b.svg"]


def test_importing_does_not_load_the_package() -> None:
    code = "import sys, dezero.viz, dezero.cli; assert 'graphviz' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands in for a broken program")
@pytest.mark.parametrize(("script", "words"), [("echo 'broken plugin' >&2; exit 3", "broken plugin"), ("exit 1", "exit status 1"),
                                               ("exec sleep 5", "more than"), ("sleep 5; true", "more than"), ("exit 0", "exit status 0")])
def test_a_graphviz_that_fails_is_no_error_either(script: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "dot"
    program.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr(module, "TIMEOUT", 0.3)
    assert plot_dot_graph(square(), to_file=tmp_path / "a.png") == tmp_path / "a.svg"
    assert words in capsys.readouterr().out
    assert (tmp_path / "a.dot").exists() and not (tmp_path / "a.png").exists()


@pytest.mark.parametrize("name", ["x.png; touch F", "x.png; touch F #.jpg", "x", "x.", "graph.jpeg", "x.png "])
def test_another_ending_is_an_error_and_writes_nothing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"\.png, \.pdf, \.svg or \.dot is expected$"):
        plot_dot_graph(square(), to_file=name)
    assert list(tmp_path.iterdir()) == []


def test_a_wish_for_html_is_told_where_to_go() -> None:
    with pytest.raises(ValueError, match=r"is expected; dezero\.viz\.to_html writes the page"):
        plot_dot_graph(square(), to_file="a.html")


@pytest.mark.parametrize("name", ["x.png; touch F #.svg", "$(touch F).dot", "`touch F`.svg", "-o F.svg", "a b.svg", '"; touch F".dot', "-Tsvg.png"])
def test_a_files_name_is_only_a_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plot_dot_graph(square(), to_file=name)
    assert {p.stem for p in tmp_path.iterdir()} == {Path(name).stem}


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere.*does not exist: make it first"):
        plot_dot_graph(square(), to_file=tmp_path / "nowhere" / "a.svg")


def test_a_notebook_gets_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    display = types.ModuleType("IPython.display")
    display.SVG = lambda filename: ("SVG", filename)
    display.Image = lambda filename: ("Image", filename)
    fake = types.ModuleType("IPython")
    fake.display, fake.get_ipython = display, lambda: types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", fake)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    assert plot_dot_graph(square(), to_file=tmp_path / "a.svg") == ("SVG", str(tmp_path / "a.svg"))
    assert plot_dot_graph(square(), to_file=tmp_path / "a.dot") == tmp_path / "a.dot"
    monkeypatch.setattr(module, "_run_dot", lambda text, kind: (b"picture", ""))
    assert plot_dot_graph(square(), to_file=tmp_path / "a.png") == ("Image", str(tmp_path / "a.png"))
    fake.get_ipython = lambda: None
    assert plot_dot_graph(square(), to_file=tmp_path / "a.svg") == tmp_path / "a.svg"
