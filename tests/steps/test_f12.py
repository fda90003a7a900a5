"""f12: into the net and out of it. The numbers are those of the plan's table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steps.exercises.kit import framework
from tests.steps.harness import numbers, run_script


def found() -> dict[str, Any]:
    return numbers("f12", True)[0]


def test_f12_flatten_keeps_every_number_in_its_place() -> None:
    assert found()["shapes"] == [[1437, 8, 8], [1437, 64]] and found()["back"] is True
    assert found()["mixed"] < 64, "the wrong reshape mixes images"


def test_f12_normalised_data_have_mean_0_and_spread_1() -> None:
    assert found()["normalised"] == pytest.approx([0, 1], abs=1e-5)
    assert found()["byte"] == 254, "3 - 5 in a byte"


def test_f12_size_and_learning_rate_belong_together() -> None:
    sizes = {name: {kind: float(np.mean(right)) for kind, right in row.items()} for name, row in found()["sizes"].items()}
    assert all(len(right) == 10 for row in found()["sizes"].values() for right in row.values())
    stored, unit, normal, large = (sizes[name] for name in ("as stored, 0 to 16", "0 to 1", "mean 0, spread 1", "0 to 256"))
    # mean of 10 seeds, SGD 0.1, SGD 0.01, Adam: stored 44, 90, 95 %; 0 to 1 89, 29, 95; mean 0 94, 59, 96; 0 to 256 10, 15, 85
    assert normal["SGD, rate 0.1"] > unit["SGD, rate 0.1"] > stored["SGD, rate 0.1"] + 0.2
    assert stored["SGD, rate 0.01"] > normal["SGD, rate 0.01"] + 0.15 > unit["SGD, rate 0.01"] + 0.3
    adam = [row["Adam, rate 0.01"] for row in (stored, unit, normal)]
    assert min(adam) > 0.93 and max(adam) - min(adam) < 0.03
    assert all(large[kind] < min(stored[kind], unit[kind], normal[kind]) for kind in large)


@pytest.mark.slow
@pytest.mark.seeds
def test_f12_small_steps_catch_up_and_large_ones_do_not() -> None:
    f12 = framework("f12")
    images, t, test_images, test_t = f12.load()
    sizes, _, _ = f12.sizes_of(images, test_images)

    def right(size: str, rate: float) -> list[float]:
        models = [f12.learn(sizes[size][0], t, f12.SGD(rate), seed, 60) for seed in range(5)]
        return [f12.share_right(model(sizes[size][1]).data, test_t) for model in models]

    assert min(right("0 to 1", 0.01)) > 0.88 and min(right("mean 0, spread 1", 0.01)) > 0.91  # 91 to 94 %, 94 to 96 %
    assert np.mean(right("as stored, 0 to 16", 0.1)) < 0.8  # 87, 91, 41, 16, 28 %
    assert max(right("0 to 256", 0.1)) < 0.2 and max(right("0 to 256", 0.01)) < 0.6  # 10 %; 19 to 37 %


def test_f12_one_hot_and_back() -> None:
    assert found()["round trip"] is True and found()["rows"] == [1437, 10] and found()["sums"] == [1, 1]
    row = found()["one-hot"]
    assert sorted(row) == [0] * 9 + [1] and row[4] == 1


def test_f12_a_label_is_a_name_and_no_amount() -> None:
    labels = found()["labels"]
    assert len(labels["number"]) == len(labels["row"]) == 6
    # least squares on numbers 18 to 25 %, on one-hot rows 93.9 % under all six namings
    assert max(labels["number"]) < 0.35 and min(labels["row"]) > 0.9
    assert max(labels["row"]) - min(labels["row"]) < 0.005


def test_f12_stored_weights_answer_for_one_image_and_for_a_batch() -> None:
    assert found()["inference"] == {"one image": [[64], [10]], "batch of one": [[1, 64], [1, 10]], "batch": [[360, 64], [360, 10]]}
    assert found()["same"] is True and found()["close"] is True
    assert found()["right"] == found()["right by p"] >= 0.95  # 97.5 %


def test_f12_argmax_without_its_axis_fails_loudly_or_silently() -> None:
    assert "axis 1 is out of bounds" in found()["message"]
    assert found()["flat"] > 9, "a place in all scores is no digit"


def test_f12_the_file_is_the_net(tmp_path: Path) -> None:
    """The pictures, and the file itself, read with nothing but NumPy: it gives the accuracy that was printed."""
    pytest.importorskip("matplotlib")
    done = run_script("f12", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:-1] == numbers("f12", True)[1].splitlines()
    assert {path.name for path in tmp_path.iterdir()} == {"data.png", "sizes.png", "answers.png", "digits.npz"}
    assert all(path.read_bytes()[:4] == b"\x89PNG" for path in tmp_path.glob("*.png"))
    from dezero.datasets import Digits

    test = Digits(train=False, transform=None)
    with np.load(tmp_path / "digits.npz") as w:
        x = (test.data.reshape(-1, 64) - w["mean"]) / w["spread"]
        answers = (np.maximum(x @ w["l0.W"] + w["l0.b"], 0) @ w["l1.W"] + w["l1.b"]).argmax(axis=1)
    assert np.mean(answers == test.label) == pytest.approx(found()["right"], abs=1.5 / 360)
