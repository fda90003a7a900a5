"""Einstein's sums: every contraction of any number of arrays, by matrix products.

The op knows only the plain case: no label twice in one operand, each label at least twice among the operands and the
result. There a gradient is the same sum with the result and an operand changing places. What is not plain (diagonals,
sums over one operand, broadcasting) is done before, by ops that have gradients of their own.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations
from math import prod
from string import ascii_letters
from typing import Any

from dezero.core.function import Function
from dezero.core.types import Array, Operand
from dezero.core.value import is_half
from dezero.core.variable import Variable
from dezero.errors import ShapeError
from dezero.functions.shape import shape_of, transpose


class EinSum(Function, op="einsum"):
    """y = the sum of the products of the operands over the labels that the result does not have."""

    def __init__(self, subscripts):
        self.subscripts = subscripts

    def forward(self, *operands):
        inputs, out = self.subscripts.split("->")
        terms, xs = inputs.split(","), list(operands)
        while len(xs) > 1:
            i, j = cheapest(terms, xs, out)
            b, tb, a, ta = xs.pop(j), terms.pop(j), xs.pop(i), terms.pop(i)
            y, ty = contract(self.xp, self.kernels, a, ta, b, tb, set(out).union(*terms))
            xs.append(y)
            terms.append(ty)
        return xs[0].transpose([terms[0].index(label) for label in out])

    def backward(self, gy, *, operands):
        inputs, out = self.subscripts.split("->")
        terms, gradients = inputs.split(","), []
        for i, term in enumerate(terms):
            if not self.needs_grad(i):
                gradients.append(None)
                continue
            others = [j for j in range(len(terms)) if j != i]
            subscripts = ",".join([out, *(terms[j] for j in others)]) + "->" + term
            gradients.append(EinSum.on(gy, *(operands[j] for j in others), subscripts=subscripts))
        return gradients


def cheapest(terms: list[str], xs: list[Array], out: str) -> tuple[int, int]:
    """The pair whose product saves most memory; products of three and more go pair by pair."""
    if len(xs) == 2:
        return 0, 1
    size = {label: s for term, x in zip(terms, xs, strict=True) for label, s in zip(term, x.shape, strict=True)}

    def grows(pair: tuple[int, int]) -> int:
        keep = set(out).union(*(t for k, t in enumerate(terms) if k not in pair))
        both = set(terms[pair[0]]) | set(terms[pair[1]])
        return prod(size[label] for label in both & keep) - xs[pair[0]].size - xs[pair[1]].size
    return min(combinations(range(len(xs)), 2), key=grows)


def contract(xp: Any, kernels: Any, a: Array, ta: str, b: Array, tb: str, keep: set[str]) -> tuple[Array, str]:
    """The product of two operands, summed over the labels that both have and nobody needs any more; and its labels."""
    size = dict(zip(ta + tb, a.shape + b.shape, strict=True))
    shared = [label for label in ta if label in tb]
    batch, inner = [label for label in shared if label in keep], [label for label in shared if label not in keep]
    only_a, only_b = [label for label in ta if label not in tb], [label for label in tb if label not in ta]

    def count(labels: list[str]) -> int:
        return prod(size[label] for label in labels)

    lead = [size[label] for label in batch]
    labels = [*batch, *only_a, *only_b]
    a = a.transpose([ta.index(label) for label in (*batch, *only_a, *inner)])
    b = b.transpose([tb.index(label) for label in (*batch, *inner, *only_b)])
    if not inner:
        y = a.reshape(*lead, count(only_a), 1) * b.reshape(*lead, 1, count(only_b))
    elif batch and not only_a and not only_b:  # many short dot products, for which a matrix product each would be slow
        rows = [v.reshape(count(batch), count(inner)) for v in (a, b)]
        if is_half(a) and a.dtype == b.dtype:  # in float32: neither NumPy's einsum nor CuPy's knows bfloat16
            y = xp.einsum("bk,bk->b", *(v.astype("float32") for v in rows)).astype(a.dtype)
        else:
            y = xp.einsum("bk,bk->b", *rows)
    else:
        y = kernels.matmul(a.reshape(*lead, count(only_a), count(inner)), b.reshape(*lead, count(inner), count(only_b)))
    return y.reshape([size[label] for label in labels]), "".join(labels)


def parsed(subscripts: Any, shapes: list[tuple[int, ...]]) -> tuple[list[str], str]:
    """The labels of each operand and of the result, with the axes of an ellipsis under letters of their own."""
    if not isinstance(subscripts, str):
        raise TypeError(f"einsum: the subscripts are a {type(subscripts).__name__}: a string as 'ij,jk->ik' is expected")
    text = subscripts.replace(" ", "")
    inputs, arrow, out = text.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(shapes):
        raise ShapeError(f"einsum: {subscripts!r} names {len(terms)} operands and {len(shapes)} are given")
    for term in (*terms, out):
        if not re.fullmatch(r"[A-Za-z]*(\.\.\.)?[A-Za-z]*", term):
            raise ValueError(f"einsum: {term!r} in {subscripts!r}: letters are expected, and at most one '...'")
    hidden = [len(shape) - len(term.replace("...", "")) for term, shape in zip(terms, shapes, strict=True)]
    for i, (term, n) in enumerate(zip(terms, hidden, strict=True)):
        if n < 0 or (n and "..." not in term):
            raise ShapeError(f"einsum: operand {i} has shape {shapes[i]}, and {term!r} in {subscripts!r} names {len(shapes[i]) - n} axes")
    most = max([n for term, n in zip(terms, hidden, strict=True) if "..." in term], default=0)
    names = "".join([c for c in ascii_letters if c not in text][:most])
    terms = [term.replace("...", names[most - n:]) for term, n in zip(terms, hidden, strict=True)]
    if not arrow:
        counts = Counter(c for c in inputs if c.isalpha())
        out = names + "".join(sorted(c for c, n in counts.items() if n == 1))
    elif names and "..." not in out:
        raise ValueError(f"einsum: {subscripts!r} has '...' in an operand and none in the result: write it there, or name the axes to sum over")
    else:
        out = out.replace("...", names)
    for label in out:
        if out.count(label) > 1:
            raise ValueError(f"einsum: label {label!r} stands twice in the result of {subscripts!r}")
        if not any(label in term for term in terms):
            raise ValueError(f"einsum: label {label!r} of the result is in no operand of {subscripts!r}")
    return terms, out


def label_sizes(terms: list[str], shapes: list[tuple[int, ...]]) -> dict[str, int]:
    """The size of each label; an axis of size 1 stretches to another operand's."""
    size: dict[str, int] = {}
    for i, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        for label, s in zip(term, shape, strict=True):
            if size.get(label, 1) != 1 != s != size[label]:
                raise ShapeError(f"einsum: label {label!r} has size {s} in operand {i}, of shape {shape}, and {size[label]} before: "
                                 "they must be equal, or one of them 1")
            size[label] = s if size.get(label, 1) == 1 else size[label]
    return size


def plain(x: Any, term: str, size: dict[str, int]) -> tuple[Any, str]:
    """An operand without repeated labels and without axes that only stretch."""
    if not isinstance(x, Variable):
        x = Variable(x, requires_grad=False)
    while repeated := next((c for c in term if term.count(c) > 1), None):
        i = term.index(repeated)
        j = term.index(repeated, i + 1)
        if x.shape[i] != x.shape[j]:
            raise ShapeError(f"einsum: label {repeated!r} stands for sizes {x.shape[i]} and {x.shape[j]} of one operand: they must be equal")
        x = x.diagonal(0, i, j)
        term = term[:i] + term[i + 1:j] + term[j + 1:] + repeated
    stays = [i for i, label in enumerate(term) if x.shape[i] == size[label]]
    if len(stays) < len(term):
        x = x.reshape([x.shape[i] for i in stays])
        term = "".join(term[i] for i in stays)
    return x, term


def einsum(subscripts: str, *operands: Operand) -> Variable:
    """Einstein's sum: the products of the operands' elements, summed over every label that the result does not name.

    Args:
        subscripts: a letter for each axis of each operand, and of the result: ``"ij,jk->ik"``. A letter twice in one
            operand takes the diagonal; ``...`` stands for axes that broadcast. Without ``->`` the result has the letters
            that stand once, in alphabetical order.
        operands: one array for each part of the subscripts.

    Returns:
        The axes that the result names.

    Raises:
        ShapeError: the operands do not fit the subscripts or each other.
        ValueError: the subscripts are no such text.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> a = Variable(np.arange(4.0).reshape(2, 2))
        >>> print(F.einsum("ij,j->i", a, np.array([1.0, 10.0])), F.einsum("ii", a))
        variable([10. 32.]) variable(3.0)
    """
    shapes = [shape_of("einsum", x, f"operand {i}") for i, x in enumerate(operands)] if isinstance(subscripts, str) else []
    terms, out = parsed(subscripts, shapes)
    size = label_sizes(terms, shapes)
    xs: list[Any] = list(operands)
    for i, x in enumerate(xs):
        xs[i], terms[i] = plain(x, terms[i], size) if terms[i] else (x, "")
    counts = Counter(out) + Counter("".join(terms))
    for i, term in enumerate(terms):
        alone = tuple(k for k, label in enumerate(term) if counts[label] == 1)
        if alone:
            xs[i] = xs[i].sum(alone)
            terms[i] = "".join(label for k, label in enumerate(term) if k not in alone)
    if len(xs) == 1:
        return transpose(xs[0], tuple(terms[0].index(label) for label in out))
    return EinSum(",".join(terms) + "->" + out)(*xs)


__all__ = ["einsum"]
