"""Named arrays to a file and back, in the format that the file's name tells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dezero.serialization.atomic import PathLike
from dezero.serialization.npz import load_npz, save_npz
from dezero.serialization.safetensors import load_safetensors, save_safetensors
from dezero.serialization.values import Arrays

FORMATS = (".npz", ".safetensors")


def save_arrays(path: PathLike, arrays: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> None:
    """Write arrays to a file, whole or not at all: after a crash at any moment the old content is there or the new.

    Args:
        path: ends in ``.npz`` or ``.safetensors``; a name without a suffix gets ``.npz``, as from ``np.savez``.
        arrays: arrays, Variables or numbers by name. Device arrays are copied to the host.
        metadata: strings by name that travel along.

    Raises:
        ValueError: the suffix is unknown, or a name cannot be saved in this format.
        DTypeError: a value is no array of numbers that the format knows, or has no value yet.
        OSError: the file could not be written; what was there before is untouched.

    Examples:
        >>> import os, tempfile
        >>> import numpy as np
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "weights.safetensors")
        ...     save_arrays(path, {"W": np.arange(3)}, {"epoch": "7"})
        ...     load_arrays(path)
        ({'W': array([0, 1, 2])}, {'epoch': '7'})
    """
    if _format(path, "save_arrays") == ".npz":
        save_npz(path, arrays, metadata)
    else:
        save_safetensors(path, arrays, metadata)


def load_arrays(path: PathLike, verify: bool = True) -> tuple[Arrays, dict[str, str]]:
    """Read the arrays of a file and its metadata. No file, whoever made it, runs code or fills the memory.

    Args:
        path: ends in ``.npz`` or ``.safetensors``; a name without a suffix is an npz file, with or without ``.npz``.
        verify: compare safetensors with their SHA-256 digests where the file has some; the checksums of npz are always compared.

    Returns:
        The arrays by name, on the host; and the metadata.

    Raises:
        ValueError: the suffix is unknown.
        FileFormatError: the file is damaged or of another kind.
        OSError: the file cannot be read.

    Examples:
        >>> load_arrays("weights.pth")
        Traceback (most recent call last):
        ...
        ValueError: load_arrays: 'weights.pth' ends in '.pth': .npz or .safetensors is expected
    """
    if _format(path, "load_arrays") == ".npz":
        return load_npz(path)
    return load_safetensors(path, verify)


def _format(path: PathLike, who: str) -> str:
    suffix = Path(path).suffix or ".npz"
    if suffix not in FORMATS:
        raise ValueError(f"{who}: {str(path)!r} ends in {suffix!r}: {' or '.join(FORMATS)} is expected")
    return suffix
