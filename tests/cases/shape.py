"""Rows for dezero/functions/shape.py, arrange.py and join.py."""

import numpy as np

from tests.cases.case import Case, Floats

X = Floats((2, 3, 4))
M = Floats((3, 4))


def row(name, x, args, oracle, label="", **more):
    """A function of one array with fixed arguments."""
    return Case(name, (x,), oracle, lambda F, x: getattr(F, name)(x, *args), label=label, **more)


def joined(name, shapes, axis, oracle, label, **more):
    """A function of a list of arrays."""
    return Case(name, tuple(map(Floats, shapes)), lambda *xs: oracle(xs, axis), lambda F, *xs: getattr(F, name)(xs, axis), label=label, **more)


def loops(x, shape):
    """The sum to a shape, element by element."""
    y = np.zeros(shape)
    lead = x.ndim - len(shape)
    for i in np.ndindex(*x.shape):
        y[tuple(0 if s == 1 else j for j, s in zip(i[lead:], shape, strict=True))] += x[i]
    return y


def triangle(x, k, below):
    """The elements on one side of diagonal k."""
    i, j = np.indices(x.shape[-2:])
    return np.where(j - i <= k if below else j - i >= k, x, 0.0)


def padded(widths, **how):
    return lambda x: np.pad(x, widths, **how)


SHAPE = [
    row("reshape", X, ((4, 6),), lambda x: np.ravel(x).reshape(4, 6), "tuple"),
    row("reshape", X, ([3, -1],), lambda x: np.ravel(x).reshape(3, 8), "unknown size"),
    row("reshape", X, (-1,), np.ravel, "int", zero_d=True, zero_size=((2, 0, 4),)),
    row("transpose", X, (), lambda x: x.T, "reversed", zero_d=True, zero_size=((2, 0, 4),)),
    row("transpose", X, ((1, -1, 0),), lambda x: np.einsum("ijk->jki", x), "axes"),
    row("swapaxes", X, (0, -1), lambda x: np.einsum("ijk->kji", x), zero_size=((0, 2, 3),)),
    row("moveaxis", X, (0, -1), lambda x: np.einsum("ijk->jki", x), "one"),
    row("moveaxis", Floats((2, 3, 2, 2)), ((0, 3), (-1, 1)), lambda x: np.moveaxis(x, (0, 3), (-1, 1)), "two"),
    row("expand_dims", M, (-1,), lambda x: x[:, :, None], "last", zero_size=((0, 3),)),
    row("expand_dims", M, (0,), lambda x: x[None], "first", zero_d=True),
    row("expand_dims", M, ((0, -2),), lambda x: x[None, :, None], "two"),
    row("squeeze", Floats((1, 3, 1, 2)), (), lambda x: x.reshape([n for n in x.shape if n != 1]), "all", zero_d=True, zero_size=((1, 0, 1, 2),)),
    row("squeeze", Floats((1, 3, 1, 2)), (-2,), lambda x: x[:, :, 0], "one"),
    row("squeeze", Floats((1, 3, 1, 2)), ((0, 2),), lambda x: x[0, :, 0], "two"),
    row("flatten", X, (), lambda x: np.stack([np.ravel(a) for a in x]), zero_size=((2, 0, 4),)),
    row("broadcast_to", Floats((3, 1)), ((2, 3, 4),), lambda x: x * np.ones((2, 3, 4))),
    row("broadcast_to", Floats((1, 3)), ((0, 3),), lambda x: np.zeros((0, 3)), "nothing"),
    row("sum_to", X, ((3, 1),), lambda x: loops(x, (3, 1))),
    row("sum_to", X, ((1, 1, 4),), lambda x: loops(x, (1, 1, 4)), "kept"),
    row("sum_to", X, ((),), np.sum, "number", zero_size=((0, 3),)),
]

ARRANGE = [
    row("flip", X, (), lambda x: x[(slice(None, None, -1),) * x.ndim], "all", zero_d=True, zero_size=((0, 2, 2),)),
    row("flip", X, (-1,), lambda x: x[:, :, ::-1], "one"),
    row("flip", X, ((0, 1),), lambda x: x[::-1, ::-1], "two"),
    row("roll", M, (5,), lambda x: np.ravel(x)[(np.arange(x.size) - 5) % max(x.size, 1)].reshape(x.shape), "flat", zero_d=True, zero_size=((0, 4),)),
    row("roll", M, (-1, -1), lambda x: x[:, [1, 2, 3, 0]], "axis"),
    row("roll", M, ((1, 2), (0, 1)), lambda x: x[[2, 0, 1]][:, [2, 3, 0, 1]], "axes"),
    row("diagonal", M, (), lambda x: np.array([x[0, 0], x[1, 1], x[2, 2]])),
    row("diagonal", M, (1,), lambda x: np.array([x[i, i + 1] for i in range(len(x))]), "above", zero_size=((0, 4),)),
    row("diagonal", M, (-2,), lambda x: x[2:, 0], "below"),
    row("diagonal", M, (7,), lambda x: np.zeros(0), "outside"),
    row("diagonal", X, (1, -1, 0), lambda x: np.array([[x[1, j, 0]] for j in range(3)]), "axes"),
    *[row(name, m, (k,), lambda x, k=k, below=below: triangle(x, k, below), f"{label} {k}", zero_size=((0, 4),) if k == 0 else None)
      for name, below in (("tril", True), ("triu", False)) for m, label, k in ((M, "matrix", 0), (M, "matrix", -1), (X, "stack", 1))],
]

JOIN = [
    joined("concatenate", [(2, 3), (1, 3), (2, 3)], 0, lambda xs, _: np.array([r for x in xs for r in x.tolist()]), "first"),
    joined("concatenate", [(2, 3), (2, 1)], -1, lambda xs, _: np.c_[xs], "last", zero_size=((0, 3), (0, 1))),
    joined("concatenate", [(2, 3), (2,)], None, lambda xs, _: np.r_[xs[0].ravel(), xs[1]], "flat"),
    joined("concatenate", [(2, 0), (2, 2)], 1, lambda xs, _: xs[1], "nothing and something"),
    joined("stack", [(2, 3), (2, 3)], 0, lambda xs, _: np.array([x.tolist() for x in xs]), "first", zero_d=True),
    joined("stack", [(2, 3)] * 3, -1, lambda xs, _: np.einsum("nij->ijn", np.array(xs)), "last", zero_size=((0, 3),) * 3),
    row("split", Floats((6, 2)), (3,), lambda x: [x[:2], x[2:4], x[4:]], "equal", zero_size=((0, 2),)),
    row("split", Floats((2, 5)), ((1, 4), -1), lambda x: [x[:, :1], x[:, 1:4], x[:, 4:]], "places"),
    row("split", Floats((2, 3)), (1, 1), lambda x: x, "one"),
    Case("split", (Floats((6,)),), lambda x: x[2:4] * 3, lambda F, x: F.split(x, 3)[1] * 3, label="unused"),
    row("tile", M, (2,), lambda x: np.concatenate([np.atleast_1d(x)] * 2, -1), "int", zero_d=True, zero_size=((0, 4),)),
    row("tile", Floats((1, 3)), ((2, 3, 1),), lambda x: np.stack([np.r_[x, x, x]] * 2), "more axes"),
    row("tile", X, ((3, 1),), lambda x: np.concatenate([x, x, x], 1), "fewer axes"),
    row("tile", M, (0,), lambda x: np.zeros((3, 0)), "never"),
    row("repeat", M, (2,), lambda x: np.array([v for v in x.ravel() for _ in range(2)]), "flat", zero_d=True, zero_size=((0, 4),)),
    row("repeat", X, (3, 1), lambda x: x[:, [0, 0, 0, 1, 1, 1, 2, 2, 2]], "axis"),
    row("repeat", M, ([2, 0, 1], 0), lambda x: x[[0, 0, 2]], "each"),
    row("repeat", M, ((1, 2, 1, 3), -1), lambda x: x[:, [0, 1, 1, 2, 3, 3, 3]], "each of the last"),
    row("pad", M, (1,), padded(1), "all sides"),
    row("pad", M, ((1, 2), "constant", 1.5), padded((1, 2), constant_values=1.5), "value", zero_size=((0, 2),)),
    row("pad", X, (((0, 0), (1, 0), (0, 2)),), padded(((0, 0), (1, 0), (0, 2))), "each axis"),
    *[row("pad", M, (((2, 1), (0, 3)), mode), padded(((2, 1), (0, 3)), mode=mode), mode) for mode in ("edge", "reflect", "symmetric", "wrap")],
]

CASES: list[Case] = SHAPE + ARRANGE + JOIN
