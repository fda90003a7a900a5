"""Safetensors: what goes in comes out, other programs agree, and nothing but arrays or FileFormatError comes out of a stranger's file."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dezero import Variable
from dezero.backend import register_module, unregister_module
from dezero.errors import DTypeError, FileFormatError
from dezero.serialization import load_safetensors, save_safetensors
from tests import strict
from tests.serialization.samples import DTYPES, SPARE, bounded_memory, entry, of_all_kinds, raw, same

TWO = np.array([1.0, 2.0], np.float32).tobytes()


def load_bytes(content: bytes, folder: Path, verify: bool = True) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    path = folder / "x.safetensors"
    path.write_bytes(content)
    return load_safetensors(path, verify)


def test_arrays_of_all_kinds_come_back(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_safetensors(path, of_all_kinds(), {"note": "für später", "empty": ""})
    for verify in (True, False):
        arrays, metadata = load_safetensors(path, verify)
        assert same(arrays, of_all_kinds())
        assert metadata == {"note": "für später", "empty": ""}


def test_nothing_comes_back_as_nothing(tmp_path: Path) -> None:
    save_safetensors(tmp_path / "a", {})
    assert load_safetensors(tmp_path / "a") == ({}, {})
    assert load_bytes(raw({}), tmp_path) == ({}, {})


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=12).filter(lambda s: s != "__metadata__"),
                       hnp.arrays(st.sampled_from([np.dtype(d).newbyteorder(o) for d in DTYPES for o in "<>"]),
                                  hnp.array_shapes(min_dims=0, min_side=0, max_side=4)), max_size=4),
       st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3))
def test_any_arrays_and_names_come_back(arrays: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.safetensors")
        save_safetensors(path, arrays, metadata)
        found, text = load_safetensors(path)
        assert same(found, arrays)
        assert text == metadata
        assert same(dict(safetensors.numpy.load_file(path)), {k: v.astype(v.dtype.newbyteorder("=")) for k, v in arrays.items()})


@pytest.mark.parametrize("name", ["", "a/b.c", "../../etc/passwd", "/abs", "C:\\x", "a\0b", "a\nb", '"', "\\", "名前", "\U0001f600",
                                  "x" * 10_000, "\u202e", "file", "<script>", "'; rm -rf"])
def test_any_string_is_a_name(tmp_path: Path, name: str) -> None:
    save_safetensors(tmp_path / "a", {name: np.ones(2)}, {name: name})
    arrays, metadata = load_safetensors(tmp_path / "a")
    assert list(arrays) == [name] and metadata == {name: name}
    assert os.listdir(tmp_path) == ["a"]
    assert list(safetensors.numpy.load_file(tmp_path / "a")) == [name]


def test_files_of_the_safetensors_package_can_be_read(tmp_path: Path) -> None:
    arrays = {name: np.ascontiguousarray(x.astype(x.dtype.newbyteorder("="))).reshape(x.shape) for name, x in of_all_kinds().items()}
    safetensors.numpy.save_file(arrays, tmp_path / "a.safetensors", {"format": "np"})
    found, metadata = load_safetensors(tmp_path / "a.safetensors")
    assert same(found, arrays)
    assert metadata == {"format": "np"}


def test_the_safetensors_package_reads_our_files(tmp_path: Path) -> None:
    save_safetensors(tmp_path / "a.safetensors", of_all_kinds(), {"epoch": "3"})
    found = safetensors.numpy.load_file(tmp_path / "a.safetensors")
    assert same(found, of_all_kinds())
    with safetensors.safe_open(tmp_path / "a.safetensors", "np") as file:
        assert file.metadata()["epoch"] == "3"


def test_bfloat16_is_read_as_float32(tmp_path: Path) -> None:
    bits = np.array([0x3F80, 0xC040, 0x7F80, 0x7FC0, 0x0001], "<u2")
    x = load_bytes(raw({"x": entry("BF16", [5], 0, 10)}, bits.tobytes()), tmp_path)[0]["x"]
    assert x.dtype == np.float32
    np.testing.assert_array_equal(x, np.array([1.0, -3.0, np.inf, np.nan, 2.0 ** -133], np.float32))


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    arrays = of_all_kinds()
    save_safetensors(tmp_path / "a", arrays, {"x": "1", "y": "2"})
    save_safetensors(tmp_path / "b", dict(reversed(arrays.items())), {"y": "2", "x": "1"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_variables_numbers_and_device_arrays_are_saved(tmp_path: Path) -> None:
    register_module(strict.StrictArray, strict.xp)
    try:
        device = strict.to_strict(np.arange(6.0).reshape(2, 3).T)
        save_safetensors(tmp_path / "a", {"v": Variable(np.ones(2)), "g": device, "vg": Variable(device), "s": np.float32(2), "n": 3})
    finally:
        unregister_module(strict.StrictArray)
    arrays, _ = load_safetensors(tmp_path / "a")
    np.testing.assert_array_equal(arrays["g"], np.arange(6.0).reshape(2, 3).T)
    np.testing.assert_array_equal(arrays["vg"], arrays["g"])
    assert arrays["v"].tolist() == [1, 1] and arrays["s"].dtype == np.float32 and arrays["n"] == 3


@pytest.mark.parametrize(("arrays", "metadata", "error", "words"), [
    ({"W": None}, None, DTypeError, "'W' has no value yet"),
    ({"W": np.array([None])}, None, DTypeError, "can be saved"),
    ({"W": np.array(["a"])}, None, DTypeError, "can be saved"),
    ({"W": np.zeros(2, [("a", "f4")])}, None, DTypeError, "can be saved"),
    ({"W": np.zeros(2, np.complex128)}, None, DTypeError, "npz"),
    ({1: np.zeros(2)}, None, TypeError, "strings"),
    ({"__metadata__": np.zeros(2)}, None, ValueError, "another name"),
    ({"\ud800": np.zeros(2)}, None, ValueError, "UTF-8"),
    ({}, {"a": 1}, TypeError, "json.dumps"),
    ({}, {"dezero.sha256": ""}, ValueError, "another key"),
    ({f"{i}": np.zeros(1, np.int8) for i in range(40_000)}, None, ValueError, "fewer, larger arrays"),
])
def test_what_cannot_be_saved_is_refused_and_the_file_not_touched(
    tmp_path: Path, arrays: Any, metadata: Any, error: type[Exception], words: str,
) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(error, match=words):
        save_safetensors(tmp_path / "a", arrays, metadata)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


GOOD = {"x": entry()}


def with_digests(text: str) -> bytes:
    return raw({"__metadata__": {"dezero.version": "1", "dezero.sha256": text}} | GOOD, TWO)


HUGE = 10 ** 30
BAD: dict[str, bytes] = {
    "nothing": b"",
    "7 bytes": b"\0" * 7,
    "no header": b"\0" * 8,
    "a length beyond the end": (10 ** 6).to_bytes(8, "little") + b"{}",
    "the largest length": b"\xff" * 8 + b"{}",
    "more than 100 MB": (100_000_001).to_bytes(8, "little") + b"{}",
    "a PNG": b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
    "a zip archive": b"PK\3\4" + b"\0" * 100,
    "HTML": b"<!DOCTYPE html><html><body>403 Forbidden</body></html>",
    "numbers cut off": raw(GOOD, TWO[:-1]),
    "numbers too long": raw(GOOD, TWO + b"\0"),
    "leading space": raw(b" " + json.dumps(GOOD).encode(), TWO),
    "trailing comma": raw(json.dumps(GOOD).encode()[:-1] + b",}", TWO),
    "two objects": raw(json.dumps(GOOD).encode() * 2, TWO),
    "a list": raw([]),
    "NUL in the padding": raw(json.dumps(GOOD).encode() + b"\0", TWO),
    "UTF-16": raw(json.dumps(GOOD).encode("utf-16-le"), TWO),
    "UTF-16 with mark": raw(json.dumps(GOOD).encode("utf-16"), TWO),
    "UTF-8 with mark": raw(json.dumps(GOOD).encode("utf-8-sig"), TWO),
    "broken UTF-8": raw(b'{"\xff":' + json.dumps(entry()).encode() + b"}", TWO),
    "half a character": raw(b'{"\\ud800":' + json.dumps(entry()).encode() + b"}", TWO),
    "half a character in the metadata": raw(b'{"__metadata__":{"a":"\\udfff"}}'),
    "a name twice": raw(b'{"x":%b,"x":%b}' % ((json.dumps(entry()).encode(),) * 2), TWO),
    "a field twice": raw(b'{"x":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', TWO),
    "metadata twice": raw(b'{"__metadata__":{},"__metadata__":{}}'),
    "metadata of numbers": raw({"__metadata__": {"a": 1}}),
    "metadata in a list": raw({"__metadata__": []}),
    "deep": raw(b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "deep objects": raw(b'{"x":' * 50_000 + b"1" + b"}" * 50_000),
    "an open string": raw(b'{"' + b"a" * 1000),
    "no entry": raw({"x": 1}),
    "a field more": raw({"x": entry() | {"more": 1}}, TWO),
    "a field less": raw({"x": {"dtype": "F32", "shape": [2]}}, TWO),
    "an unknown dtype": raw({"x": entry("F31")}, TWO),
    "an 8-bit float": raw({"x": entry("F8_E4M3", [8])}, TWO),
    "dtype a list": raw({"x": entry(["F32"])}, TWO),
    "dtype an object": raw({"x": entry({})}, TWO),
    "shape a number": raw({"x": entry(shape=2)}, TWO),
    "shape with a float": raw({"x": entry(shape=[2.0])}, TWO),
    "shape with a bool": raw({"x": entry("U8", [8, True])}, TWO),
    "shape with null": raw({"x": entry(shape=[None])}, TWO),
    "shape with a string": raw({"x": entry(shape=["2"])}, TWO),
    "shape negative": raw({"x": entry(shape=[-2])}, TWO),
    "shapes whose signs cancel": raw({"x": entry(shape=[-1, -2])}, TWO),
    "minus zero": raw({"x": entry("U8", [0], -0.0, 0)}),
    "shape huge": raw({"x": entry(shape=[HUGE])}, TWO),
    "shape that overflows to the right size": raw({"x": entry(shape=[2 ** 62 + 1, 2])}, TWO),
    "a product that overflows to zero": raw({"x": entry("U8", [2 ** 32, 2 ** 32], 0, 0)}),
    "zero times huge": raw({"x": entry("U8", [0, 2 ** 62, 2 ** 62], 0, 0)}),
    "many axes": raw({"x": entry(shape=[1] * 100 + [2])}, TWO),
    "shape too small": raw({"x": entry(shape=[1])}, TWO),
    "shape too large": raw({"x": entry(shape=[10 ** 9])}, TWO),
    "offsets of one": raw({"x": {"dtype": "F32", "shape": [2], "data_offsets": [0]}}, TWO),
    "offsets of three": raw({"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8, 8]}}, TWO),
    "offsets backwards": raw({"x": entry(start=8, end=0)}, TWO),
    "offsets negative": raw({"x": entry(start=-8, end=0)}, TWO),
    "offsets with a fraction": raw({"x": entry(start=0.0, end=8.0)}, TWO),
    "offsets huge": raw({"x": entry(start=HUGE, end=HUGE + 8)}, TWO),
    "NaN": raw(b'{"x":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}}', TWO),
    "Infinity": raw(b'{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,Infinity]}}', TWO),
    "1e999": raw(b'{"x":{"dtype":"F32","shape":[1e999],"data_offsets":[0,8]}}', TWO),
    "2e0": raw(b'{"x":{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}}', TWO),
    "a number of 10,000 digits": raw(b'{"x":{"dtype":"F32","shape":[' + b"9" * 10_000 + b'],"data_offsets":[0,8]}}', TWO),
    "a gap": raw({"x": entry(), "y": entry(start=12, end=20)}, bytes(20)),
    "a gap at the beginning": raw({"x": entry(start=4, end=12)}, bytes(12)),
    "an overlap": raw({"x": entry(), "y": entry(start=4, end=12)}, bytes(12)),
    "one place for two": raw({"x": entry(), "y": entry()}, TWO),
    "bytes that nobody owns": raw({"__metadata__": {}}, TWO),
    "bools that are none": raw({"x": entry("BOOL", [2], 0, 2)}, b"\1\2"),
    "digests that are no JSON": with_digests("x"),
    "digests in a list": with_digests("[]"),
    "digests that are absent": raw({"__metadata__": {"dezero.version": "1"}}),
    "digests of other tensors": with_digests('{"header":"","tensors":{"y":""}}'),
    "digests that are deep": with_digests('{"header":' + "[" * 9999),
    "something of a later version": raw({"__metadata__": {"dezero.version": "1", "dezero.sha256": "", "dezero.more": ""}}),
    "digests that are lists": with_digests('{"header":"","tensors":{"x":[[]]}}'),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileFormatError, match="x.safetensors: ") as caught:
        load_bytes(BAD[name], tmp_path)
    assert len(str(caught.value)) < 600 + len(str(tmp_path))


def test_the_good_one_is_read(tmp_path: Path) -> None:
    assert load_bytes(raw(GOOD, TWO), tmp_path)[0]["x"].tolist() == [1, 2]


@pytest.mark.parametrize("header", [
    b'{"a":' + b"[]," * 400_000 + b"[]}", b'{"a":[' + b'"ab",' * 260_000 + b'"ab"]}', b'{"a":[' + b"1234567," * 500_000 + b"1]}",
    b'{"__metadata__":{"' + b"\\u0041" * 300_000 + b'\\ud83d\\ude00":""}}', b'{"a":"' + "é".encode() * 2_000_000 + "\U0001f600".encode() + b'"}',
    b"{" + b",".join(b'"%d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}' % i for i in range(12_000)) + b"}",
])
def test_a_hostile_header_does_not_fill_the_memory(tmp_path: Path, header: bytes) -> None:
    content = raw(header)
    (tmp_path / "x").write_bytes(content)
    with bounded_memory(len(content)), contextlib.suppress(FileFormatError):
        load_safetensors(tmp_path / "x")


def test_reading_takes_little_more_than_the_arrays(tmp_path: Path) -> None:
    save_safetensors(tmp_path / "x", {"a": np.ones((1500, 1500)), "b": np.ones((1500, 1500), np.float32)})
    size = (tmp_path / "x").stat().st_size
    with bounded_memory((11 * size // 10 - SPARE) // 2):  # a tenth more than the arrays
        load_safetensors(tmp_path / "x")


def test_verify_false_skips_the_digests(tmp_path: Path) -> None:
    save_safetensors(tmp_path / "x", {"a": np.ones(4)})
    content = bytearray((tmp_path / "x").read_bytes())
    content[-1] ^= 1
    with pytest.raises(FileFormatError, match="SHA-256"):
        load_bytes(bytes(content), tmp_path)
    assert load_bytes(bytes(content), tmp_path, verify=False)[0]["a"].shape == (4,)


def test_a_missing_file_is_no_damaged_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_safetensors(tmp_path / "none")
