"""Affine layers: Linear, and the lookup of rows of a table."""

from __future__ import annotations

from threading import RLock
from typing import Any

import numpy as np

import dezero.functions as F
from dezero.backend import array_module
from dezero.backend.arrays import half_dtype, kind_of
from dezero.core import Parameter, Variable
from dezero.core.types import Operand
from dezero.errors import ShapeError, describe
from dezero.initializers import Spec, initializer
from dezero.layers.layer import Layer

sizing = RLock()  # weights are sized by the first of several threads that call a layer at once


def size(layer: str, name: str, value: Any) -> int:
    """``value`` as a positive int.

    Raises:
        ValueError: it is none.
    """
    try:
        n = value.__index__()
    except AttributeError:
        n = 0
    if n < 1:
        raise ValueError(f"{layer}: {name} is {value!r}: a positive integer is expected")
    return int(n)


def float_dtype(layer: str, dtype: Any) -> Any:
    """``dtype`` as a NumPy dtype.

    Raises:
        TypeError: it is no float dtype.
    """
    if kind_of(found := half_dtype(layer, dtype) if isinstance(dtype, str) and dtype == "bfloat16" else np.dtype(dtype)) != "f":
        raise TypeError(f"{layer}: dtype is {found}: float16, float32 or float64 is expected")
    return found


class Linear(Layer):
    """``y = x W + b``.

    Args:
        out_size: O, length of the last axis of the output.
        nobias: leave b out.
        dtype: of W and b.
        in_size: I, length of the last axis of the input; None sizes W at the first call.
        initializer: of W; LeCun's by default, "he" suits ReLU. b starts at 0.

    Attributes:
        W: (I, O).
        b: (O,), or None.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> layer = L.Linear(10)
        >>> layer(np.ones((32, 784), np.float32)).shape, layer.W.shape
        ((32, 10), (784, 10))
    """

    def __init__(self, out_size: int, nobias: bool = False, dtype: Any = np.float32, in_size: int | None = None, initializer: Spec = "lecun") -> None:
        super().__init__()
        self.out_size = size("Linear", "out_size", out_size)
        self.in_size = None if in_size is None else size("Linear", "in_size", in_size)
        self.dtype = float_dtype("Linear", dtype)
        self.initializer = initializer
        self.W = Parameter(None, name="W")
        self.b = None if nobias else Parameter(np.zeros(self.out_size, self.dtype), name="b")
        if self.in_size is not None:
            self._size(self.in_size, np)

    def _size(self, in_size: int, xp: Any) -> None:
        self.in_size = in_size
        self.W.data = initializer(self.initializer)((in_size, self.out_size), self.dtype, in_size, self.out_size, xp)

    def forward(self, x: Operand) -> Variable:
        if self.W._data is None:
            shape = getattr(x, "shape", ())
            if not shape:
                raise ShapeError(f"Linear: x is {describe(x)}: an array (..., I) is expected")
            with sizing:
                if self.W.data is None:
                    self._size(shape[-1], array_module(x))
        return F.linear(x, self.W, self.b)

    def lazy_shapes(self) -> dict[str, tuple[int | None, ...]]:
        return {"W": (self.in_size, self.out_size)}

    def extra_repr(self) -> str:
        return f"{'?' if self.W.data is None else self.W.shape[0]} -> {self.out_size}" + ("" if self.b is not None else ", nobias")


class EmbedID(Layer):
    """The rows of a table that the ids in x point to.

    Args:
        in_size: how many ids there are.
        out_size: length of a row.
        dtype: of the table.
        initializer: of the table; normal with standard deviation 1 by default.

    Attributes:
        W: (in_size, out_size).

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> L.EmbedID(100, 16)(np.array([[1, 2, 3]])).shape
        (1, 3, 16)
    """

    def __init__(self, in_size: int, out_size: int, dtype: Any = np.float32, initializer: Spec | None = None) -> None:
        super().__init__()
        name = type(self).__name__
        shape = (size(name, "in_size", in_size), size(name, "out_size", out_size))
        self.W = Parameter(_table(initializer, shape, float_dtype(name, dtype)), name="W")

    def forward(self, x: Any) -> Variable:
        return F.embedding(x, self.W)

    def extra_repr(self) -> str:
        return f"{self.W.shape[0]} ids -> {self.W.shape[1]}"


def _table(spec: Spec | None, shape: tuple[int, int], dtype: Any) -> Any:
    if spec is None:
        return np.random.randn(*shape).astype(dtype)
    return initializer(spec)(shape, dtype)


Embedding = EmbedID

__all__ = ["EmbedID", "Embedding", "Linear"]
