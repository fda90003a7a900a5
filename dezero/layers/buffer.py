"""Buffer: an array that a layer keeps and saves but does not train, such as running statistics."""

from __future__ import annotations

from typing import Any

from dezero.core import Variable


class Buffer(Variable):
    """A Variable without gradient that belongs to a layer's state.

    Args:
        data: an array, or None for a buffer that is sized at the first call.
        name: shown in messages.

    Examples:
        >>> import numpy as np
        >>> mean = Buffer(np.zeros(3, np.float32))
        >>> mean.requires_grad
        False
    """

    __slots__ = ()

    def __init__(self, data: Any = None, name: str | None = None) -> None:
        super().__init__(data, name, requires_grad=False)

    @property
    def data(self) -> Any:
        """The array itself."""
        return Variable.data.fget(self)  # type: ignore[attr-defined]

    @data.setter
    def data(self, value: Any) -> None:
        Variable.data.fset(self, value)  # type: ignore[attr-defined]
        self.requires_grad = False  # a float array would make a trainable leaf of it
