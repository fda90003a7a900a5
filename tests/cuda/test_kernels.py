"""Every kernel for CuPy on the emulated device: overrides against their references, fused formulas against the op's own maths."""

from __future__ import annotations

import copy
from collections import Counter
from functools import cache, partial
from typing import Any

import numpy as np
import pytest

from dezero import Variable
from dezero.backend.kernels import FUSED, OVERRIDES, REFERENCE, Fused, kernels_of
from dezero.core.function import FOUND
from dezero.core.plan import positional
from tests import opcheck as oc
from tests import strict
from tests.backend.test_kernels import ARGUMENTS, compare, to
from tests.cases import CASES
from tests.cases.case import Case
from tests.strict import StrictArray, to_strict

pytestmark = pytest.mark.seeds

# Half precision is compared with the same in float32: the kernels compute in it, while plain maths rounds after each step.
TOLERANCE = {"float64": 1e-11, "float32": 2e-5, "float16": 4e-3}
PARTS = [(op, part) for op, fused in sorted(FUSED["cupy"].items()) for part in sorted(fused.parts)]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", sorted(OVERRIDES["cupy"]))
def test_override_equals_reference(name: str, dtype: str, emulated: Any) -> None:
    assert name in ARGUMENTS, "give arguments for it in tests/backend/test_kernels.py"
    rng = np.random.default_rng(0)
    for arguments in ARGUMENTS[name](lambda *shape: rng.uniform(-2, 2, shape).astype(dtype)):
        ours, theirs = to(emulated, copy.deepcopy(arguments)), copy.deepcopy(arguments)
        with strict.fetches() as fetched:
            found = getattr(kernels_of(emulated), name)(*ours)
        assert not fetched, f"the host waits: {dict(fetched)}"
        compare(found, REFERENCE[name](np, *theirs), TOLERANCE[dtype])
        compare(ours, theirs, TOLERANCE[dtype])  # a kernel may work in place


# -- fused formulas: all rows of the table of ops run, and each call that a formula serves is compared --------------------------


def on_host(x: Any) -> Any:
    """Copies of device arrays, alone or in tuples, as NumPy's; float16 as float32."""
    if isinstance(x, StrictArray):
        a = x._a.copy()
        return a.astype(np.float32) if a.dtype == np.float16 else a
    return tuple(map(on_host, x)) if type(x) is tuple else x


def own_maths(op: Any, part: str, args: Any) -> Any:
    """What the op itself computes in NumPy."""
    fn = type(op).__new__(type(op))
    fn.__dict__.update({k: on_host(v) for k, v in op.__dict__.items() if k not in FOUND})
    return fn.forward(*args) if part == "forward" else positional(getattr(type(op), part))(fn, *args)


def check(found: Any, expected: Any, dtype: str) -> None:
    """Are values and shapes equal, and dtypes, where half precision may be kept in float32 for the gradient?"""
    if isinstance(expected, (tuple, list)):
        assert len(found) == len(expected)
        for f, e in zip(found, expected, strict=True):
            check(f, e, dtype)
    elif expected is None:
        assert found is None
    else:
        expected = np.asarray(expected)
        assert isinstance(found, StrictArray) and found.shape == expected.shape
        assert found.dtype == expected.dtype or (found.dtype == dtype == "float16" and expected.dtype == np.float32)
        limit = TOLERANCE[dtype] * (1 + np.abs(expected[np.isfinite(expected)]).max(initial=0))
        np.testing.assert_allclose(found._a, expected, rtol=TOLERANCE[dtype], atol=limit)


@cache
def calls(dtype: str) -> tuple[Counter[tuple[str, str]], dict[tuple[str, str], str]]:
    """How often each fused formula has served a call while all rows ran, and what was wrong with those that went wrong."""
    served: Counter[tuple[str, str]] = Counter()
    faults: dict[tuple[str, str], str] = {}

    def recorded(place: tuple[str, str], f: Any, op: Any, *args: Any) -> Any:
        before = tuple(map(on_host, args))
        found = f(op, *args)
        if found is not NotImplemented:
            served[place] += 1
            try:
                check(found, own_maths(op, place[1], before), dtype)
            except AssertionError as error:
                faults.setdefault(place, f"{[getattr(a, 'shape', a) for a in before]}: {error}")
        return found

    kept = dict(FUSED["cupy"])
    try:
        for op, fused in kept.items():
            FUSED["cupy"][op] = watched = Fused()
            watched.parts = {part: partial(recorded, (op, part), f) for part, f in fused.parts.items()}
        for case in CASES:
            if case.strict and (case.half or dtype != "float16"):
                values = oc.cast(oc.draw(case), dtype)
                run(case, values)
                if case.zero_size is not None:
                    run(case, [np.zeros(shape, np.asarray(v).dtype) for shape, v in zip(case.zero_size, values, strict=True)])
    finally:
        FUSED["cupy"].update(kept)
    return served, faults


def run(case: Case, values: list[Any]) -> None:
    """A row forward and backward, on arrays in the order of C and of Fortran."""
    for order in "CF":
        xs = oc.variables(case, [StrictArray(np.array(v, order=order)) if isinstance(v, np.ndarray) else v for v in values])
        ys = oc.run(case, xs)
        if case.first:
            ws = [w.astype(oc.array(y).dtype) for w, y in zip(oc.cotangents(case, values), ys, strict=True)]
            oc.send(ys, [Variable(to_strict(w), requires_grad=False) for w in ws])


@pytest.mark.usefixtures("emulated")
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("place", PARTS, ids=lambda place: f"{place[0]}-{place[1]}")
def test_fused_formula_equals_the_ops_own_maths(place: tuple[str, str], dtype: str) -> None:
    served, faults = calls(dtype)
    assert place not in faults, faults[place]
    assert served[place], "no row of the table of ops has arguments that it serves: add one to tests/cases"
