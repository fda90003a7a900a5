"""Rows for dezero/functions/index.py and lookup.py."""

import numpy as np

from tests.cases.case import Case, Const, Floats, ints

X = Floats((3, 4, 2))
M = Floats((3, 4))


def fixed(*values):
    return Const(lambda rng: np.array(values))


def item(label, x, index, oracle, **more):
    """x[index] for an index without data."""
    return Case("get_item", (x,), oracle, lambda F, x: F.get_item(x, index), label=label, **more)


def by(label, x, arrays, pick, **more):
    """x[index] for an index with arrays; ``pick`` makes the index of them."""
    return Case("get_item", (x, *arrays), lambda x, *a: x[pick(*a)], lambda F, x, *a: F.get_item(x, pick(*a)), label=label, **more)


def writing(name, label, x, value, arrays, pick, **more):
    """index_set or index_add; the oracle goes through the numbered places one by one."""
    def oracle(x, v, *arrays):
        y = x.copy()
        places = np.arange(x.size).reshape(x.shape)[pick(*arrays)]
        v = v.reshape(v.shape[max(v.ndim - places.ndim, 0):])
        for place, number in zip(places.ravel(), np.broadcast_to(v, places.shape).ravel(), strict=True):
            y.flat[place] = number if name == "index_set" else y.flat[place] + number
        return y
    return Case(name, (x, value, *arrays), oracle, lambda F, x, v, *a: getattr(F, name)(x, pick(*a), v), label=label, **more)


READ = [
    item("int", X, 1, lambda x: np.squeeze(x[1:2], 0)),
    item("number", Floats((3,)), -1, lambda x: x[-1:].sum()),
    item("numpy int", X, np.int64(-1), lambda x: np.squeeze(x[2:], 0)),
    item("slice", X, slice(0, 3, 2), lambda x: np.array([r for i, r in enumerate(x) if i != 1]).reshape(-1, *x.shape[1:]), zero_size=((0, 2),)),
    item("slice back", X, slice(None, None, -1), lambda x: np.stack([x[2], x[1], x[0]])),
    item("tuple", X, (slice(1, None), 2), lambda x: np.einsum("ij->ij", x[1:3].swapaxes(0, 1)[2])),
    item("all ints", X, (2, 1, 0), lambda x: x.ravel()[18:19].sum()),
    item("new axes", M, (None, Ellipsis, None, slice(2)), lambda x: x[:, :2].reshape(1, 3, 1, 2)),
    item("ellipsis", X, (Ellipsis, 1), lambda x: np.stack([r[:, 1] for r in x])),
    item("everything", M, (), lambda x: x, zero_d=True),
    item("nothing", M, slice(2, 1), lambda x: np.zeros((0, 4))),
    item("list", M, [0, -1, 0], lambda x: np.stack([x[0], x[2], x[0]])),
    item("bool list", M, [True, False, True], lambda x: np.stack([x[0], x[2]])),
    by("rows", M, (ints(3, (5,)),), lambda i: i, zero_size=((2, 0), (3,))),
    by("no rows", M, (Const(lambda rng: np.zeros(0, np.int64)),), lambda i: i),
    by("table of rows", M, (ints(3, (2, 3)),), lambda i: i),
    by("small ints", M, (Const(lambda rng: np.array([2, 0, 2], np.uint8)),), lambda i: i),
    by("negative", M, (fixed(-1, 0, -3, -1),), lambda i: i),
    by("pairs", M, (ints(3, (6,)), ints(4, (6,))), lambda i, j: (i, j)),
    by("grid", M, (ints(3, (3, 1)), ints(4, (4,))), lambda i, j: (i, j)),
    by("columns", M, (ints(4, (5,)),), lambda i: (slice(None), i)),
    by("apart", X, (ints(3, (4,)), ints(2, (4,))), lambda i, j: (i, slice(1, 3), j)),
    by("int and array", X, (ints(2, (4,)),), lambda j: (1, slice(None), j)),
    by("ellipsis and array", X, (ints(2, (3,)),), lambda j: (Ellipsis, j)),
    by("new axis and array", X, (ints(4, (3,)),), lambda j: (None, slice(2), j, None)),
    by("array and ellipsis", X, (ints(3, (3,)),), lambda i: (i, Ellipsis, slice(None))),
    by("mask", M, (Const(lambda rng: rng.random((3, 4)) < 0.5),), lambda m: m),
    by("mask of rows", X, (fixed(True, False, True),), lambda m: m),
    by("mask and array", X, (fixed(True, False, True), ints(4, (2,))), lambda m, j: (m, j)),
    by("mask and slice", X, (fixed(True, False, True, True),), lambda m: (slice(1, None), m)),
]

WRITE = [case for name in ("index_set", "index_add") for case in (
    writing(name, "slice", M, Floats((3, 2)), (), lambda: (slice(None), slice(1, 3))),
    writing(name, "number", M, Floats(()), (), lambda: (1, 2)),
    writing(name, "broadcast", X, Floats((2,)), (), lambda: slice(1, None), zero_size=((0, 2), (2,))),
    writing(name, "rows", M, Floats((2, 4)), (fixed(2, 0),), lambda i: i),
    writing(name, "same rows", M, Floats((4, 4)), (fixed(2, 0, -1, 2),), lambda i: i),
    writing(name, "one value for same rows", M, Floats((1, 4)), (fixed(2, 0, 2),), lambda i: i),
    writing(name, "same places", X, Floats((4, 2)), (fixed(0, 1, 0, 0), fixed(2, 3, 2, 1)), lambda i, j: (i, j)),
    writing(name, "same columns", X, Floats((3, 3, 2)), (fixed(1, 1, 3),), lambda j: (slice(None), j)),
    writing(name, "axes in front", M, Floats((1, 1, 4)), (fixed(1, 1),), lambda i: i),
    writing(name, "mask", M, Floats(()), (Const(lambda rng: rng.random((3, 4)) < 0.5),), lambda m: m),
)]

TAKE = [
    Case("take", (M, ints(12, (2, 3))), lambda x, i: np.take(x, i), label="flat"),
    Case("take", (M, ints(3, (5,))), lambda x, i: np.take(x, i, 0), lambda F, x, i: F.take(x, i, 0), label="rows"),
    Case("take", (X, ints(4, (2, 2))), lambda x, i: np.take(x, i, -2), lambda F, x, i: F.take(x, i, -2), label="table of columns"),
    Case("take", (X,), lambda x: np.take(x, 3, 1), lambda F, x: F.take(x, 3, axis=1), label="int"),
    Case("take", (M,), lambda x: np.take(x, [1, 1], 1), lambda F, x: F.take(x, (1, 1), axis=1), label="tuple"),
    *[Case("take_along_axis", (M, ints(n, s)), lambda x, i, a=a: np.take_along_axis(x, i, a), lambda F, x, i, a=a: F.take_along_axis(x, i, a),
           label=f"axis {a}") for a, n, s in ((0, 3, (2, 4)), (-1, 4, (3, 2)))],
    Case("take_along_axis", (X, ints(4, (1, 5, 1))), lambda x, i: np.take(x, i.ravel(), 1), lambda F, x, i: F.take_along_axis(x, i, 1),
         label="broadcast"),
]

EMBEDDING = [
    Case("embedding", (ints(5, (2, 4)), Floats((5, 3))),
         lambda i, W: np.array([W[j] for j in i.ravel()]).reshape(*i.shape, 3), zero_size=((0, 4), (5, 3))),
    Case("embedding", (Const(lambda rng: np.array(2)), Floats((5, 3))), lambda i, W: W[2], label="one id"),
    Case("embedding", (ints(5, (3,)), Floats((5, 2, 2))), lambda i, W: np.stack([W[j] for j in i]), label="matrices"),
    Case("one_hot", (ints(4, (2, 3)),), lambda t: np.eye(4, dtype=np.float32)[t], lambda F, t: F.one_hot(t, 4)),
    Case("one_hot", (ints(3, (3,)),), lambda t: np.eye(3, dtype=int)[t], lambda F, t: F.one_hot(t, 3, int), label="ints"),
]

CASES: list[Case] = READ + WRITE + TAKE + EMBEDDING
