"""100,000 training steps with the garbage collector off: what they leave behind in memory."""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path

from benchmarks.harness import Row, benchmark, fresh
from benchmarks.small import small_network


def resident() -> float:
    """The memory of this process that is in use now, in MB. Linux tells; elsewhere 0."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def train(warm_up: int, steps: int) -> list[float]:
    """Train a small network; the memory in use after the warm-up and after each tenth of the steps."""
    step, _ = small_network(0)
    gc.collect()
    gc.disable()
    used = []
    for i in range(warm_up + steps):
        if i >= warm_up and (i - warm_up) % (steps // 10) == 0:
            used.append(resident())
        step()
    return [*used, resident()]


@benchmark("memory")
def growth(quick: bool) -> list[Row]:
    """How much the memory of the process grows after the warm-up."""
    steps = 5_000 if quick else 100_000
    used = fresh("benchmarks.memory", 2_000, steps)
    return [Row(f"growth of memory over {steps:,} steps", used[-1] - used[0], 1.0, "MB", f"{used[0]:.1f} MB after the warm-up", data={"MB": used})]


if __name__ == "__main__":
    print(json.dumps(train(int(sys.argv[1]), int(sys.argv[2]))))
