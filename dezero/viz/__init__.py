"""Pictures: of computation graphs, and of numbers.

A map, from the ground up:

* ``graph`` collects the variables and functions behind a result as plain data; ``values`` finds their numbers and gradients;
* ``view`` says what of a graph is drawn: ``fold`` and its neighbours put boxes around layers, collapse them, and draw what repeats once;
* ``layout`` places the nodes and routes the edges; ``picture`` makes boxes, curves and text of them, in the words and colours of ``look``;
* ``svg``, ``dot`` and ``raster`` write pictures; ``page`` writes one on which backpropagation can be played step by step;
* ``reading`` and ``formula`` find the formulas of gradients, ``chain`` and ``explain`` write the chain rule, in symbols and in numbers;
* ``compare`` and ``diff`` find what differs between two graphs;
* ``notebook`` shows Variables, Layers and graphs in notebooks;
* ``flow`` and ``plots`` are about training, results and weights.

All of it is loaded at the first use, as most programs draw nothing.

Examples:
    >>> import numpy as np
    >>> from dezero import Variable
    >>> from dezero.viz import get_svg_graph
    >>> get_svg_graph(Variable(np.array(3.0), name="x") ** 2).count("<ellipse")
    2
"""

import sys
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from dezero.core.operators import ENGINE

if TYPE_CHECKING:
    from dezero.viz.diff import GraphDiff, diff
    from dezero.viz.dot import dot_graph, get_dot_graph, plot_dot_graph
    from dezero.viz.explain import Explanation, explain
    from dezero.viz.graph import Cluster, FunctionNode, Graph, GroupNode, VariableNode, collect_graph
    from dezero.viz.page import to_html
    from dezero.viz.raster import draw_graph_png
    from dezero.viz.svg import get_svg_graph
    from dezero.viz.values import keep_values
    from dezero.viz.view import View, make_view

__all__ = ["Cluster", "Explanation", "FunctionNode", "Graph", "GraphDiff", "GroupNode", "VariableNode", "View", "collect_graph", "diff", "dot_graph",
           "draw_graph_png", "explain", "get_dot_graph", "get_svg_graph", "keep_values", "make_view", "plot_dot_graph", "to_html"]

_HOME = {"Cluster": "graph", "Explanation": "explain", "FunctionNode": "graph", "Graph": "graph", "GraphDiff": "diff", "GroupNode": "graph",
         "VariableNode": "graph", "View": "view", "collect_graph": "graph", "diff": "diff", "dot_graph": "dot", "draw_graph_png": "raster",
         "explain": "explain", "get_dot_graph": "dot", "get_svg_graph": "svg", "keep_values": "values", "make_view": "view",
         "plot_dot_graph": "dot", "to_html": "page"}


class _Package(ModuleType):
    """``diff`` and ``explain`` are functions here also once the modules of these names are loaded, which Python would put in their place."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _HOME or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'dezero.viz' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"dezero.viz.{_HOME[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def _shown(what: str, thing: Any) -> Any:
    """What a notebook shows of a thing."""
    return getattr(import_module("dezero.viz.notebook"), what)(thing)


ENGINE.update({what: partial(_shown, what) for what in ("variable_html", "layer_html", "layer_svg", "graph_svg")})
ENGINE["explain"] = lambda *args, **options: import_module("dezero.viz.explain").explain(*args, **options)
