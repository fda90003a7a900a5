"""Callbacks that end a run: when it gets no better, and when a number is no number any more."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from dezero.backend import array_module, as_numpy, is_array
from dezero.backend.arrays import kind_of
from dezero.training.callback import Callback
from dezero.training.measures import higher_is_better, improved, value_of


class EarlyStopping(Callback):
    """Ends the run when a metric has not improved for some epochs, and puts the weights of the best epoch back.

    The best weights come back at the end of every run, also one that came to its last epoch; not after Ctrl-C, so that it can go on.

    Args:
        metric: a name in the history.
        patience: so many epochs without improvement are waited for.
        min_delta: less than this is no improvement.
        mode: "min" or "max"; None goes by the name of the metric: accuracy and its like are better when higher.
        restore_best: put the best weights back?

    Attributes:
        best: the best value so far, None before the first.
        best_epoch: its epoch.

    Raises:
        ValueError: an argument is out of its range.

    Examples:
        >>> stopping = EarlyStopping("val_accuracy", patience=3)
        >>> stopping.best is None
        True
    """

    def __init__(self, metric: str = "val_loss", patience: int = 5, min_delta: float = 0.0, mode: str | None = None,
                 restore_best: bool = True) -> None:
        if patience < 1:
            raise ValueError(f"EarlyStopping: patience is {patience}: a positive number of epochs is expected")
        if not min_delta >= 0:
            raise ValueError(f"EarlyStopping: min_delta is {min_delta}: a number of at least 0 is expected")
        self.metric, self.patience, self.min_delta, self.restore_best = metric, patience, min_delta, restore_best
        self.higher = higher_is_better(metric, mode, "EarlyStopping")
        self._forget()

    def _forget(self) -> None:
        self.best: float | None = None
        self.best_epoch, self._waited = 0, 0
        self._weights: dict[str, Any] | None = None

    def on_fit_begin(self, trainer: Any) -> None:
        """A new run begins with nothing."""
        if not trainer.continued:
            self._forget()

    def on_epoch_end(self, trainer: Any, record: dict[str, Any]) -> None:
        """Compare, and count."""
        value = value_of(record, self.metric, "EarlyStopping")
        if improved(value, self.best, self.higher, self.min_delta):
            self.best, self.best_epoch, self._waited = value, record["epoch"], 0
            self._weights = trainer.model.state_dict() if self.restore_best else None
            return
        self._waited += 1
        if self._waited >= self.patience:
            since = f"since epoch {self.best_epoch}, where it was {self.best:.4g}" if self.best is not None else "in any epoch"
            trainer.stop(f"EarlyStopping: {self.metric} has not improved {since}")

    def on_fit_end(self, trainer: Any) -> None:
        """Put the best weights back."""
        if self._weights is not None and not trainer.history.interrupted:
            trainer.model.load_state_dict(self._weights)

    def state(self) -> dict[str, Any]:
        """The best value and its weights, and how long it has waited."""
        return {"best": self.best, "epoch": self.best_epoch, "waited": self._waited, "weights": self._weights}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`state` gave."""
        self.best, self.best_epoch, self._waited, self._weights = (state[name] for name in ("best", "epoch", "waited", "weights"))


class TerminateOnNaN(Callback):
    """Ends the run before an update that would spoil the weights: when the loss or a gradient is NaN or infinite.

    A warning, and ``history.stopped``, name the batch and the first parameter that has, or whose gradient has, such a value.

    Args:
        gradients: look at the gradients too, not only at the loss? It costs a sum over each.

    Examples:
        >>> guard = TerminateOnNaN()
    """

    order = -10

    def __init__(self, gradients: bool = True) -> None:
        self.gradients = gradients

    def on_backward(self, trainer: Any) -> None:
        """Look at the loss and the gradients."""
        loss = trainer.last_loss
        finite = math.isfinite(loss)
        culprit = _first(trainer.model) if self.gradients or not finite else ""
        if finite and not culprit:
            return
        rate = getattr(trainer.optimizer, "rate", None)
        found = f"the loss is {loss:.4g}" + (", but " if finite else "; " if culprit else "") + culprit
        advice = (f"A smaller learning rate{'' if rate is None else f' than {rate:g}'} or ClipGrad may help; "
                  "detect_anomaly() finds the function where it began") if all(map(_numbers, trainer.inputs)) else \
            "The batch itself holds NaN or infinity: clean the data"
        message = (f"TerminateOnNaN: in batch {trainer.batch + 1} of epoch {trainer.epoch + 1} {found}. The weights are those before this batch. "
                   f"{advice}")
        trainer.skip_update()
        trainer.stop(message)
        warnings.warn(message, RuntimeWarning, stacklevel=2)


def _first(model: Any) -> str:
    """The first parameter that is not finite, or whose gradient is not, in words; empty if all are."""
    params = list(model.named_params())
    for what in ("parameter", "gradient"):
        for name, p in params:
            array = p.data if what == "parameter" else None if p.grad is None else p.grad.data
            if array is None or _finite(array):
                continue
            host = as_numpy(array)
            at = tuple(int(i) for i in np.argwhere(~np.isfinite(host))[0])
            place = f"{name}[{', '.join(map(str, at))}]"
            return f"parameter {place} is {host[at]}" if what == "parameter" else f"the gradient of {place} is {host[at]}"
    return ""


def _numbers(x: Any) -> bool:
    """Is this input finite, as far as it has fractions at all?"""
    data = getattr(x, "_data", x)
    return not is_array(data) or kind_of(data.dtype) != "f" or _finite(data)


def _finite(array: Any) -> bool:
    """Are all elements finite? A sum is several times faster than a look at each, and only seldom infinite without reason."""
    with np.errstate(all="ignore"):
        total = float(array.sum())
    return math.isfinite(total) or bool(array_module(array).isfinite(array).all())


__all__ = ["EarlyStopping", "TerminateOnNaN"]
