"""Writing: formulas as text, for Python and for people."""

from __future__ import annotations

import ast
import copy
import math
from typing import Any

from dezero.viz.reading import terms
from dezero.viz.reading.terms import Tree, number


def text(tree: Tree) -> str:
    """A formula as code that computes it.

    Examples:
        >>> text(terms.parsed("a * b @ c * d"))
        '((a * b) @ c) * d'
    """
    return ast.unparse(_Bracketed().visit(copy.deepcopy(tree)))


def shown(tree: Tree) -> str:
    """A formula as people read it: numbers in a few digits, without changes of dtype.

    Examples:
        >>> shown(terms.parsed("gy * (x > 0).astype(gy.dtype) / 0.6931471805599453"))
        'gy * (x > 0) / 0.693147'
    """
    return text(_Plain().visit(copy.deepcopy(tree)))


class _Bracketed(ast.NodeTransformer):
    """Brackets where products of matrices meet others, which Python reads from left to right, and people do not."""

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        self.generic_visit(node)
        node.left, node.right = self.side(node, node.left), self.side(node, node.right)
        return node

    def side(self, node: ast.BinOp, part: Tree) -> Tree:
        ops = (type(node.op), type(part.op)) if isinstance(part, ast.BinOp) else ()
        mixed = ast.MatMult in ops and (ast.Mult in ops or ast.Div in ops)
        return terms.name(f"({ast.unparse(part)})") if mixed else part


class _Plain(ast.NodeTransformer):
    """Numbers in a few digits, no changes of dtype."""

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        match node:
            case ast.Call(func=ast.Attribute(value=of, attr="astype"), args=[ast.Attribute(attr="dtype")]):
                return of
            case ast.Call(func=ast.Attribute(value=ast.Compare() as of, attr="astype")):
                return of
        return node

    def visit_Constant(self, node: ast.Constant) -> Any:
        if not isinstance(node.value, float):
            return node
        if not math.isfinite(node.value):
            return terms.name(str(node.value))
        short = float(f"{node.value:.6g}")
        return ast.Constant(int(short) if short.is_integer() and abs(short) < 1e6 else short)

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        self.generic_visit(node)
        if isinstance(node.op, ast.Mult) and number(node.left) == 1:
            return node.right
        value = number(node.right)
        if isinstance(node.op, ast.Pow) and value is not None and value < 0:
            node.right = ast.Constant(value)
        return node
