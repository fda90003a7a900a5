"""The numbers of w01: a network from parts, and the two referees of its gradients."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dezero.datasets import Digits
from steps.support import FOLDERS
from tests.steps.harness import numbers, run_script


@pytest.fixture
def w01(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script as a module."""
    monkeypatch.syspath_prepend(str(FOLDERS["w"]))
    return importlib.import_module("w01")


def test_w01_numerical_and_backpropagated_gradients_agree() -> None:
    check = numbers("w01", fast=True)[0]["check"]
    assert check["apart"].keys() == check["package"].keys() == {"W1", "b1", "W2", "b2"}
    assert max(check["apart"].values()) < 1e-6  # 3e-9 to 5e-9 with 20 seeds
    assert max(check["package"].values()) < 1e-12


def test_w01_trying_out_takes_two_losses_for_each_parameter() -> None:
    check = numbers("w01", fast=True)[0]["check"]
    assert check["params"] == 64 * 50 + 50 + 50 * 10 + 10 == 3760
    assert check["spent"] == {"backpropagation": 1, "trying out": 2 * 3760}


@pytest.mark.parametrize(("sizes", "params"), [((3, 4, 2), 26), ((2, 1, 5), 13)])
def test_w01_the_cost_grows_with_the_parameters(w01: Any, sizes: tuple[int, int, int], params: int) -> None:
    net = w01.TwoLayerNet(sizes, 0)
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(4, sizes[0])), rng.integers(sizes[2], size=4)
    before = {name: p.copy() for name, p in net.params.items()}
    tried = net.numerical(x, t)
    assert net.evaluations == 2 * params
    assert all(np.array_equal(p, before[name]) for name, p in net.params.items())
    assert max(w01.relative(net.backpropagated(x, t), tried).values()) < 1e-6
    assert net.evaluations == 2 * params + 1


def test_w01_accuracy_does_not_show_the_mistakes_and_the_check_does() -> None:
    planted = numbers("w01", fast=True)[0]["planted"]
    wrong = {name: {parameter for parameter, apart in row["apart"].items() if apart > 1e-6} for name, row in planted.items()}
    assert wrong == {"none": set(), "ReLU always open": {"W1", "b1"}, "bias sees one image": {"b1", "b2"}, "ReLU always shut": {"W1", "b1"}}
    assert min(apart for row in planted.values() for apart in row["apart"].values() if apart > 1e-6) > 0.1
    means = {name: np.mean(row["right"]) for name, row in planted.items()}
    # After 10 epochs, five seeds: 95.8, 95.5, 95.9 and 88.3 %; after 20 epochs, twenty seeds: 96.9, 96.7, 96.9 and 90.8 %.
    assert min(min(row["right"]) for name, row in planted.items() if name != "ReLU always shut") > 0.92
    assert abs(means["ReLU always open"] - means["none"]) < 0.02 and abs(means["bias sees one image"] - means["none"]) < 0.02
    assert 0.8 < means["ReLU always shut"] < means["none"] - 0.03


def test_w01_a_referee_can_be_wrong() -> None:
    rows = numbers("w01", fast=True)[0]["referee"]
    wrong = {(row["bend"], row["dtype"], row["h"]): row["wrong"] for row in rows}
    assert {len(row["apart"]) for row in rows} == {40}
    # Of 40 networks 40, 4, 0, 0, 40 and 40; of 100 networks 99, 9, 0, 0, 100 and 100.
    assert wrong["ReLU", "float64", 1e-2] > 30
    assert 0 < wrong["ReLU", "float64", 1e-4] < 15
    assert rows[1]["h"] == 1e-4 and rows[1]["apart"][0] > 1e-2, "the network of the table is one of them, as the script says"
    assert wrong["ReLU", "float64", 1e-6] == wrong["sigmoid", "float64", 1e-2] == 0
    assert wrong["sigmoid", "float32", 1e-2] > 35 and wrong["sigmoid", "float32", 1e-4] > 35


def test_w01_both_ways_learn_the_same_at_a_different_price() -> None:
    both = numbers("w01", fast=True)[0]["both"]
    one, other = both["backpropagated"], both["numerical"]
    assert one["loss"] == pytest.approx(other["loss"], abs=1e-7) and both["apart"] < 1e-7
    assert one["loss"] < 2.1 < np.log(10), "it learns"
    assert [one["evaluations"], other["evaluations"]] == [both["updates"], both["updates"] * 7520]


@pytest.mark.slow
def test_w01_the_whole_run_tells_the_same() -> None:
    found, printed = numbers("w01")
    assert len(printed.splitlines()) <= 25
    assert np.mean(found["planted"]["none"]["right"]) > 0.95
    assert found["both"]["numerical"]["evaluations"] == 5 * 7520 and found["both"]["apart"] < 1e-7
    assert [row["wrong"] for row in found["referee"]][2:4] == [0, 0]


@pytest.mark.slow
def test_w01_the_check_holds_for_other_first_weights(w01: Any) -> None:
    x, t = Digits()[:10]
    for seed in range(1, 11):
        net = w01.TwoLayerNet((64, 50, 10), seed)
        apart = w01.relative(net.backpropagated(x.astype(np.float64), t), net.numerical(x.astype(np.float64), t))
        assert max(apart.values()) < 1e-6, seed


def test_w01_draws_times_and_differences(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = run_script("w01", "--fast", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout == numbers("w01", fast=True)[1] + "w01 ok\n"
    assert {path.name for path in tmp_path.iterdir()} == {"time.png", "apart.png"}
    assert all(path.read_bytes()[:4] == b"\x89PNG" for path in tmp_path.iterdir())
