"""Dropout."""

from __future__ import annotations

from dezero.backend import array_module
from dezero.backend.random import keep_mask
from dezero.config import current
from dezero.core.arithmetic import Elementwise
from dezero.core.checks import fraction, operand
from dezero.core.types import Operand
from dezero.core.value import is_float
from dezero.core.variable import Variable


class Dropout(Elementwise, op="dropout"):
    """y = x mask, for a random mask of 0 and 1 / (1 - ratio)."""

    def forward(self, x, mask): return x * mask
    def grad_x(self, gy, *, mask): return gy * mask


def dropout(x: Operand, dropout_ratio: float = 0.5, seed: int | None = None) -> Variable:
    """Set each element to 0 with a probability, and enlarge the others so that the mean stays (inverted dropout).

    Nothing happens within ``dezero.test_mode()``.

    Args:
        x: any shape.
        dropout_ratio: the probability of a 0, in [0, 1]; it is met to within 2^-17. With 1 all is 0.
        seed: the same seed gives the same mask. Without one, ``np.random.seed`` governs.

    Returns:
        The shape of ``x``: ``x / (1 - dropout_ratio)`` or 0.

    Raises:
        ValueError: the ratio is not in [0, 1].

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F, test_mode
        >>> x = np.ones(6)
        >>> print(F.dropout(x, 0.5, seed=1))
        variable([2. 2. 0. 2. 0. 0.])
        >>> with test_mode():
        ...     print(F.dropout(x, 0.5))
        variable([1. 1. 1. 1. 1. 1.])
    """
    ratio = fraction("dropout", "dropout_ratio", dropout_ratio)
    x = operand("dropout", "x", x)
    if ratio == 0 or not current().train:
        return x
    dtype = x.dtype if is_float(x.data) else "float64"
    return Dropout()(x, keep_mask(array_module(x), x.shape, ratio, dtype, seed))


__all__ = ["dropout"]
