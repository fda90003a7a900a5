"""16 threads train networks of their own while 8 others switch ``no_grad`` on and off: the weights must be those of training alone, to the byte."""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.harness import Row, benchmark
from benchmarks.small import small_network
from dezero import Variable, no_grad

TRAINERS, STORMERS = 16, 8


def train(seed: int, steps: int) -> bytes:
    """The bytes of all weights after training a small network drawn from ``seed``."""
    step, parameters = small_network(seed)
    for _ in range(steps):
        step()
    return b"".join(p.data.tobytes() for p in parameters)


def storm(stop: threading.Event) -> int:
    """Switch recording off and on until told to stop; how often it was on or off at the wrong time."""
    x, wrong = Variable(np.ones(3)), 0
    while not stop.is_set():
        with no_grad():
            wrong += (x * x).creator is not None
        wrong += (x * x).creator is None
    return wrong


@benchmark("threads")
def together(quick: bool) -> list[Row]:
    """Alone, one after the other; then all at once in the storm."""
    steps = 50 if quick else 500
    start = time.perf_counter()
    alone = [train(seed, steps) for seed in range(TRAINERS)]
    half = time.perf_counter()
    stop, interval = threading.Event(), sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    with ThreadPoolExecutor(TRAINERS + STORMERS) as pool:
        storms = [pool.submit(storm, stop) for _ in range(STORMERS)]
        try:
            found = list(pool.map(train, range(TRAINERS), [steps] * TRAINERS))
        finally:
            stop.set()
            sys.setswitchinterval(interval)
        wrong = sum(s.result() for s in storms)
    seconds = time.perf_counter() - half
    differ = sum(a != b for a, b in zip(alone, found, strict=True))
    return [Row(f"{TRAINERS} threads: networks whose bytes differ from training alone", differ, 0, "",
                f"{steps} steps each: alone {half - start:.1f} s, in the storm {seconds:.1f} s"),
            Row(f"{STORMERS} threads of no_grad: wrong modes seen", wrong, 0, "")]
