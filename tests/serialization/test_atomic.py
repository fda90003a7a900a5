"""A path holds its old content or the new one, whatever happens on the way."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dezero.serialization import atomic_write, load_arrays, load_checkpoint, save_arrays, save_checkpoint
from dezero.serialization.atomic import temporary_name
from tests.serialization import faults

ROOT = Path(__file__).resolve().parents[2]
posix = pytest.mark.skipif(os.name != "posix", reason="fork, kill -9 and flock are of POSIX")


def write(path: Path, content: bytes, durable: bool = True) -> None:
    with atomic_write(path, durable) as file:
        file.write(content)


def test_writes_a_new_file_and_replaces_an_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write(path, b"one")
    write(path, b"two", durable=False)
    assert path.read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_relative_names_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("a.bin"), b"one")
    assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_in_the_block_leaves_the_old_file_and_no_litter(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a.bin"
    write(path, b"old")
    with pytest.raises(error), atomic_write(path) as file:
        file.write(b"half")
        raise error
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_the_bytes_are_on_the_disk_before_the_rename_and_the_folder_after_it(tmp_path: Path) -> None:
    calls = faults.calls_of(lambda: write(tmp_path / "a.bin", b"new"))
    folder = ["fsync"] * (os.name == "posix")
    assert [c for c in calls if c in ("write", "flush", "fsync", "replace")] == ["write", "flush", "fsync", "replace", *folder]


def test_durable_false_leaves_out_the_syncs(tmp_path: Path) -> None:
    calls = faults.calls_of(lambda: write(tmp_path / "a.bin", b"new", durable=False))
    assert "fsync" not in calls
    assert calls[-1] == "replace"


SAVES: dict[str, tuple[Callable[[Path, int], None], Callable[[Path], float]]] = {
    "npz": (lambda folder, v: save_arrays(folder / "a.npz", {"x": np.full(9, v), "y": np.zeros(3)}),
            lambda folder: load_arrays(folder / "a.npz")[0]["x"][0]),
    "safetensors": (lambda folder, v: save_arrays(folder / "a.safetensors", {"x": np.full(9, v), "y": np.zeros(3)}),
                    lambda folder: load_arrays(folder / "a.safetensors")[0]["x"][0]),
    "checkpoint": (lambda folder, v: save_checkpoint(folder / "a.ckpt", {"m": {"x": np.full(9, v)}}),
                   lambda folder: load_checkpoint(folder / "a.ckpt").parts["m"]["x"][0]),
}


@posix
@pytest.mark.parametrize("code", faults.ERRORS)
@pytest.mark.parametrize("kind", SAVES)
def test_a_disk_that_fails_at_any_call_leaves_the_old_file(tmp_path: Path, kind: str, code: int) -> None:
    save, value = SAVES[kind]
    save(tmp_path, -2)
    save(tmp_path, -1)
    calls = faults.calls_of(lambda: save(tmp_path, 0))
    names = sorted(os.listdir(tmp_path))
    renamed = len(calls) - calls[::-1].index("replace")  # what comes later is the folder's own sync
    assert len(calls) >= 7
    for n in range(1, len(calls) + 1):
        survived = False
        try:
            faults.fail_at(n, code, lambda n=n: save(tmp_path, n))  # type: ignore[misc]
            survived = True
        except OSError as error:
            assert error.errno == code
        assert survived == (calls[n - 1] == "link"), f"call {n}, {calls[n - 1]}"  # without links there is another way
        assert value(tmp_path) == (n if survived or n > renamed else 0), f"call {n}, {calls[n - 1]}"
        assert sorted(os.listdir(tmp_path)) == names
        save(tmp_path, 0)


@posix
def test_a_file_beyond_the_limit_of_the_system_leaves_the_old_one(tmp_path: Path) -> None:
    code = ("import resource, signal, sys, numpy as np\nfrom dezero.serialization import save_arrays\npath = sys.argv[1]\n"
            "save_arrays(path, {'x': np.zeros(9)})\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
            "try: save_arrays(path, {'x': np.ones(90_000)})\nexcept OSError: print('refused')")
    path = tmp_path / "a.safetensors"
    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "refused\n", done.stderr
    assert load_arrays(path)[0]["x"].shape == (9,)
    assert os.listdir(tmp_path) == ["a.safetensors"]


def crash(kind: str, folder: Path, rounds: int) -> None:
    done = subprocess.run([sys.executable, "-m", "tests.serialization.crash", kind, str(folder), str(rounds), "0"],
                          cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.stdout == f"{rounds}\n", done.stderr


@posix
@pytest.mark.parametrize("kind", SAVES)
def test_a_process_killed_at_any_moment_leaves_a_whole_file(tmp_path: Path, kind: str) -> None:
    crash(kind, tmp_path, 20)


@posix
def test_temporaries_of_dead_processes_are_removed_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    dead = Path(temporary_name(str(path)))
    dead.write_bytes(b"half")
    other = tmp_path / ".b.bin.0123-4567.tmp"
    other.write_bytes(b"of another file")
    with atomic_write(path) as living:
        assert not dead.exists()
        write(path, b"in between")
        living.write(b"last")
    assert path.read_bytes() == b"last"
    assert sorted(os.listdir(tmp_path)) == [".b.bin.0123-4567.tmp", "a.bin"]


def test_threads_that_save_to_one_path_do_not_disturb_one_another(tmp_path: Path) -> None:
    path, errors = tmp_path / "a.bin", []

    def work(i: int) -> None:
        try:
            for _ in range(20):
                write(path, bytes([i]) * 10_000, durable=False)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads: t.start()
    for t in threads: t.join()
    assert errors == []
    assert len(set(path.read_bytes())) == 1 and len(path.read_bytes()) == 10_000
    assert os.listdir(tmp_path) == ["a.bin"]


@posix
def test_links_are_followed_and_permissions_stay(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "a.bin", tmp_path / "latest"
    write(target, b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    write(link, b"new")
    assert link.is_symlink() and target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert os.listdir(tmp_path / "real") == ["a.bin"]


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="no regular file"):
        write(tmp_path / "folder", b"")
    with pytest.raises(FileNotFoundError):
        write(tmp_path / "none" / "a.bin", b"")


def test_a_name_as_long_as_the_file_system_allows_can_be_saved(tmp_path: Path) -> None:
    path = tmp_path / ("é" * 125 + ".bin")
    write(path, b"new")
    assert path.read_bytes() == b"new"


@posix
def test_a_file_that_is_mapped_into_memory_can_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write(path, b"old" * 10_000)
    view = np.memmap(path, mode="r")
    write(path, b"n")
    assert bytes(view[-3:]) == b"old"
    assert path.read_bytes() == b"n"


def test_errors_name_the_path_that_was_given(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        save_arrays(tmp_path / "none" / "a.npz", {"x": np.ones(2)})
    assert str(caught.value.filename) == str(tmp_path / "none" / "a.npz") and ".tmp" not in str(caught.value)
    with pytest.raises(OSError, match=r"No space left on device: '.*a\.bin'"), atomic_write(tmp_path / "a.bin"):
        raise OSError(errno.ENOSPC, "No space left on device")
