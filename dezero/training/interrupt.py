"""Ctrl-C while training: the first ends after the running batch, the second at once, but never within an update."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self


class Interrupt:
    """While the block runs, Ctrl-C sets ``requested``; a second one raises KeyboardInterrupt, outside of ``whole`` parts only.

    Outside of the main thread, and where Ctrl-C is ignored (a program under nohup), nothing is changed.

    Attributes:
        requested: was Ctrl-C pressed?

    Examples:
        >>> with Interrupt() as interrupt:
        ...     interrupt.requested
        False
    """

    def __init__(self) -> None:
        self.requested = False
        self._whole = self._now = False
        self._before: Any = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            before = signal.getsignal(signal.SIGINT)
            if before is not None and before is not signal.SIG_IGN:
                self._before = before
                signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *error: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self.requested:
            self.requested = True
        elif self._whole:
            self._now = True
        else:
            raise KeyboardInterrupt

    def begin_whole(self) -> None:
        """From here on, a second Ctrl-C waits for :meth:`end_whole`."""
        self._whole = True

    def end_whole(self) -> None:
        """Raise the KeyboardInterrupt that had to wait, if there was one."""
        self._whole = False
        if self._now:
            self._now = False
            raise KeyboardInterrupt
