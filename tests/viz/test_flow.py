"""The report on gradients flags what vanishes, explodes or is dead."""

from __future__ import annotations

import numpy as np
import pytest

from dezero import Variable
from dezero import functions as F
from dezero.viz.flow import FlowRow, flow_table, gradient_flow_report
from tests.strict import to_strict


def flags(gradients: object) -> dict[str, tuple[str, ...]]:
    return {row.name: row.flags for row in gradient_flow_report(gradients)}  # type: ignore[arg-type]


def test_numbers_are_of_absolute_values() -> None:
    (row,) = gradient_flow_report({"l.W": np.array([[-3.0, 0.0], [1.0, 0.0]], np.float32)})
    assert row == FlowRow("l.W", 1.0, 3.0, 0.5, ())


def test_small_beside_the_last_layer_is_vanishing() -> None:
    found = flags({"l0.W": np.full(3, 0.9e-6), "l1.W": np.full(3, 1.1e-6), "l2.W": np.full(3, 1e-3), "l2.b": np.full(3, 0.1)})
    assert found == {"l0.W": ("vanishing",), "l1.W": (), "l2.W": (), "l2.b": ()}


def test_large_or_not_finite_is_exploding() -> None:
    found = flags({"a": np.full(3, 2e3), "b": np.array([1.0, np.nan]), "c": np.array([np.inf]), "d": np.ones(2)})
    assert found == {"a": ("exploding",), "b": ("exploding",), "c": ("exploding",), "d": ()}
    assert flags({"a": np.full(2, 1e7), "b": np.full(2, 1e7)}) == {"a": ("exploding",), "b": ("exploding",)}


def test_zero_or_missing_is_dead_and_never_the_measure() -> None:
    found = flags({"a": np.ones(2), "b": None, "c": np.zeros(0), "d": np.zeros(4)})
    assert found == {"a": (), "b": ("dead",), "c": ("dead",), "d": ("dead",)}
    assert flags({"a": None, "b": np.zeros(2)}) == {"a": ("dead",), "b": ("dead",)}


def test_half_precision_does_not_overflow() -> None:
    (row,) = gradient_flow_report({"a": np.full(10000, 60000, np.float16)})
    assert row.mean == pytest.approx(60000, rel=1e-3) and np.isfinite(row.mean)


@pytest.mark.usefixtures("strict_device")
def test_device_arrays_variables_and_numbers_are_taken() -> None:
    g = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    rows = [gradient_flow_report({"a": x})[0] for x in (g, Variable(g), to_strict(g))]
    assert rows[0] == rows[1] == rows[2]
    assert gradient_flow_report([("a", rows[0].mean, rows[0].largest)])[0] == rows[0]
    assert gradient_flow_report(rows) == rows
    with pytest.raises(TypeError, match="the gradient of a is str: an array or a Variable is expected"):
        gradient_flow_report({"a": "g"})


def test_the_table_has_a_line_for_each_row() -> None:
    text = flow_table(gradient_flow_report({"a.longer.name.W": np.zeros(2), "b": np.ones(2)}))
    assert len(text.splitlines()) == 3 and text.splitlines()[1].endswith("dead") and "100 %" in text
    assert len({line.index("e") for line in text.splitlines()[1:]}) >= 1
    assert flow_table([]).startswith("parameter")


@pytest.mark.parametrize(("activation", "scale", "vanishes"), [
    (F.sigmoid, 1.0, True), (F.tanh, 1.0, False), (F.relu, 2.0, False),
], ids=["sigmoid", "tanh", "ReLU with He's weights"])
def test_a_deep_net_with_sigmoids_vanishes_and_others_do_not(activation: object, scale: float, vanishes: bool) -> None:
    rng = np.random.default_rng(0)
    weights = [Variable(rng.normal(size=(50, 50)) * np.sqrt(scale / 50)) for _ in range(10)]
    h = Variable(rng.normal(size=(100, 50)))
    for W in weights:
        h = activation(F.matmul(h, W))  # type: ignore[operator]
    F.sum(h * rng.normal(size=h.shape)).backward()
    rows = gradient_flow_report({f"l{i}.W": W.grad for i, W in enumerate(weights)})
    assert (rows[0].flags == ("vanishing",)) == vanishes
    assert rows[-1].flags == ()
    assert vanishes == (rows[0].mean / rows[-1].mean < 1e-5)


def test_a_net_of_dead_relus_is_flagged() -> None:
    W, V = Variable(np.ones((3, 4))), Variable(np.ones((4, 2)))
    F.sum(F.matmul(F.relu(F.matmul(-np.ones((5, 3)), W)), V)).backward()
    assert flags({"l0.W": W.grad, "l1.W": V.grad}) == {"l0.W": ("dead",), "l1.W": ("dead",)}
