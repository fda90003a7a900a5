"""Ten tests out of each row of the table of ops, and the completeness of that table."""

from __future__ import annotations

import gc
import inspect
import weakref
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, no_grad
from dezero.backend import register_module, unregister_module
from dezero.core.operators import OPS
from tests import opcheck as oc
from tests.cases import CASES
from tests.cases.case import Case
from tests.strict import StrictArray, to_strict, xp

# The library's ops; tests define some of their own.
LIBRARY = {name: cls for name, cls in OPS.items() if cls.__module__.startswith("dezero.")}
# Those that no row can run, each with its reason.
INTERNAL = {"checkpoint": "runs a function of the user: tests/core"}


def rows(keep: Any = lambda case: True) -> Any:
    """Decorator: one test for each row that ``keep`` accepts."""
    found = [pytest.param(c, id=c.id, marks=[pytest.mark.seeds] if c.random else []) for c in CASES if keep(c)]
    return pytest.mark.parametrize("case", found)


def has_floats(case: Case) -> bool:
    return bool(oc.floats(case))


def close(y: Any, expected: np.ndarray, rtol: float, atol: float) -> None:
    y = np.asarray(oc.array(y))
    assert y.shape == expected.shape, f"shape {y.shape}, expected {expected.shape}"
    np.testing.assert_allclose(y, expected, rtol=rtol, atol=atol)


def check_value(case: Case, values: Any) -> None:
    expected = oc.oracle(case, values)
    ys = oc.run(case, oc.variables(case, values))
    assert len(ys) == len(expected), f"{len(ys)} results, expected {len(expected)}"
    for y, e in zip(ys, expected, strict=True):
        close(y, e, case.rtol, case.rtol)


@rows()
def test_value(case: Case) -> None:
    for seed in range(3):
        check_value(case, oc.draw(case, seed))


@rows()
def test_constants_leave_no_graph(case: Case) -> None:
    values = oc.draw(case)
    ys = oc.run(case, oc.variables(case, values))
    plain = oc.run(case, values)
    with no_grad():
        untracked = oc.run(case, oc.variables(case, values))
    for y, p, u in zip(ys, plain, untracked, strict=True):
        assert not oc.tracked(p)
        assert not oc.tracked(u)
        np.testing.assert_array_equal(oc.array(y), oc.array(p))
        np.testing.assert_array_equal(oc.array(y), oc.array(u))


@rows(lambda c: c.first and has_floats(c))
def test_first_derivative(case: Case) -> None:
    oc.check_first(case, oc.draw(case))


@rows(lambda c: c.second and c.first and has_floats(c))
def test_second_derivative(case: Case) -> None:
    oc.check_second(case, oc.draw(case))


@rows(has_floats)
def test_float32_stays_float32(case: Case) -> None:
    values = oc.cast(oc.draw(case), np.float32)
    expected = oc.oracle(case, oc.cast(values, np.float64))
    xs = oc.variables(case, values)
    ys = oc.run(case, xs)
    for y, e in zip(ys, expected, strict=True):
        assert e.dtype.kind != "f" or oc.array(y).dtype == np.float32, f"result of dtype {oc.array(y).dtype}"
        close(y, e, case.f32, case.f32)
    if not case.first:
        return
    ws = oc.cast(oc.cotangents(case, values), np.float32)
    exact = oc.gradients(case, oc.cast(values, np.float64), oc.cast(ws, np.float64))
    for create_graph in (False, True):
        for g, e in zip(oc.gradients(case, values, ws, create_graph=create_graph), exact, strict=True):
            assert g.dtype == np.float32, f"gradient of dtype {g.dtype} with create_graph={create_graph}"
            close(g, e, 20 * case.f32, 20 * case.f32 * (1 + np.abs(e).max(initial=0)))
    xs = oc.variables(case, values)
    oc.send(oc.run(case, xs), ws, create_graph=True)
    for x in (xs[i] for i in oc.floats(case)):  # what lands is cast to the leaf's dtype: the graph shows if that was needed
        fn = None if x.grad is None else x.grad.creator
        assert getattr(fn, "op", "") != "astype" or fn.source != np.float64, "a formula gave a float64 gradient, seen with create_graph=True"


@rows(lambda c: c.half and has_floats(c))
def test_float16_stays_float16(case: Case) -> None:
    values = oc.cast(oc.draw(case), np.float16)
    expected = oc.oracle(case, oc.cast(values, np.float64))
    for y, e in zip(oc.run(case, oc.variables(case, values)), expected, strict=True):
        assert e.dtype.kind != "f" or oc.array(y).dtype == np.float16, f"result of dtype {oc.array(y).dtype}"
        close(y, e, 0.02, 0.02 * (1 + np.abs(e).max(initial=0)))
    if case.first:
        for g in oc.gradients(case, values, oc.cast(oc.cotangents(case, values), np.float16)):
            assert g.dtype == np.float16, f"gradient of dtype {g.dtype}"
            assert np.isfinite(g).all()


@pytest.mark.parametrize(("case", "pair"), [pytest.param(c, pair, id=f"{c.id}-{pair[0]}-{pair[1]}") for c in CASES for pair in c.broadcast])
def test_broadcasting(case: Case, pair: Any) -> None:
    case = oc.reshaped(case, {0: pair[0], 1: pair[1]})
    values = oc.draw(case)
    check_value(case, values)
    if case.first:
        oc.check_first(case, values)
    if case.first and case.second:
        oc.check_second(case, values)


@rows(lambda c: c.zero_d)
def test_zero_d(case: Case) -> None:
    case = oc.reshaped(case, dict.fromkeys(oc.floats(case), ()))
    values = oc.draw(case)
    check_value(case, values)
    if case.first:
        oc.check_first(case, values)
    if case.first and case.second:
        oc.check_second(case, values)


@rows(lambda c: c.zero_size is not None)
def test_zero_size(case: Case) -> None:
    assert case.zero_size is not None
    values = [np.zeros(shape, np.asarray(v).dtype) for shape, v in zip(case.zero_size, oc.draw(case), strict=True)]
    check_value(case, values)
    if case.first:
        for create_graph in (False, True):
            oc.gradients(case, values, oc.cotangents(case, values), create_graph=create_graph)  # asserts the shapes


def strided(x: Any) -> list[Any]:
    """The same values behind other strides: column-major, every second element of a larger array, and reversed."""
    if not isinstance(x, np.ndarray) or not x.ndim:
        return [x] * 3
    wide = np.zeros([2 * n for n in x.shape], x.dtype)
    wide[tuple(slice(None, None, 2) for _ in x.shape)] = x
    back = tuple(slice(None, None, -1) for _ in x.shape)
    return [np.ascontiguousarray(x.T).T, wide[tuple(slice(None, None, 2) for _ in x.shape)], np.ascontiguousarray(x[back])[back]]


@rows()
def test_strides_do_not_matter(case: Case) -> None:
    values = oc.draw(case)
    ws = oc.cotangents(case, values)
    ys = [oc.array(y) for y in oc.run(case, values)]
    gs = oc.gradients(case, values, ws) if case.first else []
    for variant in zip(*map(strided, values), strict=True):
        for y, e in zip(oc.run(case, list(variant)), ys, strict=True):
            close(y, e, 1e-10, 1e-11)
        for g, e in zip(oc.gradients(case, variant, ws) if case.first else [], gs, strict=True):
            close(g, e, 1e-10, 1e-11)


@rows(lambda c: c.first and has_floats(c))
def test_memory_of_inputs_and_gradients(case: Case) -> None:
    values = oc.draw(case)
    before = [np.copy(v) for v in values]
    ws = oc.cotangents(case, values)
    for create_graph in (False, True):
        xs = oc.variables(case, values)
        ys = oc.run(case, xs)
        results = [oc.array(y).copy() for y in ys]
        oc.send(ys, ws, create_graph)
        for v, b in zip(values, before, strict=True):
            np.testing.assert_array_equal(v, b, err_msg="an input was changed")
        for y, r in zip(ys, results, strict=True):
            np.testing.assert_array_equal(oc.array(y), r, err_msg="a result was changed by backward")
        if not create_graph:
            check_owned([x.grad.data for x in xs if isinstance(x, Variable) and x.grad is not None],
                        [v for v in (*values, *ws, *map(oc.array, ys)) if isinstance(v, np.ndarray)])


def check_owned(gs: Any, others: Any) -> None:
    for i, g in enumerate(gs):
        assert g.flags.writeable, f"gradient {i} is read-only"
        for other in (*gs[:i], *others):
            assert not np.may_share_memory(g, other), f"gradient {i} shares memory with another array"


@rows()
@pytest.mark.parametrize("backward", ["no backward", "backward", "create_graph"])
def test_no_reference_cycle(case: Case, backward: str) -> None:
    values = oc.draw(case)
    ws = oc.cotangents(case, values)
    gc.disable()
    try:
        xs = oc.variables(case, values)
        ys = oc.run(case, xs)
        if backward != "no backward" and case.first:
            oc.send(ys, ws, create_graph=backward == "create_graph")
        seen = [weakref.ref(v) for v in (*xs, *ys) if isinstance(v, Variable)]
        seen += [weakref.ref(y.creator) for y in ys if oc.tracked(y)]
        clear(xs)  # with create_graph a leaf's gradient has a graph that leads to the leaf
        del xs, ys
        alive = [r() for r in seen if r() is not None]
        assert not alive, f"still alive: {alive}"
    finally:
        gc.enable()


def clear(xs: Any) -> None:
    for x in xs:
        if isinstance(x, Variable):
            x.cleargrad()


@pytest.fixture
def strict() -> Any:
    register_module(StrictArray, xp)
    yield
    unregister_module(StrictArray)


@rows(lambda c: c.strict)
@pytest.mark.usefixtures("strict")
def test_strict_stand_in(case: Case) -> None:
    values = oc.draw(case)
    ws = oc.cotangents(case, values)
    expected = [oc.array(y) for y in oc.run(case, values)]
    guarded = [to_strict(v) for v in values]
    for create_graph in (False, True):
        xs = oc.variables(case, guarded)
        ys = oc.run(case, xs)
        for y, e in zip(ys, expected, strict=True):
            assert isinstance(oc.array(y), StrictArray), f"the result is a {type(oc.array(y)).__name__}"
            if not case.random:
                close(oc.array(y).get(), e, 1e-9, 1e-10)
        if not case.first:
            continue
        send_strict(ys, ws, create_graph)
        for i, e in zip(oc.floats(case), oc.gradients(case, values, ws), strict=True):
            g = xs[i].grad
            assert g is None or isinstance(g.data, StrictArray), f"the gradient is a {type(g.data).__name__}"
            if not case.random:
                close(np.zeros(e.shape) if g is None else g.data.get(), e, 1e-9, 1e-10)


def send_strict(ys: Any, ws: Any, create_graph: bool) -> None:
    oc.send(ys, [Variable(to_strict(w), requires_grad=False) for w in ws], create_graph)


# -- completeness ---------------------------------------------------------------------------------


def is_alias(name: str) -> bool:
    proper = getattr(F, name).__name__
    return proper != name and getattr(F, proper, None) is getattr(F, name)


def test_every_function_has_a_row() -> None:
    assert {n for n in F.__all__ if not is_alias(n)} - {c.name for c in CASES} == set()


def test_every_row_names_a_public_function() -> None:
    assert {c.name for c in CASES} - set(F.__all__) == set()


def test_rows_have_different_ids_and_reasons() -> None:
    ids = [c.id for c in CASES]
    assert sorted({i for i in ids if ids.count(i) > 1}) == []
    for c in CASES:
        left_out = not c.strict or (has_floats(c) and not (c.first and c.second))
        assert c.why or not left_out, f"{c.id} leaves something out and does not say why"


@pytest.mark.seeds
def test_every_op_is_run_by_some_row(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: set[str] = set()
    for name, cls in LIBRARY.items():
        def forward(self: Any, *xs: Any, _forward: Any = cls.forward, _name: str = name) -> Any:
            ran.add(_name)
            return _forward(self, *xs)
        monkeypatch.setattr(cls, "forward", forward)
    for case in CASES:
        values = oc.draw(case)
        oc.run(case, values)
        if case.first and has_floats(case):
            ws = oc.cotangents(case, values)
            oc.gradients(case, values, ws)
            oc.gradients(case, values, ws, create_graph=True)
    assert sorted(set(LIBRARY) - ran) == sorted(INTERNAL)


@pytest.mark.parametrize("name", F.__all__)
def test_documentation(name: str) -> None:
    doc = inspect.getdoc(getattr(F, name)) or ""
    assert "Examples:" in doc, f"F.{name} has no docstring with an Examples section"
    assert ">>>" in doc, f"the example of F.{name} is no doctest"
