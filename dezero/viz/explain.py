"""Explain: the chain rule from an output to a variable, path by path, in symbols and in numbers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cached_property
from html import escape
from typing import Any, NamedTuple, TextIO

import numpy as np

from dezero.backend import as_numpy
from dezero.core.backprop import check_differentiable, last_output
from dezero.core.value import is_float
from dezero.core.variable import Variable
from dezero.errors import InputTypeError, IntegerGradientError, UntrackedError, describe
from dezero.viz import terms
from dezero.viz.bound import Bound
from dezero.viz.chain import Chain, Use
from dezero.viz.expression import Expression
from dezero.viz.formula import formula_of
from dezero.viz.graph import Collection, collect, place_of
from dezero.viz.naming import is_number, names_of
from dezero.viz.symbolic import evaluate
from dezero.viz.telling import tell
from dezero.viz.values import Values, run_of

__all__ = ["Explanation", "Line", "Part", "Path", "Step", "explain", "explanation_of", "local_rule", "names_of"]
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
    """What comes back to a variable from one function; ``op`` is "" for the gradient that backward starts with."""

    formula: str
    op: str
    value: Any


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
        value: the gradient that the engine computes, an array; None where numbers are missing.
        count: the number of paths; 10**12 stands for that many and more.
        notes: sentences for the reader.
    """

    def __init__(self, found: Collection, values: Values, target: str, max_paths: int = 12, names: Mapping[str, str] | None = None) -> None:
        self._found, self._values, self._target, self._max_paths = found, values, target, max_paths
        self._chain = chain = Chain(found, values, target)
        if not chain.order:
            raise UntrackedError("explain: no gradient flows from the output to this variable: it is used as a constant there, or not at all")
        self._bound = Bound(found, values, chain.sources, chain.results, chain.functions, target, names)
        names = self._bound.names
        self.output, self.variable, self.gradient = " + ".join(names[v] for v in chain.starts), names[target], self._bound.gradients[target]
        self.value = values.gradients.get(target)
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
        return [v for v in self._bound.names if not is_number(self._found, self._bound.nodes[v])]

    def line(self, v: str) -> Line:
        """The variable with this id."""
        bound, node, name, f = self._bound, self._bound.nodes[v], self._bound.names[v], self._creators.get(v)
        tree = None if f is None else bound.forward(f)
        formula = "" if tree is None else terms.shown(tree)
        if f is not None and formula and len(bound.formula(f).results) > 1:
            formula = f"result {node.index + 1} of {formula}"
        remark = f"{node.name} of {node.layer}" if node.kind == "parameter" and node.layer else f"named {node.name}" if node.name not in (None, name) else ""
        return Line(name, formula, self._values.arrays.get(v), remark)

    @cached_property
    def _creators(self) -> dict[str, str]:
        return {r: f for f, results in self._chain.results.items() for r in results}

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
            text = self._bound.text(use.function, use.argument, {j: self._bound.gradient(r) for r, j in use.results})
            parts.append(Part(text, self._found.functions[use.function].op, self._values.flows.get((use.function, use.place))))
        return Step(self._bound.names[v], self._bound.gradients[v], tuple(parts), self._values.gradients.get(v))

    @property
    def formula(self) -> str:
        """The gradient as one formula, as people read it; "" where it would be long."""
        tree = self._expression.nested()
        return "" if tree is None else terms.shown(tree)

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
        if self.value is None or self._values.notes and not self._values.order:
            return False
        computed = np.asarray(self._expression.value())
        close = {"float64": 1e-9, "float32": 1e-4}.get(self.value.dtype.name, 2e-2)
        size = np.abs(self.value).max(initial=0) if self.value.size else 0
        return computed.shape == self.value.shape and bool(np.allclose(computed, self.value, rtol=close, atol=close * size, equal_nan=True))

    def __str__(self) -> str:
        return tell(self)

    def __repr__(self) -> str:
        return f"<Explanation of ∂{self.output}/∂{self.variable}, {self.count} paths>"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return f'<pre style="line-height:1.35">{escape(str(self))}</pre>'

    # -- how it is found ---------------------------------------------------------------------------

    @cached_property
    def _expression(self) -> Expression:
        return Expression(self._chain, self._bound)

    def _value(self, tree: Any) -> Any:
        """The value of a formula; None where numbers are missing."""
        return None if self.value is None else evaluate(tree, self._expression.numbers)

    def _path(self, path: list[tuple[Use, str]], factors: Mapping[Any, Any] | None, values: Mapping[Any, Any]) -> Path:
        names = self._bound.names
        on_it = tuple([names[r] for _, r in path] + [self.variable])
        tree = self._expression.along(path)
        formula = "" if tree is None else terms.shown(tree)
        known = self.value is not None
        if factors is None:
            return Path(on_it, (), (), formula if len(formula) <= _LONGEST else "", self._expression.value_along(path) if known else None)
        numbers = tuple([values[step] for step in path])
        value = self._chain.seed(path[0][1] if path else self._target) if known else None
        for n in numbers if known else ():
            value = value * n
        return Path(on_it, tuple([terms.shown(factors[step]) for step in path]), numbers, formula if len(formula) <= _LONGEST else "", value)

    def _hooked(self) -> list[str]:
        """Hooks change gradients, and no formula shows how."""
        names = [self._bound.names[r] for f in self._chain.functions if self._found.functions[f]._plan.whole == "hooked" for r in self._chain.results[f]
                 if r in self._bound.names]
        return [f"a hook changes the gradient of {', '.join(names)} on the way, which the formulas do not show"] if names else []


def _start(seed: Any) -> str:
    """The gradient that backward starts with, in words."""
    if seed is None or np.all(seed == 1):
        return "1" if np.shape(seed) == () else f"ones({np.shape(seed)})"
    return "the gradient given"


def explain(x: Variable, y: Variable | None = None, *, max_paths: int = 12, file: TextIO | None = None) -> Explanation:
    """Print how the gradient of ``x`` comes about: the chain rule, path by path from ``y`` to ``x``, in symbols and in numbers.

    The formulas are read in the code of the functions. Where a variable is used more than once, its gradient is the sum of what comes back
    from each use. Products of local derivatives are shown where all are numbers or arrays of one shape; else each formula takes the gradient
    of the result and gives that of the input. No ``.grad`` changes.

    Args:
        x: a leaf, a parameter, or a result in between.
        y: what was computed from it; where None, the output of the last ``backward()`` of this thread, if it still lives.
        max_paths: so many paths are written out at most. Their number may grow fast; the part "Backward" has one line for each variable.
        file: where to print, the screen by default.

    Returns:
        The explanation, with its parts: ``paths``, ``steps``, ``expression`` and ``names`` to compute it, ``value``.

    Raises:
        InputTypeError: ``x`` or ``y`` is no Variable.
        IntegerGradientError: one of them is of an integer or bool dtype.
        UntrackedError: no gradient flows from ``y`` to ``x``, or no output is known.

    Examples:
        >>> import numpy as np
        >>> x = Variable(np.array(3.0), name="x")
        >>> y = x * x + x
        >>> y.backward()
        >>> e = explain(x, y)  # doctest: +NORMALIZE_WHITESPACE
        gx = ∂y/∂x = 7
        <BLANKLINE>
        Forward
          x         = 3
          a = x * x = 9
          y = a + x = 12
        <BLANKLINE>
        Paths from y back to x: 3
          1. y → a → x   x = 3
          2. y → a → x   x = 3
          3. y → x       1
          sum: 3 + 3 + 1 = 7
        <BLANKLINE>
        Backward
          gy = 1
          ga = gy       = 1
          gx = ga * x   = 3  (mul)
             + ga * x   = 3  (mul)
             + gy       = 1  (add)
             = 3 + 3 + 1 = 7
        <BLANKLINE>
        In one formula
          gx = x + x + 1
        >>> e.expression, e.check()
        ('x + x + 1', True)
    """
    explanation = _explanation(x, y, max_paths)
    text = f"{explanation}\n"
    out = sys.stdout if file is None else file
    encoding = getattr(out, "encoding", None) or "utf-8"
    out.write(text.encode(encoding, "replace").decode(encoding))
    return explanation


def _explanation(x: Variable, y: Variable | None, max_paths: int) -> Explanation:
    for what, v in (("x", x), ("y", y)):
        if not isinstance(v, Variable) and not (what == "y" and v is None):
            raise InputTypeError(f"explain: {what} is {describe(v)}: a Variable is expected")
    if x._data is not None and not is_float(x._data):
        raise IntegerGradientError(f"explain: x is {x.dtype}: integers and bools are constants and have no gradient; "
                                   "compute with floats, x.astype(np.float32) say")
    if not x.requires_grad:
        raise UntrackedError("explain: x is a constant (requires_grad=False, detached, or computed under no_grad()): it has no gradient")
    given = y is not None
    if y is None:
        y = last_output()
    if y is None:
        raise UntrackedError("explain: it is not known from which output: no backward() ran in this thread, or its output is gone; "
                             "pass the output: explain(x, y)")
    check_differentiable(y, "explain")
    found = collect(y)
    target = next((id_ for id_, place in found.places.items() if place is place_of(x)), None)
    if target is None:
        raise UntrackedError("explain: y was not computed from x: no path leads from y back to it" if given else
                             "explain: the output of the last backward() was not computed from x; pass the output: explain(x, y)")
    explanation = explanation_of(found, run_of(y)[1], target, max_paths=max_paths)
    grad = None if x._grad is None or x._grad._data is None else as_numpy(x._grad)
    if grad is not None and explanation.value is not None and not np.allclose(grad, explanation.value, rtol=1e-4, atol=1e-7, equal_nan=True):
        explanation.notes += ("x.grad holds something else: the sum of several backward() calls, or the gradient of another output",)
    return explanation


def explanation_of(found: Collection, values: Values, target: str, *, max_paths: int = 12, names: Mapping[str, str] | None = None) -> Explanation:
    """The explanation of one variable's gradient in a graph whose numbers are known. Nothing is printed.

    Args:
        found: the graph.
        values: its numbers, of a watched run.
        target: the variable's id.
        max_paths: so many paths are written out at most.
        names: what all variables of the graph are called, by id; found here where None.

    Raises:
        UntrackedError: no gradient flows from an output to it.

    Examples:
        >>> x = Variable(np.array(3.0), name="x")
        >>> y = x * x
        >>> explanation_of(collect(y), run_of(y)[1], "v0").formula
        'x + x'
    """
    return Explanation(found, values, target, max_paths, names)


def local_rule(found: Collection, function: str) -> tuple[str, dict[int, str]]:
    """The formulas of one function of a graph, in the names that its own code has for its arguments.

    Args:
        found: the graph.
        function: the function's id.

    Returns:
        What it computes; and by the place among the edges that lead to it, the gradients that it sends back.

    Examples:
        >>> y = Variable(np.array(3.0), name="x") ** 2
        >>> local_rule(collect(y), "f0")
        ('y = x ** 2', {0: 'gx = gy * 2 * x'})
    """
    fn = found.functions[function]
    formula = formula_of(fn)
    arguments = {place: fn.argument(i) for place, i in enumerate(found.inputs[function])}
    return formula.forward, {place: formula.gradients[a] for place, a in arguments.items() if a in formula.gradients}
