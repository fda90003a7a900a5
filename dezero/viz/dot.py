"""Graphs as DOT text, and as files: by Graphviz where it is installed, by our own SVG where it is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from dezero.viz.files import target
from dezero.viz.graph import Cluster, FunctionNode, Graph, GraphNode, GroupNode, Outputs
from dezero.viz.legend import entries
from dezero.viz.look import GROUND, MARKS, PALETTE, clean, dress, frame_title, mark, pass_name, words
from dezero.viz.svg import render_svg
from dezero.viz.view import View, make_view

if TYPE_CHECKING:
    from graphviz import Digraph

SUFFIXES = (".png", ".pdf", ".svg", ".dot")
INSTALL = {"darwin": "brew install graphviz", "win32": "winget install Graphviz.Graphviz"}
TIMEOUT = 120  # seconds; dot takes longer than that only for graphs that nobody can read
FONT = "sans-serif"
_SHAPES: dict[str, dict[str, str]] = {"parameter": {"penwidth": "2.4"}, "constant": {"style": "filled,dashed"},
                                      "function": {"shape": "box", "style": "filled,rounded"},
                                      "group": {"shape": "box", "style": "filled,rounded", "peripheries": "2"}}
HUES = {"function": "blue", "function1": "green", "function2": "pink", "function3": "yellow"}  # what a reader calls the palette's colours


def get_dot_graph(output: Outputs | Graph | View, verbose: bool = True, **options: Any) -> str:
    """The graph behind a variable in Graphviz's DOT language, the same text in every run and process.

    Functions are boxes with the name of their class, variables ellipses with their name; an edge leads from a variable to the
    function that takes it, and from a function to what it gives. A layer is a frame around what ran in it, with its path.

    Args:
        output: a Variable, or a sequence of them.
        verbose: write variables' shapes and dtypes, and functions' layers, into the nodes.
        options: as :func:`dezero.viz.view.make_view` takes them: ``show``, ``depth``, ``collapse``, ``fold``, ``clusters``, ``max_nodes``.

    Raises:
        InputTypeError: ``output`` is something else.
        ImportError: the Python package graphviz is missing.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> y = Variable(np.array(1.0), name="x") * 2
        >>> text = get_dot_graph(y, verbose=False)
        >>> "v0 [label=x " in text, "f0 [label=Mul " in text, text.count("->")
        (True, True, 3)
    """
    return render_dot(make_view(output, verbose=verbose, **options))


def render_dot(view: View) -> str:
    """A view of a graph as DOT.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> render_dot(make_view(Variable(np.array(1.0)))).startswith("digraph")
        True
    """
    return str(dot_graph(view).source)


def dot_graph(output: Outputs | Graph | View, verbose: bool = True, **options: Any) -> Digraph:
    """The same graph as an object of the graphviz package, for those who add to it or draw it by Graphviz's other programs.

    The package is the only writer of DOT text here.

    Args:
        output: a Variable, or a sequence of them.
        verbose: as in :func:`get_dot_graph`.
        options: as there.

    Raises:
        InputTypeError: ``output`` is something else.
        ImportError: the Python package graphviz is missing.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> dot = dot_graph(Variable(np.array(1.0), name="x") * 2)
        >>> dot.attr(rankdir="LR")
        >>> dot.source.count("->")
        3
    """
    view = make_view(output, verbose=verbose, **options)
    try:
        from graphviz import Digraph
    except ImportError as error:
        raise ImportError(f"DOT text needs the Python package graphviz ({error}): pip install graphviz") from None
    dot = Digraph(graph_attr={"ranksep": "0.35", "nodesep": "0.25", "fontname": FONT, "fontsize": "10"},
                  node_attr={"shape": "ellipse", "style": "filled", "fontname": FONT, "fontsize": "11", "height": "0.3", "margin": "0.1,0.04"},
                  edge_attr={"color": GROUND["line"][0], "arrowsize": "0.7"})
    if lines := _below(view):
        dot.graph_attr.update(label=label(lines, "\\l"), labelloc="b", labeljust="l")
    _fill(dot, view)
    for a, b in view.graph.edges:
        dot.edge(a, b)
    return dot


def _fill(dot: Digraph, view: View) -> None:
    """Add the nodes, those of a layer in its box. Each box is complete before it goes into the one around it."""
    nodes = {node.id: node for node in view.graph.nodes}
    boxes, inside = [dot], [list[Any]()]
    todo = [(cluster, 0, 0) for cluster in reversed(view.clusters)]
    while todo:
        cluster, outer, depth = todo.pop()
        box = type(dot)(f"cluster_{len(boxes) - 1}", graph_attr=_frame(cluster, depth))
        for id_ in cluster.members:
            box.node(id_, **_attributes(nodes.pop(id_), view))
        todo.extend((inner, len(boxes), depth + 1) for inner in reversed(cluster.inner))
        inside[outer].append(box)
        boxes.append(box)
        inside.append([])
    for node in nodes.values():
        dot.node(node.id, **_attributes(node, view))
    for box, inner_boxes in zip(reversed(boxes), reversed(inside), strict=True):
        for inner in inner_boxes:
            box.subgraph(inner)


def _frame(cluster: Cluster, depth: int) -> dict[str, str]:
    """How the box of a layer looks; its fill changes by turns, so that boxes in boxes stand out."""
    return {"label": label([frame_title(cluster)]), "labelloc": "t", "labeljust": "l", "style": "filled,rounded",
            "fillcolor": GROUND["frame2" if depth % 2 else "frame"][0], "color": GROUND["rim"][0],
            "penwidth": "2.4" if cluster.times > 1 else "1"}


def _attributes(node: GraphNode, view: View) -> dict[str, str]:
    """How a node looks. With shapes or numbers in the nodes it says of which derivative it is, and what is wrong with its numbers."""
    fill, border = PALETTE[dress(node)][:2]
    kind = "function" if isinstance(node, FunctionNode) else "group" if isinstance(node, GroupNode) else node.kind
    look = {"fillcolor": fill, "color": border, **_SHAPES.get(kind, {})}
    lines = words(node, view)
    if view.show and node.derivative and kind in ("function", "group"):
        lines.append(pass_name(node.derivative))
    if sign := mark(node, view):
        lines.append(MARKS[sign].meaning)
        look |= {"color": MARKS[sign].day[0], "penwidth": "3"}
    return {"label": label(lines), **look}


def _below(view: View) -> list[str]:
    """What stands below the graph: what the colours of functions say, where some are of a derivative, and the notes."""
    said = ", ".join(f"{HUES[box.dress]} {meaning}" for box, meaning in entries(view, ()))
    return [*([f"colours: {said}"] if said else []), *(line for note in view.notes for line in wrap(clean(note, 1000), 100))]


def label(lines: Sequence[str], end: str = "\\n") -> str:
    r"""Lines as the value of a label. Graphviz reads escapes, HTML and its entities in one: none may come out of a name.

    Args:
        lines: what stands in the label, without control characters.
        end: what ends each line: ``\\n`` centres it, ``\\l`` moves it to the left.

    Examples:
        >>> print(label(["<b>", r"\N &lt;"]))
        <b>\n\\N &amp;lt;
    """
    from graphviz import escape, nohtml
    text: str = nohtml("".join(f"{escape(line)}{end}".replace("&", "&amp;") for line in lines).removesuffix("\\n"))
    return text


def plot_dot_graph(output: Outputs | Graph | View, verbose: bool = True, to_file: str | os.PathLike[str] = "graph.png", **options: Any) -> Any:
    """Draw the graph behind a variable into a file.

    PNG and PDF are made by Graphviz's program ``dot``. Where it is missing or fails, a ``.dot`` and a ``.svg`` file of the same name are written
    instead, and a line is printed that says so. SVG needs nothing else, DOT the Python package graphviz.

    Args:
        output: a Variable, or a sequence of them.
        verbose: write variables' shapes and dtypes, and functions' layers, into the nodes.
        to_file: the file; its ending, ``.png``, ``.pdf``, ``.svg`` or ``.dot``, is the format.
        options: as :func:`dezero.viz.view.make_view` takes them: ``show``, ``depth``, ``collapse``, ``fold``, ``clusters``, ``max_nodes``.

    Returns:
        The path of the picture that was written; in a notebook, a picture that it shows.

    Raises:
        ValueError: the ending is none of these, or an option makes no sense.
        FileNotFoundError: the folder does not exist.
        InputTypeError: ``output`` is not a Variable or a sequence of them.
        ImportError: a ``.dot`` file is wanted, and the Python package graphviz is missing.

    Examples:
        >>> import numpy as np, tempfile
        >>> from pathlib import Path
        >>> from dezero import Variable
        >>> x = Variable(np.array(1.0), name="x")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = plot_dot_graph(x * x, to_file=Path(folder) / "square.svg", show="shape,value")
        ...     path.name, ">value 1<" in path.read_text(encoding="utf-8")
        ('square.svg', True)
    """
    page = "dezero.viz.to_html writes the page" if str(to_file).lower().endswith((".html", ".htm")) else ""
    path = target(to_file, "plot_dot_graph: to_file", SUFFIXES, page)
    view = make_view(output, verbose=verbose, **options)
    kind = path.suffix.lower()[1:]
    if kind == "dot":
        _write(path, render_dot(view))
    elif kind == "svg":
        _write(path, render_svg(view))
    else:
        path = _by_graphviz(view, path, kind)
    return _shown(path)


def _by_graphviz(view: View, path: Path, kind: str) -> Path:
    """Write the picture that Graphviz makes, or what can be had without it; the path of what was written."""
    try:
        text = render_dot(view)
    except ImportError as error:
        picture, problem, beside = None, f"{kind.upper()} needs Graphviz, and its {error}", []
    else:
        picture, problem = _run_dot(text, kind)
        beside = [path.with_suffix(".dot")]
    if picture is not None:
        path.write_bytes(picture)
        return path
    wish, path = path, path.with_suffix(".svg")
    for other in beside:
        _write(other, text)
    _write(path, render_svg(view))
    written = f"{' and '.join(map(str, [*beside, path]))} {'were' if beside else 'was'} written instead of {wish.name}"
    _say(clean(f"plot_dot_graph: {problem}; {written}", 1000))
    return path


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _say(message: str) -> None:
    """Print, also where the console cannot show every letter of a file's name."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(message.encode(encoding, "replace").decode(encoding))


def _run_dot(text: str, kind: str) -> tuple[bytes | None, str]:
    """The picture that ``dot`` makes, or None and why there is none. The text and the picture go through pipes, so no name reaches the program."""
    program = shutil.which("dot")
    if program is None:
        install = INSTALL.get(sys.platform, "sudo apt-get install graphviz")
        return None, f"{kind.upper()} needs Graphviz's program dot, which is not installed, as pip does not bring it (to install it: {install})"
    try:
        done = subprocess.run([program, f"-T{kind}", "-Gdpi=150"] if kind == "png" else [program, f"-T{kind}"], input=text.encode(),
                              capture_output=True, timeout=TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = f"took more than {TIMEOUT} s" if isinstance(error, subprocess.TimeoutExpired) else f"did not start ({error})"
        return None, f"Graphviz {reason}"
    if done.returncode or not done.stdout:
        said = clean(done.stderr.decode(errors="replace"), 200) or f"exit status {done.returncode}"
        return None, f"Graphviz failed ({said})"
    return done.stdout, ""


def _shown(path: Path) -> Any:
    """The path, or in a notebook a picture of the file."""
    shell = sys.modules.get("IPython")  # a notebook has loaded it; nobody else needs it
    kernel = getattr(shell.get_ipython(), "kernel", None) if shell is not None and hasattr(shell, "get_ipython") else None
    if kernel is None or path.suffix.lower() not in (".png", ".svg"):
        return path
    from IPython import display
    return display.Image(filename=str(path)) if path.suffix.lower() == ".png" else display.SVG(filename=str(path))
