"""Script f11: batch, iteration, epoch, counted. The numbers are those of the table of steps; time is not measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.steps.harness import numbers, run_script


def found() -> dict[str, Any]:
    return numbers("f11", True)[0]


def test_f11_an_epoch_deals_each_example_once() -> None:
    epochs = found()["dealt"]
    assert len(epochs) == 2 and epochs[0] != epochs[1]
    for batches in epochs:
        assert [len(batch) for batch in batches] == [3, 3, 1]
        assert sorted(i for batch in batches for i in batch) == list(range(7))


def test_f11_batches_change_the_calls_and_neither_the_multiplications_nor_the_results() -> None:
    rows = found()["calls"]
    assert [(row["size"], row["calls"]) for row in rows] == [(1, 10000), (100, 100), (1000, 10), (10000, 1)]
    assert {row["multiplications"] for row in rows} == {10000 * 128 * 10}
    assert [row["held"] for row in rows] == [row["size"] * 138 for row in rows]
    assert max(row["apart"] for row in rows) < 1e-6
    assert rows[-1]["apart"] == 0


def test_f11_the_error_of_a_gradient_falls_with_the_root_of_the_size() -> None:
    noise = found()["noise"]
    assert noise["mean of all"] < 1e-12, "the gradient of all is the mean of the gradients of each"
    sizes = np.array([int(size) for size in noise["errors"]])
    assert sizes.tolist() == [1, 4, 16, 64, 256]
    np.testing.assert_allclose(np.array([*noise["errors"].values()]) * np.sqrt(sizes), noise["errors"]["1"], rtol=0.12)


def test_f11_with_a_small_rate_small_batches_are_ahead_and_do_not_settle() -> None:
    first, last = ({size: np.array(runs["0.01"])[:, epoch] for size, runs in found()["learned"].items()} for epoch in (0, 19))
    # In each of the five tasks, not only in the mean: 0.02, 0.24, 8.2 and 11.7 after one epoch.
    assert (first["1"] < first["100"]).all() and (first["10"] < first["100"]).all() and (first["100"] < first["1000"]).all()
    # 0.0159, 0.0006, 0.0053 and 5.5 after 20: batches of 1 are no longer the best in any task.
    assert (last["1"] > 5 * last["10"]).all() and (last["1000"] > 1).all()


def test_f11_with_a_large_rate_it_is_the_other_way_round() -> None:
    last = {size: np.array(runs["0.3"])[:, 19] for size, runs in found()["learned"].items()}
    assert np.isinf(last["1"]).all()
    assert (last["1000"] < 1e-6).all() and (last["10"] > 0.02).all() and (last["10"] > last["100"]).all() and (last["100"] > last["1000"]).all()


def test_f11_draws_what_batches_change(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = run_script("f11", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["batches.png"]
    data = (tmp_path / "batches.png").read_bytes()
    assert data[:4] == b"\x89PNG" and len(data) > 20000
