"""Gradients arriving where users see them: owned memory, the right dtype, hooks called, ``.grad`` written."""

from __future__ import annotations

from sys import getrefcount
from threading import Lock
from typing import Any

import numpy as np

from dezero.backend import arrays, device
from dezero.core.formulas import run_hooks
from dezero.core.variable import Variable, handle


def _lone() -> int:
    """What ``getrefcount`` says of an array that only a local name refers to, just popped from a dict as below."""
    found = {0: np.zeros(1)}
    _, g = found.popitem()
    return getrefcount(g)


_LONE = _lone()
_ADDING = Lock()  # threads may send gradients to the same leaf


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
        if device.several:
            device.enter(g)
        g = _own(g, references)
        dtype = place._data.dtype if isinstance(place, Variable) else place._dtype
        out[place] = g if g.dtype is dtype or g.dtype == dtype else g.astype(dtype)
    return out


def separate(found: dict[Any, Variable]) -> dict[Any, Variable]:
    """Gradients with a graph as Variables of their own, in memory of their own: the user's seed, a kept value or a view is copied."""
    out: dict[Any, Variable] = {}
    while found:
        place, g = found.popitem()
        holders = getrefcount(g)
        data = g._data
        references = getrefcount(data) - 1  # less the Variable's
        if device.several:
            device.enter(data)
        own = _own(data, max(references, holders))
        if own is not data or holders > _LONE:
            g = handle(own, g if g._node is None and g.requires_grad else g._node)
        dtype = place._data.dtype if isinstance(place, Variable) else place._dtype
        out[place] = g if own.dtype == dtype else g.astype(dtype)
    return out


def land(found: dict[Variable, Any], create_graph: bool) -> None:
    """Add the gradients that one pass found for leaves to their ``.grad``. Empties ``found``."""
    gradients = separate(found) if create_graph else owned(found)
    for leaf in gradients:  # all hooks before the first .grad is written: one that raises leaves everything as it was
        hooks = getattr(leaf, "_hooks", None)
        if hooks:
            gradients[leaf] = run_hooks(hooks, gradients[leaf])
    with _ADDING:
        for leaf, g in gradients.items():
            old = leaf._grad
            if old is not None and arrays.foreign and device.apart(old._data, getattr(g, "_data", g)):
                device.one_place("backward", (("the .grad that was there", old), ("the new gradient", g)))
            if create_graph:
                leaf._grad = g if old is None else old + g
            else:
                leaf._grad = handle(g if old is None else old._data + g, None)


def land_on_result(node: Any, gy: Any, create_graph: bool) -> None:
    """Set ``.grad`` of the result at ``node``, if somebody holds it."""
    v = node._output()
    if v is not None and v._node is node:  # a variable that was unchained gets its gradient as a leaf
        if create_graph:
            v._grad = handle(gy._data.copy(), gy if gy._node is None and gy.requires_grad else gy._node)
        else:
            v._grad = handle(gy if isinstance(gy, np.generic) else gy.copy(), None)
