"""Explanation: how the gradient of one variable comes about, in parts that can be looked at, computed and told."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from html import escape
from typing import Any, NamedTuple

import numpy as np

from dezero.errors import UntrackedError
from dezero.viz.chain.between import Chain, Use
from dezero.viz.chain.bound import Bound
from dezero.viz.chain.expression import Expression
from dezero.viz.chain.naming import is_number
from dezero.viz.chain.telling import tell
from dezero.viz.graph import Collection
from dezero.viz.reading.writing import shown
from dezero.viz.values import Values

_STEPS = 2000   # of all paths that are written out, together
_LONGEST = 200  # letters of a path's formula


class Line(NamedTuple):
    """A variable that the formulas use: how it was computed, "" where it was given; and a remark."""

    variable: str
    formula: str
    value: Any
    remark: str


class Path(NamedTuple):
    """One way from the output to the variable.

    Attributes:
        variables: the names on the way, the output's first.
        factors: where all on the way are numbers, or arrays of one shape: the local derivatives that the path multiplies.
        numbers: what they are.
        formula: the path's part of the gradient as one formula; "" where it would be too long.
        value: the path's part of the gradient; None where numbers are missing.
    """

    variables: tuple[str, ...]
    factors: tuple[str, ...]
    numbers: tuple[Any, ...]
    formula: str
    value: Any


class Part(NamedTuple):
    """What comes back to a variable from one function; ``op`` is "" for the gradient that backward starts with.

    ``where`` holds definitions of names in the formula, ``"n = ..."``.
    """

    formula: str
    op: str
    value: Any
    where: tuple[str, ...] = ()


class Step(NamedTuple):
    """The gradient of one variable: the sum of its parts."""

    variable: str
    gradient: str
    parts: tuple[Part, ...]
    value: Any


class Explanation:
    """The chain rule from the output of a graph to one of its variables; ``str()`` is the text.

    Attributes:
        output, variable, gradient: the names of the output, the variable and its gradient in the formulas.
        value: the gradient that the engine computes, an array; None where that is not known.
        complete: are the numbers on the way known too?
        count: the number of paths; 10**12 stands for that many and more.
        notes: sentences for the reader.
    """

    def __init__(self, found: Collection, values: Values, target: str, max_paths: int = 12, bound: Bound | None = None) -> None:
        self._found, self._values, self._target, self._max_paths = found, values, target, max_paths
        self._chain = chain = Chain(found, values, target)
        if not chain.order:
            raise UntrackedError("explain: no gradient flows from the output to this variable: it is used as a constant there, or not at all")
        if bound is None or any(f not in bound.formulas for f in chain.functions) or target not in bound.names:
            bound = Bound(found, values, chain.sources, chain.results, chain.functions, target)
        self._bound = bound
        self.output, self.variable = " + ".join(bound.names[v] for v in chain.starts), bound.names[target]
        self.gradient = bound.gradients[target]
        self.value, self.complete = values.gradients.get(target), bool(values.order)
        self.count = chain.counts[target]
        self.notes: tuple[str, ...] = (*values.notes, *self._hooked())

    # -- what it tells -----------------------------------------------------------------------------

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The variables that the formulas use, in the order in which they were computed."""
        return tuple([self.line(v) for v in self.listed])

    @cached_property
    def listed(self) -> list[str]:
        """Their ids."""
        chain = self._chain
        used = {self._target, *(v for f in chain.functions for v in (*chain.sources[f], *chain.results[f]))}
        return [v.id for v in self._found.graph.variables if v.id in used and not is_number(self._found, v)]

    def line(self, v: str) -> Line:
        """The variable with this id."""
        bound, node, name, f = self._bound, self._bound.nodes[v], self._bound.names[v], self._creators.get(v)
        tree = None if f is None else bound.forward(f)
        formula = "" if tree is None else shown(tree)
        if f is not None and tree is not None and len(bound.formula(f).results) > 1:
            formula = f"result {node.index + 1} of {formula}"
        remark = "" if node.name in (None, name) else f"named {node.name}"
        if node.kind == "parameter" and node.layer:
            remark = f"{node.name} of {node.layer}"
        return Line(name, formula, self._values.arrays.get(v), remark)

    @cached_property
    def kept(self) -> tuple[Line, ...]:
        """The arrays that the formulas use and that are no variables: what functions keep."""
        bound, used = self._bound, {*self._chain.functions}
        return tuple([Line(name, "", helper, f"kept by {bound.formulas[bound.owners[name]].name}") for name, helper in bound.helpers.items()
                      if isinstance(helper, np.ndarray) and bound.owners[name] in used])

    @cached_property
    def unread(self) -> tuple[str, ...]:
        """The names that stand for gradients whose code is more than a formula."""
        bound, uses = self._bound, [use for v in self.order for use in self._chain.uses.get(v, ())]
        return tuple([bound.opaque[u.function, u.argument] for u in uses if (u.function, u.argument) in bound.opaque
                      and not bound.formulas[u.function].rules[u.argument].said])

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """The first paths, as many as were asked for; none that would be very long."""
        paths = self._chain.paths(self._max_paths, _STEPS)
        factors = self._expression.factors() if paths else None
        values = {key: self._value(factor) for key, factor in (factors or {}).items()}
        return tuple([self._path(path, factors, values) for path in paths])

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The gradients of all variables on the way, from the output to the variable."""
        return tuple([self.step(v) for v in self.order])

    @property
    def order(self) -> list[str]:
        """Their ids."""
        return self._chain.order

    def step(self, v: str) -> Step:
        """The gradient of the variable with this id."""
        seed = self._chain.seed(v) if v in self._chain.starts else None
        parts = [Part(_start(seed), "", seed)] if v in self._chain.starts else []
        for use in self._chain.uses.get(v, ()):
            formula, *where = self._bound.parts(use.function, use.argument, {j: self._bound.gradient(r) for r, j in use.results})
            flow = self._values.flows.get((use.function, use.place))
            parts.append(Part(formula, self._bound.formulas[use.function].name, flow, tuple(where)))
        return Step(self._bound.names[v], self._bound.gradients[v], tuple(parts), self._values.gradients.get(v))

    @property
    def formula(self) -> str:
        """The gradient as one formula, as people read it; "" where it would be long."""
        tree = self._expression.nested()
        return "" if tree is None else shown(tree)

    @cached_property
    def expression(self) -> str:
        """The gradient as a Python expression over ``names``, whose value is the gradient."""
        return self._expression.text()

    @property
    def names(self) -> dict[str, Any]:
        """What the names in ``expression`` stand for: arrays, and functions on arrays."""
        return {name: self._expression.numbers[name] for name in self._expression.used()}

    def check(self) -> bool:
        """Does ``expression`` have the value that the engine computed?

        False where numbers are missing, or a hook changed a gradient on the way.
        """
        if not self.complete or self.value is None:
            return False
        computed = np.asarray(self._expression.value())
        close = {"float64": 1e-9, "float32": 1e-4}.get(self.value.dtype.name, 2e-2)
        size = np.abs(self.value).max(initial=0) + 1e-3 * self._summed()
        return computed.shape == self.value.shape and bool(np.allclose(computed, self.value, rtol=close, atol=close * size, equal_nan=True))

    def _summed(self) -> float:
        """The sizes of all numbers that the gradient may be a sum of: what cancels leaves rounding errors."""
        results = {r for use in self._chain.uses.get(self._target, ()) for r, _ in use.results}
        return float(sum(np.abs(self._values.gradients[r]).sum() for r in sorted(results) if r in self._values.gradients))

    def __str__(self) -> str:
        return tell(self)

    def __repr__(self) -> str:
        return f"<Explanation of ∂{self.output}/∂{self.variable}, paths: {self.count}>"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return f'<pre style="line-height:1.35">{escape(str(self))}</pre>'

    # -- how it is found ---------------------------------------------------------------------------

    @cached_property
    def _creators(self) -> dict[str, str]:
        return {r: f for f, results in self._chain.results.items() for r in results}

    @cached_property
    def _expression(self) -> Expression:
        return Expression(self._chain, self._bound)

    def _value(self, tree: Any) -> Any:
        """The value of a formula; None where numbers are missing."""
        return self._expression.computed(tree) if self.complete else None

    def _path(self, path: list[tuple[Use, str]], factors: Mapping[Any, Any] | None, values: Mapping[Any, Any]) -> Path:
        names = tuple([self._bound.names[r] for _, r in path] + [self.variable])
        tree = self._expression.along(path)
        formula = "" if tree is None else shown(tree)
        formula = formula if len(formula) <= _LONGEST else ""
        if factors is None:
            return Path(names, (), (), formula, self._expression.value_along(path) if self.complete else None)
        value = self._chain.seed(path[0][1] if path else self._target) if self.complete else None
        for step in path if self.complete else ():
            value = value * values[step]
        return Path(names, tuple([shown(factors[step]) for step in path]), tuple([values[step] for step in path]), formula, value)

    def _hooked(self) -> list[str]:
        """Hooks change gradients, and no formula shows how."""
        hooked = [f for f in self._chain.functions if self._found.functions[f]._plan.whole == "hooked"]
        names = [self._bound.names[r] for f in hooked for r in self._chain.results[f] if r in self._bound.names]
        names += [self.variable] if getattr(self._found.places[self._target], "_hooks", None) else []
        return [f"a hook changes the gradient of {', '.join(names)}, which the formulas do not show"] if names else []


def _start(seed: Any) -> str:
    """The gradient that backward starts with, in words."""
    if seed is None or np.all(seed == 1):
        return "1" if np.shape(seed) == () else f"ones({np.shape(seed)})"
    return "the gradient given"
