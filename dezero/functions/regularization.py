"""Dropout."""

from __future__ import annotations

import numpy as np

from dezero.backend import array_module
from dezero.backend.random import Philox, fresh_seed, keep_mask
from dezero.config import current
from dezero.core.arithmetic import Elementwise
from dezero.core.checks import fraction, operand
from dezero.core.function import Function
from dezero.core.types import Operand
from dezero.core.value import is_float
from dezero.core.variable import Variable


class Dropout(Elementwise, op="dropout"):
    """y = x mask, for a random mask of 0 and 1 / (1 - ratio)."""

    def forward(self, x, mask): return x * mask
    def grad_x(self, gy, *, mask): return gy * mask


class SeededDropout(Function, op="seeded_dropout"):
    """The same with the mask of a seed and an offset, made anew in each direction instead of kept: for devices, where that is one launch.

    There a mask is made about as fast as it is read, and it would take as much memory as x.
    """

    def __init__(self, ratio, seed, offset):
        self.ratio, self.seed, self.offset = ratio, seed, offset

    def forward(self, x):
        return self.kernels.dropout(x if is_float(x) else x.astype("float64"), self.ratio, self.seed, self.offset)

    def grad_x(self, gy): return SeededDropout.on(gy, ratio=self.ratio, seed=self.seed, offset=self.offset)


def dropout(x: Operand, dropout_ratio: float = 0.5, seed: int | None = None, generator: Philox | None = None) -> Variable:
    """Set each element to 0 with a probability, and enlarge the others so that the mean stays (inverted dropout).

    Nothing happens within ``dezero.test_mode()``.

    Args:
        x: any shape.
        dropout_ratio: the probability of a 0, in [0, 1]; it is met to within 2^-17. With 1 all is 0.
        seed: the same seed gives the same mask. Without one, ``np.random.seed`` governs.
        generator: a :class:`dezero.Philox` to draw the mask from, whose state can be saved, to draw the same mask again.

    Returns:
        The shape of ``x``: ``x / (1 - dropout_ratio)`` or 0. The mask is the same on the host and on a device.

    Raises:
        ValueError: the ratio is not in [0, 1], or there are both a seed and a generator.
        TypeError: ``generator`` is no Philox.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F, test_mode
        >>> x = np.ones(6)
        >>> print(F.dropout(x, 0.5, seed=1))
        variable([2. 0. 2. 0. 0. 2.])
        >>> with test_mode():
        ...     print(F.dropout(x, 0.5))
        variable([1. 1. 1. 1. 1. 1.])
    """
    ratio, offset = fraction("dropout", "dropout_ratio", dropout_ratio), 0
    x = operand("dropout", "x", x)
    if ratio == 0 or not current().train:
        return x
    if generator is not None:
        seed, offset = _draw(generator, seed, x.size)
    elif seed is None and ratio < 1:
        seed = fresh_seed()
    xp, real = array_module(x), is_float(x.data)
    if xp is not np and ratio < 1 and real:
        return SeededDropout(ratio, seed, offset)(x)
    return Dropout()(x, keep_mask(xp, x.shape, ratio, x.dtype if real else "float64", seed, offset))


def _draw(generator: Philox, seed: int | None, size: int) -> tuple[int, int]:
    """Where a generator's next mask begins."""
    if not isinstance(generator, Philox):
        raise TypeError(f"dropout: generator is a {type(generator).__name__}: a dezero.Philox is expected, which host and device share")
    if seed is not None:
        raise ValueError(f"dropout: both seed={seed} and a generator were given: give one")
    return generator.take(2 * size)


__all__ = ["dropout"]
