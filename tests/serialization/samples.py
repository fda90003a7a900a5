"""Arrays to save, for the tests of this folder."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

SPARE = 16 << 20  # what a reader may take beside twice the size of the file
DTYPES = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8"]


def of_all_kinds() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    arrays = {f"d.{d}": (rng.random((3, 5)) * 9).astype(d) for d in DTYPES}
    base = arrays["d.f4"]
    return arrays | {
        "zero-d": np.array(2.5), "empty": np.zeros((0, 3), np.float16), "empty too": np.zeros((2, 0, 2), bool),
        "transposed": base.T, "steps": base[:, ::2], "backwards": base[::-1, ::-1], "big-endian": base.astype(">f4"),
        "fortran": np.asfortranarray(base), "broadcast": np.broadcast_to(base[:1], (4, 5)),
        "special": np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324]),
    }


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Equal names, shapes, values to the bit; dtypes but for the byte order; and what was read is native, in C order, writable and its own."""
    return a.keys() == b.keys() and all(
        x.dtype == y.dtype.newbyteorder("=") and x.dtype.isnative and x.shape == y.shape and x.flags.c_contiguous and x.flags.writeable
        and x.tobytes() == y.astype(x.dtype).tobytes() for x, y in ((a[name], np.asarray(b[name])) for name in a))


def raw(header: Any, data: bytes = b"") -> bytes:
    """A safetensors file by hand; ``header`` is JSON as bytes or anything that json.dumps takes."""
    if not isinstance(header, bytes):
        header = json.dumps(header).encode()
    return len(header).to_bytes(8, "little") + header + data


def entry(dtype: Any = "F32", shape: Any = (2,), start: Any = 0, end: Any = 8) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def npy(header: str | bytes, data: bytes = b"", version: bytes = b"\1\0") -> bytes:
    """An npy file by hand."""
    header = header.encode() if isinstance(header, str) else header
    return b"\x93NUMPY" + version + len(header).to_bytes(2 if version == b"\1\0" else 4, "little") + header + data


@contextmanager
def bounded_memory(size: int) -> Iterator[None]:
    """The block may take twice the ``size`` of a file and 16 MB."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 2 * size + SPARE


def as_npy(x: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, x, allow_pickle=False)
    return file.getvalue()
