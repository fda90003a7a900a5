"""Fetching: whatever the server does, the file is whole or there is a DatasetError."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from dezero.datasets import download
from dezero.errors import DatasetError
from tests.datasets.conftest import Web, drip, endless, head, status, whole

DATA = bytes(i * 7 % 256 for i in range(5000))


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "x.part"


@pytest.mark.parametrize("url", ["http://example.org/x", "ftp://example.org/x", "file:///etc/passwd", "x", "https://", "https://[", "http://127.0.0.1/x"])
def test_only_https(url: str, part: Path) -> None:
    with pytest.raises(DatasetError):
        download.fetch(url, part, 100)
    assert not part.exists()


def test_a_file(web: Web, part: Path) -> None:
    download.fetch(web.url("/x", whole(DATA)), part, len(DATA))
    assert part.read_bytes() == DATA
    assert len(web.asked) == 1


@pytest.mark.parametrize("ranges", [True, False])
def test_resumes_what_an_earlier_process_began(web: Web, part: Path, ranges: bool) -> None:
    part.write_bytes(DATA[:1234])
    download.fetch(web.url("/x", whole(DATA, ranges=ranges)), part, len(DATA))
    assert part.read_bytes() == DATA
    assert web.asked == [("/x", "bytes=1234-")]


def test_resumes_where_the_connection_was_cut(web: Web, part: Path) -> None:
    for cut in range(50, 5000, 50):
        part.unlink(missing_ok=True)
        download.fetch(web.url("/x", whole(DATA, cut=cut)), part, len(DATA))
        assert part.read_bytes() == DATA


def test_cut_again_and_again_by_a_server_that_cannot_resume(web: Web, part: Path) -> None:
    with pytest.raises(DatasetError, match="cut"):
        download.fetch(web.url("/x", whole(DATA, cut=100, ranges=False)), part, len(DATA))
    assert len(web.asked) == 1 + download.TRIES


def test_a_part_that_is_whole_already(web: Web, part: Path) -> None:
    part.write_bytes(DATA)
    download.fetch(web.url("/x", status(416, Content_Range=f"bytes */{len(DATA)}")), part, len(DATA))
    assert part.read_bytes() == DATA


def test_a_part_longer_than_the_file_is_fetched_anew(web: Web, part: Path) -> None:
    def page(handler: BaseHTTPRequestHandler, web: Web) -> None:
        if handler.headers["Range"]:
            head(handler, 416, Content_Length=0, Content_Range=f"bytes */{len(DATA)}")
        else:
            whole(DATA)(handler, web)
    part.write_bytes(DATA + DATA)
    download.fetch(web.url("/x", page), part, len(DATA))
    assert part.read_bytes() == DATA


@pytest.mark.parametrize("answer", ["bytes 7-9/10", "nonsense", "bytes 99999999999999999999999-/1"])
def test_a_server_that_resumes_elsewhere(web: Web, part: Path, answer: str) -> None:
    def page(handler: BaseHTTPRequestHandler, web: Web) -> None:
        if handler.headers["Range"]:
            head(handler, 206, Content_Length=3, Content_Range=answer)
            handler.wfile.write(b"abc")
        else:
            whole(DATA)(handler, web)
    part.write_bytes(DATA[:1000])
    download.fetch(web.url("/x", page), part, len(DATA))
    assert part.read_bytes() == DATA


@pytest.mark.parametrize("code", [403, 404, 500, 503])
def test_a_server_that_refuses(web: Web, part: Path, code: int) -> None:
    with pytest.raises(DatasetError, match=str(code)):
        download.fetch(web.url("/x", status(code)), part, 100)
    assert len(web.asked) == (1 if code < 500 else download.TRIES)


def test_an_endless_stream_ends(web: Web, part: Path) -> None:
    with pytest.raises(DatasetError, match="more than the 100000 bytes"):
        download.fetch(web.url("/x", endless), part, 100_000)
    assert part.stat().st_size == 0


def test_a_file_larger_than_expected_is_not_begun(web: Web, part: Path) -> None:
    with pytest.raises(DatasetError, match="has 5000 bytes for x: at most 4999"):
        download.fetch(web.url("/x", whole(DATA)), part, len(DATA) - 1)
    assert not part.exists()


def test_a_server_that_drips_is_given_up(web: Web, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    with pytest.raises(DatasetError, match="bytes a second"):
        download.fetch(web.url("/x", drip), part, 100_000)


def test_a_server_that_is_silent_is_given_up(web: Web, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()
    monkeypatch.setattr(download, "TIMEOUT", 0.1)
    with pytest.raises(DatasetError, match="timed out"):
        download.fetch(web.url("/x", lambda handler, web: bool(done.wait(10)) and None), part, 100_000)
    done.set()


def test_a_redirect_is_followed(web: Web, part: Path) -> None:
    target = web.url("/y", whole(DATA))
    download.fetch(web.url("/x", status(302, Location=target)), part, len(DATA))
    assert part.read_bytes() == DATA


@pytest.mark.parametrize("target", ["http://example.org/x", "file:///etc/passwd", "ftp://example.org/x"])
def test_a_redirect_away_from_https_is_refused(web: Web, part: Path, target: str) -> None:
    with pytest.raises(DatasetError, match=r"not https|not allowed|302"):
        download.fetch(web.url("/x", status(302, Location=target)), part, len(DATA))
    assert not part.exists()


@pytest.mark.parametrize("answer", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nabc",
                                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc"])
def test_a_server_that_talks_nonsense(web: Web, part: Path, answer: bytes) -> None:
    def page(handler: BaseHTTPRequestHandler, web: Web) -> None:
        handler.wfile.write(answer)
    try:
        download.fetch(web.url("/x", page), part, 100)
    except DatasetError:
        return
    assert part.read_bytes() == b"abc"  # a length that is no number counts as none


def test_no_connection(part: Path, web: Web) -> None:
    url = web.url("/x", whole(DATA))
    web.server.shutdown()
    web.server.server_close()
    with pytest.raises(DatasetError, match="127.0.0.1"):
        download.fetch(url, part, 100)
