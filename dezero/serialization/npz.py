"""The npz format of NumPy: written whole or not at all, read without trust.

An npz file is a zip archive with one array in the npy format for each name
(https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). Text that travels along is one more array of bytes,
which other readers see under the name ``__metadata__``.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from dezero.errors import FileFormatError
from dezero.serialization.atomic import PathLike, atomic_write
from dezero.serialization.header import MAX_NDIM, METADATA, SPARE, decode, parse_json, shorten
from dezero.serialization.values import NUMBERS, Arrays, check_metadata, host_arrays, native

SUFFIX, MEMBER = ".npz", ".npy"
MAX_RATIO, FREE_BYTES = 1000, 64 << 20  # a file may unpack to so many times its size, or to so many bytes
STORED_ABOVE = 100  # arrays that shrink more than this are stored as they are: to a reader they would look like a bomb
CHUNK = 1 << 20
END = struct.Struct("<4s4H2IH")  # the record at the end of a zip archive (APPNOTE.TXT, 4.3.16)
# What the zip module raises over damaged archives.
DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, LookupError, OverflowError, NotImplementedError, RuntimeError)


def npz_path(path: PathLike) -> Path:
    """``path`` with ``.npz`` after its name, unless it is there: where ``np.savez`` and :func:`save_npz` write.

    Examples:
        >>> npz_path("weights").name, npz_path("weights.npz").name
        ('weights.npz', 'weights.npz')
    """
    path = Path(path)
    return path if path.name.endswith(SUFFIX) else path.with_name(path.name + SUFFIX)


# -- writing ----------------------------------------------------------------------------------------


def save_npz(
    path: PathLike, arrays: Mapping[str, Any], metadata: Mapping[str, str] | None = None, *, compressed: bool = False, durable: bool = True,
) -> Path:
    """Write arrays to an npz file, whole or not at all. ``np.load`` reads it; the same content gives the same bytes.

    Args:
        path: the file; ``.npz`` is added to a name without it, as ``np.savez`` does. ``load_npz`` finds it under both names.
        arrays: arrays, Variables or numbers by name. Device arrays are copied to the host.
        metadata: strings by name that travel along.
        compressed: make the file smaller; trained weights shrink by less than a tenth and take much longer.
        durable: see :func:`atomic_write`.

    Returns:
        The path that was written.

    Raises:
        DTypeError: a value is no array of numbers.
        ValueError: a name that would be a path outside of the archive, or is kept for metadata.

    Examples:
        >>> import os, tempfile
        >>> import numpy as np
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "weights")
        ...     print(save_npz(path, {"l0/W": np.ones((2, 3), np.float32)}).name)
        ...     arrays, metadata = load_npz(path)
        weights.npz
        >>> arrays["l0/W"].shape
        (2, 3)
    """
    who = "save_npz"
    values, text = host_arrays(arrays, who), check_metadata(metadata, who)
    for name in values:
        problem = "is kept for metadata" if name == METADATA else _name_problem(name + MEMBER)
        if problem:
            raise ValueError(f"{who}: the name {shorten(name)!r} {problem}: choose another, or save as safetensors, where any name will do")
    values = dict(sorted(values.items()))
    if text:
        values[METADATA] = np.frombuffer(json.dumps(dict(sorted(text.items()))).encode(), np.uint8)
    target = npz_path(path)
    with atomic_write(target, durable) as file, zipfile.ZipFile(file, "w") as archive:
        for name, x in values.items():
            info = zipfile.ZipInfo(name + MEMBER)  # of 1980, so that the same content gives the same bytes
            info.create_system, info.external_attr = 3, 0o600 << 16
            info.compress_type = zipfile.ZIP_DEFLATED if compressed and _shrinks_soundly(x) else zipfile.ZIP_STORED
            with archive.open(info, "w", force_zip64=x.nbytes > 1 << 30) as member:
                np.lib.format.write_array(member, x, allow_pickle=False)
    return target


def _shrinks_soundly(x: NDArray[Any]) -> bool:
    sample = x.reshape(-1)[: CHUNK // x.itemsize].tobytes()
    return len(sample) < CHUNK // 2 or len(sample) < STORED_ABOVE * len(zlib.compress(sample, 1))


def _name_problem(name: str) -> str:
    """What is wrong with the name of a member, if anything: it must not lead out of the archive, nor change on the way."""
    parts = name.split("/")
    if "\\" in name or "\0" in name or name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", name):
        return "is a path that leads elsewhere"
    try:
        return "is too long" if len(name.encode()) > 60_000 else ""
    except UnicodeEncodeError:
        return "cannot be written in UTF-8"


# -- reading ----------------------------------------------------------------------------------------


def load_npz(path: PathLike, max_bytes: int | None = None) -> tuple[Arrays, dict[str, str]]:
    """Read an npz file of any origin. Objects, which could run code, are refused; sizes are checked before memory is set aside.

    Args:
        path: the file. If the name has no ``.npz`` and there is a file with it, that is read.
        max_bytes: how much the arrays may fill; by default 1000 times the size of the file, or 64 MB if that is more, which any file
            passes but one that was made to fill the memory, or one with huge constant arrays.

    Returns:
        The arrays by name, in C order and this machine's byte order; and the metadata.

    Raises:
        FileFormatError: the file is damaged, cut off, no npz file, or holds anything but arrays of numbers.
        OSError: the file cannot be read.

    Examples:
        >>> import os, tempfile
        >>> import numpy as np
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "a.npz")
        ...     np.savez(path, x=np.array([1, None]))
        ...     load_npz(path)
        Traceback (most recent call last):
        ...
        dezero.errors.FileFormatError: ...a.npz: x: dtype |O: Python objects, which a stranger's file must not bring
    """
    path = Path(path)
    if not path.name.endswith(SUFFIX) and npz_path(path).exists():
        path = npz_path(path)
    with open(path, "rb") as file:
        try:
            arrays = _read_archive(file, max_bytes)
            raw = arrays.pop(METADATA, None)
            return arrays, {} if raw is None else _metadata(raw)
        except FileFormatError as error:
            raise FileFormatError(f"{os.fspath(path)}: {error}") from None
        except DAMAGE as error:
            raise FileFormatError(f"{os.fspath(path)}: {shorten(str(error))}: damaged, or no npz file") from None
        except OSError as error:
            if error.errno not in (errno.EINVAL, None):  # a place before the beginning of the file
                raise
            raise FileFormatError(f"{os.fspath(path)}: damaged, or no npz file") from None


def _read_archive(file: IO[bytes], max_bytes: int | None) -> Arrays:
    size = os.fstat(file.fileno()).st_size
    if size > CHUNK and 1000 * _count(file, b"PK\1\2") > 2 * size + SPARE:
        raise FileFormatError("the list of members would cost far more memory than the file has bytes")
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if not _end_is_right(file, size - END.size - len(archive.comment), len(members)):
            raise FileFormatError("the end of the archive announces another number of members, or another place for their list")
        for info in members:
            _check_member(info, size)
        if len({info.filename for info in members}) != len(members):
            raise FileFormatError("a name stands there twice")
        total = sum(info.file_size for info in members)
        allowed = max(MAX_RATIO * size, FREE_BYTES) if max_bytes is None else max_bytes
        if total > allowed:
            raise FileFormatError(f"unpacks to {total:,} bytes, {total // max(size, 1):,} times its size; {allowed:,} are allowed: "
                                  f"if you trust it, pass max_bytes={total}")
        return {info.filename.removesuffix(MEMBER): _read_member(archive, info) for info in members}


def _end_is_right(file: IO[bytes], place: int, members: int) -> bool:
    """Does the record at the end agree with what was read? The zip module tolerates much here, and so loses members of damaged files."""
    file.seek(place)
    signature, _, _, _, count, length, start, _ = END.unpack(file.read(END.size))
    return signature == b"PK\5\6" and count in (members, 0xFFFF) and (start + length == place or 0xFFFFFFFF in (start, length) or count == 0xFFFF)


def _count(file: IO[bytes], signature: bytes) -> int:
    """How often ``signature`` stands in the file: at least the number of members that the zip module will make objects for."""
    count, tail = 0, b""
    while chunk := file.read(CHUNK):
        chunk = tail + chunk
        count += chunk.count(signature)
        tail = chunk[1 - len(signature):]
    return count


def _check_member(info: zipfile.ZipInfo, size: int) -> None:
    name = shorten(info.filename)
    problem = _name_problem(info.filename)
    if problem or info.orig_filename != info.filename:
        raise FileFormatError(f"a member's name, {name}, {problem or 'changes when it is read'}")
    if not info.filename.endswith(MEMBER):
        raise FileFormatError(f"{name} is no array: only members called *{MEMBER} belong here")
    if info.flag_bits & 1:
        raise FileFormatError(f"{name} is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileFormatError(f"{name} is packed by method {info.compress_type}; NumPy stores or deflates")
    if info.compress_size > size or (info.compress_type == zipfile.ZIP_STORED and info.compress_size != info.file_size):
        raise FileFormatError(f"{name}: {info.compress_size:,} bytes are announced that are not there")


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    """One array; its dtype, shape and size must agree with the archive's list before memory is set aside."""
    name = shorten(info.filename.removesuffix(MEMBER))
    with archive.open(info) as member:
        dtype, fortran_order, shape, place = _npy_header(member, name)
        nbytes = dtype.itemsize * math.prod(shape)
        if math.prod(max(n, 1) for n in shape) >= 1 << 59 or place + nbytes != info.file_size:
            raise FileFormatError(f"{name}: {dtype} of shape {shorten(str(shape))} does not fill the {info.file_size - place:,} bytes that are there")
        x: NDArray[Any] = np.empty(shape[::-1] if fortran_order else shape, dtype)
        view = x.reshape(-1).view(np.uint8)
        for i in range(0, nbytes, CHUNK):
            chunk = member.read(min(CHUNK, nbytes - i))
            if len(chunk) != min(CHUNK, nbytes - i):
                raise FileFormatError(f"{name}: cut off")
            view[i:i + len(chunk)] = np.frombuffer(chunk, np.uint8)
        if member.read(1):  # at the end the checksum is compared too
            raise FileFormatError(f"{name}: longer than announced")
    if dtype.kind == "b" and x.size and view.max() > 1:
        raise FileFormatError(f"{name}: bools must be 0 or 1")
    return native(np.asarray(x.T, order="C") if fortran_order else x)


DESCR = re.compile(rb"""'descr': *'([<>|=]?)([a-zA-Z])([0-9]{0,9})'""")
ORDER = re.compile(rb"""'fortran_order': *(True|False)""")
SHAPE = re.compile(rb"""'shape': *\(((?:[0-9]{1,19}L?, *){0,64}(?:[0-9]{1,19}L?)?)\)""")


def _npy_header(member: IO[bytes], name: str) -> tuple[np.dtype[Any], bool, tuple[int, ...], int]:
    """The dtype, the order, the shape and the length of the header of an npy file, read as text and never evaluated."""
    start = member.read(8)
    wide = start[6:7] != b"\1"
    field = member.read(4 if wide else 2)
    if start[:6] != b"\x93NUMPY" or start[6:] not in (b"\1\0", b"\2\0", b"\3\0") or len(field) != (4 if wide else 2):
        raise FileFormatError(f"{name}: not in the npy format")
    length = int.from_bytes(field, "little")
    if length > 10_000:
        raise FileFormatError(f"{name}: the header of an array has {length:,} bytes, 10,000 are allowed")
    header = member.read(length)
    if len(header) != length:
        raise FileFormatError(f"{name}: cut off")
    found = [pattern.findall(header) for pattern in (DESCR, ORDER, SHAPE)]
    rest = header
    for pattern in (DESCR, ORDER, SHAPE):
        rest = pattern.sub(b"", rest)
    if [len(f) for f in found] != [1, 1, 1] or not re.fullmatch(rb"\{ *(, *){2,3}\} *\n?", rest):
        raise FileFormatError(f"{name}: the header {shorten(header.decode('latin1').strip())} is no description of a plain array")
    order, kind, digits = (part.decode() for part in found[0][0])
    if kind == "O":
        raise FileFormatError(f"{name}: dtype {order}O: Python objects, which a stranger's file must not bring")
    if kind + digits not in NUMBERS:
        raise FileFormatError(f"{name}: dtype {order}{kind}{digits}: only bools, integers, floats and complex numbers are read")
    shape = tuple(int(n.strip().removesuffix(b"L")) for n in found[2][0].split(b",") if n.strip())
    if len(shape) > MAX_NDIM:
        raise FileFormatError(f"{name}: {len(shape)} axes; {MAX_NDIM} are allowed")
    return np.dtype(order + kind + digits), found[1][0] == b"True", shape, 8 + len(field) + length


def _metadata(raw: NDArray[Any]) -> dict[str, str]:
    content = parse_json(decode(raw.tobytes()))
    if not all(isinstance(value, str) for value in content.values()):
        raise FileFormatError(f"{METADATA} must hold strings only")
    return content
