"""Trainer: the training loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from time import perf_counter
from typing import Any

from dezero.errors import describe
from dezero.training import batches
from dezero.training.callback import Callback, hooks_of, ordered
from dezero.training.history import History, tidy
from dezero.training.interrupt import Interrupt
from dezero.training.measures import Metrics
from dezero.training.resume import check_target
from dezero.training.run import Run


class Trainer(Run):
    """Trains a model: for each batch the gradients are cleared, then forward, loss, backward, update.

    The means of loss and metrics over an epoch are weighted by the sizes of the batches, so they are exact also if the last one is short.

    Ctrl-C ends after the running batch: weights and history are whole, and another ``fit`` goes on from there. A second Ctrl-C stops at
    once with KeyboardInterrupt, but never within an update; the batch that was running is lost.

    A model with a method ``reset_state`` begins each epoch with it; an evaluation neither sees nor changes hidden states of recurrent layers.

    Args:
        model: a layer. If the optimizer was not set up yet, it is set up on this.
        optimizer: updates the parameters. A dict of optimizers, by any names, is kept and saved for ``step``, which then updates by itself.
        loss: ``loss(outputs, targets)`` gives one number, a mean over the batch. May be None with ``step``.
        metrics: functions ``f(outputs, targets)`` of arrays, by name or in a list: ``[F.accuracy]``. They are computed on the training batches as
            they go by (by a model that still changes), and on the validation set.
        callbacks: see :class:`dezero.training.Callback`.
        device: "cuda" (or "gpu"), "cuda:1" and "cpu" bring model and batches there; None leaves them where they are. For batches,
            ``DataLoader(..., device=...)`` is faster: it copies the next one while the device works.
        step: ``step(trainer, batch)`` in the place of forward and loss, for batches and models that are not ``(x, t)`` and ``loss(model(x), t)``.
            It returns the loss, or, where it updates by itself (a GAN), a dict of numbers to average.
        precision: "bfloat16" or "float16" run forward and loss in mixed precision, see :class:`dezero.autocast`; weights stay float32. With float16
            a :class:`dezero.optimizers.LossScaler` scales the loss and leaves out steps that overflow, unless ``step`` updates by itself.

    Attributes:
        history: of all epochs so far; see :class:`dezero.training.History`.
        epoch: how many epochs are done.
        batch: how many batches of the running epoch are done.
        steps: how many batches there were in all.
        epochs, batches: how many epochs this ``fit`` goes to, and batches an epoch (None if the loader has no length).
        continued: does this ``fit`` finish a run that was left unfinished?
        inputs: the last batch's inputs of the model.

    Examples:
        >>> import numpy as np
        >>> import dezero.functions as F
        >>> import dezero.layers as L
        >>> from dezero.optimizers import SGD
        >>> x = np.linspace(-1, 1, 20, dtype=np.float32).reshape(-1, 1)
        >>> trainer = Trainer(L.Linear(1, in_size=1), SGD(0.5), F.mean_squared_error)
        >>> history = trainer.fit([(x, 2 * x)], epochs=50)
        >>> history["loss"][-1] < 1e-6, trainer.evaluate([(x, 2 * x)])["loss"] < 1e-6
        (True, True)
    """

    def __init__(self, model: Any, optimizer: Any, loss: Callable[[Any, Any], Any] | None, metrics: Metrics = None,
                 callbacks: Iterable[Callback] | Callback = (), device: str | int | None = None, *,
                 step: Callable[[Trainer, Any], Any] | None = None, precision: str | None = None) -> None:
        if loss is not None and not callable(loss) or loss is None and step is None:
            raise TypeError(f"Trainer: loss is {describe(loss)}: a function of (outputs, targets) is expected, F.softmax_cross_entropy say")
        if not isinstance(optimizer, Mapping) and (isinstance(optimizer, type) or not hasattr(optimizer, "update")):
            raise TypeError(f"Trainer: optimizer is {optimizer!r}: an optimizer is expected, SGD(0.1) say")
        if isinstance(model, type):
            raise TypeError(f"Trainer: model is the class {model.__name__}: write {model.__name__}(...), with brackets")
        if isinstance(optimizer, Mapping) and step is None:
            raise TypeError("Trainer: several optimizers, and no function that calls them: give step=f, which takes (trainer, batch), updates "
                            "by itself and returns a dict of numbers")
        super().__init__(model, optimizer, loss, metrics, device, precision)
        if device is not None:
            model.to(device)
        if getattr(optimizer, "target", model) is None:
            self.optimizer.setup(model)
        check_target(optimizer, model)
        self._step, self._skip, self._interrupt = step, False, Interrupt()
        self.callbacks = ordered(callbacks)
        self._hooks = hooks_of(self.callbacks)
        for callback in self.callbacks:
            callback.setup(self)

    def fit(self, loader: Any, val_loader: Any = None, epochs: int = 1) -> History:
        """Train for a number of epochs, and validate after each.

        A run that Ctrl-C, an error or a checkpoint has left unfinished is finished: ``epochs`` counts from its beginning,
        so a checkpoint of its last epoch leaves nothing to do.
        A finished run is followed by ``epochs`` more.

        Args:
            loader: gives batches (x, t), each time it is looped over: a DataLoader or a list of batches.
            val_loader: the same, for the columns of the history that begin with "val_".
            epochs: how many.

        Returns:
            The history of this and earlier calls. ``history.interrupted`` tells whether Ctrl-C ended it.
        """
        self._begin(loader, val_loader, epochs)
        try:
            with Interrupt() as self._interrupt:
                self._call("on_fit_begin")
                while self.epoch < self.epochs and not self.stopped:
                    if not self._train_epoch(loader):
                        break
                    self._end_epoch(val_loader)
                    if self._interrupt.requested:
                        break
                self.history.interrupted = self._interrupt.requested and self.epoch < self.epochs and not self.stopped
                self._call("on_fit_end")
                if not self.history.interrupted:
                    self._start = None
        except BaseException as error:
            self.history.interrupted = isinstance(error, KeyboardInterrupt)
            self._keep_position()
            raise
        finally:
            self._close()
        return self.history

    def _train_epoch(self, loader: Any) -> bool:
        """Train on the batches that the epoch still has; False if Ctrl-C came before its end."""
        begun, before = perf_counter(), self._seconds
        if not self.batch:
            if hasattr(self.model, "reset_state"):
                self.model.reset_state()
            self._call("on_epoch_begin")
        for batch in self._rest_of(loader):
            self._train_batch(batch if self._move is None else self._move(batch))
            self._seconds = before + perf_counter() - begun
            for hook in self._hooks["on_batch_end"]:
                hook(self)
            if self._interrupt.requested and self.batch != self.batches:
                self._keep_position()
                return False
            if self.stopped:
                if hasattr(loader, "state_dict") and hasattr(loader, "reset"):
                    loader.reset()  # what is saved from now on is the beginning of an epoch
                break
        if not self.batch:
            raise ValueError(f"fit: the loader gave no batch in epoch {self.epoch + 1}: it is empty, or an iterator that can be read only once; "
                             "a DataLoader or a list of batches is expected")
        return True

    def _train_batch(self, batch: Any) -> None:
        """One step: forward, loss, backward, update."""
        self._skip = False
        if self._step is not None:
            with self._precision.casting:
                loss = self._own_step(batch)
            values, n = {}, batches.size_of(batch)
            if isinstance(loss, dict):  # the function has updated by itself
                self._count(loss, n)
                return
        else:
            self.inputs, t = batches.split(batch)
            with self._precision.casting:
                y = self.model(*self.inputs)
                loss = self.loss(y, t)
            values, n = self._measure(y, t), batches.size_of((t, *self.inputs))
        data = getattr(loss, "_data", None)
        if data is None or data.size != 1:
            raise TypeError(f"Trainer: the loss is {describe(loss)}: one number in a Variable is expected, a mean over the batch (reduction='mean')")
        self._last_loss = data
        self.model.cleargrads()
        self._precision.begin(loss)
        loss.backward()
        finite = self._precision.end(self.optimizer)
        if finite:
            for hook in self._hooks["on_backward"]:
                hook(self)
        self._interrupt.begin_whole()
        try:
            if finite and not self._skip:
                self.optimizer.update()
            self._count({"loss": data, **values}, n)
        finally:
            self._interrupt.end_whole()

    def _own_step(self, batch: Any) -> Any:
        """What the user's step function gives. It may update, so a second Ctrl-C waits for its end."""
        self._interrupt.begin_whole()
        try:
            result = self._step(self, batch)  # type: ignore[misc]
        finally:
            self._interrupt.end_whole()
        return dict(result) if isinstance(result, Mapping) else result

    def _count(self, values: dict[str, Any], n: int) -> None:
        """The batch is done: add its numbers to the epoch's."""
        add = self._averages.add
        for name, value in values.items():
            add(name, value, n)
        if "loss" in values:
            self._last_loss = values["loss"]
        self.batch += 1
        self.steps += 1

    def _end_epoch(self, val_loader: Any) -> None:
        """Validate, and enter the epoch into the history."""
        begun = perf_counter()
        validation = {} if val_loader is None else self.evaluate(val_loader)
        record: dict[str, Any] = {"epoch": 0} | self._averages.means() | {"epoch": self.epoch + 1}
        record.update((f"val_{name}", value) for name, value in validation.items())
        rate = getattr(self.optimizer, "rate", getattr(self.optimizer, "lr", None))
        if rate is not None:
            record["lr"] = float(rate)
        record["seconds"] = self._seconds + perf_counter() - begun
        self.epoch, self.batch, self._seconds = self.epoch + 1, 0, 0.0
        self._averages.clear()
        self.history.append(record)
        for hook in self._hooks["on_epoch_end"]:
            hook(self, record)
            tidy(record)

    def skip_update(self) -> None:
        """Leave out the update of this batch; for ``on_backward``."""
        self._skip = True

    def _call(self, hook: str) -> None:
        for f in self._hooks[hook]:
            f(self)

    def _close(self) -> None:
        """Close all callbacks, also where one of them fails."""
        with ExitStack() as stack:
            for f in reversed(self._hooks["close"]):
                stack.callback(f, self)
