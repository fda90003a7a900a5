"""Files that are written whole or not at all: after a crash at any moment a path holds its old content or the new one."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment,unused-ignore]

POSIX = fcntl is not None
PathLike = str | os.PathLike[str]


@contextlib.contextmanager
def atomic_write(path: PathLike, durable: bool = True, before_replace: Callable[[], None] | None = None) -> Iterator[IO[bytes]]:
    """A binary file to write into, which takes the place of ``path`` when the block ends, and vanishes if the block fails.

    The bytes go into a temporary file in the same folder; it is brought to the disk (fsync), renamed over ``path``, and the folder is
    brought to the disk too. Temporaries that a killed process has left for the same path are removed on the way. A symbolic link is
    followed; a file that is replaced keeps its permissions.

    Args:
        path: the file to write. Its folder must exist.
        durable: False leaves out both fsyncs: much faster on a slow disk, and still whole if the process is killed, but a power cut may
            leave an empty or partial file.
        before_replace: called when the new bytes are safe and ``path`` still has the old ones.

    Raises:
        OSError: the file could not be written; ``path`` is as it was. Only if bringing the folder to the disk fails, the last
            step of all, does ``path`` hold the new content.

    Examples:
        >>> import os, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with atomic_write(os.path.join(folder, "a.bin")) as file:
        ...         n = file.write(b"whole or not at all")
        ...     os.listdir(folder)
        ['a.bin']
    """
    target = os.path.realpath(path)
    with contextlib.suppress(FileNotFoundError):  # one look: between two, another writer might replace the file
        if not stat.S_ISREG(os.stat(target).st_mode):
            raise OSError(errno.EINVAL, "the path is no regular file and cannot be replaced", os.fspath(path))
    remove_stale(target)
    temporary, file = _open_temporary(target)
    lock = -1
    try:
        yield file
        file.flush()
        if durable:
            os.fsync(file.fileno())
        if POSIX:
            lock = os.dup(file.fileno())  # the temporary stays marked as in use until it has its final name
        file.close()
        if before_replace is not None:
            before_replace()
        os.replace(temporary, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            file.close()
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError) and error.errno is not None and error.filename in (None, temporary):
            error.filename = os.fspath(path)  # the name that the caller knows
        raise
    finally:
        if lock >= 0:
            os.close(lock)
    if durable:
        sync_folder(os.path.dirname(target))


def sync_folder(folder: str) -> None:
    """Bring a folder's list of names to the disk, where the system can."""
    if not POSIX:
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # file systems without it
            raise
    finally:
        os.close(descriptor)


def temporary_name(target: str) -> str:
    """A fresh name in the folder of ``target`` that the next save to ``target`` recognises as its own."""
    return os.path.join(os.path.dirname(target), f"{_prefix(target)}{secrets.token_hex(6)}.tmp")


def remove_stale(target: str) -> None:
    """Remove the temporaries of ``target`` that no living process writes. What cannot be removed stays."""
    prefix = _prefix(target)
    try:
        with os.scandir(os.path.dirname(target)) as entries:
            found = [entry.path for entry in entries if entry.name.startswith(prefix) and entry.name.endswith(".tmp")]
    except OSError:
        return
    for path in found:
        with contextlib.suppress(OSError):
            if not POSIX:
                os.unlink(path)  # refused while it is open
                continue
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                if _lock(descriptor):
                    os.unlink(path)
            finally:
                os.close(descriptor)


def _prefix(target: str) -> str:
    name = os.path.basename(target)
    return f".{name[:40]}.{hashlib.sha256(os.fsencode(name)).hexdigest()[:8]}-"


def _open_temporary(target: str) -> tuple[str, IO[bytes]]:
    """A new file beside ``target``, locked, so that others see that it is in use: a dead process holds no locks."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    while True:
        temporary = temporary_name(target)
        try:
            descriptor = os.open(temporary, flags, 0o666)
        except OSError as error:
            error.filename = target  # the name that the caller knows
            raise
        try:
            if POSIX:
                _lock(descriptor, wait=True)
                if not _is_still_there(temporary, descriptor):  # somebody took it for litter before it was locked
                    os.close(descriptor)
                    continue
                with contextlib.suppress(OSError):
                    os.fchmod(descriptor, stat.S_IMODE(os.stat(target).st_mode))
            return temporary, os.fdopen(descriptor, "wb")
        except BaseException:
            with contextlib.suppress(OSError):
                os.close(descriptor)
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise


def _lock(descriptor: int, wait: bool = False) -> bool:
    """Take the lock that a living writer holds; False if it is held, or if the file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_still_there(path: str, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
