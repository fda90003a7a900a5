"""The numbers of f09: the notation a, z, W, the update formulas, and the package's own chain beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.steps.harness import numbers, run_script

A0, W1, B1, W2, B2, T = 2.0, 0.5, -0.4, -1.2, 0.3, 1.0


def sigmoid(z: float) -> float:
    return 1 / (1 + float(np.exp(-z)))


def test_f09_the_notation_goes_forward_layer_by_layer() -> None:
    values = numbers("f09")[0]["values"]
    a1 = sigmoid(A0 * W1 + B1)
    y = sigmoid(a1 * W2 + B2)
    expected = {"a0": A0, "z1": A0 * W1 + B1, "a1": a1, "z2": a1 * W2 + B2, "y": y, "L": (y - T) ** 2 / 2}
    assert list(values) == list(expected)
    assert values == pytest.approx(expected, rel=1e-13)


def test_f09_the_hand_formula_is_what_autograd_finds_in_both_layers() -> None:
    found = numbers("f09")[0]
    y, a1 = found["values"]["y"], found["values"]["a1"]
    gz2 = (y - T) * y * (1 - y)
    gz1 = gz2 * W2 * a1 * (1 - a1)
    for name, formula in {"W2": gz2 * a1, "b2": gz2, "W1": gz1 * A0, "b1": gz1}.items():
        by_hand, package, tried = found["table"][name]
        assert by_hand == pytest.approx(formula, abs=1e-15)
        assert package == pytest.approx(formula, abs=1e-12)
        assert tried == pytest.approx(formula, abs=1e-9)
    assert found["apart"].keys() == {"W1", "b1", "W2", "b2"}
    assert max(found["apart"].values()) < 1e-12  # 20 random nets with several units; 2e-16 was measured


def test_f09_one_layer_and_its_updates() -> None:
    one = numbers("f09")[0]["one"]
    y = sigmoid(A0 * W1 + B1)
    assert one["gW1"] == pytest.approx((y - T) * y * (1 - y) * A0, rel=1e-12) == pytest.approx(one["tried"], abs=1e-9)
    weight, bias = W1, B1
    for loss in one["losses"]:
        y = sigmoid(A0 * weight + bias)
        assert loss == pytest.approx((y - T) ** 2 / 2, rel=1e-12)
        gz = (y - T) * y * (1 - y)
        weight, bias = weight - gz * A0, bias - gz
    assert len(one["losses"]) == 6 and one["losses"] == sorted(one["losses"], reverse=True)


def test_f09_the_package_writes_the_chain_in_the_same_letters() -> None:
    found, printed = numbers("f09")
    assert found["formulas"] == {"W2": "e * y * (1 - y) * a1", "W1": "e * y * (1 - y) * W2 * a1 * (1 - a1) * a0"}
    names = {**found["values"], "W2": W2, "e": found["values"]["y"] - T}
    lines = printed.splitlines()
    for name, formula in found["formulas"].items():
        value = eval(formula, {}, names)  # the printed formula, computed, is the gradient
        assert value == pytest.approx(found["table"][name][1], abs=1e-12)
        with_numbers = lines[lines.index(f"  g{name} = {formula}") + 1]
        product, result = with_numbers.split("=")[1:]
        assert eval(product) == pytest.approx(float(result), rel=1e-3) == pytest.approx(value, rel=1e-3)


def test_f09_the_order_of_updates_matters_at_large_rates_only() -> None:
    order = numbers("f09")[0]["order"]
    right, wrong = order["all slopes first, then all updates"], order["W2 updated before gz1 is computed"]
    # Of 200 nets, rates 1, 4, 8, 16: 200, 189, 152, 127 and 200, 136, 81, 19. Of 100 other nets: 100, 96, 74, 70 and 100, 65, 47, 12.
    assert right[0] >= 195 and wrong[0] >= 195
    assert all(a - b > 30 for a, b in zip(right[1:], wrong[1:], strict=True))
    assert right == sorted(right, reverse=True) and wrong[-1] < 40 < 100 < right[-1]


def test_f09_draws_the_chain(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = run_script("f09", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout == numbers("f09")[1] + "f09 ok\n"
    assert [path.name for path in tmp_path.iterdir()] == ["chain.png"]
    assert (tmp_path / "chain.png").read_bytes()[:4] == b"\x89PNG"
