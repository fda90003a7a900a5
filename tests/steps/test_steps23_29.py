"""Steps 23 to 29: the package, long formulas, drawings of graphs, series, and the way down. The numbers are those of the table of steps."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steps.exercises.step25 import parse
from tests.steps.harness import ROOT, command, numbers, run_script

PACKAGE = {"PYTHONPATH": str(ROOT)}
CLOCK = "import time, numpy\nbegin = time.process_time()\nimport dezero\nprint(time.process_time() - begin)"


def found(name: str) -> dict[str, Any]:
    return numbers(name)[0]


def pictures(name: str, folder: Path) -> set[str]:
    """Run a script with --out; the names of what it has written, of which each SVG is well-formed and nothing is empty."""
    pytest.importorskip("matplotlib")
    done = run_script(name, "--out", str(folder))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:-1] == numbers(name)[1].splitlines(), "with --out it prints the same"
    for path in folder.iterdir():
        assert path.stat().st_size > 200
        if path.suffix == ".svg":
            assert ET.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"
        elif path.suffix == ".png":
            assert path.read_bytes()[:4] == b"\x89PNG"
    return {path.name for path in folder.iterdir()}


# -- 23: the package -------------------------------------------------------------------------------


def test_step23_has_the_numbers_of_the_steps_before() -> None:
    step = found("step23")
    assert step["value"] == pytest.approx(0.9740769842, abs=1e-10)
    assert step["slope"] == pytest.approx(0.6224593312, abs=1e-10)
    assert "np.array(1.5)" in step["message"]
    assert step["names"]["functions"] > 100


def test_step23_an_import_loads_no_pictures() -> None:
    loaded = found("step23")["loaded"]
    assert loaded["numpy"] == [True, True, True]
    assert loaded["dezero.core"] == loaded["dezero.functions"] == [False, True, True]
    assert loaded["dezero.viz.svg"] == [False, False, True]
    assert loaded["matplotlib"] == loaded["PIL"] == loaded["dezero.training"] == [False, False, False]


def test_step23_an_import_takes_less_than_a_quarter_of_a_second(tmp_path: Path) -> None:
    # seconds of the processor, the best of five: 0.09 on the machine on which this was written; the first run may compile
    extra = {**PACKAGE, "PYTHONDONTWRITEBYTECODE": ""}
    assert min(float(command(["-c", CLOCK], tmp_path, extra).stdout) for _ in range(5)) < 0.25


def test_step23_info_says_what_is_there(tmp_path: Path) -> None:
    done = command(["-m", "dezero", "info"], tmp_path, PACKAGE)
    assert done.returncode == 0, done.stderr
    assert {"dezero", "Python", "NumPy", "GPU"} <= {line.split()[0] for line in done.stdout.splitlines()}


def test_step23_draws_the_time(tmp_path: Path) -> None:
    assert pictures("step23", tmp_path) == {"import_time.png"}


# -- 24: long formulas -----------------------------------------------------------------------------

EXPECTED = {"booth": [(20, (-16, -20)), (53, (-22, -32))], "himmelblau": [(106, (-46, -38)), (80, (-72, 0))],
            "beale": [(14.203125, (0, 27.75)), (13.203125, (15.5, -44.5))]}


@pytest.mark.parametrize("function", EXPECTED)
def test_step24_values_and_gradients(function: str) -> None:
    for row, (value, gradient) in zip(found("step24")[function], EXPECTED[function], strict=True):
        assert row["value"] == value
        assert row["gradient"] == pytest.approx(gradient, abs=1e-12)
        assert row["difference"] == pytest.approx(gradient, abs=1e-5)


def test_step24_the_slip_shows_at_one_point_only() -> None:
    first, second = found("step24")["slopes"]
    assert first == pytest.approx([27.75] * 3, abs=1e-6)
    assert second == pytest.approx([-11.5, -44.5, -44.5], abs=1e-6)


def test_step24_a_field_of_gradients(tmp_path: Path) -> None:
    field = found("step24")["field"]
    assert field["points"] == 400
    assert field["one by one"] is True
    assert field["steepest"] == [5.0, 5.0]
    assert pictures("step24", tmp_path) == {"downhill.png"}


# -- 25: DOT by hand -------------------------------------------------------------------------------


def test_step25_another_reader_finds_the_same_in_the_text() -> None:
    step = found("step25")
    nodes, edges = parse(step["dot"])
    assert (len(nodes), len(edges)) == (step["nodes"], step["edges"]) == (7, 6)
    assert [step["rows"][name] for name in ("x", "exp", "a", "add", "b", "log", "y")] == list(range(7))
    assert [a["label"] for a in nodes.values() if a.get("shape") == "box"] == ["Exp", "AddOne", "Log"]


def test_step25_the_picture_has_all_of_it(tmp_path: Path) -> None:
    # the harness runs it with an empty PATH: our own layout draws
    step = found("step25")
    space = "{http://www.w3.org/2000/svg}"
    nodes = [node for node in ET.fromstring(step["svg"]).iter(f"{space}g") if "data-node" in node.attrib]
    assert {"".join(t.text or "" for t in node.findall(f"{space}text")) for node in nodes} == {"x", "Exp", "a", "AddOne", "b", "Log", "y"}
    assert len(nodes) == 7
    assert step["svg"].count("data-to=") == 6
    assert step["slip"] == {"nodes": 8, "edges": 6, "alone": ["add"]}
    assert pictures("step25", tmp_path) == {"softplus.dot", "softplus.svg", "softplus_slip.svg"}


def test_step25_the_readers_parser_refuses_what_is_no_dot() -> None:
    for text in ("", "digraph {", "graph { a -> b }", "digraph { a -> }", "digraph { a [label] }", "digraph { -> a }"):
        with pytest.raises(ValueError):
            parse(text)


# -- 26: a computation draws itself ----------------------------------------------------------------


def test_step26_the_same_bytes_in_another_process() -> None:
    first, second = found("step26"), numbers.__wrapped__("step26")[0]
    assert first["dot"] == second["dot"]
    assert first["odd"] == second["odd"]
    assert first["same text"] == {"numbered": True, "placed": False}


def test_step26_every_variable_is_there_once() -> None:
    step = found("step26")
    assert step["sizes"] == {"ours": [37, 43], "package": [37, 43], "made": 16}
    nodes, edges = parse(step["dot"])
    assert (len(nodes), len(edges)) == (37, 43)
    for name in "xyz":
        assert sum(a["label"].split("\\n")[0] == name for a in nodes.values()) == 1
    assert [[len(found) for found in nodes] for nodes in step["cells"].values()] == [[1, 1, 1]] * 3
    assert step["cells"]["values"][0] == [["x", "value 2", "grad 15.5"]]
    assert step["cells"]["values"][1] == [["y", "value -1", "grad -44.5"]]
    assert step["gradient"] == [15.5, -44.5]


def test_step26_a_name_with_marks_survives() -> None:
    odd = found("step26")["odd"]
    with pytest.raises(ValueError):
        parse(odd["as it is"])
    nodes, _ = parse(odd["escaped"])
    assert [a["label"] for a in nodes.values()] == ['a"b<x>\\n']
    nodes, _ = parse(odd["dot"])
    assert any(a["label"].startswith('a"b<x>') for a in nodes.values())
    assert any((t.text or "").startswith('a"b<x>') for t in ET.fromstring(odd["svg"]).iter("{http://www.w3.org/2000/svg}text"))


def test_step26_pictures_without_a_shell(tmp_path: Path) -> None:
    names = pictures("step26", tmp_path)
    assert names == {"beale_plain.svg", "beale_shapes.svg", "beale_values.svg", "beale.dot", "beale.html"}
    parse((tmp_path / "beale.dot").read_text(encoding="utf-8"))
    values = (tmp_path / "beale_values.svg").read_text(encoding="utf-8")
    assert "not kept" not in values and values.count(">grad ") == 18  # 16 results, x and y
    code = ("import os, subprocess\ndef refuse(*a, **k): raise OSError('a program is started')\n"
            "os.system = os.popen = subprocess.Popen.__init__ = refuse\nimport numpy as np\nfrom dezero import Variable, utils, viz\n"
            "y = Variable(np.array(1.0), name='\"; touch harm; #`touch harm`$(touch harm)') * 2\n"
            "for e in ('svg', 'dot'): utils.plot_dot_graph(y, to_file=f'g.{e}')\nviz.to_html(y, 'g.html')")
    done = command(["-c", code], tmp_path, PACKAGE)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "work").iterdir()} == {"g.svg", "g.dot", "g.html"}


# -- 27: a series ----------------------------------------------------------------------------------


def test_step27_errors_follow_the_threshold() -> None:
    rows = found("step27")["rows"]
    assert [row[0] for row in rows] == [1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12]
    for threshold, _, _, value, slope in rows:
        assert value < threshold * 10
        assert slope < threshold * 10
    assert all(a[1] < b[1] and a[2] < b[2] for a, b in pairwise(rows)), "more terms, more nodes"


def test_step27_the_graph_fits_the_run_and_ones_own_function_is_one_node(tmp_path: Path) -> None:
    step = found("step27")
    terms = [row[1] for row in step["by number"]]
    assert terms == sorted(terms) and terms[0] == 2 and terms[-1] > 30
    ways = step["ways"]
    assert ways["own Function"][0] == 5 < ways["loop of operations"][0]
    for name in ("own Function", "loop of operations"):
        assert ways[name][1] == pytest.approx(2 * np.e, abs=1e-10)
    assert abs(ways["the same without gy"][1] - 2 * np.e) > 1
    assert pictures("step27", tmp_path) == {"series.png", "exp_loop.svg", "exp_own_function.svg"}


# -- 28: downhill ----------------------------------------------------------------------------------


def test_step28_steps_with_and_without_momentum(tmp_path: Path) -> None:
    step = found("step28")
    assert step["plain"] == pytest.approx(1196, abs=2)
    assert step["momentum"] == pytest.approx(110, abs=2)
    for end in step["ends"]:
        assert np.hypot(end[0] - 3, end[1] - 0.5) < 1e-2
    assert step["rates"]["0.05"] == ["does not arrive", "runs away"]
    assert step["rates"]["not cleared"] == "runs away"
    assert pictures("step28", tmp_path) == {"paths.png"}


# -- 29: Newton by hand ----------------------------------------------------------------------------


def test_step29_newton_and_descent(tmp_path: Path) -> None:
    step = found("step29")
    assert step["newton"][:3] == pytest.approx([4, 3.06667, 2.53381], abs=1e-5)
    assert abs(step["newton"][6] - 2.25) < 1e-7
    assert step["newton"][-1] == pytest.approx(2.25, abs=1e-12)
    assert step["needed"]["1e-08"] == [6, 78]
    assert step["slip"] > 20  # 31: without Newton's doubling of digits
    assert [step["starts"][start][0] for start in ("1.6", "1.4")] == pytest.approx([2.25, 0.0], abs=1e-6)
    assert pictures("step29", tmp_path) == {"newton.png"}
