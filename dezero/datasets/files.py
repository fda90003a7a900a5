"""Where the files of data sets are found, and how a missing one gets there: fetched, checked, and only then given its name."""

from __future__ import annotations

import hashlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from dezero.datasets.download import check_url, fetch
from dezero.datasets.lock import file_lock
from dezero.errors import DatasetError, FileFormatError

T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """A file that a data set is read from, and where to get it.

    Args:
        title: the data set's name, for messages.
        name: the file's name.
        urls: https addresses of the same bytes, tried in turn.
        max_bytes: no more than this is fetched.
        sha256: the hash of the file as it is fetched, or None where its reader checks what is inside.
        folders: names of subfolders to look into; the first one is where the file is put.
        others: other names under which the file may be there, unpacked for example.
        flat: may it lie in the data folder itself? No where another data set uses the same names.
        resume: may a download that an earlier process began be continued? Only where a hash tells whether the parts fit.

    Examples:
        >>> Source("Ones", "ones.gz", ("https://example.org/ones.gz",), 1000, folders=("ones",)).names
        ('ones.gz',)
    """

    title: str
    name: str
    urls: tuple[str, ...]
    max_bytes: int
    sha256: str | None = None
    folders: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    flat: bool = True
    resume: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """All names of the file, the one to write first."""
        return (self.name, *self.others)


def cache_folder() -> Path:
    """The folder for downloads: ``dezero`` in the user's cache folder, as it is now.

    Returns:
        ``$XDG_CACHE_HOME/dezero``, or by system ``~/.cache/dezero``, ``~/Library/Caches/dezero``, ``%LOCALAPPDATA%\\dezero``.

    Examples:
        >>> cache_folder().name
        'dezero'
    """
    home = os.path.expanduser("~")
    given = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME", "")
    usual = {"win32": ("AppData", "Local"), "darwin": ("Library", "Caches")}.get(sys.platform, (".cache",))
    return Path(given if os.path.isabs(given) else os.path.join(home, *usual)) / "dezero"


def data_folders() -> list[Path]:
    """The folders that are searched, as they are now: ``$DEZERO_DATA``, the cache folder and the book's ``~/.dezero``.

    Examples:
        >>> data_folders()[-1].name
        '.dezero'
    """
    given = os.environ.get("DEZERO_DATA", "")
    return [*([Path(given).expanduser()] if given else []), cache_folder(), Path(os.path.expanduser("~")) / ".dezero"]


def is_offline() -> bool:
    """Does ``DEZERO_OFFLINE`` forbid downloads?"""
    return os.environ.get("DEZERO_OFFLINE", "").lower() not in ("", "0", "false", "no")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def obtain(source: Source, read: Callable[[Path], T]) -> tuple[Path, T]:
    """Find a file, or fetch it; then read it.

    A file that ``read`` refuses is set aside: it gets the ending ``.bad`` and a whole one is fetched. A download goes to
    ``.part`` and gets its name after it was read. Of several processes that need the same file one fetches it, the others wait.

    Args:
        source: the file.
        read: gives what the file holds.

    Returns:
        The path, and what ``read`` gave.

    Raises:
        DatasetError: the file is not there and cannot be fetched; the message says which file to put where.

    Examples:
        >>> import tempfile, unittest.mock as mock
        >>> with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, DEZERO_DATA=folder):
        ...     _ = Path(folder, "ones.txt").write_text("111")
        ...     obtain(Source("Ones", "ones.txt", (), 10), Path.read_text)[1]
        '111'
    """
    with suppress(FileFormatError, OSError):  # a bad file is looked at again below, when no other process can be writing it
        for path in _present(source):
            return path, read(path)
    folder = _folder_to_write(source)
    if folder is None or is_offline() and not _present(source):
        raise DatasetError(_missing(source, "DEZERO_OFFLINE is set" if is_offline() else "no folder can be written to", folder))
    target = folder / source.name
    folder.mkdir(parents=True, exist_ok=True)
    with file_lock(target.with_name(target.name + ".lock")):
        for path in _present(source):
            try:
                return path, read(path)
            except FileFormatError as error:
                _set_aside(path, source, target, error)
            except OSError as error:
                warnings.warn(f"{path} cannot be read: {error}", RuntimeWarning, stacklevel=2)
        if is_offline():
            raise DatasetError(_missing(source, "DEZERO_OFFLINE is set", folder))
        return _download(source, target, read)


def _download(source: Source, target: Path, read: Callable[[Path], T]) -> tuple[Path, T]:
    part = target.with_name(target.name + ".part")
    if not source.resume:
        part.unlink(missing_ok=True)
    troubles: list[str] = []
    for url in source.urls:
        for _ in range(2):  # once more from the start if the beginning came from elsewhere
            resumed = part.exists()
            try:
                fetch(url, part, source.max_bytes, source.name)
                if source.sha256 is not None and sha256_of(part) != source.sha256:
                    raise FileFormatError("another SHA-256 than expected")
                value = read(part)
            except FileFormatError as error:
                part.unlink(missing_ok=True)
                if resumed:
                    continue
                troubles.append(f"{urlsplit(url).netloc}: {error}")
            except (DatasetError, OSError) as error:
                troubles.append(str(error))
                if not source.resume:
                    part.unlink(missing_ok=True)
            else:
                os.replace(part, target)
                return target, value
            break
    raise DatasetError(_missing(source, "it could not be fetched (" + "; ".join(troubles).replace(str(part), source.name) + ")", target.parent))


def _missing(source: Source, why: str, folder: Path | None) -> str:
    """The one line that says what to do."""
    url = f" from {source.urls[0]}" if source.urls else ""
    where = folder or cache_folder() / next(iter(source.folders), "")
    return f"{source.title}: {source.name} is not here, and {why}: get it{url} and put it into {where}, or set DEZERO_DATA to the folder that has it"


def _places(source: Source) -> Iterator[Path]:
    """Every path where the file may be, in the order of search."""
    for base in data_folders():
        for folder in (*source.folders, *([""] if source.flat else [])):
            for name in source.names:
                yield base / folder / name


def _present(source: Source) -> list[Path]:
    return [path for path in _places(source) if path.is_file()]


def _folder_to_write(source: Source) -> Path | None:
    """The first data folder that takes new files; the book's is left as it is."""
    for base in data_folders()[:-1]:
        near = base
        while not near.exists() and near != near.parent:
            near = near.parent
        folder = base / next(iter(source.folders), "")
        if near.is_dir() and _writable(folder if folder.exists() else near):
            return folder
    return None


def _writable(folder: Path) -> bool:
    """May files be put there? A folder marked as read-only is left alone even by root."""
    return bool(folder.stat().st_mode & 0o222) and os.access(folder, os.W_OK | os.X_OK)


def _set_aside(path: Path, source: Source, target: Path, error: FileFormatError) -> None:
    """Rename a bad file if it lies where only this data set has files; elsewhere it may be whole and belong to something else."""
    own = [Path(folder).parts for folder in source.folders]
    if path.parent != target.parent and not any(path.parent.parts[-len(parts):] == parts for parts in own):
        warnings.warn(f"{path} is passed over: {error}", RuntimeWarning, stacklevel=3)
        return
    bad = path.with_name(path.name + ".bad")
    try:
        os.replace(path, bad)
        warnings.warn(f"{path} is damaged and was renamed to {bad.name}: {error}", RuntimeWarning, stacklevel=3)
    except OSError:
        warnings.warn(f"{path} is damaged and passed over: {error}", RuntimeWarning, stacklevel=3)


def get_file(url: str, file_name: str | None = None, sha256: str | None = None, max_bytes: int = 1 << 33) -> str:
    """The path of a file from the web, which is fetched once and kept.

    Args:
        url: an https address.
        file_name: the name to keep it under; the last part of the address if None.
        sha256: the hash that its bytes must have, in hex; without it only a web page in place of the file, or nothing, is noticed.
        max_bytes: no more than this is fetched.

    Returns:
        The path, as a str.

    Raises:
        DatasetError: it cannot be fetched, or is something else than ``sha256`` says.
        ValueError: ``file_name`` has folders in it.

    Examples:
        >>> import tempfile, unittest.mock as mock
        >>> with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, DEZERO_DATA=folder):
        ...     _ = Path(folder, "zebra.jpg").write_bytes(b"image")
        ...     os.path.basename(get_file("https://example.org/zebra.jpg"))
        'zebra.jpg'
    """
    check_url(url)
    name = unquote(urlsplit(url).path.rpartition("/")[2]) if file_name is None else file_name
    if not name or name in (".", "..") or any(c in name for c in "/\\\0:"):
        raise ValueError(f"get_file: the file name is {name!r}: a plain name without folders is expected; pass file_name")

    def read(path: Path) -> None:
        if sha256 is not None and sha256_of(path) != sha256.lower():
            raise FileFormatError("another SHA-256 than expected")
        if sha256 is None and not path.stat().st_size:
            raise FileFormatError("it is empty")
        if not name.lower().endswith((".html", ".htm", ".txt", ".xml", ".svg")):
            with path.open("rb") as file:
                if file.read(256).lstrip().lower().startswith((b"<!doctype html", b"<html")):
                    raise FileFormatError("a web page came in place of the file")

    source = Source("get_file", name, (url,), max_bytes, resume=sha256 is not None)
    return str(obtain(source, read)[0])


cache_dir = str(cache_folder())  # the book's name: where downloads go, as it was on import

__all__ = ["Source", "cache_dir", "cache_folder", "data_folders", "get_file", "is_offline", "obtain", "sha256_of"]
