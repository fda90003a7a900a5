"""Graphs of a million nodes: a long chain and a wide fan, each in a process of its own, with the recursion limit at 200."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np

import dezero.functions as F
from benchmarks.harness import Row, benchmark, fresh
from dezero import Variable

PEAK_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes


def chain(n: int) -> tuple[Callable[[], Any], Callable[[Any], None]]:
    """``n`` additions, one after the other."""
    x = Variable(np.array(1.0))

    def build() -> Any:
        y = x
        for _ in range(n):
            y = y + 1.0
        return y

    def check(y: Any) -> None:
        assert float(y) == n + 1 and float(x.grad) == 1.0  # type: ignore[arg-type]
    return build, check


def fan(n: int) -> tuple[Callable[[], Any], Callable[[Any], None]]:
    """``n`` variables, each times one and the same weight, joined in one node of ``n`` inputs."""
    w = Variable(np.array(0.5))
    xs = [Variable(np.array(float(i % 7))) for i in range(n)]

    def build() -> Any:
        return F.sum(F.stack([x * w for x in xs]))

    def check(y: Any) -> None:
        assert all(float(x.grad) == 0.5 for x in xs) and float(w.grad) == 2 * float(y)  # type: ignore[arg-type]
    return build, check


def timed(graph: str, n: int) -> dict[str, float]:
    """Build, backpropagate and delete a graph of size ``n`` in this process."""
    build, check = {"chain": chain, "fan": fan}[graph](n)
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    marks = [time.perf_counter()]
    y = build()
    marks.append(time.perf_counter())
    y.backward()
    marks.append(time.perf_counter())
    check(y)
    marks.append(time.perf_counter())
    del y
    marks.append(time.perf_counter())
    sys.setrecursionlimit(before)
    built, passed, _, deleted = (b - a for a, b in pairwise(marks))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * PEAK_UNIT / 1e6
    return {"build": built, "backward": passed, "delete": deleted, "total": built + passed + deleted, "peak": peak}


def growth(graph: str, n: int, times: int) -> tuple[dict[str, float], dict[str, float], float]:
    """The medians at ``n`` and ``2 n`` of runs that alternate, and the ratio of their total times."""
    runs: dict[int, list[dict[str, float]]] = {n: [], 2 * n: []}
    for _ in range(times):
        for size, found in runs.items():
            found.append(fresh("benchmarks.scale", graph, size))
    small, large = ({key: median(run[key] for run in found) for key in found[0]} for found in runs.values())
    return small, large, large["total"] / small["total"]


def rows(graph: str, what: str, n: int, times: int, peak: float | None) -> list[Row]:
    """Time, memory and growth of a graph."""
    small, large, ratio = growth(graph, n, times)
    def parts(run: dict[str, float]) -> str:
        return f"build {run['build']:.2f} s, backward {run['backward']:.2f} s, delete {run['delete']:.2f} s"
    data = {"n": small, "2n": large}
    return [Row(f"{n:,} {what}: time", small["total"], None, "s", parts(small), data=data),
            Row(f"{n:,} {what}: peak memory of the process", small["peak"], peak, "MB", f"{large['peak']:.0f} MB at twice the size"),
            Row(f"{2 * n:,} {what}: time / half of them", ratio, 2.4, "x", parts(large))]


@benchmark("chain")
def long_chain(quick: bool) -> list[Row]:
    """A chain of 1,000,000 additions."""
    return rows("chain", "additions in a chain", 100_000 if quick else 1_000_000, 1 if quick else 5, 1300.0)


@benchmark("fan-in")
def wide_fan(quick: bool) -> list[Row]:
    """A node of 100,000 inputs."""
    return rows("fan", "inputs of one node", 10_000 if quick else 100_000, 1 if quick else 5, None)


if __name__ == "__main__":
    print(json.dumps(timed(sys.argv[1], int(sys.argv[2]))))
