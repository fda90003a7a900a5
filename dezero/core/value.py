"""A Variable as a value: a number where it has one element, a sequence of rows, text, a plain array."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dezero.backend import as_numpy
from dezero.backend.arrays import fetch
from dezero.backend.exchange import exported
from dezero.core.operators import ENGINE, Operators


def is_float(data: Any) -> bool:
    """True for floating dtypes, bfloat16 (whose kind is 'V') among them."""
    dtype = data.dtype
    return bool(dtype.kind == "f") or (dtype.kind == "V" and dtype.name == "bfloat16")


def is_half(x: Any) -> bool:
    """True for an array, a scalar or a Variable of float16 or bfloat16; numbers are none."""
    return getattr(getattr(x, "dtype", None), "char", "") in ("e", "E")


class Value(Operators):
    """What a Variable does where Python or NumPy asks for its value. Its state is Variable's."""

    __slots__ = ()

    data: Any
    _data: Any
    _grad: Any
    _name: str | None
    requires_grad: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's shape."""
        return self._array().shape  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._array().ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._array().size  # type: ignore[no-any-return]

    @property
    def dtype(self) -> Any:
        """The array's dtype."""
        return self._array().dtype

    def _array(self) -> Any:
        if self._data is None:
            raise ValueError(f"{self._called()} has no data yet: set its .data, or call the layer that sizes it")
        return self._data

    def _called(self) -> str:
        return f"variable {self._name!r}" if self._name else "the variable"

    def item(self) -> Any:
        """The only element as a Python number.

        Raises:
            ValueError: there is not exactly one element.
        """
        data = self._array()
        if data.size != 1:
            raise ValueError(f"item: {self._called()} has shape {data.shape}: only one element makes a number; take one by index, or sum() or mean()")
        return fetch("item", data).item()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self._array().dtype.kind not in "iu":
            raise TypeError(f"{self._called()} of dtype {self.dtype} cannot be an index: an integer is needed; write int(v)")
        return int(self.item())

    def __bool__(self) -> bool:
        data = self._array()
        if data.size != 1:
            raise ValueError(f"bool: {self._called()} has shape {data.shape}, which is neither true nor false: use (v.data > 0).any() or .all()")
        return bool(fetch("item", data).item())

    def __len__(self) -> int:
        if not self._array().shape:
            raise TypeError(f"len: {self._called()} is 0-d and has no length")
        return len(self._data)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def tolist(self) -> Any:
        """The elements as nested Python lists."""
        return fetch("tolist", self._array()).tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """For ``np.asarray(v)``: the array alone, without its history."""
        return np.array(as_numpy(self._array()), dtype=dtype, copy=copy)

    def __dlpack__(self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None) -> Any:
        """For ``torch.from_dlpack(v)`` and the like: the array alone, without its history, in the same memory.

        What the other library writes is seen here, and by no graph.

        Raises:
            BufferError: the array cannot be handed over as it is.
        """
        self._array()
        return exported(self.data, stream, max_version, dl_device, copy)

    def __dlpack_device__(self) -> tuple[int, int]:
        """Where the array is, in DLPack's numbers."""
        self._array()
        return self.data.__dlpack_device__()  # type: ignore[no-any-return]

    def __str__(self) -> str:
        if self._data is None:
            return "variable(None)"
        return "variable(" + str(self._data).replace("\n", "\n" + " " * 9) + ")"

    def __repr__(self) -> str:
        """As ``str``, with the name, an unusual dtype, and the state of the gradient."""
        notes = [f"name={self._name!r}"] if self._name else []
        if self._data is not None and self.dtype not in (np.float64, np.int64, np.bool_):
            notes.append(f"dtype={self.dtype}")
        if self._grad is not None:
            notes.append(f"grad={self._grad._data if not self._grad.shape else self._grad.shape}")
        elif (creator := getattr(self, "creator", None)) is not None:
            notes.append(f"creator={type(creator).__name__}")
        elif self._data is not None and is_float(self._data) and not self.requires_grad:
            notes.append("constant")
        return ", ".join([str(self)[:-1], *notes]) + ")"

    def _repr_html_(self) -> str:
        """What a notebook shows: the same text, and the graph folded away below it."""
        return ENGINE["variable_html"](self)  # type: ignore[no-any-return]
