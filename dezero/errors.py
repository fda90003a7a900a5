"""Error types, one for each kind of mistake, and the words that describe an array in a message."""

from __future__ import annotations

from typing import Any


class ShapeError(ValueError):
    """Arrays whose shapes do not fit an op, or a gradient whose shape does not fit its variable."""


class DTypeError(TypeError):
    """An array whose dtype an op cannot work on."""


class RangeError(ValueError):
    """Values outside the range on which an op is defined: probabilities above 1, say."""


class DeviceError(TypeError):
    """Host and device arrays were mixed in one op."""


class DeviceMemoryError(MemoryError):
    """The device has no memory left for what was asked for.

    Attributes:
        asked: bytes that were asked for; None if that is not known.
        used, held: bytes in CuPy's memory pool that arrays use, and all that it holds.
        free, total: bytes of the device that nobody holds, and all that it has.
    """

    asked: int | None = None
    used = held = free = total = 0


class InputTypeError(TypeError):
    """An input that is neither a Variable, an array nor a number."""


class UntrackedError(RuntimeError):
    """A gradient was asked of a variable that no tracked function computed."""


class FreedGraphError(RuntimeError):
    """A gradient was asked of a graph whose kept values were already freed."""


class IntegerGradientError(TypeError):
    """A gradient was asked of an integer or bool variable; these are constants."""


class AnomalyError(ArithmeticError):
    """A NaN or an infinity appeared while ``detect_anomaly`` was on."""


class ChangedInPlaceError(RuntimeError):
    """An array that the graph had kept was changed between forward and backward."""


class GradientCheckError(AssertionError):
    """Backpropagated and numerical gradients differ; the message is the report."""


class StateError(ValueError):
    """A saved state whose names, shapes or dtypes do not fit what it is loaded into."""


class FileFormatError(ValueError):
    """A file whose bytes are not what its format promises: cut off, damaged, or of another kind."""


class DatasetError(RuntimeError):
    """A data set whose files cannot be found, fetched or read."""


def describe(x: Any) -> str:
    """Say what ``x`` is in a few words, for messages.

    Examples:
        >>> import numpy as np
        >>> describe(np.zeros((2, 3), np.float32))
        '(2, 3) float32'
        >>> describe([1, 2])
        'list'
    """
    if x is None:
        return "None"
    if isinstance(x, type):
        return f"the class {x.__name__}"
    shape, dtype = getattr(x, "shape", None), getattr(x, "dtype", None)
    if shape is None or dtype is None:
        return repr(x) if isinstance(x, (bool, int, float)) else type(x).__name__
    return f"{tuple(shape)} {dtype}"
