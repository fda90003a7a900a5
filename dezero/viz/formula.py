"""Formula: what a function computes and the formulas of its gradients as text, taken from the function's own code."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from dezero.core.node import Node
from dezero.core.operators import OPS
from dezero.core.variable import Variable
from dezero.viz import terms
from dezero.viz.known import Known, Piece, known_rules
from dezero.viz.reading import Reader, settings_given, sum_to
from dezero.viz.symbolic import Term, Unreadable
from dezero.viz.terms import Tree

_LONGEST = 300  # letters of a formula that people still read
_OWN = ("abs", "slice")  # of Python
_PRIVATE = ("_inputs", "_label", "_site", "_seen")


@dataclass(frozen=True, slots=True)
class Rule:
    """The gradient of one argument of a function.

    Attributes:
        tree: the formula, over the function's arguments, its results, ``incoming`` and ``helpers``.
        incoming: the names of the gradients of the results.
        helpers: by name, the functions and arrays that the formula uses.
        factor: of a function of each element, the local derivative, which the formula multiplies by.
        said: the formula as it is told, where that is not the tree; ``local`` are the names that it defines.
    """

    tree: Tree
    incoming: tuple[str, ...]
    helpers: dict[str, Any] = field(default_factory=dict)
    factor: Tree | None = None
    said: tuple[Piece, ...] = ()
    local: tuple[str, ...] = ()

    def text(self, names: Mapping[str, Tree] | None = None) -> str:
        """The formula as people read it, with other terms in place of its names."""
        given = names or {}
        return "".join(p if isinstance(p, str) else terms.shown(terms.fill(p, given)) for p in self.said or (self.tree,))


@dataclass(frozen=True, slots=True)
class Formula:
    """The formulas of one function.

    Attributes:
        forward: what it computes: ``"y = sin(x)"``.
        gradients: by the name of the argument: ``{"x": "gx = gy * cos(x)"}``.
        factors: for a function of each element, the local derivatives: ``{"x": "cos(x)"}``.
        arguments, results: the names of the arguments, by place, and of the results.
        value: the right side of ``forward``.
        rules: by the place of the argument.
    """

    forward: str
    gradients: dict[str, str]
    factors: dict[str, str]
    arguments: tuple[str, ...]
    results: tuple[str, ...]
    value: Tree
    rules: dict[int, Rule]


def formula_of(fn: Any, shapes: Sequence[tuple[int, ...] | None] | None = None) -> Formula:
    """The formulas of a Function that is part of a graph.

    They are read in the function's own code, for ops of the library and of users, with the settings that it was made with. Where the code
    says more than a formula can, a name such as ``lstm_grad_x`` stands for it.

    Args:
        fn: the creator of a Variable.
        shapes: of the inputs, where the graph does not know them (arrays that are constants).

    Examples:
        >>> import numpy as np
        >>> import dezero.functions as F
        >>> formula = formula_of(F.sin(Variable(np.array(1.0))).creator)
        >>> formula.forward, formula.gradients, formula.factors
        ('y = sin(x)', {'x': 'gx = gy * cos(x)'}, {'x': 'cos(x)'})
    """
    known = _shapes(fn) if shapes is None else list(shapes)
    key = _key(fn, known)
    found = _CACHE.get(key)
    if found is None:
        if len(_CACHE) >= 2000:
            _CACHE.clear()
        found = _formula(fn, known)
        if key is not None:
            _CACHE[key] = found
    return found


_CACHE: dict[Any, Formula] = {}


def _formula(fn: Any, shapes: list[Any]) -> Formula:
    arguments = tuple([_identifier(fn.argument(i)) for i in range(len(fn._edges))])
    outputs = _outputs(fn)
    results = tuple(fn.returns) if len(fn.returns) == len(outputs) else tuple([f"y{j}" for j in range(len(outputs))])
    present = _present(fn)
    inputs: list[Any] = []
    for i, edge in enumerate(fn._edges):
        number = _number(edge)
        inputs.append(None if i not in present else number if number is not None else Term(terms.name(arguments[i]), shapes[i]))
    about = _About(fn, arguments, results, inputs, [Term(terms.name(r), *o) for r, o in zip(results, outputs, strict=True)])
    places = [i for i, _, _ in fn._plan.calls]
    rules = {i: rule for i in places if (rule := about.rule(i)) is not None}
    value = about.forward()
    left = ", ".join(results)
    return Formula(f"{left} = {terms.shown(value)}", {fn.argument(i): f"g{arguments[i]} = {r.text()}" for i, r in rules.items()},
                   {fn.argument(i): terms.shown(r.factor) for i, r in rules.items() if r.factor is not None}, arguments, results, value, rules)


class Opaque:
    """What stands in a formula for a gradient that could not be read: that of input ``i``."""

    def __init__(self, i: int) -> None:
        self.i = i


class _About:
    """What is known of a function before its code is read."""

    def __init__(self, fn: Any, arguments: Sequence[str], results: Sequence[str], inputs: list[Any], outputs: list[Term]) -> None:
        self.fn, self.arguments, self.results, self.inputs, self.outputs = fn, arguments, results, inputs, outputs
        self.twin = type(fn).__new__(type(fn))  # as self: it has the settings, and no way into the graph, which the cache would keep alive
        self.twin.__dict__.update({k: v for k, v in fn.__dict__.items() if k not in _PRIVATE})
        self.twin._plan = fn._plan

    def forward(self) -> Tree:
        """What the function computes: an op of the library by its name, another as it is written where that is short."""
        cls, given = type(self.fn), [x for x in self.inputs if x is not None]
        reader = Reader(self.twin, taken=self.arguments)
        if not (OPS.get(cls.op) is cls and cls.__module__.startswith("dezero.")):
            try:
                value = reader.run(cls.forward, [self.twin, *self.inputs])
                if isinstance(value, Term) and len(terms.text(value.tree)) <= 60:
                    return value.tree
            except Unreadable:
                pass
        settings = {k: v for k, v in settings_given(self.fn).items() if terms.constant(v) is not None}
        try:
            return reader.tree(reader.op(cls, given, settings))
        except (Unreadable, KeyError):
            return terms.call(terms.name(self.name), [reader.tree(x) for x in given])

    def rule(self, i: int) -> Rule | None:
        """The gradient of argument ``i``; None where the code gives none."""
        cls = type(self.fn)
        incoming = self.incoming(i)
        gys = [Term(terms.gradient(g), y.shape, y.dtype) for g, y in zip(incoming, self.outputs, strict=True)]
        reader = Reader(self.twin, self.inputs, self.outputs, (*self.arguments, *self.results, *incoming))
        known = known_rules(self.fn, dict(zip(self.arguments, self.inputs, strict=True)), self.outputs[0].shape, reader).get(self.arguments[i], Known())
        try:
            found = Term(known.tree) if known.tree is not None else self.read(reader, cls, i, gys)
            if found is None:
                return None
            tree = reader.tree(found)
            if len(terms.text(tree)) > _LONGEST or any(n not in reader.taken and n not in reader.helpers and n not in _OWN for n in terms.names_in(tree)):
                raise Unreadable("a long formula")
        except Unreadable:
            name = f"{self.name}_grad_{self.arguments[i]}"
            return Rule(terms.call(terms.name(name), [g.tree for g in gys]), tuple(incoming), {name: Opaque(i)}, None, known.said, known.local)
        factor = terms.fill(tree, {incoming[0]: terms.parsed("1")}) if cls.broadcasts and cls.scalars and len(incoming) == 1 else None
        shape = getattr(self.inputs[i], "shape", None)
        if shape is not None and self.stretched(i, shape):
            tree = terms.call(reader.helper("sum_to", sum_to), [tree, reader.tree(shape)])
        used = terms.names_in(tree)
        return Rule(tree, tuple(incoming), {k: v for k, v in reader.helpers.items() if k in used}, factor, known.said, known.local)

    @property
    def name(self) -> str:
        """What the function is called where it has no sign."""
        op = self.fn.op
        return op if op.isidentifier() else type(self.fn).__name__

    def incoming(self, i: int) -> list[str]:
        """The names of the gradients of the results, as the code calls them."""
        cls = type(self.fn)
        formula = cls.backward if not cls.native or cls.shared is not None else getattr(cls, f"grad_{cls.args[i]}", cls.backward)
        given = [p for p in list(inspect.signature(formula).parameters.values())[1:] if p.kind is not p.KEYWORD_ONLY]
        if len(given) == len(self.outputs) and all(p.kind is not p.VAR_POSITIONAL for p in given):
            return [p.name for p in given]
        return [f"g{r}" for r in self.results]

    def read(self, reader: Reader, cls: Any, i: int, gys: list[Term]) -> Any:
        """What the code of the gradient returns for argument ``i``."""
        if self.fn._plan.whole == "own":
            raise Unreadable("not a formula")
        if not cls.native:
            return _picked(reader.run(cls.backward, [self.twin, *gys]), i)
        name = "backward" if cls.shared is not None else f"grad_{cls.args[i]}"
        known = dict(zip(self.arguments, self.inputs, strict=True))
        known.update(zip(self.results, self.outputs, strict=True))
        if cls.variadic:
            known[cls.args[-1]] = tuple(self.inputs[len(cls.args) - 1:])
        if unknown := [k for k in cls.wants[name] if k not in known]:
            raise Unreadable(f"{unknown[0]} is kept for the gradient alone")
        found = reader.run(getattr(cls, name), [self.twin, *gys], {k: known[k] for k in cls.wants[name]})
        return found if cls.shared is None else _picked(found, i)

    def stretched(self, i: int, shape: tuple[int, ...]) -> bool:
        """Is the gradient of input ``i`` to be summed because the input was broadcast?"""
        y = self.outputs[0].shape
        if not self.fn.broadcasts or y is None:
            return False
        if self.fn.scalars:
            return shape != y
        shapes = [getattr(x, "shape", None) or () for x in self.inputs]
        if self.fn.op not in ("matmul", "solve"):  # a loss of two arrays
            return shape != np.broadcast_shapes(*shapes)
        if self.fn.op == "matmul" and len(shapes[1]) <= 2:
            return False
        return max(map(len, shapes)) > 2 and shape[:-2] != y[: max(map(len, shapes)) - 2]


def _picked(found: Any, i: int) -> Any:
    """Gradient ``i`` of those that ``backward`` returned."""
    if isinstance(found, (tuple, list)):
        return found[i]
    if i or found is None:
        raise Unreadable("one gradient for several inputs")
    return found


def _identifier(argument: str) -> str:
    """``xs[0]`` as a name."""
    base, _, index = argument.partition("[")
    if index:
        base = "index" if base == "indices" else base.removesuffix("s") or base
    return f"{base}{index[:-1]}".replace(" ", "")


def _number(edge: Any) -> Any:
    return edge if isinstance(edge, (int, float)) else None


def _shapes(fn: Any) -> list[tuple[int, ...] | None]:
    """The shapes of the inputs, as far as the graph knows them."""
    kept = dict(zip(fn._plan.sources, fn._kept or (), strict=False))
    given = fn._inputs or ()
    found: list[tuple[int, ...] | None] = []
    for i, edge in enumerate(fn._edges):
        x = edge if isinstance(edge, Node) else given[i] if i < len(given) else edge if isinstance(edge, Variable) else kept.get(i)
        shape = x._shape if isinstance(x, Node) else () if isinstance(edge, (int, float)) else getattr(getattr(x, "_data", x), "shape", None)
        found.append(shape)
    return found


def _outputs(fn: Any) -> list[tuple[tuple[int, ...], Any]]:
    """The shapes and dtypes of the results."""
    return [(fn._shape, fn._dtype)] if fn._shape is not None else list(fn._dtype)


def _present(fn: Any) -> list[int]:
    """The inputs that were given: some may be None, and the last ones left out."""
    kept = dict(zip(fn._plan.sources, fn._kept or (), strict=False))
    seen = getattr(fn, "_seen", ((),))[0]
    found = []
    for i, edge in enumerate(fn._edges):
        value = edge if edge is not None else seen[i] if i < len(seen) else kept.get(i)
        if value is not None or not (i in kept or i < len(seen) or i in _optional(type(fn))):
            found.append(i)
    return found


@cache
def _optional(cls: Any) -> frozenset[int]:
    return frozenset(i for i, p in enumerate(list(inspect.signature(cls.forward).parameters.values())[1:]) if p.default is None)


def _key(fn: Any, shapes: list[Any]) -> Any:
    """Something to look a formula up by; None where a setting is an array, or whatever else has no fixed value."""
    settings = tuple([(k, type(v), v) for k, v in fn.__dict__.items() if k not in _PRIVATE])
    numbers = tuple([edge if isinstance(edge, (int, float)) else None for edge in fn._edges])
    key = (type(fn), fn._plan.needs, fn._plan.whole, settings, tuple(shapes), fn._shape, fn._dtype, numbers, tuple(_present(fn)))
    try:
        hash(key)
        return key
    except TypeError:  # slices cannot be hashed before Python 3.12
        return _plain(key)


def _plain(x: Any) -> Any:
    """The same with slices and lists as tuples; None where that does not help."""
    if isinstance(x, (list, tuple, slice)):
        parts = [_plain(part) for part in ((x.start, x.stop, x.step) if isinstance(x, slice) else x)]
        return None if any(p is None for p in parts) else (type(x), *parts)
    return (type(x), x) if x is None or x is Ellipsis or isinstance(x, (bool, int, float, str, type, np.dtype)) else None
