"""f02: the perceptron. The numbers are those of the plan's table."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from tests.steps.harness import numbers, run_script


def found() -> dict[str, Any]:
    return numbers("f02", True)[0]


def test_f02_the_table_of_three_inputs() -> None:
    expected = [int(dry and (short or time)) for dry, short, time in itertools.product((0, 1), repeat=3)]
    assert found()["answers"] == expected == [0, 0, 0, 0, 0, 1, 1, 1]
    assert sum("bicycle" in line for line in numbers("f02", True)[1].splitlines()) == 3


def test_f02_a_weight_and_the_threshold_change_the_answers() -> None:
    assert found()["weight"] == [0, 0, 1, 3, 4, 4]
    assert found()["bias"] == [0, 1, 3, 5, 7, 8], "the readier, the more often it fires"


def test_f02_the_bias_is_the_threshold_on_the_other_side() -> None:
    assert found()["same"] is True


def test_f02_other_weights_give_the_same_answers() -> None:
    assert found()["others"] == [0, 0, 1]


def test_f02_a_sum_on_the_border_is_not_exact() -> None:
    assert found()["border"] > 0.3 and found()["border"] == pytest.approx(0.3, rel=1e-15)


def test_f02_the_line_turns_with_the_weight_and_one_weight_agrees_with_us() -> None:
    assert found()["rain"] == [7, 7, 9, 11, 12, 11, 9]


def test_f02_some_tables_have_no_weights() -> None:
    # Known: 4, 14 and 104 tables of one, two and three inputs can be parted by a plane.
    assert found()["tables"] == {"1": [4] * 3, "2": [14] * 3, "3": [56, 104, 104]}
    assert found()["missing"] == [[0, 1, 1, 0], [1, 0, 0, 1]], "either, or; and its opposite"


def test_f02_draws_the_perceptron_and_a_slider(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = run_script("f02", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:-1] == numbers("f02", True)[1].splitlines()
    assert {path.name for path in tmp_path.iterdir()} == {"perceptron.png", "slider.html"}
    assert (tmp_path / "perceptron.png").read_bytes()[:4] == b"\x89PNG"
    page = (tmp_path / "slider.html").read_text(encoding="utf-8")
    assert page.startswith("<!DO") and page.count("iVBORw0KGgo") == 21, "one frame for each weight"
    assert 'type="range"' in page or "type=range" in page
