"""Rows for dezero/functions/elementwise.py, compare.py, explog.py and trigonometry.py."""

import math

import numpy as np

from tests.cases.case import Case, Const, Floats

X = Floats((2, 3))
POSITIVE = Floats((2, 3), 0.3, 3.0)
NONZERO = Floats((2, 3), avoid=(0.0,), gap=0.3)
UNIT = Floats((2, 3), -0.9, 0.9)
STEPS = Floats((2, 3), -2.0, 2.0, avoid=(-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0), gap=0.05)
SHAPES = (((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 3)), ((3,), (2, 1, 3)))
APART = (Floats((2, 3), distinct=True), Floats((2, 3), make=lambda rng: rng.permutation(6).reshape(2, 3) * 0.14 - 0.42))
BOOLS = "comparisons give constants"


def unary(name, x=X, oracle=None, **more):
    """A row for a function of one input that NumPy has by the same name."""
    return Case(name, (x,), oracle or getattr(np, name), zero_d=True, zero_size=((0, 3),), **more)


def binary(name, a=X, b=X, oracle=None, broadcast=SHAPES, **more):
    """A row for a function of two inputs that broadcast."""
    return Case(name, (a, b), oracle or getattr(np, name), broadcast=broadcast, zero_d=True, zero_size=((0, 3), (1, 3)), **more)


def comparison(name, **more):
    """A row for a comparison of floats, some of which are equal."""
    few = Floats((2, 3), make=lambda rng: rng.integers(0, 3, (2, 3)))
    return Case(name, (few, few), getattr(np, name), first=False, second=False, why=BOOLS, zero_d=True, zero_size=((0, 3), (0, 3)), **more)


erf = np.vectorize(math.erf, otypes=[float])

CASES: list[Case] = [
    # Arithmetic
    binary("add", oracle=np.add),
    binary("sub", oracle=np.subtract),
    binary("rsub", oracle=lambda a, b: b - a),
    binary("mul", oracle=np.multiply),
    binary("div", b=NONZERO, oracle=np.divide),
    binary("rdiv", a=NONZERO, oracle=lambda a, b: b / a),
    unary("neg", oracle=np.negative),
    unary("identity", oracle=lambda x: x),
    unary("copy"),
    Case("astype", (X,), lambda x: x, call=lambda F, x: F.astype(x, x.dtype), zero_d=True),
    *(Case(name, (NONZERO,), lambda x, f=f: f(x, 3), call=lambda F, x, name=name: getattr(F, name)(x, 3.0), label="number on the right")
      for name, f in (("add", np.add), ("sub", np.subtract), ("mul", np.multiply), ("div", np.divide))),
    *(Case(name, (NONZERO,), lambda x, f=f: f(3, x), call=lambda F, x, name=name: getattr(F, name)(3, x), label="number on the left")
      for name, f in (("add", np.add), ("sub", np.subtract), ("mul", np.multiply), ("div", np.divide))),
    Case("mul", (X, Const(lambda rng: rng.integers(1, 9, (3,)).astype(np.int8))), np.multiply, label="integers"),
    # Powers
    *(Case("pow", (POSITIVE,), lambda x, c=c: x ** c, call=lambda F, x, c=c: F.pow(x, c), label=f"to the {c}", zero_d=True)
      for c in (-2, -0.5, 0.5, 2.5)),
    *(Case("pow", (X,), lambda x, c=c: x ** c, call=lambda F, x, c=c: F.pow(x, c), label=f"to the {c}", zero_d=True, zero_size=((0, 3),))
      for c in (0, 1, 2, 3, 4, 5)),
    binary("pow", POSITIVE, X, np.power, label="of two"),
    Case("pow", (X,), lambda x: 3.0 ** x, call=lambda F, x: F.pow(3, x), label="of a number", zero_d=True),
    Case("power", (POSITIVE, Const(lambda rng: np.array(2.0, np.float16))), np.power, label="exponent a 0-d array"),
    unary("square"),
    unary("sqrt", POSITIVE),
    unary("rsqrt", POSITIVE, lambda x: x ** -0.5),
    unary("reciprocal", NONZERO),
    # Exponentials and logarithms
    unary("exp"),
    unary("expm1"),
    unary("log", POSITIVE),
    unary("log1p", Floats((2, 3), -0.7, 2.0)),
    unary("log2", POSITIVE),
    unary("log10", POSITIVE),
    unary("erf", Floats((2, 3), -3.0, 3.0), erf, rtol=1e-14),
    unary("erf", UNIT, erf, rtol=1e-14, label="near 0"),
    # Trigonometry
    unary("sin"),
    unary("cos"),
    unary("tan", Floats((2, 3), -1.2, 1.2)),
    unary("arcsin", UNIT),
    unary("arccos", UNIT),
    unary("arctan"),
    binary("arctan2", NONZERO, NONZERO),
    unary("sinh"),
    unary("cosh"),
    unary("tanh"),
    # Steps
    unary("abs", NONZERO),
    unary("sign", NONZERO),
    unary("floor", STEPS),
    unary("ceil", STEPS),
    unary("round", STEPS, np.round),
    Case("round", (Floats((2, 3), make=lambda rng: rng.integers(-9, 10, (2, 3)) * 0.1 + 0.02),), lambda x: np.round(x, 1),
         call=lambda F, x: F.round(x, 1), label="one decimal"),
    # Choices
    binary("maximum", *APART, broadcast=()),
    binary("minimum", *APART, broadcast=()),
    *(Case(name, (Floats((2, 3)), Floats((3,), 5.0, 9.0)), getattr(np, name), broadcast=SHAPES, label="broadcast")
      for name in ("maximum", "minimum")),
    Case("maximum", (NONZERO,), lambda x: np.maximum(x, 0), call=lambda F, x: F.maximum(0, x), label="with a number"),
    Case("clip", (Floats((2, 3), avoid=(-0.5, 1.0)),), lambda x: np.clip(x, -0.5, 1), call=lambda F, x: F.clip(x, -0.5, 1), zero_d=True,
         zero_size=((0,),)),
    Case("clip", (NONZERO,), lambda x: np.maximum(x, 0), call=lambda F, x: F.clip(x, x_min=0), label="from below"),
    Case("clip", (NONZERO,), lambda x: np.minimum(x, 0), call=lambda F, x: F.clip(x, x_max=0.0), label="from above"),
    Case("clip", (Floats((2, 3)), Floats((3,), -9.0, -5.0), Floats((2, 1), 5.0, 9.0)), np.clip, label="between arrays"),
    Case("where", (Const(lambda rng: rng.random((2, 3)) < 0.5), X, X), np.where, zero_size=((0, 3), (0, 3), (0, 3))),
    Case("where", (Const(lambda rng: rng.random((2, 1)) < 0.5), Floats((3,)), Floats((4, 1, 1))), np.where, label="broadcast"),
    Case("where", (Const(lambda rng: rng.random((2, 3)) < 0.5), X), lambda c, x: np.where(c, x, 2.5),
         call=lambda F, c, x: F.where(c, x, 2.5), label="or a number"),
    Case("where", (Const(lambda rng: np.array([[True, False, True]])), X), lambda c, x: np.where(c, -1, x),
         call=lambda F, c, x: F.where(c, -1, x), label="a number or"),
    Case("where", (Const(lambda rng: rng.random((50, 50)) < 0.5), Floats((50, 50)), Floats((50, 50))), np.where, label="large"),
    # Constants
    *(comparison(name) for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")),
    *(Case(name, (Floats((3,), make=lambda rng: np.array([1.0, np.nan, np.inf])),), getattr(np, name), first=False, second=False, why=BOOLS)
      for name in ("isnan", "isfinite")),
]
