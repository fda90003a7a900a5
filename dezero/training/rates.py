"""Callbacks that move the learning rate."""

from __future__ import annotations

from typing import Any

from dezero import optimizers
from dezero.core.checks import shown
from dezero.training.callback import Callback
from dezero.training.measures import higher_is_better, value_of


class LearningRateScheduler(Callback):
    """Steps a schedule after every epoch, or after every batch.

    Args:
        schedule: of the Trainer's optimizer: ``CosineLR(optimizer, steps=20)``.
        by: "epoch" or "batch".
        metric: for a schedule that goes by a figure of the history (``optimizers.ReduceLROnPlateau``): its name.

    Raises:
        TypeError: it is no schedule.
        ValueError: ``by`` is unknown, or a metric is asked for after each batch.

    Examples:
        >>> from dezero.optimizers import SGD, StepLR
        >>> optimizer = SGD(lr=0.1)
        >>> scheduler = LearningRateScheduler(StepLR(optimizer, step_size=10))
    """

    def __init__(self, schedule: Any, by: str = "epoch", metric: str | None = None) -> None:
        if isinstance(schedule, type) or not (hasattr(schedule, "step") and hasattr(schedule, "state_dict")):
            raise TypeError(f"LearningRateScheduler: schedule is {shown(schedule)}: a schedule is expected, StepLR(optimizer, step_size=10) say; "
                            "for a function of the step there is LambdaLR(optimizer, f)")
        if by not in ("epoch", "batch"):
            raise ValueError(f"LearningRateScheduler: by is {by!r}: 'epoch' or 'batch' is expected")
        if by == "batch" and metric is not None:
            raise ValueError(f"LearningRateScheduler: by='batch' and metric={metric!r}: figures are there at the end of an epoch only: by='epoch'")
        if metric is None and isinstance(schedule, optimizers.ReduceLROnPlateau):
            metric = "val_loss"
        self.schedule, self.by, self.metric = schedule, by, metric

    def setup(self, trainer: Any) -> None:
        """Check that it is this Trainer's optimizer that is moved."""
        if getattr(self.schedule, "optimizer", trainer.optimizer) is not trainer.optimizer:
            raise ValueError(f"{type(self).__name__}: the schedule was made for another optimizer than the Trainer's")

    def on_batch_end(self, trainer: Any) -> None:
        """Step, if by batch."""
        if self.by == "batch":
            self.schedule.step()

    def on_epoch_end(self, trainer: Any, record: dict[str, Any]) -> None:
        """Step, if by epoch."""
        if self.metric is not None:
            self.schedule.step(value_of(record, self.metric, type(self).__name__))
        elif self.by == "epoch":
            self.schedule.step()

    def state(self) -> dict[str, Any]:
        """That of the schedule."""
        return dict(self.schedule.state_dict())

    def restore(self, state: dict[str, Any]) -> None:
        """Give it back."""
        self.schedule.load_state_dict(state)


class ReduceLROnPlateau(LearningRateScheduler):
    """Lowers the learning rate when a metric has not improved for some epochs: ``optimizers.ReduceLROnPlateau`` on the Trainer's optimizer.

    Args:
        metric: a name in the history.
        mode: "min" or "max"; None goes by the name of the metric.
        **options: ``factor``, ``patience``, ``min_lr`` and the others of the schedule.

    Examples:
        >>> plateau = ReduceLROnPlateau("val_accuracy", factor=0.5, patience=3)
        >>> plateau.options
        {'mode': 'max', 'factor': 0.5, 'patience': 3}
    """

    def __init__(self, metric: str = "val_loss", mode: str | None = None, **options: Any) -> None:
        self.metric, self.by = metric, "epoch"
        higher = higher_is_better(metric, mode, "ReduceLROnPlateau")
        self.options = {"mode": "max" if higher else "min", **options}
        self.schedule: Any = None

    def setup(self, trainer: Any) -> None:
        """Make the schedule."""
        self.schedule = optimizers.ReduceLROnPlateau(trainer.optimizer, **self.options)


__all__ = ["LearningRateScheduler", "ReduceLROnPlateau"]
