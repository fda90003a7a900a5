"""Every row of the table of ops on the emulated device: its kernels in CUDA C give the values and gradients of the CPU's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dezero import Variable
from tests import opcheck as oc
from tests.cases import CASES
from tests.cases.case import Case
from tests.strict import StrictArray, to_strict

TOLERANCE: dict[Any, float] = {np.float64: 1e-9, np.float32: 1e-4}


def compare(found: Any, expected: Any, tolerance: float) -> None:
    expected = np.asarray(expected)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found.get(), expected, rtol=tolerance, atol=tolerance * (1 + np.abs(expected).max(initial=0)))


@pytest.mark.usefixtures("emulated")
@pytest.mark.parametrize("dtype", TOLERANCE, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("case", [pytest.param(c, id=c.id, marks=[pytest.mark.seeds] if c.random else []) for c in CASES if c.strict])
def test_the_emulated_device_equals_the_cpu(case: Case, dtype: Any) -> None:
    values = oc.cast(oc.draw(case), dtype)
    ws = [w.astype(dtype) for w in oc.cotangents(case, values)]
    expected = oc.run(case, oc.variables(case, values))
    for create_graph in (False, True):
        xs = oc.variables(case, [to_strict(v) for v in values])
        ys = oc.run(case, xs)
        for y, e in zip(ys, expected, strict=True):
            assert isinstance(oc.array(y), StrictArray), f"the result is a {type(oc.array(y)).__name__}"
            compare(oc.array(y), oc.array(e), TOLERANCE[dtype])
        if not case.first:
            continue
        oc.send(ys, [Variable(to_strict(w), requires_grad=False) for w in ws], create_graph)
        for i, e in zip(oc.floats(case), oc.gradients(case, values, ws), strict=True):
            g = xs[i].grad
            assert g is None or isinstance(g.data, StrictArray), f"the gradient is a {type(g.data).__name__}"
            compare(to_strict(np.zeros_like(e)) if g is None else g.data, e, TOLERANCE[dtype])
