"""Notebook: what a notebook shows of Variables, Layers and graphs beside their text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from dezero.core.node import Node
from dezero.core.variable import Parameter, Variable
from dezero.layers.container import Sequential
from dezero.layers.reference import Reference
from dezero.layers.walk import LayerBase, members
from dezero.viz.graph import FunctionNode, Graph, GroupNode, VariableNode, collect, creator_of, place_of
from dezero.viz.look import clean
from dezero.viz.svg import escape, render_svg
from dezero.viz.view import View, make_view

LARGEST = 200      # nodes of a graph that is drawn unasked
DEEPEST = 5_000    # links behind the output of a layer that are followed to find its graph
LONGEST = 20_000   # letters of a text
STEPS = 60         # layers of a stack
ROWS = 300         # rows of a tree of layers
_LIST = 'style="margin:0;padding-left:1.3em;list-style:none"'
_DECLARED = "its layers in the order in which they were declared: call it, and its graph stands here as long as its output lives"
_CONTROL = "[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"


def graph_svg(graph: Graph | View) -> str:
    """A graph as a notebook shows it, folded where it is large."""
    return render_svg(make_view(graph, max_nodes=LARGEST))


def variable_html(v: Variable) -> str:
    """A Variable: its text, and its graph folded away below it, where it has one that is not large. Nothing is computed, nothing is kept.

    Examples:
        >>> import numpy as np
        >>> x = Variable(np.array(3.0))
        >>> variable_html(x)
        '<pre style="font-family:monospace">variable(3.0)</pre>'
        >>> "<summary>graph of 2 variables and 1 function</summary>" in variable_html(x * x)
        True
    """
    text = _pre(repr(v))
    try:
        graph = collect(v).graph if creator_of(place_of(v)) is not None and _is_small([v], 2 * LARGEST) else None
        return text if graph is None or len(graph.nodes) > LARGEST else text + _folded(_counted(graph), graph_svg(graph))
    except Exception:  # whatever is wrong with the graph, the value must be seen
        return text


def layer_html(layer: Any) -> str:
    """A Layer: its sublayers and parameters as a tree, and below it, folded away, its picture.

    Examples:
        >>> import dezero.layers as L
        >>> html = layer_html(L.Sequential(L.Linear(3, in_size=2)))
        >>> "9 parameters" in html and "W (2, 3)" in html
        True
    """
    try:
        graph = _last_call(layer)
        title = "structure" if graph is None else f"{_counted(graph)} of its last call"
        return f"<div>{_tree(layer)}{_folded(title, graph_svg(_structure(layer) if graph is None else graph))}</div>"
    except Exception:  # as above: the text is there in any case
        return _pre(repr(layer))


def layer_svg(layer: Any) -> str | None:
    """A Layer as a picture: the graph of its last call if that is still there, else its sublayers as a stack.

    Examples:
        >>> import dezero.functions as F
        >>> import dezero.layers as L
        >>> svg = layer_svg(L.Sequential(L.Linear(3, in_size=2), F.relu))
        >>> ">Linear<" in svg and ">relu<" in svg and ">(2, 3) float32<" in svg
        True
    """
    try:
        graph = _last_call(layer)
        return graph_svg(_structure(layer) if graph is None else graph)
    except Exception:  # as above
        return None


def _pre(text: str) -> str:
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
    return f'<pre style="font-family:monospace">{escape(re.sub(_CONTROL, "", cut))}</pre>'


def _folded(title: str, svg: str) -> str:
    return f"<details><summary>{title}</summary>{svg}</details>"


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("s" if n != 1 else "")


def _counted(graph: Graph) -> str:
    return f"graph of {_count(len(graph.variables), 'variable')} and {_count(len(graph.functions), 'function')}"


def _is_small(outputs: Sequence[Variable], limit: int) -> bool:
    """Are there at most ``limit`` links behind the outputs? No more of them are looked at."""
    seen, todo, links = set(), [creator_of(place_of(v)) for v in outputs], 0
    while todo:
        fn = todo.pop()
        if fn is None or fn in seen:
            continue
        seen.add(fn)
        links += len(fn._edges)
        if links > limit:
            return False
        todo.extend([creator_of(place_of(edge)) for edge in fn._edges if isinstance(edge, (Node, Variable))])
    return True


def _last_call(layer: Any) -> Graph | None:
    """The graph from what the layer got last to what it gave, if somebody still holds that."""
    outputs = [v for reference in layer.outputs if isinstance(v := reference(), Variable) and creator_of(place_of(v)) is not None]
    if not outputs or not _is_small(outputs, DEEPEST):
        return None
    found = collect(outputs)
    ids = {place: id_ for id_, place in found.places.items()}
    given = [reference.place if isinstance(reference, Reference) else reference() for reference in layer.inputs]
    graph = _behind(found.graph, {ids[place] for x in given if isinstance(x, (Node, Variable)) and (place := place_of(x)) in ids})
    return graph if graph.functions else None


def _behind(graph: Graph, start: set[str]) -> Graph:
    """What leads from the variables in ``start`` to the outputs of a graph."""
    before: dict[str, list[str]] = {}
    for a, b in graph.edges:
        before.setdefault(b, []).append(a)
    kept, todo = set(), list(graph.outputs)
    while todo:
        id_ = todo.pop()
        if id_ not in kept:
            kept.add(id_)
            todo.extend([] if id_ in start else before.get(id_, []))
    return Graph(tuple([v for v in graph.variables if v.id in kept]), tuple([f for f in graph.functions if f.id in kept]),
                 tuple([(a, b) for a, b in graph.edges if a in kept and b in kept and b not in start]), graph.outputs)


def _structure(layer: Any) -> View:
    """The sublayers of a layer one after another, with their parameters; of one without any, itself."""
    stack = _Stack()
    steps = _steps(layer)
    stack.add(VariableNode(stack.id("v"), "leaf", "input", None, None, "", 0))
    for path, step in steps[:STEPS]:
        stack.step(path, step)
    if len(steps) > STEPS:
        stack.add(FunctionNode(stack.id("f"), f"and {len(steps) - STEPS} more", "more", "", 0, 0))
    stack.add(VariableNode(stack.id("v"), "result", "output", None, None, "", 0))
    graph = Graph(tuple(stack.variables), tuple(stack.functions), tuple(stack.edges), (stack.last,), tuple(stack.groups))
    return View(graph, show=("shape", "dtype", "layer"), notes=() if len(steps) < 2 or isinstance(layer, Sequential) else (_DECLARED,))


def _steps(layer: Any) -> list[tuple[str, Any]]:
    """The layers and functions that a layer holds itself, by path."""
    if isinstance(layer, Sequential):
        return [(f"l{i}", step) for i, step in enumerate(layer.layers)]
    return [(path, child) for path, child, holder in members(layer) if isinstance(child, LayerBase) and holder is layer] or [("", layer)]


class _Stack:
    """A graph that grows downward, a node at a time."""

    def __init__(self) -> None:
        self.variables: list[VariableNode] = []
        self.functions: list[FunctionNode] = []
        self.groups: list[GroupNode] = []
        self.edges: list[tuple[str, str]] = []
        self.last = ""

    def id(self, letter: str) -> str:
        """A new id, that of the next node."""
        return f"{letter}{len(self.variables) + len(self.functions) + len(self.groups)}"

    def add(self, node: VariableNode | FunctionNode | GroupNode) -> None:
        """Put a node below the last one."""
        home: list[Any] = self.variables if isinstance(node, VariableNode) else self.functions if isinstance(node, FunctionNode) else self.groups
        home.append(node)
        if self.last:
            self.edges.append((self.last, node.id))
        self.last = node.id

    def step(self, path: str, step: Any) -> None:
        """Put a layer or a function below."""
        if not isinstance(step, LayerBase):
            self.add(FunctionNode(self.id("f"), str(getattr(step, "__name__", type(step).__name__)), "", "", 0, len(self.functions)))
            return
        inside = list(members(step))
        parameters = [p for _, p, _ in inside if isinstance(p, Parameter)]
        if any(isinstance(child, LayerBase) for _, child, _ in inside):
            numbers = sum(p.size for p in parameters if p.data is not None)
            self.add(GroupNode(self.id("g"), type(step).__name__, path, 0, len(parameters), numbers))
            return
        own = [(name, p) for name, p, _ in inside if isinstance(p, Parameter)]
        self.add(FunctionNode(self.id("f"), type(step).__name__, "", path, 0, len(self.functions), 0, ("x", *[name for name, _ in own])))
        for name, p in own:
            shape, dtype = (None, None) if p.data is None else (p.shape, str(p.dtype))
            self.variables.append(VariableNode(self.id("v"), "parameter", name, shape, dtype, path, 0))
            self.edges.append((self.variables[-1].id, self.last))


def _tree(layer: Any) -> str:
    """A layer and all in it as nested lists."""
    rows = [("", layer), *((path, child) for path, child, _ in members(layer) if isinstance(child, LayerBase))]
    parts: list[str] = []
    above: list[str] = []  # the paths of the layers around the one that is written
    for (path, each), (following, _) in pairwise([*rows[:ROWS], ("", None)]):
        while above and above[-1] and not path.startswith(f"{above[-1]}."):
            above.pop()
            parts.append("</ul></details></li>")
        title = _row(path[len(above[-1]):].lstrip(".") if above else "", each)
        if following.startswith(f"{path}." if path else "") and following:
            above.append(path)
            parts.append(f"<li><details open='open'><summary>{title}</summary><ul {_LIST}>")
        else:
            parts.append(f"<li>{title}</li>")
    parts.extend(["</ul></details></li>"] * len(above))
    more = f"<li>and {len(rows) - ROWS:,} more layers</li>" if len(rows) > ROWS else ""
    return f"<ul {_LIST}>{''.join(parts)}{more}</ul>"


def _row(name: str, layer: Any) -> str:
    """A layer in a line: its name, what it is, its own parameters, and how many numbers it and all in it hold."""
    own = [(path, p) for path, p, holder in members(layer) if isinstance(p, Parameter) and holder is layer]
    lazy = layer.lazy_shapes()
    shapes = ", ".join([f"{clean(path, 80)} {_size(p, lazy.get(path))}" for path, p in own])
    open_ = ["not sized yet"] if any(p.data is None for p in layer.params()) else []
    numbers = " + ".join([*([_count(layer.count_params(), "parameter")] if layer.count_params() or not open_ else []), *open_])
    title = f"{escape(clean(name, 80))}: " if name else ""
    about = f"{clean(type(layer).__name__, 80)}({clean(layer.extra_repr(), 200)})"
    return f"{title}<b>{escape(about)}</b> <small>{escape(' · '.join(filter(None, [shapes, numbers])))}</small>"


def _size(p: Any, lazy: tuple[int | None, ...] | None) -> str:
    if p.data is not None:
        return f"{p.shape}" + ("" if p.dtype == "float32" else f" {p.dtype}")
    return f"({', '.join('?' if n is None else str(n) for n in lazy)})" if lazy else "not sized yet"
