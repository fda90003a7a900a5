"""Every op of the table: an array that changes after forward leaves the gradient as it was, or ``detect_anomaly`` reports it."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, detect_anomaly, grad
from dezero.errors import ChangedInPlaceError
from tests import opcheck as oc
from tests.cases import CASES
from tests.cases.case import Case


def disturb(a: np.ndarray) -> None:
    """Other values in the same array, in the same range."""
    if a.dtype.kind == "f":
        a *= -0.6
        a += 0.3
    elif a.dtype.kind == "b":
        np.logical_not(a, out=a)
    elif a.size:
        a[...] = np.where(a == a.flat[0], a.flat[-1], a.flat[0])


class Trial:
    """A run of a row up to its backward."""

    def __init__(self, case: Case) -> None:
        self.arrays = [v.copy() if isinstance(v, np.ndarray) else v for v in oc.draw(case)]
        self.inputs = oc.variables(case, self.arrays)
        self.ys = [y for y in oc.run(case, self.inputs) if oc.tracked(y)]
        rng = np.random.default_rng(1)
        self.loss = sum(F.sum(y * rng.normal(size=y.shape)) for y in self.ys)
        self.leaves = [x for x in self.inputs if isinstance(x, Variable)]

    def gradients(self) -> list[Any]:
        found = grad(self.loss, self.leaves, allow_unused=True) if self.ys else []
        return [None if g is None else g.data.copy() for g in found]


def same(found: list[Any], wanted: list[Any]) -> bool:
    return all(a is b is None or np.array_equal(a, b) for a, b in zip(found, wanted, strict=True))


ROWS = [pytest.param(c, id=c.id, marks=[pytest.mark.seeds] if c.random else []) for c in CASES if oc.floats(c)]


@pytest.mark.parametrize("case", ROWS)
def test_every_op_survives_a_change_or_it_is_reported(case: Case) -> None:
    wanted = Trial(case).gradients()
    for i, spec in enumerate(oc.draw(case)):
        if isinstance(spec, np.ndarray):
            with detect_anomaly():
                trial = Trial(case)
                disturb(trial.arrays[i])
                try:
                    assert same(trial.gradients(), wanted), f"a wrong gradient after a change of input {i}"
                except ChangedInPlaceError:
                    pass
    for replace in (False, True):
        for k in range(len(Trial(case).ys)):
            with detect_anomaly():
                trial = Trial(case)
                y = trial.ys[k]
                if replace:
                    y.data = y.data * 2
                elif y.data.flags.writeable:
                    disturb(y.data)
                try:
                    assert same(trial.gradients(), wanted), f"a wrong gradient after a change of result {k}"
                except ChangedInPlaceError:
                    assert not replace


@pytest.mark.parametrize("case", ROWS)
def test_every_op_survives_another_array_as_data(case: Case) -> None:
    wanted = Trial(case).gradients()
    trial = Trial(case)
    for x in trial.leaves:
        x.data = x.data * 2 + 1
    assert same(trial.gradients(), wanted)
