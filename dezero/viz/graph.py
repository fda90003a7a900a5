"""Graph: the variables and functions behind a result, collected once each, as plain data that any drawing can use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from dezero.core.node import Node, Output
from dezero.core.operators import ENGINE
from dezero.core.passes import derivative_order
from dezero.core.variable import Parameter, Variable
from dezero.errors import InputTypeError, describe
from dezero.viz.settings import number_text, settings_of

Outputs = Variable | Sequence[Variable]


@dataclass(frozen=True, slots=True)
class VariableNode:
    """A variable of the graph, living or dead."""

    id: str                        # "v0", "v1", ... in the order of discovery
    kind: str                      # "leaf", "parameter", "result", or "constant" for what no gradient flows to
    name: str | None
    shape: tuple[int, ...] | None  # None where it has no data yet, or is a constant that nothing kept
    dtype: str | None
    layer: str                     # path of the layer that made it, or that uses it first
    generation: int                # functions on the longest path from a leaf
    derivative: int = 0            # 0 where it was made forward, 1 by the backward that gave a first derivative, 2 by one through that ...
    index: int = 0                 # which of the results of its function it is


@dataclass(frozen=True, slots=True)
class FunctionNode:
    """A function of the graph."""

    id: str                        # "f0", "f1", ...; inputs come before their users
    name: str                      # of its class: "Sin"
    op: str                        # of the op: "sin"
    layer: str                     # path of the layer in which it ran, "" outside of layers
    generation: int
    order: int                     # its place among the graph's functions in the order in which they ran
    derivative: int = 0            # as of a variable
    arguments: tuple[str, ...] = ()            # the name of each argument, in the order of the edges that lead here
    settings: tuple[tuple[str, str], ...] = () # what it was made with: (("axis", "1"), ...)


@dataclass(frozen=True, slots=True)
class GroupNode:
    """Functions and variables that are drawn as one node: a layer that was collapsed, or a part that repeats."""

    id: str                        # "g0", "g1", ...
    name: str                      # what stands in it: "Linear", or the functions that it holds
    layer: str                     # path of the layer
    functions: int                 # how many functions it stands for, in one of the times
    parameters: int                # how many parameters
    numbers: int                   # how many numbers these hold
    times: int = 1                 # how often it repeats
    derivative: int = 0
    order: int = 0                 # of its first function
    last: str = ""                 # where it repeats: path of the last of the layers, if that is another one


GraphNode = VariableNode | FunctionNode | GroupNode


@dataclass(frozen=True, slots=True)
class Cluster:
    """A box around the nodes of one call of a layer, or around a part that repeats."""

    layer: str                     # path of the layer, of the first one where it repeats; "" for a part that repeats and is no layer
    members: tuple[str, ...]       # ids of the nodes that are in it and in no inner cluster
    inner: tuple[Cluster, ...] = ()
    derivative: int = 0
    times: int = 1                 # how often what is in it comes, one after another; drawn once
    last: str = ""                 # where it repeats: path of the last of the layers, if that is another one


@dataclass(frozen=True, slots=True)
class Graph:
    """Variables, functions and the edges between them: (from, to) by id, a variable's uses in the order of the arguments."""

    variables: tuple[VariableNode, ...]
    functions: tuple[FunctionNode, ...]
    edges: tuple[tuple[str, str], ...]
    outputs: tuple[str, ...]
    groups: tuple[GroupNode, ...] = ()  # only where parts were collapsed

    @property
    def nodes(self) -> tuple[GraphNode, ...]:
        """The variables, then the functions, then the groups."""
        return (*self.variables, *self.functions, *self.groups)

    def _repr_svg_(self) -> str:
        """What a notebook shows."""
        return ENGINE["graph_svg"](self)  # type: ignore[no-any-return]


def collect_graph(output: Outputs) -> Graph:
    """The graph behind a variable or several, each variable and function once.

    The ids depend on the graph alone: the same computation gives the same ones in every run and process. Numbers and arrays that
    are inputs are constants of the graph; a variable that died is there with the name, shape and dtype that it had.

    Args:
        output: a Variable, or a sequence of them. A leaf is a graph of one node.

    Raises:
        InputTypeError: something else was given.

    Examples:
        >>> import numpy as np
        >>> x = Variable(np.array(3.0), name="x")
        >>> graph = collect_graph(x * x + 1)
        >>> [f.name for f in graph.functions]
        ['Mul', 'Add']
        >>> graph.edges
        (('v0', 'f0'), ('v0', 'f0'), ('f0', 'v1'), ('v1', 'f1'), ('v2', 'f1'), ('f1', 'v3'))
    """
    return collect(output).graph


def collect(output: Outputs) -> Collection:
    """The graph as :func:`collect_graph` gives it, with what in the program each of its ids stands for.

    Examples:
        >>> import numpy as np
        >>> collect(Variable(np.array(3.0), name="x")).places["v0"].name
        'x'
    """
    outputs = [output] if isinstance(output, Variable) else output
    if not isinstance(outputs, (list, tuple)) or not outputs or not all(isinstance(v, Variable) for v in outputs):
        several = isinstance(outputs, (list, tuple))
        wrong = next((v for v in outputs if not isinstance(v, Variable)), None) if several else outputs
        raise InputTypeError(f"a graph of {'an empty list' if several and not outputs else describe(wrong)}: the output of the computation is "
                             f"expected, a Variable or a list of them{'' if several and not outputs else _advice(wrong)}")
    collector = _Collector()
    for v in outputs:
        collector.visit(v)
    ids = tuple([collector.variable(place_of(v), v._name) for v in outputs])
    ranked = {fn: i for i, fn in enumerate(sorted(collector.functions, key=lambda fn: fn._order))}
    functions = tuple([FunctionNode(id_, type(fn).__name__, fn.op, str(fn._layer), generation, ranked[fn], derivative_order(fn),
                                    tuple([fn.argument(i) for i in collector.inputs[fn]]), settings_of(fn))
                       for fn, (id_, generation) in collector.functions.items()])
    graph = Graph(tuple(collector.variables), functions, tuple(collector.edges), ids)
    names = {fn: id_ for fn, (id_, _) in collector.functions.items()}
    return Collection(graph, {node.id: place for place, node in collector.known.items()}, collector.constants,
                      {id_: fn for fn, id_ in names.items()}, {names[fn]: i for fn, i in collector.inputs.items()})


def _advice(given: Any) -> str:
    """What to do instead, for the usual mistakes."""
    if given is None:
        return "; a gradient is there after backward(), and has a graph after backward(create_graph=True)"
    if isinstance(given, type):
        return f"; the class itself was given, not {'a' if given.__name__[:1] not in 'AEIOU' else 'an'} {given.__name__}"
    return "; draw a result, y = model(x) say, or call model.plot(x)" if hasattr(given, "forward") or hasattr(given, "params") else ""


@dataclass(frozen=True, slots=True)
class Collection:
    """A graph, and what in the program each of its ids stands for."""

    graph: Graph
    places: dict[str, Any]            # a variable's node in the program's graph, or the leaf itself
    constants: dict[str, Any]         # a constant's value, None where nothing kept it
    functions: dict[str, Any]         # the Function
    inputs: dict[str, list[int]]      # for each edge that leads to a function: which of its inputs that is


def place_of(x: Any) -> Any:
    """The place in the graph of a Variable or an edge: the node of a result, else the leaf Variable itself."""
    place = x._node if isinstance(x, Variable) and x._node is not None else x
    if isinstance(place, Node) and len(place._edges) == 1 and isinstance(place._edges[0], Variable) \
            and not isinstance(place._output, tuple) and place._output() is place._edges[0]:
        return place._edges[0]  # unchain() made a leaf of it
    return place


def creator_of(place: Any) -> Any:
    """The Function that computed what is at a place, or None for a leaf, also where unchain_backward() cut its past off."""
    return place.function if isinstance(place, Node) and place._plan.calls else None


class _Collector:
    """Numbers functions after their inputs, so that ids do not depend on when or where anything ran."""

    def __init__(self) -> None:
        self.variables: list[VariableNode] = []
        self.edges: list[tuple[str, str]] = []
        self.known: dict[Any, VariableNode] = {}             # by place
        self.functions: dict[Any, tuple[str, int]] = {}      # id and generation
        self.inputs: dict[Any, list[int]] = {}               # of a function: which of its inputs have nodes
        self.constants: dict[str, Any] = {}                  # by id: the value, None where nothing kept it

    def visit(self, output: Variable) -> None:
        """Add all that leads to ``output``, without recursion: graphs are deeper than Python's stack."""
        todo = [(creator_of(place_of(output)), False)]
        while todo:
            fn, inputs_are_done = todo.pop()
            if fn is None or fn in self.functions:
                continue
            if inputs_are_done:
                self.add(fn)
                continue
            todo.append((fn, True))
            before = [creator_of(place_of(edge)) for edge in fn._edges if isinstance(edge, (Node, Variable))]
            todo.extend((f, False) for f in reversed(before) if f is not None and f not in self.functions)

    def add(self, fn: Any) -> None:
        """Add a function whose inputs' creators are there already."""
        id_ = f"f{len(self.functions)}"
        kept = dict(zip(fn._plan.sources, fn._kept or (), strict=False))
        given = fn._inputs or ()
        seen = getattr(fn, "_seen", ((),))[0]  # the inputs, inside of viz.keep_values()
        before: list[str] = []
        self.inputs[fn] = drawn = []
        for i, edge in enumerate(fn._edges):
            if isinstance(edge, (Node, Variable)):
                before.append(self.variable(place_of(edge), layer=str(fn._layer)))
            elif i not in fn._absent:
                value = given[i] if i < len(given) else seen[i] if i < len(seen) else kept.get(i)
                before.append(self.constant(fn, i, edge, value))
            else:
                continue
            drawn.append(i)
        generation = max((self.variables[int(v[1:])].generation for v in before), default=0)
        self.functions[fn] = (id_, generation)
        self.edges.extend((v, id_) for v in before)

    def variable(self, place: Any, name: str | None = None, layer: str = "") -> str:
        """The id of the variable at a place; ``name`` is what a copy of it is called if it has no name itself."""
        if place not in self.known:
            creator = creator_of(place)
            fn, generation = self.functions.get(creator, (None, -1))
            if isinstance(place, Node):
                kind, name, layer = "result" if creator is not None else "leaf", place._label or name, str(place._layer)
                shape, dtype = place._shape, place._dtype
            else:
                data = place._data
                kind = "parameter" if isinstance(place, Parameter) else "leaf" if place.requires_grad else "constant"
                name, layer = place._name or name, layer if kind == "parameter" else ""
                shape, dtype = (None, None) if data is None else (data.shape, data.dtype)
            index = place.index if isinstance(place, Output) and fn is not None else 0
            self.known[place] = self.new(kind, name, shape, dtype, layer, generation + 1, 0 if fn is None else derivative_order(creator), index)
            if fn is not None:
                self.edges.append((fn, self.known[place].id))
        return self.known[place].id

    def constant(self, fn: Any, i: int, number: Any, value: Any) -> str:
        """The id of a new node for an input that no gradient flows to; an array is known by its argument's name, or not at all."""
        name = getattr(value, "_name", None)
        value = getattr(value, "_data", value) if number is None else number
        shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
        if isinstance(value, (bool, int, float, np.generic)):
            name, shape = name or number_text(value), ()
        elif name is None and fn.native and not fn.broadcasts:
            name = fn.argument(i)
        id_ = self.new("constant", name, shape, dtype, str(fn._layer), 0, derivative_order(fn)).id
        self.constants[id_] = value
        return id_

    def new(self, kind: str, name: Any, shape: Any, dtype: Any, layer: str, generation: int, derivative: int, index: int = 0) -> VariableNode:
        """Add a node."""
        text = None if name is None else str(name), shape, None if dtype is None else _dtype_name(dtype)
        node = VariableNode(f"v{len(self.variables)}", kind, *text, layer, generation, derivative, index)
        self.variables.append(node)
        return node


@cache
def _dtype_name(dtype: Any) -> str:
    """NumPy takes longer for it than for a sum."""
    return str(dtype)
