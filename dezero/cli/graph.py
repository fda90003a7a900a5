"""``dezero graph``: run a script and draw the graph behind one of its variables."""

from __future__ import annotations

import os
import re
import runpy
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from dezero.core.variable import Variable
from dezero.errors import describe
from dezero.layers import Layer
from dezero.viz.dot import SUFFIXES, plot_dot_graph
from dezero.viz.files import target
from dezero.viz.look import clean
from dezero.viz.page import to_html
from dezero.viz.values import keep_values
from dezero.viz.view import make_view

ENDINGS = (*SUFFIXES, ".html", ".htm")
NAME = re.compile(r"[^\W\d]\w*")
STEP = re.compile(r"""\.(?P<name>[^\W\d]\w*)|\[(?P<place>-?\d+)\]|\[(?P<quote>["'])(?P<key>.*?)(?P=quote)\]""")
EXPECTED = "a name is expected, with attributes and places behind it if need be: loss, model.loss, losses[-1], grads['W']"
KEPT = 2 ** 30  # bytes of copies of the script's numbers
PACKAGE = Path(__file__).resolve().parents[1]


class ScriptError(Exception):
    """The script has failed; what there is to say of it has been printed."""


def graph(script: str, out: Path | None, words: Sequence[str], **options: Any) -> int:
    """Run the script and draw the variable, or tell which variables there are.

    Args:
        script: SCRIPT.py:VARIABLE, or the script alone.
        out: the picture; None for graph.svg, or for nothing but a list of the variables if none is named.
        words: the script's own arguments.
        options: of the drawing, as :func:`dezero.viz.make_view` takes them; no path to collapse means all layers, and 0 nodes no limit.

    Returns:
        The exit code.

    Raises:
        ValueError: there is no such variable, or it is nothing that can be drawn.
        FileNotFoundError: there is no such script, or no such folder for the picture.
    """
    path, name = parts(script)
    steps = parse(name) if name else []
    options |= {name: value for name, value in (("collapse", True), ("max_nodes", None)) if options.get(name) in ([], 0)}
    wish = target(out or "graph.svg", "--out", ENDINGS)
    numbers = wish.suffix.lower() in (".html", ".htm") or {"value", "grad"} & {*(options.get("show") or ())}
    try:
        with keep_values(KEPT) if numbers and name else nullcontext():  # else the backward of a script that trains leaves none to draw
            left = run_script(path, words)
    except ScriptError as error:
        print(f"dezero graph: {error}", file=sys.stderr)
        return 1
    if not name and out is None:
        print(table(left, path))
        return 0
    if not name:
        raise ValueError(f"name what to draw, {script}:VARIABLE\n{table(left, path)}")
    output = checked(find(left, steps, path), name, left, path)
    view = make_view(output, **options)
    drawn = to_html(output, wish, **options) if wish.suffix.lower() in (".html", ".htm") else plot_dot_graph(view, to_file=wish)
    nodes = len(view.graph.nodes)
    print(f"{drawn}: {name}, {nodes} node{'s' if nodes != 1 else ''}")
    for note in view.notes:
        print(f"  {note}")
    return 0


def parts(text: str) -> tuple[Path, str]:
    """The script and the variable of SCRIPT.py:VARIABLE; folders and keys may hold colons too.

    Raises:
        FileNotFoundError: there is no such script.
    """
    for colon in [i for i, c in enumerate(text) if c == ":"] + [len(text)]:
        if os.path.isfile(text[:colon]):
            return Path(text[:colon]), text[colon + 1:]
    script = text.rpartition(":")[0] if NAME.match(text.rpartition(":")[2]) else ""
    raise FileNotFoundError(f"{script or text}: there is no such script; SCRIPT.py:VARIABLE is expected")


def parse(text: str) -> list[str | int | tuple[str]]:
    """The steps to a variable: names are attributes, ints and strings in a tuple stand in brackets.

    Raises:
        ValueError: the text is something else.

    Examples:
        >>> parse("model.losses[-1]['a.b']")
        ['model', 'losses', -1, ('a.b',)]
    """
    first = NAME.match(text)
    steps: list[str | int | tuple[str]] = [first[0]] if first else []
    place = first.end() if first else 0
    while first and place < len(text):
        step = STEP.match(text, place)
        if step is None:
            break
        steps.append(step["name"] or (int(step["place"]) if step["place"] else (step["key"],)))
        place = step.end()
    if first is None or place < len(text):
        raise ValueError(f"{clean(text, 100)!r}: {EXPECTED}")
    return steps


def run_script(path: Path, words: Sequence[str]) -> dict[str, Any]:
    """Run a script as ``python SCRIPT WORDS`` does.

    Returns:
        Its global names.

    Raises:
        ScriptError: it has failed; its traceback is printed.
    """
    argv, folders = sys.argv, sys.path[:]
    sys.argv = [str(path), *words]
    sys.path.insert(0, str(path.resolve().parent))
    try:
        return runpy.run_path(str(path), run_name="__main__")
    except SystemExit as stop:
        if stop.code not in (None, 0):
            if not isinstance(stop.code, int):
                print(stop.code, file=sys.stderr)
            code = stop.code if isinstance(stop.code, int) else 1
            raise ScriptError(f"{path} ended with exit code {code} (its own arguments come behind --args)") from None
        frames = [frame for frame, _ in traceback.walk_tb(stop.__traceback__)]
        return next((dict(frame.f_globals) for frame in frames if frame.f_globals.get("__name__") == "__main__"), {})
    except BrokenPipeError:
        raise
    except Exception as error:
        print(report(error), end="", file=sys.stderr)
        raise ScriptError(f"{path} failed, so there is nothing to draw") from None
    finally:
        sys.argv, sys.path[:] = argv, folders


def report(error: Exception) -> str:
    """The traceback of an error in the script, without frames of this package, or in whole with DEZERO_DEBUG."""
    shown = traceback.TracebackException.from_exception(error)
    todo = [] if "DEZERO_DEBUG" in os.environ else [shown]
    while todo:
        one = todo.pop()
        one.stack[:] = [frame for frame in one.stack if not _inside(frame.filename)]
        for link in ("__cause__", "__context__"):
            before = getattr(one, link)
            if before is not None and before.stack and all(_inside(frame.filename) for frame in before.stack):
                setattr(one, link, None)  # the message of a library's error says more than the one it was made of
            elif before is not None:
                todo.append(before)
        todo.extend(one.exceptions or ())
    return "".join(shown.format())


def _inside(file: str) -> bool:
    """Is a frame one of this package, or of what runs the script?"""
    return file.startswith("<frozen") or file == runpy.__file__ or Path(file).is_relative_to(PACKAGE)


def find(left: dict[str, Any], steps: Sequence[str | int | tuple[str]], path: Path) -> Any:
    """Go the steps to a variable.

    Raises:
        ValueError: there is none; the message lists those that are there.
    """
    if steps[0] not in left:
        raise ValueError(f"{path} has no variable {steps[0]}\n{table(left, path)}")
    value, gone = left[str(steps[0])], str(steps[0])
    for step in steps[1:]:
        before, gone = gone, gone + (f".{step}" if isinstance(step, str) else f"[{step if isinstance(step, int) else repr(step[0])}]")
        try:
            value = getattr(value, step) if isinstance(step, str) else value[step if isinstance(step, int) else step[0]]
        except Exception as error:  # a property of the script's may raise anything
            raise ValueError(f"{path} has no {clean(gone, 100)}: {before} is {describe(value)} ({type(error).__name__}: {clean(str(error), 100)})\n"
                             f"{table(left, path)}") from error
    return value


def checked(value: Any, name: str, left: dict[str, Any], path: Path) -> Variable | list[Variable]:
    """The value, if it can be drawn.

    Raises:
        ValueError: it is no Variable and no list of them.
    """
    if isinstance(value, Variable):
        return value
    if several(value):
        return list(value)
    if isinstance(value, Layer):
        raise ValueError(f"{name} is a layer ({type(value).__name__}): a result is needed, as a graph comes from a run; "
                         f"let the script run it, y = {name}(x), and draw y\n{table(left, path)}")
    raise ValueError(f"{name} is {describe(value)}: a Variable or a list of Variables is expected\n{table(left, path)}")


def several(value: Any) -> bool:
    """Is it a list of Variables?"""
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(v, Variable) for v in value)


def table(left: dict[str, Any], path: Path) -> str:
    """The Variables that a script has left, a line for each."""
    rows = list(_rows(left))
    if not rows:
        return (f"{path} left no Variable: give the result a name at the top level of the script; what has a name inside of a function only "
                "is gone when that ends")
    width = max(len(name) for name, _ in rows)
    return "\n".join([f"variables of {path}:", *(f"  {name:<{width}}  {text}" for name, text in rows)])


def _rows(left: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in left.items():
        if isinstance(value, Variable):
            yield clean(name, 60), _about(value)
        elif several(value):
            yield clean(name, 60), f"{len(value)} Variable{'s' if len(value) != 1 else ''}, the last {_about(value[-1])}"


def _about(v: Variable) -> str:
    made = "a leaf" if v.creator is None else f"by {type(v.creator).__name__}"
    return f"{'no data yet' if v._data is None else describe(v)}, {made}"
