"""Terms: formulas as Python's syntax trees, which are built, tidied and filled in here."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Tree = ast.expr
OPERATORS: dict[str, ast.operator] = {"+": ast.Add(), "-": ast.Sub(), "*": ast.Mult(), "/": ast.Div(), "@": ast.MatMult(), "**": ast.Pow(),
                                      "//": ast.FloorDiv(), "%": ast.Mod(), "&": ast.BitAnd(), "|": ast.BitOr()}
_PLAIN = (ast.Name, ast.BinOp, ast.UnaryOp, ast.Constant)


def name(text: str) -> Tree:
    """A name."""
    return ast.Name(text, ast.Load())


def constant(value: Any) -> Tree | None:
    """A setting as it is written in code; None for one that cannot be, an array say."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and (value < 0 or math.copysign(1, value) < 0):
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    if value is None or value is Ellipsis or isinstance(value, (bool, int, float, str)):
        return ast.Constant(value)
    if isinstance(value, np.dtype):
        return ast.Constant(value.name)
    if isinstance(value, type) and issubclass(value, np.generic):
        return ast.Constant(np.dtype(value).name)
    if isinstance(value, slice):
        parts = [constant(part) for part in (value.start, value.stop, value.step)]
        return None if None in parts else call(name("slice"), [part for part in parts if part is not None])
    if isinstance(value, (tuple, list)):
        items = [constant(item) for item in value]
        if all(item is not None for item in items):
            return (ast.Tuple if isinstance(value, tuple) else ast.List)([item for item in items if item is not None], ast.Load())
    return None


def number(tree: Tree) -> Any:
    """The value of a tree that is a number, else None.

    Examples:
        >>> number(parsed("-2")), number(parsed("x"))
        (-2, None)
    """
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        value = number(tree.operand)
        return None if value is None else -value
    value = getattr(tree, "value", None) if isinstance(tree, ast.Constant) else None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def binary(sign: str, a: Tree, b: Tree) -> Tree:
    """``a sign b``, in a tidy form.

    Examples:
        >>> ast.unparse(binary("*", gradient("gy"), parsed("x * 2")))
        'gy * 2 * x'
        >>> ast.unparse(binary("*", parsed("1"), parsed("a / b")))
        'a / b'
    """
    if sign == "*":
        return _product([*factors(a), *factors(b)])
    if is_nothing(b) and sign in ("+", "-") or is_nothing(a) and sign == "/" or sign in ("/", "**") and number(b) == 1:
        return a
    if is_nothing(a) and sign in ("+", "-"):
        return b if sign == "+" else negative(b)
    return ast.BinOp(a, OPERATORS[sign], b)


def negative(a: Tree) -> Tree:
    """``-a``.

    Examples:
        >>> ast.unparse(negative(parsed("-a / b * c"))), ast.unparse(negative(parsed("a - b")))
        ('a / b * c', '-(a - b)')
    """
    if isinstance(a, ast.UnaryOp) and isinstance(a.op, ast.USub):
        return a.operand
    if isinstance(a, ast.BinOp) and isinstance(a.op, (ast.Mult, ast.Div)) and _starts_negative(a):
        return ast.BinOp(negative(a.left), a.op, a.right)
    return ast.UnaryOp(ast.USub(), a)


def _starts_negative(tree: Tree) -> bool:
    while isinstance(tree, ast.BinOp) and isinstance(tree.op, (ast.Mult, ast.Div)):
        tree = tree.left
    return isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub)


def factors(tree: Tree) -> list[Tree]:
    """What a product multiplies; a tree that is no product is one factor."""
    found: list[Tree] = []
    while isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Mult):
        found.extend(reversed(factors(tree.right)))
        tree = tree.left
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        inner = factors(tree.operand)
        if len(inner) > 1:  # the sign of -(x * y) comes out
            return [ast.UnaryOp(ast.USub(), ast.Constant(1)), *inner, *found[::-1]]
    found.append(tree)
    return found[::-1]


def _product(parts: list[Tree]) -> Tree:
    """One product of all, with its numbers as one, in front or behind the gradient; where there are but two factors, as they stand."""
    if any(is_nothing(part) for part in parts):
        return nothing()
    numbers = [value for part in parts if (value := number(part)) is not None]
    tree, *rest = _with_number(parts, math.prod(numbers)) if numbers else parts
    for part in rest:
        tree = ast.BinOp(tree, OPERATORS["*"], part)
    return tree


def _with_number(parts: list[Tree], value: Any) -> list[Tree]:
    """The factors of a product, with ``value`` in place of the numbers among them, and no other signs."""
    rest = [part for part in parts if number(part) is None]
    for i, part in enumerate(rest):
        if isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.USub):
            rest[i], value = part.operand, -value
        elif isinstance(part, ast.BinOp) and isinstance(part.op, ast.Div) and (n := number(part.right)) and value % n == 0:  # x / 2 * 2
            rest[i], value = part.left, value // n
            parts = [*rest, ast.Constant(value)]
    rest = [part for part in rest if number(part) != 1]
    written = constant(value) or ast.Constant(value)
    if all(_is_bool(part) for part in rest):  # 1 makes a number of a bool, of which there is no opposite
        return [written, *rest]
    if value == 1:
        return rest
    if value == -1 and not _is_bool(rest[0]):
        return [negative(rest[0]), *rest[1:]]
    if len(parts) == 2:
        return parts
    rest.insert(int(is_gradient(rest[0])), written)
    return rest


def gradient(text: str) -> Tree:
    """The name of a gradient, which stands first in products."""
    tree = ast.Name(text, ast.Load())
    tree.gradient = True  # type: ignore[attr-defined]
    return tree


def nothing() -> Tree:
    """The gradient of what got none: terms that it multiplies vanish. (A zero that code says stands, as it has a shape.)"""
    tree = ast.Constant(0)
    tree.nothing = True  # type: ignore[attr-defined]
    return tree


def is_nothing(tree: Tree) -> bool:
    """Is a term, or its opposite, the gradient of what got none?"""
    inner = tree.operand if isinstance(tree, ast.UnaryOp) else tree
    return getattr(inner, "nothing", False)


def is_gradient(tree: Tree) -> bool:
    """Is a tree the name of a gradient, or a part of one: ``-gy``, ``gy / n``?"""
    while isinstance(tree, (ast.UnaryOp, ast.BinOp)):
        tree = tree.operand if isinstance(tree, ast.UnaryOp) else tree.left
    return getattr(tree, "gradient", False)


def _is_bool(tree: Tree) -> bool:
    return isinstance(tree, ast.Compare) or isinstance(tree, ast.BinOp) and isinstance(tree.op, (ast.BitAnd, ast.BitOr)) \
        or isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Invert)


def call(function: Tree, args: list[Tree], keywords: Mapping[str, Tree] | None = None) -> Tree:
    """A call."""
    return ast.Call(function, args, [ast.keyword(k, v) for k, v in (keywords or {}).items()])


def compare(sign: ast.cmpop, a: Tree, b: Tree) -> Tree:
    """A comparison."""
    return ast.Compare(a, [sign], [b])


def attribute(tree: Tree, what: str) -> Tree:
    """``tree.what``."""
    return ast.Attribute(tree, what, ast.Load())


def subscript(tree: Tree, index: Tree) -> Tree:
    """``tree[index]``; what is written ``slice(1, 3, None)`` elsewhere is ``1:3`` here.

    Examples:
        >>> ast.unparse(subscript(name("x"), parsed("(slice(None, 2, None), 0)")))
        'x[:2, 0]'
    """
    if isinstance(index, ast.Tuple):
        index = ast.Tuple([_index(t) for t in index.elts], ast.Load())
    return ast.Subscript(tree, _index(index), ast.Load())


def _index(tree: Tree) -> Tree:
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "slice" and len(tree.args) == 3:
        return ast.Slice(*[None if isinstance(t, ast.Constant) and t.value is None else t for t in tree.args])
    return tree


def parsed(text: str) -> Tree:
    """The tree of a formula that is written as text."""
    return ast.parse(text, mode="eval").body


def rebuilt(tree: Tree, leaf: Callable[[Tree], Tree]) -> Tree:
    """The same formula with other leaves, tidied; ``leaf`` is called for each name and constant."""
    def again(t: Any) -> Any:
        return rebuilt(t, leaf)

    match tree:
        case ast.BinOp():
            return binary(_SIGNS[type(tree.op)], again(tree.left), again(tree.right))
        case ast.UnaryOp(op=ast.USub()):
            value = number(tree)
            if value is not None:
                return leaf(tree)
            inner = again(tree.operand)
            return negative(inner) if number(inner) is None else constant(-number(inner)) or inner
        case ast.UnaryOp():
            return ast.UnaryOp(tree.op, again(tree.operand))
        case ast.Compare():
            return ast.Compare(again(tree.left), tree.ops, [again(c) for c in tree.comparators])
        case ast.Call():
            return ast.Call(again(tree.func), [again(a) for a in tree.args], [ast.keyword(k.arg, again(k.value)) for k in tree.keywords])
        case ast.Attribute():
            return attribute(again(tree.value), tree.attr)
        case ast.Subscript():
            return subscript(again(tree.value), again(tree.slice))
        case ast.Tuple() | ast.List():
            return type(tree)([again(t) for t in tree.elts], ast.Load())
        case ast.Slice():
            return ast.Slice(*[None if t is None else again(t) for t in (tree.lower, tree.upper, tree.step)])
        case _:
            return leaf(tree)


_SIGNS = {type(op): sign for sign, op in OPERATORS.items()}


def fill(tree: Tree, given: Mapping[str, Tree]) -> Tree:
    """The formula with other terms in place of names.

    Examples:
        >>> ast.unparse(fill(parsed("gy * cos(x)"), {"x": name("a"), "gy": parsed("gz * b")}))
        'gz * b * cos(a)'
    """
    return rebuilt(tree, lambda t: given.get(t.id, t) if isinstance(t, ast.Name) else t)


def names_in(tree: Tree) -> dict[str, None]:
    """All names of a formula, in their order."""
    return {t.id: None for t in ast.walk(tree) if isinstance(t, ast.Name)}


def count(tree: Tree, what: str) -> int:
    """How often a name stands in a formula."""
    return sum(isinstance(t, ast.Name) and t.id == what for t in ast.walk(tree))


def total(parts: list[Tree]) -> Tree:
    """The sum of some terms.

    Examples:
        >>> ast.unparse(total([name("a"), parsed("-b")]))
        'a - b'
    """
    tree = parts[0]
    for part in parts[1:]:
        if _starts_negative(part):
            tree = ast.BinOp(tree, OPERATORS["-"], negative(part))
        else:
            tree = ast.BinOp(tree, OPERATORS["+"], part)
    return tree


def only_arithmetic(tree: Tree, of: str) -> bool:
    """Does a name stand in sums, products and quotients alone, so that a plain number may take its place?"""
    if not isinstance(tree, _PLAIN):
        return count(tree, of) == 0
    if isinstance(tree, ast.BinOp):
        return not isinstance(tree.op, ast.MatMult) and only_arithmetic(tree.left, of) and only_arithmetic(tree.right, of)
    return not isinstance(tree, ast.UnaryOp) or only_arithmetic(tree.operand, of)
