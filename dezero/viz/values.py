"""Values: the numbers of a graph. As the program holds them, or from a run of forward and backward that is watched."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from weakref import ref

import numpy as np

from dezero.backend import as_numpy, is_array
from dezero.config import changed, current
from dezero.core.variable import Variable
from dezero.viz.graph import Collection, Graph, Outputs, collect
from dezero.viz.held import held, held_gradients
from dezero.viz.replay import Backward, Twins


@dataclass(frozen=True, slots=True)
class Values:
    """Arrays on the host, by the ids of a graph; what is not known is not there.

    Attributes:
        arrays: a variable's value.
        gradients: a variable's gradient.
        flows: (id of a function, place among its edges) -> the gradient that the function sends to that input.
        order: ids of the functions in the order in which backward visits them; empty where no backward was watched.
        notes: sentences for the reader: what is unknown, and why.
    """

    arrays: dict[str, Any] = field(default_factory=dict)
    gradients: dict[str, Any] = field(default_factory=dict)
    flows: dict[tuple[str, int], Any] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def state_of(found: Collection) -> Values:
    """The values that the program still holds, and the gradients that were computed so far. Nothing is run.

    Examples:
        >>> import numpy as np
        >>> from dezero.viz.graph import collect
        >>> x = Variable(np.array(3.0))
        >>> y = x * x
        >>> values = state_of(collect(y))
        >>> values.arrays["v1"], values.gradients
        (array(9.), {})
    """
    return Values({id_: as_numpy(a) for id_, a in held(found).items()}, held_gradients(found))


def run_of(output: Outputs, gy: Any = None) -> tuple[Graph, Values]:
    """The graph with all values and gradients: backward runs through it, watched, and leaves every ``.grad`` as it is.

    What an earlier ``backward`` has freed is computed again from the leaves. Hooks of variables run as in any backward.

    Args:
        output: a Variable, or a sequence of them.
        gy: the gradient that starts at the output, or a list with one for each; ones where None, as in ``backward``.

    Raises:
        InputTypeError: ``output`` is something else.
        ShapeError: ``gy`` has another shape than the output.
        ValueError: ``gy`` is a list of another length.

    Examples:
        >>> import numpy as np
        >>> x = Variable(np.array(3.0), name="x")
        >>> y = x * x
        >>> y.backward()
        >>> graph, values = run_of(y)
        >>> values.gradients["v0"], values.flows
        (array(6.), {('f0', 0): array(3.), ('f0', 1): array(3.)})
    """
    found = collect(output)
    outputs = [output] if isinstance(output, Variable) else list(output)
    gys = list(gy) if isinstance(gy, (list, tuple)) else [gy] * len(outputs)
    if len(gys) != len(outputs):
        raise ValueError(f"run_of: {len(gys)} gradients are given for {len(outputs)} outputs: one for each, or a single one for all, is expected")
    return found.graph, _watched(found, outputs, gys)


def shown_of(found: Collection, output: Outputs, gradients: bool) -> Values:
    """What a picture shows: a value that nothing holds is computed again, and once a backward has left gradients, so are those of the
    results, which have no ``.grad`` unless it was told to keep them. ``.grad`` itself stays as it is.

    Examples:
        >>> import numpy as np
        >>> from dezero.viz.graph import collect
        >>> x = Variable(np.array(3.0))
        >>> y = -(x * x)
        >>> y.backward()
        >>> values = shown_of(collect(y), y, gradients=True)
        >>> values.arrays["v1"], values.gradients["v1"]
        (array(9.), array(-1.))
    """
    state = state_of(found)
    results = {v.id for v in found.graph.variables if v.kind == "result"}
    backward = gradients and bool(state.gradients) and not results <= {*state.gradients}
    if not backward and results <= {*state.arrays}:
        return state
    outputs = [output] if isinstance(output, Variable) else list(output)
    run = _watched(found, outputs, [None] * len(outputs) if backward else None)
    again = {id_: g for id_, g in run.gradients.items() if id_ in results}
    return Values({**run.arrays, **state.arrays}, {**again, **state.gradients}, notes=run.notes)


def _watched(found: Collection, outputs: list[Variable], gys: list[Any] | None) -> Values:
    """Forward again where it must be, and backward, unless there are no ``gys``."""
    state = np.random.get_state()
    try:
        with np.errstate(all="ignore"):  # the program had its warnings when it ran
            twins = Twins(found)
            twins.run()
            watch = Backward(found, twins)
            if twins.lost and twins.freed:
                watch.gradients = held_gradients(found)
            elif gys is not None:
                watch.run([twins.variables.get(id_) for id_ in found.graph.outputs] if twins.freed else outputs, gys)
    finally:
        np.random.set_state(state)
    return Values({id_: as_numpy(a) for id_, a in twins.arrays.items()}, watch.gradients, watch.flows, tuple(watch.order),
                  (*twins.notes(), *watch.notes))


@contextmanager
def keep_values(limit: int | None = None) -> Iterator[None]:
    """Let all functions that run in this block keep copies of their inputs and results, for drawings made after ``backward``.

    A drawing finds most numbers without it. What it cannot find again is an array that went in as a constant and that
    ``backward`` has freed, and what a parameter was before an optimizer changed it.

    Args:
        limit: bytes that the copies take at most, for long runs: the oldest are given up first; None for no limit.

    Examples:
        >>> import numpy as np
        >>> x = Variable(np.array(3.0))
        >>> with keep_values():
        ...     y = x * np.array(2.0)
        >>> y.backward()
        >>> run_of(y)[1].arrays["v1"]
        array(2.)
    """
    with changed(watch=_Keeper(current().watch, limit)):
        yield


class _Keeper:
    """What the engine calls inside of ``keep_values``; it hands on to what watched before."""

    def __init__(self, outer: Any, limit: int | None) -> None:
        self.outer, self.limit = outer, limit
        self.size = 0                                   # bytes of all copies that are in ``made``
        self.made: deque[tuple[ref[Any], int]] = deque()

    def ran(self, fn: Any, xs: Any, returns: Any) -> None:
        fn._seen = [_copy(x) for x in xs], [_copy(y) for y in returns]
        if self.limit is not None:
            self._make_room(fn, self.limit)
        if self.outer is not None:
            self.outer.ran(fn, xs, returns)

    def _make_room(self, fn: Any, limit: int) -> None:
        """Give up the oldest copies for those of ``fn``; a function that is gone counts until its turn comes."""
        size = sum(getattr(a, "nbytes", 0) for copies in fn._seen for a in copies)
        self.made.append((ref(fn), size))
        self.size += size
        while self.size > limit:
            oldest, size = self.made.popleft()
            self.size -= size
            if (old := oldest()) is not None:
                del old._seen

    def before(self, node: Any, gy: Any) -> None:
        if self.outer is not None:
            self.outer.before(node, gy)

    def after(self, node: Any, i: int, gx: Any) -> None:
        if self.outer is not None:
            self.outer.after(node, i, gx)


def _copy(x: Any) -> Any:
    return x.copy() if is_array(x) else x
