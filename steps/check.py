"""Check answers to the exercises: ``python -m steps.check NN my_answer.py``; without a file it prints the tasks."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from steps.exercises.kit import Exercise, NotYet
from steps.support import FOLDERS, HERE, quiet_pipes

LEVELS = {1: "a nudge", 2: "nearly the solution"}


def exercises_of(step: str) -> list[Exercise]:
    """The exercises of a script.

    Raises:
        SystemExit: there is no such script.
    """
    name = step_name(step)
    if not (HERE / "exercises" / f"{name}.py").is_file():
        known = sorted(path.stem for path in (HERE / "exercises").glob("*.py") if path.stem not in ("kit", "__init__"))
        kinds = [[name for name in known if name.rstrip("0123456789") == kind] for kind in FOLDERS]
        ranges = ", ".join(f"{kind[0]} to {kind[-1]}" for kind in kinds)
        raise SystemExit(f"steps.check: there is no script {step!r}: {ranges} have exercises; try `python -m steps.check 01`")
    found: list[Exercise] = importlib.import_module(f"steps.exercises.{name}").EXERCISES
    return found


def step_name(step: str) -> str:
    """The name of a script: "1", "01" and "step01" are step01; "f1" and "F01" are f01."""
    kind = step.lower().rstrip("0123456789")
    number = step[len(kind):]
    return f"{kind or 'step'}{int(number):02d}" if number else step


def load(path: Path) -> ModuleType:
    """The reader's file as a module; it may import the script that it belongs to."""
    if not path.is_file():
        raise SystemExit(f"steps.check: there is no file {str(path)!r}: write your answers into one, and name it here")
    sys.path[:0] = map(str, FOLDERS.values())
    spec = importlib.util.spec_from_file_location("my_answer", path)
    assert spec is not None and spec.loader is not None, "a .py file has a loader"
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise SystemExit(f"steps.check: {path} stops before anything is checked:\n{where(error, path)}") from None
    return module


def where(error: Exception, path: Path) -> str:
    """An error with the reader's own line."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
    at = f"line {lines[-1]}: " if lines else ""
    return f"    {at}{type(error).__name__}: {error}"


def check(exercise: Exercise, answers: ModuleType, path: Path) -> str:
    """What is wrong with an answer; nothing where it is right."""
    if not hasattr(answers, exercise.name):
        return f"    {path.name} does not define {exercise.name}"
    try:
        exercise.check(getattr(answers, exercise.name))
    except NotYet as problem:
        return f"    {problem}"
    except Exception as error:
        return where(error, path)
    return ""


def main(arguments: list[str] | None = None) -> int:
    """The command; 0 if all answers are right."""
    parser = argparse.ArgumentParser(prog="python -m steps.check", description="Check answers to the exercises of a script.")
    parser.add_argument("step", help="name of the script: 01 to 60, f01 to f12 or w01 to w17")
    parser.add_argument("answer", nargs="?", type=Path, help="your file; without it the tasks are printed")
    parser.add_argument("--hint", type=int, choices=LEVELS, help="also print hints: 1 a nudge, 2 nearly the solution")
    options = parser.parse_args(arguments)
    exercises = exercises_of(options.step)
    path = None if options.answer is None else options.answer.resolve()
    answers = None if path is None else load(path)
    wrong = 0
    for number, exercise in enumerate(exercises, 1):
        problem = "" if answers is None or path is None else check(exercise, answers, path)
        wrong += bool(problem)
        print(f"{number}. {exercise.name}: {exercise.task if answers is None else 'not yet' if problem else 'right'}")
        if problem:
            print(problem)
        if options.hint and (problem or answers is None):
            print(f"    hint: {exercise.hints[options.hint - 1]}")
    if answers is None:
        print(f"Write them into a file and run: python -m steps.check {options.step} FILE.py [--hint 1]")
    elif not wrong:
        print(f"All right. One way to write them: steps/solutions/{step_name(options.step)}.py")
    elif not options.hint:
        print(f"Hints: python -m steps.check {options.step} {options.answer} --hint 1   (or 2)")
    return int(bool(wrong))


if __name__ == "__main__":
    quiet_pipes()
    raise SystemExit(main())
