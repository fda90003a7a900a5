"""f03: gates with weights given and learned. The numbers are those of the plan's table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.steps.harness import numbers, run_script

TABLES = {"AND": [0, 0, 0, 1], "OR": [0, 1, 1, 1], "NAND": [1, 1, 1, 0], "NOR": [1, 0, 0, 0]}
ROWS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


def found() -> dict[str, Any]:
    return numbers("f03", True)[0]


def test_f03_the_given_weights_make_the_five_gates() -> None:
    assert found()["given"] == {**TABLES, "NOT": [1, 0]}
    assert found()["gaps"] == dict.fromkeys(TABLES, 0.5)


@pytest.mark.parametrize(("name", "epochs"), [("AND", 6), ("OR", 4), ("NAND", 6), ("NOR", 4), ("NOT", 3)])
def test_f03_the_rule_learns_each_gate(name: str, epochs: int) -> None:
    row = found()["learned"][name]
    assert row["epochs"] == len(row["mistakes"]) == epochs
    assert row["wrong"] == 0 and row["mistakes"][-1] == 0 and min(row["mistakes"][:-1]) > 0
    x = ROWS if name in TABLES else np.array([[0], [1]])
    answers = (x @ np.array(row["w"]) + row["b"] > 0).astype(int).tolist()
    assert answers == TABLES.get(name, [1, 0])


def test_f03_learned_weights_are_right_but_without_a_gap() -> None:
    assert [row["gap"] for row in found()["learned"].values()] == [0] * 5


def test_f03_from_zeros_the_rate_changes_nothing_but_by_rounding() -> None:
    rates = found()["rates"]
    for rate in ("0.01", "1", "10"):
        assert rates[f"zeros, rate {rate}"] == {"AND": [6], "OR": [4], "NAND": [6], "NOR": [4]}
    assert rates["zeros, rate 0.1"] == {"AND": [6], "OR": [4], "NAND": [4], "NOR": [4]}, "the rounded sum lies above 0"


def test_f03_from_a_random_start_the_rate_matters_and_so_does_the_order() -> None:
    rates = found()["rates"]
    for name in TABLES:
        slow, middle, fast, faster = (rates[f"random start, rate {rate}"][name] for rate in ("0.01", "0.1", "1", "10"))
        assert len(slow) == len(faster) == 20 and max(slow) < 1000
        # means of 20 seeds: 112 to 129, 13 to 15, 4.0 to 6.5, 3.8 to 6.3
        assert np.mean(slow) > 4 * np.mean(middle) > 4 * np.mean(fast)
        assert np.mean(faster) == pytest.approx(np.mean(fast), abs=1), "beyond a point there is nothing to win"
        shuffled = rates["zeros, rate 1, shuffled"][name]
        assert len(shuffled) == 20 and max(shuffled) > min(shuffled)


def test_f03_draws_the_lines_and_the_way_to_and(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = run_script("f03", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:-1] == numbers("f03", True)[1].splitlines()
    assert {path.name for path in tmp_path.iterdir()} == {"gates.png", "learning.html"}
    assert (tmp_path / "gates.png").read_bytes()[:4] == b"\x89PNG"
    page = (tmp_path / "learning.html").read_text(encoding="utf-8")
    assert page.startswith("<!DO") and page.count("iVBORw0KGgo") == 1 + sum(found()["learned"]["AND"]["mistakes"])
