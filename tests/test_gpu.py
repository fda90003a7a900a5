"""Every row of the table of ops on the GPU: the same values and gradients as on the CPU, and nothing comes back to the host."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from dezero import Variable
from dezero.backend import as_cupy, as_numpy
from tests import opcheck as oc
from tests.cases import CASES
from tests.cases.case import Case

pytestmark = pytest.mark.gpu

TOLERANCE = {np.float64: 1e-9, np.float32: 1e-4}


@pytest.fixture(scope="module")
def cupy() -> ModuleType:
    return pytest.importorskip("cupy")


def to_device(values: list[Any]) -> list[Any]:
    return [as_cupy(v) if isinstance(v, np.ndarray) else v for v in values]


def compare(found: Any, expected: Any, tolerance: float) -> None:
    expected = np.asarray(expected)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(as_numpy(found), expected, rtol=tolerance, atol=tolerance * (1 + np.abs(expected).max(initial=0)))


@pytest.mark.parametrize("dtype", TOLERANCE, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("case", [pytest.param(c, id=c.id, marks=[pytest.mark.seeds] if c.random else []) for c in CASES if c.strict])
def test_gpu_equals_cpu(case: Case, dtype: Any, cupy: ModuleType) -> None:
    values = oc.cast(oc.draw(case), dtype)
    ws = [w.astype(dtype) for w in oc.cotangents(case, values)]
    expected = oc.run(case, oc.variables(case, values))
    for create_graph in (False, True):
        xs = oc.variables(case, to_device(values))
        ys = oc.run(case, xs)
        for y, e in zip(ys, expected, strict=True):
            assert isinstance(oc.array(y), cupy.ndarray), f"the result is a {type(oc.array(y)).__name__}"
            if not case.random:  # the GPU draws other numbers
                compare(oc.array(y), oc.array(e), TOLERANCE[dtype])
        if not case.first:
            continue
        oc.send(ys, [Variable(as_cupy(w), requires_grad=False) for w in ws], create_graph)
        for i, e in zip(oc.floats(case), oc.gradients(case, values, ws), strict=True):
            g = xs[i].grad
            assert g is None or isinstance(g.data, cupy.ndarray), f"the gradient is a {type(g.data).__name__}"
            if not case.random:
                compare(np.zeros_like(e) if g is None else g.data, e, TOLERANCE[dtype])
