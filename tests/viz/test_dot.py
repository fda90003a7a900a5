"""DOT text and the files made of it: golden, the same everywhere, harmless, and there without Graphviz too."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Parameter, Variable, utils
from dezero.viz import collect_graph, get_dot_graph, plot_dot_graph
from dezero.viz import dot as module
from tests.viz.graphs import HOSTILE, classifier, goldstein

ROOT = Path(__file__).resolve().parents[2]
STRING = r'"(?:[^"\\]|\\.)*"'
ATTRIBUTES = rf'\[\w+=(?:{STRING}|[\w.]+)(?:, \w+=(?:{STRING}|[\w.]+))*\]'
LINE = re.compile(rf"digraph \{{|\}}|  (?:graph|node|edge|[vf]\d+) {ATTRIBUTES};|  [vf]\d+ -> [vf]\d+;")
HEAD = """digraph {
  graph [ranksep=0.35, nodesep=0.25];
  node [shape=ellipse, style=filled, fontname="sans-serif", fontsize=11, height=0.3, margin="0.1,0.04"];
  edge [color="#6B7178", arrowsize=0.7];
"""
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


def square() -> Variable:
    x = Variable(np.array([1.0, 2.0], np.float32), name="x")
    y = x * x
    y.name = "y"
    return y


def test_golden_square() -> None:
    assert get_dot_graph(square(), verbose=True) == HEAD + """\
  v0 [label="x\\n(2,) float32", fillcolor="#FFE0A3", color="#B27400"];
  v1 [label="y\\n(2,) float32", fillcolor="#FFF4DE", color="#C9A256"];
  f0 [label="Mul", shape=box, style="filled,rounded", fillcolor="#D6EBFA", color="#2C79AE"];
  v0 -> f0;
  v0 -> f0;
  f0 -> v1;
}
"""


def test_golden_parameter_and_number() -> None:
    y = F.sin(Parameter(np.array(1.0), name="w")) + 0.5
    assert get_dot_graph(y, verbose=False) == HEAD + """\
  v0 [label="w", fillcolor="#FFD0B5", color="#C04F00", penwidth=2.4];
  v1 [label="", fillcolor="#FFF4DE", color="#C9A256"];
  v2 [label="0.5", fillcolor="#F2F2F2", color="#8A8A8A", style="filled,dashed"];
  v3 [label="", fillcolor="#FFF4DE", color="#C9A256"];
  f0 [label="Sin", shape=box, style="filled,rounded", fillcolor="#D6EBFA", color="#2C79AE"];
  f1 [label="Add", shape=box, style="filled,rounded", fillcolor="#D6EBFA", color="#2C79AE"];
  v0 -> f0;
  f0 -> v1;
  v1 -> f1;
  v2 -> f1;
  f1 -> v3;
}
"""


def test_the_books_utils_has_both() -> None:
    assert utils.get_dot_graph is get_dot_graph
    assert utils.plot_dot_graph is plot_dot_graph


def test_layers_and_the_dead_are_in_the_text() -> None:
    text = get_dot_graph(classifier())
    assert r'"Linear\nl0"' in text and r'"hidden\n(32, 5) float32"' in text
    assert "None" not in text


def test_the_same_bytes_in_two_processes() -> None:
    code = ("from tests.viz.graphs import *; from dezero.viz import *; import sys\n"
            "for y in (goldstein(), classifier(), derivative(F.tanh, 3)): sys.stdout.write(get_dot_graph(y) + get_svg_graph(y))")
    texts = [subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True,
                            check=True).stdout for seed in ("1", "2")]
    assert texts[0] == texts[1]
    assert len(texts[0]) > 1000


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names_stay_inside_their_label(name: str, tmp_path: Path) -> None:
    x = Variable(np.array(1.0), name=name)
    text = get_dot_graph(x * x)
    for line in text.splitlines():
        assert LINE.fullmatch(line), line
    assert len(text.splitlines()) == 11
    assert len(text) < 1500
    assert not re.search(r"[\0-\x09\x0b-\x1f\u202e\u2066\ud800\ufffe]", text)
    text.encode()
    plot_dot_graph(x * x, to_file=tmp_path / "x.dot")
    assert (tmp_path / "x.dot").read_text(encoding="utf-8") == text


@needs_dot
def test_graphviz_reads_every_name() -> None:
    y = Variable(np.array(1.0), name="x")
    for name in HOSTILE:
        y = y * Variable(np.array(1.0), name=name)
    done = subprocess.run(["dot", "-Tsvg"], input=get_dot_graph(y).encode(), capture_output=True, check=True)
    assert done.stderr == b""
    assert b"touch X" in done.stdout and b"<script" not in done.stdout
    assert rb"\N\G" in done.stdout  # as it is, not as an escape


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


@pytest.mark.parametrize("suffix", ["svg", "dot"])
def test_svg_and_dot_never_need_graphviz(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("PATH", "")
    path = plot_dot_graph(square(), to_file=tmp_path / f"a.{suffix}")
    assert path.read_text(encoding="utf-8").startswith({"svg": "<svg", "dot": "digraph"}[suffix])
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands in for a broken program")
@pytest.mark.parametrize(("script", "words"), [("echo 'broken plugin' >&2; exit 3", "broken plugin"), ("exit 1", "exit status 1"),
                                               ("exec sleep 5", "more than")])
def test_a_graphviz_that_fails_is_no_error_either(script: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "dot"
    program.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr(module, "TIMEOUT", 0.3)
    assert plot_dot_graph(square(), to_file=tmp_path / "a.png") == tmp_path / "a.svg"
    assert words in capsys.readouterr().out


@pytest.mark.parametrize("name", ["x.png; touch F", "x.png; touch F #.jpg", "x", "x.", "graph.jpeg", "x.png "])
def test_another_ending_is_an_error_and_writes_nothing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"\.png, \.pdf, \.svg or \.dot is expected"):
        plot_dot_graph(square(), to_file=name)
    assert list(tmp_path.iterdir()) == []


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
    monkeypatch.setattr(module, "_by_graphviz", lambda text, kind: (b"picture", ""))
    assert plot_dot_graph(square(), to_file=tmp_path / "a.png") == ("Image", str(tmp_path / "a.png"))
    fake.get_ipython = lambda: None
    assert plot_dot_graph(square(), to_file=tmp_path / "a.svg") == tmp_path / "a.svg"


def test_each_node_is_written_once() -> None:
    y = goldstein()
    graph, text = collect_graph(y), get_dot_graph(y)
    assert text.count("[label=") == len(graph.nodes)
    assert text.count(" -> ") == len(graph.edges)
