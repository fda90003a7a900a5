"""Bytes out of gzip and tar files, never more than expected, and nothing written to disk."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from dezero.errors import FileFormatError

BEST_RATIO = 1032  # deflate makes no file smaller than this share of it
BLOCK = 512  # tar's
CHUNK = 1 << 20


@contextmanager
def unpacked(path: Path) -> Iterator[BinaryIO]:
    """A file as a stream, unpacked if its first bytes are gzip's.

    Raises:
        FileFormatError: the packed bytes are damaged or end too soon.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "x.gz").write_bytes(gzip.compress(b"abc"))
        ...     with unpacked(Path(folder, "x.gz")) as stream:
        ...         stream.read()
        b'abc'
    """
    try:
        if is_packed(path):
            with gzip.open(path, "rb") as stream:
                yield cast(BinaryIO, stream)
        else:
            with path.open("rb") as file:
                yield file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileFormatError(f"{path}: damaged gzip data: {error}") from error


def is_packed(path: Path) -> bool:
    """Does the file begin as gzip's do?"""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def capacity(path: Path) -> int:
    """The most bytes that a file can hold, unpacked."""
    size = path.stat().st_size
    return BEST_RATIO * size if is_packed(path) else size


def read_exactly(stream: BinaryIO, n: int, path: Path) -> bytearray:
    """The next ``n`` bytes.

    Raises:
        FileFormatError: there are fewer.

    Examples:
        >>> import io
        >>> read_exactly(io.BytesIO(b"abcd"), 3, Path("x"))
        bytearray(b'abc')
    """
    data = bytearray(n)
    view = memoryview(data)
    done = 0
    while done < n:
        got = stream.readinto(view[done:done + CHUNK])  # type: ignore[attr-defined]
        if not got:
            raise FileFormatError(f"{path}: ends after {done} of {n} bytes")
        done += got
    return data


def tar_members(path: Path, wanted: Mapping[str, int], limit: int) -> Iterator[tuple[str, bytearray]]:
    """Read expected files out of a tar file, in the order in which they lie there; all else in it is skipped.

    Args:
        path: a tar file, packed by gzip or not.
        wanted: the names of regular files and the size of each.
        limit: no more than so many unpacked bytes are looked through.

    Yields:
        Name and bytes.

    Raises:
        FileFormatError: the file is damaged or too large, or an expected file is not in it, is a link, has another size or comes twice.

    Examples:
        >>> import io, tarfile, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with tarfile.open(folder + "/x.tar", "w") as tar:
        ...         info = tarfile.TarInfo("a/b.bin"); info.size = 3
        ...         tar.addfile(info, io.BytesIO(b"abc"))
        ...     list(tar_members(Path(folder, "x.tar"), {"a/b.bin": 3}, 20000))
        [('a/b.bin', bytearray(b'abc'))]
    """
    left = dict(wanted)
    position = 0
    with unpacked(path) as stream:
        while left:
            header = bytes(stream.read(BLOCK))
            if len(header) < BLOCK or not any(header):
                raise FileFormatError(f"{path}: has no {next(iter(left))}")
            name, size, regular = _header(header, path)
            padded = -(-size // BLOCK) * BLOCK
            position += BLOCK + padded
            if position > limit:
                raise FileFormatError(f"{path}: holds more than the {limit} bytes expected")
            if name not in wanted:
                _skip(stream, padded, path)
                continue
            if name not in left or not regular or size != wanted[name]:
                found = "twice" if name not in left else f"with {size} bytes" if regular else "as a link or a folder"
                raise FileFormatError(f"{path}: has {name} {found}: one file of {wanted[name]} bytes is expected")
            yield name, read_exactly(stream, size, path)
            _skip(stream, padded - size, path)
            del left[name]


def _skip(stream: BinaryIO, n: int, path: Path) -> None:
    while n:
        got = len(stream.read(min(n, CHUNK)))
        if not got:
            raise FileFormatError(f"{path}: ends within a file")
        n -= got


def _header(header: bytes, path: Path) -> tuple[str, int, bool]:
    """Name, size, and whether it is a regular file: the fields of POSIX.1-1988's header (IEEE Std 1003.1, ustar)."""
    checksum = sum(header) - sum(header[148:156]) + 8 * 32  # its own field counts as blanks
    if _octal(header[148:156]) != checksum:
        raise FileFormatError(f"{path}: is no tar file, or damaged")
    name, prefix = (header[a:b].split(b"\0")[0] for a, b in ((0, 100), (345, 500)))
    if header[257:263] == b"ustar\0" and prefix:
        name = prefix + b"/" + name
    size = int.from_bytes(header[125:136]) if header[124] == 0x80 else _octal(header[124:136])  # 0x80: a binary number, for large files
    if size < 0:
        raise FileFormatError(f"{path}: has a size that is no number")
    return name.decode("utf-8", "replace").removeprefix("./"), size, header[156:157] in (b"0", b"\0")


def _octal(field: bytes) -> int:
    """The number in a field, -1 if it is none."""
    digits = field.strip(b" \0")
    return int(digits, 8) if digits.isdigit() and not set(digits) & set(b"89") else -1 if digits else 0


__all__ = ["capacity", "is_packed", "read_exactly", "tar_members", "unpacked"]
