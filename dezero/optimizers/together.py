"""Parameters on a device that make the same step are updated in one launch; and arrays by where they are, for kernels that take many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from dezero.backend import array_module, arrays, device, kernels_of
from dezero.backend.together import Batch
from dezero.optimizers.slot import Slot


def by_place(items: Iterable[Any], array: Callable[[Any], Any] = lambda item: item) -> Iterator[tuple[Any, list[Any]]]:
    """(kernels, items) for each array module and device, which is made the current one.

    Args:
        items: arrays, or what ``array`` finds an array in.
    """
    found: dict[Any, list[Any]] = {}
    for item in items:
        a = array(item)
        place = (array_module(a), device.device_of(a) if device.several else "") if arrays.foreign else (np, "")
        found.setdefault(place, []).append(item)
    for (xp, _), group in found.items():
        if device.several:
            device.enter(array(group[0]))
        yield kernels_of(xp), group


class Together:
    """The batches into which an optimizer has parted its parameters on devices. They hold from step to step, until something changes."""

    def __init__(self) -> None:
        self.ready: list[Slot] = []
        self.batches: list[Like] = []

    def __reduce__(self) -> Any:
        return Together, ()  # a copy finds its own

    def update(self, rule: Any, slots: list[Slot]) -> list[Slot]:
        """Make a step on all parameters on devices; gives the slots that are left, those on the host."""
        rest: list[Slot] = []
        ready: list[Slot] = []
        same = True
        for slot in slots:
            param = slot.param
            if param._grad is None or param._data is None:
                continue
            if param._data is not slot.data:
                slot.fit(param._data)
                same = False
            (rest if slot.xp is np else ready).append(slot)
        if not same or ready != self.ready or not all(batch.alike() for batch in self.batches):
            self.ready, self.batches = ready, parted(ready)
        for batch in self.batches:
            batch.step(rule)
        return rest


def parted(slots: list[Slot]) -> list[Like]:
    """Slots in batches of those whose steps have the same numbers: like options, count, dtype and device."""
    found: dict[Any, list[Slot]] = {}
    for slot in slots:
        place = device.device_of(slot.data) if device.several else ""
        found.setdefault((id(slot.options), slot.t, slot.data.dtype, place, tuple(slot.numbers.items())), []).append(slot)
    return [Like(group) for group in found.values()]


class Like:
    """Slots that make the same step."""

    def __init__(self, slots: list[Slot]) -> None:
        self.slots = slots
        self.keys: Any = None   # of the state that the rule has asked for
        self.batch: Any = None

    def alike(self) -> bool:
        """Are the numbers of all of them still the same?"""
        first = self.slots[0]
        t, options, numbers = first.t, first.options, first.numbers
        return all(s.t == t and s.options is options and s.numbers == numbers for s in self.slots)

    def step(self, rule: Any) -> None:
        """The step of a rule on all of them."""
        first = self.slots[0]
        gs = [slot.param._grad.data for slot in self.slots]
        if device.several:
            device.enter(first.data)
        masters = [slot.state("master") for slot in self.slots] if first.half else None
        name, keys, numbers = read(rule, first, gs[0])
        if keys != self.keys:
            self.keys = keys
            for slot in self.slots:
                for key in first.arrays:  # in one order for all
                    slot.state(key)
            states = [None if key is None else [slot.arrays[key] for slot in self.slots] for key in keys]
            self.batch = Batch([slot.data for slot in self.slots], states, masters)
        first.kernels.step_together(name, self.batch, gs, 0.0 if rule.decoupled else first.options.weight_decay, numbers)
        for slot in self.slots:
            slot.t += 1
            if first.numbers and slot is not first:
                slot.numbers = dict(first.numbers)


class _Reader:
    """Stands for the table of kernels while a rule's step is read: it notes what is called instead of calling."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *args: self.calls.append((name, args))


def read(rule: Any, slot: Slot, g: Any) -> tuple[str, list[str | None], tuple[Any, ...]]:
    """What a rule's step on a parameter calls: the kernel, the keys of its state (None for an array that it does without), the numbers."""
    kernels, reader = slot.kernels, _Reader()
    slot.kernels = reader
    try:
        rule.step(slot.data, g, slot, slot.options)
    finally:
        slot.kernels = kernels
    if len(reader.calls) != 1:
        raise TypeError(f"{type(rule).__name__}.step is marked as one call of a kernel and makes {len(reader.calls)}")
    (name, (_, _, *rest)), = reader.calls
    by_id = {id(a): key for key, a in slot.arrays.items()}
    keys: list[str | None] = []
    while rest and (rest[0] is None or id(rest[0]) in by_id):
        a = rest.pop(0)
        keys.append(None if a is None else by_id[id(a)])
    return name, keys, tuple(rest)
