"""Bytes changed as bad disks, cut downloads and ill will change them."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dezero.datasets import read_idx
from dezero.errors import FileFormatError

SHAPE = (5, 3, 4)
IDX = struct.pack(">HBBIII", 0, 8, 3, *SHAPE) + bytes(range(60))
TELLING = [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\0", b"\x1f\x8b", b"\x50\x4b\x03\x04"]


def mutants(data: bytes, n: int, seed: int) -> Iterator[bytes]:
    """``n`` changed versions of ``data``: bits flipped, bytes replaced, cut out, put in, doubled, the end cut off, telling values."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        b = bytearray(data)
        for _ in range(int(rng.integers(1, 4))):
            at = int(rng.integers(0, max(1, min(len(b), 24 if rng.random() < 0.5 else len(b)))))
            kind = int(rng.integers(0, 7))
            if kind == 0 and b:
                b[at] ^= 1 << int(rng.integers(0, 8))
            elif kind == 1 and b:
                b[at] = int(rng.integers(0, 256))
            elif kind == 2:
                del b[at:]
            elif kind == 3:
                del b[at:at + int(rng.integers(1, 9))]
            elif kind == 4:
                b[at:at] = rng.bytes(int(rng.integers(1, 9)))
            elif kind == 5:
                b += b[at:]
            else:
                value = TELLING[int(rng.integers(0, len(TELLING)))]
                b[at:at + len(value)] = value
        yield bytes(b)


def try_idx(folder: Path, n: int, seed: int) -> tuple[int, int]:
    """Read mutants of a plain and of a packed file; how many were read and how many refused. Any other error goes through."""
    path = folder / "x"
    read = refused = 0
    packed = gzip.compress(IDX, mtime=0)
    repacked = (gzip.compress(m, 1, mtime=0) for m in mutants(IDX, n, seed + 2))
    for data in (*mutants(IDX, n, seed), *mutants(packed, n, seed + 1), *repacked):
        path.write_bytes(data)
        try:
            array = read_idx(path, shape=SHAPE, dtype="uint8")
            assert array.shape == SHAPE
            read += 1
        except FileFormatError:
            refused += 1
        try:
            read_idx(path, limit=1 << 20)
        except FileFormatError:
            pass
    return read, refused
