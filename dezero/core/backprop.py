"""The engine: it sends gradients down the graph. ``backward``, ``grad`` and all of ``core/derivatives.py`` share it.

It returns gradients; only ``backward`` writes ``.grad``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import nullcontext
from heapq import heappop, heappush, heappushpop
from itertools import count
from operator import attrgetter
from typing import Any
from weakref import ref

import numpy as np

from dezero.backend import array_module, arrays, device, is_array
from dezero.config import changed, current
from dezero.core.formulas import as_whole, kept_variables
from dezero.core.landing import land, land_on_result
from dezero.core.node import Bundle, Node
from dezero.core.operators import ENGINE, OPS
from dezero.core.passes import Pass
from dezero.core.value import is_float
from dezero.core.variable import Variable, handle
from dezero.errors import FreedGraphError, InputTypeError, IntegerGradientError, ShapeError, UntrackedError, describe

ndarray, generic = np.ndarray, np.generic

Edge = Any  # a Node, or a leaf Variable
_keys = count()


class _Last(threading.local):
    """What ``last_output`` knows; of each thread by itself, and nothing is kept alive."""

    output: Any = staticmethod(lambda: None)


_last = _Last()


def backprop(seeds: Iterable[tuple[Edge, Any]], *, create_graph: bool = False, retain_graph: bool = False, retain_grad: bool = False,
             targets: set[Edge] | None = None, through: bool = True) -> dict[Edge, Any]:
    """Send gradients from the seeds to the leaves, each function once, in the reverse of the order in which they ran.

    Args:
        seeds: places in the graph and the gradients that start there (arrays, or Variables with ``create_graph``).
        create_graph: run the formulas on Variables, so that the gradients have a graph of their own.
        retain_graph: leave the kept values for another pass.
        retain_grad: set ``.grad`` of the results on the way, where somebody holds them.
        targets: return the gradients of these places only, and visit only what leads there.
        through: go on below a target; without, each target's gradient is the one that reaches it directly.

    Returns:
        The gradient of each leaf, or of each target that was reached.

    Raises:
        FreedGraphError: a function on the way was freed by an earlier pass.
        ShapeError: a formula gave a gradient that does not fit its input.
        DeviceMemoryError: the device has no memory left.
    """
    if current().cast is not None:  # each formula runs in the dtypes of what its op has kept
        with changed(cast=None):
            return backprop(seeds, create_graph=create_graph, retain_graph=retain_graph, retain_grad=retain_grad, targets=targets, through=through)
    run = Pass() if create_graph else None
    try:
        return _run(seeds, run, retain_graph or create_graph, retain_grad, targets, through)
    except MemoryError as error:
        device.out_of_memory(error, f"backward of {_at(error)}")
    finally:
        if run is not None:
            run.leave()


def _run(seeds: Iterable[tuple[Edge, Any]], run: Pass | None, retain_graph: bool, retain_grad: bool, targets: set[Edge] | None,
         through: bool) -> dict[Edge, Any]:
    """The loop; with a pass, formulas run on Variables and are recorded."""
    create_graph = run is not None
    layer: Any = None   # of the function that a pass is at
    waiting: dict[Edge, Any] = {}   # gradients of nodes not visited yet
    done: dict[Edge, Any] = {}      # gradients of leaves and targets
    ours: set[Edge] = set()         # where the waiting array is a sum that we made, and may add to in place
    heap: list[tuple[int, Edge]] = []
    watch, several = current().watch, device.several
    for edge, gy in seeds:
        if isinstance(edge, Variable):
            done[edge] = done[edge] + gy if edge in done else gy
        elif edge in waiting:
            waiting[edge] = waiting[edge] + gy
        else:
            waiting[edge] = gy
            heappush(heap, (-edge._order, edge))
    useful, reach = (set(), None) if targets is None else _leading_to(targets, waiting)
    node: Any = heappop(heap)[1] if heap else None
    while node is not None:
        gy = waiting.pop(node)
        if targets is not None and node in targets:
            done[node] = gy
            if not through or node not in useful:
                node = heappop(heap)[1] if heap else None
                continue
        plan, kept, edges = node._plan, node._kept, node._edges
        if kept is None:
            raise FreedGraphError(_freed(node))
        if several and type(gy) is not Bundle:
            device.enter(getattr(gy, "_data", gy))
        if watch is not None:
            watch.before(node, gy)
        if run is not None and node._layer is not layer:
            layer = node._layer
            run.at(layer)
        if retain_grad and type(gy) is not Bundle:
            land_on_result(node, gy, create_graph)
        calls = plan.calls
        if plan.whole and (create_graph or plan.whole != "composed"):
            gy = as_whole(node, plan, gy, kept, create_graph, backprop)
            calls = plan.picks
        elif create_graph:
            kept = kept_variables(node)
        elif plan.arrays_only and isinstance(gy, generic):
            gy = np.asarray(gy)
        if not retain_graph:
            node._kept = None
            if plan.whole and node._inputs is not None:
                node._inputs = None
        ahead: Any = None
        for i, formula, takes in calls:
            edge = edges[i]
            if reach is not None and edge not in reach:
                continue
            if takes is None:
                gx = formula(node, gy)
            elif type(takes) is int:
                gx = formula(node, gy, kept[takes])
            else:
                gx = formula(node, gy, *takes(kept))
            if gx is None:
                continue
            if watch is not None:
                watch.after(node, i, gx)
            if (gx._data if create_graph else gx).shape != edge._shape:
                gx = _unbroadcast(node, i, gx, edge._shape)
            if isinstance(edge, Variable):
                old = done.get(edge)
                done[edge] = gx if old is None else old + gx
                continue
            old = waiting.get(edge)
            if old is None:
                waiting[edge] = gx
                if ahead is None:
                    ahead = edge
                else:
                    heappush(heap, (-edge._order, edge))
            elif edge in ours and type(old) is ndarray and old.dtype == gx.dtype:
                old += gx
            else:
                waiting[edge] = old + gx
                ours.add(edge)
        if ahead is None:
            node = heappop(heap)[1] if heap else None
        else:  # the node just reached is next unless a later one waits; a chain never touches the heap
            node = heappushpop(heap, (-ahead._order, ahead))[1] if heap else ahead
    return done


def _at(error: BaseException) -> str:
    """At which node ``_run`` was when an error arose, and with which arrays: read off its frame, so that the loop itself need not tell."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code is not _run.__code__:
        trace = trace.tb_next
    at = {} if trace is None else trace.tb_frame.f_locals
    node = at.get("node")
    if node is None:
        return "the gradients that start it"
    kept = [describe(k) for k in at.get("kept") or () if getattr(k, "shape", None)]
    head = ": ".join(part for part in (node._layer, node.function.op) if part)
    return f"{head}: gradient {describe(at.get('gy'))}" + (f", kept {', '.join(kept)}" if kept else "")


def _leading_to(targets: set[Edge], starts: Iterable[Any]) -> tuple[set[Edge], set[Edge] | None]:
    """Of the nodes at ``starts`` and below, those that have an input which is a target or leads to one; and these with the targets.

    None in place of the second where every path ends in a target, so that there is nothing to leave out.
    """
    seen: set[Any] = set()
    todo = list(starts)
    beside = any(isinstance(t, Node) for t in targets)  # is there anything beside the ways to the targets?
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            for edge in node._edges:
                if isinstance(edge, Node):
                    todo.append(edge)
                elif isinstance(edge, Variable) and edge not in targets:
                    beside = True
    if not beside:
        return set(), None
    useful: set[Edge] = set()
    reach = set(targets)
    for node in sorted(seen, key=attrgetter("_order")):  # inputs come before what they feed
        if not reach.isdisjoint(node._edges):
            useful.add(node)
            reach.add(node)
    return useful, reach


def _unbroadcast(node: Any, i: int, gx: Any, shape: Any) -> Any:
    """Sum a gradient back to the shape that its input had before it was broadcast."""
    lead = len(gx.shape) - len(shape)
    if not node.broadcasts or lead < 0 or any(s not in (1, g) for s, g in zip(shape, gx.shape[lead:], strict=True)):
        raise ShapeError(f"{node.op}: its gradient for {node.argument(i)} has shape {gx.shape}, the input has {shape}: "
                         "they must be equal (was the input's .data replaced since forward?)")
    return OPS["sum_to"].on(gx, shape=shape)


def _freed(node: Any) -> str:
    return (f"{node.function.op}: this part of the graph was used by an earlier backward(), which freed what it had kept; compute the result "
            "again, or call the first one with retain_graph=True (or create_graph=True); to go on from a value, use v.detach() or unchain_backward()")


def check_differentiable(y: Variable, what: str = "backward") -> None:
    """Refuse a root that has no graph, and say why.

    Raises:
        IntegerGradientError: the variable is of an integer or bool dtype.
        UntrackedError: nothing tracked computed it.
    """
    if y._node is not None and y.requires_grad and not isinstance(y._node, Variable) and is_float(y._data):
        return
    label = f"variable {y._name!r}" if y._name else "this variable"
    if y._data is not None and not is_float(y._data):
        raise IntegerGradientError(f"{what}: {label} is {y.dtype}: integers and bools are constants and have no gradient; "
                                   "compute with floats, x.astype(np.float32) say")
    if y._node is None and not y.requires_grad:
        raise UntrackedError(f"{what}: {label} was not computed by a tracked function, because all inputs of its function were constants "
                             "(arrays, numbers, integers, detached or requires_grad=False), or it was computed under no_grad(), "
                             "or it is the gradient of a backward() or grad() without create_graph=True, which records how gradients come about")
    raise UntrackedError(f"{what}: {label} was not computed by a tracked function, because it is a leaf, data that you made; "
                         f"call {what} on a result that was computed from it")


def seed_for(y: Variable, gy: Any, create_graph: bool) -> Any:
    """The gradient that starts at ``y``: ones unless given, as an array, or as a Variable with ``create_graph``."""
    if device.several:
        device.enter(y._data)
    if gy is None:
        gy = type(y._data)(1) if isinstance(y._data, generic) else array_module(y._data).ones(y._data.shape, y._data.dtype)
    if isinstance(gy, (bool, int, float)):
        gy = array_module(y._data).asarray(gy, dtype=y._data.dtype)
    given = gy._data if isinstance(gy, Variable) else gy
    if not is_array(given):
        raise InputTypeError(f"the gradient given is a {type(given).__name__}: a Variable or an array of shape {y._data.shape} is expected")
    if arrays.foreign and array_module(given) is not array_module(y._data):
        device.one_place("backward", (("the gradient given", given), ("the result", y._data)))
        given = array_module(y._data).asarray(given)  # 0-d
        gy = handle(given, None) if isinstance(gy, Variable) else given
    if given.shape != y._data.shape:
        raise ShapeError(f"the gradient given has shape {given.shape}, the result {y._data.shape}: they must be equal")
    if create_graph:
        return gy if isinstance(gy, Variable) else handle(gy, None)
    return given


def backward(y: Variable, retain_grad: bool = False, create_graph: bool = False, retain_graph: bool | None = None) -> None:
    """``Variable.backward``: see there."""
    check_differentiable(y)
    seed = seed_for(y, y._grad, create_graph)
    with changed(record=True) if create_graph and not current().record else nullcontext():
        found = backprop([(y._node, seed)], create_graph=create_graph, retain_graph=bool(retain_graph), retain_grad=retain_grad)
        try:
            land(found, create_graph)
        except MemoryError as error:
            device.out_of_memory(error, "backward, adding to the gradients of the leaves")
    if not retain_grad:
        y._grad = None
    _last.output = ref(y)


def last_output() -> Variable | None:
    """The variable whose ``backward`` was the last to end in this thread, as long as it lives."""
    return _last.output()  # type: ignore[no-any-return]


def register_hook(v: Variable, hook: Any) -> Any:
    """``Variable.register_hook``: see there."""
    if not callable(hook):
        raise TypeError(f"register_hook: a {type(hook).__name__} was given: a function that takes the gradient is expected")
    if not v.requires_grad:
        raise UntrackedError("register_hook: this variable is a constant (integers, detached, requires_grad=False, or computed under no_grad()): "
                             "no gradient will come")
    leaf = v if v._node is None else v._node
    if isinstance(leaf, Variable):
        hooks = leaf._hooks = getattr(leaf, "_hooks", {})
    else:
        if leaf._plan.whole != "hooked":
            leaf._plan = leaf._plan.hooked()
        hooks = leaf._plan.hooks
    key = next(_keys)
    hooks[key] = hook

    return lambda: hooks.pop(key, None)


ENGINE.update(backward=backward, register_hook=register_hook)
