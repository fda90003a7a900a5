"""The benchmarks of the GPU: both sides train the same network, and the programs run through, on the emulated device and in PyTorch on the CPU."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import dezero
from benchmarks import gpu, gpu_counts
from benchmarks.gpu_problems import Problem, Residual, ours, theirs
from benchmarks.harness import GPU_PROGRAMS
from tests.cuda.emulator import StrictArray

SMALL = gpu.SMALL


@pytest.mark.usefixtures("emulated")
@pytest.mark.parametrize("name", ["mlp", "cnn", "lstm", "gpt", pytest.param("resnet", marks=pytest.mark.slow)])
def test_the_losses_on_the_device_are_those_of_the_host(name: str) -> None:
    device, host = ours(SMALL[name], "cuda"), ours(SMALL[name], "cpu")
    steps = 5 if name != "resnet" else 3
    gpu.check_losses({"device": gpu.losses(device.step, steps), "host": gpu.losses(host.step, steps)}, 1e-5)
    assert all(isinstance(p, StrictArray) for p in device.parameters())


@pytest.mark.torch
@pytest.mark.parametrize(("problem", "steps"), [*((SMALL[name], 5) for name in SMALL), (Residual(4, size=64, classes=5, layers=50), 1)])
def test_pytorch_computes_the_same(problem: Problem, steps: int) -> None:
    torch = pytest.importorskip("torch")
    found = {"ours": gpu.losses(ours(problem, "cpu").step, steps), "PyTorch": gpu.losses(theirs(problem, torch, "cpu").step, steps)}
    gpu.check_losses(found, 1e-4 if isinstance(problem, Residual) else 1e-5)  # deep networks with batch norm make rounding errors larger
    assert steps == 1 or found["ours"][0] != found["ours"][-1]


@pytest.mark.torch
@pytest.mark.parametrize("name", ["mlp", "gpt"])
def test_pytorch_computes_nearly_the_same_in_bfloat16(name: str) -> None:
    torch = pytest.importorskip("torch")
    rough, fine = (gpu.losses(theirs(SMALL[name], torch, "cpu", precision).step, 5) for precision in ("bfloat16", "float32"))
    gpu.check_losses({"bfloat16": rough, "float32": fine}, gpu.AGREEMENT["bfloat16"])
    assert rough != fine


@pytest.mark.usefixtures("emulated")
@pytest.mark.parametrize("name", ["mlp", "gpt", "lstm", "cnn"])
def test_mixed_precision_trains(name: str) -> None:
    pytest.importorskip("ml_dtypes")
    rough, fine = (gpu.losses(ours(SMALL[name], "cuda", precision).step, 5) for precision in ("bfloat16", "float32"))
    gpu.check_losses({"bfloat16": rough, "float32": fine}, gpu.AGREEMENT["bfloat16"])
    assert rough != fine, "nothing was rounded"


@pytest.fixture
def pretended(emulated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module named cupy with what the benchmarks take of it, and PyTorch on the CPU."""
    device = types.SimpleNamespace(id=0, synchronize=lambda: None)
    hook = type("MemoryHook", (), {"__enter__": lambda self: self, "__exit__": lambda self, *error: None})
    pool = types.SimpleNamespace(used_bytes=lambda: 1e6, total_bytes=lambda: 2e6, free_all_blocks=lambda: None)
    cupy: Any = types.ModuleType("cupy")
    cupy.cuda = types.SimpleNamespace(Device=lambda: device, MemoryHook=hook, runtime=types.SimpleNamespace(getDeviceCount=lambda: 1))
    cupy.get_default_memory_pool, cupy.asarray = lambda: pool, emulated.asarray
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setattr(gpu, "theirs", lambda problem, torch, device, precision: theirs(problem, torch, "cpu", precision))
    monkeypatch.setattr(gpu, "peak_of_theirs", lambda torch, step: (2.0, 3.0))
    monkeypatch.setattr(gpu, "work_of", lambda torch, step: gpu_counts.Work())
    monkeypatch.setattr(gpu, "alternate", lambda steps, quick, sync, turn: {name: [1.0, 2.0] for name in steps})
    monkeypatch.setitem(gpu.SMALL, "resnet", gpu.SMALL["cnn"])  # the emulated device is slow
    before = dezero.backend.cuda.precision.tf32
    yield
    dezero.cuda.allow_tf32(before)


@pytest.mark.usefixtures("pretended")
@pytest.mark.parametrize("name", GPU_PROGRAMS)
def test_each_program_runs_through(name: str) -> None:
    if "bf16" in name or name == "gpt-gpu":
        pytest.importorskip("ml_dtypes")
    rows = GPU_PROGRAMS[name](True)
    assert rows and all(row.met for row in rows)
    json.dumps([row.data for row in rows])


@pytest.mark.parametrize("wrong", [[1.0, 2.1], [1.0, float("nan")]])
def test_other_losses_are_refused(wrong: list[float]) -> None:
    gpu.check_losses({"ours": [1.0, 2.0], "theirs": [1.0, 2.00001]}, 1e-4)
    with pytest.raises(AssertionError, match="the losses of theirs and ours differ by"):
        gpu.check_losses({"ours": [1.0, 2.0], "theirs": wrong}, 1e-4)


def test_a_trace_is_read() -> None:
    kernel, back = {"cat": "kernel", "name": "dezero_relu", "dur": 3.0}, {"cat": "gpu_memcpy", "name": "Memcpy DtoH (Device -> Pageable)"}
    there, fill = {"cat": "gpu_memcpy", "name": "Memcpy HtoD (Pinned -> Device)"}, {"cat": "gpu_memset", "name": "Memset (Device)"}
    events = [kernel] * 3 + [back] * 6 + [there, fill, {"cat": "cuda_runtime"}, {"ph": "M"}]
    work = gpu_counts.read_trace({"traceEvents": events})
    assert (work.launches, work.to_host, work.to_device, work.fills) == pytest.approx((1, 2, 1 / 3, 1 / 3))
    assert work.seconds == pytest.approx(3e-6)


def test_without_a_gpu_it_says_so_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import __main__ as program
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--gpu", "--out", str(tmp_path / "out")])
    monkeypatch.setattr(gpu, "missing", lambda: "CuPy finds no device")
    with pytest.raises(SystemExit, match="the benchmarks on the GPU need CuPy and a CUDA device: CuPy finds no device"):
        program.main()
    assert not (tmp_path / "out").exists()
