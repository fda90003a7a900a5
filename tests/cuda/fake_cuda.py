"""What of ``cupy.cuda`` orders work and gives memory, so that a missing wait, a buffer reused too early or a lack of memory shows.

Kernels of the stand-in run when they are called, as if the computing stream had no delay. A copy from the host on a stream runs as late as
it may: when a stream or the host waits for an event after it. Until then its target holds NaN (or other rubbish), and it reads what
the host's buffer holds by then. Beside that the streams keep clocks of each other, as a race detector does: a copy to memory that work
before may still read, and memory given back while a copy to it is under way, are written down and fail the test.
"""

from __future__ import annotations

import ctypes
import itertools
import threading
import types
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from tests import strict
from tests.cuda.emulator import Emulated
from tests.strict import Device, StrictArray

RUBBISH = 0xAB
_numbers = itertools.count(1)
_lock = threading.RLock()


class OutOfMemoryError(MemoryError):
    """CuPy's, with its words."""

    def __init__(self, size: int, total: int, limit: int = 0) -> None:
        more = f", limit set to: {limit:,} bytes" if limit else ""
        super().__init__(f"Out of memory allocating {size:,} bytes (allocated so far: {total:,} bytes{more}).")


class CUDARuntimeError(RuntimeError):
    """CuPy's."""


class Event:
    """A point in the queue of a stream."""

    def __init__(self, block: bool = False, disable_timing: bool = False, interprocess: bool = False) -> None:
        self.stream: Stream | None = None
        self.time, self.knew = 0, {}

    def record(self, stream: Stream | None = None) -> None:
        with _lock:
            self.stream = stream or current.stream()
            self.time, self.knew = self.stream.time, dict(self.stream.knows)

    def synchronize(self) -> None:
        if self.stream is not None:
            self.stream.run(self.time)

    @property
    def done(self) -> bool:
        return self.stream is None or not self.stream.queue or self.stream.queue[0][0] > self.time


class Stream:
    """A queue of copies. ``time`` counts what was queued, ``knows`` is how far it has waited for others."""

    null: Stream

    def __init__(self, null: bool = False, non_blocking: bool = False) -> None:
        assert null or non_blocking, "a stream that waits for the default stream copies nothing beside it"
        self.ptr, self.device_id = 0 if null else next(_numbers), Device.current
        self.time, self.knows, self.queue = 0, dict[Stream, int](), deque[tuple[int, Callable[[], None]]]()

    def __eq__(self, other: object) -> bool: return isinstance(other, Stream) and other.ptr == self.ptr
    def __hash__(self) -> int: return self.ptr

    def record(self, event: Event | None = None) -> Event:
        event = event or Event()
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        with _lock:
            assert event.stream is not None, "the event was not recorded"
            for stream, time in [*event.knew.items(), (event.stream, event.time)]:
                self.knows[stream] = max(time, self.knows.get(stream, 0))
        event.synchronize()  # kernels on this stream run when they are called, so what they wait for is done now

    def synchronize(self) -> None:
        self.run(self.time)

    def run(self, time: int) -> None:
        """Do what was queued up to this time."""
        with _lock:
            while self.queue and self.queue[0][0] <= time:
                self.queue.popleft()[1]()

    def copies(self, target: StrictArray, host: np.ndarray) -> None:
        """Queue a copy; the host's memory is read when it is its turn, also where somebody else has it by then."""
        with _lock:
            assert Device.current == self.device_id == target.device.id, "a stream, its arrays and the current device belong together"
            self.time += 1
            a, address, world = target._a, host.ctypes.data, World.now
            world.asked_copies.append(host.nbytes)
            if not world.is_pinned(address, host.nbytes):
                world.faults.append("a copy from memory that is not pinned waits for the host")
            birth = world.births.get(id(a))
            if birth is not None and self != birth[0]:
                if self.knows.get(birth[0], 0) < birth[1]:
                    world.faults.append("a copy does not wait for the work that may still read the memory it is going to")
                world.written[id(a)] = (self, self.time)
            there = weakref.ref(a)

            def copy() -> None:
                if (now := there()) is not None:
                    ctypes.memmove(now.ctypes.data, address, now.nbytes)
            self.queue.append((self.time, copy))

    def __enter__(self) -> Stream:
        current.stack().append(self)
        return self

    def __exit__(self, *error: object) -> None:
        current.stack().pop()


class _CurrentStream(threading.local):
    def stack(self) -> list[Stream]:
        return self.__dict__.setdefault("streams", [])

    def stream(self) -> Stream:
        return self.stack()[-1] if self.stack() else Stream.null


current = _CurrentStream()
Stream.null = Stream(null=True)


class Pool:
    """CuPy's memory pool: counts what arrays use."""

    def __init__(self) -> None:
        self.used = self.held = self.limit = 0

    def used_bytes(self) -> int: return self.used
    def total_bytes(self) -> int: return self.held
    def set_limit(self, size: int) -> None: self.limit = size
    def free_all_blocks(self, stream: Any = None) -> None: self.held = self.used

    def take(self, size: int) -> None:
        with _lock:
            if self.limit and self.used + size > self.limit:
                raise OutOfMemoryError(size, self.held, self.limit)
            self.used += size
            self.held = max(self.held, self.used)

    def give_back(self, size: int) -> None:
        with _lock:
            self.used -= size


class World:
    """One device with its memory and streams."""

    now: World

    def __init__(self) -> None:
        World.now = self
        Stream.null = Stream(null=True)
        self.faults: list[str] = []
        self.pool, self.pinned_pool = Pool(), Pool()
        self.births: dict[int, tuple[Stream, int]] = {}   # array -> stream in whose part of the pool it lies, and when it was made
        self.written: dict[int, tuple[Stream, int]] = {}  # array -> the last copy to it
        self.pinned: list[np.ndarray] = []                # never freed: a copy that comes too late reads rubbish
        self.asked_copies: list[int] = []

    def born(self, array: StrictArray) -> None:
        """New memory for an array: it holds nothing that anybody wants, and leaves the pool when the array goes."""
        a, stream = array._a, current.stream()
        if a.base is not None or id(a) in self.births:  # a view, or another handle
            return
        self.pool.take(a.nbytes)
        with _lock:
            stream.time += 1
            self.births[id(a)] = stream, stream.time
        weakref.finalize(a, self.died, id(a), a.nbytes).atexit = False

    def died(self, key: int, size: int) -> None:
        with _lock:
            home, _ = self.births.pop(key)
            writer, time = self.written.pop(key, (None, 0))
            if writer is not None and home.knows.get(writer, 0) < time:
                self.faults.append("memory is given back while a copy to it is under way")
        self.pool.give_back(size)

    def is_pinned(self, address: int, size: int) -> bool:
        return any(raw.ctypes.data <= address and address + size <= raw.ctypes.data + raw.size for raw in self.pinned)

    def alloc_pinned(self, size: int) -> Any:
        raw = np.full(size, RUBBISH, np.uint8)
        self.pinned.append(raw)
        memory = (ctypes.c_ubyte * size).from_address(raw.ctypes.data)
        self.pinned_pool.take(size)

        def gone() -> None:
            raw[...] = RUBBISH  # somebody else writes to it
            self.pinned_pool.give_back(size)
        weakref.finalize(memory, gone).atexit = False
        return memory

    def empty(self, shape: Any, dtype: Any = np.float64) -> StrictArray:
        array = StrictArray(np.empty(shape, dtype))
        array._a.view(np.uint8 if array._a.ndim else array._a.dtype)[...] = 0xFF if array._a.ndim else np.nan if array.dtype.kind == "f" else 1
        return array


PROPERTIES = {"name": b"Emulated Device", "totalGlobalMem": 1 << 30, "major": 9, "minor": 0}


class FakeCuda(Emulated):
    """The emulated CuPy with streams, events, pinned memory and a memory pool."""

    def __init__(self) -> None:
        super().__init__("emulated")
        self.__version__ = "14.2.0"
        self.world = world = World()
        runtime = types.SimpleNamespace(
            getDeviceCount=lambda: Device.count, memGetInfo=lambda: ((1 << 30) - world.pool.held, 1 << 30), driverGetVersion=lambda: 13020,
            runtimeGetVersion=lambda: 13020, getDeviceProperties=lambda i: PROPERTIES, CUDARuntimeError=CUDARuntimeError)
        self.cuda = types.SimpleNamespace(**{
            **vars(strict.xp.cuda), "Stream": Stream, "Event": Event, "get_current_stream": current.stream, "runtime": runtime,
            "alloc_pinned_memory": world.alloc_pinned, "memory": types.SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
            "nvrtc": types.SimpleNamespace(getVersion=lambda: (13, 2))})
        self.empty = world.empty
        self.get_default_memory_pool = lambda: world.pool
        self.get_default_pinned_memory_pool = lambda: world.pinned_pool
