"""View: what of a graph is drawn, and how much of it is written into the nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from operator import index
from typing import Any

from dezero.core.operators import ENGINE
from dezero.viz.boxes import Boxes
from dezero.viz.fold import all_boxes, below, deeper_than, prefixes, without_layers
from dezero.viz.fold import collapse as collapse_boxes
from dezero.viz.graph import Cluster, Graph, Outputs, collect
from dezero.viz.groups import find_clusters
from dezero.viz.repeats import repeats
from dezero.viz.runs import in_runs
from dezero.viz.values import Values, shown_of

WORDS = ("shape", "dtype", "layer", "value", "grad")
OPTIONS = ("verbose", "show", "depth", "collapse", "fold", "clusters", "max_nodes")


@dataclass(frozen=True, slots=True)
class View:
    """A graph ready to be drawn.

    Attributes:
        graph: what is drawn, after folding.
        clusters: the outermost boxes around layers.
        values: numbers by the ids of the variables, where they are shown.
        show: of "shape", "dtype", "layer", "value" and "grad", what is written into the nodes.
        notes: sentences for the reader: what was collapsed, and why.
    """

    graph: Graph
    clusters: tuple[Cluster, ...] = ()
    values: Values | None = None
    show: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def _repr_svg_(self) -> str:
        """What a notebook shows."""
        return ENGINE["graph_svg"](self)  # type: ignore[no-any-return]


def make_view(output: Outputs | Graph | View, *, show: str | Sequence[str] | None = None, verbose: bool = True, depth: int | None = None,
              collapse: bool | str | Sequence[str] = False, fold: bool = False, clusters: bool = True, max_nodes: int | None = 1000,
              **unknown: Any) -> View:
    """What to draw of a graph, and what to write into its nodes. All drawing functions take these options.

    Args:
        output: a Variable or a sequence of them; or a graph that was collected already, without values; a view stays as it is.
        show: of "shape", "dtype", "layer", "value" and "grad" those that are written into the nodes, as "shape,grad" or a sequence.
        verbose: where ``show`` is None: True for "shape,dtype,layer", False for none.
        depth: draw layers with so many layers around them as one node each: 0 for the outermost ones, None for no layer.
        collapse: True for ``depth=0``; or the path of a layer, or several, to be drawn as one node each: "blocks.0", or "blocks" for
            all in a list.
        fold: draw parts that repeat one after another once, with the number of times.
        clusters: draw boxes around the calls of layers.
        max_nodes: reduce a graph with more nodes step by step until it fits, by folding, by collapsing layers from the innermost
            outward, and in the end by drawing functions that ran one after another as one node. None for never.

    Raises:
        InputTypeError: ``output`` is something else.
        ValueError: an unknown word in ``show``, a negative ``depth``, ``max_nodes`` below 1, or no such layer in the graph.
        TypeError: an option of another type, or one that there is not.

    Examples:
        >>> import numpy as np
        >>> import dezero.functions as F
        >>> from dezero import Variable
        >>> from dezero.models import MLP
        >>> y = MLP((4,) * 32, activation=F.relu)(Variable(np.ones((2, 4), np.float32), name="x"))
        >>> len(make_view(y).graph.nodes), len(make_view(y, collapse=True).graph.nodes)
        (191, 127)
        >>> view = make_view(y, collapse=True, fold=True)
        >>> [(box.times, box.members) for box in view.clusters]
        [(31, ('v3', 'f1', 'g0'))]
    """
    if unknown:
        near = get_close_matches(next(iter(unknown)), OPTIONS, 1)
        raise TypeError(f"{_quoted(next(iter(unknown)))} is no option of a drawing: {', '.join(OPTIONS)} are"
                        + (f"; is {near[0]} meant?" if near else ""))
    if not isinstance(verbose, (bool, int)):
        raise TypeError(f"verbose is a {type(verbose).__name__}: True or False is expected (the name of a file goes by to_file=...)")
    if isinstance(output, View):
        return output
    words = _words(show, verbose)
    levels = _whole("depth", depth, 0)
    limit = _whole("max_nodes", max_nodes, 1)
    paths = _paths(collapse)
    if collapse is True:
        levels = 0
    found = None if isinstance(output, Graph) else collect(output)
    drawing = _Drawing(output if isinstance(output, Graph) else found.graph)  # type: ignore[union-attr]
    if paths:
        _check_paths(paths, drawing.clusters)
    if fold:
        drawing.fold(below(paths) if paths else None)
    if paths:
        drawing.collapse(below(paths))
    if levels is not None:
        drawing.collapse(deeper_than(levels))
    notes = () if limit is None else drawing.reduce(limit)
    values = None
    if found is not None and {"value", "grad"} & {*words} and not isinstance(output, Graph):
        values = _of(drawing.graph, shown_of(found, output, "grad" in words))
        notes += values.notes
    if not drawing.graph.functions and not drawing.graph.groups and found is not None:
        notes += _nothing(drawing.graph)
    return View(drawing.graph, drawing.clusters if clusters else without_layers(drawing.graph, drawing.clusters), values, words, notes)


class _Drawing:
    """A graph and its boxes on their way to fewer nodes."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.clusters = graph, find_clusters(graph)
        self.folded = False

    def fold(self, apart: Callable[[str, int], bool] | None = None) -> None:
        """Draw what repeats once."""
        self.graph, self.clusters = repeats(self.graph, self.clusters, None if apart is None else lambda layer: apart(layer, 0))
        self.folded = True

    def collapse(self, chosen: Callable[[str, int], bool]) -> None:
        """Draw boxes as one node each."""
        self.graph, self.clusters = collapse_boxes(self.graph, self.clusters, chosen)

    def reduce(self, limit: int) -> tuple[str, ...]:
        """Get down to ``limit`` nodes, and say how."""
        many = len(self.graph.nodes)
        if many <= limit:
            return ()
        said = []
        if not self.folded:
            self.fold()
            if len(self.graph.nodes) < many:
                said.append("parts that repeat are drawn once")
        boxes = Boxes.of(self.clusters)
        for level in reversed(range(max(boxes.depths, default=0))):
            before = len(self.graph.nodes)
            if before <= limit:
                break
            self.collapse(deeper_than(level))
            if len(self.graph.nodes) < before:
                deep = f" more than {level} level{'s' * (level > 1)} deep" if level else ""
                said = [*(word for word in said if not word.startswith("layers")), f"layers{deep} are one node each"]
        if len(self.graph.nodes) > limit:
            self.collapse(all_boxes)
            before = len(self.graph.nodes)
            if before > limit:
                self.graph = in_runs(self.graph, limit)
                said.append("functions that ran one after another are one node")
        return (f"{many:,} nodes are more than max_nodes={limit:,}: {'; '.join(said) or 'nothing could be left out'}",)


def _words(show: Any, verbose: bool) -> tuple[str, ...]:
    """The words of ``show``, in the order of ``WORDS``."""
    if show is None:
        return WORDS[:3] if verbose else ()
    given = show.split(",") if isinstance(show, str) else show
    if not isinstance(given, (list, tuple, set, frozenset)) or not all(isinstance(word, str) for word in given):
        raise TypeError(f"show is a {type(show).__name__}: words are expected, \"shape,value\" or a list, of {', '.join(WORDS)}")
    words = {word.strip() for word in given} - {""}
    if unknown := sorted(words - {*WORDS}):
        raise ValueError(f"show: {_quoted(unknown[0])} is unknown: words of {', '.join(WORDS)} are expected")
    return tuple([word for word in WORDS if word in words])


def _whole(name: str, value: Any, least: int) -> int | None:
    """A whole number, or None."""
    if value is None:
        return None
    try:
        number = index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(f"{name} is {_quoted(value)}: a whole number of at least {least}, or None, is expected")
    if number < least:
        raise ValueError(f"{name} is {number}: at least {least}, or None, is expected")
    return number


def _paths(collapse: Any) -> tuple[str, ...]:
    """The paths of layers to collapse."""
    if isinstance(collapse, bool):
        return ()
    paths = (collapse,) if isinstance(collapse, str) else collapse
    if not isinstance(paths, (list, tuple, set, frozenset)) or not all(isinstance(path, str) for path in paths):
        raise TypeError(f"collapse is a {type(collapse).__name__}: True, the path of a layer or a list of paths is expected")
    return tuple(paths)


def _check_paths(paths: Sequence[str], clusters: Sequence[Cluster]) -> None:
    """Refuse a path that no layer has."""
    known = dict.fromkeys(prefix for layer in dict.fromkeys(Boxes.of(clusters).layers) for prefix in prefixes(layer))
    for path in paths:
        if path in known:
            continue
        if not known:
            raise ValueError(f"collapse: there is no layer {_quoted(path)}: nothing in this graph ran in a layer")
        near = get_close_matches(path[:100], [name for name in known if len(name) <= 100][:1000], 4, 0.5) or list(known)[:8]
        raise ValueError(f"collapse: there is no layer {_quoted(path)} in this graph: it has {', '.join(map(_quoted, near))}"
                         f"{' and others' if len(near) < len(known) else ''}")


def _nothing(graph: Graph) -> tuple[str, ...]:
    """Why there is no graph, where somebody may have expected one."""
    if any(v.kind != "constant" for v in graph.variables):
        return ()  # a leaf that somebody made is all there is to draw
    return ("nothing is recorded behind this variable: it is a constant (made under no_grad(), by detach(), of integers, or a gradient "
            "without create_graph=True)",)


def _quoted(value: Any) -> str:
    text = repr(value[:60] if isinstance(value, str) else value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _of(graph: Graph, values: Values) -> Values:
    """The values of the variables that are left."""
    left = {v.id for v in graph.variables}
    return replace(values, arrays={id_: a for id_, a in values.arrays.items() if id_ in left},
                   gradients={id_: g for id_, g in values.gradients.items() if id_ in left})
