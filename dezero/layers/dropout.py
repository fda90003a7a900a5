"""Dropout as a layer."""

from __future__ import annotations

import numpy as np

import dezero.functions as F
from dezero.backend.random import Philox
from dezero.config import current
from dezero.core import Variable
from dezero.core.checks import fraction, integer
from dezero.core.types import Operand
from dezero.errors import StateError
from dezero.layers.buffer import Buffer
from dezero.layers.layer import Layer


class Dropout(Layer):
    """Elements set to 0 with a probability while training, the others enlarged so that the mean stays (:func:`dezero.functions.dropout`).

    After ``eval()`` and under ``test_mode`` all passes.

    Args:
        dropout_ratio: the probability of a 0, in [0, 1].
        seed: the same seed gives the same masks, call after call; without one ``np.random.seed`` governs. A seeded layer counts its calls
            in the buffer ``calls``, which is saved with the weights, so that a training goes on with the masks that come next.
        generator: a :class:`dezero.Philox` to draw the masks from, one that layers may share. Its state, two integers, is yours to save.

    Raises:
        ValueError: the ratio is not in [0, 1], or there are both a seed and a generator.
        TypeError: ``generator`` is no Philox.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> layer = L.Dropout(0.5, seed=0)
        >>> print(layer(np.ones(6)))
        variable([0. 2. 0. 0. 2. 0.])
        >>> print(layer.eval()(np.ones(6)))
        variable([1. 1. 1. 1. 1. 1.])
    """

    def __init__(self, dropout_ratio: float = 0.5, seed: int | None = None, generator: Philox | None = None) -> None:
        super().__init__()
        self.dropout_ratio = fraction("Dropout", "dropout_ratio", dropout_ratio)
        if seed is not None and integer("Dropout", "seed", seed) < 0:
            raise ValueError(f"Dropout: seed is {seed}: an integer of at least 0, or None, is expected")
        if generator is not None and not isinstance(generator, Philox):
            raise TypeError(f"Dropout: generator is a {type(generator).__name__}: a dezero.Philox is expected, whose masks are the same everywhere")
        if seed is not None and generator is not None:
            raise ValueError(f"Dropout: both seed={seed} and a generator were given: give one")
        self.seed, self.generator = seed, generator
        if seed is not None:
            self.calls = Buffer(np.zeros((), np.int64), name="calls")

    def forward(self, x: Operand) -> Variable:
        mode = current()
        if self.seed is None or not mode.train or not self.dropout_ratio:
            return F.dropout(x, self.dropout_ratio, generator=self.generator)
        if mode.again:
            raise StateError("Dropout: a layer with a seed of its own cannot run within checkpoint, which would draw another mask the second time: "
                             "leave seed out, then NumPy's global state decides, which checkpoint restores")
        self.calls.data += 1
        mask = np.random.default_rng([self.seed, int(self.calls.data)]).integers(2 ** 53)
        return F.dropout(x, self.dropout_ratio, seed=int(mask))

    def extra_repr(self) -> str:
        chosen = f", seed={self.seed}" if self.seed is not None else f", generator={self.generator}" if self.generator is not None else ""
        return f"{self.dropout_ratio}{chosen}"


__all__ = ["Dropout"]
