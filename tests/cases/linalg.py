"""Rows for dezero/functions/linalg.py, einsum.py and decompose.py."""

import numpy as np

from tests.cases.case import Case, Floats
from tests.cases.lazy import scipy


def product(name, a, b, oracle, label="", **more):
    return Case(name, (Floats(a), Floats(b)), oracle, label=label or f"{a} and {b}", **more)


def by_loops(a, b):
    """The matrix product of stacks, element by element."""
    va, vb = a.ndim == 1, b.ndim == 1
    a, b = a[None] if va else a, b[:, None] if vb else b
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = np.broadcast_to(a, lead + a.shape[-2:]), np.broadcast_to(b, lead + b.shape[-2:])
    y = np.zeros((*lead, a.shape[-2], b.shape[-1]))
    for i in np.ndindex(*y.shape):
        y[i] = sum(a[(*i[:-1], k)] * b[(*i[:-2], k, i[-1])] for k in range(a.shape[-1]))
    return y[(..., *([0] if va else [slice(None)]), *([0] if vb else [slice(None)]))]


def numpy_einsum(subscripts, shapes, label="", **more):
    return Case("einsum", tuple(map(Floats, shapes)), lambda *xs: np.einsum(subscripts, *xs), lambda F, *xs: F.einsum(subscripts, *xs),
                label=(subscripts + label).replace(" ", ""), **more)


def near_eye(n, *lead):
    """Matrices that are safely invertible."""
    return Floats((*lead, n, n), make=lambda rng: 2 * np.eye(n) + rng.uniform(-0.6, 0.6, (*lead, n, n)))


def leibniz(a):
    """The determinant of a 3 x 3 matrix by its six products."""
    (a, b, c), (d, e, f), (g, h, i) = a
    return np.asarray(a * e * i + b * f * g + c * d * h - c * e * g - b * d * i - a * f * h)


def each(f, a):
    """``f`` of each matrix in a stack."""
    y = np.array([f(m) for m in a.reshape(-1, *a.shape[-2:])])
    return y.reshape(a.shape[:-2] + y.shape[1:])


def squared(a):
    """A positive definite matrix of any regular one; Variables and arrays of every kind have these operators."""
    return a @ a.swapaxes(-1, -2)


def rank(n, r):
    """A matrix of lower rank."""
    return Floats((n, n), make=lambda rng: rng.normal(size=(n, r)) @ rng.normal(size=(r, n)))


PAIRS = [((2, 3), (3, 4)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3, 4), (4, 2)), ((2, 3, 4), (4,)), ((4,), (2, 4, 3)),
         ((2, 3), (2, 3, 2)), ((2, 2, 3), (2, 3, 2)), ((2, 1, 2, 3), (3, 3, 2)), ((1, 2, 3), (2, 3, 2))]

PRODUCTS = [
    *[product("matmul", a, b, by_loops) for a, b in PAIRS],
    *[product("matmul", (2, 3), (3, 4), by_loops, f"nothing {a} {b}", zero_size=(a, b))
      for a, b in (((0, 3), (3, 2)), ((2, 0), (0, 3)), ((2, 0, 3), (3, 2)), ((0, 2, 3), (0, 3, 2)), ((2, 2, 0), (0,)), ((0,), (0, 2)))],
    *[product("dot", a, b, np.dot) for a, b in (((3,), (3,)), ((2, 3), (3, 2)), ((2, 2, 3), (3, 2)), ((2, 3), (2, 3, 2)), ((2, 1, 3), (2, 3, 2)),
                                               ((3,), (2, 3, 2)), ((2, 2, 3), (3,)), ((), (3,)), ((2, 3), ()), ((), ()))],
    *[Case("tensordot", (Floats(a), Floats(b)), lambda a, b, axes=axes: np.tensordot(a, b, axes),
           lambda F, a, b, axes=axes: F.tensordot(a, b, axes), label=f"{axes}") for a, b, axes in (
        ((2, 3, 2), (3, 2, 2), 2), ((2, 3), (2, 2), 0), ((2, 3), (3, 2), 1), ((2, 3, 4), (4, 3), ((1, 2), (1, 0))), ((2, 3), (3, 3), (-1, 0)))],
    product("outer", (3,), (2,), lambda a, b: np.einsum("i,j->ij", a.ravel(), b.ravel()), "vectors", zero_d=True, zero_size=((0,), (2,))),
    product("outer", (2, 2), (1, 3), np.outer, "matrices"),
    *[Case("trace", (Floats(s),), lambda x, p=p: np.trace(x, *p), lambda F, x, p=p: F.trace(x, *p), label=f"{s} {p}")
      for s, p in (((3, 3), ()), ((2, 4), (1,)), ((3, 2, 2), (-1,)), ((2, 3, 2), (0, 0, 2)))],
]

LINEAR = [
    Case(name, (Floats(x), Floats((3, 2)), *([Floats(b)] if b else [])), lambda x, W, b=0.0: np.einsum("...i,io->...o", x, W) + b,
         label=f"{x} {b}", zero_size=((0, 3), (3, 2), (2,)) if b == (2,) and x == (4, 3) else None)
    for name in ("linear", "linear_simple") for x, b in (((4, 3), (2,)), ((4, 3), None), ((3,), (2,)), ((2, 4, 3), (2,)), ((2, 1, 2, 3), None),
                                                         ((4, 3), (1, 2)), ((4, 3), (1,)))
]

EINSUM = [
    numpy_einsum("ij,jk->ik", [(2, 3), (3, 4)], zero_size=((0, 3), (3, 4))),
    numpy_einsum("ij , jk", [(2, 3), (3, 4)]),
    numpy_einsum("ba", [(2, 3)]),
    numpy_einsum("ij->ji", [(2, 3)], zero_size=((0, 3),)),
    numpy_einsum("ij->", [(2, 3)], zero_size=((0, 3),)),
    numpy_einsum("ij->j", [(2, 3)]),
    numpy_einsum("ii", [(3, 3)]),
    numpy_einsum("ii->i", [(3, 3)]),
    numpy_einsum("iji->j", [(2, 3, 2)]),
    numpy_einsum("iii->i", [(2, 2, 2)]),
    numpy_einsum("ii,ij->j", [(2, 2), (2, 3)]),
    numpy_einsum("i,i->", [(3,), (3,)]),
    numpy_einsum("i,j->ij", [(3,), (2,)]),
    numpy_einsum("i,j->", [(3,), (2,)]),
    numpy_einsum(",i->i", [(), (3,)]),
    numpy_einsum("ij,ij->ij", [(2, 3), (2, 3)]),
    numpy_einsum("bi,bi->b", [(2, 3), (2, 3)]),
    numpy_einsum("bij,bj->bi", [(2, 2, 3), (2, 3)]),
    numpy_einsum("bhqd,bhkd->bhqk", [(2, 1, 2, 3), (2, 1, 3, 3)]),
    numpy_einsum("ijk,jil->kl", [(2, 3, 2), (3, 2, 2)]),
    numpy_einsum("ij,jk,kl->il", [(2, 3), (3, 2), (2, 2)]),
    numpy_einsum("i,j,k->kji", [(2,), (3,), (2,)]),
    numpy_einsum("ab,bc,cd,da->", [(2, 2), (2, 3), (3, 2), (2, 2)]),
    numpy_einsum("ij,ij,ij->i", [(2, 3), (2, 3), (2, 3)]),
    numpy_einsum("ijk,k->i", [(2, 3, 2), (2,)]),
    numpy_einsum("...ij,...jk->...ik", [(2, 2, 3), (3, 2)]),
    numpy_einsum("...ij,...jk->...ik", [(2, 1, 2, 2), (3, 2, 2)], " stretched"),
    numpy_einsum("i...,i...", [(2, 3), (2, 3)]),
    numpy_einsum("...ii->...i", [(2, 3, 3)]),
    numpy_einsum("...,...->...", [(), (2,)]),
    numpy_einsum("ij,jk->ik", [(2, 1), (3, 2)], " stretched"),
]

DECOMPOSE = [
    Case("inv", (near_eye(3),), lambda a: scipy.linalg.solve(a, np.eye(len(a))), zero_size=((0, 0),), f32=1e-4),
    Case("inv", (near_eye(2, 2),), lambda a: each(scipy.linalg.inv, a), label="stack", f32=1e-4),
    Case("solve", (near_eye(3), Floats((3, 2))), lambda a, b: scipy.linalg.inv(a) @ b, label="matrix", zero_size=((0, 0), (0, 2)), f32=1e-4),
    Case("solve", (near_eye(3), Floats((3,))), lambda a, b: scipy.linalg.inv(a) @ b, label="vector", f32=1e-4),
    Case("solve", (near_eye(2, 2), Floats((2,))), lambda a, b: np.stack([scipy.linalg.inv(m) @ b for m in a]),
         label="matrices and vector", f32=1e-4),
    Case("solve", (near_eye(2, 2), Floats((2, 3))), lambda a, b: np.stack([scipy.linalg.inv(m) @ b for m in a]),
         label="matrices and matrix", f32=1e-4),
    Case("solve", (near_eye(2), Floats((2, 2, 1))), lambda a, b: np.stack([scipy.linalg.inv(a) @ m for m in b]),
         label="matrix and matrices", f32=1e-4),
    Case("det", (near_eye(3),), leibniz, f32=1e-4),
    Case("det", (near_eye(2, 2, 2),), lambda a: a[..., 0, 0] * a[..., 1, 1] - a[..., 0, 1] * a[..., 1, 0], label="stack", f32=1e-4),
    Case("det", (rank(3, 2),), leibniz, label="singular", second=False, half=False, rtol=1e-6, f32=1e-4,
         why="the second derivative at a singular matrix is not there; float16 rounds it to a regular one"),
    Case("det", (rank(3, 1),), leibniz, label="rank 1", second=False, half=False, rtol=1e-6, f32=1e-4,
         why="the second derivative at a singular matrix is not there; float16 rounds it to a regular one"),
    Case("slogdet", (near_eye(3),), lambda a: [np.sign(leibniz(a)), np.log(np.abs(leibniz(a)))], f32=1e-4),
    Case("slogdet", (near_eye(2, 3),),
         lambda a: [each(lambda m: np.sign(scipy.linalg.det(-m)), a), each(lambda m: np.log(abs(scipy.linalg.det(m))), a)],
         lambda F, a: F.slogdet(-a), label="stack", f32=1e-4),
    Case("cholesky", (near_eye(3),), lambda a: scipy.linalg.cholesky(squared(a), lower=True), lambda F, a: F.cholesky(squared(a)), f32=1e-4),
    Case("cholesky", (near_eye(2, 2),), lambda a: each(lambda m: scipy.linalg.cholesky(squared(m), lower=True), a),
         lambda F, a: F.cholesky(squared(a)), label="stack", f32=1e-4),
]

CASES: list[Case] = PRODUCTS + LINEAR + EINSUM + DECOMPOSE
