"""Files: where a drawing is to be written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from dezero.errors import describe


def target(to_file: str | os.PathLike[str], asked: str, suffixes: Sequence[str], advice: str = "") -> Path:
    """The path of a file to be written.

    Args:
        to_file: what the user has given.
        asked: what it is called there, for the message: "to_html: to_file".
        suffixes: the endings that will do.
        advice: what to do for other endings.

    Raises:
        TypeError: it is not a path.
        ValueError: the ending is another.
        FileNotFoundError: the folder does not exist.

    Examples:
        >>> target("graph.PNG", "to_file", [".svg", ".png"]).name
        'graph.PNG'
    """
    if not isinstance(to_file, (str, os.PathLike)):
        raise TypeError(f"{asked} is {describe(to_file)}: the name of a file is expected, \"graph{suffixes[0]}\" say")
    path = Path(to_file)
    suffix = path.suffix.lower()
    if suffix not in suffixes:
        expected = " or ".join([part for part in (", ".join(suffixes[:-1]), suffixes[-1]) if part])
        raise ValueError(f"{asked}={os.fspath(to_file)!r} ends in {suffix or 'nothing'}: {expected} is expected{advice and f'; {advice}'}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{asked}={os.fspath(to_file)!r}: the folder {str(path.parent)!r} does not exist: make it first")
    return path
