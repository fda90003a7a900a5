"""What training reaches: the error on unseen data, in per cent, of networks on MNIST, on the spiral and in the demo."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import dezero.functions as F
from benchmarks.harness import ROOT, THREAD_VARIABLES, Row, benchmark
from dezero import DataLoader, datasets, models, optimizers, transforms
from dezero.training import LearningRateScheduler, Trainer

MNIST_BESIDE = ROOT.parent / "shared" / "data"


def train(model: Any, sets: tuple[Any, Any], optimizer: Any, epochs: int, batch: int = 100, cosine: bool = False) -> tuple[float, float]:
    """The test error in per cent after some epochs, and the seconds that they took."""
    optimizer.setup(model)
    loader = DataLoader(sets[0], batch, seed=0)
    schedule = [LearningRateScheduler(optimizers.CosineLR(optimizer, epochs * len(loader)), by="batch")] if cosine else []
    trainer = Trainer(model, optimizer, F.softmax_cross_entropy, {"accuracy": F.accuracy}, schedule)
    start = time.perf_counter()
    trainer.fit(loader, epochs=epochs)
    seconds = time.perf_counter() - start
    return 100 * (1 - trainer.evaluate(DataLoader(sets[1], 500, shuffle=False))["accuracy"]), seconds


def mnist(flat: bool) -> tuple[Any, Any] | None:
    """MNIST's two parts, or None where its files are not."""
    if "DEZERO_DATA" not in os.environ and MNIST_BESIDE.is_dir():
        os.environ["DEZERO_DATA"] = str(MNIST_BESIDE)
    os.environ["DEZERO_OFFLINE"] = "1"
    steps = [transforms.ToFloat(), transforms.Normalize(0.0, 255.0)]
    try:
        transform = transforms.Compose([transforms.Flatten(), *steps] if flat else steps)
        return datasets.MNIST(True, transform), datasets.MNIST(False, transform)
    except RuntimeError as error:
        print(f"accuracy: left out MNIST: {error}", file=sys.stderr)
        return None


@benchmark("accuracy")
def accuracy(quick: bool) -> list[Row]:
    """Whole trainings from a fixed seed; with one thread only, since the errors hardly depend on it and a busy machine hardly slows it."""
    if os.environ.get(THREAD_VARIABLES[0]) != "1":
        return []
    rows = []
    np.random.seed(0)
    if (sets := mnist(flat=True)) is not None:
        error, seconds = train(models.MLP((1000, 10), F.relu, "he", 784), sets, optimizers.Adam(), 1 if quick else 5, cosine=True)
        rows.append(row("MNIST, 784-1000-10, ReLU, Adam, cosine rate, 5 epochs", error, None if quick else 2.0, seconds))
    if (sets := mnist(flat=False)) is not None and not quick:
        error, seconds = train(models.CNN(channels=((16,), (32, 32))), sets, optimizers.Adam(0.002), 3, cosine=True)
        rows.append(row("MNIST, CNN 16-32-32 with batch norm, Adam, cosine rate, 3 epochs", error, 1.0, seconds))
    spiral = datasets.Spiral(train=True), datasets.Spiral(train=False)
    error, seconds = train(models.MLP((10, 3)), spiral, optimizers.SGD(1.0), 300, 30)
    rows.append(row("spiral, 2-10-3, sigmoid, SGD 1.0, 300 epochs", error, 5.0, seconds))
    return [*rows, *demo()]


def row(what: str, error: float, target: float | None, seconds: float) -> Row:
    """A row for an error."""
    return Row(f"{what}: test error", error, target, "%", f"accuracy {100 - error:.2f} %, {seconds:.1f} s of training", data={"seconds": seconds})


def demo() -> list[Row]:
    """``dezero demo`` as a user runs it: the whole time of the process, and what it says it reached."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", "dezero", "demo"], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True,
                              capture_output=True, text=True)
        seconds = time.perf_counter() - start
        pictures = sorted(p.name for p in Path(folder, "runs", "demo").glob("*.png"))
    reached = float(next(line for line in done.stdout.splitlines() if "of the unseen digits" in line).split("%")[0])
    return [Row("dezero demo: test error", 100 - reached, 2.5, "%", f"accuracy {reached} %; pictures: {', '.join(pictures)}"),
            Row("dezero demo: time of the whole process", seconds, 15.0, "s")]
