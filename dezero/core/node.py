"""Node: a place in the graph. It holds edges, not values, and the few arrays that its gradients asked for."""

from __future__ import annotations

import itertools
import weakref
from typing import Any

import numpy as np

from dezero.core.plan import Plan
from dezero.core.variable import Variable, handle

tick = itertools.count(1).__next__  # the running number of a node; a single call in C, so threads cannot share a number


class Node:
    """What the engine and a drawing need of a Function, or of one output of a Function that has several."""

    __slots__ = ("_order", "_plan", "_edges", "_kept", "_shape", "_dtype", "_layer", "_output", "__weakref__")

    _order: int    # running number: an input's is always smaller, so its reverse is an order to visit
    _plan: Plan
    _edges: Any    # per input: the node that made it, the leaf Variable, a number, or None for another constant
    _kept: Any     # the arrays that the gradients want, None once freed
    _shape: Any    # of the output; None where there are several
    _dtype: Any    # of the output; where there are several, (shape, dtype) of each
    _layer: str    # path of the layer in which the op ran
    _output: Any   # weak reference to the output Variable, or a tuple of them

    _label: str | None  # the output's name, where it has one
    _inputs: list[Variable] | None = None  # the book's way keeps its inputs as Variables

    @property
    def function(self) -> Any:
        """The Function of this node."""
        return self

    def needs_grad(self, i: int) -> bool:
        """Does input ``i`` need its gradient? For a ``backward`` whose parts cost something."""
        return bool(self._plan.needs >> i & 1)

    @property
    def generation(self) -> int:
        """The length of the longest path from a leaf to here, in functions. For readers of the book: the engine goes by ``order``."""
        known: dict[Any, int] = {}
        todo: list[Any] = [self.function]
        while todo:
            fn = todo[-1]
            before = [edge.function for edge in fn._edges if isinstance(edge, Node)]
            missing = [f for f in before if f not in known]
            todo.extend(missing)
            if not missing:
                known[todo.pop()] = max((known[f] + 1 for f in before), default=0)
        return known[self.function]

    @property
    def inputs(self) -> list[Variable]:
        """The input Variables. One that nobody holds any more comes back by name and place, with its array if it was kept."""
        if self._inputs is not None:
            return self._inputs
        kept = dict(zip(self._plan.sources, self._kept or (), strict=False))
        return [_revived(edge, kept.get(i)) for i, edge in enumerate(self._edges)]

    @property
    def outputs(self) -> list[Any]:
        """Weak references to the output Variables: call one to get its Variable, or None once nobody holds it."""
        return list(self._output) if isinstance(self._output, tuple) else [self._output]


class Output(Node):
    """The node of one output of a Function that has several: it hands its gradient on to the Function, with its place."""

    __slots__ = ("_function", "index", "_label")

    def __init__(self, function: Any, index: int, out: Variable) -> None:
        self._function, self.index = function, index
        self._edges = (function,)
        self._kept = ()
        self._plan = _HAND_ON
        self._order = tick()
        self._shape, self._dtype = out._data.shape, out._data.dtype
        self._layer = function._layer
        self._output = weakref.ref(out)
        self._label = None

    @property
    def function(self) -> Any:
        """The Function whose output this is."""
        return self._function


class Bundle(dict[int, Any]):
    """Gradients on their way into a Function with several outputs, by the output's place; adding merges."""

    shape = None  # as the shape of such a Function's node

    @property
    def _data(self) -> Bundle:
        """Itself, so that the engine asks a Bundle and a Variable for the shape in the same way."""
        return self

    def __add__(self, other: Bundle) -> Bundle:
        both = Bundle(self)
        for i, g in other.items():
            both[i] = both[i] + g if i in both else g
        return both


_HAND_ON = Plan(1, (), (), [(0, lambda out, gy: Bundle({out.index: gy}), None)])


class Held(tuple[Any, ...]):
    """Kept values with the result itself beside them. It goes when they are freed."""

    result: Any


def hold(v: Variable) -> None:
    """Let the graph keep the array of a result, for those who look at it by :func:`found_again` when nobody holds the Variable any more."""
    node: Any = v._node
    if isinstance(node, Node) and type(node._kept) is tuple:
        node._kept = held = Held(node._kept)
        held.result = v._data


def found_again(node: Any) -> Variable | None:
    """The Variable at a result's place: the one that somebody holds, or one that stands in for it while the graph keeps its array."""
    v: Variable | None = node._output()
    if v is None and type(node._kept) is Held:
        v = handle(node._kept.result, node)
        v._name = node._label
        node._output = weakref.ref(v)
    return v


def _revived(edge: Any, data: Any) -> Variable:
    """The Variable at an edge, or one that stands in for it if nobody holds it any more."""
    if isinstance(edge, Variable):
        return edge
    if not isinstance(edge, Node):  # a constant: a number, or an array that may have been kept
        value = data if edge is None else np.asarray(edge)
        return handle(value, None)
    found = edge._output()
    if found is None:
        found = handle(data, edge)
        found._name = edge._label
        edge._output = weakref.ref(found)
    return found  # type: ignore[no-any-return]
