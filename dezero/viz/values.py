"""Values: the numbers of a graph. As the program holds them, or from a run of forward and backward that is watched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dezero.backend import as_numpy
from dezero.config import changed, current
from dezero.core.backprop import backprop, seed_for
from dezero.core.node import Bundle, Held, Node, Output
from dezero.core.operators import OPS
from dezero.core.value import is_float
from dezero.core.variable import Variable
from dezero.viz.graph import Collection, Graph, Outputs, collect, place_of


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
    gradients = {}
    for id_, place in found.places.items():
        v = place._output() if isinstance(place, Node) else place
        if v is not None and v._grad is not None and v._grad._data is not None:
            gradients[id_] = as_numpy(v._grad)
    return Values({id_: as_numpy(a) for id_, a in held(found).items()}, gradients)


def run_of(output: Outputs, gy: Any = None) -> tuple[Graph, Values]:
    """The graph with all values and gradients: backward runs through it, watched, and leaves every ``.grad`` as it is.

    What an earlier ``backward`` has freed is computed again from the leaves.

    Args:
        output: a Variable, or a sequence of them.
        gy: the gradient that starts at the output; ones where None, as in ``backward``.

    Raises:
        InputTypeError: ``output`` is something else.
        ShapeError: ``gy`` has another shape than the output.

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
    twins = _Twins(found)
    twins.run()
    watch = _Backward(found, twins)
    if twins.whole or not twins.freed:
        roots = [twins.variables[id_] for id_ in found.graph.outputs] if twins.freed else outputs
        watch.run(roots, gys)
    return found.graph, Values({id_: as_numpy(a) for id_, a in twins.arrays.items()}, watch.gradients, watch.flows, tuple(watch.order), twins.notes())


@contextmanager
def keep_values() -> Iterator[None]:
    """Let all functions that run in this block keep copies of their inputs and results, for drawings made after ``backward``.

    A drawing finds most numbers without it. What it cannot find again is an array that went in as a constant and that
    ``backward`` has freed, and what a parameter was before an optimizer changed it.

    Examples:
        >>> import numpy as np
        >>> x = Variable(np.array(3.0))
        >>> with keep_values():
        ...     y = x * np.array(2.0)
        >>> y.backward()
        >>> run_of(y)[1].arrays["v1"]
        array(2.)
    """
    with changed(watch=_Keeper(current().watch)):
        yield


class _Keeper:
    """What the engine calls inside of ``keep_values``; it hands on to what watched before."""

    def __init__(self, outer: Any) -> None:
        self.outer = outer

    def ran(self, fn: Any, xs: Any, returns: Any) -> None:
        fn._seen = [_copy(x) for x in xs], [_copy(y) for y in returns]
        if self.outer is not None:
            self.outer.ran(fn, xs, returns)

    def before(self, node: Any, gy: Any) -> None:
        if self.outer is not None:
            self.outer.before(node, gy)

    def after(self, node: Any, i: int, gx: Any) -> None:
        if self.outer is not None:
            self.outer.after(node, i, gx)


def _copy(x: Any) -> Any:
    return x.copy() if getattr(x, "shape", None) else x


def held(found: Collection) -> dict[str, Any]:
    """The arrays that something still holds (variables, the graph for its gradients, ``keep_values``) by id, on host or device."""
    ids = {place: id_ for id_, place in found.places.items()}
    results = {(place.function, _index(place)): id_ for id_, place in found.places.items() if isinstance(place, Node)}
    arrays = {id_: value for id_, value in found.constants.items() if value is not None}
    for id_, place in found.places.items():
        v = place._output() if isinstance(place, Node) else place
        if v is not None and v._data is not None:
            arrays[id_] = v._data
    for fn in found.functions.values():
        if type(fn._kept) is Held and (fn, 0) in results:
            arrays[results[fn, 0]] = fn._kept.result
        edges, kept = fn._edges, fn._kept or ()
        n = len(edges)
        seen = getattr(fn, "_seen", ((), ()))
        for j, value in [*zip(fn._plan.sources if fn.native else range(len(kept)), kept, strict=False), *enumerate((*seen[0], *seen[1]))]:
            where = results.get((fn, j - n)) if j >= n else ids.get(place_of(edges[j])) if isinstance(edges[j], (Node, Variable)) else None
            if where is not None and value is not None:
                arrays[where] = value._data if isinstance(value, Variable) else value
    return arrays


def _index(place: Node) -> int:
    """Which of its function's results a place is."""
    return place.index if isinstance(place, Output) else 0


class _Twins:
    """The values that nothing holds any more, computed again in the order in which they were; a second graph where backward freed the first."""

    def __init__(self, found: Collection) -> None:
        self.found = found
        self.arrays = held(found)
        self.freed = any(fn._kept is None for fn in found.functions.values())
        self.variables: dict[str, Variable] = {}
        self.functions: dict[Any, str] = {} if self.freed else {fn: id_ for id_, fn in found.functions.items()}
        self.lost: list[str] = []  # functions that could not run again

    @property
    def whole(self) -> bool:
        """Is every function there?"""
        return not self.lost

    def run(self) -> None:
        """Find all values, and where backward has freed the graph, a graph that it can go through once more."""
        sources: dict[str, list[str]] = {id_: [] for id_ in self.found.functions}
        results: dict[str, list[str]] = {id_: [] for id_ in self.found.functions}
        for a, b in self.found.graph.edges:
            (sources[b] if b in sources else results[a]).append(a if b in sources else b)
        for node in sorted(self.found.graph.functions, key=lambda f: f.order):
            if self.freed or any(id_ not in self.arrays for id_ in results[node.id]):
                self.repeat(node.id, sources[node.id], results[node.id])
        if self.freed:
            for id_ in self.found.graph.outputs:
                if id_ not in self.variables and id_ in self.arrays:
                    self.variables[id_] = self.leaf(id_)

    def repeat(self, id_: str, sources: list[str], results: list[str]) -> None:
        """Run a function once more on what it ran on."""
        fn = self.found.functions[id_]
        if fn.op == "checkpoint" or any(source not in self.arrays for source in sources):
            self.lost.append(id_)
            return
        inputs: list[Any] = [None] * len(fn._edges)
        for i, source in zip(self.found.inputs[id_], sources, strict=True):
            if source in self.found.places and source not in self.variables:
                self.variables[source] = self.leaf(source)
            inputs[i] = self.variables.get(source, self.arrays[source])
        twin = fn._again()
        with changed(record=self.freed, watch=None, layer=fn._layer):
            ys = twin(*inputs)
        if self.freed:
            self.functions[twin] = id_
        places = [self.found.places[result] for result in results]
        for result, place in zip(results, places, strict=True):
            y = ys[place.index] if isinstance(place, Output) else ys
            self.variables[result] = y
            self.arrays.setdefault(result, y._data)

    def leaf(self, id_: str) -> Variable:
        """A Variable with the array of a leaf, or of a result that need not be computed again."""
        return Variable(np.asarray(self.arrays[id_]) if isinstance(self.arrays[id_], np.generic) else self.arrays[id_])

    def notes(self) -> tuple[str, ...]:
        """What a reader should know of the numbers."""
        found, said = self.found, []
        if self.lost:
            first = found.functions[self.lost[0]]
            said.append(f"{len(self.lost)} of {len(found.functions)} functions have no numbers, the first is {first.op}: backward() has freed an "
                        "input that was a constant; draw before backward(), call backward(retain_graph=True), or run the forward inside "
                        "viz.keep_values()")
        ends = [(self.variables[id_]._data, self.arrays[id_]) for id_ in found.graph.outputs if id_ in self.variables]
        if self.freed and any(not _same(now, then) for now, then in ends):
            said.append("the numbers were computed again, as backward() had freed them, and the output is another now: "
                        "a leaf has changed since, or a function draws random numbers")
        return tuple(said)


def _same(a: Any, b: Any) -> bool:
    return a is b or bool(np.allclose(as_numpy(a), as_numpy(b), rtol=1e-6, atol=0, equal_nan=True))


class _Backward:
    """What the engine calls on its way back: it notes each gradient, and each part of one."""

    def __init__(self, found: Collection, twins: _Twins) -> None:
        self.found, self.functions, self.twins = found, twins.functions, twins
        names = {fn: id_ for id_, fn in found.functions.items()}
        self.results = {(names[place.function], _index(place)): id_
                        for id_, place in found.places.items() if isinstance(place, Node) and place.function in names}
        self.order: list[str] = []
        self.gradients: dict[str, Any] = {}
        self.flows: dict[tuple[str, int], Any] = {}

    def run(self, roots: list[Variable], gys: list[Any]) -> None:
        """Go back from the outputs."""
        seeds = [(y if y._node is None else y._node, seed_for(y, gy, False)) for y, gy in zip(roots, gys, strict=True)
                 if y.requires_grad and is_float(y._data)]
        with changed(watch=self):
            found = backprop(seeds, retain_graph=True)
        leaves = self.twins.variables if self.twins.freed else self.found.places
        ids = {leaf: id_ for id_, leaf in leaves.items()}
        self.gradients.update({ids[leaf]: as_numpy(g) for leaf, g in found.items() if leaf in ids})

    def ran(self, fn: Any, xs: Any, returns: Any) -> None:
        """A formula may run a whole function once more (checkpoint); the graph does not show it."""

    def before(self, node: Any, gy: Any) -> None:
        id_ = self.functions.get(node.function)
        if id_ is None:
            return
        if not isinstance(node, Output):
            self.order.append(id_)
        result = self.results.get((id_, _index(node)))
        if result is not None and not isinstance(gy, Bundle):
            self.gradients[result] = as_numpy(gy)

    def after(self, node: Any, i: int, gx: Any) -> None:
        id_ = self.functions.get(node)
        if id_ is None or i not in self.found.inputs[id_]:
            return
        shape = node._edges[i]._shape
        if node.broadcasts and gx.shape != shape:
            gx = OPS["sum_to"].on(gx, shape=shape)
        self.flows[id_, self.found.inputs[id_].index(i)] = as_numpy(gx)
