"""Callbacks that write to files: checkpoints, tables, TensorBoard's events."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dezero.core.checks import shown
from dezero.training.callback import Callback
from dezero.training.history import PathLike, csv_text, json_line
from dezero.training.measures import higher_is_better, improved, value_of


class Checkpoint(Callback):
    """Saves the whole state of the run, so that it can go on after a crash with the same bytes; see :meth:`Trainer.save`.

    It is also saved after Ctrl-C. Each file is written whole or not at all.

    Args:
        path: the file; the ones before it are kept as ``path.1``, ``path.2``. Its folder is made.
        every: "epoch", or a number of batches (then at the end of each epoch too).
        keep: how many files to keep.
        best_only: save only after an epoch that was the best so far.
        metric: for ``best_only``: a name in the history.
        mode: "min" or "max"; None goes by the name of the metric.

    Raises:
        ValueError: an argument is out of its range.

    Examples:
        >>> import os, tempfile
        >>> import numpy as np
        >>> import dezero.functions as F
        >>> import dezero.layers as L
        >>> from dezero.optimizers import SGD
        >>> from dezero.training import Trainer
        >>> data = [(np.ones((4, 2), np.float32), np.ones((4, 1), np.float32))]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     checkpoint = Checkpoint(os.path.join(folder, "last.safetensors"))
        ...     history = Trainer(L.Linear(1), SGD(0.1), F.mean_squared_error, callbacks=[checkpoint]).fit(data, epochs=2)
        ...     again = Trainer(L.Linear(1), SGD(0.1), F.mean_squared_error)
        ...     again.load(checkpoint.path)
        >>> again.epoch
        2
    """

    order = 20

    def __init__(self, path: PathLike, every: int | str = "epoch", keep: int = 2, best_only: bool = False, metric: str = "val_loss",
                 mode: str | None = None) -> None:
        if every != "epoch" and (isinstance(every, (bool, str)) or every < 1):
            raise ValueError(f"Checkpoint: every is {shown(every)}: 'epoch' or a positive number of batches is expected")
        if keep < 1:
            raise ValueError(f"Checkpoint: keep is {keep}: the number of files to keep, at least 1, is expected")
        if best_only and every != "epoch":
            raise ValueError(f"Checkpoint: best_only with every={every}: what is best is known at the end of an epoch only: every='epoch'")
        self.path, self.keep, self.best_only, self.metric = os.fspath(path), keep, best_only, metric
        self.every = 0 if isinstance(every, str) else every
        self.higher = higher_is_better(metric, mode, "Checkpoint")
        self.best: float | None = None

    def on_fit_begin(self, trainer: Any) -> None:
        """Make the folder, so that it is not found missing after the first epoch."""
        make_folder(self.path)

    def on_batch_end(self, trainer: Any) -> None:
        """Save every so many batches."""
        if self.every and trainer.steps % self.every == 0:
            trainer.save(self.path, self.keep)

    def on_epoch_end(self, trainer: Any, record: dict[str, Any]) -> None:
        """Save, if it is due."""
        if self.best_only:
            value = value_of(record, self.metric, "Checkpoint")
            if not improved(value, self.best, self.higher):
                return
            self.best = value
        trainer.save(self.path, self.keep)

    def on_fit_end(self, trainer: Any) -> None:
        """Save what Ctrl-C has left in the middle of an epoch."""
        if trainer.history.interrupted and not self.best_only:
            trainer.save(self.path, self.keep)

    def state(self) -> dict[str, Any]:
        """The best value so far."""
        return {} if self.best is None else {"best": self.best}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`state` gave."""
        self.best = state["best"]


class _Log(Callback):
    """A text file with a line for each epoch. It begins with the epochs of the history, so that a resumed run leaves no line out and none twice."""

    order = 10

    def __init__(self, path: PathLike) -> None:
        self.path = os.fspath(path)

    def on_fit_begin(self, trainer: Any) -> None:
        """Write what there is."""
        make_folder(self.path)
        self._rewrite(trainer)

    def _rewrite(self, trainer: Any) -> None:
        raise NotImplementedError

    def _append(self, text: str) -> None:
        with open(self.path, "a", encoding="utf-8", newline="") as file:
            file.write(text)


class CSVLogger(_Log):
    """Writes a table with a line after each epoch; ``History.from_csv`` reads it.

    Args:
        path: the file, which is overwritten by a new run and continued by a resumed one. Its folder is made.

    Examples:
        >>> logger = CSVLogger("runs/a/log.csv")
    """

    def _rewrite(self, trainer: Any) -> None:
        self._names = list(trainer.history)
        trainer.history.to_csv(self.path)

    def on_epoch_end(self, trainer: Any, record: dict[str, Any]) -> None:
        """Add a line; where there is a new column, write the table anew."""
        if any(name not in self._names for name in record):
            self._rewrite(trainer)
        else:
            self._append(csv_text(self._names, [record], header=False))


class JSONLogger(_Log):
    """Writes a JSON object on a line of its own after each epoch; ``History.from_jsonl`` reads them.

    Args:
        path: the file, which is overwritten by a new run and continued by a resumed one. Its folder is made.

    Examples:
        >>> logger = JSONLogger("runs/a/log.jsonl")
    """

    def _rewrite(self, trainer: Any) -> None:
        trainer.history.to_jsonl(self.path)

    def on_epoch_end(self, trainer: Any, record: dict[str, Any]) -> None:
        """Add a line."""
        self._append(json_line(record))


class TensorBoard(Callback):
    """Writes the figures of each epoch for TensorBoard: ``tensorboard --logdir runs``.

    Args:
        folder: where the event files go; it is made.
        every: also write the loss of every so many batches; 0 leaves that out.

    Raises:
        ImportError: at the beginning of ``fit``, tensorboardX is missing.

    Examples:
        >>> board = TensorBoard("runs/a")
    """

    order = 10

    def __init__(self, folder: PathLike, every: int = 0) -> None:
        self.folder, self.every = os.fspath(folder), every
        self._writer: Any = None

    def on_fit_begin(self, trainer: Any) -> None:
        """Open the file of events."""
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise ImportError("TensorBoard needs tensorboardX: pip install 'dezero[tensorboard]'") from error
        there = len(list(Path(self.folder).glob("events.out.tfevents.*")))  # names go by the second: two runs within one would share a file
        suffix = f".{there}" if there else ""
        self._writer = SummaryWriter(self.folder, purge_step=trainer.steps + 1 if trainer.steps else None, filename_suffix=suffix)

    def on_batch_end(self, trainer: Any) -> None:
        """Write the loss, every so many batches."""
        if self.every and trainer.steps % self.every == 0:
            self._writer.add_scalar("batch/loss", trainer.last_loss, trainer.steps)

    def on_epoch_end(self, trainer: Any, record: dict[str, Any]) -> None:
        """Write the figures, as far as they are numbers, over the steps; those of training and validation share a chart."""
        for name, value in record.items():
            if name != "epoch" and isinstance(value, (int, float)):
                tag = f"{name.removeprefix('val_')}/{'validation' if name.startswith('val_') else 'training'}"
                self._writer.add_scalar(tag if name not in ("lr", "seconds") else name, value, trainer.steps)
        self._writer.flush()

    def close(self, trainer: Any) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def make_folder(path: str) -> None:
    """Make the folder that ``path`` lies in."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)


__all__ = ["CSVLogger", "Checkpoint", "JSONLogger", "TensorBoard"]
