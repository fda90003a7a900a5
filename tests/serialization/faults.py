"""A disk that fails at its n-th call."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dezero.serialization import atomic

ERRORS = (errno.ENOSPC, errno.EIO, errno.EPERM)
CALLS = ("open", "fsync", "replace", "dup", "link")


class File:
    """A binary file whose writes are counted, and may fail."""

    def __init__(self, file: Any, step: Callable[[str], None]) -> None:
        self._file, self._step = file, step

    def write(self, data: Any) -> int:
        self._step("write")
        return int(self._file.write(data))

    def flush(self) -> None:
        self._step("flush")
        self._file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def watched_disk(step: Callable[[str], None]) -> Iterator[None]:
    """``step(name)`` is called before each call that changes the disk; it may raise."""
    with pytest.MonkeyPatch.context() as patch:
        def watch(name: str) -> None:
            real = getattr(os, name)

            def call(*args: Any, **kwargs: Any) -> Any:
                step(name)
                return real(*args, **kwargs)
            patch.setattr(atomic.os, name, call)

        for name in CALLS:
            watch(name)
        fdopen = os.fdopen
        patch.setattr(atomic.os, "fdopen", lambda *args: File(fdopen(*args), step))
        yield


def calls_of(work: Callable[[], None]) -> list[str]:
    """The names of the calls that ``work()`` makes."""
    calls: list[str] = []
    with watched_disk(calls.append):
        work()
    return calls


def fail_at(n: int, code: int, work: Callable[[], None]) -> None:
    """Run ``work()`` on a disk whose n-th call fails, and every write after it: a full disk stays full.

    Raises:
        OSError: what ``work()`` makes of it.
    """
    count = 0

    def step(name: str) -> None:
        nonlocal count
        count += 1
        if count == n or (count > n and name in ("write", "flush")):
            raise OSError(code, os.strerror(code))

    with watched_disk(step):
        work()
