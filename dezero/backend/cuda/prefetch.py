"""Batches on their way to a device while it computes: through pinned memory, on a stream of their own, ordered by events.

What has to be in order, and how that is seen to:

* A pinned buffer is written again only after the copy from it is done: the host waits for that copy's event.
* A copy begins only after the work that was queued when its target was made: CuPy's pool hands out memory that an array has just left,
  while kernels that read it still wait. The copying stream waits for an event of the computing one.
* Kernels that read a batch, and those that write to its memory after it is gone, come after its copy: the computing stream waits for
  the copy's event, also where the batch is thrown away.

Each batch gets new arrays from the pool, so that nothing is ever written into a batch that somebody holds.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from dezero.backend.arrays import cupy_module
from dezero.backend.device import Device, check, is_numeric, mapped, out_of_memory
from dezero.errors import describe

RING = 3         # pinned buffers; there are more only where more batches wait in them
ALIGNMENT = 512  # of the parts of a batch in a buffer, as in CuPy's pool


class Slot:
    """A pinned buffer that holds one batch at a time.

    Attributes:
        buffer: its bytes.
        copied: the event after the last copy from it; None before the first.
    """

    def __init__(self) -> None:
        self.buffer = np.empty(0, np.uint8)
        self.copied: Any = None

    def __del__(self) -> None:
        with suppress(Exception):  # at the end of the process CUDA may be gone
            self.wait()  # the buffer goes back to a pool, and whoever gets it next writes to it at once

    def wait(self) -> None:
        """Let the host wait until the buffer is read."""
        if self.copied is not None:
            self.copied.synchronize()
            self.copied = None


class Staged(NamedTuple):
    """A batch in pinned memory.

    Attributes:
        parts: the batch, with views of the slot's buffer in the places of its arrays.
        slot: None where there is nothing to copy.
    """

    parts: Any
    slot: Slot | None


class Sent(NamedTuple):
    """A batch that is being copied.

    Attributes:
        parts: the batch on the device.
        arrays: those of its arrays that are copied.
        copied: the event after the copy; None where there is nothing to copy.
        home: the stream in whose part of the pool the arrays lie.
    """

    parts: Any
    arrays: list[Any]
    copied: Any
    home: Any


class Feed:
    """The way of batches to one device. One loop at a time may use it; :meth:`stage` may run in any thread.

    Args:
        device: where to.

    Raises:
        ImportError, DeviceError: there is no such device.
    """

    def __init__(self, device: Device) -> None:
        check(device)
        self.xp = cupy_module()
        self.cuda = self.xp.cuda
        self.index = self.cuda.Device().id if device.index is None else device.index
        self._free: deque[Slot] = deque()  # the one whose copy is the oldest comes first
        self._made, self._lock = 0, Lock()
        with self._there():
            self._copies = self.cuda.Stream(non_blocking=True)
            self._ready = self.cuda.Event(disable_timing=True)

    def _there(self) -> Any:
        return self.cuda.Device(self.index)

    def leads_to(self, device: Device) -> bool:
        """Is it the way to this device, as things are now?"""
        return self.xp is cupy_module() and self.index == (self.cuda.Device().id if device.index is None else device.index)

    # -- on the host ------------------------------------------------------------------------------

    def slot(self) -> Slot:
        """A slot that no batch is in. It goes to :meth:`stage`, or back by :meth:`put_back`."""
        with self._lock:
            if self._made >= RING and self._free:
                return self._free.popleft()
            self._made += 1
            return Slot()

    def put_back(self, slot: Slot | None) -> None:
        """Let another batch have the slot."""
        if slot is not None:
            with self._lock:
                self._free.append(slot)

    def stage(self, batch: Any, slot: Slot) -> Staged:
        """Write a batch into a slot's buffer, once the copy of the batch before is done."""
        found: list[Any] = []
        mapped(batch, lambda x: found.append(x) if _travels(x) else None)
        size = sum(map(_room, found))
        if not size:
            self.put_back(slot)
            return Staged(batch, None)
        with self._there():
            slot.wait()
            if slot.buffer.size < size:
                slot.buffer = np.empty(0, np.uint8)  # given back first, so that the pool may take it for the larger one
                slot.buffer = np.frombuffer(self.cuda.alloc_pinned_memory(size), np.uint8, size)
        place = 0

        def written(x: Any) -> Any:
            nonlocal place
            if not _travels(x):
                return x
            view = slot.buffer[place:place + x.nbytes].view(x.dtype).reshape(x.shape)
            view[...] = x
            place += _room(x)
            return view
        return Staged(mapped(batch, written), slot)

    # -- to the device ----------------------------------------------------------------------------

    def send(self, staged: Staged) -> Sent:
        """Begin to copy a batch to new arrays.

        Raises:
            DeviceMemoryError: the device has no room for it. It may be sent again.
        """
        slot = staged.slot
        if slot is None:
            return Sent(staged.parts, [], None, None)
        hosts: list[Any] = []
        mapped(staged.parts, lambda x: hosts.append(x) if _travels(x) else None)
        try:
            with self._there():
                home = self.cuda.get_current_stream()
                arrays = [self.xp.empty(x.shape, x.dtype) for x in hosts]
                copied = self._copy(hosts, arrays, slot, home)
        except MemoryError as error:
            out_of_memory(error, f"DataLoader: the batch {', '.join(map(describe, hosts))} on its way to the device")
        self.put_back(slot)
        each = iter(arrays)
        return Sent(mapped(staged.parts, lambda x: next(each) if _travels(x) else x), arrays, copied, home)

    def _copy(self, hosts: list[Any], arrays: list[Any], slot: Slot, home: Any) -> Any:
        """Queue the copies; the event after them."""
        copied = self.cuda.Event(block=True, disable_timing=True)
        self._ready.record(home)
        self._copies.wait_event(self._ready)
        try:
            for a, host in zip(arrays, hosts, strict=True):
                if host.nbytes:
                    a.set(host, self._copies)
        except BaseException:
            copied.record(self._copies)
            slot.copied = copied
            home.wait_event(copied)  # what was begun goes to arrays that are given up now
            raise
        copied.record(self._copies)
        slot.copied = copied
        return copied

    def receive(self, sent: Sent) -> Any:
        """The batch, for work on the current stream: that waits for the copy, the host does not."""
        if sent.copied is None:
            return sent.parts
        with self._there():
            stream = self.cuda.get_current_stream()
            stream.wait_event(sent.copied)
            if stream == sent.home:
                return sent.parts
            # The stream was changed in between: when the batch is gone, its memory would be free for the one before while this one reads.
            parts = mapped(sent.parts, lambda x: x.copy() if any(x is a for a in sent.arrays) else x)
            self._ready.record(stream)
            sent.home.wait_event(self._ready)
            return parts

    def drop(self, sent: Sent) -> None:
        """Give up a batch that nobody wants any more."""
        if sent.copied is not None:
            with self._there():
                sent.home.wait_event(sent.copied)


def feed_to(device: Device) -> Feed | None:
    """A way to the device; None where CuPy's stand-in has no streams."""
    check(device)
    return Feed(device) if hasattr(cupy_module().cuda, "Stream") else None


def _travels(x: Any) -> bool:
    """Is it an array of the host that is to be copied?"""
    return isinstance(x, np.ndarray) and is_numeric(x)


def _room(x: Any) -> int:
    """The bytes that an array takes in a buffer."""
    nbytes: int = x.nbytes
    return -(-nbytes // ALIGNMENT) * ALIGNMENT
