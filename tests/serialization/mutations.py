"""Damage to files: what disks, networks and enemies do to bytes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from dezero.errors import FileFormatError

NUMBERS = [b"0", b"-1", b"1e999", b"NaN", b"-0", b"1.0", b"18446744073709551615", b"9223372036854775808", b"9" * 400, b"null", b"true",
           b'""', b"[]", b"{}"]


def flip(content: bytearray, rng: np.random.Generator) -> bytearray:
    for place in rng.integers(0, len(content) * 8, rng.integers(1, 4)):
        content[place // 8] ^= 1 << int(place) % 8
    return content


def gentle(content: bytearray, rng: np.random.Generator) -> bytearray:
    """Another letter or digit for one of the header, so that it still is JSON; or another byte among the numbers."""
    end = 8 + int.from_bytes(content[:8], "little") % len(content)
    letters = [i for i in range(8, min(end, len(content))) if bytes(content[i:i + 1]).isalnum()]
    if not letters or (end < len(content) and rng.random() < 0.5):
        place = int(rng.integers(min(end, len(content) - 1), len(content)))
    else:
        place = int(rng.choice(letters))
    content[place] = ord(str(rng.integers(0, 10))) if content[place:place + 1].isdigit() else content[place] ^ 1 << int(rng.integers(0, 3))
    return content


def cut(content: bytearray, rng: np.random.Generator) -> bytearray:
    return content[: rng.integers(0, len(content))]


def erase(content: bytearray, rng: np.random.Generator) -> bytearray:
    a, b = sorted(rng.integers(0, len(content), 2))
    return content[:a] + bytes(int(b - a) + 1) + content[b + 1:] if any(content[a:b + 1]) else cut(content, rng)


def remove(content: bytearray, rng: np.random.Generator) -> bytearray:
    a = int(rng.integers(0, len(content)))
    return content[:a] + content[a + int(rng.integers(1, 20)):]


def insert(content: bytearray, rng: np.random.Generator) -> bytearray:
    a = int(rng.integers(0, len(content)))
    return content[:a] + rng.bytes(int(rng.integers(1, 20))) + content[a:]


def append(content: bytearray, rng: np.random.Generator) -> bytearray:
    return content + rng.bytes(int(rng.integers(1, 100)))


def length(content: bytearray, rng: np.random.Generator) -> bytearray:
    """Another length of the header."""
    new = int(2 ** rng.uniform(0, 64)) if rng.random() < 0.5 else int.from_bytes(content[:8], "little") + int(rng.choice([-8, -1, 1, 8]))
    return bytearray(new.to_bytes(8, "little", signed=False)) + content[8:]


def number(content: bytearray, rng: np.random.Generator) -> bytearray:
    """Another value in place of a number of the header; the length of the header is kept right."""
    size = int.from_bytes(content[:8], "little")
    header = bytes(content[8:8 + size])
    places = [i for i in range(1, len(header)) if header[i:i + 1].isdigit() and header[i - 1:i] in b"[,:"]
    if not places:
        return cut(content, rng)
    a = b = int(rng.choice(places))
    while header[b:b + 1].isdigit():
        b += 1
    new = NUMBERS[rng.integers(len(NUMBERS))]
    if new == header[a:b]:
        new = b"-1"
    header = header[:a] + new + header[b:]
    return bytearray(len(header).to_bytes(8, "little") + header) + content[8 + size:]


def repeat(content: bytearray, rng: np.random.Generator) -> bytearray:
    """A piece of the header a second time, so that names stand there twice."""
    size = int.from_bytes(content[:8], "little")
    header = bytes(content[8:8 + size])
    a, b = sorted(int(i) for i in rng.integers(0, len(header) + 1, 2))
    header = header[:b] + header[a:b + 1] + header[b:]
    return bytearray(len(header).to_bytes(8, "little") + header) + content[8 + size:]


def other(content: bytearray, rng: np.random.Generator) -> bytearray:
    """Another kind of file, or the header in another encoding."""
    size = int.from_bytes(content[:8], "little")
    header = bytes(content[8:8 + size])
    kinds = [b"", b"PK\3\4" + bytes(content), b"\x89PNG" + bytes(content), header, bytes(content[8:]), b"<html>" * 9]
    for new in (header.decode("latin1").encode("utf-16"), b"\xef\xbb\xbf" + header, b"[" * 50_000, b'{"a":' * 50_000, b" " + header):
        kinds.append(len(new).to_bytes(8, "little") + new + bytes(content[8 + size:]))
    return bytearray(kinds[rng.integers(len(kinds))])


COMMON = [flip, gentle, cut, erase, remove, insert, append]
OF_SAFETENSORS = [*COMMON, length, number, repeat, other]


def damage(content: bytes, rng: np.random.Generator, kinds: list[Callable[..., bytearray]] = OF_SAFETENSORS) -> bytes:
    """``content``, damaged in a random way: never the same bytes."""
    while True:
        new = bytes(kinds[rng.integers(len(kinds))](bytearray(content), rng))
        if new != content:
            return new


def survives(load: Callable[[Path], Any], path: Path, content: bytes) -> Any:
    """What ``load`` makes of the bytes: a result, or None if it refuses them, in bounded time; anything else is an error."""
    path.write_bytes(content)
    start = time.process_time()
    try:
        result = load(path)
    except FileFormatError:
        result = None
    assert time.process_time() - start < 1 + len(content) / 1e6, "reading took too long"
    return result
