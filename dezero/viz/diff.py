"""Diff: what differs between two graphs, as text for a log or a test, and as a picture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from dezero.viz.compare.changes import Changes
from dezero.viz.compare.context import shortened
from dezero.viz.compare.pairing import Pairing
from dezero.viz.compare.union import union_of
from dezero.viz.files import target
from dezero.viz.graph import Graph, Outputs, collect_graph
from dezero.viz.svg import escape, render_svg
from dezero.viz.view import View, make_view

CONTEXT = 3     # steps around a change
LARGEST = 1000  # nodes of a picture that is drawn unasked


def diff(first: Outputs | Graph | View, second: Outputs | Graph | View) -> GraphDiff:
    """Compare two computations: two models, two versions of one, the same before and after a bug, or on inputs of other shapes.

    What is compared is the structure: functions with their settings and layers, variables with their names, shapes and dtypes, and what is
    linked to what. The numbers in the variables are not.

    Args:
        first: the output of a computation, several in a list, or a graph that :func:`dezero.viz.collect_graph` gave.
        second: the same of another one.

    Returns:
        The difference: true if there is one; ``str()`` of it is text, the same in every run, a notebook shows a picture.

    Raises:
        InputTypeError: one of them is something else.

    Examples:
        >>> import numpy as np
        >>> import dezero.functions as F
        >>> from dezero.models import MLP
        >>> x = np.ones((4, 3), np.float32)
        >>> found = diff(MLP((5, 2), F.relu)(x), MLP((5, 2), F.gelu)(x))
        >>> print(found)
        1 difference: 0 added, 0 removed, 1 changed (functions: 3 -> 3)
        ~ function ReLU: ReLU -> GELU
        >>> if found:
        ...     print("the model is another one")
        the model is another one
    """
    return GraphDiff(_graph(first), _graph(second))


class GraphDiff:
    """The difference of two graphs. It is true if there is one.

    Attributes:
        first: the graph before.
        second: the graph after.
        changes: all differences in the order of the computation.
        pairs: id in the first graph -> id in the second, for the nodes that are in both.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> x = Variable(np.array(3.0), name="x")
        >>> bool(diff(x * 2, x * 2)), [change.line for change in diff(x * 2, x * 3).changes]
        (False, ['~ constant 2 of Mul: 2 -> 3'])
    """

    __slots__ = ("first", "second", "changes", "pairs", "_pairing")

    def __init__(self, first: Graph, second: Graph) -> None:
        self._pairing = Pairing(first, second)
        self.first, self.second, self.pairs = first, second, self._pairing.there
        self.changes = tuple(Changes(self._pairing).all())

    @property
    def same(self) -> bool:
        """Is there no difference?"""
        return not self.changes

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __str__(self) -> str:
        """A line for each change, with "+", "-" or "~" before it; one line for all results that are others only because something before them is."""
        a, b = len(self.first.functions), len(self.second.functions)
        if self.same:
            return f"no difference (functions: {a})"
        told = [change for change in self.changes if not change.follows]
        after = [change for change in self.changes if change.follows]
        count = {sign: sum(change.sign == sign for change in told) for sign in "+-~"}
        lines = [f"{len(told)} {'difference' if len(told) == 1 else 'differences'}: {count['+']} added, {count['-']} removed, "
                 f"{count['~']} changed (functions: {a} -> {b})", *[change.line for change in told]]
        if after:
            few = "1 result looks" if len(after) == 1 else f"{len(after)} results look"
            lines.append(f"  and {few} different after these: {after[0].text}{', ...' if len(after) > 1 else ''}")
        return "\n".join(lines)

    __repr__ = __str__

    def svg(self, verbose: bool = True, theme: str = "auto", *, show: str | Sequence[str] | None = None, clusters: bool = True,
            context: int | None = CONTEXT) -> str:
        """A picture of both graphs in one: what was added wears a "+", what was removed a "−" and dashes, what changed a "~" and what it was.

        Args:
            verbose: write shapes, dtypes and layers into the nodes.
            theme: "light", "dark", or "auto" for what the reader's system is set to.
            show: what to write into the nodes in place of that, of "shape", "dtype" and "layer".
            clusters: draw a box around each layer.
            context: how many steps around a change are drawn where the graphs are large; what is the same beyond becomes groups.
                None draws everything.

        Examples:
            >>> import numpy as np
            >>> from dezero import Variable
            >>> x = Variable(np.array(3.0), name="x")
            >>> svg = diff(x * x, -(x * x)).svg()
            >>> svg.startswith("<svg ") and ">+<" in svg and "added" in svg
            True
        """
        union = union_of(self._pairing, self.changes)
        if context is not None:
            union = shortened(union, context)
        view = make_view(union.graph, show=show, verbose=verbose, clusters=clusters, max_nodes=None)
        view = View(view.graph, view.clusters, None, view.show, (*view.notes, *union.notes))
        return render_svg(view, theme, union.marks, union.remarks)

    def _repr_svg_(self) -> str | None:
        """What a notebook shows, unless nearly everything differs and it is huge."""
        union = shortened(union_of(self._pairing, self.changes), CONTEXT)
        return self.svg() if len(union.graph.nodes) <= LARGEST else None

    def _repr_html_(self) -> str:
        """The text, and the picture below it."""
        return f'<pre style="font-family:monospace">{escape(str(self))}</pre>{self._repr_svg_() or ""}'

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture, or the text, to a file.

        Args:
            path: ends in ``.svg`` for the picture, in ``.txt`` for the text.

        Returns:
            The path.

        Raises:
            ValueError: it ends in something else.
            FileNotFoundError: the folder does not exist.
        """
        to = target(path, "GraphDiff.save: path", (".svg", ".txt"), ".svg is the picture and .txt the text")
        to.write_text(self.svg() if to.suffix.lower() == ".svg" else f"{self}\n", encoding="utf-8", newline="\n")
        return to


def _graph(given: Outputs | Graph | View) -> Graph:
    return given if isinstance(given, Graph) else given.graph if isinstance(given, View) else collect_graph(given)
