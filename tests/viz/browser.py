"""A real headless Chromium for tests of pages: driven through a pipe, by real mouse and keys, with all that it asks for and complains of noted."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
KEYS = {"ArrowRight": 39, "ArrowLeft": 37, "ArrowUp": 38, "ArrowDown": 40, "Home": 36, "End": 35, "Enter": 13, "Escape": 27, "Tab": 9}
TIMEOUT = 60.0  # seconds for any answer; a busy machine is slow, and a hanging browser must not hang the tests


def find_browser() -> str | None:
    """The program, where one is installed."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class BrowserError(RuntimeError):
    """The browser did not do what it was asked."""


class Browser:
    """One process with one tab. ``requests`` and ``complaints`` hold what the page has asked for and what went wrong since ``open``."""

    def __init__(self, program: str) -> None:
        self.profile = tempfile.mkdtemp(prefix="dezero-browser-")
        ends = [*os.pipe(), *os.pipe()]
        to_browser, self._write, self._read, from_browser = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
        for end in ends:
            os.close(end)
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
                 "--disable-background-networking", "--disable-extensions", "--mute-audio", f"--user-data-dir={self.profile}",
                 "--remote-debugging-pipe", "about:blank"]
        # The protocol wants its pipe at 3 and 4; all other files of this process close by themselves.
        actions = [*((os.POSIX_SPAWN_OPEN, n, os.devnull, os.O_RDWR, 0) for n in range(3)),
                   (os.POSIX_SPAWN_DUP2, to_browser, 3), (os.POSIX_SPAWN_DUP2, from_browser, 4)]
        self._process = os.posix_spawn(program, [program, *flags], dict(os.environ), file_actions=actions, setpgroup=0)
        os.close(to_browser)
        os.close(from_browser)
        self._buffer, self._number, self._session = b"", 0, ""
        self._answers: dict[int, Any] = {}
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._loaded = False
        try:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(f"{domain}.enable")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the process, whatever it does."""
        try:
            os.killpg(self._process, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(self._process, 0)
        os.close(self._write)
        os.close(self._read)
        shutil.rmtree(self.profile, ignore_errors=True)

    # -- the protocol ----------------------------------------------------------------------------

    def call(self, method: str, **params: Any) -> Any:
        """Ask, and wait for the answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params, **({"sessionId": self._session} if self._session else {})}
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._write, data):]
        number, end = self._number, time.monotonic() + TIMEOUT
        while number not in self._answers:
            self._listen(end, method)
        answer = self._answers.pop(number)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']}")
        return answer["result"]

    def _listen(self, end: float, what: str) -> None:
        ready, _, _ = select.select([self._read], [], [], max(0.0, end - time.monotonic()))
        chunk = os.read(self._read, 1 << 16) if ready else b""
        if not chunk:
            raise BrowserError(f"{what}: {'the browser has ended' if ready else f'no answer within {TIMEOUT:.0f} s'}")
        *messages, self._buffer = (self._buffer + chunk).split(b"\0")
        for message in messages:
            found = json.loads(message)
            if "id" in found:
                self._answers[found["id"]] = found
            else:
                self._note(found["method"], found["params"])

    def _note(self, event: str, params: Any) -> None:
        if event == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif event == "Page.loadEventFired":
            self._loaded = True
        elif event == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        elif event == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(" ".join(str(a.get("value", a.get("description"))) for a in params["args"]))
        elif event == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(params["entry"]["text"])
        elif event == "Page.javascriptDialogOpening":
            self.complaints.append(f"a dialog: {params['message']}")
            # The page stands still until it is answered; the answer comes without waiting, as a call may be under way.
            message = {"id": 10**9, "method": "Page.handleJavaScriptDialog", "params": {"accept": False}, "sessionId": self._session}
            os.write(self._write, json.dumps(message).encode() + b"\0")

    # -- the page --------------------------------------------------------------------------------

    def open(self, path: Path, width: int = 1280, height: int = 800, *, dark: bool = False, language: str = "en-US") -> None:
        """Load a file from disk into a window of this size."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.prefer(dark=dark)
        self.call("Emulation.setUserAgentOverride", userAgent="dezero-tests", acceptLanguage=language)
        self.requests, self.complaints, self._loaded = [], [], False
        self.call("Page.navigate", url=path.resolve().as_uri())
        end = time.monotonic() + TIMEOUT
        while not self._loaded:
            self._listen(end, f"loading {path.name}")

    def prefer(self, *, dark: bool) -> None:
        """What the reader's system says: light or dark; motion is reduced, so that a picture of the page is always the same."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
                                                          {"name": "prefers-reduced-motion", "value": "reduce"}])

    def js(self, expression: str) -> Any:
        """The value of an expression in the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise BrowserError(f"{expression}: {found['exceptionDetails'].get('exception', {}).get('description')}")
        return found["result"].get("value")

    def wait(self, expression: str) -> None:
        """Until an expression in the page is true."""
        end = time.monotonic() + TIMEOUT
        while not self.js(expression):
            if time.monotonic() > end:
                raise BrowserError(f"never true: {expression}")
            time.sleep(0.02)

    def place(self, selector: str) -> tuple[float, float]:
        """The centre of an element, which must be there to see."""
        box = self.js(f"(() => {{ const b = document.querySelector({json.dumps(selector)})?.getBoundingClientRect(); "
                      "return b && b.width ? [b.x + b.width / 2, b.y + b.height / 2] : null })()")
        if box is None:
            raise BrowserError(f"nothing to see at {selector}")
        return box[0], box[1]

    def hit(self, x: float, y: float) -> str:
        """What a mouse would meet there: the id of the nearest element that has one."""
        return str(self.js(f"document.elementFromPoint({x}, {y})?.closest('[id]')?.id ?? ''"))

    def move(self, x: float, y: float) -> None:
        """Move the mouse."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, selector: str) -> None:
        """Move the mouse to the middle of an element and click."""
        x, y = self.place(selector)
        self.move(x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press, move and let go."""
        self.move(*start)
        self.call("Input.dispatchMouseEvent", type="mousePressed", x=start[0], y=start[1], button="left", buttons=1, clickCount=1)
        for part in (0.5, 1.0):
            x, y = (a + (b - a) * part for a, b in zip(start, end, strict=True))
            self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y, button="left", buttons=1)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", x=end[0], y=end[1], button="left", clickCount=1)

    def wheel(self, x: float, y: float, by: float) -> None:
        """Turn the wheel."""
        self.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=by)

    def touch(self, moments: list[list[tuple[float, float]]]) -> None:
        """Put fingers down at the first moment's places, move them through the others, and lift them."""
        self.call("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=2)
        for k, places in enumerate(moments):
            points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
            self.call("Input.dispatchTouchEvent", type="touchMove" if k else "touchStart", touchPoints=points)
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self.call("Emulation.setTouchEmulationEnabled", enabled=False)

    def key(self, key: str, *, shift: bool = False) -> None:
        """Press a key and let it go; a letter is typed."""
        code = KEYS.get(key, ord(key.upper()) if len(key) == 1 else 0)
        text = {} if len(key) > 1 and key != "Enter" else {"text": "\r" if key == "Enter" else key}
        common: dict[str, Any] = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        self.call("Input.dispatchKeyEvent", type="keyDown", **common, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text: str) -> None:
        """Type letter by letter."""
        for letter in text:
            self.key(letter)

    def picture(self, path: Path) -> Path:
        """Keep what the window shows as a PNG file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
        return path
