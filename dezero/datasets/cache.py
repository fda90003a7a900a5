"""The book's cache of prepared arrays."""

from __future__ import annotations

import os
import tempfile
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from dezero.datasets.files import cache_folder


def _path(filename: str, train: bool) -> Path:
    name = filename.replace("\\", "/").rpartition("/")[2]
    if name in ("", ".", ".."):
        raise ValueError(f"cache: the file name is {filename!r}: a name is expected")
    return cache_folder() / (name + (".train.npz" if train else ".test.npz"))


def load_cache_npz(filename: str, train: bool = False) -> tuple[Any, Any]:
    """The arrays that :func:`save_cache_npz` kept.

    Args:
        filename: the name or the address of what was prepared; its last part counts.
        train: which part.

    Returns:
        data and label; (None, None) if nothing is kept, or it is damaged.

    Examples:
        >>> load_cache_npz("never saved")
        (None, None)
    """
    path = _path(filename, train)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return arrays["data"], arrays["label"]
    except FileNotFoundError:
        return None, None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        warnings.warn(f"{path} is damaged and passed over: {error}", RuntimeWarning, stacklevel=2)
        return None, None


def save_cache_npz(data: Any, label: Any, filename: str, train: bool = False) -> str:
    """Keep prepared arrays in the cache folder; what is there already is replaced.

    Args:
        data: an array.
        label: an array.
        filename: the name or the address of what was prepared; its last part counts.
        train: which part.

    Returns:
        The path, as a str.

    Examples:
        >>> import unittest.mock as mock
        >>> variable = "LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME"
        >>> with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, {variable: folder}):
        ...     _ = save_cache_npz(np.arange(3), np.zeros(3), "numbers")
        ...     load_cache_npz("numbers")[0]
        array([0, 1, 2])
    """
    path = _path(filename, train)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, data=np.asarray(data), label=np.asarray(label))
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return str(path)


__all__ = ["load_cache_npz", "save_cache_npz"]
