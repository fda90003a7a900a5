"""f01: three words, and the way from paper to a program. The numbers are those of the plan's table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.steps.harness import numbers, run_script


def found() -> dict[str, Any]:
    return numbers("f01", True)[0]


def test_f01_every_stage_runs_in_its_order() -> None:
    stages = ["collect", "load", "normalise", "train", "infer", "evaluate", "deploy"]
    lines = [line.split() for line in numbers("f01", True)[1].splitlines()[-7:]]
    assert [line[:2] for line in lines] == [[str(number), stage] for number, stage in enumerate(stages, 1)]
    assert found()["sizes"] == [1437, 360]


def test_f01_normalised_pixels_have_mean_0_and_spread_1() -> None:
    assert found()["mean"] == pytest.approx(0, abs=1e-6)
    assert found()["spread"] == pytest.approx(1, abs=1e-6)


def test_f01_the_net_learns_and_answers() -> None:
    losses, p = found()["losses"], np.array(found()["probabilities"])
    assert len(losses) == 11 and losses[0] > 2 and losses[-1] < 0.1
    assert p.shape == (10,) and p.sum() == pytest.approx(1, abs=1e-5)
    assert found()["right"] >= 0.95  # 97.8 %


def test_f01_the_program_with_the_file_answers_alike_and_needs_the_normalising() -> None:
    assert found()["same"] is True
    assert found()["forgot"] < found()["right"] - 0.05  # 81 % and 98 %


def test_f01_a_feature_wins_with_few_examples_and_the_net_with_many() -> None:
    ways = found()["ways"]
    assert ways["rule"] == pytest.approx(61 / 72)  # fixed: nothing is learned
    better = {}
    for count in ("4", "10", "40", "100", "285"):
        border, net = np.array(ways["border"][count]), np.array(ways["net"][count])
        assert len(border) == len(net) == 20
        better[count] = (int((border > net).sum()), int((net > border).sum()))
    # feature better, net better: 16, 2; 5, 10; 1, 18; 0, 19; 0, 20
    assert better["4"][0] >= 13 and better["4"][1] <= 4
    assert better["40"][1] >= 15 and better["100"][1] >= 17
    assert better["285"] == (0, 20) and min(ways["net"]["285"]) == 1.0
    means = [float(np.mean(ways["border"][count])) for count in ("10", "40", "100", "285")]
    assert max(means) - min(means) < 0.04, "the feature hardly gets better"


def test_f01_draws_the_words_and_the_stages(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = run_script("f01", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:-1] == numbers("f01", True)[1].splitlines()
    assert {path.name for path in tmp_path.iterdir()} == {"ways.png", "stages.png"}
    assert all(path.read_bytes()[:4] == b"\x89PNG" and path.stat().st_size > 20_000 for path in tmp_path.iterdir())
