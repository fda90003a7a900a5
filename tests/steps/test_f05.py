"""f05: activations, their slopes, and which one goes where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.steps.harness import numbers, run_script


def found() -> dict[str, Any]:
    return numbers("f05", True)[0]


def test_f05_values_at_four_places() -> None:
    x = np.array([-4.0, -1.0, 1.0, 4.0])
    expected = {"step": x > 0, "sigmoid": 1 / (1 + np.exp(-x)), "tanh": np.tanh(x), "ReLU": [0, 0, 1, 4], "leaky ReLU": [-0.4, -0.1, 1, 4]}
    assert found()["activations"].keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found()["activations"][name]["values"], np.asarray(values, float), rtol=1e-12, atol=1e-15)


def test_f05_largest_slopes() -> None:
    rows = found()["activations"]
    assert rows["sigmoid"]["largest"] == pytest.approx(0.25, abs=1e-6)
    assert rows["tanh"]["largest"] == pytest.approx(1.0, abs=1e-6)
    assert rows["ReLU"]["largest"] == pytest.approx(1.0, abs=1e-6)
    assert rows["step"]["largest"] == 0 and rows["step"]["slopes"] == [0, 0, 0, 0]
    np.testing.assert_allclose(rows["leaky ReLU"]["slopes"], [0.1, 0.1, 1, 1], rtol=1e-8)
    np.testing.assert_allclose(rows["ReLU"]["slopes"], [0, 0, 1, 1], rtol=1e-8)


def test_f05_slopes_of_smooth_ones_follow_from_the_value() -> None:
    assert 0 < found()["activations"]["sigmoid"]["apart"] < 1e-9
    assert 0 < found()["activations"]["tanh"]["apart"] < 1e-9


def test_f05_tanh_is_a_stretched_sigmoid() -> None:
    assert 0 < found()["apart"] < 1e-15


def test_f05_a_small_move_does_not_show_behind_a_step() -> None:
    assert found()["moved"]["step"] <= 10 and found()["moved"]["sigmoid"] == 1000  # 1 of 1000


def test_f05_softmax_has_the_sum_1_and_sigmoids_do_not() -> None:
    outputs = found()["outputs"]
    e = np.exp([2.0, -1.0, 0.5])
    np.testing.assert_allclose(outputs["softmax"], e / e.sum(), rtol=1e-12)
    assert sum(outputs["softmax"]) == pytest.approx(1) and sum(outputs["sigmoids"]) > 1.5
    assert outputs["pair"][0] == pytest.approx(outputs["pair"][1], rel=1e-12), "two classes: the sigmoid of the difference"


def test_f05_what_bends_learns_the_disc_and_what_does_not_fails() -> None:
    hidden = {name: np.array(rows) for name, rows in found()["hidden"].items()}
    assert all(rows.shape == (3, 10) for rows in hidden.values())
    assert hidden["none"].max() < 0.6  # 0.56
    assert np.median(hidden["step"][-1]) < 0.8 < hidden["step"][-1].max() < 0.9  # median 0.70, best 0.83
    for name in ("sigmoid(x)", "tanh", "ReLU", "leaky ReLU"):
        assert hidden[name][-1].min() > 0.9, name  # at least 0.93


def test_f05_the_sigmoid_is_slow_for_its_slope_and_not_for_its_middle() -> None:
    after_300 = {name: np.median(rows[1]) for name, rows in found()["hidden"].items()}
    # 0.65 and 0.66; 0.94 if four times as steep; tanh 0.95
    assert max(after_300["sigmoid(x)"], after_300["sigmoid(x) - 0.5"]) < 0.75
    assert min(after_300["sigmoid(4x)"], after_300["tanh"]) > 0.9


def test_f05_draws_values_and_slopes(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = run_script("f05", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:-1] == numbers("f05", True)[1].splitlines()
    assert {path.name for path in tmp_path.iterdir()} == {"activations.png"}
    assert all(path.read_bytes()[:4] == b"\x89PNG" and path.stat().st_size > 10_000 for path in tmp_path.iterdir())
