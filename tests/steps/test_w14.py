"""Workshop script w14: batch normalisation, and what is true of what people say about it."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Parameter
from steps.support import FOLDERS
from tests.steps.harness import command, numbers, script


@pytest.fixture
def w14(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script as a module."""
    monkeypatch.syspath_prepend(str(FOLDERS["w"]))
    return importlib.import_module("w14")


def middles(rows: dict[str, Any], label: str) -> Any:
    return np.median(rows[label], axis=1)


def test_w14_what_it_computes() -> None:
    found = numbers("w14", fast=True)[0]["numbers"]
    ours = np.array(found["ours"])
    np.testing.assert_allclose(ours.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(ours.std(axis=0), 1, rtol=1e-4)
    np.testing.assert_allclose(found["package"], ours, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found["moved"], ours, rtol=0, atol=1e-4)
    np.testing.assert_allclose(np.abs(found["pair"]), 1, rtol=1e-4)


def test_w14_large_weights_get_small_gradients() -> None:
    rng = np.random.default_rng(0)
    x, t, W = rng.normal(size=(20, 4)), rng.normal(size=(20, 3)), rng.normal(size=(4, 3))
    gradients = []
    for scale in (1, 50):
        weights = Parameter(scale * W)
        F.mean_squared_error(L.BatchNorm(3, eps=0, dtype=np.float64)(F.matmul(x, weights)), t).backward()
        assert weights.grad is not None
        gradients.append(weights.grad.data)
    np.testing.assert_allclose(gradients[1], gradients[0] / 50, rtol=1e-9)


def test_w14_a_forgotten_test_mode_and_averages_that_are_not_ready() -> None:
    modes = numbers("w14", fast=True)[0]["modes"]
    mixed, in_order, single = modes["orders"].values()
    assert mixed[0] == in_order[0] == single[0] > 0.9, "in test mode the order does not matter"
    assert mixed[1] > 0.9 and in_order[1] < 0.3 and single[1] < 0.15  # 96, 12, 10 %
    early = modes["early"]
    assert early["10"][0] < early["10"][1] - 0.05 and abs(np.subtract(*early["100"])) < 0.03  # 49 and 65 %, 96 and 96 %


def test_w14_sayings_about_rates_and_first_weights() -> None:
    found = numbers("w14", fast=True)[0]
    rates = found["rates"]
    # 60 steps, 3 seeds: better in 11 of 15, worse in 1.
    assert [*rates] == ["spread 0.01", "He", "spread 1"] and found["better"][2] == 15
    assert found["better"][0] >= 9 and found["better"][1] >= 1
    assert middles(rates["spread 0.01"], "without").max() < 0.2 < 0.8 < middles(rates["spread 0.01"], "with")[2]
    assert middles(rates["spread 1"], "with")[0] < middles(rates["spread 1"], "without")[0] - 0.2, "not always faster: 12 and 63 %"
    for rows in rates.values():
        assert middles(rows, "without")[3] < 0.2 < 0.6 < middles(rows, "with")[3], "rate 3"
        assert middles(rows, "with")[4] < 0.2, "not any rate"


def test_w14_small_batches() -> None:
    batches = numbers("w14", fast=True)[0]["batches"]
    without, with_norm = middles(batches, "without"), middles(batches, "with")
    assert with_norm[0] < without[0] - 0.2  # batches of 2: 26 and 74 %
    assert with_norm[3] > without[3] + 0.03  # of 8: 78 and 59 %


@pytest.mark.slow
def test_w14_the_whole_run() -> None:
    found, printed = numbers("w14")
    assert len(printed.splitlines()) <= 25
    rates, batches = found["rates"], found["batches"]
    assert found["better"][0] >= 10 and found["better"][1] == 1  # 11 and 1
    he, large = middles(rates["He"], "with"), middles(rates["spread 1"], "with")
    assert (large[:4] < he[:4]).all()  # 25, 75, 93, 93 and 44, 93, 98, 97 %
    assert large[0] < middles(rates["spread 1"], "without")[0] - 0.2  # 72 %
    assert all(middles(rows, "with")[3] > 0.85 > 0.2 > middles(rows, "without")[3] for rows in rates.values())
    assert all(middles(rows, label)[4] < 0.2 for rows in rates.values() for label in ("with", "without"))
    assert found["best"]["with"] > found["best"]["without"]  # 98 and 96 %
    long = {label: np.median(shares) for label, shares in found["long"].items()}
    assert min(long.values()) > 0.96 and abs(long["with"] - long["without"]) < 0.015  # 97.5 and 97.2 %: little is left
    without, with_norm = middles(batches, "without"), middles(batches, "with")
    assert (with_norm[:2] < without[:2] - 0.1).all() and (with_norm[3:] > without[3:]).all()


@pytest.mark.slow
@pytest.mark.seeds
def test_w14_small_batches_at_another_rate(w14: Any, capsys: pytest.CaptureFixture[str]) -> None:
    batches = w14.compare_batches(5, 1500, rate=0.1)
    without, with_norm = middles(batches, "without"), middles(batches, "with")
    assert (with_norm[:2] < without[:2] - 0.03).all() and (with_norm[3:] > without[3:]).all()


def test_w14_draws_rates_and_traps() -> None:
    pytest.importorskip("matplotlib")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        done = command([str(script("w14")), "--fast", "--out", str(out)], Path(folder))
        assert done.returncode == 0, done.stderr
        assert done.stdout == numbers("w14", True)[1] + "w14 ok\n"
        found = {path.name: path.read_bytes() for path in out.iterdir()}
    assert found.keys() == {"rates.png", "traps.png"}
    assert all(data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) > 5000 for data in found.values())
