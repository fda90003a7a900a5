"""One file over https: resumed where it was cut off, no larger than expected, and never waiting for ever."""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
import urllib.request
from email.message import Message
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlsplit

from dezero.datasets.progress import Bar
from dezero.errors import DatasetError

TIMEOUT = 20.0  # seconds without a byte, and the time over which the speed is measured
SLOWEST = 512  # bytes a second; below it a server counts as dead
CHUNK = 1 << 16
PLAIN = "%/:?#[]@!$&'()*+,;="  # what an address is written with; all else in it, blanks and Hangul, is quoted
TRIES = 3  # connections in a row that brought nothing
_http_on_loopback = False  # for the tests, whose server on this machine speaks http


def host_of(url: str) -> str:
    """The host in an address, for messages.

    Examples:
        >>> host_of("https://example.org/a.gz")
        'example.org'
    """
    return urlsplit(url).netloc or url


def check_url(url: str) -> None:
    """Refuse what is not https.

    Raises:
        DatasetError: says which address.

    Examples:
        >>> check_url("https://example.org/a.gz")
    """
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme, parts.hostname
    except ValueError as error:
        raise DatasetError(f"{url}: {error}") from None
    if scheme == "https" and host:
        return
    if not (_http_on_loopback and scheme == "http" and host in ("127.0.0.1", "localhost", "::1")):
        raise DatasetError(f"{url}: files are only fetched over https")


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to another https address."""

    def redirect_request(self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message,
                         newurl: str) -> urllib.request.Request | None:
        try:
            check_url(newurl)
        except DatasetError:
            raise DatasetError(f"{host_of(req.full_url)}: sends on to {newurl}, which is not https") from None
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def fetch(url: str, part: Path, limit: int, title: str = "") -> None:
    """Complete ``part`` with the file at ``url``; what is there already is not fetched again if the server can resume.

    Args:
        url: an https address.
        part: the file to write to. A cut connection leaves what has arrived, for the next try.
        limit: bytes at most.
        title: for the progress bar.

    Raises:
        DatasetError: the server cannot be reached, refuses, sends on to http, is too slow or sends too much.

    Examples:
        >>> fetch("http://example.org/a.gz", Path("a.gz.part"), 1000)
        Traceback (most recent call last):
            ...
        dezero.errors.DatasetError: http://example.org/a.gz: files are only fetched over https
    """
    check_url(url)
    opener = urllib.request.build_opener(_HttpsOnly())
    failures = 0
    while True:
        before = _size(part)
        try:
            if _receive(opener, url, part, before, limit, title):
                return
            reason = "the connection was cut"
        except urllib.error.HTTPError as error:
            reason = f"{error.code} {' '.join(str(error.reason).split())}"  # of several lines where redirects run in a circle
            error.close()
            if error.code == 416:  # what is there is no beginning of the server's file
                part.unlink(missing_ok=True)
            elif error.code < 500 and error.code != 429:
                raise DatasetError(f"{host_of(url)}: {reason}") from None
        except (TimeoutError, urllib.error.URLError) as error:
            raise DatasetError(f"{host_of(url)}: {getattr(error, 'reason', error) or 'timed out'}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = str(error) or type(error).__name__
        failures = 0 if _size(part) > before else failures + 1
        if failures == TRIES:
            raise DatasetError(f"{host_of(url)}: {reason}")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _receive(opener: urllib.request.OpenerDirector, url: str, part: Path, start: int, limit: int, title: str) -> bool:
    """One connection; True if the file is whole then."""
    headers = {"User-Agent": "dezero", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        response = opener.open(urllib.request.Request(quote(url, safe=PLAIN), headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == 416 and error.headers.get("Content-Range") == f"bytes */{start}":
            error.close()
            return True
        raise
    with response:
        begin = _begin(response) if response.status == 206 else 0
        if begin not in (0, start):
            part.unlink(missing_ok=True)
            raise ValueError("the server resumes at another place than asked")
        length: int | None = response.length
        total = None if length is None else begin + length
        if total is not None and total > limit:
            raise DatasetError(f"{host_of(url)}: has {total} bytes for {part.name.removesuffix('.part')}: at most {limit} are expected")
        with part.open("ab" if begin else "wb") as file, Bar(title, total, begin) as bar:
            received = _copy(response, file, bar, limit - begin, url)
    return length is None or received == length


def _begin(response: Any) -> int:
    """The place at which a partial answer says it begins; -1 if it does not say."""
    match = re.match(r"bytes (\d{1,18})-", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else -1


def _copy(response: Any, file: IO[bytes], bar: Bar, limit: int, url: str) -> int:
    """Write what arrives, until it ends; the number of bytes."""
    received = mark = 0
    since = time.monotonic()
    while chunk := response.read1(CHUNK):
        received += len(chunk)
        if received > limit:
            file.truncate(0)
            raise DatasetError(f"{host_of(url)}: sends more than the {limit} bytes expected")
        file.write(chunk)
        bar.update(len(chunk))
        now = time.monotonic()
        if now - since > TIMEOUT:
            if received - mark < SLOWEST * (now - since):
                raise TimeoutError(f"less than {SLOWEST} bytes a second")
            mark, since = received, now
    return received


__all__ = ["check_url", "fetch", "host_of"]
