"""Cutting a graph: truncated backpropagation through time forgets what lies further back."""

from __future__ import annotations

from typing import Any

from dezero.core.node import Node
from dezero.core.operators import ENGINE
from dezero.core.plan import Plan
from dezero.core.variable import Variable

_CUT = Plan(0, (), (), ())  # of a node that hands nothing on any more


def unchain_backward(y: Variable) -> None:
    """Cut every variable that ``y`` was computed from off from its creator; ``y`` keeps its own."""
    root = y.creator
    if root is None:
        return
    seen: set[Any] = set()
    todo: list[Any] = [edge for edge in root._edges if isinstance(edge, Node)]
    root._edges = tuple(_cut_edge(edge) for edge in root._edges)
    if y._node is not root:
        seen.add(root)
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        todo.extend(edge for edge in node._edges if isinstance(edge, Node))
        for output in node.outputs:
            v = output()
            if v is not None and v is not y:
                v._node = None
        node._plan, node._edges, node._kept = _CUT, (), ()
        if node._inputs is not None:
            node._inputs = None


def _cut_edge(edge: Any) -> Any:
    """What stands in place of an edge to a cut node: its Variable, a leaf now, if somebody holds it."""
    if not isinstance(edge, Node) or isinstance(edge._output, tuple):
        return edge
    found = edge._output()
    return edge if found is None else found


ENGINE["unchain_backward"] = unchain_backward
