"""How many launches a training step takes, as the emulated device tells: ``python -m tests.cuda.launches`` prints the table of docs/design/gpu.md."""

from __future__ import annotations

import types
from collections import Counter
from contextlib import contextmanager
from typing import Any

import numpy as np

from benchmarks.gpu_problems import Perceptron, Problem, Recurrent, Residual, Transformer, ours
from dezero.backend import register_module, unregister_module
from dezero.backend.cuda import cudnn
from dezero.backend.cuda.launch import counting
from tests import strict
from tests.cuda import emulator
from tests.cuda.cudnn import Library
from tests.strict import StrictArray

# The networks of the benchmarks with as many layers and steps, on fewer features: launches do not depend on these.
NETWORKS: dict[str, tuple[Problem, str]] = {
    "MLP 784-1000-10": (Perceptron(4, (12, 16, 5)), "float32"),
    "MLP 4 x 4096, bfloat16": (Perceptron(4, (8, 8, 8, 8, 5)), "bfloat16"),
    "ResNet-50": (Residual(2, size=32, classes=5, layers=50), "float32"),
    "GPT, 12 layers, bfloat16": (Transformer(2, 11, 6, 12, 2, 12), "bfloat16"),
    "LSTM, 2 layers, 128 steps": (Recurrent(2, 11, 128, 5, 8, 2), "float32"),
}
KINDS = ("dezero's kernels", "cuBLAS", "cuDNN", "CuPy's", "all")
IN_PLACE = {"__setitem__", "fill", "sort", "put", "copyto", *(f"__i{name}__" for name in ("add", "sub", "mul", "truediv", "pow", "and", "or", "xor"))}
NO_WORK = {"empty", "empty_like", "get", "item", "set", "__init__"}


def makes_or_changes(name: str, args: Any, kwargs: Any, y: Any) -> bool:
    """Did a call of this name compute something? A view does not, nor does memory that nobody has written to."""
    if name in IN_PLACE or kwargs.get("out") is not None:
        return True
    given = [a._a for a in args if isinstance(a, StrictArray)]
    made = [v._a for v in (y if isinstance(y, (tuple, list)) else [y]) if isinstance(v, StrictArray)]
    return name not in NO_WORK and any(v.size and not any(np.may_share_memory(v, a) for a in given) for v in made)


@contextmanager
def counting_calls() -> Any:
    """Count by name the calls of array functions, methods and operators that compute something: about a launch of CuPy's each."""
    found: Counter[str] = Counter()
    put_back: list[Any] = []

    def counted(name: str, f: Any) -> Any:
        def run(*args: Any, **kwargs: Any) -> Any:
            y = f(*args, **kwargs)
            found[name] += makes_or_changes(name, args, kwargs, y)
            return y
        return run

    def watch(owner: Any, name: str, f: Any, label: str) -> None:
        put_back.append((owner, name, f))
        setattr(owner, name, counted(label, f))

    for name, f in list(vars(StrictArray).items()):
        if isinstance(f, types.FunctionType) and name not in NO_WORK:
            watch(StrictArray, name, f, name)
    for name, f in list(vars(strict.xp).items()):  # those that were used before
        if isinstance(f, types.FunctionType):
            watch(strict.xp, name, f, name)
        elif isinstance(f, strict._Ufunc):
            watch(f, "_run", f._run, name)
    try:
        yield found
    finally:
        for owner, name, f in put_back:
            setattr(owner, name, f)


def launches(problem: Problem, precision: str) -> dict[str, int]:
    """Launches of a training step, by kind, on the emulated device."""
    step = ours(problem, "cuda", precision).step
    for _ in range(2):
        step()
    with counting() as own, counting_calls() as others:
        step()
    kinds = {"cublas": 1, "cudnn": 2}
    numbers = [0, 0, 0, sum(others.values())]
    for name, n in own.items():
        numbers[kinds.get(name.split("_")[0], 0)] += n
    return dict(zip(KINDS, (*numbers, sum(numbers)), strict=True))


def main() -> None:
    """Print the table."""
    register_module(StrictArray, emulator.module)
    emulator.use_module(emulator.module)
    cudnn.use(Library())
    try:
        print(f"| training step | {' | '.join(KINDS)} |\n|---|{'---|' * len(KINDS)}")
        for name, (problem, precision) in NETWORKS.items():
            print(f"| {name} | {' | '.join(map(str, launches(problem, precision).values()))} |", flush=True)
    finally:
        cudnn.use(None)
        emulator.use_module(None)
        unregister_module(StrictArray)


if __name__ == "__main__":
    main()
