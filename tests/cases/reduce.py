"""Rows for dezero/functions/reduce.py and extrema.py."""

import numpy as np

from tests.cases.case import Case, Floats
from tests.cases.lazy import special

X = Floats((2, 3, 4))
NONZERO = Floats((2, 3, 4), avoid=(0.0,), gap=0.3)
APART = Floats((2, 3, 4), distinct=True)
PLACES = "places are integers, which have no gradient"

AXES = (None, 0, 1, -1, (0, 2), (-1, 0), (0, 1, 2))


def label(axis, keepdims):
    return f"axis {axis}".replace("(", "").replace(")", "").replace(",", "") + " kept" * keepdims


def rows(name, x, oracle, axes=AXES, empty=True, **more):
    """Rows over axes, all with and some without keepdims. The last one is also tried on what has no axes, and on no elements."""
    out = [Case(name, (x,), lambda x, a=axis, k=keepdims: oracle(x, axis=a, keepdims=k), label=label(axis, keepdims),
                call=lambda F, x, a=axis, k=keepdims: getattr(F, name)(x, axis=a, keepdims=k), **more)
           for axis in axes for keepdims in ((False, True) if axis in (None, 0, -1, (0, 2)) else (False,))]
    out.append(Case(name, (x,), oracle, label="everything", zero_d=True, zero_size=((0, 3),) if empty else None, **more))
    if not empty:
        out.append(Case(name, (x,), lambda x: oracle(x, axis=1), call=lambda F, x: getattr(F, name)(x, axis=1), label="no rows",
                        zero_size=((0, 3),), **more))
    return out


def vector_norm(p):
    """Norms by their definition."""
    def norm(x, axis=None, keepdims=False):
        a = np.abs(x)
        if np.isinf(p):
            return (a.max if p > 0 else a.min)(axis=axis, keepdims=keepdims)
        return np.sum(a ** p, axis=axis, keepdims=keepdims) ** (1 / p)
    return norm


def norms(p, x):
    return [Case("norm", (x,), lambda x, a=axis, k=keepdims: vector_norm(p)(x, axis=a, keepdims=k), label=f"{p} {label(axis, keepdims)}",
                 call=lambda F, x, a=axis, k=keepdims: F.norm(x, p, a, k), zero_d=axis is None)
            for axis, keepdims in ((None, False), (None, True), (-1, False), ((0, 2), False), ((0, 2), True))]


def zeros_among(*places):
    """A product's factors, some of them 0."""
    def make(rng):
        x = rng.uniform(0.5, 1.5, (3, 5))
        for place in places:
            x[place] = 0.0
        return x
    return Floats((3, 5), make=make)


CASES: list[Case] = [
    *rows("sum", X, np.sum),
    *rows("mean", X, np.mean, empty=False),
    *rows("var", X, np.var, empty=False),
    *rows("std", X, np.std, empty=False, axes=(None, 0, (-1, 0))),
    *(Case(name, (X,), lambda x, f=f: f(x, axis=1, ddof=1), call=lambda F, x, name=name: getattr(F, name)(x, 1, 1), label="ddof 1")
      for name, f in (("var", np.var), ("std", np.std))),
    *rows("prod", Floats((2, 3, 4), 0.5, 1.5), np.prod),
    *(Case("prod", (zeros_among(*places),), lambda x, a=axis: np.prod(x, axis=a), call=lambda F, x, a=axis: F.prod(x, axis=a),
           label=f"{n} zeros axis {axis}")
      for axis in (-1, 0) for n, places in (("single", ((0, 1),)), ("paired", ((0, 1), (0, 4), (2, 1))))),
    *(Case("prod", (Floats((2, n), 0.5, 1.5),), lambda x: np.prod(x, axis=1), call=lambda F, x: F.prod(x, axis=1), label=f"of {n}")
      for n in (1, 2, 7)),
    *rows("max", APART, np.max, empty=False),
    *rows("min", APART, np.min, empty=False),
    *(Case(name, (APART,), lambda x, f=f, a=axis, k=keepdims: f(x, axis=a, keepdims=k), label=label(axis, keepdims), first=False, second=False,
           call=lambda F, x, name=name, a=axis, k=keepdims: getattr(F, name)(x, a, k), why=PLACES, zero_d=axis is None)
      for name, f in (("argmax", np.argmax), ("argmin", np.argmin)) for axis in (None, 0, -1) for keepdims in (False, True)),
    *rows("logsumexp", X, special.logsumexp, empty=False),
    *(Case("cumsum", (X,), lambda x, a=axis: np.cumsum(x, axis=a), call=lambda F, x, a=axis: F.cumsum(x, a), label=f"axis {axis}",
           zero_d=axis is None, zero_size=((2, 0),)) for axis in (None, 0, 1, -1)),
    *norms(2, NONZERO), *norms(1, NONZERO), *norms(3, NONZERO), *norms(1.5, NONZERO), *norms(np.inf, APART), *norms(-np.inf, APART),
    Case("norm", (X,), lambda x: np.sqrt(np.sum(x * x)), call=lambda F, x: F.norm(x, "fro"), label="fro", zero_size=((0, 3),)),
    Case("norm", (X,), lambda x: np.sqrt(np.sum(x * x))),
]
