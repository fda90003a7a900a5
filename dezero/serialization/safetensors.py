"""The safetensors format: arrays with names in one file that can hold nothing but numbers and text.

A file is read as if an enemy had written it: each number is checked before it is used, and memory is set aside only
for bytes that are really there.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dezero.errors import DTypeError, FileFormatError
from dezero.serialization.atomic import PathLike, atomic_write
from dezero.serialization.header import DTYPES, MAX_HEADER, METADATA, SPARE, Header, Tensor, affordable, check_text, parse_json, read_header, shorten
from dezero.serialization.values import Arrays, check_metadata, host_arrays, native

CODES = {code: name for name, code in DTYPES.items() if name != "BF16"}
OURS = "dezero."  # begins the names of what is written here besides the user's metadata
VERSION, DIGESTS = OURS + "version", OURS + "sha256"


# -- writing ----------------------------------------------------------------------------------------


def save_safetensors(
    path: PathLike, arrays: Mapping[str, Any], metadata: Mapping[str, str] | None = None, *,
    durable: bool = True, before_replace: Callable[[], None] | None = None,
) -> None:
    """Write arrays to a safetensors file, whole or not at all, with a SHA-256 digest of each array and of the header.

    The same content gives the same bytes: tensors stand in the file by falling size of their elements, then by name.

    Args:
        path: the file; its name is taken as it is.
        arrays: arrays, Variables or numbers by name; any strings are names. Device arrays are copied to the host.
        metadata: strings by name that travel along.
        durable: see :func:`atomic_write`.
        before_replace: see :func:`atomic_write`.

    Raises:
        DTypeError: an array has a dtype that the format does not know (complex128, objects).
        ValueError: a name that the format keeps for itself, or a header beyond its limits.

    Examples:
        >>> import os, tempfile
        >>> import numpy as np
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "weights.safetensors")
        ...     save_safetensors(path, {"l1.W": np.ones((2, 3), np.float32)}, {"note": "ones"})
        ...     arrays, metadata = load_safetensors(path)
        >>> arrays["l1.W"].shape, metadata
        ((2, 3), {'note': 'ones'})
    """
    who = "save_safetensors"
    values = host_arrays(arrays, who)
    text = check_metadata(metadata, who)
    for name in text:
        if name.startswith(OURS):
            raise ValueError(f"{who}: metadata has {name!r}: names that begin with {OURS!r} are kept for {who} itself, choose another key")
    if METADATA in values:
        raise ValueError(f"{who}: an array is called {METADATA!r}, which the format keeps for its text: choose another name")
    for name in (*values, *text, *text.values()):
        try:
            check_text(name)
        except UnicodeEncodeError:
            raise ValueError(f"{who}: {shorten(name)!r} cannot be written in UTF-8: it holds half a character") from None
    for name, x in values.items():
        if x.dtype.str not in CODES:
            raise DTypeError(f"{who}: {name!r} is {x.dtype}: safetensors knows none; save it as npz, or its real and imaginary parts")
    values = dict(sorted(values.items(), key=lambda item: (-item[1].itemsize, item[0])))
    header = _header(values, text)
    with atomic_write(path, durable, before_replace) as file:
        file.write(len(header).to_bytes(8, "little"))
        file.write(header)
        for x in values.values():
            file.write(_bytes(x))


def _header(values: Arrays, text: dict[str, str]) -> bytes:
    tensors, digests, start = [], {}, 0
    for name, x in values.items():
        tensors.append(Tensor(name, CODES[x.dtype.str], x.shape, start, start + x.nbytes))
        digests[name] = hashlib.sha256(_bytes(x)).hexdigest()
        start += x.nbytes
    text = text | {VERSION: "1"}
    text[DIGESTS] = json.dumps({"header": header_digest(tensors, text, digests), "tensors": digests}, separators=(",", ":"))
    content: dict[str, Any] = {METADATA: dict(sorted(text.items()))}
    content |= {t.name: {"dtype": t.dtype, "shape": t.shape, "data_offsets": (t.start, t.end)} for t in tensors}
    header = json.dumps(content, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    allowed = 2 * (len(header) + start) + SPARE
    if len(header) > MAX_HEADER or not affordable(header, allowed) or not _digests_are_affordable(text[DIGESTS], tensors, text, allowed):
        raise ValueError(f"save_safetensors: names and texts fill {len(header):,} bytes for {len(tensors):,} arrays with {start:,} bytes of numbers: "
                         "readers would refuse such a header; save fewer, larger arrays and less metadata")
    return header


def header_digest(tensors: list[Tensor], metadata: dict[str, str], digests: dict[str, str]) -> str:
    """The digest of all that a header says, the digests of the numbers included."""
    digest = hashlib.sha256()
    for t in sorted(tensors, key=lambda t: t.name):
        digest.update(json.dumps([t.name, t.dtype, t.shape, t.start, t.end, digests[t.name]]).encode())
    for key in sorted(metadata.keys() - {DIGESTS}):
        digest.update(json.dumps([key, metadata[key]]).encode())
    return digest.hexdigest()


def _bytes(x: NDArray[Any]) -> memoryview:
    return x.reshape(-1).view(np.uint8).data


# -- reading ----------------------------------------------------------------------------------------


def load_safetensors(path: PathLike, verify: bool = True) -> tuple[Arrays, dict[str, str]]:
    """Read a safetensors file of any origin.

    It never runs code from the file, sets aside at most twice the size of the file and 16 MB, and ends with arrays
    or with FileFormatError.

    Args:
        path: the file.
        verify: compare the numbers and the header with their digests, if the file has some: those that :func:`save_safetensors` wrote do.

    Returns:
        The arrays by name, in this machine's byte order, bfloat16 as float32; and the metadata.

    Raises:
        FileFormatError: the file is damaged, cut off, no safetensors file, or holds 8-bit floats.
        OSError: the file cannot be read.

    Examples:
        >>> import os, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "a.safetensors")
        ...     with open(path, "wb") as file:
        ...         n = file.write(b"GIF89a")
        ...     load_safetensors(path)
        Traceback (most recent call last):
        ...
        dezero.errors.FileFormatError: ...a.safetensors: cut off: 6 bytes cannot hold a header
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        try:
            header = read_header(file, size)
            digests = _digests(header, size) if verify else {}
            _check_memory(header, size)
            arrays = {t.name: _read(file, t, digests.get(t.name)) for t in header.tensors}
        except FileFormatError as error:
            raise FileFormatError(f"{os.fspath(path)}: {error}") from None
    return arrays, {key: value for key, value in header.metadata.items() if not key.startswith(OURS)}


def _digests(header: Header, size: int) -> dict[str, str]:
    """The digests of the tensors, once that of the header is found right; none in files of other programs."""
    ours = {key for key in header.metadata if key.startswith(OURS)}
    if not ours:
        return {}
    if ours != {VERSION, DIGESTS}:
        found = shorten(", ".join(sorted(ours)))
        raise FileFormatError(f"{found} in the metadata: {VERSION} and {DIGESTS} are expected; damaged, or of a later version")
    text = header.metadata.get(DIGESTS, "")
    if not _digests_are_affordable(text, header.tensors, header.metadata, 2 * size + SPARE):
        raise FileFormatError("the digests would cost far more memory than the file has bytes")
    content = parse_json(text)
    digests = content.get("tensors")
    if content.keys() != {"header", "tensors"} or not isinstance(digests, dict) or digests.keys() != {t.name for t in header.tensors}:
        raise FileFormatError("the digests do not belong to the tensors: damaged")
    if not all(isinstance(digest, str) for digest in digests.values()):
        raise FileFormatError("the digests are no strings: damaged")
    if content["header"] != header_digest(header.tensors, header.metadata, digests):
        raise FileFormatError("the header differs from its SHA-256 digest: damaged")
    return digests


def _digests_are_affordable(digests: str, tensors: list[Tensor], metadata: dict[str, str], limit: int) -> bool:
    """Is there room to parse the digests beside all that is in memory then?"""
    return affordable(digests.encode(), limit - 600 * len(tensors) - sum(len(key) + len(value) for key, value in metadata.items()))


def _check_memory(header: Header, size: int) -> None:
    arrays = sum((t.end - t.start) * (2 if t.dtype == "BF16" else 1) for t in header.tensors)
    if arrays + 500 * len(header.tensors) > 2 * size + SPARE:
        raise FileFormatError(f"{len(header.tensors):,} tensors would cost far more memory than the file has bytes")


def _read(file: io.BufferedReader, t: Tensor, digest: str | None) -> NDArray[Any]:
    """One tensor's numbers; the file stands where they begin."""
    x: NDArray[Any] = np.empty(t.shape, DTYPES[t.dtype])
    view = _bytes(x)
    if file.readinto(view) != len(view):
        raise FileFormatError(f"{shorten(t.name)}: cut off")
    if digest is not None and hashlib.sha256(view).hexdigest() != digest:
        raise FileFormatError(f"{shorten(t.name)} differs from its SHA-256 digest: damaged")
    if t.dtype == "BOOL" and x.size and x.view(np.uint8).max() > 1:
        raise FileFormatError(f"{shorten(t.name)}: bools must be 0 or 1")
    return _widen(x) if t.dtype == "BF16" else native(x)


def _widen(x: NDArray[Any]) -> NDArray[Any]:
    """The bits of bfloat16 as float32, which has the same exponent and more digits."""
    y = np.empty(x.shape, np.uint32)
    y[...] = x
    y <<= np.uint32(16)
    return y.view(np.float32)
