"""Gradients arriving where users see them: owned memory, the right dtype, hooks called, ``.grad`` written."""

from __future__ import annotations

from sys import getrefcount
from typing import Any

import numpy as np

from dezero.core.formulas import run_hooks
from dezero.core.variable import LEAF_HOOKS, Variable, handle


def _lone() -> int:
    """What ``getrefcount`` says of an array that only a local name refers to, just popped from a dict as below."""
    found = {0: np.zeros(1)}
    _, g = found.popitem()
    return getrefcount(g)


_LONE = _lone()


def _own(g: Any, references: int) -> Any:
    """``g``, copied unless nobody else can reach its memory and it may be written to.

    A formula may hand on its incoming gradient, a kept value or a read-only view; hooks and optimizers change gradients in place.
    """
    if isinstance(g, np.generic) or (references <= _LONE and g.base is None and getattr(g.flags, "writeable", True)):
        return g
    return g.copy()


def owned(found: dict[Any, Any]) -> dict[Any, Any]:
    """The same gradients as arrays that share no memory with anything, each in the dtype of its place. Empties ``found``."""
    out = {}
    while found:
        place, g = found.popitem()
        references = getrefcount(g)  # on a line of its own: an argument would count too
        g = _own(g, references)
        dtype = place._data.dtype if isinstance(place, Variable) else place._dtype
        out[place] = g if g.dtype is dtype or g.dtype == dtype else g.astype(dtype)
    return out


def land(found: dict[Variable, Any], create_graph: bool) -> None:
    """Add the gradients that one pass found for leaves to their ``.grad``. Empties ``found``."""
    gradients = _separate(found) if create_graph else owned(found)
    if LEAF_HOOKS:  # all of them before the first .grad is written: a hook that raises leaves everything as it was
        for leaf in gradients:
            if leaf in LEAF_HOOKS:
                gradients[leaf] = run_hooks(LEAF_HOOKS[leaf], gradients[leaf])
    for leaf, g in gradients.items():
        old = leaf._grad
        if create_graph:
            leaf._grad = g if old is None else old + g
        else:
            leaf._grad = handle(g if old is None else old._data + g, None)


def _separate(found: dict[Variable, Variable]) -> dict[Variable, Variable]:
    """Gradients with a graph as Variables of their own, where they are the user's seed or shared with another leaf."""
    out: dict[Variable, Variable] = {}
    taken: set[int] = set()
    for leaf, g in found.items():
        if g._node is None or id(g) in taken:
            out[leaf] = handle(g._data, g if g._node is None and g.requires_grad else g._node)
        else:
            out[leaf] = g
        taken.add(id(g))
    return out


def land_on_result(node: Any, gy: Any, create_graph: bool) -> None:
    """Set ``.grad`` of the result at ``node``, if somebody holds it."""
    v = node._output()
    if v is not None:
        if create_graph:
            v._grad = handle(gy._data, gy._node)
        else:
            v._grad = handle(gy if isinstance(gy, np.generic) else gy.copy(), None)
