"""Averages over batches of different sizes, kept as plain floats."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.backend import array_module, as_numpy, device
from dezero.backend.arrays import fetch
from dezero.errors import describe

LIMIT = 64  # numbers that may wait on a device: reading each at once would make the host wait for it


class Averages:
    """Running means of named numbers, each weighted by the size of its batch.

    No graph and no Variable is kept. Numbers that lie on a device are read together: up to 64 of them (``LIMIT``) come to the host in one copy, once
    so many wait, or when the means are asked for. So a Trainer that measures nothing but the loss waits for its device once in 64 batches, and at
    the end of an epoch.

    Examples:
        >>> averages = Averages()
        >>> averages.add("loss", 1.0, 3)
        >>> averages.add("loss", 2.0, 1)
        >>> averages.means()
        {'loss': 1.25}
    """

    def __init__(self) -> None:
        self._sums: dict[str, list[Any]] = {}  # name -> [sum, weight]
        self._waiting: list[tuple[str, Any, int]] = []

    def add(self, name: str, value: Any, n: int) -> None:
        """Count a mean over ``n`` samples.

        Args:
            value: a number, a 0-d array or a Variable of one element.
            n: the number of samples that it is the mean of.

        Raises:
            TypeError: it is not one number.
        """
        data = getattr(value, "_data", value)
        if hasattr(data, "shape") and not isinstance(data, (np.generic, np.ndarray)):
            self._waiting.append((name, data, n))
            if len(self._waiting) >= LIMIT:
                self._read()
            return
        self._count(name, data, n)

    def _count(self, name: str, value: Any, n: int) -> None:
        value = number(name, value)
        entry = self._sums.get(name)
        if entry is None:
            entry = self._sums[name] = [0.0, 0]
        entry[0] += value * n
        entry[1] += n

    def _read(self) -> None:
        waiting, self._waiting = self._waiting, []
        datas: list[Any] = [data for _, data, _ in waiting]
        groups: dict[Any, list[int]] = {}  # those of a device come together
        for i, data in enumerate(datas):
            if data.size == 1:
                groups.setdefault((array_module(data), device.device_of(data)), []).append(i)
        for (xp, _), places in groups.items():
            if device.several:
                device.enter(datas[places[0]])
            ones = [datas[i].reshape(1) for i in places]
            found = as_numpy(xp.concatenate([a if a.dtype.char in "fd" else a.astype("float64") for a in ones]))
            for i, value in zip(places, found.tolist(), strict=True):
                datas[i] = value
        for (name, _, n), data in zip(waiting, datas, strict=True):
            self._count(name, data, n)

    def means(self) -> dict[str, float]:
        """Name -> mean, in the order in which the names came up."""
        self._read()
        return {name: total / n if n else float("nan") for name, (total, n) in self._sums.items()}

    def clear(self) -> None:
        """Begin anew."""
        self._sums, self._waiting = {}, []

    def state(self) -> dict[str, list[Any]]:
        """The sums, to go on from; see :meth:`restore`."""
        self._read()
        return {name: list(entry) for name, entry in self._sums.items()}

    def restore(self, state: dict[str, list[Any]]) -> None:
        """Go on from the sums that :meth:`state` gave."""
        self._sums, self._waiting = {name: list(entry) for name, entry in state.items()}, []


def number(name: str, value: Any) -> float:
    """One number as a float; also an array of one element of any shape.

    Raises:
        TypeError: it is something else.

    Examples:
        >>> number("loss", np.ones((1, 1), np.float32))
        1.0
    """
    try:
        return float(fetch("item", value).item() if getattr(value, "size", 0) == 1 else value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} is {describe(value)}: one number is expected, a mean over the batch") from None
