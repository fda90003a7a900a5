"""checkpoint: run a part of the computation again in backward instead of keeping what it computed on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dezero.backend.random import Philox, draws
from dezero.config import Mode, changed, current
from dezero.core.anomaly import mark, where
from dezero.core.backprop import backprop
from dezero.core.casting import like
from dezero.core.function import Function
from dezero.core.inputs import constant
from dezero.core.node import Node, tick
from dezero.core.operators import OPS
from dezero.core.plan import Plan, pick
from dezero.core.types import Operand
from dezero.core.variable import Variable, handle
from dezero.errors import ChangedInPlaceError, InputTypeError, StateError


class Checkpoint(Function, op="checkpoint"):
    """The node that stands for a whole function; its inputs are the arguments, then what the function used from outside."""

    def __init__(self, fn: Callable[..., Any], arguments: int, mode: Mode, random_state: Any) -> None:
        self.fn, self.arguments, self.mode, self.random_state = fn, arguments, mode, random_state
        self.random_after: Any = None  # NumPy's random state after forward, if weights were sized there
        self.generators: dict[Philox, tuple[int, int]] = {}  # those that drew, and where each began
        self.marks: list[int] | None = None  # fingerprints of the results, in ``detect_anomaly`` only

    def plan_for(self, needs: int, n: int) -> Plan:
        """Keep the arguments, nothing of what was computed from them."""
        calls = [(i, pick(i), None) for i in range(n) if needs >> i & 1]
        return Plan(needs, (), range(self.arguments), calls, whole="own")

    def gradients(self, gys: list[Any], kept: Any, create_graph: bool) -> list[Any]:
        """Run the function again, recorded, and send the gradients through that."""
        here, streams = np.random.get_state(), {g: g.state for g in self.generators}
        np.random.set_state(self.random_state)
        for generator, state in self.generators.items():
            generator.state = state
        try:
            mode = self.mode
            with changed(record=True, train=mode.train, layer=mode.layer, again=True), like(mode.cast):
                places = [_place(handle(x, self._edges[i] if create_graph else Variable(x)) if self.needs_grad(i) else x)
                          for i, x in enumerate(kept)]
                ys = _as_tuple(self.fn(*places))
            if self.random_after is not None:
                self._check_draws()
            if self.marks is not None and self.marks != [mark(y) for y in ys]:
                raise ChangedInPlaceError(f"{where(self)}: the function gave another result when it ran again: something that it used was changed "
                                          "after forward, or it draws random numbers of its own; the gradient would be wrong")
            with changed(record=create_graph):
                seeds = [(place, gy) for y, gy in zip(ys, gys, strict=True) if (place := _edge(y)) is not None]
                nodes = [p._node if self.needs_grad(i) else None for i, p in enumerate(places)]
                targets = nodes + list(self._edges[self.arguments:])
                found = backprop(seeds, create_graph=create_graph, targets={t for t in targets if t is not None}, through=False)
        finally:
            np.random.set_state(here)
            for generator, state in streams.items():
                generator.state = state
        return [found.get(t) for t in targets]

    def _check_draws(self) -> None:
        """Refuse a second run whose masks are others, since the first has drawn weights before them; a run that drew nothing has none."""
        after = np.random.get_state(legacy=False)
        if not _same_state(after, self.random_state) and not _same_state(after, self.random_after):
            raise StateError(f"{where(self)}: the function drew other random numbers when it ran again, since weights were sized in its "
                             "first run, and the gradient would be wrong: call the layer once before checkpoint, or give its in_size")


def checkpoint(fn: Callable[..., Any], *xs: Operand) -> Any:
    """``fn(*xs)``, keeping only ``xs``: what is computed on the way is computed again when the gradients need it.

    Costs the forward of ``fn`` once more, saves its memory. Random masks come out the same the second time if they are
    drawn from NumPy's global state, as dropout's are, or from a :class:`dezero.Philox`. Parameters that ``fn`` uses get their gradients too.

    Args:
        fn: takes Variables and returns a Variable, or a tuple or list of them. It must compute the same when it is run again.
        *xs: its arguments: Variables, arrays or numbers.

    Returns:
        What ``fn`` returns.

    Raises:
        StateError: in ``backward``, if weights were sized in the first run, and the second has other random masks for it.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, checkpoint
        >>> x = Variable(np.array([1.0, 2.0]))
        >>> y = checkpoint(lambda x: x * x * x, x)
        >>> y.backward()
        >>> print(x.grad)
        variable([ 3. 12.])
    """
    mode = current()
    if not mode.record:
        return fn(*xs)
    node = Checkpoint(fn, len(xs), mode, np.random.get_state(legacy=False))
    raw = [x._data if isinstance(x, Variable) else constant(node, x) for x in xs]
    before, drawn = tick(), draws.initial
    places = [_place(Variable(np.asarray(a) if isinstance(a, np.generic) else a)) if isinstance(x, Variable) and x.requires_grad else a
              for x, a in zip(xs, raw, strict=True)]
    outer, draws.states = draws.states, node.generators
    try:
        result = fn(*places)
    finally:
        draws.states = outer
        if outer is not None:
            outer |= {g: state for g, state in node.generators.items() if g not in outer}
    if draws.initial != drawn:
        node.random_after = np.random.get_state(legacy=False)
    ys = _as_tuple(result)
    own = {p._node for p in places if isinstance(p, Variable)}
    outside = _used_from_outside([_edge(y) for y in ys], own, before)
    del places
    outs = [handle(y._data, None) for y in ys]
    edges = [_edge(x) for x in xs] + outside
    needs = sum(1 << i for i, edge in enumerate(edges) if edge is not None)
    if needs:
        node._record(mode, xs, raw + [None] * len(outside), edges, needs, (), outs)
        if mode.watch is not None:
            mode.watch.ran(node, raw, [out._data for out in outs])
            node.marks = [mark(out) for out in outs]
        for y, out in zip(ys, outs, strict=True):
            if not y.requires_grad:
                out.requires_grad, out._node = False, None
    return type(result)(outs) if isinstance(result, (tuple, list)) else outs[0]


def _same_state(a: Any, b: Any) -> bool:
    """Are two states of NumPy's global generator equal?"""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same_state(a[key], b[key]) for key in a)
    return np.array_equal(a, b)


def _place(x: Any) -> Any:
    """A Variable at a place of its own; anything else as it is."""
    return OPS["identity"]()(x) if isinstance(x, Variable) else x


def _edge(x: Any) -> Any:
    """The place in the graph to which a gradient of ``x`` goes; None for a constant."""
    if not isinstance(x, Variable) or not x.requires_grad:
        return None
    return x if x._node is None else x._node


def _as_tuple(ys: Any) -> Any:
    ys = ys if isinstance(ys, (tuple, list)) else (ys,)
    for y in ys:
        if not isinstance(y, Variable):
            raise InputTypeError(f"checkpoint: the function returned a {type(y).__name__}: a Variable, or a tuple or list of them, is expected")
    return ys


def _used_from_outside(nodes: list[Any], own: set[Any], before: int) -> list[Any]:
    """The leaves, and the results older than ``before``, that a computation used without being given them as ``own``."""
    outside: dict[Any, None] = {}
    seen = set(own)
    todo = [n for n in nodes if n is not None]
    while todo:
        place = todo.pop()
        if place in seen:
            continue
        seen.add(place)
        if isinstance(place, Variable) or place._order < before:
            outside[place] = None
        else:
            todo.extend(edge for edge in place._edges if isinstance(edge, (Node, Variable)))
    return list(outside)
