"""What a training step takes of the device besides time: memory at its peak, launches of kernels, copies to and from the host."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dezero.backend.cuda.launch import counting

MB = 1e6
STEPS = 3  # that are looked at


@dataclass
class Work:
    """What the device did in a step.

    Attributes:
        kernels: how often each kernel was launched, by name.
        to_host, to_device: copies between host and device.
        fills: how often memory was filled.
        seconds: how long kernels ran, added up.
    """

    kernels: Counter[str] = field(default_factory=Counter)
    to_host: float = 0
    to_device: float = 0
    fills: float = 0
    seconds: float = 0

    @property
    def launches(self) -> float:
        """Kernels in a step."""
        return sum(self.kernels.values()) / STEPS


def own_launches(step: Callable[[], Any]) -> dict[str, float]:
    """How often a step launches dezero's own kernels, and calls cuBLAS and cuDNN, by name."""
    with counting() as found:
        for _ in range(STEPS):
            step()
    return {name: n / STEPS for name, n in sorted(found.items())}


def work_of(torch: Any, step: Callable[[], Any]) -> Work:
    """What the device does in a step, seen by PyTorch's profiler, which looks at the whole process and so at CuPy's launches too."""
    step()
    torch.cuda.synchronize()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profiler:
        for _ in range(STEPS):
            step()
        torch.cuda.synchronize()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(file))
        return read_trace(json.loads(file.read_text()))


def read_trace(trace: dict[str, Any]) -> Work:
    """The work of a step from a trace of ``STEPS`` steps in Chrome's format."""
    work = Work()
    for event in trace["traceEvents"]:
        kind, name = event.get("cat"), event.get("name", "")
        if kind == "kernel":
            work.kernels[name] += 1
            work.seconds += event["dur"] / 1e6 / STEPS
        elif kind == "gpu_memset":
            work.fills += 1 / STEPS
        elif kind == "gpu_memcpy" and "DtoH" in name:
            work.to_host += 1 / STEPS
        elif kind == "gpu_memcpy" and "HtoD" in name:
            work.to_device += 1 / STEPS
    return work


class Peak:
    """The most memory that is in use in CuPy's pool while the block runs, in MB.

    Attributes:
        used: by arrays, at the peak.
        held: what the pool keeps of the device's memory at the end.
    """

    def __enter__(self) -> Peak:
        import cupy
        self.pool = pool = cupy.get_default_memory_pool()
        cupy.cuda.Device().synchronize()
        pool.free_all_blocks()

        class Hook(cupy.cuda.MemoryHook):  # type: ignore[misc, name-defined]
            name = "dezero_peak"

            def __init__(self) -> None:
                self.now = self.most = pool.used_bytes()

            def malloc_postprocess(self, *, mem_size: int, **_: Any) -> None:
                self.now += mem_size
                self.most = max(self.most, self.now)

            def free_postprocess(self, *, mem_size: int, **_: Any) -> None:
                self.now -= mem_size

        self.hook = Hook()
        self.hook.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.hook.__exit__(*error)
        self.used, self.held = self.hook.most / MB, self.pool.total_bytes() / MB


def peak_of_ours(step: Callable[[], Any]) -> tuple[float, float]:
    """MB in use by dezero's arrays at the peak of a step, and MB that CuPy's pool holds."""
    with Peak() as peak:
        for _ in range(STEPS):
            step()
    return peak.used, peak.held


def peak_of_theirs(torch: Any, step: Callable[[], Any]) -> tuple[float, float]:
    """MB in use by PyTorch's tensors at the peak of a step, and MB that its pool holds."""
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    for _ in range(STEPS):
        step()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() / MB, torch.cuda.max_memory_reserved() / MB
