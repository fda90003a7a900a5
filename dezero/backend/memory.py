"""The memory of CUDA devices: what CuPy's pool holds, and what an error says when nothing is left."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from dezero.errors import DeviceMemoryError


class Memory(NamedTuple):
    """The memory of a device, in bytes.

    Attributes:
        used: what arrays use.
        held: what CuPy's pool has taken from the device: ``used``, and what it keeps for arrays to come.
        free: what nobody has taken.
        total: what the device has.
    """

    used: int
    held: int
    free: int
    total: int


def memory_of(xp: Any) -> Memory:
    """The memory of the current device of CuPy, which is ``xp``."""
    pool = xp.get_default_memory_pool()
    free, total = xp.cuda.runtime.memGetInfo()
    return Memory(int(pool.used_bytes()), int(pool.total_bytes()), int(free), int(total))


def spelt(n: int) -> str:
    """A number of bytes.

    Examples:
        >>> spelt(512), spelt(3 << 20), spelt(1500 << 20)
        ('512 bytes', '3.0 MiB', '1.5 GiB')
    """
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if n >= size:
            return f"{n / size:.1f} {unit}"
    return f"{n} bytes"


def ran_out(error: BaseException) -> bool:
    """Is it CuPy's error for a device without memory? By its name, so that CuPy is not asked for."""
    return isinstance(error, MemoryError) and type(error).__name__ == "OutOfMemoryError"


def explained(xp: Any, error: BaseException, what: str) -> DeviceMemoryError:
    """CuPy's error in words that help: what was being done, how much was asked for, who holds the rest, and what to do.

    Args:
        xp: CuPy.
        error: an error that :func:`ran_out`.
        what: what was being done, with shapes.
    """
    text = str(error)
    match = re.search(r"allocating ([\d,]+) bytes", text)
    limit = re.search(r"limit set to: ([\d,]+) bytes", text)
    asked = int(match[1].replace(",", "")) if match else None
    said = f"{what}: out of memory" + ("" if asked is None else f": {spelt(asked)} were asked for")
    try:
        now = memory_of(xp)
        place = f"cuda:{xp.cuda.Device().id}"
        said += (f"; of the {spelt(now.total)} of {place}, {spelt(now.free)} are free, and CuPy's pool holds {spelt(now.held)}, "
                 f"of which arrays use {spelt(now.used)}")
    except Exception:  # a device in trouble: what is known is said
        now = Memory(0, 0, 0, 0)
    if limit is not None:
        said += f"; the pool's limit is {spelt(int(limit[1].replace(',', '')))}"
    ours = DeviceMemoryError(f"{said}. Take a smaller batch, keep less for backward with checkpoint(), compute in half precision with autocast(), "
                             "or give back what the pool holds unused: dezero.cuda.empty_cache()")
    ours.asked, (ours.used, ours.held, ours.free, ours.total) = asked, now
    return ours
