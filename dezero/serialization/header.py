"""The header of a safetensors file: what it may say, and the rules that it must keep.

The format (https://huggingface.co/docs/safetensors, "Format"): the length of the header in 8 bytes, little-endian; the header, JSON in
UTF-8, which gives dtype, shape and place of each tensor and may hold text under "__metadata__"; the numbers, little-endian, in C order,
without gaps.
"""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from dezero.errors import FileFormatError

DTYPES = {
    "BOOL": "|b1", "U8": "|u1", "I8": "|i1", "I16": "<i2", "U16": "<u2", "F16": "<f2", "I32": "<i4", "U32": "<u4", "F32": "<f4",
    "I64": "<i8", "U64": "<u8", "F64": "<f8", "C64": "<c8",
    "BF16": "<u2",  # NumPy has none: the upper half of a float32
}
MAX_HEADER = 100_000_000  # bytes, by the format
MAX_NDIM = 64  # as in NumPy
SPARE = 16 << 20  # what reading may cost in bytes beside twice the size of the file
METADATA = "__metadata__"
STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+\\?(?:"|\Z)', re.DOTALL)  # of JSON; an open one reaches to the end


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a file: what the header says of it."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the numbers: the tensors in the order of their places, the text, and where the numbers begin."""

    tensors: list[Tensor]
    metadata: dict[str, str]
    begin: int


def read_header(file: io.BufferedReader, size: int) -> Header:
    """Read and check the header of an open file of ``size`` bytes.

    Raises:
        FileFormatError: it breaks a rule of the format.
    """
    if size < 8:
        raise FileFormatError(f"cut off: {size} bytes cannot hold a header")
    length = int.from_bytes(_exactly(file, 8), "little")
    if length > min(MAX_HEADER, size - 8):
        raise FileFormatError(f"the header should have {length:,} bytes, of at most {min(MAX_HEADER, size - 8):,}: cut off, or no safetensors file")
    raw = _exactly(file, length)
    if not raw.startswith(b"{"):
        raise FileFormatError("the header does not begin with '{': damaged, or no safetensors file")
    if not affordable(raw, 2 * size + SPARE):
        raise FileFormatError("the header would cost far more memory than the file has bytes")
    text = decode(raw)
    del raw
    content = parse_json(text)
    metadata = content.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise FileFormatError(f"{METADATA} must hold strings only")
    tensors = sorted((_tensor(name, entry) for name, entry in content.items()), key=lambda t: (t.start, t.end))
    place = 0
    for t in tensors:
        if t.start != place:
            raise FileFormatError(f"{shorten(t.name)} begins at byte {t.start:,} of the numbers, where {place:,} is expected: a gap or an overlap")
        place = t.end
    if place != size - 8 - length:
        raise FileFormatError(f"{place:,} bytes of numbers are announced and {size - 8 - length:,} are there: cut off, or too long")
    return Header(tensors, metadata, 8 + length)


def decode(raw: bytes) -> str:
    """UTF-8 as text.

    Raises:
        FileFormatError: it is no UTF-8.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"no UTF-8: {error.reason} at byte {error.start:,}") from None


def parse_json(text: str) -> dict[str, Any]:
    """A JSON object with integers from 0 to 10^19 as its only numbers and no name twice.

    Raises:
        FileFormatError: it is none.
    """
    try:
        content = json.loads(text, object_pairs_hook=_unique, parse_int=_natural, parse_float=_no_number, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"no valid JSON: {shorten(str(error))}") from None
    if not isinstance(content, dict):
        raise FileFormatError("the JSON is no object")
    return content


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name stands there twice")
    for key, value in pairs:
        check_text(key)
        if isinstance(value, str):
            check_text(value)
    return result


def check_text(text: str) -> None:
    """Refuse halves of characters, which JSON can express and UTF-8 cannot.

    Raises:
        UnicodeEncodeError: there is one.
    """
    if not text.isascii():
        text.encode()


def _natural(digits: str) -> int:
    if digits.startswith("-") or len(digits) > 19:
        raise ValueError(f"the number {digits[:30]} is negative or too large")
    return int(digits)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text[:30]} is no whole number")


def _tensor(name: str, entry: Any) -> Tensor:
    """The entry of one tensor, checked by itself."""
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise FileFormatError(f"{shorten(name)}: dtype, shape and data_offsets are expected, and nothing else")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise FileFormatError(f"{shorten(name)}: dtype {shorten(str(dtype))} is unknown: {', '.join(DTYPES)} can be read")
    if not _naturals(shape) or not _naturals(offsets) or len(offsets) != 2:
        raise FileFormatError(f"{shorten(name)}: shape and data_offsets must be lists of whole numbers, the latter of two")
    if len(shape) > MAX_NDIM:
        raise FileFormatError(f"{shorten(name)}: {len(shape)} axes; {MAX_NDIM} are allowed")
    nbytes, bound = np.dtype(DTYPES[dtype]).itemsize, 1
    for n in shape:
        nbytes, bound = nbytes * n, bound * max(n, 1)
    if bound >= 1 << 59 or offsets[1] - offsets[0] != nbytes:
        what = f"{dtype} of shape {shorten(str(tuple(shape)))}"
        raise FileFormatError(f"{shorten(name)}: {what} has not the {offsets[1] - offsets[0]:,} bytes that data_offsets say")
    return Tensor(name, dtype, tuple(shape), *offsets)


def _naturals(x: Any) -> bool:
    return isinstance(x, list) and all(type(n) is int for n in x)


def affordable(text: bytes, limit: int) -> bool:
    """Does parsing this JSON surely cost at most ``limit`` bytes, for the text as characters and the objects that it makes?"""
    signs = 40 * _signs(text) + 16 * text.count(b'"')
    if 9 * len(text) + signs <= limit:
        return True
    return _cost(text, signs) <= limit


def _cost(text: bytes, objects: int) -> int:
    """An upper bound closer than the first: signs inside strings make no objects, and only strings with other characters grow."""
    for match in STRING.finditer(text):
        string = match[0]
        objects -= 40 * _signs(string)
        objects += len(string) * (1 if string.isascii() and b"\\u" not in string else 5)
    return len(text) * (1 if text.isascii() else 4) + max(len(text), objects)


def _signs(text: bytes) -> int:
    return sum(map(text.count, (b",", b":", b"[", b"{")))


def _exactly(file: io.BufferedReader, n: int) -> bytes:
    raw = file.read(n)
    if len(raw) != n:
        raise FileFormatError("cut off")
    return raw


def shorten(text: str) -> str:
    """``text`` from a file, fit for a message."""
    return ascii(text)[1:-1] if len(text) <= 80 else ascii(text[:77])[1:-1] + "..."
