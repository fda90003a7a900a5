"""Random programs against finite differences, against themselves in another order, in parts and in float32, and both modes of differentiation."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, detect_anomaly, grad, jvp, vjp
from tests.core.program_ops import OPS
from tests.core.programs import Draw

FULL = os.environ.get("DEZERO_TEST_SIZE") == "full"
PROGRAMS, GROUP = (5_000, 100) if FULL else (150, 10)
pytestmark = pytest.mark.slow if FULL else []


def leaves_of(d: Draw, dtype: Any = np.float64) -> list[Variable]:
    return [Variable(a.astype(dtype)) for a in d.arrays]


def gradients(d: Draw, **how: Any) -> list[np.ndarray]:
    """The gradients of the loss by ``backward``; zeros where none came."""
    leaves = leaves_of(d)
    d.loss(d.run(leaves, **how)).backward()
    return [np.zeros(x.shape) if x.grad is None else x.grad.data for x in leaves]


def inner(xs: list[Any], ys: list[Any]) -> float:
    return float(sum(np.sum(np.asarray(x) * np.asarray(y)) for x, y in zip(xs, ys, strict=True)))


def slope(f: Callable[[list[np.ndarray]], float], at: list[np.ndarray], along: list[np.ndarray], wanted: float) -> float:
    """The derivative of ``f`` along a direction by differences of fourth order, with the step that comes closest to ``wanted``."""
    def across(h: float) -> float:
        return f([a + h * v for a, v in zip(at, along, strict=True)]) - f([a - h * v for a, v in zip(at, along, strict=True)])

    found = []
    for h in (1e-3, 1e-4, 1e-2, 1e-5):
        found.append((8 * across(h) - across(2 * h)) / (12 * h))
        if abs(found[-1] - wanted) <= 1e-8 * (1 + abs(wanted)):
            break
    return min(found, key=lambda s: abs(s - wanted))


def close(a: float, b: float, size: float) -> bool:
    return abs(a - b) <= 2e-6 * (size + abs(a))


def check_first_order(d: Draw) -> list[np.ndarray]:
    g = gradients(d)
    v = [d.rng.normal(size=a.shape) for a in d.arrays]
    wanted = slope(lambda at: float(d.loss(d.run([Variable(a) for a in at]))), d.arrays, v, inner(g, v))
    assert close(inner(g, v), wanted, 1.0), (inner(g, v), wanted)
    return g


def check_second_order(d: Draw) -> None:
    v, w = ([d.rng.normal(size=a.shape) for a in d.arrays] for _ in range(2))

    def along(leaves: list[Variable], create_graph: bool) -> Any:
        gs = grad(d.loss(d.run(leaves)), leaves, create_graph=create_graph, allow_unused=True)
        return sum((F.sum(g * vi) for g, vi in zip(gs, v, strict=True) if g is not None), start=Variable(np.array(0.0)))

    leaves = leaves_of(d)
    s = along(leaves, True)
    if s.requires_grad:
        gg = grad(s, leaves, allow_unused=True)
        got = inner([0.0 if g is None else g.data for g in gg], w)
        wanted = slope(lambda at: float(along([Variable(a) for a in at], False)), d.arrays, w, got)
        assert close(got, wanted, 1.0 + abs(float(s))), (got, wanted)


def check_ways_in(d: Draw, g: list[np.ndarray]) -> None:
    """grad, twice the same graph, another order of building it, checkpoints, and detect_anomaly: all the same gradients."""
    leaves = leaves_of(d)
    loss = d.loss(d.run(leaves))
    for a, b in zip(grad(loss, leaves, retain_graph=True, allow_unused=True), g, strict=True):
        assert np.array_equal(np.zeros(b.shape) if a is None else a.data, b)
    loss.backward(retain_graph=True)
    loss.backward(create_graph=True)
    for x, b in zip(leaves, g, strict=True):
        assert np.allclose(0 * b if x.grad is None else x.grad.data, 2 * b, rtol=1e-11, atol=1e-11)
    leaves = leaves_of(d)
    loss = d.loss(d.run(leaves))
    loss.backward(retain_graph=True)
    loss.backward()
    assert all(np.array_equal(0 * b if x.grad is None else x.grad.data, 2 * b) for x, b in zip(leaves, g, strict=True))
    for a, b in zip(gradients(d, order=d.other_order()), g, strict=True):
        assert np.allclose(a, b, rtol=1e-9, atol=1e-11)
    first, last = sorted(int(k) for k in d.rng.integers(0, len(d.steps) + 1, 2))
    if first < last:
        for a, b in zip(gradients(d, together=(first, last)), g, strict=True):
            assert np.allclose(a, b, rtol=1e-9, atol=1e-11)
    with detect_anomaly():
        assert all(np.array_equal(a, b) for a, b in zip(gradients(d), g, strict=True))


def check_adjoint(d: Draw) -> None:
    """<u, J v> = <J^T u, v>."""
    def f(*xs: Variable) -> Variable:
        values = d.run(xs)
        return F.concatenate([values[i].flatten() for i in d.results])

    v = [d.rng.normal(size=a.shape) for a in d.arrays]
    y, forward = jvp(f, tuple(d.arrays), tuple(v))
    u = d.rng.normal(size=y.shape)
    back = vjp(f, *d.arrays)[1](u)
    back = back if isinstance(back, tuple) else (back,)
    got, wanted = inner([forward.data], [u]), inner([b.data for b in back], v)
    assert abs(got - wanted) <= 1e-9 * (1 + abs(got))


def check_intermediates(d: Draw) -> None:
    """``.grad`` of a result on the way is what ``grad`` gives for it, and what a hook sees; the values do not share memory."""
    leaves = leaves_of(d)
    values = d.run(leaves)
    loss = d.loss(values)
    ways = list({id(v): v for i, v in values.items() if i not in d.leaves and v.creator is not None}.values())
    wanted = grad(loss, ways, retain_graph=True, allow_unused=True)
    seen: dict[int, np.ndarray] = {}
    for v in ways:
        v.register_hook(lambda g, v=v: seen.update({id(v): g.data.copy()}))
    loss.backward(retain_grad=True)
    for v, w in zip(ways, wanted, strict=True):
        assert (v.grad is None) == (w is None) == (id(v) not in seen)
        if w is not None:
            assert np.array_equal(v.grad.data, seen[id(v)])
            assert np.allclose(v.grad.data, w.data, rtol=1e-9, atol=1e-12)  # a hook gets a copy, which may be summed in another order
    landed = [v.grad.data for v in (*leaves, *ways) if v.grad is not None and v.grad.size]
    others = [v.data for v in (*leaves, *ways)]
    for i, a in enumerate(landed):
        assert a.flags.writeable and not any(np.shares_memory(a, b) for b in (*landed[i + 1:], *others))


def check_float32(d: Draw) -> None:
    leaves = leaves_of(d, np.float32)
    values = d.run(leaves)
    assert all(v.dtype == np.float32 for v in values.values()), [(i, v.dtype) for i, v in values.items() if v.dtype != np.float32]
    gs = [g for g in grad(d.loss(values), leaves, create_graph=True, allow_unused=True) if g is not None]
    s = sum((F.sum(g * g) for g in gs), start=Variable(np.zeros(1, np.float32)))
    assert s.dtype == np.float32
    if s.requires_grad:
        s.backward()
    assert all(x.grad is None or x.grad.dtype == np.float32 for x in leaves)


@pytest.mark.parametrize("start", range(0, PROGRAMS, GROUP))
def test_random_programs(start: int) -> None:
    for seed in range(start, start + GROUP):
        d = Draw(seed, OPS)
        try:
            g = check_first_order(d)
            check_second_order(d)
            check_ways_in(d, g)
            check_adjoint(d)
            check_intermediates(d)
            check_float32(d)
        except Exception as error:
            error.add_note(f"program {seed} of {len(d.steps)} steps")
            raise
