"""Script w10: local minima, saddles and what small networks get stuck in."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steps.support import FOLDERS
from tests.steps.harness import numbers, run_script

MINIMA = [(3, 2), (-2.8051, 3.1313), (-3.7793, -3.2832), (3.5844, -1.8481)]


def found() -> dict[str, Any]:
    return numbers("w10", fast=True)[0]


def test_w10_four_starts_reach_the_four_minima() -> None:
    for name in ("plain", "momentum"):
        np.testing.assert_allclose([start[name] for start in found()["starts"]], MINIMA, rtol=0, atol=5e-5)
    assert [start["steps"][0] for start in found()["starts"]] == pytest.approx([30, 14, 15, 35], abs=1)
    assert all(start["steps"][1] > 3 * start["steps"][0] for start in found()["starts"]), "the valleys are round"


def himmelblau_gradient(x: float, y: float) -> list[float]:
    return [4 * x * (x**2 + y - 11) + 2 * (x + y**2 - 7), 2 * (x**2 + y - 11) + 4 * y * (x + y**2 - 7)]


def test_w10_level_places_are_classified_by_the_eigenvalues() -> None:
    places = found()["places"]
    assert [place["kind"] for place in places] == ["minimum"] * 4 + ["saddle"] * 4 + ["maximum"]
    assert sum(place["starts"] for place in places) == 81
    for place in places:
        x, y = place["place"]
        np.testing.assert_allclose(himmelblau_gradient(x, y), 0, atol=1e-7)
        by_pencil = np.array([[12 * x**2 + 4 * y - 42, 4 * x + 4 * y], [4 * x + 4 * y, 12 * y**2 + 4 * x - 26]])
        np.testing.assert_allclose(place["bends"], np.linalg.eigvalsh(by_pencil), rtol=1e-8)


def test_w10_momentum_is_no_way_to_the_deepest_valley() -> None:
    shares = found()["shares"]
    # 0.264, 0.295, 0.396; with a tilt of 3 or 10 and the rates 0.005 and 0.01: plain .26-.28, momentum .28-.35
    assert 0.25 < shares["plain"] < shares["momentum 0.9"] < 0.33 < shares["noise"] < 0.5


def test_w10_how_each_method_leaves_a_saddle() -> None:
    step = found()
    x = np.random.default_rng(0).normal(size=(100, 2))
    angle = np.pi * np.arange(4) / 4 + 0.3
    t = np.tanh(3 * x @ np.stack([np.cos(angle), np.sin(angle)])).sum(axis=1)
    steepest = float(2 * np.hypot(*(x * t[:, None]).mean(axis=0)))
    np.testing.assert_allclose(step["bends at 0"], [-steepest] * 4 + [0] * 4 + [steepest] * 4, rtol=0, atol=1e-10)
    saddle = step["saddle"]
    plain = [saddle[scale]["plain"] for scale in ("0.1", "0.001", "1e-06")]
    # a thousand times closer: log(1000) / log(1 + 0.05 * 4) = 38 steps more, a hundred times: 25
    assert plain[2] - plain[1] == pytest.approx(np.log(1000) / np.log(1 + 0.05 * steepest), abs=2)
    assert plain[1] - plain[0] == pytest.approx(np.log(100) / np.log(1 + 0.05 * steepest), abs=3)
    assert saddle["1e-06"]["Adam"] < 30 < saddle["1e-06"]["momentum"] < 0.6 * plain[2]
    assert [name for name, steps in saddle["0.0"].items() if steps is not None] == ["added noise"]


def test_w10_more_units_get_stuck_less() -> None:
    students = found()["students"]
    assert students["4"]["high"] >= 3 and students["6"]["high"] <= 1  # of 10: 4, 1, 0
    assert students["4"]["minimum"] >= 1 and students["4"]["minimum"] + students["4"]["groove"] + students["4"]["slow"] == students["4"]["high"]


@pytest.mark.slow
def test_w10_more_units_get_stuck_less_with_other_weights_and_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    students = numbers("w10")[0]["students"]
    assert students["4"]["high"] >= 12 and students["5"]["high"] <= 10 and students["6"]["high"] <= 2  # of 40: 21, 3, 0
    assert students["16"]["worst"] < 1e-3  # 0.0001
    assert students["4"]["minimum"] >= 3 and students["4"]["groove"] >= 5  # 7 and 13
    for folder in FOLDERS.values():
        monkeypatch.syspath_prepend(str(folder))
    w10 = importlib.import_module("w10")
    for seed in (1, 2, 3):  # of 40 runs with 4 units 28, 18, 21 end high; with 6 units 2, 2, 2
        angle = np.pi * np.arange(4) / 4 + 0.3 + seed
        x = np.random.default_rng(seed).normal(size=(100, 2))
        t = np.tanh(3 * x @ np.stack([np.cos(angle), np.sin(angle)])).sum(axis=1, keepdims=True)
        monkeypatch.setattr(w10, "task", lambda x=x, t=t: (x, t))
        high = []
        for units in (4, 6):
            rng = np.random.default_rng(100 + units)
            W, V = rng.normal(scale=0.5**0.5, size=(40, 2, units)), rng.normal(scale=units**-0.5, size=(40, units, 1))
            high.append(int((w10.train(W, V, 3000, w10.MomentumSGD, 0.05)[2][-1] > 1e-3).sum()))
        assert high[0] >= 12 and high[1] <= 5


def test_w10_draws_landscape_saddle_and_students() -> None:
    pytest.importorskip("matplotlib")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        done = run_script("w10", "--fast", "--out", str(out))
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[:-1] == numbers("w10", fast=True)[1].splitlines(), "with --out it prints the same"
        assert {path.name for path in out.iterdir()} == {"landscape.png", "saddle.png", "students.png"}
        assert all(path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 5000 for path in out.iterdir())
