"""Training steps on the GPU: dezero on CuPy against PyTorch, in the same process, taking turns.

Each program compares time, memory, and the losses of the first steps, and counts launches and copies. A step trains on one batch that
lies on the device; what brings batches there is measured by ``loader.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from statistics import median
from typing import Any

import numpy as np

from benchmarks.gpu_counts import own_launches, peak_of_ours, peak_of_theirs, work_of
from benchmarks.gpu_problems import Convolutional, Perceptron, Problem, Recurrent, Residual, Transformer, ours, theirs
from benchmarks.harness import Row, alternate, benchmark, compare, told, torch_or_none
from benchmarks.mlp import by_hand
from dezero import cuda

MOST_MEMORY = 1.2
STEPS_OF_LOSS = 50
TURN = 0.02  # seconds: the wait at the end of a turn counts for little then
# How far the first losses may be apart, relative to the larger one: it is float32, or its factors have 10 or 7 bits.
AGREEMENT = {"float32": 1e-4, "tf32": 1e-2, "bfloat16": 3e-2}

# What runs with --quick, and on the emulated device in tests: does it work, not how fast is it.
SMALL: dict[str, Problem] = {
    "mlp": Perceptron(8, (12, 16, 5)), "cnn": Convolutional(4, size=8, channels=3, classes=5),
    "resnet": Residual(4, size=64, classes=5, layers=18), "lstm": Recurrent(3, 11, 6, 5, 8, 2), "gpt": Transformer(2, 11, 6, 8, 2, 2)}
LARGE: dict[str, Problem] = {
    "mlp-50": Perceptron(100, (784, 50, 10)), "mlp-1000": Perceptron(100, (784, 1000, 10)),
    "mlp-4096": Perceptron(4096, (4096, 4096, 4096, 4096, 10)), "resnet50": Residual(64), "lstm": Recurrent(64),
    "gpt": Transformer(8, 50304, 1024)}
# What is trained on both sides for 50 steps.
MIDDLE: dict[str, Problem] = {
    "MLP 784-100-10": Perceptron(100, (784, 100, 10)), "CNN": Convolutional(32), "LSTM": Recurrent(16, 64, 20, 32, 64, 1),
    "GPT": Transformer(8, 64, 32, 64, 4, 2)}


def missing() -> str:
    """What keeps the GPU from being used, or nothing."""
    try:
        import cupy
        return "" if cupy.cuda.runtime.getDeviceCount() else "CuPy finds no device"
    except Exception as error:  # not installed, or no driver
        return str(error)


def choose_tf32(torch: Any, allowed: bool) -> None:
    """Let both sides multiply float32 in TF32, or neither."""
    cuda.allow_tf32(allowed)
    if torch:  # these two names go together in all versions; the newer ones must not be mixed with them
        torch.set_float32_matmul_precision("high" if allowed else "highest")
        torch.backends.cudnn.allow_tf32 = allowed


def losses(step: Callable[[], Any], n: int) -> list[float]:
    """The losses of the next ``n`` steps, which are read at the end."""
    return [float(loss) for loss in [step().data for _ in range(n)]]


def check_losses(found: dict[str, list[float]], tolerance: float) -> None:
    """Refuse to compare competitors whose losses differ.

    Raises:
        AssertionError: they do by more than ``tolerance``, relative to the larger one or to 1.
    """
    (first, expected), *others = found.items()
    for name, values in others:
        apart = distance(values, expected)
        assert apart <= tolerance, f"the losses of {name} and {first} differ by {apart:.3g}: {values} and {expected}"


def distance(a: Iterable[float], b: Iterable[float]) -> float:
    """The largest difference, relative to the larger value or to 1; infinite where there is a NaN."""
    a, b = np.array(list(a)), np.array(list(b))
    apart = np.abs(a - b) / np.maximum(1.0, np.maximum(abs(a), abs(b)))
    return float("inf") if np.isnan(apart).any() else float(apart.max())


def measure(what: str, problem: Problem, precision: str, most: float | None, quick: bool,
            more: dict[str, Callable[[], Any]] | None = None) -> list[Row]:
    """Time, memory, launches and copies of a training step, ours and PyTorch's where it is installed.

    Args:
        what: is measured, for the table.
        problem: what is trained.
        precision: "float32", "tf32" or "bfloat16".
        most: what our time may be at most, as a multiple of PyTorch's.
        quick: run for a second.
        more: further competitors, by name.
    """
    import cupy
    torch = torch_or_none()
    choose_tf32(torch, precision == "tf32")
    what = f"{what}, {precision}"
    steps = {"ours": ours(problem, "cuda", precision).step}
    if torch:
        steps["PyTorch"] = theirs(problem, torch, "cuda", precision).step
    check_losses({name: losses(step, problem.sure) for name, step in steps.items()}, AGREEMENT[precision])
    steps |= more or {}
    times = alternate(steps, quick, cupy.cuda.Device().synchronize, TURN)
    rows = compare(f"{what}: time", times, {"PyTorch": most, **dict.fromkeys(more or {})})
    if not torch:
        rows.append(Row(f"{what}: time", median(times["ours"]), None, "s", told("ours", times["ours"])))
    return rows + memory(what, steps, torch) + launches(what, steps, torch, median(times["ours"]))


def memory(what: str, steps: dict[str, Callable[[], Any]], torch: Any) -> list[Row]:
    """Our memory at the peak, against PyTorch's where it is installed."""
    used, held = peak_of_ours(steps["ours"])
    data: dict[str, Any] = {"ours": {"used": used, "held": held}}
    if not torch:
        return [Row(f"{what}: memory", used, None, "MB", f"the pool holds {held:.4g} MB", data=data)]
    theirs_used, theirs_held = peak_of_theirs(torch, steps["PyTorch"])
    data["PyTorch"] = {"used": theirs_used, "held": theirs_held}
    return [Row(f"{what}: memory / PyTorch", used / theirs_used, MOST_MEMORY, data=data,
                detail=f"at the peak {used:.4g} MB, PyTorch {theirs_used:.4g} MB; the pools hold {held:.4g} MB and {theirs_held:.4g} MB")]


def launches(what: str, steps: dict[str, Callable[[], Any]], torch: Any, seconds: float) -> list[Row]:
    """Launches in a step, and copies between host and device, which there should be none of."""
    own = own_launches(steps["ours"])
    data: dict[str, Any] = {"own": own}
    if not torch:
        return [Row(f"{what}: launches by dezero itself", sum(own.values()), None, "", "PyTorch's profiler would see CuPy's own", data=data)]
    mine, other = work_of(torch, steps["ours"]), work_of(torch, steps["PyTorch"])
    data |= {name: {"launches": work.launches, "fills": work.fills, "to host": work.to_host, "to device": work.to_device, "seconds": work.seconds,
                    "kernels": dict(work.kernels.most_common())} for name, work in (("ours", mine), ("PyTorch", other))}
    detail = f"{sum(own.values()):g} by dezero itself; PyTorch {other.launches:g}; the device works {mine.seconds / seconds:.0%} of the time"
    return [Row(f"{what}: launches", mine.launches, None, "", detail, data=data),
            Row(f"{what}: copies to and from the host", mine.to_host + mine.to_device, 0, "", f"PyTorch {other.to_host + other.to_device:g}")]


def by_hand_too(hidden: int, quick: bool, most: float | None) -> list[Row]:
    """The small MLP, against CuPy by hand as well."""
    import cupy
    problem = SMALL["mlp"] if quick else LARGE[f"mlp-{hidden}"]
    return measure(f"MLP step 784-{hidden}-10", problem, "float32", most, quick, {} if quick else {"CuPy by hand": by_hand(cupy, hidden).step})


@benchmark("mlp-50-gpu", gpu=True)
def mlp_50(quick: bool) -> list[Row]:
    """784-50-10, batch 100: the cost of launching kernels counts."""
    return by_hand_too(50, quick, None)


@benchmark("mlp-1000-gpu", gpu=True)
def mlp_1000(quick: bool) -> list[Row]:
    """784-1000-10, batch 100."""
    return by_hand_too(1000, quick, 1.5)


def program(name: str, what: str, small: str, large: str, precision: str, most: float | None) -> None:
    """Enter a program that measures one problem in one precision."""
    benchmark(name, gpu=True)(lambda quick: measure(what, SMALL[small] if quick else LARGE[large], precision, most, quick))


program("mlp-4096-bf16-gpu", "MLP step 4 x 4096, batch 4096", "mlp", "mlp-4096", "bfloat16", 1.1)
program("mlp-4096-tf32-gpu", "MLP step 4 x 4096, batch 4096", "mlp", "mlp-4096", "tf32", 1.1)
program("resnet50-gpu", "ResNet-50 step, batch 64", "resnet", "resnet50", "tf32", 1.3)  # PyTorch's convolutions use TF32 unless told otherwise
program("resnet50-float32-gpu", "ResNet-50 step, batch 64", "resnet", "resnet50", "float32", None)
program("resnet50-bf16-gpu", "ResNet-50 step, batch 64", "resnet", "resnet50", "bfloat16", None)
program("gpt-gpu", "GPT step, 12 layers of 768, 8 x 1024 ids", "gpt", "gpt", "bfloat16", 1.3)
program("lstm-gpu", "LSTM step, 2 layers of 512, 64 x 128 ids", "lstm", "lstm", "tf32", 1.3)  # so do its recurrent networks
program("lstm-float32-gpu", "LSTM step, 2 layers of 512, 64 x 128 ids", "lstm", "lstm", "float32", None)


@benchmark("losses-gpu", gpu=True)
def losses_gpu(quick: bool) -> list[Row]:
    """The losses of 50 steps on the GPU and on the CPU."""
    choose_tf32(None, False)
    rows = []
    for name, problem in ({k: SMALL[k] for k in ("mlp", "cnn", "lstm", "gpt")} if quick else MIDDLE).items():
        device, host = (losses(ours(problem, where).step, STEPS_OF_LOSS) for where in ("cuda", "cpu"))
        rows.append(Row(f"{name}: losses on the GPU and on the CPU", distance(device, host), 1e-4, "", f"from {host[0]:.4f} to {host[-1]:.4f}",
                        data={"GPU": device, "CPU": host}))
    return rows
