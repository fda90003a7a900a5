"""The reader of MNIST's format: right arrays, and a FileFormatError for anything else."""

from __future__ import annotations

import gzip
import hashlib
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from dezero.datasets import read_idx
from dezero.errors import FileFormatError
from tests.datasets.mutate import IDX, SHAPE, mutants, try_idx


def write(folder: Path, data: bytes, packed: bool = False) -> Path:
    path = folder / "x"
    path.write_bytes(gzip.compress(data) if packed else data)
    return path


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("code", "dtype"), [(8, "u1"), (9, "i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")])
def test_arrays(tmp_path: Path, code: int, dtype: str, packed: bool) -> None:
    values = np.arange(-6, 6).astype(dtype).reshape(3, 4)
    array = read_idx(write(tmp_path, bytes([0, 0, code, 2]) + struct.pack(">II", 3, 4) + values.tobytes(), packed))
    assert array.dtype == np.dtype(dtype).newbyteorder("=")
    assert array.dtype.isnative and array.flags.writeable
    np.testing.assert_array_equal(array, values)


def test_no_samples(tmp_path: Path) -> None:
    assert read_idx(write(tmp_path, bytes([0, 0, 8, 2]) + struct.pack(">II", 0, 4))).shape == (0, 4)


@pytest.mark.parametrize(("data", "words"), [
    (b"", "ends"), (b"\0\0", "ends"), (b"<!DOCTYPE html>", "no IDX file"), (b"\x50\x4b\x03\x04" + bytes(40), "no IDX file"),
    (b"\0\0\x07\x01\0\0\0\0", "no IDX file"), (b"\0\0\x08\0", "no IDX file"), (b"\0\0\x08\x09" + bytes(36), "no IDX file"),
    (b"\0\0\x08\x03\0\0", "ends"), (IDX[:-1], "tells of 76 bytes in all, but has 75"), (IDX + b"x", "but has 77"),
    (b"\0\0\x0e\x04" + b"\xff" * 16, "at most"), (b"\0\0\x08\x01\xff\xff\xff\xff", "tells of"),
])
def test_other_files(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(FileFormatError, match=words):
        read_idx(write(tmp_path, data))


@pytest.mark.parametrize("data", [IDX[:-1], IDX + b"x", IDX[:10]])
def test_packed_files_of_wrong_length(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(FileFormatError):
        read_idx(write(tmp_path, data, packed=True))


@pytest.mark.parametrize("cut", [2, 5, 12, 30, -9, -1])
def test_packed_files_cut_off(tmp_path: Path, cut: int) -> None:
    (tmp_path / "x").write_bytes(gzip.compress(IDX)[:cut])
    with pytest.raises(FileFormatError, match="gzip"):
        read_idx(tmp_path / "x")


def test_expectations(tmp_path: Path) -> None:
    path = write(tmp_path, IDX)
    assert read_idx(path, shape=(None, 3, 4), dtype="uint8", sha256=hashlib.sha256(IDX).hexdigest()).shape == SHAPE
    for wrong in ({"shape": (5, 3, 5)}, {"shape": (60,)}, {"dtype": "int32"}, {"sha256": "0" * 64}, {"limit": 59}):
        with pytest.raises(FileFormatError, match="expected"):
            read_idx(path, **wrong)


@pytest.mark.parametrize("packed", [False, True])
def test_nothing_is_allocated_for_a_size_that_the_file_cannot_hold(tmp_path: Path, packed: bool) -> None:
    path = write(tmp_path, b"\0\0\x08\x01" + struct.pack(">I", 2_000_000_000) + bytes(100), packed)
    tracemalloc.start()
    with pytest.raises(FileFormatError):
        read_idx(path)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_a_bomb_is_unpacked_no_further_than_declared(tmp_path: Path) -> None:
    bomb = b"\0\0\x08\x01" + struct.pack(">I", 1000) + bytes(50_000_000)
    path = write(tmp_path, bomb, packed=True)
    tracemalloc.start()
    with pytest.raises(FileFormatError, match="more bytes"):
        read_idx(path)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_changed_files_are_read_or_refused(tmp_path: Path) -> None:
    read, refused = try_idx(tmp_path, 250, seed=1)
    assert read > 10 and refused > 400


def test_the_hash_finds_every_change(tmp_path: Path) -> None:
    digest = hashlib.sha256(IDX).hexdigest()
    for data in mutants(IDX, 200, seed=2):
        if data != IDX:
            with pytest.raises(FileFormatError):
                read_idx(write(tmp_path, data), sha256=digest)
