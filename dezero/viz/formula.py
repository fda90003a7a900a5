"""Formula: what a function computes and the formulas of its gradients as text, taken from the function's own code."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from dezero.core.node import Node
from dezero.core.variable import Variable
from dezero.viz.reading import terms
from dezero.viz.reading.known import Known, Said, known_rules
from dezero.viz.reading.reader import Reader
from dezero.viz.reading.settings import settings_given
from dezero.viz.reading.spelling import is_ours, sum_to
from dezero.viz.reading.symbolic import Term, Unreadable
from dezero.viz.reading.terms import Tree
from dezero.viz.reading.writing import shown, text

_LONGEST, _SHORT = 300, 60  # letters of a gradient's formula that people still read, and of a user's forward
_OWN = ("abs", "slice")     # names of Python that formulas use
_PRIVATE = ("_inputs", "_label", "_site", "_seen")


@dataclass(frozen=True, slots=True)
class Rule:
    """The gradient of one argument of a function.

    Attributes:
        tree: the formula, over the function's arguments, its results, ``incoming`` and ``helpers``.
        incoming: the names of the gradients of the results.
        helpers: by name, the functions and arrays that the formula uses; an ``Opaque`` where the code could not be read.
        factor: of a function of each element, the local derivative, which the formula multiplies by.
        said: the formula as it is told, where that is not the tree, and what the names in it stand for; ``local`` are these names.
    """

    tree: Tree
    incoming: tuple[str, ...]
    helpers: dict[str, Any] = field(default_factory=dict)
    factor: Tree | None = None
    said: Said = ()
    local: tuple[str, ...] = ()

    def parts(self, names: Mapping[str, Tree] | None = None) -> list[str]:
        """The formula as people read it, with other terms in place of its names, and a definition for each name that it brings."""
        given = names or {}
        return ["".join(p if isinstance(p, str) else shown(terms.fill(p, given)) for p in part) for part in self.said or ((self.tree,),)]

    def text(self) -> str:
        """All that in one line."""
        formula, *where = self.parts()
        return f"{formula} with {', '.join(where)}" if where else formula


@dataclass(frozen=True, slots=True)
class Opaque:
    """What stands in a formula for the gradient of input ``i``, where its code could not be read."""

    i: int


@dataclass(frozen=True, slots=True)
class Formula:
    """The formulas of one function.

    Attributes:
        forward: what it computes: ``"y = sin(x)"``.
        gradients: by the name of the argument: ``{"x": "gx = gy * cos(x)"}``.
        factors: for a function of each element, the local derivatives: ``{"x": "cos(x)"}``.
        name: what the function is called where it has no sign.
        arguments, results: the names of the arguments, by place, and of the results.
        value: the right side of ``forward``.
        rules: by the place of the argument.
    """

    forward: str
    gradients: dict[str, str]
    factors: dict[str, str]
    name: str
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
        found = _formula(fn, known)
        if len(_CACHE) >= 2000:
            _CACHE.clear()
        if key is not None:
            _CACHE[key] = found
    return found


_CACHE: dict[Any, Formula] = {}


def _formula(fn: Any, shapes: list[Any]) -> Formula:
    about = _About(fn, shapes)
    rules = {i: rule for i, _, _ in fn._plan.calls if (rule := about.rule(i)) is not None}
    value, names = about.forward(), about.arguments
    gradients = {fn.argument(i): f"g{names[i]} = {rule.text()}" for i, rule in rules.items()}
    factors = {fn.argument(i): shown(rule.factor) for i, rule in rules.items() if rule.factor is not None}
    return Formula(f"{', '.join(about.results)} = {shown(value)}", gradients, factors, about.name, names, about.results, value, rules)


class _About:
    """What is known of a function before its code is read."""

    def __init__(self, fn: Any, shapes: list[Any]) -> None:
        self.fn, self.cls = fn, type(fn)
        outputs = _outputs(fn)
        self.name = next((n for n in (fn.op, self.cls.__name__) if n.isidentifier()), "function")
        self.arguments = tuple([_identifier(fn.argument(i)) for i in range(len(fn._edges))])
        named = len(fn.returns) == len(outputs) and all(r.isidentifier() for r in fn.returns)
        self.results = tuple(fn.returns) if named else tuple([f"y{j}" for j in range(len(outputs))])
        self.outputs = [Term(terms.name(r), *o) for r, o in zip(self.results, outputs, strict=True)]
        self.inputs: list[Any] = [None] * len(fn._edges)
        for i in _present(fn):
            edge = fn._edges[i]
            self.inputs[i] = edge if isinstance(edge, (int, float)) else Term(terms.name(self.arguments[i]), shapes[i])
        self.twin = object.__new__(self.cls)  # as self: it has the settings, and no way into the graph, which the cache would keep alive
        self.twin.__dict__.update({k: v for k, v in fn.__dict__.items() if k not in _PRIVATE})
        self.twin._plan = fn._plan

    def forward(self) -> Tree:
        """What the function computes: an op of the library by its name, another as it is written where that is short."""
        reader = Reader(self.twin, taken=self.arguments)
        given = [x for x in self.inputs if x is not None]
        try:
            if is_ours(self.cls):
                settings = {k: v for k, v in settings_given(self.fn).items() if terms.constant(v) is not None and self.fn._plan.whole != "own"}
                return reader.tree(reader.op(self.cls, given, settings))
            found = reader.run(self.cls.forward, [self.twin, *self.inputs])
            if isinstance(found, Term) and len(text(found.tree)) <= _SHORT:
                return found.tree
        except (Unreadable, KeyError):
            pass
        return terms.call(terms.name(self.name), [reader.tree(x) for x in given])

    def rule(self, i: int) -> Rule | None:
        """The gradient of argument ``i``; None where the code gives none."""
        incoming = self.incoming(i)
        gys = [Term(terms.gradient(g), y.shape, y.dtype) for g, y in zip(incoming, self.outputs, strict=True)]
        reader = Reader(self.twin, self.inputs, self.outputs, (*self.arguments, *self.results, *incoming))
        inputs = dict(zip(self.arguments, self.inputs, strict=True))
        known = known_rules(self.fn, inputs, self.outputs[0].shape, reader).get(self.arguments[i], Known())
        try:
            found = Term(known.tree) if known.tree is not None else self.read(reader, i, gys)
            if found is None:
                return None
            tree = reader.tree(found)
            if len(text(tree)) > _LONGEST or any(n not in reader.taken and n not in reader.helpers and n not in _OWN for n in terms.names_in(tree)):
                raise Unreadable("long, or of what is kept for the gradient alone")
        except Unreadable:
            name = f"{self.name}_grad_{self.arguments[i]}"
            return Rule(terms.call(terms.name(name), [g.tree for g in gys]), incoming, {name: Opaque(i)}, None, known.said, known.local)
        each = self.cls.broadcasts and self.cls.scalars and len(incoming) == 1
        factor = terms.fill(tree, {incoming[0]: terms.parsed("1")}) if each else None
        shape = getattr(self.inputs[i], "shape", None)
        if shape is not None and self.stretched(shape):
            tree = terms.call(reader.helper("sum_to", sum_to), [tree, reader.tree(shape)])
        used = terms.names_in(tree)
        return Rule(tree, incoming, {k: v for k, v in reader.helpers.items() if k in used}, factor, known.said, known.local)

    def incoming(self, i: int) -> tuple[str, ...]:
        """The names of the gradients of the results, as the code calls them."""
        alone = self.cls.native and self.cls.shared is None and i < len(self.cls.args)
        formula = getattr(self.cls, f"grad_{self.cls.args[i]}", self.cls.backward) if alone else self.cls.backward
        given = [p for p in list(inspect.signature(formula).parameters.values())[1:] if p.kind is not p.KEYWORD_ONLY]
        if len(given) == len(self.outputs) and all(p.kind is not p.VAR_POSITIONAL for p in given):
            return tuple([p.name for p in given])
        return tuple([f"g{r}" for r in self.results])

    def read(self, reader: Reader, i: int, gys: list[Term]) -> Any:
        """What the code of the gradient returns for argument ``i``."""
        if self.fn._plan.whole == "own":
            raise Unreadable("not a formula")
        if not self.cls.native:
            return _picked(reader.run(self.cls.backward, [self.twin, *gys]), i)
        name = "backward" if self.cls.shared is not None else f"grad_{self.cls.args[i]}"
        known = dict(zip(self.arguments, self.inputs, strict=True)) | dict(zip(self.results, self.outputs, strict=True))
        if self.cls.variadic:
            known[self.cls.args[-1]] = tuple(self.inputs[len(self.cls.args) - 1:])
        if any(k not in known for k in self.cls.wants[name]):
            raise Unreadable("something is kept for the gradient alone")
        found = reader.run(getattr(self.cls, name), [self.twin, *gys], {k: known[k] for k in self.cls.wants[name]})
        return found if self.cls.shared is None else _picked(found, i)

    def stretched(self, shape: tuple[int, ...]) -> bool:
        """Is a gradient to be summed, as the input of this shape was broadcast?"""
        y = self.outputs[0].shape
        if not self.fn.broadcasts or y is None:
            return False
        if self.fn.scalars:
            return shape != y
        shapes = [getattr(x, "shape", None) or () for x in self.inputs]
        if self.fn.op not in ("matmul", "solve"):  # a loss of two arrays
            return shape != np.broadcast_shapes(*shapes)
        deep = max(map(len, shapes))
        return deep > 2 and shape[:-2] != y[: deep - 2] and (self.fn.op == "solve" or len(shapes[1]) > 2)


def _picked(found: Any, i: int) -> Any:
    """Gradient ``i`` of those that ``backward`` returned."""
    if isinstance(found, (tuple, list)):
        return found[i]
    if i or found is None:
        raise Unreadable("one gradient for several inputs")
    return found


def _identifier(argument: str) -> str:
    """``xs[0]`` and ``input 3`` as names."""
    base, _, index = argument.partition("[")
    if index:
        base = "index" if base == "indices" else base.removesuffix("s") or base
    return f"{base}{index[:-1]}".replace(" ", "")


def _shapes(fn: Any) -> list[tuple[int, ...] | None]:
    """The shapes of the inputs, as far as the graph knows them."""
    kept = dict(zip(fn._plan.sources, fn._kept or (), strict=False))
    given = fn._inputs or ()
    found: list[tuple[int, ...] | None] = []
    for i, edge in enumerate(fn._edges):
        if isinstance(edge, Node):
            found.append(edge._shape)
        else:
            x = edge if edge is not None else given[i] if i < len(given) else kept.get(i)
            found.append(() if isinstance(x, (int, float)) else getattr(x._data if isinstance(x, Variable) else x, "shape", None))
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
        if value is not None or not (i in kept or i < len(seen) or i in _optional(fn.__class__)):
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
    return key if all(isinstance(v, _SIMPLE) for _, _, v in settings) else _plain(key)


_SIMPLE = (bool, int, float, str, type, np.dtype, type(None))


def _plain(x: Any) -> Any:
    """The same with slices and lists as tuples; None where that does not help."""
    if isinstance(x, (list, tuple, slice)):
        parts = [_plain(part) for part in ((x.start, x.stop, x.step) if isinstance(x, slice) else x)]
        return None if any(p is None for p in parts) else (type(x), *parts)
    return (type(x), x) if x is None or x is Ellipsis or isinstance(x, (bool, int, float, str, type, np.dtype)) else None
