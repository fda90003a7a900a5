"""What may be saved: named arrays of numbers, brought to the host in one layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dezero.backend import as_numpy
from dezero.errors import DTypeError, describe

NUMBERS = frozenset(("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"))
Arrays = dict[str, NDArray[Any]]


def host_arrays(arrays: Mapping[str, Any], who: str) -> Arrays:
    """The arrays on the host, in C order and little-endian; those that are so already are not copied.

    Args:
        arrays: arrays, Variables or numbers by name; device arrays are copied to the host.
        who: the caller's name, for messages.

    Raises:
        DTypeError: something is no array of numbers, or has no value yet.
        TypeError: a name is no string.

    Examples:
        >>> import numpy as np
        >>> host_arrays({"W": np.ones((2, 2), ">f4").T}, "save")["W"].dtype.str
        '<f4'
    """
    result = {}
    for name, value in arrays.items():
        if not isinstance(name, str):
            raise TypeError(f"{who}: the name {name!r} is a {type(name).__name__}: names of arrays are strings")
        result[name] = _host_array(name, value, who)
    return result


def _host_array(name: str, value: Any, who: str) -> NDArray[Any]:
    value = getattr(value, "_data", value)  # a Variable
    if value is None:
        raise DTypeError(f"{who}: {name!r} has no value yet: call the model once, so that its lazily sized weights are made, before saving")
    x = as_numpy(value)
    if x.dtype.name == "bfloat16":
        x = x.astype(np.float32)  # which has the same exponent and more digits, and which every file format knows
    if f"{x.dtype.kind}{x.dtype.itemsize}" not in NUMBERS:
        raise DTypeError(f"{who}: {name!r} is {describe(x)}: arrays of bools, integers, floats of at most 64 bits or complex numbers can be saved")
    return np.asarray(x, x.dtype.newbyteorder("<"), order="C")


def native(x: NDArray[Any]) -> NDArray[Any]:
    """``x`` in this machine's byte order."""
    return x.astype(x.dtype.newbyteorder("="), copy=False)


def check_metadata(metadata: Mapping[str, str] | None, who: str) -> dict[str, str]:
    """``metadata`` as a dict of strings.

    Raises:
        TypeError: a key or a value is no string.
    """
    for key, value in (metadata or {}).items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"{who}: metadata has {key!r}: {type(value).__name__}: strings are expected; use json.dumps for anything else")
    return dict(metadata or {})
