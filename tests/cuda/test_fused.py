"""Fused formulas: one launch each way, the op's own maths where the backend does not serve, nothing kept alive."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, grad
from dezero.backend.cuda.launch import counting
from tests.strict import to_strict

pytestmark = pytest.mark.usefixtures("emulated")


def test_relu_is_one_launch_forward_and_one_backward() -> None:
    x = Variable(to_strict(np.array([-1.0, 0.0, 2.0], np.float32)))
    with counting() as launches:
        y = F.relu(x)
        F.sum(y).backward()
    assert launches["dezero_relu"] == 1 and launches["dezero_relu_grad"] == 1
    assert x.grad is not None and x.grad.data.get().tolist() == [0.0, 0.0, 1.0]


def test_higher_orders_run_the_ops_own_maths() -> None:
    x = Variable(to_strict(np.array([-1.0, 3.0])))
    gx = grad(F.relu(x * x * x), x, create_graph=True)
    with counting() as launches:
        assert grad(gx, x).data.get().tolist() == [0.0, 18.0]
    assert launches["dezero_relu"] == 0


def test_an_integer_is_not_served_and_still_right() -> None:
    assert F.relu(to_strict(np.array([-1, 2]))).data.get().tolist() == [0, 2]


def test_one_op_object_serves_both_kinds_of_arrays_in_turn() -> None:
    op = F.relu(Variable(to_strict(np.ones(2)))).creator
    assert type(op(Variable(np.array([-1.0]))).data) is np.ndarray
    assert op(Variable(to_strict(np.array([-1.0])))).data.get().tolist() == [0.0]


def test_no_cycle_keeps_results_alive() -> None:
    gc.collect()
    gc.disable()
    try:
        y: Any = F.relu(Variable(to_strict(np.ones(3))))
        import weakref
        alive = weakref.ref(y.creator)
        del y
        assert alive() is None
    finally:
        gc.enable()
