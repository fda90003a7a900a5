"""How every benchmark measures: competitors take turns in one process, and what is compared are medians."""

from __future__ import annotations

import datetime
import gc
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from itertools import cycle, permutations
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass
class Row:
    """One figure and what it may be at most.

    Attributes:
        what: what was measured.
        value: the figure, in ``unit``: "x" for a ratio, else "s", "MB" or "" for a count.
        target: the most that it may be, or None where nothing was promised.
        detail: where the figure comes from, in words.
        threads: "default" or "one".
        data: the numbers behind it, for the JSON file.
    """

    what: str
    value: float
    target: float | None
    unit: str = "x"
    detail: str = ""
    threads: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        return self.target is None or self.value <= self.target


Program = Callable[[bool], list[Row]]
PROGRAMS: dict[str, Program] = {}      # name -> program(quick)
GPU_PROGRAMS: dict[str, Program] = {}


def benchmark(name: str, gpu: bool = False) -> Callable[[Program], Program]:
    """Decorator: put a program that measures and returns rows into the list."""
    def add(program: Program) -> Program:
        (GPU_PROGRAMS if gpu else PROGRAMS)[name] = program
        return program
    return add


# -- measuring -------------------------------------------------------------------------------------

def alternate(competitors: dict[str, Callable[[], Any]], quick: bool, sync: Callable[[], Any] = lambda: None,
              turn: float = 0.002) -> dict[str, list[float]]:
    """Let the competitors take turns, in all orders, and return for each the seconds per call of every turn.

    A turn is a block of calls of about 2 ms, so that caches are as warm as in a loop that trains. The garbage collector
    stays on, as in use. Turns in all orders let no competitor always follow the one that leaves threads spinning.

    Args:
        competitors: name -> what to call.
        quick: spend a second instead of many.
        sync: waits for the device, so that a turn's time is its own.
        turn: how long a turn takes, in seconds.
    """
    calls = {}
    for name, call in competitors.items():
        for _ in range(5):
            call()
        sync()
        start, n = time.perf_counter(), 0
        while time.perf_counter() - start < 0.1 or n < 3:
            call()
            n += 1
        sync()
        calls[name] = max(1, round(turn * n / (time.perf_counter() - start)))
    times: dict[str, list[float]] = {name: [] for name in competitors}
    gc.collect()
    gc.freeze()
    orders = cycle(permutations(competitors))
    end = time.perf_counter() + (1.0 if quick else 10.0)
    while time.perf_counter() < end or min(map(len, times.values())) < 12:
        for name in next(orders):
            call, n = competitors[name], calls[name]
            start = time.perf_counter()
            for _ in range(n):
                call()
            sync()
            times[name].append((time.perf_counter() - start) / n)
    gc.unfreeze()
    return times


def spread(values: list[float]) -> tuple[float, float]:
    """The quartiles: half of the values lie between."""
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = quantiles(values, n=4, method="inclusive")
    return low, high


def duration(seconds: float) -> str:
    """``1.23 ms``."""
    scale, unit = (1.0, "s") if seconds >= 1 else (1e3, "ms") if seconds >= 1e-3 else (1e6, "us")
    return f"{seconds * scale:.3g} {unit}"


def told(name: str, values: list[float]) -> str:
    """``ours 1.23 ms (1.20 ms to 1.31 ms)``: the median and the quartiles."""
    low, high = spread(values)
    return f"{name} {duration(median(values))} ({duration(low)} to {duration(high)})"


def compare(what: str, times: dict[str, list[float]], targets: dict[str, float | None], ours: str = "ours") -> list[Row]:
    """A row for each competitor in ``targets`` that took part: the ratio of our median to its median."""
    rows = []
    for other, target in targets.items():
        if other in times:
            turns = [a / b for a, b in zip(times[ours], times[other], strict=True)]
            low, high = spread(turns)
            data = {name: {"median": median(t), "quartiles": spread(t), "turns": len(t)} for name, t in times.items() if name in (ours, other)}
            rows.append(Row(f"{what} / {other}", median(times[ours]) / median(times[other]), target,
                            detail=f"{told(ours, times[ours])}, {told(other, times[other])}", data={**data, "ratio_quartiles": (low, high)}))
    return rows


def check_agreement(states: dict[str, Iterable[Any]], tolerance: float) -> None:
    """Refuse to compare competitors that do not compute the same.

    Raises:
        AssertionError: two of them differ by more than ``tolerance``, relative to the largest value.
    """
    (first, expected), *others = ((name, [np.asarray(a) for a in arrays]) for name, arrays in states.items())
    for name, found in others:
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(1.0, float(np.abs(b).max())), err_msg=f"{name} and {first} differ")


def torch_or_none() -> Any:
    """PyTorch, with as many threads as NumPy was given, or None where it is not installed."""
    try:
        import torch
    except ImportError:
        return None
    if os.environ.get(THREAD_VARIABLES[0]) == "1":
        torch.set_num_threads(1)
    return torch


def fresh(module: str, *args: object) -> Any:
    """What ``python -m module args`` prints as JSON, run in a process of its own."""
    command = [sys.executable, "-m", module, *map(str, args)]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


# -- reporting -------------------------------------------------------------------------------------

def environment() -> dict[str, Any]:
    """What the figures were measured on."""
    versions = {"Python": platform.python_version(), "NumPy": np.__version__}
    for module in ("torch", "cupy"):
        if module in sys.modules:
            versions[module] = sys.modules[module].__version__
    return {"date": datetime.datetime.now().isoformat(timespec="seconds"), "versions": versions, "cpu": cpu_model(), "processors": os.cpu_count(),
            "threads": {name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ} or "default", **gpu_model()}


def gpu_model() -> dict[str, Any]:
    """The current device and what drives it, once CuPy is in use."""
    cupy: Any = sys.modules.get("cupy")
    if cupy is None or not cupy.cuda.is_available():
        return {}
    runtime = cupy.cuda.runtime
    properties = runtime.getDeviceProperties(cupy.cuda.Device().id)
    return {"gpu": {"name": properties["name"].decode(), "memory": properties["totalGlobalMem"], "driver": runtime.driverGetVersion(),
                    "CUDA": runtime.runtimeGetVersion()}}


def cpu_model() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def shown(value: float, unit: str) -> str:
    """A figure with its unit."""
    if unit == "s":
        return duration(value)
    return f"{value:.2f} {unit}".rstrip() if unit else f"{value:g}"


def table(rows: list[Row]) -> str:
    """The rows as text."""
    cells = [("what", "threads", "measured", "at most", "", "from")]
    for r in rows:
        mark = "" if r.target is None else "ok" if r.met else "MISSED"
        cells.append((r.what, r.threads, shown(r.value, r.unit), "" if r.target is None else shown(r.target, r.unit), mark, r.detail))
    widths = [max(len(row[i]) for row in cells) for i in range(5)]
    return "\n".join("  ".join([row[0].ljust(widths[0]), row[1].ljust(widths[1]), row[2].rjust(widths[2]), row[3].rjust(widths[3]),
                                row[4].ljust(widths[4]), row[5]]).rstrip() for row in cells)


def write_json(name: str, rows: list[Row], environments: dict[str, Any], folder: Path, quick: bool) -> Path:
    """Write ``<folder>/<date>-<name>.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{datetime.date.today().isoformat()}-{name}.json"
    content = {"name": name, "quick": quick, "environments": environments, "rows": [{**asdict(r), "met": r.met} for r in rows]}
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path
