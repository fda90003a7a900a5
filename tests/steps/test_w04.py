"""Workshop script w04: over- and underfitting."""

from __future__ import annotations

import contextlib
import importlib
import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steps.support import FOLDERS
from tests.steps.harness import command, numbers, script


@pytest.fixture
def w04(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script as a module."""
    monkeypatch.syspath_prepend(str(FOLDERS["w"]))
    return importlib.import_module("w04")


def gap(row: dict[str, Any]) -> Any:
    return np.array(row["new"]) - np.array(row["known"])


def test_w04_the_gap_grows_with_the_size_and_shrinks_with_the_data() -> None:
    found = numbers("w04", fast=True)[0]
    sizes, amounts = found["sizes"], found["amounts"]
    assert [*sizes] == ["1", "2", "4", "16", "64"] and [*amounts] == ["10", "30", "100", "300", "1000"]
    # 400 steps, 3 seeds, middle of the gap: 2 units 0.057, 64 units 0.079; 10, 30, 300 points: 0.200, 0.079, 0.019.
    assert np.median(gap(sizes["64"])) > np.median(gap(sizes["2"]))
    assert (gap(amounts["10"]) > gap(amounts["300"])).all() and np.median(gap(amounts["30"])) > np.median(gap(amounts["300"]))
    assert found["seeds with the sign"] == [(gap(sizes["64"]) > gap(sizes["2"])).sum(), (gap(amounts["30"]) > gap(amounts["300"])).sum()]


def test_w04_a_net_that_is_too_small_is_bad_everywhere() -> None:
    found = numbers("w04", fast=True)[0]
    for row in (found["sizes"]["1"], found["small"]):
        assert np.median(row["known"]) > 0.25 and np.median(row["new"]) > 0.25
    assert np.median(found["sizes"]["2"]["new"]) < 0.2


def test_w04_the_noise_is_what_it_says(w04: Any) -> None:
    x, t = w04.points(100_000, np.random.default_rng(0))
    assert np.mean((t - w04.wave(x)) ** 2) == pytest.approx(0.09, rel=0.02)


@pytest.mark.slow
def test_w04_the_whole_run() -> None:
    found, printed = numbers("w04")
    assert len(printed.splitlines()) <= 25
    assert found["seeds with the sign"] == [5, 5]
    middle = {name: {key: np.median(row["new"]) for key, row in found[name].items()} for name in ("sizes", "amounts")}
    assert middle["sizes"]["1"] > 0.4 and middle["sizes"]["2"] < middle["sizes"]["64"]  # 0.577, 0.138, 0.173
    assert middle["amounts"]["1000"] == pytest.approx(0.09, abs=0.015) and middle["amounts"]["10"] > 2 * middle["amounts"]["30"]
    assert np.median(found["sizes"]["64"]["known"]) < 0.06 < np.median(found["small"]["known"])  # 0.026: noise was learned
    assert np.median(found["sizes"]["64"]["lowest"]) < middle["sizes"]["64"] - 0.02  # 0.122: it was better earlier


@pytest.mark.slow
@pytest.mark.seeds
def test_w04_what_fifteen_seeds_say(w04: Any) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        sizes, larger = w04.by_size(15, 1600)
        amounts, smaller, _ = w04.by_data(15, 1600, sizes[64])
        wide = w04.one_layer(15, 1600)
    assert larger >= 14 and smaller >= 14  # 15 and 15
    assert all((gap(amounts[n]) > gap(amounts[m])).sum() >= 13 for n, m in ((10, 30), (30, 100)))  # 14 and 15
    assert 5 <= (gap(sizes[64]) > gap(sizes[16])).sum() <= 13  # 11: no rule here
    assert (gap(wide[1024]) < gap(sizes[16])).sum() >= 12  # 15, with ten times the parameters


def test_w04_draws_fits_curves_and_gaps() -> None:
    pytest.importorskip("matplotlib")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        done = command([str(script("w04")), "--fast", "--out", str(out)], Path(folder))
        assert done.returncode == 0, done.stderr
        assert done.stdout == numbers("w04", True)[1] + "w04 ok\n"
        found = {path.name: path.read_bytes() for path in out.iterdir()}
    assert found.keys() == {"fits.png", "curves.png", "gaps.png"}
    assert all(data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) > 5000 for data in found.values())
