"""The checker of exercises and the comparison of scripts, as a reader meets them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from steps import diff
from steps.exercises.kit import NotYet, raises, same, true
from tests.steps.harness import ROOT, STEPS


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)


def test_without_a_file_the_tasks_are_told_and_hints_when_asked_for() -> None:
    done = command("steps.check", "1")
    assert done.returncode == 0 and [line[:2] for line in done.stdout.splitlines()] == ["1.", "2.", "3.", "Wr"]
    assert "hint" not in done.stdout.replace("[--hint 1]", "")
    assert command("steps.check", "01", "--hint", "1").stdout.count("    hint: ") == 3


def test_right_wrong_broken_and_missing_answers(tmp_path: Path) -> None:
    answers = tmp_path / "my_answer.py"
    answers.write_text("from step01 import Variable\n\n\ndef boxed_sum(boxes):\n    return boxes.total\n\n\n"
                       "def exchange(a, b):\n    a.data, b.data = b.data, a.data\n", encoding="utf-8")
    done = command("steps.check", "01", str(answers))
    assert done.returncode == 1
    assert done.stdout.splitlines()[:6] == ["1. boxed_sum: not yet", "    line 5: AttributeError: 'list' object has no attribute 'total'",
                                            "2. exchange: right", "3. frozen: not yet", "    my_answer.py does not define frozen",
                                            f"Hints: python -m steps.check 01 {answers} --hint 1   (or 2)"]
    answers.write_text("x = (\n", encoding="utf-8")
    assert "stops before anything is checked" in command("steps.check", "01", str(answers)).stderr
    assert "there is no file" in command("steps.check", "01", str(tmp_path / "none.py")).stderr
    unknown = command("steps.check", "99").stderr
    assert "there is no script '99': step01 to step60, f01 to f12, w01 to w17 have exercises" in unknown


def test_all_right_is_said_with_the_place_of_a_solution() -> None:
    done = command("steps.check", "01", "steps/solutions/step01.py")
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "All right. One way to write them: steps/solutions/step01.py"


def test_the_comparison_shows_what_is_new_and_lists_what_is_gone() -> None:
    lines = diff.changes("step16", "step17")
    assert "@@ Variable.backward: changed" in lines and any(line.startswith("@@ gone: ") for line in lines)
    assert any(line.startswith("+") and "weakref.ref" in line for line in lines)
    assert not any("Variable.set_creator" in line for line in lines), "what has not changed is not shown"
    assert "F.softmax" in diff.first_time("step47") or "F.softmax_cross_entropy" in diff.first_time("step47")
    assert "Variable" in diff.first_time("step23") and "Variable" not in diff.first_time("step24")


@pytest.mark.parametrize("word", ["f4", "F04", "f04"])
def test_foundations_and_workshop_are_checked_by_their_names(word: str) -> None:
    done = command("steps.check", word, "steps/solutions/f04.py")
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "All right. One way to write them: steps/solutions/f04.py"


def test_an_answer_may_import_from_foundations(tmp_path: Path) -> None:
    answers = tmp_path / "my_answer.py"
    answers.write_text("import f04\nimport w01\n", encoding="utf-8")
    assert "does not define" in command("steps.check", "f04", str(answers)).stdout


@pytest.mark.parametrize("step", ["1", "01", "61", "abc", "f02"])
def test_a_script_without_one_before_it_is_refused(step: str) -> None:
    with pytest.raises(SystemExit, match="02 to 60 are expected"):
        diff.main([step])


def test_output_into_a_command_that_stops_reading_is_no_error() -> None:
    code = f"{sys.executable} -m steps.diff 22 | head -1"
    done = subprocess.run(["bash", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("step21 -> step22")


def test_the_kit_tells_what_came_out() -> None:
    with pytest.raises(NotYet, match=r"the sum: 3 came out, 4 is expected"):
        same(3, 4, "the sum")
    with pytest.raises(NotYet, match="came out"):
        same(np.ones(3), np.ones(4), "an array")
    with pytest.raises(NotYet, match="came out"):
        same(None, 4.0, "nothing")
    same(np.array([1.0, np.nan]), np.array([1.0, np.nan]), "an array")
    with pytest.raises(NotYet, match="must"):
        true(False, "it must be")
    with pytest.raises(NotYet, match="ValueError is expected, 1 came out"):
        raises(ValueError, lambda: 1, "a wrong call")
    assert isinstance(raises(ValueError, lambda: int("x"), "a wrong call"), ValueError)


def test_the_map_has_every_script_with_its_question() -> None:
    text = (STEPS / "README.md").read_text(encoding="utf-8")
    for path in [*STEPS.glob("step*.py"), *STEPS.glob("foundations/f*.py"), *STEPS.glob("workshop/w*.py")]:
        question = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]
        assert f"| [{path.stem.removeprefix('step')}]({path.relative_to(STEPS).as_posix()}) | {question} |" in text
    assert len(re.findall(r"^\| \[\d\d\]", text, re.M)) == 60 and len(re.findall(r"^\| \[[fw]\d\d\]", text, re.M)) == 29
