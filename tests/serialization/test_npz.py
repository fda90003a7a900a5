"""npz: NumPy's files and ours are the same; a stranger's file gives arrays of numbers or FileFormatError, and fills no memory."""

from __future__ import annotations

import io
import os
import struct
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dezero.errors import DTypeError, FileFormatError
from dezero.serialization import load_arrays, load_npz, save_arrays, save_npz
from tests.serialization.samples import DTYPES, as_npy, bounded_memory, npy, of_all_kinds, same


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", method) as z:
        warnings.simplefilter("ignore")  # names that stand there twice
        for name, content in members:
            z.writestr(name, content)
    return file.getvalue()


def load_bytes(content: bytes, folder: Path, **options: Any) -> dict[str, np.ndarray]:
    path = folder / "x.npz"
    path.write_bytes(content)
    return load_npz(path, **options)[0]


@pytest.mark.parametrize("compressed", [False, True])
def test_arrays_of_all_kinds_come_back_and_numpy_reads_them_too(tmp_path: Path, compressed: bool) -> None:
    arrays = of_all_kinds() | {"complex": np.array([1 + 2j]), "file": np.ones(2), "a/b.npy": np.ones(1), "": np.ones(3)}
    path = save_npz(tmp_path / "a.npz", arrays, compressed=compressed)
    assert same(load_npz(path)[0], arrays)
    with np.load(path) as found:
        assert sorted(found) == sorted(arrays)
        assert all(np.array_equal(found[name], arrays[name], equal_nan=arrays[name].dtype.kind == "f") for name in arrays)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_files_of_numpy_are_read(tmp_path: Path, save: Any) -> None:
    save(tmp_path / "a.npz", **of_all_kinds())
    assert same(load_npz(tmp_path / "a.npz")[0], of_all_kinds())


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(st.sampled_from([np.dtype(d).newbyteorder(o) for d in DTYPES for o in "<>"]),
                  hnp.array_shapes(min_dims=0, min_side=0, max_side=4)), st.booleans(),
       st.dictionaries(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")), max_size=3))
def test_any_array_comes_back(x: np.ndarray, compressed: bool, metadata: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = save_npz(os.path.join(folder, "a"), {"l0/W": x, "t": x.T}, metadata, compressed=compressed)
        arrays, text = load_npz(path)
    assert same(arrays, {"l0/W": x, "t": x.T})
    assert text == metadata


def test_a_name_without_suffix_gets_it_and_is_found_by_both_names(tmp_path: Path) -> None:
    for save in (save_npz, save_arrays):
        save(tmp_path / "my_mlp", {"W": np.ones(2)})
        assert os.listdir(tmp_path) == ["my_mlp.npz"]
        assert load_arrays(tmp_path / "my_mlp")[0]["W"].shape == load_arrays(tmp_path / "my_mlp.npz")[0]["W"].shape == (2,)
    assert save_npz(tmp_path / "model.v1", {}).name == "model.v1.npz"
    assert load_npz(tmp_path / "model.v1") == ({}, {})


def test_a_file_without_suffix_is_found_too(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", W=np.ones(2))
    os.rename(tmp_path / "a.npz", tmp_path / "weights")
    assert list(load_arrays(tmp_path / "weights")[0]) == ["W"]
    with pytest.raises(FileNotFoundError):
        load_arrays(tmp_path / "none")


def test_an_unknown_suffix_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"ends in '\.pth': \.npz or \.safetensors is expected"):
        load_arrays(tmp_path / "a.pth")
    with pytest.raises(ValueError, match=r"ends in '\.h5'"):
        save_arrays(tmp_path / "a.h5", {})
    assert os.listdir(tmp_path) == []


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    a = save_npz(tmp_path / "a", of_all_kinds(), {"x": "1", "y": "2"})
    b = save_npz(tmp_path / "b", dict(reversed(of_all_kinds().items())), {"y": "2", "x": "1"})
    assert a.read_bytes() == b.read_bytes()


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/passwd", "C:x", "a\\b", "a\0b", "\ud800", "__metadata__", "x" * 70_000, ".."])
def test_a_name_that_is_a_path_elsewhere_is_not_written(tmp_path: Path, name: str) -> None:
    if name == "..":
        save_npz(tmp_path / "a", {name: np.ones(1)})  # the member is called ...npy and leads nowhere
        assert list(load_npz(tmp_path / "a")[0]) == [".."]
        return
    with pytest.raises(ValueError, match="safetensors"):
        save_npz(tmp_path / "a", {name: np.ones(1)})
    assert os.listdir(tmp_path) == []


def test_weights_that_were_never_made_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(DTypeError, match="'l0/W' has no value yet: call the model once"):
        save_npz(tmp_path / "a", {"l0/W": None})
    assert os.listdir(tmp_path) == []


HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n"
X = as_npy(np.ones(2, np.float32))


def lie(**changes: str) -> bytes:
    """An archive of one array of 8 bytes whose header says something else."""
    parts = {"descr": "'<f4'", "fortran_order": "False", "shape": "(2,)"} | changes
    return archive(("x.npy", npy("{" + "".join(f"'{k}': {v}, " for k, v in parts.items()) + "}\n", bytes(8))))


def patched(content: bytes, place: int, value: bytes, central: bool = True) -> bytes:
    """``content`` with bytes changed in the central (or the local) header of its first member."""
    start = (content.index(b"PK\1\2") if central else 0) + place
    return content[:start] + value + content[start + len(value):]


BOMB = np.zeros(80 << 20, np.uint8)
GOOD = archive(("x.npy", X))


def word(n: int) -> bytes:
    return struct.pack("<I", n)


ARCHIVES: dict[str, bytes] = {
    "nothing": b"", "a text": b"hello" * 100, "HTML": b"<!DOCTYPE html>" * 10, "npy, not npz": X, "half": GOOD[:60],
    "a name twice": archive(("x.npy", X), ("x.npy", X)), "leads up": archive(("../x.npy", X)), "leads up inside": archive(("a/../../x.npy", X)),
    "absolute": archive(("/x.npy", X)), "a drive": archive(("C:x.npy", X)), "backslash": archive(("..\\x.npy", X)),
    "a folder": archive(("x/", b"")), "an archive in the archive": archive(("x.npz", GOOD)), "a text inside": archive(("readme", b"x")),
    "bzip2": archive(("x.npy", X), method=zipfile.ZIP_BZIP2), "lzma": archive(("x.npy", X), method=zipfile.ZIP_LZMA),
    "encrypted": patched(GOOD, 8, b"\1\0"), "checksum": patched(GOOD, 16, b"abcd"), "a newer zip": patched(GOOD, 6, b"\xff\0"),
    "size lies high": patched(GOOD, 24, word(10 ** 6)),
    "size lies low": patched(GOOD, 24, word(10)), "packed size lies": patched(GOOD, 20, word(10 ** 6)),
    "place lies": patched(GOOD, 42, word(10 ** 6)), "other name in front": patched(GOOD, 30, b"y", central=False),
    "an end of zeros": GOOD[:-18] + bytes(18),
    "fewer members than announced": GOOD[:-12] + b"\2\0" + GOOD[-10:],
    "metadata no JSON": archive(("__metadata__.npy", as_npy(np.zeros(3, np.uint8)))),
    "metadata of numbers": archive(("__metadata__.npy", as_npy(np.frombuffer(b'{"a":1}', np.uint8)))),
}
MEMBERS: dict[str, bytes] = {
    "empty": b"", "no npy": b"\x93NUMPX" + X[6:], "cut in the header": X[:30], "cut": X[:-1], "too long": X + b"\0",
    "version 9": npy(HEADER, bytes(8), b"\x09\0"), "header length lies": X[:8] + b"\xff\xff" + X[10:],
    "header of 4 GB": b"\x93NUMPY\2\0\xff\xff\xff\xff",
    "header too long": npy(HEADER + " " * 10_001, bytes(8)), "one key less": npy("{'descr': '<f4', 'shape': (2,), }", bytes(8)),
    "no dict": npy("[]", bytes(8)),
    "bools that are none": npy(HEADER.replace("<f4", "|b1"), b"\1\2"),
}
LIES: dict[str, list[str]] = {
    "descr": ["'|O'", "'O8'", "[('a', '<f4')]", "('<f4', (2,))", "'<U2'", "'|V4'", "'<M8[s]'", "'<f3'", "'<f16'", "'<f'", "'<f999999999'",
              "'<f4', 'descr': '<f4'", "f4", "__import__('os')"],
    "fortran_order": ["1", "None"],
    "shape": ["(3,)", "(1,)", "(9999999999,)", "(4611686018427387905, 2)", "(0, 9223372036854775807, 9223372036854775807)",
              "(-2,)", "(-1, -2)", "(2.0,)", "(True, 2)", "2", "[2]", "(1*2,)", "(" + "1," * 65 + "2)",
              "(" + "9" * 5000 + ",)", "(" * 3000, "(), 'shape': (2,)"],
    "more": ["1"],
}
BAD: dict[str, Any] = ARCHIVES | {f"npy {name}": archive(("x.npy", content)) for name, content in MEMBERS.items()}
BAD |= {f"{key} {value[:20]}": lie(**{key: value}) for key, values in LIES.items() for value in values}
BAD |= {
    "a bomb": lambda: archive(("x.npy", as_npy(BOMB))),
    "many small bombs": lambda: archive(*((f"{i}.npy", as_npy(BOMB[: 10 << 20])) for i in range(8))),
    "a bomb that lies about its size": lambda: patched(archive(("x.npy", as_npy(BOMB))), 24, word(1000)),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused(tmp_path: Path, name: str) -> None:
    content = BAD[name] if isinstance(BAD[name], bytes) else BAD[name]()
    (tmp_path / "x.npz").write_bytes(content)
    with bounded_memory(len(content)), pytest.raises(FileFormatError, match="x.npz: ") as caught:
        load_npz(tmp_path / "x.npz")
    assert len(str(caught.value)) < 600 + len(str(tmp_path))
    assert os.listdir(tmp_path) == ["x.npz"]


def test_the_good_one_is_read(tmp_path: Path) -> None:
    assert load_bytes(lie(), tmp_path)["x"].tolist() == [0, 0]
    assert load_bytes(lie(shape="(2L,)"), tmp_path)["x"].shape == (2,)  # as Python 2 wrote it
    other = npy("{'shape': (2,), 'descr': '<f4', 'fortran_order': True}", bytes(8), b"\2\0")
    assert load_bytes(archive(("x.npy", other)), tmp_path)["x"].shape == (2,)


def headers_that_lie(folder: Path, rounds: int, seed: int) -> None:
    """Random shapes over 8 bytes are refused."""
    rng = np.random.default_rng(seed)
    for _ in range(rounds):
        shape = tuple(int(2 ** rng.uniform(0, 62)) for _ in range(rng.integers(1, 5)))
        if np.prod(shape, dtype=object) != 2:
            with pytest.raises(FileFormatError):
                load_bytes(lie(shape=f"{shape}"), folder)


def test_headers_that_lie_are_refused(tmp_path: Path) -> None:
    headers_that_lie(tmp_path, 200, 0)


def test_a_list_of_many_members_does_not_fill_the_memory(tmp_path: Path) -> None:
    member = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"x"
    n = 60_000
    content = member * n + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, n, n, len(member) * n, 0, 0)
    (tmp_path / "x.npz").write_bytes(content)
    with bounded_memory(len(content)), pytest.raises(FileFormatError, match="memory"):
        load_npz(tmp_path / "x.npz")


def test_what_shrinks_a_lot_can_be_saved_compressed_and_loaded(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "a", {"m": np.zeros(9 << 20, np.float64), "W": np.ones(3)}, compressed=True)
    assert load_npz(path)[0]["m"].shape == (9 << 20,)


def test_a_bomb_that_is_trusted_is_read(tmp_path: Path) -> None:
    content = archive(("x.npy", as_npy(BOMB)))
    with pytest.raises(FileFormatError, match="max_bytes="):
        load_bytes(content, tmp_path)
    assert load_bytes(content, tmp_path, max_bytes=1 << 30)["x"].size == BOMB.size


def test_every_flipped_bit_is_detected_or_harmless(tmp_path: Path) -> None:
    arrays = {"l0/W": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(4)}
    content = save_npz(tmp_path / "a", arrays).read_bytes()
    rng = np.random.default_rng(1)
    for place in rng.choice(len(content) * 8, 200, replace=False):
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << place % 8
        try:
            assert same(load_bytes(bytes(damaged), tmp_path), arrays), f"bit {place}"  # a date, say
        except FileFormatError:
            pass
