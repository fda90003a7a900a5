"""Running the formulas that give all gradients of a node at once, and kept values as Variables for higher orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import ref

import numpy as np

from dezero.backend import arrays, device, is_array
from dezero.config import changed
from dezero.core.node import Output
from dezero.core.operators import OPS
from dezero.core.plan import Plan
from dezero.core.variable import Variable, handle
from dezero.errors import ShapeError

new = Variable.__new__


def kept_variables(node: Any) -> list[Any]:
    """The kept values with their place in the graph; constants stay arrays."""
    edges, plan = node._edges, node._plan
    n, needs, out = len(edges), plan.needs, []
    for j, value in zip(plan.sources, node._kept, strict=True):
        if j < n and not needs >> j & 1:
            out.append(value)
            continue
        v = new(Variable)
        v._data = value
        v._grad = v._name = None
        v._node = edges[j] if j < n else node if node._shape is not None else Output(node, j - n, v)
        v.requires_grad = True
        out.append(v)
    return out


def as_whole(node: Any, plan: Plan, gy: Any, kept: Any, create_graph: bool, backprop: Callable[..., Any]) -> Any:
    """The gradients of all inputs, in the inputs' order; None where there is none."""
    if plan.whole == "hooked":
        gy = run_hooks(plan.hooks, gy)
        plan = plan.inner  # type: ignore[assignment]
        if not plan.whole or plan.whole == "composed" and not create_graph:
            return _single(node, plan, gy, kept_variables(node) if create_graph else kept)
        return as_whole(node, plan, gy, kept, create_graph, backprop)
    gys = _incoming(node, gy, create_graph)
    if plan.whole == "own":
        return node.gradients(gys, kept, create_graph)
    if plan.whole == "book":
        return _book_form(node, gys, kept, create_graph)
    if create_graph:
        if node.compose is not None:
            return _composed(node, gys, kept, backprop)
        kept = kept_variables(node)
    named = _by_name(node, plan, kept)
    if plan.whole == "shared":
        return _complete(node, node.backward(*gys, **{k: named[k] for k in node.wants["backward"]}))
    gradients = [None] * len(node._edges)
    for i, _, _ in plan.calls:
        name = f"grad_{node.args[i]}"
        gradients[i] = getattr(node, name)(*gys, **{k: named[k] for k in node.wants[name]})
    return gradients


def run_hooks(hooks: dict[int, Any], gy: Any) -> Any:
    """Show a gradient to hooks, which may change it in place or return another; what they make of it, in memory of its own."""
    graph = isinstance(gy, Variable)
    shown = handle(gy._data.copy(), gy if gy._node is None and gy.requires_grad else gy._node) if graph else handle(gy.copy(), None)
    for hook in list(hooks.values()):
        new = hook(shown)
        if new is None:
            continue
        if not isinstance(new, Variable):
            if not (is_array(new) or isinstance(new, (int, float))):
                raise TypeError(f"a gradient hook returned a {type(new).__name__}: "
                                f"a Variable or an array of shape {shown.shape}, or None, is expected")
            new = handle(np.asarray(new) if isinstance(new, (int, float, np.generic)) else new, None)
        if arrays.foreign:
            device.one_place("a gradient hook", (("what it returned", new), ("the gradient", shown)))
        if new.shape != shown.shape:
            raise ShapeError(f"a gradient hook returned shape {new.shape} for a gradient of shape {shown.shape}: they must be equal")
        if new.dtype != shown.dtype:
            new = new.astype(shown.dtype)
        shown = handle(new._data.copy(), new if new._node is None and new.requires_grad else new._node)
    return shown if graph else shown._data


def _single(node: Any, plan: Plan, gy: Any, kept: Any) -> list[Any]:
    """The gradients of an op with one formula per input."""
    if plan.arrays_only and isinstance(gy, np.generic):
        gy = np.asarray(gy)
    gradients = [None] * len(node._edges)
    for i, formula, takes in plan.calls:
        gradients[i] = formula(node, gy, *(() if takes is None else (kept[takes],) if type(takes) is int else takes(kept)))
    return gradients


def _incoming(node: Any, gy: Any, create_graph: bool) -> list[Any]:
    """The gradient of each output; zeros for one that nothing used."""
    if node._shape is None:
        return [gy[i] if i in gy else _zeros(node, shape, dtype, create_graph) for i, (shape, dtype) in enumerate(node._dtype)]
    return [np.asarray(gy) if isinstance(gy, np.generic) else gy]


def _zeros(node: Any, shape: Any, dtype: Any, create_graph: bool) -> Any:
    zeros = node.xp.zeros(shape, dtype)
    return handle(zeros, None) if create_graph else zeros


def _by_name(node: Any, plan: Plan, kept: Any) -> dict[str, Any]:
    """The kept values by the names that formulas use; the inputs of a ``*xs`` together under its name."""
    if not node.variadic or node.args[-1] not in plan.names:
        return dict(zip(plan.names, kept, strict=True))
    i = plan.names.index(node.args[-1])
    j = i + len(node._edges) - (len(node.args) - 1)
    return dict(zip(plan.names, (*kept[:i], tuple(kept[i:j]), *kept[j:]), strict=True))


def _complete(node: Any, gradients: Any) -> Any:
    """What ``backward`` returned as a tuple with one entry for each input."""
    if gradients is None:
        raise TypeError(f"{type(node).__name__}.backward returned nothing: return the gradient of the input, or one for each input")
    gradients = gradients if isinstance(gradients, (tuple, list)) else (gradients,)
    if len(gradients) != len(node._edges):
        raise TypeError(f"{type(node).__name__}.backward returned {len(gradients)} gradients for {len(node._edges)} inputs: "
                        "return one for each input, None where there is none")
    return gradients


def _book_form(node: Any, gys: list[Any], kept: Any, create_graph: bool) -> list[Any]:
    """Run a user's ``backward`` on Variables, with the inputs and outputs that it expects to find, as forward saw them."""
    n = len(node._edges)
    for i, (v, x) in enumerate(zip(node._inputs, kept, strict=False)):
        if v._data is not x and not (isinstance(v._data, np.generic) and v._data == x):  # its .data was replaced since
            node._inputs[i] = handle(x, node._edges[i] if node.needs_grad(i) else None)
    alive = []  # holds revived outputs while backward looks at them
    for i, (output, y) in enumerate(zip(node.outputs, kept[n:], strict=True)):
        if output() is None:
            v = handle(y, node)
            if node._shape is None:
                v._node = Output(node, i, v)
            alive.append(v)
            _replace_output(node, i, v)
    with changed(record=create_graph):
        gradients = _complete(node, node.backward(*(g if isinstance(g, Variable) else handle(g, None) for g in gys)))
    out: list[Any] = []
    for i, g in enumerate(gradients):
        if not (g is None or isinstance(g, (Variable, int, float, np.generic)) or is_array(g)):
            raise TypeError(f"{type(node).__name__}.backward returned a {type(g).__name__} for {node.argument(i)}: a Variable is expected")
        if g is None or (create_graph and isinstance(g, Variable)):
            out.append(g)
        elif isinstance(g, Variable):
            out.append(g._data)
        else:
            g = np.asarray(g) if isinstance(g, (int, float, np.generic)) else g
            out.append(handle(g, None) if create_graph else g)
    return out


def _replace_output(node: Any, i: int, v: Variable) -> None:
    node._output = tuple(ref(v) if j == i else r for j, r in enumerate(node._output)) if isinstance(node._output, tuple) else ref(v)


def _composed(node: Any, gys: list[Any], kept: Any, backprop: Callable[..., Any]) -> list[Any]:
    """The gradients through the op's ``compose``: the same maths in plain ops, which have all their derivatives."""
    n = len(node._edges)
    full = dict(zip((node._plan.inner or node._plan).sources, kept, strict=True))
    inputs: list[Any] = []
    for i, edge in enumerate(node._edges):
        tracked = node.needs_grad(i)
        # A node of its own for each input: the derivative wanted is with respect to this place alone, not to what lies below it.
        inputs.append(OPS["identity"]()(handle(full[i], edge)) if tracked else full[i])
    with changed(record=True):
        ys = node.compose(*inputs)
    ys = ys if isinstance(ys, (tuple, list)) else (ys,)
    seeds = [(y._node, gy) for y, gy in zip(ys, gys, strict=True) if y._node is not None]
    targets = {v._node for i, v in enumerate(inputs) if node.needs_grad(i)}
    found = backprop(seeds, create_graph=True, targets=targets, through=False)
    return [found.get(inputs[i]._node) if node.needs_grad(i) else None for i in range(n)]
