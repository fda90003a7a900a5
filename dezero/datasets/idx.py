"""Arrays in IDX files, the format of MNIST."""

from __future__ import annotations

import hashlib
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from dezero.datasets.unpack import capacity, is_packed, read_exactly, unpacked
from dezero.errors import FileFormatError

DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_DIMS = 8


def read_idx(path: str | os.PathLike[str], *, sha256: str | None = None, shape: tuple[int | None, ...] | None = None, dtype: Any = None,
             limit: int = 1 << 32) -> Any:
    """Read an IDX file, packed by gzip or not.

    The format (LeCun, Cortes and Burges, "The MNIST database", 1998): two zero bytes, the code of a dtype, the number of axes,
    their sizes as 32-bit big-endian numbers, the values.

    Args:
        path: the file.
        sha256: the hash that the unpacked bytes must have, in hex.
        shape: the shape that it must have, None for axes of any size.
        dtype: the dtype that it must have.
        limit: the values may take so many bytes.

    Returns:
        A new array, in the machine's byte order.

    Raises:
        FileFormatError: the file is something else, damaged, cut off, or longer than its header says. Nothing is allocated
            for a size that the file cannot hold.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "x").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
        ...     read_idx(folder + "/x")
        array([7, 8, 9], dtype=uint8)
    """
    path = Path(path)
    with unpacked(path) as stream:
        head = read_exactly(stream, 4, path)
        if head[0] or head[1] or head[2] not in DTYPES or not 1 <= head[3] <= MAX_DIMS:
            raise FileFormatError(f"{path}: is no IDX file: it begins with {bytes(head).hex(' ')}")
        sizes = read_exactly(stream, 4 * head[3], path)
        dims = tuple(np.frombuffer(sizes, ">u4").tolist())
        kind = np.dtype(DTYPES[head[2]])
        n = math.prod(dims) * kind.itemsize
        _check(path, dims, kind, n, shape, dtype, limit)
        data = read_exactly(stream, n, path)
        if stream.read(1):
            raise FileFormatError(f"{path}: has more bytes than the {n} that its header tells of")
    if sha256 is not None:
        digest = hashlib.sha256(head + sizes)
        digest.update(data)
        if digest.hexdigest() != sha256:
            raise FileFormatError(f"{path}: another SHA-256 than expected")
    array = np.frombuffer(data, kind).reshape(dims)
    return array.astype(kind.newbyteorder("="), copy=False)


def _check(path: Path, dims: tuple[int, ...], kind: np.dtype[Any], n: int, shape: tuple[int | None, ...] | None, dtype: Any, limit: int) -> None:
    """Refuse a header that is not the expected one, or that tells of more than the file can hold."""
    if shape is not None and (len(shape) != len(dims) or any(s is not None and s != d for s, d in zip(shape, dims, strict=True))):
        raise FileFormatError(f"{path}: has shape {dims}: {shape} is expected")
    if dtype is not None and kind.newbyteorder("=") != np.dtype(dtype):
        raise FileFormatError(f"{path}: has dtype {kind.name}: {np.dtype(dtype).name} is expected")
    if n > limit:
        raise FileFormatError(f"{path}: tells of {n} bytes of data: at most {limit} are expected")
    size = 4 + 4 * len(dims) + n
    if size > capacity(path) or not is_packed(path) and size != path.stat().st_size:
        raise FileFormatError(f"{path}: tells of {size} bytes in all, but has {path.stat().st_size}")


__all__ = ["read_idx"]
