"""The training steps of ``mlp.py`` on the GPU: dezero on CuPy against CuPy by hand."""

from __future__ import annotations

from benchmarks.harness import Row, alternate, benchmark, check_agreement, compare
from benchmarks.mlp import CLASSES, INPUTS, by_dezero, by_hand


def missing() -> str:
    """What keeps the GPU from being used, or nothing."""
    try:
        import cupy
        return "" if cupy.cuda.runtime.getDeviceCount() else "CuPy finds no device"
    except Exception as error:  # not installed, or no driver
        return str(error)


def measure(hidden: int, quick: bool) -> list[Row]:
    """As ``mlp.measure``, waiting for the device at the end of each turn."""
    import cupy
    competitors = {"ours": by_dezero(cupy, hidden), "CuPy by hand": by_hand(cupy, hidden)}
    for _ in range(10):
        for competitor in competitors.values():
            competitor.step()
    check_agreement({name: map(cupy.asnumpy, competitor.parameters()) for name, competitor in competitors.items()}, 1e-4)
    times = alternate({name: competitor.step for name, competitor in competitors.items()}, quick, cupy.cuda.get_current_stream().synchronize)
    return compare(f"MLP step {INPUTS}-{hidden}-{CLASSES}, GPU", times, {"CuPy by hand": None})


@benchmark("mlp-50-gpu", gpu=True)
def mlp_50(quick: bool) -> list[Row]:
    """784-50-10: the cost of launching kernels counts."""
    return measure(50, quick)


@benchmark("mlp-1000-gpu", gpu=True)
def mlp_1000(quick: bool) -> list[Row]:
    """784-1000-10."""
    return measure(1000, quick)
