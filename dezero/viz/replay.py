"""Replay: a computation that ran, and backward through it, once more and watched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dezero.backend import as_numpy
from dezero.backend.arrays import finfo
from dezero.config import changed
from dezero.core.backprop import backprop, seed_for
from dezero.core.formulas import run_hooks
from dezero.core.node import Bundle, Node, Output
from dezero.core.operators import OPS
from dezero.core.recompute import Checkpoint, checkpoint
from dezero.core.value import is_float
from dezero.core.variable import Variable
from dezero.errors import FreedGraphError
from dezero.viz.graph import Collection
from dezero.viz.held import held, held_gradients, index_of


class Twins:
    """The values that nothing holds any more, computed again in the order in which they were; a second graph where backward freed the first.

    Examples:
        >>> from dezero.viz.graph import collect
        >>> twins = Twins(collect(-(Variable(np.array(3.0)) + 1.0)))
        >>> twins.run()
        >>> {id_: float(a) for id_, a in twins.arrays.items()}["v2"]
        4.0
    """

    def __init__(self, found: Collection) -> None:
        self.found = found
        self.arrays = held(found)
        self.freed = any(fn._kept is None for fn in found.functions.values())
        self.variables: dict[str, Variable] = {}
        self.functions: dict[Any, str] = {} if self.freed else {fn: id_ for id_, fn in found.functions.items()}
        self.lost: dict[str, str] = {}  # functions that could not run again, and why

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
        if any(source not in self.arrays for source in sources):
            self.lost[id_] = "an array that is a constant went in, and nothing holds it any more"
            return
        inputs: list[Any] = [None] * len(fn._edges)
        for i, source in zip(self.found.inputs[id_], sources, strict=True):
            if source in self.found.places and source not in self.variables:
                self.variables[source] = self.leaf(source)
            inputs[i] = self.variables[source] if source in self.variables else self.arrays[source]
        try:
            ys = self.called(fn, inputs)
        except Exception as error:  # a function of a user may run once only
            self.lost[id_] = f"it did not run again ({type(error).__name__}: {error})"
            return
        for result in results:
            place = self.found.places[result]
            y = ys[index_of(place)] if isinstance(ys, (list, tuple)) else ys
            self.variables[result] = y
            self.arrays.setdefault(result, y._data)
            if self.freed and y._node is not None:
                self.functions[y._node.function] = id_
                if place._plan.whole == "hooked":
                    y._node._plan = y._node._plan.hooked()
                    y._node._plan.hooks = place._plan.hooks

    def called(self, fn: Any, inputs: list[Any]) -> Any:
        """What a function gives when it runs once more."""
        if not isinstance(fn, Checkpoint):
            with changed(record=self.freed, watch=None, layer=fn._layer, again=True):
                return fn._again()(*inputs)
        if self.freed and any(isinstance(edge, Node) for edge in fn._edges[fn.arguments:]):
            raise FreedGraphError("it used results that it was not given as arguments")
        np.random.set_state(fn.random_state)
        with changed(record=self.freed, watch=None, train=fn.mode.train, layer=fn.mode.layer, again=True):
            return checkpoint(fn.fn, *inputs[:fn.arguments])

    def leaf(self, id_: str) -> Variable:
        """A Variable with the array of a leaf."""
        data = self.arrays[id_]
        return Variable(np.asarray(data) if isinstance(data, np.generic) else data)

    def notes(self) -> tuple[str, ...]:
        """What a reader should know of the numbers."""
        found, said = self.found, []
        if self.lost:
            id_, reason = next(iter(self.lost.items()))
            advice = "draw before backward(), call backward(retain_graph=True), or " if self.freed else ""
            said.append(f"{len(self.lost)} of {len(found.functions)} functions have no numbers, the first is {found.functions[id_].op}: {reason}; "
                        f"{advice}run the forward inside viz.keep_values()")
        ends = [(self.variables[id_]._data, self.arrays[id_]) for id_ in found.graph.outputs if id_ in self.variables]
        if self.freed and not all(_same(now, then) for now, then in ends):
            said.append("the numbers were computed again, as backward() had freed them, and the output is another now: "
                        "a leaf has changed since, or a function draws random numbers")
        return tuple(said)


def _same(a: Any, b: Any) -> bool:
    """Are two results equal but for rounding?"""
    if a is b:
        return True
    x, y = as_numpy(a), as_numpy(b)
    if not is_float(x):
        return bool(np.array_equal(x, y))
    finite = np.abs(y[np.isfinite(y)])
    return bool(np.allclose(x, y, rtol=0, atol=1000 * float(finfo(x.dtype).eps) * float(finite.max() if finite.size else 0), equal_nan=True))


class Backward:
    """What the engine calls on its way back: it notes each gradient, and each part of one.

    Examples:
        >>> from dezero.viz.graph import collect
        >>> y = Variable(np.array(3.0)) * 2.0
        >>> found = collect(y)
        >>> watch = Backward(found, Twins(found))
        >>> watch.run([y], [None])
        >>> watch.order, watch.gradients["v0"]
        (['f0'], array(2.))
    """

    def __init__(self, found: Collection, twins: Twins) -> None:
        self.found, self.functions, self.twins = found, twins.functions, twins
        names = {fn: id_ for id_, fn in found.functions.items()}
        self.results = {(names[place.function], index_of(place)): id_
                        for id_, place in found.places.items() if isinstance(place, Node) and place.function in names}
        self.ends = {place: id_ for id_, place in found.places.items() if isinstance(place, Node)}  # leaves without a Variable are among them
        self.order: list[str] = []
        self.gradients: dict[str, Any] = {}
        self.flows: dict[tuple[str, int], Any] = {}
        self.notes: tuple[str, ...] = ()

    def run(self, roots: Sequence[Variable | None], gys: list[Any]) -> None:
        """Go back from the outputs; where that fails, the gradients are those that the program holds, and a note says so."""
        seeds = [(y if y._node is None else y._node, seed_for(y, gy, False)) for y, gy in zip(roots, gys, strict=True)
                 if y is not None and y._data is not None and y.requires_grad and is_float(y._data)]
        try:
            with changed(watch=self):
                self.keep(backprop(seeds, retain_graph=True))
        except Exception as error:  # of a formula of the user, or because something was changed since
            self.notes = f"backward did not run ({type(error).__name__}: {error}); the gradients are those that were computed before",
            self.gradients, self.flows, self.order = held_gradients(self.found), {}, []

    def keep(self, found: dict[Any, Any]) -> None:
        """Note the gradients of leaves, as ``.grad`` would get them."""
        ids = {leaf: id_ for leaves in (self.found.places, self.twins.variables) for id_, leaf in leaves.items()}
        sums: dict[str, Any] = {}
        for leaf, g in found.items():
            if leaf in ids:  # a checkpoint that runs again uses leaves themselves, beside their twins
                sums[ids[leaf]] = sums[ids[leaf]] + g if ids[leaf] in sums else g
        for id_, g in sums.items():
            place = self.found.places[id_]
            hooks = getattr(place, "_hooks", None)
            dtype = place._dtype if isinstance(place, Node) else place._data.dtype
            self.gradients[id_] = as_numpy(run_hooks(hooks, g) if hooks else g).astype(dtype, copy=False)

    def ran(self, fn: Any, xs: Any, returns: Any) -> None:
        """A formula may run a whole function once more (checkpoint); the graph does not show it."""

    def before(self, node: Any, gy: Any) -> None:
        id_ = self.functions.get(node.function)
        if id_ is None:
            if node in self.ends:
                self.gradients[self.ends[node]] = as_numpy(gy)
            return
        if not isinstance(node, Output):
            self.order.append(id_)
        result = self.results.get((id_, index_of(node)))
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
