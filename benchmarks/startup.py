"""What ``import dezero`` costs beyond ``import numpy``, and what it loads."""

from __future__ import annotations

import subprocess
import sys
from statistics import median

from benchmarks.harness import ROOT, Row, benchmark, told

HEAVY = ("matplotlib", "PIL", "scipy", "cupy", "numba", "torch", "pandas")
TIMED = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"
LOADED = f"import sys, dezero; print(*sorted({{name.partition('.')[0] for name in sys.modules}} & set({HEAVY!r})))"


def python(code: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


@benchmark("import")
def import_time(quick: bool) -> list[Row]:
    """Fresh processes, alternating."""
    times: dict[str, list[float]] = {"numpy": [], "dezero": []}
    for module in times:
        python(TIMED.format(module))  # writes the byte code
    for _ in range(5 if quick else 25):
        for module, seconds in times.items():
            seconds.append(float(python(TIMED.format(module))))
    loaded = python(LOADED).split()
    beyond = median(times["dezero"]) - median(times["numpy"])
    detail = ", ".join(told(module, seconds) for module, seconds in times.items())
    return [Row("import dezero beyond import numpy", beyond, 0.1, "s", detail, data=times),
            Row("heavy modules that import dezero loads", len(loaded), 0, "", ", ".join(loaded) or f"none of {', '.join(HEAVY)}")]
