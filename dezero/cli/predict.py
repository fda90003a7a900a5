"""``dezero predict``: what a trained model sees in photos and scans."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

import dezero.functions as F
from dezero.cli.settings import FILE, Settings
from dezero.cli.tasks import IMAGE, Task
from dezero.cli.train import WEIGHTS, load_model
from dezero.datasets import open_image
from dezero.training import Evaluator
from dezero.transforms.scan import prepare_digit

DIGITS = ("digits", "mnist")


def newest_run(base: Path = Path("runs")) -> Path:
    """The folder of the run under ``base`` whose weights are the newest.

    Raises:
        FileNotFoundError: there is none.
    """
    found = sorted(base.glob(f"**/{WEIGHTS}"), key=lambda path: path.stat().st_mtime)
    found = [path.parent for path in found if (path.parent / FILE).exists()]
    if not found:
        raise FileNotFoundError(f"no trained model in {base}/: train one by `dezero demo` or `dezero train`, or name its folder by --run")
    return found[-1]


def predict(images: list[Path], folder: Path | None, top: int = 3) -> int:
    """Print the most probable classes of each image.

    Returns:
        0, or 1 if an image could not be read; the others are told all the same.
    """
    folder = folder or newest_run()
    settings, task, model = load_model(folder)
    if task.kind != IMAGE:
        raise ValueError(f"{folder}: its model was trained on {settings.data}, which are no images")
    status = 0
    print(f"model: {folder} ({settings.data}, {settings.model})")
    if settings.data == "digits":
        print("note: it sees 8x8 pixels and knows the hands of one data set; a model trained with --data mnist reads photos better", file=sys.stderr)
    for path in images:
        try:
            x = prepared(path, settings, task)
        except (OSError, ValueError, TypeError) as error:
            print(f"{path}: {str(error).removeprefix('prepare_digit: ')}", file=sys.stderr)
            status = 1
            continue
        p = F.softmax(Evaluator(model).predict(x).astype(np.float64)).data[0]
        best = np.argsort(-p, kind="stable")[:top]
        print(f"{path}: " + ", ".join(f"{task.classes[i]} ({p[i]:.1%})" for i in best))
    return status


def prepared(path: Path, settings: Settings, task: Task) -> Any:
    """The image in the form in which the model got its images, a batch of one."""
    if not path.exists():
        raise FileNotFoundError("there is no such file")
    channels, height, width = task.shape
    if settings.data in DIGITS:
        # MNIST's digits fill 20 of 28 pixels; those of 8x8 fill their box.
        x = prepare_digit(path, (height, width), fill=20 / 28 if height >= 20 else 1.0)
    else:
        image = open_image(path).convert("L" if channels == 1 else "RGB").resize((width, height))
        x = np.asarray(image, np.float32).reshape(height, width, channels).transpose(2, 0, 1) / 255
    x = x[None].astype(np.float32)
    return x.reshape(1, -1) if settings.model == "mlp" else x
