"""View: what of a graph is drawn, and how much of it is written into the nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dezero.viz.graph import Cluster, Graph, Outputs, collect
from dezero.viz.values import Values, state_of

WORDS = ("shape", "dtype", "layer", "value", "grad")


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


def make_view(output: Outputs | Graph | View, *, show: str | Sequence[str] | None = None, verbose: bool = True, depth: int | None = None,
              collapse: bool | str | Sequence[str] = False, fold: bool = False, clusters: bool = True, max_nodes: int | None = 1000) -> View:
    """What to draw of a graph."""
    if isinstance(output, View):
        return output
    words = (("shape", "dtype", "layer") if verbose else ()) if show is None else tuple(show.split(",")) if isinstance(show, str) else tuple(show)
    if isinstance(output, Graph):
        return View(output, show=words)
    found = collect(output)
    return View(found.graph, values=state_of(found) if {"value", "grad"} & {*words} else None, show=words)
