"""Checkpoints: all that a training run needs to go on, in one file, with the one before it kept in reserve."""

from __future__ import annotations

import contextlib
import json
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dezero.errors import FileFormatError
from dezero.serialization.atomic import PathLike, temporary_name
from dezero.serialization.header import affordable, read_header, shorten
from dezero.serialization.safetensors import load_safetensors, save_safetensors
from dezero.serialization.values import Arrays

PARTS, STATE = "parts", "state"
MAX_STATE = 256 << 20  # bytes in memory, some six million numbers


@dataclass(frozen=True)
class Checkpoint:
    """What :func:`load_checkpoint` found.

    Attributes:
        parts: the arrays of each part by name, ``parts["model"]["l0.W"]``.
        state: the numbers and texts that were saved along.
        path: the file that was read: an older one if the newest was damaged.
    """

    parts: dict[str, Arrays]
    state: dict[str, Any]
    path: str


def save_checkpoint(
    path: PathLike, parts: Mapping[str, Mapping[str, Any]], state: Mapping[str, Any] | None = None, keep: int = 2, durable: bool = True,
) -> None:
    """Write a checkpoint, whole or not at all, and keep the ones before it as ``path.1``, ``path.2`` and so on.

    At every moment ``path`` is the last checkpoint or the new one. The file is a safetensors file with arrays called
    ``model/l0.W``, ``optimizer/m/l0.W``, which other programs read too.

    Args:
        path: the file, by any name.
        parts: arrays by name for each part (``"model"``, ``"optimizer"``). Names of parts have no slash. Device arrays are copied to the host.
        state: what else is to be kept: dicts with strings as keys, lists, numbers (NaN and infinity too), strings, None.
            Tuples come back as lists, NumPy's numbers as Python's.
        keep: how many files to keep, the new one counted. One that is plainly damaged is not kept.
        durable: see :func:`dezero.serialization.atomic_write`.

    Raises:
        TypeError: something in ``state`` cannot be kept; the message tells its place.
        ValueError: the name of a part has a slash, ``keep`` is less than 1, or ``state`` is huge.
        OSError: the file could not be written; what was there before is still there.

    Examples:
        >>> import os, tempfile
        >>> import numpy as np
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "last.safetensors")
        ...     for epoch in (1, 2):
        ...         save_checkpoint(path, {"model": {"l0.W": np.full(2, epoch)}}, {"epoch": epoch})
        ...     checkpoint = load_checkpoint(path)
        ...     sorted(os.listdir(folder))
        ['last.safetensors', 'last.safetensors.1']
        >>> checkpoint.parts["model"]["l0.W"], checkpoint.state
        (array([2, 2]), {'epoch': 2})
    """
    if keep < 1:
        raise ValueError(f"save_checkpoint: keep is {keep}: the number of files to keep, at least 1, is expected")
    for part in parts:
        if not isinstance(part, str) or "/" in part:
            raise ValueError(f"save_checkpoint: {part!r} is the name of a part: a string without '/' is expected")
    text = json.dumps(_plain(dict(state or {}), "state"), separators=(",", ":"))
    if not affordable(text.encode(), MAX_STATE):
        raise ValueError(f"save_checkpoint: the state would cost more than {MAX_STATE >> 20} MB of memory: put long series into an array of a part")
    arrays = {f"{part}/{name}": x for part, names in parts.items() for name, x in names.items()}
    metadata = {PARTS: json.dumps(sorted(parts)), STATE: text}
    target = os.path.realpath(path)
    save_safetensors(target, arrays, metadata, durable=durable, before_replace=lambda: _rotate(target, keep))


def _plain(value: Any, where: str) -> Any:
    """``value`` as JSON knows it.

    Raises:
        TypeError: JSON cannot say it; the message tells where it is.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"save_checkpoint: {where} has the key {key!r}: keys are strings here")
        return {key: _plain(v, f"{where}[{key!r}]") for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v, f"{where}[{i}]") for i, v in enumerate(value)]
    raise TypeError(f"save_checkpoint: {where} is a {type(value).__name__}: numbers, strings, lists, dicts and None can be kept; "
                    "put arrays into a part")


def _rotate(target: str, keep: int) -> None:
    """Shift the older files by one place and give the last checkpoint a second name, so that ``target`` is never absent."""
    if keep == 1 or not _looks_whole(target):
        return
    for i in range(keep - 1, 1, -1):
        with contextlib.suppress(FileNotFoundError):
            os.replace(f"{target}.{i - 1}", f"{target}.{i}")
    link = temporary_name(target)
    for _ in range(100):
        try:
            os.link(target, link)
            break
        except FileNotFoundError:  # another one that saves here has just replaced it
            continue
        except OSError:  # a file system without second names
            os.replace(target, f"{target}.1")
            return
    else:
        return
    try:
        with contextlib.suppress(FileNotFoundError):  # another process that saves here took it for litter
            os.replace(link, f"{target}.1")
    finally:
        with contextlib.suppress(OSError):
            os.unlink(link)  # still there if the replacement failed, or if both were names of one file already


def _looks_whole(path: str) -> bool:
    """Is there a file whose header and length are right? Its numbers are not read, which would double the cost of saving."""
    try:
        with open(path, "rb") as file:
            read_header(file, os.fstat(file.fileno()).st_size)
    except (FileFormatError, OSError):
        return False
    return True


def load_checkpoint(path: PathLike) -> Checkpoint:
    """Read a checkpoint; if it is damaged or gone, warn and read the newest older one that is whole.

    Args:
        path: the name under which it was saved.

    Raises:
        FileNotFoundError: there is neither this file nor an older one.
        FileFormatError: none of the files is whole.

    Examples:
        >>> import os, tempfile
        >>> import numpy as np
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "last.safetensors")
        ...     save_checkpoint(path, {"model": {"W": np.ones(2)}, "optimizer": {}}, {"best": float("inf")})
        ...     checkpoint = load_checkpoint(path)
        >>> checkpoint.parts, checkpoint.state
        ({'model': {'W': array([1., 1.])}, 'optimizer': {}}, {'best': inf})
    """
    problems = []
    newest = os.path.realpath(path)
    for candidate in _candidates(newest):
        try:
            checkpoint = _load(candidate)
        except (FileFormatError, OSError) as error:
            problems.append(error)
            continue
        if candidate != newest:
            why = problems[0] if problems else f"{newest} is gone"
            warnings.warn(f"{why}; going on from the checkpoint before it, {candidate}", RuntimeWarning, stacklevel=2)
        return checkpoint
    if not problems:
        raise FileNotFoundError(f"load_checkpoint: there is no checkpoint at {os.fspath(path)}")
    if isinstance(problems[0], OSError):
        raise problems[0]
    raise FileFormatError("; ".join(str(problem) for problem in problems[:3]))


def _candidates(newest: str) -> Iterator[str]:
    """The file itself and the older ones, the newest first, as far as they are there."""
    if os.path.lexists(newest):
        yield newest
    folder, name = os.path.split(newest)
    numbers = []
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        found = (re.fullmatch(re.escape(name) + r"\.([1-9][0-9]{0,5})", other) for other in os.listdir(folder))
        numbers = sorted(int(match[1]) for match in found if match)
    for i in numbers:
        yield f"{newest}.{i}"


def _load(path: str) -> Checkpoint:
    arrays, metadata = load_safetensors(path)
    try:
        names, state = _json(metadata.get(PARTS)), _json(metadata.get(STATE))
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or not isinstance(state, dict):
            raise FileFormatError("a safetensors file, but no checkpoint: the list of parts or the state is not there")
        parts: dict[str, Arrays] = {name: {} for name in names}
        for name, x in arrays.items():
            part, slash, rest = name.partition("/")
            if not slash or part not in parts:
                raise FileFormatError(f"{shorten(name)} belongs to no part")
            parts[part][rest] = x
    except FileFormatError as error:
        raise FileFormatError(f"{path}: {error}") from None
    return Checkpoint(parts, state, path)


def _json(text: str | None) -> Any:
    if text is None:
        return None
    if not affordable(text.encode(), MAX_STATE):
        raise FileFormatError(f"the state would cost more than {MAX_STATE >> 20} MB of memory")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"no valid JSON: {shorten(str(error))}") from None
