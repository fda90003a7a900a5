"""Graphs as DOT text, and as files: by Graphviz where it is installed, by our own SVG where it is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from dezero.viz.graph import FunctionNode, Graph, Outputs, VariableNode, collect_graph
from dezero.viz.look import PALETTE, clean, words
from dezero.viz.svg import render_svg

SUFFIXES = (".png", ".pdf", ".svg", ".dot")
INSTALL = {"darwin": "brew install graphviz", "win32": "winget install Graphviz.Graphviz"}
TIMEOUT = 120  # seconds; dot takes longer than that only for graphs that nobody can read
_EXTRA = {"parameter": ", penwidth=2.4", "constant": ', style="filled,dashed"'}


def get_dot_graph(output: Outputs, verbose: bool = True) -> str:
    """The graph behind a variable in Graphviz's DOT language, the same text in every run and process.

    Functions are blue boxes with the name of their class, variables ellipses with their name; an edge leads from a variable to the
    function that takes it, and from a function to what it gives.

    Args:
        output: a Variable, or a sequence of them.
        verbose: write variables' shapes and dtypes, and functions' layers, into the nodes.

    Raises:
        InputTypeError: ``output`` is something else.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> y = Variable(np.array(1.0), name="x") * 2
        >>> print(get_dot_graph(y, verbose=False).partition("v0")[2])
         [label="x", fillcolor="#FFE0A3", color="#B27400"];
          v1 [label="2", fillcolor="#F2F2F2", color="#8A8A8A", style="filled,dashed"];
          v2 [label="", fillcolor="#FFF4DE", color="#C9A256"];
          f0 [label="Mul", shape=box, style="filled,rounded", fillcolor="#D6EBFA", color="#2C79AE"];
          v0 -> f0;
          v1 -> f0;
          f0 -> v2;
        }
        <BLANKLINE>
    """
    return render_dot(collect_graph(output), verbose)


def render_dot(graph: Graph, verbose: bool = True) -> str:
    """A collected graph as DOT.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> render_dot(collect_graph(Variable(np.array(1.0)))).startswith("digraph")
        True
    """
    lines = ["digraph {", "  graph [ranksep=0.35, nodesep=0.25];",
             '  node [shape=ellipse, style=filled, fontname="sans-serif", fontsize=11, height=0.3, margin="0.1,0.04"];',
             '  edge [color="#6B7178", arrowsize=0.7];']
    lines.extend(f"  {node.id} [label={quoted(words(node, verbose))}, {_style(node)}];" for node in graph.nodes)
    lines.extend(f"  {a} -> {b};" for a, b in graph.edges)
    return "\n".join([*lines, "}", ""])


def _style(node: VariableNode | FunctionNode) -> str:
    if isinstance(node, FunctionNode):
        return f'shape=box, style="filled,rounded", fillcolor="{PALETTE["function"][0]}", color="{PALETTE["function"][1]}"'
    return f'fillcolor="{PALETTE[node.kind][0]}", color="{PALETTE[node.kind][1]}"{_EXTRA.get(node.kind, "")}'


def quoted(lines: list[str]) -> str:
    r"""Lines as one DOT string. Graphviz reads escapes and HTML entities in a label: none may come out of a name.

    Examples:
        >>> print(quoted(['say "x"', r"\N & &lt;"]))
        "say \"x\"\n\\N &amp; &amp;lt;"
    """
    return '"' + "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") for line in lines) + '"'


def plot_dot_graph(output: Outputs, verbose: bool = True, to_file: str | os.PathLike[str] = "graph.png") -> Any:
    """Draw the graph behind a variable into a file.

    PNG and PDF are made by Graphviz's program ``dot``. Where it is missing or fails, a ``.dot`` and a ``.svg`` file of the same name are written
    instead, and a line is printed that says so. SVG and DOT need no other program.

    Args:
        output: a Variable, or a sequence of them.
        verbose: write variables' shapes and dtypes, and functions' layers, into the nodes.
        to_file: the file; its ending, ``.png``, ``.pdf``, ``.svg`` or ``.dot``, is the format.

    Returns:
        The path of the picture that was written; in a notebook, a picture that it shows.

    Raises:
        ValueError: the ending is none of these.
        FileNotFoundError: the folder does not exist.
        InputTypeError: ``output`` is not a Variable or a sequence of them.

    Examples:
        >>> import numpy as np, tempfile
        >>> from pathlib import Path
        >>> from dezero import Variable
        >>> x = Variable(np.array(1.0), name="x")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = plot_dot_graph(x * x, to_file=Path(folder) / "square.svg")
        ...     path.name, path.read_text(encoding="utf-8").count("<ellipse")
        ('square.svg', 2)
    """
    path = Path(to_file)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"plot_dot_graph: to_file={os.fspath(to_file)!r} ends in {suffix or 'nothing'}: "
                         f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]} is expected")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"plot_dot_graph: the folder {str(path.parent)!r} of to_file does not exist: make it first")
    graph = collect_graph(output)
    if suffix == ".dot":
        _write(path, render_dot(graph, verbose))
    elif suffix == ".svg":
        _write(path, render_svg(graph, verbose))
    else:
        text = render_dot(graph, verbose)
        picture, problem = _by_graphviz(text, suffix[1:])
        if picture is not None:
            path.write_bytes(picture)
        else:
            wish, path = path, path.with_suffix(".svg")
            _write(path.with_suffix(".dot"), text)
            _write(path, render_svg(graph, verbose))
            _say(clean(f"plot_dot_graph: {problem}; {path.with_suffix('.dot')} and {path} were written instead of {wish.name}", 1000))
    return _shown(path)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _say(message: str) -> None:
    """Print, also where the console cannot show every letter of a file's name."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(message.encode(encoding, "replace").decode(encoding))


def _by_graphviz(text: str, kind: str) -> tuple[bytes | None, str]:
    """The picture that Graphviz makes, or None and why there is none. The text and the picture go through pipes, so no name reaches the program."""
    program = shutil.which("dot")
    if program is None:
        install = INSTALL.get(sys.platform, "sudo apt-get install graphviz")
        return None, f"{kind.upper()} needs Graphviz, which is not installed (to install it: {install})"
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
