"""Spelling: how the call of an op is written: by its sign, as a method of an array, or by its name."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dezero.core.operators import OPS
from dezero.core.variable import Variable
from dezero.functions.index import ARRAY
from dezero.viz.reading import terms
from dezero.viz.reading.settings import beside_defaults
from dezero.viz.reading.symbolic import Term, broadcast
from dezero.viz.reading.terms import Tree

SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "matmul": "@"}
_KEEP = {"cumsum", "flip", "softmax", "log_softmax", "tril", "triu"}  # ops that keep the shape
Helper = Callable[[str, Any], Tree]


class Plain:
    """A function of the library on arrays: what it gives are arrays too, not Variables."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f = f

    def __call__(self, *args: Any, **settings: Any) -> Any:
        y = self.f(*args, **settings)
        return y.data if isinstance(y, Variable) else y

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plain) and self.f == other.f

    def __hash__(self) -> int:
        return hash(self.f)


def sum_to(x: Any, shape: Any) -> Any:
    """An array, summed over the axes along which ``shape`` was broadcast."""
    return OPS["sum_to"].on(x, shape=shape)


def broadcast_to(x: Any, shape: Any) -> Any:
    """An array, stretched to ``shape``."""
    return OPS["broadcast_to"].on(x, shape=shape)


def is_ours(cls: Any) -> bool:
    """Is a class an op of the library?"""
    return OPS.get(cls.op) is cls and str(cls.__module__).startswith("dezero.")


def spelt(cls: Any, args: Sequence[Any], settings: Mapping[str, Any], tree: Callable[[Any], Tree], helper: Helper) -> Term:
    """An op on terms.

    Args:
        cls: the op's class.
        args: terms and values.
        settings: what it is made with, by the names of the constructor's arguments.
        tree: gives the formula of a value.
        helper: gives a name for a function that the formula uses.
    """
    trees = [tree(x) for x in args]
    kept = getattr(args[0], "shape", None) if cls.op in _KEEP else None
    shape = broadcast(*args) if cls.broadcasts and cls.scalars else settings.get("shape", kept)
    if not is_ours(cls):
        return Term(_named(cls, trees, settings, tree, helper), shape)
    match cls.op:
        case "add" | "sub" | "mul" | "div" | "matmul":
            found = terms.binary(SIGNS[cls.op], *trees)
        case "neg":
            found = terms.negative(trees[0])
        case "pow":
            found = terms.binary("**", trees[0], tree(settings["c"]))
        case "square":
            found = terms.binary("**", trees[0], ast.Constant(2))
        case "get_item" | "gather":
            found = terms.subscript(trees[0], index_of(settings["slices"], trees[1:]))
        case "reshape" | "astype":
            found = terms.call(terms.attribute(trees[0], cls.op), [tree(v) for v in settings.values()])
        case "transpose" if settings.get("axes") is None:
            found = terms.attribute(trees[0], "T")
        case "transpose":
            found = terms.call(terms.attribute(trees[0], "transpose"), [tree(settings["axes"])])
        case "sum_to" | "broadcast_to":
            shape = tuple(settings["shape"])
            found = terms.call(helper(cls.op, sum_to if cls.op == "sum_to" else broadcast_to), [trees[0], tree(shape)])
        case _:
            found = _named(cls, trees, settings, tree, helper)
    return Term(found, shape)


def _named(cls: Any, trees: list[Tree], settings: Mapping[str, Any], tree: Callable[[Any], Tree], helper: Helper) -> Tree:
    named = {k: tree(v) for k, v in beside_defaults(cls, settings).items()}
    return terms.call(helper(cls.op, Plain(cls.on)), trees, named)


def index_of(pattern: Any, arrays: Sequence[Tree]) -> Tree:
    """An index as it is written, from its pattern and the arrays in it.

    Examples:
        >>> ast.unparse(terms.subscript(terms.name("x"), index_of((ARRAY, slice(2)), [terms.name("i")])))
        'x[i, :2]'
    """
    rest, parts = iter(arrays), pattern if isinstance(pattern, tuple) else (pattern,)
    items = [next(rest) if part is ARRAY else terms.constant(part) or terms.name("...") for part in parts]
    return items[0] if len(items) == 1 else ast.Tuple(items, ast.Load())
