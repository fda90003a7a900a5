"""Bound: the formulas of a graph's functions, in the names of its variables, with what it takes to compute them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from dezero.backend import as_numpy
from dezero.config import changed
from dezero.core.backprop import backprop
from dezero.core.formulas import as_whole
from dezero.core.node import Bundle
from dezero.core.operators import OPS
from dezero.core.variable import Variable
from dezero.viz.chain.naming import gradient_names, is_number, names_of
from dezero.viz.formula import Formula, Opaque, Rule, formula_of
from dezero.viz.graph import Collection
from dezero.viz.reading import terms
from dezero.viz.reading.terms import Tree
from dezero.viz.reading.writing import shown
from dezero.viz.values import Values


class Bound:
    """The formulas of some functions of a graph.

    Args:
        found: the graph.
        values: its numbers.
        sources, results: by id of a function, the ids of its inputs and of its results; of all functions.
        functions: the ids of those whose gradients are wanted.
        target: the id of a variable that is called x if it has no name.
        names: what the variables are called, by id; found here where None, or where one of them is the name of a helper.

    Attributes:
        names, gradients: the names of the variables and of their gradients, by id.
        helpers: by name, the functions and arrays that the formulas use beside the variables; (function, input) for a gradient that was not read.
        owners: of a helper, a function that uses it.
        opaque: by function and input, the name of a gradient that was not read.
    """

    def __init__(self, found: Collection, values: Values, sources: Mapping[str, Sequence[str]], results: Mapping[str, Sequence[str]],
                 functions: Sequence[str], target: str, names: Mapping[str, str] | None = None) -> None:
        self.found, self.values, self.sources, self.results = found, values, sources, results
        self.nodes = {v.id: v for v in found.graph.variables}
        self.places: dict[str, dict[int, str]] = {}  # of a function: its results by place
        self.formulas: dict[str, Formula] = {}
        self.helpers: dict[str, Any] = {}
        self._renamed: dict[tuple[str, str], str] = {}
        self.opaque: dict[tuple[str, int], str] = {}
        self._known: dict[Any, str] = {}
        self.owners: dict[str, str] = {}
        for f in functions:
            formula = self.formula(f)
            for i, _, _ in found.functions[f]._plan.calls:
                self._register(f, i, formula)
        taken = {*self.helpers, "abs", "slice"}
        only = {target, *(v for f in functions for v in (*sources[f], *results[f]))}
        if names is None or not taken.isdisjoint(names.values()):
            self.names = names_of(found, only, taken=taken, target=target)
        else:
            self.names = {v.id: names[v.id] for v in found.graph.variables if v.id in only}
        self.gradients = gradient_names(self.names, taken)

    # -- formulas ----------------------------------------------------------------------------------

    def variable(self, v: str) -> Tree:
        """A variable in a formula: its name, or the number that it is."""
        number = terms.constant(self.found.constants[v]) if is_number(self.found, self.nodes[v]) else None
        return terms.name(self.names[v]) if number is None else number

    def gradient(self, v: str) -> Tree:
        """The gradient of a variable in a formula."""
        return terms.gradient(self.gradients[v])

    def formula(self, f: str) -> Formula:
        """The formulas of a function in its own names."""
        if f not in self.formulas:
            self.places[f] = {self.nodes[r].index: r for r in self.results[f]}
            self.formulas[f] = formula_of(self.found.functions[f], self._shapes(f))
        return self.formulas[f]

    def forward(self, f: str) -> Tree | None:
        """What a function computes; None where one of its inputs has no name here."""
        if any(v not in self.names for v in self.sources[f]):
            return None
        return terms.fill(self.formula(f).value, self._given(f, None, {}))

    def rule(self, f: str, i: int, incoming: Mapping[int, Tree]) -> Tree:
        """The gradient of input ``i``, from the gradients of the results, by their place; a missing one is 0."""
        if (f, i) in self.opaque:
            return terms.call(terms.name(self.opaque[f, i]), [incoming.get(j) or self._nothing(f, j) for j in range(len(self.formulas[f].results))])
        rule = self.formulas[f].rules[i]
        return terms.fill(rule.tree, self._given(f, rule, incoming))

    def factor(self, f: str, i: int, scalar: bool) -> Tree | None:
        """The local derivative by input ``i``: of a function of each element, or of any where all are numbers; None where there is none."""
        rule = self.formulas[f].rules.get(i)
        if rule is not None and rule.factor is not None:
            return terms.fill(rule.factor, self._given(f, rule, {}))
        if scalar and ((f, i) in self.opaque or rule is not None and terms.only_arithmetic(rule.tree, rule.incoming[0])):
            return self.rule(f, i, {0: terms.parsed("1")})
        return None

    def text(self, f: str, i: int, incoming: Mapping[int, Tree]) -> str:
        """The gradient of input ``i`` as people read it."""
        formula, *where = self.parts(f, i, incoming)
        return f"{formula} with {', '.join(where)}" if where else formula

    def parts(self, f: str, i: int, incoming: Mapping[int, Tree]) -> list[str]:
        """The gradient of input ``i`` as people read it, and what the names in that stand for."""
        rule = self.formulas[f].rules.get(i)
        if rule is None or not rule.said:
            return [shown(self.rule(f, i, incoming))]
        return rule.parts(self._given(f, rule, dict.fromkeys(range(len(rule.incoming)), terms.nothing()) | dict(incoming)))

    def _given(self, f: str, rule: Rule | None, incoming: Mapping[int, Tree]) -> dict[str, Tree]:
        """What stands in a formula of function ``f`` for the names that its code uses."""
        formula = self.formulas[f]
        given = {formula.results[j]: self.variable(r) for j, r in self.places[f].items() if r in self.names}
        given |= {formula.arguments[i]: self.variable(v) for i, v in zip(self.found.inputs[f], self.sources[f], strict=True)}
        if rule is not None:
            given |= {g: incoming.get(j) or self._nothing(f, j, rule) for j, g in enumerate(rule.incoming)}
            given |= {name: terms.name(self._renamed.get((f, name), name)) for name in rule.helpers}
            used = {*self.names.values(), *self.gradients.values()} if rule.local else ()
            given |= {name: terms.name(f"{name}_") for name in rule.local if name in used}
        return given

    def _nothing(self, f: str, j: int, rule: Rule | None = None) -> Tree:
        """The gradient of a result that none comes to: zeros, or 0 where that does not lose a shape."""
        fn = self.found.functions[f]
        shapes = {fn._shape} if fn._shape is not None else {shape for shape, _ in fn._dtype}
        if fn._shape is not None or (rule is not None and len(shapes) == 1 and all(terms.only_arithmetic(rule.tree, g) and terms.count(rule.tree, g)
                                                                                   for g in rule.incoming)):
            return terms.nothing()
        return terms.call(terms.name("zeros"), [terms.constant(fn._dtype[j][0]) or terms.parsed("()")])

    def _shapes(self, f: str) -> list[Any]:
        """The shapes of a function's inputs."""
        shapes: list[Any] = [None] * len(self.found.functions[f]._edges)
        for i, v in zip(self.found.inputs[f], self.sources[f], strict=True):
            shapes[i] = self.nodes[v].shape if v not in self.values.arrays else np.shape(self.values.arrays[v])
        return shapes

    # -- helpers -----------------------------------------------------------------------------------

    def _register(self, f: str, i: int, formula: Formula) -> None:
        """Find names for what the gradient of an input uses; where it uses what the graph does not have, it is not spelt out."""
        if len(formula.results) > 1:
            self._add("zeros", np.zeros)
        rule = formula.rules.get(i)
        missing = {r for j, r in enumerate(formula.results) if j not in self.places[f]}
        if self.values.order:
            missing |= {formula.arguments[k] for k, v in zip(self.found.inputs[f], self.sources[f], strict=True) if v not in self.values.arrays}
        opaque = rule is None or not missing.isdisjoint(terms.names_in(rule.tree)) or any(isinstance(h, Opaque) for h in rule.helpers.values())
        if opaque:
            self.opaque[f, i] = self._add(f"{formula.name}_grad_{formula.arguments[i]}", (f, i))
            self.owners[self.opaque[f, i]] = f
        for name, helper in {} if opaque or rule is None else rule.helpers.items():
            self._renamed[f, name] = self._add(name, helper)
            self.owners[self._renamed[f, name]] = f

    def _add(self, wish: str, helper: Any) -> str:
        """A name for a helper, the same for the same."""
        mark = (wish, helper if helper.__hash__ is not None else id(helper))
        if mark not in self._known:
            key, n = wish, 1
            while key in self.helpers:
                n += 1
                key = f"{wish}_{n}"
            self._known[mark] = key
            self.helpers[key] = helper
        return self._known[mark]

    def value_of(self, name: str) -> Any:
        """What a helper's name stands for: something to call, or an array."""
        helper = self.helpers[name]
        return self.backward_of(*helper) if isinstance(helper, tuple) else helper

    def backward_of(self, f: str, i: int) -> Callable[..., Any]:
        """The engine's own gradient of input ``i``, as a function of the gradients of the results."""
        fn = self.found.functions[f]
        if fn._kept is None:  # backward() has freed it: run it once more
            inputs: list[Any] = [None] * len(fn._edges)
            for k, v in zip(self.found.inputs[f], self.sources[f], strict=True):
                a = self.values.arrays.get(v)
                inputs[k] = a if a is None or is_number(self.found, self.nodes[v]) or not fn.needs_grad(k) else Variable(np.asarray(a))
            state = np.random.get_state()
            try:
                fn = fn._again()
                with changed(record=True, watch=None, layer=self.found.functions[f]._layer, again=True):
                    alive = fn(*inputs)
            finally:
                np.random.set_state(state)
        else:
            alive = None
        return lambda *gys: _gradient(fn, i, gys, alive)


def _gradient(fn: Any, i: int, gys: Sequence[Any], alive: Any) -> Any:
    """The gradient of input ``i`` of a recorded function; ``alive`` are its results, where nobody else holds them."""
    outputs = [(fn._shape, fn._dtype)] if fn._shape is not None else fn._dtype
    full = [fn.xp.broadcast_to(fn.xp.asarray(g, dtype), shape) for g, (shape, dtype) in zip(gys, outputs, strict=True)]
    plan = fn._plan.inner or fn._plan
    if plan.whole and plan.whole != "composed":
        gy = full[0] if fn._shape is not None else Bundle(enumerate(full))
        found = as_whole(fn, plan, gy, fn._kept, False, backprop)[i]
    else:
        formula, takes = next((formula, takes) for j, formula, takes in plan.calls if j == i)
        found = formula(fn, full[0], *(() if takes is None else (fn._kept[takes],) if isinstance(takes, int) else takes(fn._kept)))
    shape = fn._edges[i]._shape
    return as_numpy(found if found.shape == shape else OPS["sum_to"].on(found, shape=shape))
