"""Page: one HTML file on which a reader plays a graph's forward and backward step by step, without any network."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from dezero.viz.files import target
from dezero.viz.graph import Graph, Outputs, collect
from dezero.viz.look import clean
from dezero.viz.look import title as title_of
from dezero.viz.page.data import Run, drawing_of, explanations_of, make_run, named, nodes_of, worst_marks
from dezero.viz.svg import escape, render_svg
from dezero.viz.values import run_of
from dezero.viz.view import View, make_view

LANGUAGES = ("auto", "en", "ko")
SCRIPTS = ("words.js", "numbers.js", "picture.js", "panel.js", "page.js")
# How many bytes a page should have at most, with 100 nodes and for each further one. What picture and script leave is for arrays, then
# for explanations.
BYTES, BYTES_PER_NODE, LEAST = 285_000, 2_400, 20_000
OPEN: dict[str, Any] = {"collapse": False, "depth": None, "fold": False, "max_nodes": None}
OPEN_NODES = 200  # beside a folded drawing the page holds the open one, if that has at most so many nodes


def to_html(output: Outputs | Graph | View, to_file: str | os.PathLike[str] = "graph.html", *, title: str | None = None, language: str = "auto",
            verbose: bool = True, **options: Any) -> Path:
    """Write a page on which one steps through forward and backward: what each function takes, computes and gives, and how gradients add up.

    It is one file that opens from disk in any browser and asks the network for nothing. The numbers come from one watched run of backward;
    every ``.grad`` stays as it is. Arrays of up to 64 numbers are there in full and exactly (fewer where the page would grow too large),
    larger ones as statistics, a histogram and their corners.

    Args:
        output: a Variable, or a sequence of them.
        to_file: the file, which ends in ``.html`` or ``.htm``.
        title: of the page; made from the names of the outputs where None.
        language: of the page: "en", "ko", or "auto" for the reader's. The page has a switch.
        verbose: write variables' shapes and dtypes, and functions' layers, into the nodes.
        options: what to show and to leave out, as :func:`dezero.viz.make_view` takes it: ``show``, ``depth``, ``collapse``, ``fold``,
            ``clusters``, ``max_nodes``.

    Returns:
        The path of the file.

    Raises:
        ValueError: the file ends in something else, or the language is another.
        FileNotFoundError: the folder does not exist.
        InputTypeError: ``output`` is not a Variable or a sequence of them.

    Examples:
        >>> import numpy as np, tempfile
        >>> from dezero import Variable
        >>> x = Variable(np.array(3.0), name="x")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = to_html(x * x + x, Path(folder) / "graph.html")
        ...     path.name, path.stat().st_size < 100_000
        ('graph.html', True)
    """
    path = target(to_file, "to_html: to_file", (".html", ".htm"), "plot_dot_graph writes pictures")
    if language not in LANGUAGES:
        raise ValueError(f"to_html: language={language!r}: one of {', '.join(LANGUAGES)} is expected")
    path.write_text(render_html(output, title=title, language=language, verbose=verbose, **options), encoding="utf-8", newline="\n")
    return path


def render_html(output: Outputs | Graph | View, *, title: str | None = None, language: str = "auto", verbose: bool = True, **options: Any) -> str:
    """The page as text; the arguments are those of :func:`to_html`.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> text = render_html(Variable(np.array(3.0), name="x") ** 2)
        >>> text.startswith("<!DOCTYPE html>"), "https:" in text
        (True, False)
    """
    with np.errstate(all="ignore"):  # the page says itself what is wrong with its numbers
        return _rendered(output, title, language, {"verbose": verbose, **options})


def _rendered(output: Outputs | Graph | View, title: str | None, language: str, options: dict[str, Any]) -> str:
    view = make_view(output, **options)
    run, views = Run(), [view]
    if not isinstance(output, (Graph, View)):
        found = collect(output)
        if view.graph.groups and len(found.graph.nodes) <= OPEN_NODES:
            views.append(make_view(output, **{**options, **OPEN}))
        run = make_run(found, run_of(output)[1], [each.graph for each in views])
        views = [named(each, run) for each in views]
    name = clean(title, 200) if title else title_of(views[0].graph)
    nodes: dict[str, Any] = {}
    for each in reversed(views):
        nodes.update(nodes_of(each, run))
    notes = list(dict.fromkeys([*view.notes, *run.values.notes]))
    data: dict[str, Any] = {"title": name, "language": language, "notes": notes, "outputs": list(view.graph.outputs), "nodes": nodes,
                            "drawings": [drawing_of(each, run) for each in views]}
    pictures = [render_svg(each, marks=worst_marks(each, nodes) if run.found else None) for each in views]
    page = _Page(name, "en" if language == "auto" else language, pictures)
    room = BYTES + BYTES_PER_NODE * max(0, len(nodes) - 100) - len(page.filled(data).encode())
    data["arrays"], data["limit"] = run.table.written(max(LEAST, room - LEAST))
    room -= len(in_script(data["arrays"]))
    data["explanations"], data["unexplained"] = explanations_of(run, max(LEAST, room))
    return page.filled(data)


class _Page:
    """The template with everything in its place but the data."""

    def __init__(self, name: str, language: str, pictures: list[str]) -> None:
        script = "\n".join(["(() => {", '"use strict";', *(_lean(_file(part)) for part in SCRIPTS), "})();"])
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        self.parts = {"title": escape(name), "language": language, "hash": digest, "style": _lean(_file("page.css")), "script": script,
                      "pictures": "\n".join(f'<div class="picture"{" hidden" if k else ""}>{svg}</div>' for k, svg in enumerate(pictures))}

    def filled(self, data: Any) -> str:
        """The page with its data. Each mark of the template is replaced once, so that none in a name is."""
        parts = {**self.parts, "data": in_script(data)}
        return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _file("page.html"))


def _file(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8").strip()


def _lean(text: str) -> str:
    """A script or style without indentation and lines of comment, which every page would carry."""
    lines = [line.strip() for line in text.splitlines()]
    return "\n".join([line for line in lines if line and not line.startswith("// ")])


def in_script(data: Any) -> str:
    """JSON that may stand in a script element: no name in it can end the element, or a line of it.

    Examples:
        >>> in_script({"a": "</script>"})
        '{"a":"\\\\u003c/script\\\\u003e"}'
    """
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
