"""The formulas that are shown are those that are run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Function, Variable, checkpoint
from dezero.backend import as_numpy
from dezero.core.operators import OPS
from dezero.viz.bound import Bound
from dezero.viz.chain import Chain
from dezero.viz.formula import Opaque, formula_of
from dezero.viz.graph import Collection, collect
from dezero.viz.symbolic import evaluate
from dezero.viz.values import Values, run_of
from tests import opcheck as oc
from tests.cases import CASES
from tests.cases.case import Case

DIFFERENTIABLE = [c for c in CASES if c.first and oc.floats(c)]


def run(case: Case) -> tuple[Collection, Values]:
    """The graph of a row of the table of ops, with its numbers."""
    if case.random:
        np.random.seed(0)
    ys = [y for y in oc.run(case, oc.variables(case, oc.draw(case))) if oc.tracked(y)]
    return collect(ys), run_of(ys)[1]


def rules(found: Collection, values: Values) -> Any:
    """Each formula of a graph: (function, input, the formula's value, the engine's), for random gradients of the results."""
    chain = Chain(found, values, "v0")
    bound = Bound(found, values, chain.sources, chain.results, list(found.functions), "v0")
    numbers = {name: values.arrays[v] for v, name in bound.names.items() if v in values.arrays}
    rng = np.random.default_rng(0)
    for f, fn in found.functions.items():
        outputs = [(fn._shape, fn._dtype)] if fn._shape is not None else fn._dtype
        gys = [rng.normal(size=shape).astype(dtype) for shape, dtype in outputs]
        for i, _, _ in fn._plan.calls:
            helpers = {name: bound.value_of(name) for name in bound.helpers}
            incoming = {j: bound.gradient(r) for j, r in bound.places[f].items()}
            gradients = {bound.gradients[r]: gys[j] for j, r in bound.places[f].items()}
            sent = [gys[j] if j in bound.places[f] else np.zeros_like(gys[j]) for j in range(len(gys))]
            yield fn, i, evaluate(bound.rule(f, i, incoming), gradients, numbers, helpers), bound.backward_of(f, i)(*sent)


@pytest.mark.parametrize("case", [pytest.param(c, id=c.id, marks=[pytest.mark.seeds] if c.random else []) for c in DIFFERENTIABLE])
def test_a_formula_evaluated_is_the_engines_gradient(case: Case) -> None:
    for fn, i, told, engine in rules(*run(case)):
        assert np.shape(told) == engine.shape, (fn, fn.argument(i))
        np.testing.assert_allclose(told, engine, rtol=1e-9, atol=1e-10, err_msg=f"{fn.op}, {fn.argument(i)}: {formula_of(fn).gradients}")
