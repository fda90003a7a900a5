"""The book's cache of arrays, pictures of data sets, and progress."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from dezero import datasets
from dezero.datasets import Digits, load_cache_npz, progress, save_cache_npz, show_progress
from dezero.datasets.show import image_grid
from dezero.errors import ShapeError


def test_arrays_come_back(home: Path) -> None:
    x, t = np.arange(6, dtype=np.uint8).reshape(2, 3), np.array([1, 0])
    assert load_cache_npz("https://example.org/a/things.gz", True) == (None, None)
    path = save_cache_npz(x, t, "https://example.org/a/things.gz", True)
    assert path == str(home / "cache/dezero/things.gz.train.npz")
    data, label = load_cache_npz("things.gz", True)
    np.testing.assert_array_equal(data, x)
    np.testing.assert_array_equal(label, t)
    assert load_cache_npz("things.gz") == (None, None)
    assert os.listdir(home / "cache/dezero") == ["things.gz.train.npz"]


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"<html>"])
def test_a_damaged_cache_counts_as_none(home: Path, damage: bytes) -> None:
    path = Path(save_cache_npz(np.zeros(2), np.zeros(2), "x"))
    path.write_bytes(damage or path.read_bytes()[:100])
    with pytest.warns(RuntimeWarning, match="damaged"):
        assert load_cache_npz("x") == (None, None)


def test_objects_are_not_loaded(home: Path) -> None:
    path = home / "cache/dezero/x.test.npz"
    path.parent.mkdir(parents=True)
    np.savez(path, data=np.array([{}], object), label=np.zeros(1))
    with pytest.warns(RuntimeWarning, match="allow_pickle"):
        assert load_cache_npz("x") == (None, None)


def test_names_without_folders(home: Path) -> None:
    assert save_cache_npz(np.zeros(1), np.zeros(1), "../../evil") == str(home / "cache/dezero/evil.test.npz")
    with pytest.raises(ValueError, match="a name is expected"):
        load_cache_npz("a/..")


def test_grid() -> None:
    images = np.arange(2 * 3 * 3 * 4 * 5).reshape(6, 3, 4, 5)
    grid = image_grid(images, 2, 3)
    assert grid.shape == (8, 15, 3)
    np.testing.assert_array_equal(grid[4:, 5:10], images[4].transpose(1, 2, 0))
    assert image_grid(images[:, :1], 3, 2).shape == (12, 10)
    with pytest.raises(ShapeError, match="2 rows of 2"):
        image_grid(images, 2, 2)


def test_show() -> None:
    matplotlib.use("Agg")
    Digits().show(row=2, col=3, seed=0)
    assert plt.gca().images[0].get_array().shape == (16, 24)
    plt.close("all")


def test_show_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"dezero\[plot\]"):
        Digits().show(seed=0)


def test_show_progress(capsys: pytest.CaptureFixture[str]) -> None:
    for block in range(4):
        show_progress(block, 400, 1000)
    show_progress(2, 400, -1)
    out = capsys.readouterr().out
    assert "  0.0 %" in out and " 40.0 %" in out and "100.0 %" in out and "120" not in out and "800 bytes" in out


@pytest.mark.parametrize("with_tqdm", [True, False])
def test_bar_only_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], with_tqdm: bool) -> None:
    with progress.Bar("things", 1000) as bar:
        bar.update(500)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    if not with_tqdm:
        monkeypatch.setitem(sys.modules, "tqdm", None)
    with progress.Bar("things", 1000) as bar:
        bar.update(500)
    assert "things" in capsys.readouterr().err


def test_all_names_are_there() -> None:
    assert all(hasattr(datasets, name) for name in datasets.__all__)
    assert len(set(datasets.__all__)) == len(datasets.__all__)
