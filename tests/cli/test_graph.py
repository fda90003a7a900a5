"""``dezero graph`` as its users meet it: which scripts it runs, what it draws, and what it says when there is nothing to draw."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from dezero.cli import main
from dezero.cli.graph import parse, parts

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.seeds  # the scripts make layers
SCRIPT = """
import sys
import numpy as np
import dezero.functions as F
from dezero import Parameter, Variable
from dezero.layers import Linear

x = Variable(np.ones((2, 3), np.float32), name="x")
fc = Linear(4, in_size=3)
losses = [F.sum(fc(x) * float(i)) for i in range(3)]
fc.loss = losses[-1]
named = {"a b": losses[0], "k:0": losses[1], 7: losses[2], "none": None}
number = 3
class Broken:
    @property
    def bad(self):
        return 1 / 0
broken = Broken()
print("arguments", sys.argv[1:])
if __name__ == "__main__":
    y = F.exp(losses[1])
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DEZERO_DEBUG", raising=False)
    Path("s.py").write_text(SCRIPT)
    return tmp_path


def call(capsys: Any, *words: str) -> tuple[int, str, str]:
    try:
        code = main(["graph", *words])
    except SystemExit as stop:
        code = stop.code
    out = capsys.readouterr()
    return code, out.out, out.err


def texts(path: str) -> list[str]:
    """What stands in a picture."""
    return ["".join(e.itertext()) for e in ET.parse(path).getroot().iter("{http://www.w3.org/2000/svg}text")]


def test_a_variable_of_a_script_is_drawn(capsys: Any) -> None:
    argv, folders, main_module = sys.argv, sys.path[:], sys.modules["__main__"]
    code, out, err = call(capsys, "s.py:y", "-o", "그림 1.svg")
    assert (code, err) == (0, "")
    assert out.startswith("arguments []\n") and "그림 1.svg: y, " in out
    assert {"x", "W", "b", "Exp", "Linear", "Sum"} <= set(texts("그림 1.svg"))
    assert sys.argv is argv and sys.path == folders and sys.modules["__main__"] is main_module, "nothing of the script stays behind"


@pytest.mark.parametrize(("name", "functions"), [("losses[-1]", 3), ("losses", 9), ("fc.loss", 3), ("named['a b']", 3), ('named["k:0"]', 3),
                                                 ("named[7]", 3), ("fc.W", 0), ("losses[0].creator.inputs[0]", 2)])
def test_names_with_attributes_and_places(name: str, functions: int, capsys: Any) -> None:
    code, out, err = call(capsys, f"s.py:{name}", "-o", "a.dot", "--no-clusters")
    assert (code, err) == (0, "") and f"a.dot: {name}, " in out
    assert Path("a.dot").read_text().count("shape=box") == functions


@pytest.mark.parametrize(("text", "steps"), [("y", ["y"]), ("이름.값[0]", ["이름", "값", 0]), ("a['[0].b'][-12].c", ["a", ("[0].b",), -12, "c"]),
                                             ('a["\'"]', ["a", ("'",)])])
def test_names_are_parsed(text: str, steps: list[Any]) -> None:
    assert parse(text) == steps


@pytest.mark.parametrize("text", ["1+1", "f()", "a[", "a[0", "a[b]", "a[1:2]", "a.", ".a", "a b", "__import__('os').system('touch X')", "a['x", "[0]",
                                  "a[0]b", "a\n", "a;b", "x" * 1000 + "!"])
def test_what_is_no_name_is_told_before_the_script_runs(text: str, capsys: Any, folder: Path) -> None:
    Path("s.py").write_text("open('X', 'w')")
    code, out, err = call(capsys, f"s.py:{text}", "-o", "a.svg")
    assert (code, out) == (1, "") and "a name is expected, with attributes and places" in err and len(err) < 300
    assert [p.name for p in folder.iterdir()] == ["s.py"]


def test_scripts_with_colons_in_their_path() -> None:
    Path("a:b").mkdir()
    Path("a:b/c.py").write_text("")
    assert parts("a:b/c.py:y") == (Path("a:b/c.py"), "y") and parts("a:b/c.py") == (Path("a:b/c.py"), "")
    assert parts("s.py:named['k:0']") == (Path("s.py"), "named['k:0']")


def test_without_a_name_the_variables_are_listed(capsys: Any, folder: Path) -> None:
    code, out, _ = call(capsys, "s.py")
    lines = [line.split(None, 1) for line in out.splitlines() if line.startswith("  ")]
    assert code == 0
    assert lines == [["x", "(2, 3) float32, a leaf"], ["losses", "3 Variables, the last () float32, by Sum"], ["y", "() float32, by Exp"]]
    assert not list(folder.glob("graph.*"))
    code, _, err = call(capsys, "s.py", "-o", "a.svg")
    assert code == 1 and "name what to draw, s.py:VARIABLE" in err and "() float32, by Exp" in err and not Path("a.svg").exists()


@pytest.mark.parametrize(("name", "words"), [
    ("los", "s.py has no variable los"), ("losses[3]", "s.py has no losses[3]: losses is list (IndexError: list index out of range)"),
    ("fc.weight", "s.py has no fc.weight: fc is Linear (AttributeError"), ("named['x']", "has no named['x']: named is dict (KeyError: 'x')"),
    ("broken.bad", "has no broken.bad: broken is Broken (ZeroDivisionError"), ("named['none']", "named['none'] is None: a Variable"),
    ("number", "number is 3: a Variable or a list of Variables is expected"), ("number[0]", "number is 3 (TypeError"),
    ("fc", "fc is a layer (Linear): a result is needed"),
])
def test_what_cannot_be_drawn_gets_the_list(name: str, words: str, capsys: Any) -> None:
    code, _, err = call(capsys, f"s.py:{name}", "-o", "a.svg")
    assert code == 1 and words in err and "  y       () float32, by Exp" in err and "Traceback" not in err
    assert not Path("a.svg").exists()


@pytest.mark.parametrize(("words", "code", "said"), [
    (["none.py:y"], 1, "none.py: there is no such script"),
    (["s.py:y", "-o", "a.jpeg"], 1, "--out='a.jpeg' ends in .jpeg: .png, .pdf, .svg, .dot, .html or .htm is expected"),
    (["s.py:y", "-o", "no/a.svg"], 1, "the folder 'no' does not exist"), (["s.py:y", "--show", "shape,colour"], 2, "'colour': words of shape, dtype"),
    (["s.py:y", "--depth", "-1"], 2, "a whole number of at least 0 is expected"), ([], 2, "SCRIPT.py:VARIABLE"),
    (["."], 1, "there is no such script"),
])
def test_wrong_words_are_told_before_the_script_runs(words: list[str], code: int, said: str, capsys: Any) -> None:
    Path("s.py").write_text("print('it ran')")
    status, out, err = call(capsys, *words)
    assert status == code and said in err and "it ran" not in out and "Traceback" not in err


def test_the_script_has_its_own_arguments_and_folder(capsys: Any) -> None:
    Path("내 스크립트").mkdir()
    Path("내 스크립트/beside.py").write_text("value = 2.0")
    Path("내 스크립트/a b.py").write_text("import sys, argparse, numpy, beside\nfrom dezero import Variable\np = argparse.ArgumentParser()\n"
                                       "p.add_argument('-o'); p.add_argument('--n', type=int)\nargs = p.parse_args()\n"
                                       "x = Variable(numpy.zeros(args.n), name=args.o)\ny = x * beside.value\n"
                                       "assert sys.argv[0].endswith('a b.py') and sys.modules['__main__'].y is y\n")
    try:
        code, _, err = call(capsys, "내 스크립트/a b.py:y", "-o", "a.svg", "--show", "shape", "--args", "-o", "mine", "--n", "5")
    finally:
        sys.modules.pop("beside", None)
    assert (code, err) == (0, "") and {"mine", "(5,)"} <= set(texts("a.svg"))


@pytest.mark.parametrize("ending", ["sys.exit()", "sys.exit(0)", "def f():\n    sys.exit(None)\nf()"])
def test_a_script_that_ends_itself_is_drawn(ending: str, capsys: Any) -> None:
    Path("s.py").write_text(f"{SCRIPT}\n{ending}\n")
    assert call(capsys, "s.py:y", "-o", "a.svg")[0] == 0 and "Exp" in texts("a.svg")


@pytest.mark.parametrize(("ending", "words"), [("sys.exit('no data')", ["no data", "ended with exit code 1"]),
                                               ("sys.exit(3)", ["exit code 3", "--args"])])
def test_a_script_that_gives_up_is_not(ending: str, words: list[str], capsys: Any) -> None:
    Path("s.py").write_text(f"{SCRIPT}\n{ending}\n")
    code, _, err = call(capsys, "s.py:y", "-o", "a.svg")
    assert code == 1 and all(word in err for word in words) and "Traceback" not in err and not Path("a.svg").exists()


def test_a_script_that_fails_shows_its_own_lines(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("deep.py").write_text("import dezero.functions as F\ndef go(x):\n    return F.matmul(x, x)\n")
    Path("s.py").write_text("import numpy as np, deep\nfrom dezero import Variable\n\ndef main():\n    deep.go(Variable(np.ones((2, 3))))\n\n"
                            "main()\n")
    try:
        code, _, err = call(capsys, "s.py:y", "-o", "a.svg")
        monkeypatch.setenv("DEZERO_DEBUG", "1")
        whole = call(capsys, "s.py:y", "-o", "a.svg")[2]
    finally:
        sys.modules.pop("deep", None)
    lines = [line for line in err.splitlines() if line.startswith("  File")]
    assert code == 1 and [line.rpartition(" in ")[2] for line in lines] == ["<module>", "main", "go"]
    assert "s.py\", line 7" in lines[0] and "deep.py\", line 3" in lines[2] and str(ROOT / "dezero") not in err and "runpy" not in err
    assert "ShapeError: matmul: a (2, 3)" in err and err.rstrip().endswith("s.py failed, so there is nothing to draw")
    assert err.count("Error") == 1, "what the message was made of is not shown"
    assert "runpy" in whole and str(ROOT / "dezero") in whole


@pytest.mark.parametrize(("script", "words"), [("x = (\n", ["line 1", "SyntaxError"]), ("a\0b", ["null"]),
                                               ("def f(n): return f(n + 1)\nf(0)", ["RecursionError", "Previous line repeated"]),
                                               ("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise OSError('gone') from e",
                                                ["ZeroDivisionError", "direct cause", "gone"]),
                                               ("raise ExceptionGroup('two', [ValueError('a'), OSError('b')])", ["ValueError: a", "OSError: b"])])
def test_other_failures(script: str, words: list[str], capsys: Any) -> None:
    Path("s.py").write_text(script)
    code, _, err = call(capsys, "s.py:y")
    assert code == 1 and all(word in err for word in words) and err.rstrip().endswith("nothing to draw") and "runpy" not in err


def test_ctrl_c_in_the_script(capsys: Any) -> None:
    Path("s.py").write_text("raise KeyboardInterrupt")
    assert call(capsys, "s.py:y") == (130, "", "interrupted\n")


def test_variables_of_functions_are_gone_and_the_message_says_so(capsys: Any) -> None:
    Path("s.py").write_text("import numpy as np\nfrom dezero import Variable\ndef main():\n    y = Variable(np.ones(3)) * 2\nmain()\n")
    code, _, err = call(capsys, "s.py:y")
    assert code == 1 and "s.py left no Variable: give the result a name at the top level" in err


def test_options_reach_the_drawing(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []
    module = sys.modules["dezero.cli.graph"]
    real = module.make_view
    monkeypatch.setattr(module, "make_view", lambda output, **options: seen.append(options) or real(output))
    for words in ([], ["--collapse"], ["--collapse", "a", "b.c", "--depth", "0", "--fold"],
                  ["--no-clusters", "--max-nodes", "0", "--show", "value, grad"], ["--max-nodes", "50"]):
        assert call(capsys, "s.py:y", *words)[0] == 0
    assert seen == [{}, {"collapse": True}, {"collapse": ["a", "b.c"], "depth": 0, "fold": True},
                    {"clusters": False, "max_nodes": None, "show": ("value", "grad")}, {"max_nodes": 50}]
    assert Path("graph.svg").exists(), "the default"


@pytest.mark.parametrize(("suffix", "head"), [("svg", b"<svg"), ("dot", b"digraph"), ("png", b"\x89PNG"), ("pdf", b"%PDF"),
                                              ("html", b"<!DOCTYPE html>"), ("SVG", b"<svg")])
def test_every_format(suffix: str, head: bytes, capsys: Any) -> None:
    if suffix in ("png", "pdf") and shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed")
    code, out, _ = call(capsys, "s.py:y", "-o", f"a.{suffix}")
    assert code == 0 and Path(f"a.{suffix}").read_bytes().startswith(head) and f"a.{suffix}: y" in out


def test_without_graphviz_a_png_becomes_an_svg(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    code, out, _ = call(capsys, "s.py:y", "-o", "a.png")
    assert code == 0 and "not installed" in out and "\na.svg: y, " in out and not Path("a.png").exists()


def test_as_a_program(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-m", "dezero", "graph", "s.py:y", "-o", "a.svg", "--show", "value"], capture_output=True,
                          text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60)
    assert (done.returncode, done.stderr) == (0, "") and "a.svg: y, " in done.stdout and Path("a.svg").exists()
    assert not list(folder.glob("**/__pycache__"))


TRAIN = """
import numpy as np
import dezero.functions as F
from dezero.models import MLP
model, x, t = MLP((4, 2)), np.ones((5, 3), np.float32), np.array([0, 1, 0, 1, 0])
losses = []
for _ in range(3):
    loss = F.softmax_cross_entropy(model(x), t)
    model.cleargrads()
    loss.backward()
    losses.append(loss)
"""


def test_a_script_that_trains_has_its_numbers_drawn(capsys: Any) -> None:
    Path("train.py").write_text(TRAIN)
    assert call(capsys, "train.py:loss", "-o", "a.svg", "--show", "value,grad") == (0, "a.svg: loss, 14 nodes\n", "")
    assert not any("not kept" in text for text in texts("a.svg"))
    assert call(capsys, "train.py:losses[0]", "-o", "a.htm")[::2] == (0, "")
    assert "have no numbers" not in Path("a.htm").read_text(encoding="utf-8")


def test_of_a_long_run_the_newest_numbers_are_kept(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["dezero.cli.graph"], "KEPT", 1000)
    Path("train.py").write_text(TRAIN)
    assert "no numbers" in call(capsys, "train.py:losses[0]", "-o", "a.svg", "--show", "value")[1]
    assert "no numbers" not in call(capsys, "train.py:loss", "-o", "a.svg", "--show", "value")[1]
