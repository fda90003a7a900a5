"""w13: rules for the first weights, measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steps.exercises.kit import framework
from tests.steps.harness import numbers, run_script

DEEP = "ReLU, 10 layers, SGD"


def found(fast: bool = True) -> dict[str, Any]:
    return numbers("w13", fast)[0]


def test_w13_a_fixed_spread_loses_the_signal_or_lets_it_explode() -> None:
    signals = found()["signals"]
    assert max(signals["std 0.01"][name][1] for name in ("sigmoid", "tanh", "ReLU")) < 1e-5
    assert signals["std 1"]["ReLU"][1] > 1e4 > 10 > signals["std 1"]["ReLU"][0]  # 2e5 after 3.3
    assert signals["std 1"]["tanh"][1] > 0.8  # at its ends, -1 and 1
    assert all(number == 0 for pair in signals["zeros"].values() for number in pair)


def test_w13_xavier_keeps_tanh_and_he_keeps_relu() -> None:
    signals = found()["signals"]
    kept = {rule: {name: last / first for name, (first, last) in signals[rule].items()} for rule in ("Xavier", "He")}
    assert kept["Xavier"]["tanh"] > 0.1 and kept["He"]["tanh"] > 0.5  # 0.23, 0.67
    assert kept["Xavier"]["ReLU"] < 0.03 and kept["He"]["ReLU"] > 0.1  # 0.011, 0.24
    assert max(kept[rule]["sigmoid"] for rule in kept) < 1e-3


def test_w13_the_sigmoid_needs_larger_weights_and_a_middle_at_0() -> None:
    row = found()["signals"]["4 / root n"]
    assert 1e-3 < row["sigmoid"][1] < 0.01  # 0.0017 instead of 5e-6 with Xavier
    assert row["sigmoid - 0.5"][1] > 10 * row["sigmoid"][1]  # 0.055


def test_w13_equal_units_stay_equal() -> None:
    rows = found()["symmetry"]
    assert [rows[name]["different"] for name in ("all zeros", "all 0.1", "Xavier", "Xavier, last layer zeros")] == [1, 1, 32, 32]
    assert rows["all zeros"]["right"] < 0.15 and rows["all 0.1"]["right"] < 0.4  # 0.10, 0.14
    # zeros in the last layer, or without a hidden layer, do no harm: 0.91 and 0.94 beside 0.93
    assert min(rows[name]["right"] for name in ("Xavier", "Xavier, last layer zeros", "no hidden layer, all zeros")) > 0.85


def test_w13_he_is_ahead_in_a_deep_relu_net_and_not_in_a_flat_one() -> None:
    training = found()["training"]
    deep, flat = training[DEEP], training["ReLU, 1 layer, SGD"]
    assert all(he > xavier + 0.05 for he, xavier in zip(deep["He"], deep["Xavier"], strict=True))
    assert np.median(flat["He"]) == pytest.approx(np.median(flat["Xavier"]), abs=0.02)
    assert max(deep["std 1"] + deep["std 0.01"]) < 0.15 and min(flat["std 1"] + flat["std 0.01"]) > 0.7


@pytest.mark.slow
def test_w13_he_is_not_always_better() -> None:
    training = found(fast=False)["training"]
    assert len(training) == 5 and all(len(right) == 5 for row in training.values() for right in row.values())
    more = {name: 100 * (np.array(row["He"]) - row["Xavier"]) for name, row in training.items()}
    # Medians, in points: flat -0.3, deep +33, Adam +4, tanh +2, batch norm -1.4; ahead in 0, 5, 4, 5, 1 of 5 starts.
    assert (more[DEEP] > 0).all() and np.median(more[DEEP]) > 15
    assert abs(np.median(more["ReLU, 1 layer, SGD"])) < 2
    assert 0 < np.median(more["ReLU, 10 layers, Adam"]) < 10
    assert (more["tanh, 10 layers, SGD"] > 0).sum() >= 4
    assert (more["ReLU, 10, SGD, batch norm"] > 0).sum() <= 2


@pytest.mark.slow
@pytest.mark.seeds
def test_w13_a_fixed_spread_can_do_as_well_with_batch_norm(monkeypatch: pytest.MonkeyPatch) -> None:
    w13 = framework("w13")
    monkeypatch.setattr(w13, "WIDTH", 64)
    data = w13.digits()
    right: dict[str, list[float]] = {}
    for rule in ("std 0.01", "He"):
        right[rule] = []
        for seed in range(4):
            np.random.seed(seed)
            right[rule].append(w13.learn(w13.network("ReLU", rule, 10, batch_norm=True), data, w13.SGD(0.03), seed))
    # 0.93 0.86 0.87 0.75 and 0.82 0.85 0.86 0.84
    assert np.median(right["std 0.01"]) > np.median(right["He"]) - 0.05


def test_w13_draws_histograms_and_results(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = run_script("w13", "--fast", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:-1] == numbers("w13", True)[1].splitlines()
    assert {path.name for path in tmp_path.iterdir()} == {"tanh.png", "relu.png", "training.png"}
    assert all(path.read_bytes()[:4] == b"\x89PNG" and path.stat().st_size > 10_000 for path in tmp_path.iterdir())
