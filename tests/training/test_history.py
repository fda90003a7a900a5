"""History: columns, the best epoch, files that give the same numbers back, pictures."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from dezero.errors import FileFormatError
from dezero.training import History, compare

ROWS = [{"epoch": 1, "loss": 0.1 + 0.2, "val_accuracy": 0.5}, {"epoch": 2, "loss": math.nan, "val_accuracy": 0.75, "live_units": 1 / 3},
        {"epoch": 3, "loss": 1e-300, "val_accuracy": 0.75}]


def same(a: History, b: History) -> bool:
    return repr(a.rows) == repr(b.rows)


def test_columns_have_an_entry_for_each_epoch() -> None:
    history = History(ROWS)
    assert list(history) == ["epoch", "loss", "val_accuracy", "live_units"] and len(history) == 4 and history.epochs == 3
    assert history["epoch"] == [1, 2, 3] and history["val_accuracy"] == [0.5, 0.75, 0.75]
    assert math.isnan(history["live_units"][0]) and history["live_units"][1] == 1 / 3
    assert "loss" in history and "lr" not in history and history.get("lr") is None
    with pytest.raises(KeyError, match="it has epoch, loss, val_accuracy, live_units"):
        history["lr"]


def test_the_best_epoch() -> None:
    history = History(ROWS)
    assert history.best("val_accuracy")["epoch"] == 2
    assert history.best("val_accuracy", mode="min")["epoch"] == 1
    assert history.best("loss")["epoch"] == 3
    with pytest.raises(KeyError, match=r"no metric 'val_loss': this run has loss, val_accuracy, live_units; fit\(\.\.\., val_loader="):
        history.best()
    with pytest.raises(ValueError, match="NaN in all 1 epochs"):
        History([{"loss": math.nan}]).best("loss")
    with pytest.raises(ValueError, match="'min'"):
        history.best("loss", mode="low")


def test_files_give_the_same_numbers_back(tmp_path: Path) -> None:
    history = History(ROWS)
    history.to_csv(tmp_path / "기록.csv")
    history.to_jsonl(tmp_path / "기록.jsonl")
    assert same(History.from_csv(tmp_path / "기록.csv"), history)
    assert same(History.from_jsonl(tmp_path / "기록.jsonl"), history)
    lines = (tmp_path / "기록.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3] and "NaN" not in lines[1]
    History().to_csv(tmp_path / "empty.csv")
    assert History.from_csv(tmp_path / "empty.csv").epochs == 0


@pytest.mark.parametrize("text", ["epoch,loss\n1", "epoch\nx\n", 'epoch\n"1'])
def test_other_files_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text(text)
    with pytest.raises(FileFormatError, match="a: no history"):
        History.from_csv(path)
    with pytest.raises(FileFormatError, match="line 1"):
        History.from_jsonl(path)


def test_repr_is_a_small_table() -> None:
    history = History([{"epoch": i, "loss": 1 / i} for i in range(1, 101)])
    lines = repr(history).splitlines()
    assert lines[0].split() == ["epoch", "loss"] and lines[-1].split() == ["100", "0.0100"] and len(lines) == 13
    assert lines[4].split() == ["...", "..."]
    assert repr(History()) == "History of no epochs"


def test_pictures(tmp_path: Path) -> None:
    history = History([{"epoch": 1, "loss": 1.0, "val_accuracy": 0.5}, {"epoch": 2, "loss": 0.5, "val_accuracy": 0.6}])
    assert len(history.plot(tmp_path / "a.png").axes) == 2
    assert [axes.get_title() for axes in history.plot(twin=False).axes] == ["Loss", "Accuracy"]
    compare({"lr 0.1": history, "lr 1": history}, tmp_path / "b.svg")
    assert (tmp_path / "a.png").stat().st_size > 1000 and (tmp_path / "b.svg").stat().st_size > 1000
