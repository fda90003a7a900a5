"""References to what a layer got and gave, that keep neither Variables nor graphs alive."""

from __future__ import annotations

import weakref
from typing import Any

from dezero.core import Variable
from dezero.core.node import Node, found_again, hold


class Reference:
    """A weak reference to a result: calling it gives its Variable for as long as somebody holds that or its place in an unused graph.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> y = Variable(np.array(3.0)) * 2
        >>> reference = Reference(y)
        >>> reference() is y
        True
    """

    __slots__ = ("_node", "_variable")

    def __init__(self, v: Variable) -> None:
        self._variable, self._node = weakref.ref(v), weakref.ref(v._node)

    def __call__(self) -> Variable | None:
        v = self._variable()
        if v is None and (node := self._node()) is not None:
            v = found_again(node)
        return v

    @property
    def place(self) -> Any:
        """The result's place in the graph, also where nobody holds its Variable; None once the graph is gone."""
        return self._node()


def refer(value: Any, keep: bool = False) -> Any:
    """A reference to a layer's input or output; ``keep`` lets the graph keep an output's array until a ``backward`` has used it."""
    if isinstance(value, Variable) and isinstance(value._node, Node):
        if keep:
            hold(value)
        return Reference(value)
    try:
        return weakref.ref(value)
    except TypeError:  # numbers, tuples, None
        return _gone


def _gone() -> None:
    """Stands for what weak references cannot follow."""
