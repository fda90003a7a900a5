"""Every row of the table of ops on the emulated device in half precision: half precision comes out, in values and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dezero import Variable
from tests import opcheck as oc
from tests.cases import CASES
from tests.cases.case import Case
from tests.strict import StrictArray, to_strict

DIGITS = {"float16": 4e-3, "bfloat16": 3e-2}


def near(found: Any, expected: Any, tolerance: float) -> None:
    expected = np.asarray(expected, np.float64)
    np.testing.assert_allclose(found.get().astype(np.float64), expected, rtol=tolerance, atol=tolerance * (1 + np.abs(expected).max(initial=0)))


@pytest.mark.usefixtures("emulated")
@pytest.mark.parametrize("name", DIGITS)
@pytest.mark.parametrize("case", [pytest.param(c, id=c.id, marks=[pytest.mark.seeds] if c.random else []) for c in CASES
                                  if c.strict and c.half and c.name != "one_hot"])
def test_the_emulated_device_keeps_half_precision(case: Case, name: str) -> None:
    dtype = np.dtype(np.float16 if name == "float16" else pytest.importorskip("ml_dtypes").bfloat16)
    values = oc.cast(oc.draw(case), dtype)
    wide = [v.astype(np.float32) if isinstance(v, np.ndarray) and v.dtype == dtype else v for v in values]
    ws = [w.astype(dtype) for w in oc.cotangents(case, wide)]
    expected = [oc.array(y) for y in oc.run(case, oc.variables(case, wide))]
    xs = oc.variables(case, [to_strict(v) for v in values])
    ys = oc.run(case, xs)
    for y, e in zip(ys, expected, strict=True):
        assert isinstance(oc.array(y), StrictArray) and oc.array(y).dtype == (dtype if e.dtype == np.float32 else e.dtype)
        if not case.random:
            near(oc.array(y), e, DIGITS[name])
    if not case.first:
        return
    oc.send(ys, [Variable(to_strict(w), requires_grad=False) for w in ws])
    for i, e in zip(oc.floats(case), oc.gradients(case, wide, [w.astype(np.float32) for w in ws]), strict=True):
        g = xs[i].grad
        assert g is None or g.dtype == dtype
        if g is not None and not case.random:
            near(g.data, e, 3 * DIGITS[name])
