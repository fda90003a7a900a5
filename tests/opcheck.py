"""What the tests of the ops share: drawing a row's inputs, running it, and checking derivatives by finite differences."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import dezero.functions as F
from dezero import Variable
from tests.cases.case import Case, Floats

STEP = 3e-4    # of the differences of fourth order: truncation and rounding errors are both near 1e-12 here
RTOL = 1e-6    # of derivatives, relative to the sum of the sizes of their terms


def generator(case: Case, seed: int) -> np.random.Generator:
    """Random numbers that depend on the row and the seed alone."""
    return np.random.default_rng([seed, zlib.crc32(case.id.encode())])


def draw(case: Case, seed: int = 0) -> list[Any]:
    """Inputs of a row: float64 arrays and constants."""
    rng = generator(case, seed)
    return [spec.draw(rng) for spec in case.inputs]


def reshaped(case: Case, shapes: dict[int, tuple[int, ...]]) -> Case:
    """The same row with other shapes for some of its Floats."""
    return replace(case, inputs=tuple(replace(spec, shape=shapes[i]) if i in shapes else spec for i, spec in enumerate(case.inputs)))


def floats(case: Case) -> list[int]:
    """The places of the differentiable inputs."""
    return [i for i, spec in enumerate(case.inputs) if isinstance(spec, Floats)]


def cast(values: Sequence[Any], dtype: Any) -> list[Any]:
    """The inputs with all float arrays in another dtype."""
    return [v.astype(dtype) if isinstance(v, np.ndarray) and v.dtype.kind == "f" else v for v in values]


def variables(case: Case, values: Sequence[Any], only: int | None = None) -> list[Any]:
    """The inputs with the Floats (or one of them) as Variables."""
    return [Variable(v) if i in floats(case) and only in (None, i) else v for i, v in enumerate(values)]


def run(case: Case, inputs: Sequence[Any]) -> list[Any]:
    """The results of a row as a list of Variables (or plain arrays, from comparisons)."""
    if case.random:
        np.random.seed(len(case.id))
    ys = case.run(F, *inputs)
    ys = list(ys) if isinstance(ys, (tuple, list)) else [ys]
    # Where there is nothing to do a function may return its input itself; a backward from there needs a result.
    return [y * 1.0 if isinstance(y, Variable) and y.requires_grad and y.creator is None else y for y in ys]


def oracle(case: Case, values: Sequence[Any]) -> list[np.ndarray]:
    """What must come out."""
    if case.random:
        np.random.seed(len(case.id))
    ys = case.oracle(*values)
    return [np.asarray(y) for y in (ys if isinstance(ys, (tuple, list)) else [ys])]


def array(y: Any) -> Any:
    """The array of a result."""
    return y.data if isinstance(y, Variable) else y


def tracked(y: Any) -> bool:
    """Does a gradient flow into this result?"""
    return isinstance(y, Variable) and y.creator is not None


def cotangents(case: Case, values: Sequence[Any], seed: int = 0) -> list[np.ndarray]:
    """A random gradient for each result. Ones would prove nothing where the results sum to a constant."""
    rng = generator(case, 1000 + seed)
    return [rng.normal(size=np.shape(array(y))) for y in run(case, values)]


def send(ys: Sequence[Any], ws: Sequence[Any], create_graph: bool = False) -> None:
    """``backward`` from each result with its own incoming gradient."""
    for y, w in zip(ys, ws, strict=True):
        if tracked(y):
            w = w if isinstance(w, Variable) else Variable(w.astype(y.dtype), requires_grad=False)
            y.grad = w
            y.backward(create_graph=create_graph, retain_graph=len(ys) > 1 or None)


def gradients(case: Case, values: Sequence[Any], ws: Sequence[Any], only: int | None = None, create_graph: bool = False) -> list[Any]:
    """Backpropagated gradients of <results, ws>: an array for each of the Floats (or for one of them), zeros where none came."""
    xs = variables(case, values, only)
    send(run(case, xs), ws, create_graph)
    return [_grad_of(xs[i]) for i in floats(case) if only in (None, i)]


def _grad_of(x: Variable) -> np.ndarray:
    if x.grad is None:
        return np.zeros(x.shape, x.dtype)
    assert x.grad.shape == x.shape, f"gradient {x.grad.shape} for an input {x.shape}"
    return x.grad.data


def derivative(f: Callable[[float], float]) -> float:
    """f'(0) by central differences of the fourth order."""
    h = STEP
    return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h)


def compare_along(f: Callable[..., float], points: Sequence[np.ndarray], found: Sequence[np.ndarray], rng: np.random.Generator) -> None:
    """Compare gradients with differences of ``f`` along random directions: in all points together, and in each one alone."""
    size = 1 + abs(f(*points))
    ways: list[list[int]] = [list(range(len(points)))] * 2
    if len(points) > 1:
        ways += [[i] for i in range(len(points))]
    for way in ways:
        ds = [rng.normal(size=p.shape) if i in way else np.zeros(p.shape) for i, p in enumerate(points)]
        ds = [d / max(1.0, float(np.abs(d).max(initial=0.0))) for d in ds]  # no step leaves the gap around a kink
        numerical = derivative(lambda h, ds=ds: f(*(p + h * d for p, d in zip(points, ds, strict=True))))
        terms = [g * d for g, d in zip(found, ds, strict=True)]
        backpropagated = float(sum(t.sum() for t in terms))
        tolerance = RTOL * float(sum(np.abs(t).sum() for t in terms)) + 1e-9 * size
        assert abs(numerical - backpropagated) <= tolerance, (
            f"inputs {way}: backpropagated {backpropagated:.10g}, numerical {numerical:.10g}, difference {numerical - backpropagated:.3g}")


def _inner(ys: Sequence[Any], ws: Sequence[np.ndarray]) -> float:
    return float(sum((np.asarray(array(y), np.float64) * w).sum() for y, w in zip(ys, ws, strict=True)))


def _with(case: Case, values: Sequence[Any], points: Sequence[Any]) -> list[Any]:
    values = list(values)
    for i, p in zip(floats(case), points, strict=True):
        values[i] = p
    return values


def check_first(case: Case, values: Sequence[Any], seed: int = 0) -> None:
    """First derivatives of <f(x), w> by differences, and the same gradients where only one input is tracked."""
    ws = cotangents(case, values, seed)
    points = [values[i] for i in floats(case)]
    found = gradients(case, values, ws)
    compare_along(lambda *ps: _inner(run(case, _with(case, values, ps)), ws), points, found, generator(case, 2000 + seed))
    if len(points) > 1:
        for i, g in zip(floats(case), found, strict=True):
            alone, = gradients(case, values, ws, only=i)
            np.testing.assert_allclose(alone, g, rtol=1e-10, atol=1e-12, err_msg=f"input {i} tracked alone and with the others")


def check_second(case: Case, values: Sequence[Any], seed: int = 0) -> None:
    """First derivatives of <grad <f(x), w>, u> with respect to x and to w, by differences of the first-order gradient."""
    ws = cotangents(case, values, seed)
    points = [values[i] for i in floats(case)]
    rng = generator(case, 3000 + seed)
    us = [rng.normal(size=p.shape) for p in points]
    xs = variables(case, values)
    wvs = [Variable(w) for w in ws]
    send(run(case, xs), [w * 1.0 for w in wvs], create_graph=True)
    leaves = [xs[i] for i in floats(case)]
    gs = [x.grad for x in leaves]
    for g, plain in zip(gs, gradients(case, values, ws), strict=True):
        np.testing.assert_allclose(0.0 if g is None else g.data, plain, rtol=1e-9, atol=1e-11, err_msg="gradients with and without create_graph")
    for v in (*leaves, *wvs):
        v.cleargrad()
    for g, u in zip(gs, us, strict=True):
        if g is not None and g.creator is not None:
            g.grad = Variable(u, requires_grad=False)
            g.backward(retain_graph=True)
    n = len(points)

    def inner_gradient(*ps: Any) -> float:
        return _inner(gradients(case, _with(case, values, ps[:n]), ps[n:]), us)

    compare_along(inner_gradient, [*points, *ws], [_grad_of(v) for v in (*leaves, *wvs)], rng)
