"""Script f08: derivatives by trial, the field of gradients, descent with three kinds of rates. The numbers are those of the table of steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steps.exercises.kit import framework
from tests.steps.harness import numbers, run_script


def found() -> dict[str, Any]:
    return numbers("f08", True)[0]


def test_f08_a_slope_by_trial_is_better_on_both_sides() -> None:
    one_side, both = found()["slopes"]
    assert one_side == pytest.approx(6.0001, abs=1e-7) and both == pytest.approx(6.0, abs=1e-7)


def test_f08_partial_derivatives_are_those_of_school() -> None:
    f08 = framework("f08")
    for x, y in np.random.default_rng(1).uniform(-3, 3, size=(20, 2)):
        slopes = f08.gradient(lambda p: p[0] ** 2 * p[1] + np.sin(p[1]), np.array([x, y]))
        np.testing.assert_allclose(slopes, [2 * x * y, x**2 + np.cos(y)], atol=1e-6)
        np.testing.assert_allclose(f08.gradient(f08.round_bowl, np.array([x, y])), [2 * x, 2 * y], atol=1e-8)


def test_f08_the_way_down_points_to_the_lowest_place_of_a_round_bowl_only() -> None:
    field = found()["field"]
    assert field["round"]["largest"] < 1e-3
    # atan(10 t) - atan(t) is largest at t = 1 / sqrt(10)
    most = np.degrees(np.arctan(np.sqrt(10)) - np.arctan(1 / np.sqrt(10)))
    assert most - 0.5 < field["oval"]["largest"] < most + 1e-3
    assert 30 < field["oval"]["mean"] < 40  # 34.8 was measured


def test_f08_a_rate_that_converges_one_that_runs_away_and_one_that_is_stuck() -> None:
    rates = found()["rates"]
    for rate, distances in rates.items():
        factor = abs(1 - 2 * float(rate))
        np.testing.assert_allclose(distances, [5 * factor**n for n in (1, 10, 100)], rtol=1e-6 if factor <= 1 else 1e-3, atol=1e-9)
    assert rates["0.1"][2] < 1e-8 and rates["1.1"][2] > 1e8 and rates["0.0001"][2] > 4.9


def test_f08_the_steepest_knob_sets_the_limit_for_all() -> None:
    for rate, (x, y) in found()["oval"].items():
        assert [x, y] == pytest.approx([3 * (1 - 2 * float(rate)) ** 20, 4 * (1 - 20 * float(rate)) ** 20], rel=1e-5)
    assert found()["oval"]["0.11"][1] > 100


def test_f08_a_gradient_by_trial_costs_two_calls_for_each_knob() -> None:
    assert found()["calls"] == {"2": 4, "100": 200, "1000": 2000}


def test_f08_draws_the_field_and_the_ways(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = run_script("f08", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"field.png", "rates.png"}
    for path in tmp_path.iterdir():
        assert path.read_bytes()[:4] == b"\x89PNG" and path.stat().st_size > 20000
