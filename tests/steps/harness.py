"""Runs a script as a reader would: in a clean process, in an empty folder, without network, Graphviz or a home to write to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from steps import support

ROOT = Path(__file__).resolve().parents[2]
STEPS = ROOT / "steps"
TIMEOUT = 300

# Loaded by Python itself at the start of the process. A script that opens a connection fails there, in plain sight.
GUARD = """
import socket
def refuse(*args, **kwargs):
    raise OSError("this script opens a network connection")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
"""

# Runs main() once more, and hands its numbers over beside the output.
NUMBERS = """
import importlib, json, sys
from pathlib import Path
sys.path.insert(0, {folder!r})
numbers = importlib.import_module({name!r}).main(fast={fast})
plain = lambda x: x.tolist() if hasattr(x, "tolist") else [*x] if isinstance(x, (set, frozenset, tuple)) else repr(x)
Path({to!r}).write_text(json.dumps(numbers, default=plain), encoding="utf-8")
"""


def command(arguments: list[str], folder: Path, extra: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python in an empty folder; warnings are errors, and the hash seed is another each time."""
    guard = folder / "guard"
    home, work = folder / "home", folder / "work"
    for made in (guard, home, work):
        made.mkdir(exist_ok=True)
    (guard / "sitecustomize.py").write_text(GUARD, encoding="utf-8")
    home.chmod(0o500)
    kept = {k: v for k, v in os.environ.items() if k in ("SYSTEMROOT", "TEMP", "TMP", "LANG", "LC_ALL")}
    # no PATH: neither dot nor anything else is found; one thread, so that tests beside this one do not slow it down
    env = {**kept, "HOME": str(home), "PYTHONPATH": str(guard), "PYTHONHASHSEED": "random", "OPENBLAS_NUM_THREADS": "1", "PATH": "",
           "PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1", **(extra or {})}
    return subprocess.run([sys.executable, "-W", "error", *arguments], cwd=work, env=env, capture_output=True, text=True, encoding="utf-8",
                          timeout=TIMEOUT, check=False, stdin=subprocess.DEVNULL)


def script(name: str) -> Path:
    """The file of a script: step01, f01 or w01."""
    return support.script(name)


def run_script(name: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a script with options."""
    with tempfile.TemporaryDirectory() as folder:
        return command([str(script(name)), *options], Path(folder))


@cache
def numbers(name: str, fast: bool = False, mnist: bool = False) -> tuple[dict[str, Any], str]:
    """What ``main()`` returns, and what it prints, in a clean process."""
    with tempfile.TemporaryDirectory() as folder:
        to = Path(folder) / "numbers.json"
        extra = {"DEZERO_DATA": str(ROOT.parent / "shared" / "data")} if mnist else None
        code = NUMBERS.format(folder=str(script(name).parent), name=name, fast=fast, to=str(to))
        done = command(["-c", code], Path(folder), extra)
        assert done.returncode == 0, f"{name}: main() failed\n{done.stdout}\n{done.stderr}"
        return json.loads(to.read_text(encoding="utf-8")), done.stdout
