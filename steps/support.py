"""What the scripts share: they find the package beside this folder, read --out and --fast, save pictures, and end with a line that says so."""

from __future__ import annotations

import argparse
import importlib.util
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FOLDERS = {"step": HERE, "f": HERE / "foundations", "w": HERE / "workshop"}
if importlib.util.find_spec("dezero") is None:  # not installed: the package is beside this folder
    sys.path.insert(1, str(HERE.parent))


def run(main: Callable[..., dict[str, Any]]) -> None:
    """Run a script's ``main`` with the options of the command line, then print its last line."""
    file = Path(main.__globals__["__file__"]).resolve()
    name, place = file.stem, file.relative_to(HERE.parent).as_posix()
    parser = argparse.ArgumentParser(prog=f"python {place}", description=(main.__globals__.get("__doc__") or "").strip().split("\n")[0])
    parser.add_argument("--out", type=Path, metavar="DIR", help="save the pictures there (needs matplotlib)")
    parser.add_argument("--fast", action="store_true", help="a short run")
    options = parser.parse_args()
    quiet_pipes()
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
    main(out=options.out, fast=options.fast)
    print(f"{name} ok")


def script(name: str) -> Path:
    """The file of a script: step01, f01 (foundations) or w01 (workshop)."""
    return FOLDERS[name.rstrip("0123456789")] / f"{name}.py"


def quiet_pipes() -> None:
    """Let the output go anywhere: to a console that lacks a letter, which shows ?, or into ``head``, which stops to read."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)


@contextmanager
def picture(path: Path, rows: int = 1, columns: int = 1, size: tuple[float, float] = (6.0, 4.0)) -> Iterator[Any]:
    """Axes of matplotlib to draw on (an array of them, if there are several); the file is written when the block ends."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise SystemExit("--out needs matplotlib: pip install 'dezero[plot]'; without --out the script runs as it is") from None
    figure = Figure(figsize=size, layout="constrained")
    yield figure.subplots(rows, columns)
    figure.savefig(path, dpi=120)
