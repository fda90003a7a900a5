"""A lock between processes, tied to a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


def _lock(fd: int) -> None:
    """Wait until no other process has the file locked."""
    if sys.platform == "win32":
        while True:
            try:
                return msvcrt.locking(fd, msvcrt.LK_LOCK, 1)
            except OSError:  # it gives up after ten seconds, but a large download takes longer
                continue
    fcntl.flock(fd, fcntl.LOCK_EX)


def _same_file(fd: int, path: Path) -> bool:
    """Does ``path`` still name the open file? Whoever had the lock before may have removed it."""
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path))
    except FileNotFoundError:
        return False


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Keep other processes and threads out as long as the block runs; the operating system frees the lock of a killed process.

    A file system that has no locks lets everyone in.

    Args:
        path: a file only for this; it is made, and removed at the end.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with file_lock(Path(folder) / "x.lock"):
        ...         print("alone")
        alone
    """
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(fd)
        except OSError:
            break
        if _same_file(fd, path):
            break
        os.close(fd)
    try:
        yield
    finally:
        try:
            path.unlink()
        except OSError:  # Windows keeps a file that somebody has open
            pass
        os.close(fd)


__all__ = ["file_lock"]
