"""Workshop 05: weight decay and dropout against overfitting, and where they do not help."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import Any

import pytest

from steps.support import FOLDERS
from tests.steps.harness import numbers, run_script


def found(fast: bool = True) -> dict[str, Any]:
    return numbers("w05", fast)[0]


def test_w05_dropout_and_decay_lower_the_loss_on_new_images_of_a_small_set() -> None:
    # 800 steps, seeds 0 and 1: 0.256 without a cure, 0.237 and 0.221 with decay and dropout of 0.3.
    # Seeds 0 to 14: 0.276, 0.255 (lower in 14 of 15) and 0.240 (13 of 15); seed 0 is one of the two where dropout is not lower.
    rows = found()["found"]
    plain, decay, dropout = (rows[f"200 digits: {cure}"] for cure in ("no cure", "decay 0.3", "dropout 0.3"))
    assert dropout["loss"] < plain["loss"] - 0.02 and decay["loss"] < plain["loss"] - 0.005
    assert decay["lower"] == 2 and dropout["lower"] >= 1
    assert plain["training"] < min(decay["training"], dropout["training"]) < 0.05 < plain["loss"], "all know the 200 digits"


def test_w05_a_network_that_underfits_is_harmed() -> None:
    rows = found()["found"]
    plain, decay, dropout = (rows[f"200 digits, 5 units: {cure}"] for cure in ("no cure", "decay 0.3", "dropout 0.3"))
    assert plain["training"] > 0.5, "it cannot learn 200 digits by heart"
    assert plain["loss"] < decay["loss"] < dropout["loss"]
    assert dropout["lower"] == 0 and decay["lower"] <= 1


def test_w05_decay_keeps_the_weights_small_and_dropout_does_not() -> None:
    weights = found()["weights"]
    assert weights["decay 0.3"] < 0.9 * weights["no cure"]
    assert weights["dropout 0.3"] == pytest.approx(weights["no cure"], rel=0.1)


def test_w05_a_course_without_a_cure_was_better_before_its_end() -> None:
    step = found()
    assert step["best"]["200 digits"] < step["found"]["200 digits: no cure"]["loss"] - 0.01
    assert step["best"]["200 digits, 5 units"] == pytest.approx(step["found"]["200 digits, 5 units: no cure"]["loss"]), "it still learns"


@pytest.mark.slow
def test_w05_the_cures_over_five_seeds() -> None:
    # Seeds 0 to 14, 1200 steps. 200 digits: no cure 0.295, decay 0.3 0.260 (lower in 15 of 15), dropout 0.3 0.253 (13 of 15), dropout 0.7 0.290 (8).
    # 1,000 digits: 0.100, decay 0.105 (lower in 2 of 15), dropout 0.3 0.094 (10 of 15), dropout 0.7 0.210 (0 of 15).
    # 5 units: 1.000, decay 1.062 (lower in 1 of 15), dropout 0.3 1.486 (1 of 15).
    step = found(fast=False)
    rows = step["found"]
    assert step["seeds"] == 5
    small, large, tiny = ({cure: rows[f"{patient}: {cure}"] for cure in ("no cure", "decay 0.3", "dropout 0.3", "decay 3", "dropout 0.7")}
                          for patient in ("200 digits", "1,000 digits", "200 digits, 5 units"))
    assert small["dropout 0.3"]["lower"] >= 4 and small["decay 0.3"]["lower"] >= 4
    assert max(small["decay 0.3"]["loss"], small["dropout 0.3"]["loss"]) < small["no cure"]["loss"] - 0.02
    for cure in ("decay 0.3", "dropout 0.3"):  # hardly more right answers: less than a point
        assert abs(small[cure]["right"] - small["no cure"]["right"]) < 0.015
        assert abs(large[cure]["loss"] - large["no cure"]["loss"]) < 0.025
        assert tiny[cure]["lower"] <= 1
    assert large["no cure"]["loss"] < 0.5 * small["no cure"]["loss"], "more data help more"
    assert [row["decay 3"]["lower"] for row in (small, large, tiny)] == [0, 0, 0]
    assert large["dropout 0.7"]["lower"] == 0 and large["dropout 0.7"]["loss"] > 1.5 * large["no cure"]["loss"]
    assert 0.8 < small["dropout 0.7"]["loss"] / small["no cure"]["loss"] < 1.3
    assert step["best"]["200 digits"] == pytest.approx(small["decay 0.3"]["loss"], abs=0.03), "stopping early does about as much"


@pytest.mark.slow
@pytest.mark.seeds
def test_w05_five_seeds_of_five_were_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    # 1,000 digits, dropout 0.3, 1200 steps: lower than without in all of seeds 0 to 4, in 5 of seeds 5 to 14 and in 22 of seeds 15 to 59.
    # Over seeds 0 to 59 the losses are 0.0940 without and 0.0919 with it; the mean difference is 0.0021, its standard error 0.0017.
    for folder in FOLDERS.values():
        monkeypatch.syspath_prepend(str(folder))
    w05 = importlib.import_module("w05")
    plain, dropped = ([w05.learn(1000, 100, 0.0, p, seed, 1200)[0][-1][1] for seed in range(5, 15)] for p in (0.0, 0.3))
    assert 2 <= sum(with_it < without for with_it, without in zip(dropped, plain, strict=True)) <= 8, "about as often as a coin"


def test_w05_draws_courses_and_cures() -> None:
    pytest.importorskip("matplotlib")
    with tempfile.TemporaryDirectory() as folder:
        done = run_script("w05", "--fast", "--out", folder)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[:-1] == numbers("w05", True)[1].splitlines(), "with --out it prints the same"
        written = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    assert written.keys() == {"courses.png", "cures.png"}
    assert all(data.startswith(b"\x89PNG") and len(data) > 5000 for data in written.values())
