"""Run: where a training run stands, and how it is stopped, saved and taken up again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import numpy as np

from dezero.errors import StateError
from dezero.serialization import load_checkpoint, save_checkpoint
from dezero.training import resume
from dezero.training.averages import Averages, number
from dezero.training.batches import check_loader
from dezero.training.callback import Callback
from dezero.training.hidden import hidden_states, write_hidden_states
from dezero.training.history import History
from dezero.training.measures import Metrics
from dezero.training.using import Evaluator

VERSION = 1  # of the state


class Run(Evaluator):
    """What a :class:`~dezero.training.Trainer` keeps beside its loop."""

    def __init__(self, model: Any, optimizer: Any, loss: Any, metrics: Metrics, device: str | int | None,
                 precision: str | None = None) -> None:
        super().__init__(model, loss, metrics, device, precision=precision)
        self.optimizer = optimizer
        self.callbacks: list[Callback] = []
        self.history = History()
        self.epoch = self.batch = self.steps = self.epochs = 0
        self.batches: int | None = None
        self.continued = False
        self.inputs: tuple[Any, ...] = ()
        self._averages, self._seconds = Averages(), 0.0
        self._last_loss: Any = float("nan")
        self._start: int | None = None             # the epoch at which the unfinished run began
        self._loaders: list[Any] = [None, None]    # for training and validation
        self._positions: list[Any] = [None, None]  # where they have to go on
        self._skipped = 0                          # batches to leave out, of a loader that cannot be put in place
        self._random: Any = None                   # state of the generators to go on from

    # -- for callbacks -----------------------------------------------------------------------------

    def stop(self, reason: str) -> None:
        """End the training after this batch; the epoch is still validated and entered into the history."""
        self.history.stopped = reason

    @property
    def stopped(self) -> str:
        """Why a callback has ended the run; empty if none has."""
        return self.history.stopped

    @property
    def last_loss(self) -> float:
        """The loss of the last batch."""
        return number("loss", getattr(self._last_loss, "_data", self._last_loss))

    def averages(self) -> dict[str, float]:
        """The means of the running epoch so far."""
        return self._averages.means()

    # -- stopping and going on ---------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """All that a run needs to go on as if it had never stopped, also in the middle of an epoch.

        Model, optimizer, callbacks (schedules are among them), the place in the loader, history and running sums, random generators.

        Raises:
            StateError: a parameter has no size yet.
        """
        return {
            "version": VERSION,
            "model": self.model.state_dict(),
            "hidden": hidden_states(self.model),
            "optimizer": resume.read_optimizer(self.optimizer),
            "callbacks": resume.callback_states(self.callbacks),
            "history": self.history.state(),
            "averages": self._averages.state(),
            "run": {"epoch": self.epoch, "batch": self.batch, "steps": self.steps, "start": self._start, "seconds": self._seconds},
            "loaders": [self._position(0), self._position(1)],
            "random": resume.read_random() if self._random is None else self._random,
            "scaler": None if self._precision.scaler is None else self._precision.scaler.state_dict(),
        }

    def restore(self, state: Mapping[str, Any], callbacks: bool = True) -> None:
        """Take over a state. The next ``fit`` puts loaders and random generators in place and finishes the run.

        Args:
            state: what :meth:`state` gave, for a Trainer that was made in the same way.
            callbacks: False leaves the callbacks as they are.

        Raises:
            StateError: it does not fit.
        """
        if state.get("version") != VERSION:
            raise StateError(f"Trainer.restore: the state has version {state.get('version')}: what Trainer.state() gives, version {VERSION}, "
                             "is expected")
        self.model.load_state_dict(state["model"])
        resume.write_optimizer(self.optimizer, state["optimizer"])
        write_hidden_states(self.model, state["hidden"])
        if callbacks:
            resume.write_callback_states(self.callbacks, state["callbacks"])
        if self._precision.scaler is not None and state.get("scaler"):
            self._precision.scaler.load_state_dict(state["scaler"])
        self.history.restore(state["history"])
        self._averages.restore(state["averages"])
        run = state["run"]
        self.epoch, self.batch, self.steps, self._start, self._seconds = (run[name] for name in ("epoch", "batch", "steps", "start", "seconds"))
        self._positions, self._loaders, self._random = list(state["loaders"]), [None, None], state["random"]

    def save(self, path: str | os.PathLike[str], keep: int = 2) -> None:
        """Write the state to a file, whole or not at all; the file before it is kept as ``path.1``.

        Args:
            path: the file; it is a safetensors file whatever its name.
            keep: how many files to keep.
        """
        parts, rest = resume.to_parts(self.state())
        save_checkpoint(path, parts, rest, keep=keep)

    def load(self, path: str | os.PathLike[str], callbacks: bool = True) -> None:
        """Take over the state in a file; if it is damaged, warn and take the one before it. See :meth:`restore`."""
        self.restore(resume.from_checkpoint(load_checkpoint(path)), callbacks)

    # -- for the loop ------------------------------------------------------------------------------

    def _begin(self, loader: Any, val_loader: Any, epochs: Any) -> None:
        """Start a run, or take up the one that is unfinished."""
        if isinstance(epochs, bool) or not isinstance(epochs, (int, np.integer)) or epochs < 0:
            raise ValueError(f"fit: epochs is {epochs!r}: a whole number, at least 0, is expected")
        check_loader("fit: loader", loader)
        if val_loader is not None:
            check_loader("fit: val_loader", val_loader)
            if self.loss is None and not self.metrics:
                raise ValueError("fit: there is a val_loader, but neither a loss nor a metric to compute on it: give Trainer one, or leave it out")
        self.continued = self._start is not None
        if self._start is None:
            self._start, self.history.stopped = self.epoch, ""
        self.epochs = self._start + int(epochs)
        self.batches = len(loader) if hasattr(loader, "__len__") else None
        if getattr(self.model, "training", True) is False:
            self.model.train()
        self._loaders = [loader, val_loader]
        for i, each in enumerate(self._loaders):
            if self._positions[i] is not None and hasattr(each, "load_state_dict"):
                each.load_state_dict(self._positions[i])
        self._skipped = 0 if self._positions[0] is not None and hasattr(loader, "load_state_dict") else self.batch
        self._positions = [None, None]
        if self._random is not None:
            resume.write_random(self._random)
            self._random = None

    def _rest_of(self, loader: Any) -> Iterable[Any]:
        """The batches that the running epoch still has. A loader that cannot be put in place gives the others too, unused."""
        skipped, self._skipped = self._skipped, 0
        return islice(loader, skipped, None) if skipped else loader

    def _position(self, i: int) -> Any:
        return self._positions[i] if self._positions[i] is not None else resume.position(self._loaders[i])

    def _keep_position(self) -> None:
        """Remember where the loader is, before leaving its loop moves it."""
        if self.batch:
            self._positions = [self._position(0), self._position(1)]
