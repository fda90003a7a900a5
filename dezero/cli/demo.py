"""``dezero demo``: train a digit classifier on the bundled data, and show what it learned."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import dezero.functions as F
from dezero.cli.report import pictures, probabilities
from dezero.cli.settings import FILE, Settings
from dezero.cli.train import Run, run
from dezero.viz import draw_graph_png

DEFAULT = Path("runs/demo")  # each demo takes the place of the one before
SETTINGS = Settings(data="digits", model="cnn", epochs=8, batch_size=32, optimizer="adam", lr=0.004, schedule="onecycle", seed=0, threads=1)


def demo(out: Path) -> int:
    """Train, write pictures and weights into ``out``, and say what to do next."""
    if out != DEFAULT and (out / FILE).exists() and Settings.load(out) != SETTINGS:
        raise ValueError(f"--out {out}: it holds another run: choose another folder")
    start = time.perf_counter()
    print("1,437 handwritten digits of 8x8 pixels to learn from, 360 to be tested on; a convolution network learns to read them.")
    out.mkdir(parents=True, exist_ok=True)
    made = run(SETTINGS, out)
    if made.history.interrupted:
        print("stopped before the end: nothing else was written")
        return 130
    seconds = time.perf_counter() - start
    pictures(made)
    drawn = draw(made)
    p, t = probabilities(made.trainer.model, made.task.test)
    wrong = int((p.argmax(axis=1) != t).sum())
    print(f"\n{1 - wrong / len(t):.1%} of the unseen digits read right ({wrong} of {len(t)} wrong) after {seconds:.1f} s of training")
    for name, text in (("curves.png", "loss and accuracy while it learned"), ("confusion.png", "which digit was taken for which"),
                       ("mistakes.png", "the worst mistakes, with predicted and true digit"), (drawn, "the computation graph of one training step"),
                       ("model.safetensors", "the weights")):
        if name and (out / name).exists():
            print(f"  {out / name!s:<32}{text}")
    scan = write_scan(made, out / "scan.png")
    dezero = program()
    print(f"\nNext:\n  {dezero} predict {scan or 'PHOTO.png'}\n      reads a scan; put a photo of your own digit there"
          f"\n  {dezero} train --data digits --optimizer sgd --lr 0.1 0.5 2 5\n      compares learning rates, and shows why the high ones fail"
          f"\n  {dezero} train --help\n      tells of other data, models and optimizers")
    return 0


def program() -> str:
    """The words that start the command line here."""
    if shutil.which("dezero"):
        return "dezero"
    beside = Path(sys.executable).with_name("dezero")
    path = beside if beside.exists() else Path(sys.executable)
    shown = os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
    return shown if path == beside else f"{shown} -m dezero"


def write_scan(made: Run, path: Path) -> Path | None:
    """An unseen digit as dark ink on light paper, to try ``predict`` with; None where Pillow is missing."""
    try:
        from PIL import Image
    except ImportError:
        return None
    ink = np.kron(made.task.test.data[0, 0] / 16, np.ones((24, 24)))
    paper = np.full((272, 272), 235.0)
    paper[40:232, 40:232] -= 190 * ink
    Image.fromarray(paper.astype(np.uint8)).save(path)
    return path


def draw(made: Run) -> str:
    """Draw the graph of the loss on two images; the name of the picture, or nothing where matplotlib is missing."""
    x, t = made.task.test[:2]
    loss: Any = F.softmax_cross_entropy(made.trainer.model(x), t)
    try:
        draw_graph_png(loss, made.folder / "graph.png")
    except ImportError:
        return ""
    return "graph.png"
