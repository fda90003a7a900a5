"""How far a download is, on a terminal."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any


def show_progress(block_num: int, block_size: int, total_size: int) -> None:
    """Print a line that says how much has arrived: the hook that ``urllib.request.urlretrieve`` calls, as in the book.

    Args:
        block_num: blocks so far.
        block_size: bytes of a block.
        total_size: bytes in all; 0 or less where the server does not say.

    Examples:
        >>> import contextlib, io
        >>> with contextlib.redirect_stdout(io.StringIO()) as out:
        ...     show_progress(1, 50, 200)
        >>> out.getvalue().strip()
        '[=======                       ]  25.0 %'
    """
    done = block_num * block_size
    if total_size <= 0:
        print(f"\r{done} bytes", end="")
        return
    share = min(1.0, done / total_size)
    print(f"\r[{'=' * int(30 * share):30}] {100 * share:5.1f} %", end="")


class Bar:
    """The bar of one download: tqdm's where it is installed and stderr is a terminal, else a single line at the start.

    Args:
        title: what is fetched.
        total: bytes in all, or None.
        done: bytes that were there before.

    Examples:
        >>> with Bar("mnist") as bar:
        ...     bar.update(1)
    """

    def __init__(self, title: str, total: int | None = None, done: int = 0) -> None:
        self._bar: Any = None
        if not sys.stderr.isatty():
            return
        try:
            from tqdm import tqdm
        except ImportError:
            size = "" if total is None else f" ({total / 1e6:.1f} MB)"
            print(f"fetching {title}{size}", file=sys.stderr)
            return
        self._bar = tqdm(desc=title, total=total, initial=done, unit="B", unit_scale=True, mininterval=0.25)

    def update(self, n: int) -> None:
        """``n`` more bytes are here."""
        if self._bar is not None:
            self._bar.update(n)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()


__all__ = ["Bar", "show_progress"]
