"""``dezero train``: one run, or one for each learning rate, with everything it leaves in its folder."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import dezero.functions as F
from dezero.backend import device_answers
from dezero.backend.device import as_device, check
from dezero.backend.diagnosis import trouble
from dezero.cli import tasks
from dezero.cli.report import pictures, table_of_runs
from dezero.cli.settings import FILE, Settings
from dezero.dataloaders import DataLoader
from dezero.errors import FileFormatError, StateError
from dezero.serialization import load_arrays
from dezero.training import Checkpoint, CSVLogger, DeadUnits, LearningRateScheduler, ProgressBar, TerminateOnNaN, Trainer
from dezero.viz.plots import compare_curves

WEIGHTS, CHECKPOINT, HISTORY = "model.safetensors", "checkpoint.safetensors", "history.csv"


@dataclass
class Run:
    """A run and what came out."""

    settings: Settings
    folder: Path
    task: tasks.Task
    trainer: Any

    @property
    def history(self) -> Any:
        """Its history."""
        return self.trainer.history


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """NumPy's global state set to ``seed``, and back to what it was afterwards: it governs initial weights and dropout."""
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)


def blas_threads(n: int) -> AbstractContextManager[Any]:
    """Let the linear algebra library use ``n`` threads inside the block; 0, or a missing threadpoolctl, leaves it alone.

    Two threads that wait for each other make small products slow where other programs use the cores: a busy machine of two cores
    took 30 times as long for the demo.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return nullcontext()
    return threadpool_limits(n, user_api="blas") if n else nullcontext()


def prepare(settings: Settings, folder: Path, progress: bool = True) -> tuple[Run, Any, Any]:
    """A run that is ready to start, and its loaders."""
    task = tasks.load(settings)
    model = tasks.build(settings, task)
    optimizer = tasks.optimizer(settings, model)
    device = None if settings.device == "cpu" else settings.device
    loader = DataLoader(task.train, settings.batch_size, seed=settings.seed, device=device)
    test = DataLoader(task.test, max(settings.batch_size, 256), shuffle=False, device=device)
    callbacks: list[Any] = [TerminateOnNaN(), CSVLogger(folder / HISTORY)]
    scheduled = tasks.schedule(settings, optimizer, len(loader))
    if scheduled is not None:
        callbacks.append(LearningRateScheduler(scheduled[0], by=scheduled[1]))
    if settings.activation == "relu":
        callbacks.append(DeadUnits())
    callbacks.append(Checkpoint(folder / CHECKPOINT, every=settings.checkpoint_every or "epoch"))
    if progress:
        callbacks.append(ProgressBar())
    trainer = Trainer(model, optimizer, F.softmax_cross_entropy, {"accuracy": F.accuracy}, callbacks, device=device,
                      precision=settings.precision)
    return Run(settings, folder, task, trainer), loader, test


def run(settings: Settings, folder: Path, resume: bool = False, progress: bool = True) -> Run:
    """Train, and write settings, history, checkpoint and weights into the folder.

    Args:
        settings: of the run.
        folder: where it leaves its files.
        resume: go on from the checkpoint in the folder, if there is one yet.
        progress: show a bar, or a line an epoch where there is no terminal.
    """
    if settings.device != "cpu":
        if not device_answers():
            raise ValueError(f"--device {settings.device}: {trouble() or 'no CUDA device answers'}")
        check(as_device(settings.device))
    with seeded(settings.seed), blas_threads(settings.threads), np.errstate(over="ignore", invalid="ignore"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="TerminateOnNaN", category=RuntimeWarning)  # ``finish`` tells of a rate that is too high
        made, loader, test = prepare(settings, folder, progress)
        if not resume:
            settings.save(folder)
        made.task.save(folder)  # again where it was killed between the two
        if resume and (folder / CHECKPOINT).exists():
            take_up(made)
        if made.trainer.epoch < settings.epochs:
            made.trainer.fit(loader, test, settings.epochs)
        if not made.history.interrupted:
            made.trainer.model.save_weights(folder / WEIGHTS)
    return made


def take_up(made: Run) -> None:
    """Go on from the checkpoint.

    Raises:
        FileFormatError: it is damaged, and so is the one before it.
    """
    try:
        made.trainer.load(made.folder / CHECKPOINT)
    except FileFormatError as error:
        raise FileFormatError(f"{error}\nBegin the run anew: remove {made.folder / CHECKPOINT} and what begins with its name, "
                              "and give --resume again") from error


def load_run(folder: Path) -> Run:
    """The run of a folder, with its trained weights.

    Raises:
        FileNotFoundError: it is no folder of a run, or the run is not finished.
    """
    settings = finished(folder)
    with seeded(settings.seed):
        made, _, _ = prepare(settings, folder, progress=False)
    fill(made.trainer.model, folder)
    return made


def load_model(folder: Path) -> tuple[Settings, tasks.Task, Any]:
    """The settings, the task without its data, and the trained model of a run.

    Raises:
        FileNotFoundError: it is no folder of a run, or the run is not finished.
    """
    settings = finished(folder)
    task = tasks.Task.load(folder)
    with seeded(settings.seed):
        model = tasks.build(settings, task)
    fill(model, folder)
    return settings, task, model


def fill(model: Any, folder: Path) -> None:
    """Put the trained weights of the run into the model.

    Raises:
        FileFormatError: the file is damaged, or of another model than the settings tell.
    """
    try:
        model.load_state_dict(load_arrays(folder / WEIGHTS)[0])
    except StateError as error:
        raise FileFormatError(f"{folder / WEIGHTS} does not fit to the run's {FILE} and {tasks.FILE}: {error}") from error


def finished(folder: Path) -> Settings:
    """The settings of a finished run, to be used on the CPU."""
    settings = replace(Settings.load(folder), device="cpu", precision="float32")
    if not (folder / WEIGHTS).exists():
        raise FileNotFoundError(f"{folder} has no {WEIGHTS} yet: finish the run by `dezero train --resume {folder}`")
    return settings


@contextmanager
def new_folder(out: Path | None, base: Path) -> Iterator[Path]:
    """A folder for a new run; it is removed again if nothing comes to lie in it.

    Args:
        out: what the user has named.
        base: taken if that is None: this folder, or with -2, -3 ... behind it, whichever is not there yet.

    Raises:
        ValueError: ``out`` is no folder, or holds a run.
    """
    if out is None:
        folder, i = base, 1
        while not made(folder):  # making it takes it, so that two programs which start at once do not write into one
            i += 1
            folder = base.with_name(f"{base.name}-{i}")
    else:
        folder = out
        if any(path.exists() and not path.is_dir() for path in (folder, *folder.parents)):
            raise ValueError(f"--out {folder}: a folder is expected, and a file is there")
        if (folder / FILE).exists() or any(folder.glob(f"*/{FILE}")):
            raise ValueError(f"--out {folder}: it holds a run already: choose another folder, or go on with it by --resume {folder}")
        made(folder)
    try:
        yield folder
    finally:
        with suppress(OSError):
            folder.rmdir()  # does nothing where there is something in it


def made(folder: Path) -> bool:
    """Make the folder; False if it is there."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        return False
    return True


def finish(made: Run) -> int:
    """Pictures and the closing lines of a run."""
    if made.history.interrupted:
        print(f"stopped in epoch {made.trainer.epoch + 1}; go on with: dezero train --resume {made.folder}")
        return 130
    last = {name: values[-1] for name, values in made.history.items() if values}
    text = ", ".join(f"{name.replace('val_', 'test ')} {last[name]:.4f}" for name in ("loss", "accuracy", "val_loss", "val_accuracy") if name in last)
    print(f"after {made.trainer.epoch} epoch{'s' if made.trainer.epoch != 1 else ''}: {text}")
    drawn = pictures(made)
    print(f"{made.folder}: weights{', history and pictures' if drawn else ' and history'}")
    return 0


def compare_rates(settings: Settings, rates: list[float], folder: Path) -> int:
    """One run for each learning rate, from the same initial weights, and their curves side by side."""
    runs = {}
    for rate in rates:
        print(f"learning rate {rate:g}")
        made = run(replace(settings, lr=rate), folder / f"lr-{rate:g}")
        if made.history.interrupted:
            return finish(made)
        runs[rate] = made
    print()
    print(table_of_runs({f"{rate:g}": made.history for rate, made in runs.items()}, "rate"))
    return draw_comparison({f"lr {rate:g}": made.history for rate, made in runs.items()}, folder / "compare.png")


def draw_comparison(histories: dict[str, Any], path: Path) -> int:
    """The curves of several runs in one picture."""
    try:
        compare_curves(histories, path=path)
    except ImportError as error:
        print(error, file=sys.stderr)
        return 0
    print(f"{path}: their curves side by side")
    return 0
