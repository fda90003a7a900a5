"""Symbolic: Python's expressions and statements, run on terms where arrays are not known yet, on values where they are."""

from __future__ import annotations

import ast
import builtins
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from dezero.viz.reading import terms
from dezero.viz.reading.terms import Tree

_BINARY: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add), ast.Sub: ("-", operator.sub), ast.Mult: ("*", operator.mul), ast.Div: ("/", operator.truediv),
    ast.MatMult: ("@", operator.matmul), ast.Pow: ("**", operator.pow), ast.FloorDiv: ("//", operator.floordiv), ast.Mod: ("%", operator.mod),
    ast.BitAnd: ("&", operator.and_), ast.BitOr: ("|", operator.or_)}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: operator.invert,
                                                         ast.Not: operator.not_}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Is: operator.is_, ast.IsNot: operator.is_not, ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b}
_STATEMENTS = 400  # a formula that takes more is not one that people read


class Unreadable(Exception):
    """The code does more than a formula can say."""


class Term:
    """An array that the code will get, known by its formula alone, and by its shape and dtype where these are certain."""

    __slots__ = ("dtype", "shape", "tree")

    def __init__(self, tree: Tree, shape: tuple[int, ...] | None = None, dtype: Any = None) -> None:
        self.tree, self.shape, self.dtype = tree, shape, dtype

    def __bool__(self) -> bool:
        raise Unreadable("a branch that depends on data")

    def __iter__(self) -> Iterator[Any]:
        raise Unreadable("a loop over data")


class Return(Exception):
    """The end of a function that is run."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Scope:
    """Where names are looked up: the local ones, then those around a function, then Python's own."""

    def __init__(self, local: dict[str, Any], *outer: Mapping[str, Any]) -> None:
        self.local, self.outer = local, outer

    def __getitem__(self, key: str) -> Any:
        for names in (self.local, *self.outer, builtins.__dict__):
            if key in names:
                return names[key]
        raise Unreadable(f"the name {key}")

    def inner(self, names: dict[str, Any]) -> Scope:
        """A scope within this one."""
        return Scope(names, self.local, *self.outer)


def evaluate(tree: Tree, *names: Mapping[str, Any]) -> Any:
    """The value of a formula; its names are looked up in each of ``names``, one after the other.

    Examples:
        >>> evaluate(terms.parsed("x ** 2 + f(1)"), {"x": 3.0, "f": abs})
        10.0
    """
    return Evaluator().value(tree, Scope({}, *names))


class Evaluator:
    """Runs code; on arrays and numbers as Python does."""

    def __init__(self) -> None:
        self.statements = 0
        self.made: list[Any] = []  # lists that the code made, which it may change

    def call(self, f: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
        """A call that the code makes."""
        return f(*args, **keywords)

    def attribute(self, a: Any, key: str) -> Any:
        """``a.key``."""
        return getattr(a, key)

    def set_attribute(self, a: Any, key: str, value: Any) -> None:
        """``a.key = value``."""
        raise Unreadable("an assignment to an attribute")

    def tree(self, value: Any) -> Tree:
        """The formula of a value that stands beside a term."""
        raise NotImplementedError

    # -- statements --------------------------------------------------------------------------------

    def block(self, statements: Sequence[ast.stmt], scope: Scope) -> None:
        """Run statements; raises Return where they return."""
        for s in statements:
            self.statements += 1
            if self.statements > _STATEMENTS:
                raise Unreadable("a long way")
            self.statement(s, scope)

    def statement(self, s: ast.stmt, scope: Scope) -> None:
        """Run one statement."""
        match s:
            case ast.Return():
                raise Return(None if s.value is None else self.value(s.value, scope))
            case ast.Assign():
                value = self.value(s.value, scope)
                for target in s.targets:
                    self.assign(target, value, scope)
            case ast.AnnAssign(value=ast.expr() as given):
                self.assign(s.target, self.value(given, scope), scope)
            case ast.AugAssign(target=ast.Name(id=key)):
                old = scope[key]
                if isinstance(old, Term) and sum(v is old for v in scope.local.values()) > 1:
                    raise Unreadable("a change in place of what has two names")
                scope.local[key] = self.binary(s.op, old, self.value(s.value, scope))
            case ast.If():
                self.block(s.body if self.value(s.test, scope) else s.orelse, scope)
            case ast.For(orelse=[]):
                for item in self.value(s.iter, scope):
                    self.assign(s.target, item, scope)
                    self.block(s.body, scope)
            case ast.Expr():
                self.value(s.value, scope)
            case ast.Pass() | ast.Assert():
                pass
            case _:
                raise Unreadable(type(s).__name__)

    def assign(self, target: ast.expr, value: Any, scope: Scope) -> None:
        """Give a value to a name, or its parts to several."""
        if isinstance(target, ast.Name):
            scope.local[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)) and not any(isinstance(t, ast.Starred) for t in target.elts):
            for t, v in zip(target.elts, list(value), strict=True):
                self.assign(t, v, scope)
        elif isinstance(target, ast.Attribute):
            self.set_attribute(self.value(target.value, scope), target.attr, value)
        else:
            raise Unreadable("an assignment to a part")

    # -- expressions -------------------------------------------------------------------------------

    def value(self, node: Any, scope: Scope) -> Any:
        """The value of an expression: a Term where it depends on one."""
        match node:
            case ast.Name():
                return scope[node.id]
            case ast.Constant():
                return node.value
            case ast.BinOp():
                return self.binary(node.op, self.value(node.left, scope), self.value(node.right, scope))
            case ast.UnaryOp():
                return self.unary(node.op, self.value(node.operand, scope))
            case ast.Compare():
                return self.compare(node, scope)
            case ast.BoolOp():
                return self.boolean(node, scope)
            case ast.IfExp():
                return self.value(node.body if self.value(node.test, scope) else node.orelse, scope)
            case ast.Attribute():
                return self.attribute(self.value(node.value, scope), node.attr)
            case ast.Subscript():
                return self.item(self.value(node.value, scope), self.value(node.slice, scope))
            case ast.Slice():
                return slice(*[None if t is None else self.value(t, scope) for t in (node.lower, node.upper, node.step)])
            case ast.Call():
                f, keywords = self.value(node.func, scope), dict[str, Any]()
                for k in node.keywords:
                    given = self.value(k.value, scope)
                    keywords.update(given if k.arg is None else {k.arg: given})
                return self.call(f, self.items(node.args, scope), keywords)
            case ast.Tuple():
                return tuple(self.items(node.elts, scope))
            case ast.List():
                self.made.append(self.items(node.elts, scope))
                return self.made[-1]
            case ast.ListComp() | ast.GeneratorExp():
                self.made.append(list(self.comprehension(node.elt, node.generators, scope)))
                return self.made[-1]
            case ast.Lambda():
                return lambda *args: self.value(node.body, scope.inner(dict(zip([a.arg for a in node.args.args], args, strict=True))))
            case _:
                raise Unreadable(type(node).__name__)

    def items(self, nodes: Sequence[ast.expr], scope: Scope) -> list[Any]:
        """The values of several expressions, some of which may be starred."""
        found: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                found.extend(self.value(node.value, scope))
            else:
                found.append(self.value(node, scope))
        return found

    def comprehension(self, element: ast.expr, generators: Sequence[ast.comprehension], scope: Scope) -> Iterator[Any]:
        """The items of a list that is written as loops."""
        first, *rest = generators
        for item in self.value(first.iter, scope):
            inner = scope.inner({})
            self.assign(first.target, item, inner)
            if all(self.value(test, inner) for test in first.ifs):
                if rest:
                    yield from self.comprehension(element, rest, inner)
                else:
                    yield self.value(element, inner)

    def binary(self, op: ast.operator, a: Any, b: Any) -> Any:
        """``a + b``, and the like."""
        if type(op) not in _BINARY:
            raise Unreadable(type(op).__name__)
        sign, plain = _BINARY[type(op)]
        if not isinstance(a, Term) and not isinstance(b, Term):
            return plain(a, b)
        return Term(terms.binary(sign, self.tree(a), self.tree(b)), None if sign == "@" else broadcast(a, b))

    def unary(self, op: ast.unaryop, a: Any) -> Any:
        """``-a``, and the like."""
        if not isinstance(a, Term) or isinstance(op, ast.Not):
            return _UNARY[type(op)](a)
        return Term(terms.negative(a.tree) if isinstance(op, ast.USub) else ast.UnaryOp(op, a.tree), a.shape)

    def compare(self, node: ast.Compare, scope: Scope) -> Any:
        """``a < b``, and the like."""
        left = self.value(node.left, scope)
        answer: Any = True
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node, scope)
            if (isinstance(left, Term) or isinstance(right, Term)) and not isinstance(op, (ast.Is, ast.IsNot)):
                if len(node.ops) > 1 or isinstance(op, (ast.In, ast.NotIn)):
                    raise Unreadable("a comparison of more than two")
                return Term(terms.compare(op, self.tree(left), self.tree(right)), broadcast(left, right))
            answer = _COMPARE[type(op)](left, right)
            if len(node.ops) > 1 and not answer:
                return answer
            left = right
        return answer

    def boolean(self, node: ast.BoolOp, scope: Scope) -> Any:
        """``a and b``, ``a or b``: the last of them need not be a bool."""
        for part in node.values[:-1]:
            value = self.value(part, scope)
            if bool(value) == isinstance(node.op, ast.Or):
                return value
        return self.value(node.values[-1], scope)

    def item(self, a: Any, index: Any) -> Any:
        """``a[index]``."""
        return Term(terms.subscript(a.tree, self.tree(index))) if isinstance(a, Term) else a[index]


def broadcast(*args: Any) -> tuple[int, ...] | None:
    """The shape of what comes of terms, arrays and numbers element by element; None where one is not known."""
    shapes = [x.shape if isinstance(x, Term) else np.shape(x) for x in args]
    known = [s for s in shapes if s is not None]
    try:
        return np.broadcast_shapes(*known) if len(known) == len(shapes) else None
    except ValueError:
        raise Unreadable("shapes that do not fit") from None
