"""Callback: what is to happen around epochs and batches, beside the training itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

HOOKS = ("on_fit_begin", "on_epoch_begin", "on_backward", "on_batch_end", "on_epoch_end", "on_fit_end", "close")


class Callback:
    """Base of all callbacks. A subclass defines the hooks it needs; those it does not define cost nothing.

    Each hook gets the Trainer, whose ``model``, ``optimizer``, ``history``, ``epoch``, ``batch``, ``steps``, ``last_loss`` and ``stop(reason)``
    are there for it. Callbacks are called by their ``order``, and in the order of the list where that is equal: first those that
    measure (-10), then those that decide (0), then those that write (10), and the checkpoint last (20), when all have done their part.

    Attributes:
        order: its place among the others.

    Examples:
        >>> class Shout(Callback):
        ...     def on_epoch_end(self, trainer, record):
        ...         print(f"epoch {record['epoch']} is over!")
    """

    order = 0

    def setup(self, trainer: Any) -> None:
        """Called once, when the Trainer is made."""

    def on_fit_begin(self, trainer: Any) -> None:
        """Before the first epoch of a call of ``fit``."""

    def on_epoch_begin(self, trainer: Any) -> None:
        """Before the first batch of an epoch; not where an epoch is taken up in its middle."""

    def on_backward(self, trainer: Any) -> None:
        """Between backward and the update: the gradients are there. ``trainer.skip_update()`` leaves the update out."""

    def on_batch_end(self, trainer: Any) -> None:
        """After the update."""

    def on_epoch_end(self, trainer: Any, record: dict[str, Any]) -> None:
        """After training and validation. ``record`` is the epoch's row in the history; what is added to it becomes a column."""

    def on_fit_end(self, trainer: Any) -> None:
        """After the last epoch, or after Ctrl-C (``trainer.history.interrupted``)."""

    def close(self, trainer: Any) -> None:
        """At the very end of ``fit``, also when an error ends it: close what is open."""

    def state(self) -> dict[str, Any]:
        """What it needs to go on after a resume: a tree of dicts, lists, numbers, strings and arrays. Empty if nothing."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`state` gave."""


def ordered(callbacks: Any) -> list[Callback]:
    """The callbacks in the order in which they are called.

    Raises:
        TypeError: one is no callback.
    """
    found = [callbacks] if isinstance(callbacks, Callback) else list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
    for callback in found:
        if not isinstance(callback, Callback):
            name = getattr(callback, "__name__", "")
            advice = f": write {name}(...), with brackets" if isinstance(callback, type) and issubclass(callback, Callback) else \
                ": an object of a class that derives from dezero.training.Callback is expected"
            raise TypeError(f"Trainer: the callback {callback!r} is a {type(callback).__name__}{advice}")
    return sorted(found, key=lambda c: c.order)


def hooks_of(callbacks: list[Callback]) -> dict[str, list[Any]]:
    """Hook -> the methods of the callbacks that define it."""
    return {hook: [getattr(c, hook) for c in callbacks if getattr(type(c), hook) is not getattr(Callback, hook)] for hook in HOOKS}
