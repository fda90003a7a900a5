"""Activations in pieces that meet at 0 (or at -1 and 1): the rectifiers and their kin."""

from __future__ import annotations

from dezero.core.arithmetic import Elementwise
from dezero.core.checks import number
from dezero.core.types import Operand
from dezero.core.variable import Variable
from dezero.errors import ShapeError, describe
from dezero.functions.shape import reshape, shape_of

# Klambauer et al., "Self-normalizing neural networks", 2017: the fixed point of mean 0 and variance 1.
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


class ReLU(Elementwise, op="relu"):
    """y = max(x, 0)."""

    def forward(self, x): return self.xp.maximum(x, 0)
    def grad_x(self, gy, *, y): return gy * (y > 0)


class LeakyReLU(Elementwise, op="leaky_relu"):
    """y = x for x > 0, slope x elsewhere."""

    def __init__(self, slope=0.2):
        self.slope = slope

    def forward(self, x):
        return (self.xp.maximum if self.slope <= 1 else self.xp.minimum)(x, x * self.slope)

    def grad_x(self, gy, *, x):
        right = (x > 0).astype(gy.dtype)
        return gy * (right + (1 - right) * self.slope)


class PReLU(Elementwise, op="prelu"):
    """y = x for x > 0, slope x elsewhere, with a slope that is learned."""

    def forward(self, x, slope): return self.xp.maximum(x, 0) + slope * self.xp.minimum(x, 0)

    def grad_x(self, gy, *, x, slope):
        right = (x > 0).astype(gy.dtype)
        return gy * (slope * (1 - right) + right)

    def grad_slope(self, gy, *, x): return gy * (x <= 0) * x


class ELU(Elementwise, op="elu"):
    """y = scale x for x > 0, scale alpha (exp(x) - 1) elsewhere."""

    def __init__(self, alpha=1.0, scale=1.0):
        self.alpha, self.scale = alpha, scale

    def forward(self, x):
        xp = self.xp
        y = xp.maximum(x, 0) + xp.expm1(xp.minimum(x, 0)) * self.alpha
        return y if self.scale == 1 else y * self.scale

    def grad_x(self, gy, *, y):
        right = (y > 0).astype(gy.dtype)
        return gy * ((y + self.scale * self.alpha) * (1 - right) + right * self.scale)


class SELU(ELU, op="selu"):
    """ELU with the two constants that keep mean 0 and variance 1."""

    def __init__(self):
        super().__init__(SELU_ALPHA, SELU_SCALE)


class HardTanh(Elementwise, op="hard_tanh"):
    """y = x within [-1, 1], the nearer end outside."""

    def forward(self, x): return self.xp.minimum(self.xp.maximum(x, -1), 1)
    def grad_x(self, gy, *, y): return gy * ((y > -1) & (y < 1))


def relu(x: Operand) -> Variable:
    """The rectifier max(x, 0), element by element.

    Args:
        x: any shape.

    Returns:
        The shape of ``x``. The derivative at 0 is taken as 0.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.relu(np.array([-1.0, 0.0, 2.0])))
        variable([0. 0. 2.])
    """
    return ReLU()(x)


def leaky_relu(x: Operand, slope: float = 0.2) -> Variable:
    """x where positive, ``slope * x`` elsewhere.

    Args:
        x: any shape; integers give floats.
        slope: the derivative for x <= 0, also at 0 itself.

    Returns:
        The shape of ``x``.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.leaky_relu(np.array([-1.0, 0.0, 2.0])))
        variable([-0.2  0.   2. ])
    """
    return LeakyReLU(number("leaky_relu", "slope", slope))(x)


def prelu(x: Operand, slope: Operand) -> Variable:
    """x where positive, ``slope * x`` elsewhere, with a slope that has a gradient of its own (He et al., 2015).

    Args:
        x: any shape; with a slope per channel (N, C) or (N, C, d1, ...).
        slope: one number, an array of one element, or (C,): one for each channel (axis 1). The derivative at 0.

    Returns:
        The shape of ``x``.

    Raises:
        ShapeError: ``slope`` has another shape.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.prelu(np.array([[-1.0, -1.0], [2.0, 2.0]]), np.array([0.1, 0.5])))
        variable([[-0.1 -0.5]
                  [ 2.   2. ]])
    """
    shape, given = shape_of("prelu", x), shape_of("prelu", slope, "slope")
    if given in ((), (1,)):
        fit: tuple[int, ...] = (1,) * min(len(given), len(shape))
    elif len(given) == 1 and len(shape) >= 2 and shape[1] == given[0]:
        fit = (*given, *(1,) * (len(shape) - 2))
    else:
        channels = f" or shape ({shape[1]},), one for each channel (axis 1 of x)" if len(shape) > 1 else ""
        raise ShapeError(f"prelu: x {describe(x)} and slope {describe(slope)}: slope must be one number{channels}")
    return PReLU()(x, slope if fit == given else reshape(slope, fit))


def elu(x: Operand, alpha: float = 1.0) -> Variable:
    """x where positive, ``alpha * (exp(x) - 1)`` elsewhere (Clevert et al., 2015).

    Args:
        x: any shape.
        alpha: not negative; -alpha is the value far to the left, and alpha the derivative at 0.

    Returns:
        The shape of ``x``.

    Raises:
        ValueError: ``alpha`` is negative.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.elu(np.array([-1.0, 0.0, 2.0])))
        variable([-0.63212056  0.          2.        ])
    """
    if number("elu", "alpha", alpha) < 0:
        raise ValueError(f"elu: alpha is {alpha}: it must not be negative")
    return ELU(float(alpha))(x)


def selu(x: Operand) -> Variable:
    """ELU times a scale, with the constants of self-normalizing networks (Klambauer et al., 2017).

    Args:
        x: any shape.

    Returns:
        The shape of ``x``. The derivative at 0 is that from the left, scale times alpha = 1.758.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.selu(np.array([-1.0, 0.0, 2.0])))
        variable([-1.11133074  0.          2.10140197])
    """
    return SELU()(x)


def hard_tanh(x: Operand) -> Variable:
    """x limited to [-1, 1].

    Args:
        x: any shape.

    Returns:
        The shape of ``x``. The derivative at -1 and 1 is taken as 0.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.hard_tanh(np.array([-3.0, 0.5, 3.0])))
        variable([-1.   0.5  1. ])
    """
    return HardTanh()(x)


__all__ = ["elu", "hard_tanh", "leaky_relu", "prelu", "relu", "selu"]
