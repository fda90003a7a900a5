"""Saving and loading the state of layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero.errors import FileFormatError, StateError

pytestmark = pytest.mark.seeds  # weights are drawn from the global state


def net(hidden: int = 4, late: bool = False) -> L.Sequential:
    return L.Sequential(L.Linear(hidden, in_size=None if late else 3), F.relu, L.Linear(2, in_size=None if late else hidden))


X = np.ones((1, 3), np.float32)


def test_state_is_copied_out_and_in() -> None:
    a, b = net(), net()
    state = a.state_dict()
    y = a(X).data
    a.layers[0].W.data += 1
    memory = b.layers[0].W.data
    assert b.load_state_dict(state) == ((), (), ())
    assert np.array_equal(b(X).data, y) and b.layers[0].W.data is memory
    live = a.state_dict(copy=False)
    assert live["l0.W"] is a.layers[0].W.data


def test_a_late_layer_takes_size_and_its_own_dtype_from_the_state() -> None:
    a, b = net(), net(late=True)
    b.load_state_dict({name: array.astype(np.float64) for name, array in a.state_dict().items()})
    assert np.array_equal(a(X).data, b(X).data) and b.layers[0].W.dtype == np.float32


def test_names_with_slashes_are_read() -> None:
    a, b = net(), net()
    b.load_state_dict({name.replace(".", "/"): array for name, array in a.state_dict().items()})
    assert np.array_equal(a(X).data, b(X).data)


def test_what_does_not_fit_is_shown_as_a_table_and_nothing_is_loaded() -> None:
    a = net()
    before = a.state_dict()
    state = {"l0.W": np.zeros((3, 9), np.float32), "l0.b": np.ones(4, np.float32), "l2.W": np.zeros((4, 2), np.float32), "l3.b": np.zeros(2)}
    with pytest.raises(StateError, match="strict=False") as error:
        a.load_state_dict(state)
    for words in ("1 missing, 1 unexpected, 1 mismatched", "(3, 4) float32", "(3, 9) float32", "l2.b", "l3.b"):
        assert words in str(error.value)
    assert all(np.array_equal(before[name], array) for name, array in a.state_dict().items())
    assert a.load_state_dict(state, strict=False) == (("l2.b",), ("l3.b",), ("l0.W",))
    assert a.layers[0].b.data.tolist() == [1] * 4


def test_a_late_layer_refuses_a_state_of_another_output_size() -> None:
    with pytest.raises(StateError, match=r"\(any, 5\)"):
        L.Sequential(L.Linear(5)).load_state_dict({"l0.W": np.zeros((3, 2), np.float32), "l0.b": np.zeros(5, np.float32)})


@pytest.mark.parametrize("name", ["w.npz", "w.safetensors", "a folder/가중치.npz"])
def test_weights_go_through_a_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    a, b = net(), net(late=True)
    a.save_weights(path)
    b.load_weights(str(path))
    assert np.array_equal(a(X).data, b(X).data)


def test_npz_files_have_the_books_names(tmp_path: Path) -> None:
    net().save_weights(tmp_path / "w.npz")
    assert sorted(np.load(tmp_path / "w.npz").files) == ["l0/W", "l0/b", "l2/W", "l2/b"]
    np.savez(tmp_path / "book.npz", **{"l0/W": np.ones((3, 4)), "l0/b": np.zeros(4), "l2/W": np.ones((4, 2)), "l2/b": np.zeros(2)})
    late = net(late=True)
    late.load_weights(tmp_path / "book.npz")
    assert late(X).data.tolist() == [[12, 12]]


def test_no_suffix_works_both_ways(tmp_path: Path) -> None:
    a, b = net(), net()
    a.save_weights(tmp_path / "weights")
    b.load_weights(tmp_path / "weights")
    assert np.array_equal(a(X).data, b(X).data)


def test_a_damaged_or_missing_file_is_told_and_changes_nothing(tmp_path: Path) -> None:
    a = net()
    before = a.state_dict()
    (tmp_path / "bad.npz").write_bytes(b"not a zip file")
    with pytest.raises(FileFormatError):
        a.load_weights(tmp_path / "bad.npz")
    with pytest.raises(FileNotFoundError):
        a.load_weights(tmp_path / "none.npz")
    with pytest.raises(StateError, match="have no size yet"):
        net(late=True).save_weights(tmp_path / "late.npz")
    assert not (tmp_path / "late.npz").exists()
    assert all(np.array_equal(before[name], array) for name, array in a.state_dict().items())


def test_summary_counts_shared_layers_once_and_leaves_no_trace() -> None:
    model = net()
    model.again = model.layers[0]
    text = model.summary((5, 3))
    assert "(5, 2)" in text and text.splitlines()[-1].split() == ["total", "26"]
    assert all(p.grad is None for p in model.params()) and not model._hooks
    assert model.summary(X).splitlines()[1].split()[1:3] == ["(1,", "2)"]
    model.blocks = [L.Sequential(L.Linear(1, in_size=2)), (L.Linear(1, in_size=2),)]
    labels = [line[:line.index(":")] for line in model.summary().splitlines()[2:-1]]
    assert labels == ["  l0", "  l2", "  blocks.0", "    l0", "  blocks.1.0"]
    late = net(late=True)
    assert "not sized yet" in late.summary() and "output" not in late.summary()
    assert repr(late) == "Sequential(\n  l0: Linear(? -> 4)\n  l2: Linear(? -> 2)\n)"
