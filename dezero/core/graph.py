"""Cutting a graph: a result becomes a leaf, for all who use it. Truncated backpropagation through time forgets what lies further back."""

from __future__ import annotations

from typing import Any

from dezero.core.node import Node
from dezero.core.operators import ENGINE
from dezero.core.plan import Plan
from dezero.core.variable import Variable

_STOP = Plan(0, (), (), ())                                # of a node that hands nothing on any more
_LAND = Plan(1, (), (), [(0, lambda node, gy: gy, None)])  # of a node that hands its gradient to its Variable, a leaf now


def unchain(v: Variable) -> None:
    """Cut ``v`` off from its creator, also for functions that used it already."""
    node: Any = v._node
    v._node = None
    if isinstance(node, Node) and not isinstance(node._output, tuple) and node._output() is v:  # a copy of v leaves the original alone
        _cut(node, _LAND, (v,))


def _cut(node: Any, plan: Plan, edges: tuple[Variable, ...]) -> None:
    node._plan, node._edges, node._kept = plan, edges, ()
    if node._inputs is not None:
        node._inputs = None


def unchain_backward(y: Variable) -> None:
    """Cut every variable that ``y`` was computed from off from its creator; ``y`` keeps its own, unless a ``backward`` has freed it."""
    root = y.creator
    if root is None:
        return
    seen: set[Any] = {root, y._node}
    todo: list[Any] = [edge for edge in root._edges if isinstance(edge, Node)]
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        todo.extend(edge for edge in node._edges if isinstance(edge, Node))
        alive = [v for output in node.outputs if (v := output()) is not None]
        if isinstance(node._output, tuple):  # each output has a node of its own, which this one may not lead to
            todo.extend(v._node for v in alive if isinstance(v._node, Node))
        elif alive:
            alive[0]._node = None
            _cut(node, _LAND, (alive[0],))
            continue
        _cut(node, _STOP, ())
    if root._kept is None:  # ``loss += ...`` goes on from here as from a number: the gradients of this step are taken
        unchain(y)


ENGINE.update(unchain=unchain, unchain_backward=unchain_backward)
