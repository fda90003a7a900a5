"""The numbers of f10: the way back through single nodes, and twelve small graphs tried out."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steps.support import FOLDERS
from tests.steps.harness import numbers, run_script


@pytest.fixture
def f10(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script as a module."""
    monkeypatch.syspath_prepend(str(FOLDERS["f"]))
    return importlib.import_module("f10")


def test_f10_the_bill_and_its_slopes() -> None:
    found = numbers("f10")[0]["tickets"]
    price = 3 * 4.5 + 2 * 2.2
    assert found["total"] == pytest.approx(0.8 * price) == pytest.approx(14.32)
    assert found["slopes"] == pytest.approx({"adult price": 2.4, "adults": 3.6, "child price": 1.6, "children": 1.76, "share": price})
    assert found["between"]["price"] == pytest.approx([price, 0.8]) and found["between"]["for adults"] == pytest.approx([13.5, 0.8])


def test_f10_a_node_needs_to_know_its_neighbours_only() -> None:
    found = numbers("f10")[0]["local"]
    assert found["share of 0.8"] == pytest.approx([14.32, 0.8, 2.4, 3.6])
    assert found["voucher of 3"] == pytest.approx([14.9, 1.0, 3.0, 4.5])


def test_f10_each_node_goes_back_by_its_rule(f10: Any) -> None:
    g = np.array([[2.0, -3.0], [5.0, -7.0]])
    x = np.array([[1.0, -1.0], [-2.0, 4.0]])
    add, multiply, relu, sigmoid, affine = f10.Add(), f10.Multiply(), f10.ReLU(), f10.Sigmoid(), f10.Affine()
    add.forward(x, x + 1)
    assert all(np.array_equal(side, g) for side in add.backward(g)), "add passes on"
    multiply.forward(x, x + 10)
    by_a, by_b = multiply.backward(g)
    assert np.array_equal(by_a, g * (x + 10)) and np.array_equal(by_b, g * x), "multiply swaps"
    relu.forward(x)
    assert np.array_equal(relu.backward(g)[0], [[2, 0], [0, -7]]), "the gate is shut where x was negative"
    y = sigmoid.forward(x)
    assert np.allclose(sigmoid.backward(g)[0], g * y * (1 - y), atol=1e-15)
    W = np.array([[1.0, 2.0], [3.0, 4.0]])
    affine.forward(x, W, np.zeros(2))
    gx, gW, gb = affine.backward(g)
    assert np.array_equal(gx, g @ W.T) and np.array_equal(gW, x.T @ g) and np.array_equal(gb, [7, -10])


def test_f10_softmax_with_loss_goes_back_as_y_minus_t() -> None:
    found = numbers("f10")[0]["pull"]
    e = np.exp([1.2, 0.3, -0.5])
    y = e / e.sum()
    assert found["y"] == pytest.approx(y.tolist()) and found["loss"] == pytest.approx(-np.log(y[1]))
    assert found["slopes"] == pytest.approx((y - [0, 1, 0]).tolist())
    assert sum(found["slopes"]) == pytest.approx(0, abs=1e-15)


def test_f10_twelve_small_graphs_agree_with_trying_out() -> None:
    graphs = numbers("f10")[0]["graphs"]
    assert len(graphs) == 12 and sum(row["slopes"] for row in graphs.values()) == 193
    assert max(row["apart"] for row in graphs.values()) < 1e-8  # 2e-10 was measured


def test_f10_planted_mistakes_are_found_where_their_node_is_used() -> None:
    graphs = numbers("f10")[0]["graphs"]
    uses = {"add": {"a + b", "bus tickets", "sigmoid(a · b + c)"}, "swap": {"a · b", "bus tickets", "sigmoid(a · b + c)"},
            "gate": {"ReLU(x)", "affine, ReLU", "affine, ReLU, affine, loss"},
            "brake": {"sigmoid(x)", "sigmoid(a · b + c)", "affine, sigmoid, affine"},
            "rows": {"affine, 4 rows", "affine, ReLU", "affine, sigmoid, affine", "affine, ReLU, affine, loss"},
            "mean": {"softmax with loss", "affine, ReLU, affine, loss"}}
    for mistake, names in uses.items():
        assert {name for name, row in graphs.items() if row[mistake]} == names
    assert not any(graphs["a · a"][mistake] for mistake in uses), "a · a cannot see it"


def test_f10_draws_the_bill(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = run_script("f10", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout == numbers("f10")[1] + "f10 ok\n"
    assert [path.name for path in tmp_path.iterdir()] == ["tickets.png"]
    assert (tmp_path / "tickets.png").read_bytes()[:4] == b"\x89PNG"
