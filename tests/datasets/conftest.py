"""A home folder of its own for each test that asks for it, and a web server that misbehaves as told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dezero.datasets import download

Behaviour = Callable[[BaseHTTPRequestHandler, "Web"], None]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder; nothing of this machine's is seen."""
    for name, folder in (("HOME", "home"), ("USERPROFILE", "home"), ("XDG_CACHE_HOME", "cache"), ("LOCALAPPDATA", "cache")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    for name in ("DEZERO_DATA", "DEZERO_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "home").mkdir()
    return tmp_path


class Web:
    """A server on this machine: what it sends for a path is a function in ``pages``; what was asked is in ``asked``."""

    def __init__(self) -> None:
        self.pages: dict[str, Behaviour] = {}
        self.asked: list[tuple[str, str | None]] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked.append((self.path, self.headers["Range"]))
                try:
                    web.pages[self.path](self, web)
                except OSError:  # the client has gone
                    pass
                self.close_connection = True

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def url(self, path: str, page: Behaviour) -> str:
        self.pages[path] = page
        return f"http://127.0.0.1:{self.server.server_address[1]}{path}"


@pytest.fixture
def web(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setattr(download, "_http_on_loopback", True)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Web()
    yield server
    server.server.shutdown()
    server.server.server_close()


def start_of(handler: BaseHTTPRequestHandler) -> int:
    asked = handler.headers["Range"]
    return int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0


def head(handler: BaseHTTPRequestHandler, status: int, **headers: Any) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()


def whole(data: bytes, *, cut: int | None = None, ranges: bool = True, wait: float = 0.0) -> Behaviour:
    """Sends ``data``; at most ``cut`` bytes a connection; without ``ranges`` always from the start."""
    def send(handler: BaseHTTPRequestHandler, web: Web) -> None:
        time.sleep(wait)
        start = start_of(handler) if ranges else 0
        if start:
            head(handler, 206, Content_Length=len(data) - start, Content_Range=f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            head(handler, 200, Content_Length=len(data))
        handler.wfile.write(data[start:None if cut is None else start + cut])
    return send


def status(code: int, **headers: Any) -> Behaviour:
    return lambda handler, web: head(handler, code, Content_Length=0, **headers)


def endless(handler: BaseHTTPRequestHandler, web: Web) -> None:
    head(handler, 200)
    while True:
        handler.wfile.write(bytes(1 << 16))


def drip(handler: BaseHTTPRequestHandler, web: Web) -> None:
    """A byte now and then."""
    head(handler, 200, Content_Length=10_000)
    for _ in range(200):
        handler.wfile.write(b"x")
        time.sleep(0.02)
