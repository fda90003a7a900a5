"""Gradients arriving where users see them: owned memory, the right dtype, hooks called, ``.grad`` written."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from dezero.core.formulas import run_hooks
from dezero.core.variable import LEAF_HOOKS, Variable, handle


def _references(found: dict[Any, Any], key: Any) -> int:
    """How often the array at ``found[key]`` is referred to, counted in the one way that ``_LONE`` was."""
    g = found[key]
    return sys.getrefcount(g)


_LONE = _references({0: np.zeros(1)}, 0)  # what an array counts that only the dict holds


def owned(found: dict[Any, Any], key: Any) -> Any:
    """The array at ``found[key]``, copied unless nobody else can reach its memory and it may be written to.

    A formula may hand on its incoming gradient, a kept value or a read-only view; hooks and optimizers change gradients in place.
    """
    alone = _references(found, key) <= _LONE
    g = found[key]
    if isinstance(g, np.generic) or (alone and g.base is None and getattr(g.flags, "writeable", True)):
        return g
    return g.copy()


def land(found: dict[Variable, Any], create_graph: bool) -> None:
    """Add the gradients that one pass found for leaves to their ``.grad``."""
    taken: set[int] = set()
    for leaf in list(found):
        if create_graph:
            g = found[leaf]
            if g._node is None or id(g) in taken:  # the user's own seed, or shared with another leaf
                g = handle(g._data, g if g._node is None and g.requires_grad else g._node)
            taken.add(id(found[leaf]))
        else:
            g = owned(found, leaf)
            found[leaf] = None
            if g.dtype != leaf._data.dtype:
                g = g.astype(leaf._data.dtype)
        if LEAF_HOOKS and leaf in LEAF_HOOKS:
            g = run_hooks(LEAF_HOOKS[leaf], g)
        old = leaf._grad
        if create_graph:
            leaf._grad = g if old is None else old + g
        else:
            leaf._grad = handle(g if old is None else old._data + g, None)


def land_on_result(node: Any, gy: Any, create_graph: bool) -> None:
    """Set ``.grad`` of the result at ``node``, if somebody holds it."""
    v = node._output()
    if v is not None:
        if create_graph:
            v._grad = handle(gy._data, gy._node)
        else:
            v._grad = handle(gy if isinstance(gy, np.generic) else gy.copy(), None)
