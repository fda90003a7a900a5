"""ReduceLROnPlateau: the learning rate falls when the metric stops improving."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dezero.core.checks import integer, shown
from dezero.errors import StateError
from dezero.optimizers.checks import at_least_zero
from dezero.optimizers.schedule import Schedule


class ReduceLROnPlateau(Schedule):
    """The rate falls when the metric has not improved for ``patience`` steps.

    Args:
        optimizer: whose rate is set.
        mode: "min" if less is better, "max" if more is.
        factor: what the rate is multiplied by.
        patience: how many steps without improvement are borne; the rate falls after one more.
        min_lr: the least rate.
        threshold: the share of the best metric by which it must improve to count.
        cooldown: how many steps after a fall are not counted.
        threshold_mode: "rel", or "abs" for a threshold that is a difference.

    Attributes:
        best: the best metric so far, None before the first.

    Examples:
        >>> from dezero.optimizers import SGD
        >>> optimizer = SGD(lr=1.0)
        >>> schedule = ReduceLROnPlateau(optimizer, patience=1)
        >>> for loss in (0.5, 0.4, 0.4, 0.4):
        ...     schedule.step(loss)
        >>> optimizer.lr, schedule.best
        (0.1, 0.4)
    """

    def __init__(self, optimizer: Any, mode: str = "min", factor: float = 0.1, patience: int = 10, min_lr: float = 0.0, threshold: float = 1e-4,
                 cooldown: int = 0, threshold_mode: str = "rel") -> None:
        super().__init__(optimizer)
        if mode not in ("min", "max"):
            raise ValueError(f"ReduceLROnPlateau: mode is {shown(mode)}: 'min' or 'max' is expected")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"ReduceLROnPlateau: threshold_mode is {shown(threshold_mode)}: 'rel' or 'abs' is expected")
        self.factor = at_least_zero("ReduceLROnPlateau", "factor", factor)
        if self.factor >= 1:
            raise ValueError(f"ReduceLROnPlateau: factor is {factor}: a number below 1 is expected, or the rate would not fall")
        self.mode, self.threshold_mode = mode, threshold_mode
        self.patience, self.cooldown = (integer("ReduceLROnPlateau", name, n) for name, n in (("patience", patience), ("cooldown", cooldown)))
        if min(self.patience, self.cooldown) < 0:
            raise ValueError(f"ReduceLROnPlateau: patience is {patience} and cooldown {cooldown}: numbers of steps of at least 0 are expected")
        self.min_lr, self.threshold = (at_least_zero("ReduceLROnPlateau", name, x) for name, x in (("min_lr", min_lr), ("threshold", threshold)))
        self.best: float | None = None
        self.bad = self.resting = 0  # steps without improvement; steps that are still not counted

    def rate_from(self, base: float, i: int) -> float:
        """There is none: the rate depends on the metrics."""
        raise NotImplementedError("ReduceLROnPlateau: the rate depends on the metrics to come, so that it has no value by the number of the step")

    def first(self, base: float) -> float:
        """The rate that it starts from."""
        return base

    def start(self) -> None:
        """Nothing to set: it starts from the rate that is there."""

    def step(self, metric: Any = None) -> None:
        """Look at the metric, and lower the rates if patience is at its end. A NaN is no improvement.

        Raises:
            TypeError: there is no metric.
        """
        if metric is None:
            raise TypeError("ReduceLROnPlateau.step: the metric is missing: call step(validation_loss)")
        value = float(metric)
        self.count += 1
        if self._better(value):
            self.best, self.bad = value, 0
        else:
            self.bad += 1
        if self.resting > 0:
            self.resting, self.bad = self.resting - 1, 0
        if self.bad > self.patience:
            self.optimizer.rate = self._lower(self.optimizer.rate)
            for group in self.optimizer.groups:
                if "rate" in group.options:
                    group.options["rate"] = self._lower(group.options["rate"])
            self.resting, self.bad = self.cooldown, 0

    def _lower(self, rate: float) -> float:
        return min(rate, max(rate * self.factor, self.min_lr))

    def _better(self, value: float) -> bool:
        if self.best is None:
            return not math.isnan(value)
        margin = self.threshold if self.threshold_mode == "abs" else self.threshold * self.best
        return value < self.best - margin if self.mode == "min" else value > self.best + margin

    def state_dict(self) -> dict[str, Any]:
        """The counts and the best metric. The rate itself is in the optimizer's state."""
        return {**super().state_dict(), "best": self.best, "bad": self.bad, "resting": self.resting}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave.

        Raises:
            StateError: it is of another schedule.
        """
        self._load(state)
        try:
            best, bad, resting = state["best"], int(state["bad"]), int(state["resting"])
        except (KeyError, TypeError, ValueError) as error:
            raise StateError(f"ReduceLROnPlateau.load_state_dict: it is not what state_dict() gives ({type(error).__name__}: {error})") from None
        self.best, self.bad, self.resting = None if best is None else float(best), bad, resting
