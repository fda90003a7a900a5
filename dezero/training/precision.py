"""In what precision a run computes: the casts around forward and loss, and the scaled loss that float16 needs."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from dezero.core import autocast
from dezero.core.value import is_half
from dezero.optimizers.scaler import LossScaler
from dezero.optimizers.target import parameters

PRECISIONS = ("float32", "bfloat16", "float16")


class Precision:
    """float32 (or what the weights have), or mixed precision with one of the half dtypes.

    Attributes:
        casting: the context in which forward and loss run.
        scaler: of the loss, for float16, whose range is small; None else.

    Raises:
        ValueError: the name is none of these.
    """

    def __init__(self, who: str, name: str | None) -> None:
        if name is not None and name not in PRECISIONS:
            raise ValueError(f"{who}: precision is {name!r}: {', '.join(map(repr, PRECISIONS))} or None is expected")
        self.mixed = name not in (None, "float32")
        self.casting: AbstractContextManager[Any] = autocast(name) if self.mixed else nullcontext()
        self.scaler = LossScaler() if name == "float16" else None

    def begin(self, loss: Any) -> None:
        """Let ``loss.backward()`` send scaled gradients where the dtype needs that."""
        if self.scaler is not None:
            self.scaler.loss(lambda: loss)()

    def end(self, optimizer: Any) -> bool:
        """The true gradients after ``backward``; False where one overflowed, so that this step must be left out."""
        if self.scaler is None or self.scaler(parameters(optimizer.target)):
            return True
        optimizer.skipped += 1
        return False

    def plain(self, y: Any) -> Any:
        """Outputs on the host, in float32 where they have half precision: other libraries know no bfloat16."""
        if isinstance(y, tuple):
            return tuple(map(self.plain, y))
        return y.astype(np.float32) if self.mixed and is_half(y) else y
