"""What holds for every script: it runs anywhere, twice with the same output, in few lines, and its exercises can be solved and failed."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tempfile
import types
from pathlib import Path

import pytest

from steps import check, diff
from steps.exercises.kit import Exercise
from steps.support import FOLDERS
from tests.steps.harness import ROOT, STEPS, numbers, run_script, script

STEP_NAMES = [f"step{n:02d}" for n in range(1, 61)]
AROUND = [f"f{n:02d}" for n in range(1, 13)] + [f"w{n:02d}" for n in range(1, 18)]  # foundations and workshop
NAMES = STEP_NAMES + AROUND
FAST = {*STEP_NAMES[50:], *AROUND}  # the long ones run short here


@pytest.mark.parametrize("name", NAMES)
def test_a_script_runs_alone_and_prints_the_same_twice(name: str) -> None:
    fast = name in FAST
    done = run_script(name, *(["--fast"] if fast else []))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[-1] == f"{name} ok"
    assert 2 <= len(lines) <= 26, f"{len(lines) - 1} lines; 25 are allowed beside the last"
    assert max(map(len, lines)) <= 120
    found, printed = numbers(name, fast)
    assert printed.splitlines() == lines[:-1]
    assert found, "main() returns its numbers"


@pytest.mark.parametrize("name", NAMES)
def test_a_script_is_a_page_with_cells_a_question_and_three_exercises(name: str) -> None:
    text = script(name).read_text(encoding="utf-8")
    question = ast.get_docstring(ast.parse(text)) or ""
    assert "?" in question.split("\n\n")[0], "a script opens with its question"
    assert len(re.findall(r"^# %%", text, re.M)) >= 3
    exercises = check.exercises_of(name)
    assert len(exercises) == 3
    for exercise in exercises:
        assert exercise.name in text, f"{exercise.name} is not in the script's list of exercises"


def modules() -> list[tuple[str, Exercise]]:
    return [(name, exercise) for name in NAMES for exercise in check.exercises_of(name)]


@pytest.mark.parametrize("name", NAMES)
def test_the_solutions_are_right(name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert check.main([name, str(STEPS / "solutions" / f"{name}.py")]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_that_does_nothing_is_not_right(name: str) -> None:
    for exercise in check.exercises_of(name):
        answers = types.ModuleType("my_answer")
        setattr(answers, exercise.name, lambda *args, **kwargs: None)
        assert check.check(exercise, answers, Path("my_answer.py")), f"{exercise.name} accepts nothing"
        hints = exercise.hints
        assert len(hints) == 2 and all(hints) and hints[0] != hints[1] and exercise.task


@pytest.mark.parametrize("name", STEP_NAMES[1:])
def test_the_difference_to_the_script_before_is_shown(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert diff.main([name]) == 0
    assert len(capsys.readouterr().out.splitlines()) >= 2


@pytest.mark.parametrize("name", STEP_NAMES)
def test_only_the_first_scripts_do_without_the_package(name: str) -> None:
    imported = {alias.name.split(".")[0] for node in ast.walk(ast.parse(script(name).read_text(encoding="utf-8"))) if isinstance(node, ast.Import)
                for alias in node.names}
    imported |= {(node.module or "").split(".")[0] for node in ast.walk(ast.parse(script(name).read_text(encoding="utf-8")))
                 if isinstance(node, ast.ImportFrom)}
    assert ("dezero" in imported) == (int(name[4:]) >= 23)


def test_a_script_finds_the_package_where_it_is_not_installed() -> None:
    code = (f"import sys, runpy; sys.path[:0] = [{str(STEPS)!r}]; sys.path.append({numpy_folder()!r}); sys.argv = ['step23.py']; "
            f"runpy.run_path({str(script('step23'))!r}, run_name='__main__')")
    with tempfile.TemporaryDirectory() as folder:  # -S: without the folder of installed packages and what stands in it
        done = subprocess.run([sys.executable, "-S", "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def numpy_folder() -> str:
    return str(Path(importlib.import_module("numpy").__file__ or "").parents[1])


def test_steps_has_nothing_that_no_script_uses() -> None:
    for folder in ("exercises", "solutions"):
        assert {p.stem for p in (STEPS / folder).glob("*.py")} - {"kit", "__init__"} == set(NAMES)
    found = {p.stem for folder in FOLDERS.values() for p in folder.glob("*.py")}
    assert found - {"support", "check", "diff", "__init__"} == set(NAMES)
    assert ROOT.joinpath("steps", "README.md").is_file()
