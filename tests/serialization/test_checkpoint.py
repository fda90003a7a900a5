"""Checkpoints come back whole; from a damaged one the one before it takes over."""

from __future__ import annotations

import json
import math
import os
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dezero import Variable
from dezero.backend import register_module, unregister_module
from dezero.errors import FileFormatError, StateError
from dezero.serialization import load_checkpoint, load_safetensors, random_state, restore_random_state, save_checkpoint, save_safetensors
from tests import strict
from tests.serialization.mutations import damage


def save(path: Path, value: int, **options: Any) -> None:
    parts = {"model": {"l0.W": np.full((8, 4), value, np.float32), "bn.mean": np.zeros(4)}, "optimizer": {"m/l0.W": np.full((8, 4), value)}}
    save_checkpoint(path, parts, {"epoch": value}, **options)


def test_parts_and_state_come_back(tmp_path: Path) -> None:
    parts = {"model": {"l0.W": np.ones((2, 3), np.float32), "a/b": np.arange(3)}, "optimizer": {}, "": {"": np.zeros(0)}}
    state = {"epoch": 3, "lr": 0.1, "best": math.inf, "loss": [1 / 3, -math.inf], "name": "für \U0001f600", "none": None, "on": True,
             "seed": 2 ** 127, "nested": {"a": [{}]}, "f32": np.float32(0.1), "i64": np.int64(7), "pair": (1, 2)}
    save_checkpoint(tmp_path / "a.ckpt", parts, state)
    found = load_checkpoint(tmp_path / "a.ckpt")
    assert found.parts.keys() == parts.keys() and found.path == os.path.realpath(tmp_path / "a.ckpt")
    assert all(np.array_equal(found.parts[p][n], x) and found.parts[p][n].dtype == x.dtype for p in parts for n, x in parts[p].items())
    assert found.state == state | {"f32": float(np.float32(0.1)), "pair": [1, 2]}
    save_checkpoint(tmp_path / "nan", {}, {"x": math.nan})
    assert math.isnan(load_checkpoint(tmp_path / "nan").state["x"])


def test_it_is_one_safetensors_file_that_others_can_read(tmp_path: Path) -> None:
    save(tmp_path / "a.safetensors", 1)
    arrays, _ = load_safetensors(tmp_path / "a.safetensors")
    assert sorted(arrays) == ["model/bn.mean", "model/l0.W", "optimizer/m/l0.W"]
    assert os.listdir(tmp_path) == ["a.safetensors"]


def test_device_arrays_are_copied_to_the_host(tmp_path: Path) -> None:
    register_module(strict.StrictArray, strict.xp)
    try:
        save_checkpoint(tmp_path / "a", {"model": {"W": strict.to_strict(np.ones(3)), "v": Variable(strict.to_strict(np.ones(2)))}})
    finally:
        unregister_module(strict.StrictArray)
    found = load_checkpoint(tmp_path / "a")
    assert found.parts["model"]["W"].tolist() == [1, 1, 1] and found.state == {}


def test_threads_that_save_to_one_path_leave_a_whole_checkpoint(tmp_path: Path) -> None:
    errors: list[Exception] = []

    def work(i: int) -> None:
        try:
            for _ in range(10):
                save(tmp_path / "a", i, durable=False)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads: t.start()
    for t in threads: t.join()
    assert errors == []
    assert load_checkpoint(tmp_path / "a").state["epoch"] in range(4)
    save(tmp_path / "a", 5)
    assert sorted(os.listdir(tmp_path)) == ["a", "a.1"]


@pytest.mark.parametrize("keep", [1, 2, 4])
def test_the_last_files_are_kept(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "a"
    for value in range(6):
        save(path, value, keep=keep)
    assert sorted(os.listdir(tmp_path)) == ["a", *(f"a.{i}" for i in range(1, keep))]
    for i in range(keep):
        assert load_checkpoint(path.with_name(f"a.{i}") if i else path).state["epoch"] == 5 - i


def test_without_links_the_file_is_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*args: Any) -> None:
        raise PermissionError(1, "no links here")
    monkeypatch.setattr(os, "link", no_links)
    for value in range(3):
        save(tmp_path / "a", value)
    assert sorted(os.listdir(tmp_path)) == ["a", "a.1"]
    assert load_checkpoint(tmp_path / "a.1").state["epoch"] == 1


def test_a_checkpoint_that_is_plainly_damaged_does_not_push_out_a_good_one(tmp_path: Path) -> None:
    save(tmp_path / "a", 1)
    save(tmp_path / "a", 2)
    (tmp_path / "a").write_bytes((tmp_path / "a").read_bytes()[:-9])
    save(tmp_path / "a", 3)
    assert load_checkpoint(tmp_path / "a").state["epoch"] == 3
    assert load_checkpoint(tmp_path / "a.1").state["epoch"] == 1


def falls_back(path: Path, rounds: int, seed: int) -> None:
    """Damage the newest of two checkpoints in many ways: the one before it is loaded, with a warning."""
    save(path, 1)
    save(path, 2)
    newest, rng = path.read_bytes(), np.random.default_rng(seed)
    for i in range(rounds):
        path.write_bytes(damage(newest, rng))
        with pytest.warns(RuntimeWarning, match=r"going on from the checkpoint before it, .*\.1$"):
            found = load_checkpoint(path)
        assert found.state == {"epoch": 1} and (found.parts["model"]["l0.W"] == 1).all() and found.path.endswith(".1"), f"round {i}"


def test_from_a_damaged_checkpoint_the_one_before_takes_over(tmp_path: Path) -> None:
    falls_back(tmp_path / "a", 100, 0)


def test_from_a_lost_checkpoint_the_one_before_takes_over(tmp_path: Path) -> None:
    for value in range(3):
        save(tmp_path / "a", value, keep=3)
    os.remove(tmp_path / "a")
    os.remove(tmp_path / "a.1")
    with pytest.warns(RuntimeWarning, match="a is gone"):
        assert load_checkpoint(tmp_path / "a").state["epoch"] == 0


def test_without_a_whole_file_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        load_checkpoint(tmp_path / "a")
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        load_checkpoint(tmp_path / "none" / "a")
    save(tmp_path / "a", 1)
    save(tmp_path / "a", 2)
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "a.1").write_bytes(b"")
    with pytest.raises(FileFormatError, match=r"a: cut off.*; .*a\.1: cut off"):
        load_checkpoint(tmp_path / "a")


@pytest.mark.parametrize("metadata", [
    {}, {"parts": '["m"]'}, {"state": "{}"}, {"parts": "x", "state": "{}"}, {"parts": "[1]", "state": "{}"}, {"parts": "[]", "state": "{}"},
    {"parts": '["m"]', "state": "[]"}, {"parts": '["m"]', "state": "[" * 100_000}, {"parts": '["m"]', "state": "1" * 5000},
    {"parts": '["m"]', "state": '{"a":[' + "[]," * 4_000_000 + "[]]}"},
])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, metadata: dict[str, str]) -> None:
    save_safetensors(tmp_path / "a", {"m/x": np.ones(2)}, metadata)
    with pytest.raises(FileFormatError):
        load_checkpoint(tmp_path / "a")


@pytest.mark.parametrize(("state", "words"), [
    ({"a": [{"b": {1}}]}, r"state\['a'\]\[0\]\['b'\] is a set"), ({"a": {1: 2}}, r"state\['a'\] has the key 1"),
    ({"a": np.ones(2)}, "put arrays into a part"), ({"a": b""}, "bytes"),
])
def test_what_cannot_be_kept_is_named_by_its_place(tmp_path: Path, state: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        save_checkpoint(tmp_path / "a", {}, state)
    assert os.listdir(tmp_path) == []


def test_wrong_arguments_are_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="keep is 0"):
        save_checkpoint(tmp_path / "a", {}, keep=0)
    with pytest.raises(ValueError, match="'a/b' is the name of a part"):
        save_checkpoint(tmp_path / "a", {"a/b": {}})


def test_a_long_history_fits(tmp_path: Path) -> None:
    history = np.random.default_rng(0).random(200_000).tolist()
    save_checkpoint(tmp_path / "a", {"m": {"é": np.ones(1)}}, {"loss": history, "é": 1})
    assert load_checkpoint(tmp_path / "a").state == {"loss": history, "é": 1}


# -- random states ----------------------------------------------------------------------------------

KINDS = [np.random.MT19937, np.random.PCG64, np.random.PCG64DXSM, np.random.Philox, np.random.SFC64]


@pytest.mark.seeds
def test_the_global_generator_goes_on_where_it_stopped(tmp_path: Path) -> None:
    np.random.seed(3)
    np.random.randn(5)  # an odd number: one Gauss number waits
    save_checkpoint(tmp_path / "a", {}, {"random": random_state()})
    expected = [np.random.randn(3).tolist(), np.random.permutation(10).tolist()]
    np.random.seed(4)
    restore_random_state(load_checkpoint(tmp_path / "a").state["random"])
    assert [np.random.randn(3).tolist(), np.random.permutation(10).tolist()] == expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_generator_goes_on_where_it_stopped(kind: Any) -> None:
    rng, other = np.random.Generator(kind(0)), np.random.Generator(kind(1))
    rng.random(7, np.float32)
    restore_random_state(json.loads(json.dumps(random_state(rng))), other)
    assert np.array_equal(rng.random(1000), other.random(1000))
    assert np.array_equal(rng.integers(0, 9, 7, np.int32), other.integers(0, 9, 7, np.int32))


@pytest.mark.parametrize("change", [
    lambda s: None, lambda s: [], lambda s: {}, lambda s: s | {"bit_generator": "PCG64"}, lambda s: s | {"more": 1}, lambda s: s | {"state": 1},
    *(lambda s, new=new: s | {"state": s["state"] | new} for new in (
        {"pos": 10 ** 6}, {"pos": -1}, {"pos": "1"}, {"key": [1, 2]}, {"key": [-1] * 624}, {"key": ["a"] * 624}, {"key": [2 ** 40] * 624})),
])
def test_a_damaged_random_state_is_refused(change: Any) -> None:
    rng = np.random.Generator(np.random.MT19937(0))
    before = random_state(rng)
    with pytest.raises(StateError, match="restore_random_state"):
        restore_random_state(change(random_state(rng)), rng)
    assert random_state(rng) == before


def test_loading_warns_of_nothing_when_nothing_is_wrong(tmp_path: Path) -> None:
    save(tmp_path / "a", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_checkpoint(tmp_path / "a")
