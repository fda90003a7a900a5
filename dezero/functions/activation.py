"""Smooth activations."""

from __future__ import annotations

import math

import numpy as np

from dezero.core.arithmetic import Elementwise
from dezero.core.checks import integer, number, operand, shown
from dezero.core.function import Function
from dezero.core.types import Operand
from dezero.core.value import is_float, is_half
from dezero.core.variable import Variable
from dezero.errors import ShapeError
from dezero.functions.explog import Erf, Exp
from dezero.functions.trigonometry import Tanh

GELU_CUBE = 0.044715  # Hendrycks and Gimpel, 2016: the tanh form of GELU
HALF_ROOT = math.sqrt(0.5)
NORMAL_PEAK = 1 / math.sqrt(2 * math.pi)


class Sigmoid(Elementwise, op="sigmoid"):
    """y = 1 / (1 + exp(-x)), as (tanh(x / 2) + 1) / 2, which cannot overflow."""

    def forward(self, x):
        y = self.xp.tanh(x * 0.5)
        y *= 0.5
        y += 0.5
        return y

    def grad_x(self, gy, *, y): return gy * (y * (1 - y))


class SiLU(Elementwise, op="silu"):
    """y = x sigmoid(x)."""

    def forward(self, x): return x * Sigmoid.on(x)

    def grad_x(self, gy, *, x):
        s = Sigmoid.on(x)
        return gy * (s * (x * (1 - s) + 1))


class GELU(Elementwise, op="gelu"):
    """y = x Phi(x), with the distribution function Phi of the normal distribution."""

    def forward(self, x):
        if is_half(x):
            return self.forward(x.astype("float32")).astype(x.dtype)
        return self.xp.maximum(x, -40) * (Erf.on(x * HALF_ROOT) * 0.5 + 0.5)  # so that 1 - erf may be a rounding error off 0

    def grad_x(self, gy, *, x):
        if is_half(x):
            return self.grad_x(gy.astype("float32"), x=x.astype("float32")).astype(x.dtype)
        return gy * (Erf.on(x * HALF_ROOT) * 0.5 + 0.5 + x * Exp.on(x * x * -0.5) * NORMAL_PEAK)


class TanhGELU(Elementwise, op="tanh_gelu"):
    """y = x (1 + tanh u) / 2 with u = c (x + 0.044715 x^3), c = sqrt(2 / pi); in float32 for half precision, where the cube would overflow."""

    def forward(self, x):
        if is_half(x):
            return self.forward(x.astype("float32")).astype(x.dtype)
        return x * (Tanh.on(x * (x * x * GELU_CUBE + 1) * (2 * NORMAL_PEAK)) * 0.5 + 0.5)

    def grad_x(self, gy, *, x):
        if is_half(x):
            return self.grad_x(gy.astype("float32"), x=x.astype("float32")).astype(x.dtype)
        square = x * x * GELU_CUBE
        t = Tanh.on(x * (square + 1) * (2 * NORMAL_PEAK))
        return gy * (t * 0.5 + 0.5 + (1 - t * t) * x * (square * 3 + 1) * NORMAL_PEAK)


class Softplus(Elementwise, op="softplus"):
    """y = log(1 + exp(beta x)) / beta."""

    def __init__(self, beta=1.0):
        self.beta = beta

    def forward(self, x):
        xp = self.xp
        if self.beta == 1:
            return xp.log1p(xp.exp(-abs(x))) + xp.maximum(x, 0)
        return xp.log1p(xp.exp(abs(x) * -self.beta)) / self.beta + xp.maximum(x, 0)

    def grad_x(self, gy, *, x): return gy * Sigmoid.on(x if self.beta == 1 else x * self.beta)


class Mish(Elementwise, op="mish"):
    """y = x tanh(log(1 + exp(x)))."""

    def forward(self, x): return x * self.xp.tanh(Softplus.on(x))

    def grad_x(self, gy, *, x):
        t = Tanh.on(Softplus.on(x))
        return gy * (t + x * (1 - t * t) * Sigmoid.on(x))


class GLU(Function, op="glu"):
    """y = a sigmoid(b) for the halves a and b of x."""

    saves = ("s",)

    def __init__(self, axis=-1):
        self.axis = axis

    def halves(self, x):
        """The index of each half."""
        lead, n = (slice(None),) * (self.axis % x.ndim), x.shape[self.axis]
        return (*lead, slice(n // 2)), (*lead, slice(n // 2, None))

    def forward(self, x):
        if not x.ndim or not -x.ndim <= self.axis < x.ndim or x.shape[self.axis] % 2:
            raise ShapeError(f"axis {self.axis} must be an axis of even size, which is cut into halves")
        first, second = self.halves(x)
        s = Sigmoid.on(x[second])
        return x[first] * s, s

    def grad_x(self, gy, *, x, s):
        first, second = self.halves(x)
        g = self.xp.empty(x.shape, gy.dtype)
        g[first] = gy * s
        g[second] = gy * x[first] * (s * (1 - s))
        return g

    def compose(self, x):
        first, second = self.halves(x)
        return x[first] * Sigmoid()(x[second])


def sigmoid(x: Operand) -> Variable:
    """The logistic function 1 / (1 + exp(-x)), element by element.

    Args:
        x: any shape.

    Returns:
        The shape of ``x``, values in [0, 1].

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.sigmoid(np.array([-1e4, 0.0, 1e4])))
        variable([0.  0.5 1. ])
    """
    return Sigmoid()(x)


def sigmoid_simple(x: Operand) -> Variable:
    """``sigmoid`` out of plain ops, to look into: exp of minus the distance from 0, so that nothing overflows.

    Args:
        x: any shape.

    Returns:
        The shape of ``x``.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.sigmoid_simple(np.array([-1e4, 0.0, 1e4])))
        variable([0.  0.5 1. ])
    """
    x = operand("sigmoid_simple", "x", x)
    right = (x >= 0).astype(x.dtype if is_float(x.data) else "float64")
    e = Exp()(x * (1 - 2 * right))
    return (e * (1 - right) + right) / (e + 1)


def silu(x: Operand) -> Variable:
    """x sigmoid(x), also called swish (Elfwing et al., 2017).

    Args:
        x: any shape.

    Returns:
        The shape of ``x``.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.silu(np.array([0.0, 2.0])))
        variable([0.         1.76159416])
    """
    return SiLU()(x)


def gelu(x: Operand, approximate: bool = False) -> Variable:
    """x times the probability that a normal variate is below x (Hendrycks and Gimpel, 2016).

    Args:
        x: any shape.
        approximate: use the tanh form of the paper, as BERT and GPT-2 do, instead of the error function.

    Returns:
        The shape of ``x``.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.gelu(np.array([0.0, 1.0])), F.gelu(np.array([0.0, 1.0]), approximate=True))
        variable([0.         0.84134475]) variable([0.         0.84119199])
    """
    if not isinstance(approximate, (bool, np.bool_)):  # PyTorch's "none" would count as true
        raise TypeError(f"gelu: approximate is {shown(approximate)}: True for the tanh form or False is expected")
    return TanhGELU()(x) if approximate else GELU()(x)


def softplus(x: Operand, beta: float = 1.0) -> Variable:
    """log(1 + exp(beta x)) / beta: a smooth rectifier.

    Args:
        x: any shape.
        beta: positive; the larger, the sharper the bend.

    Returns:
        The shape of ``x``.

    Raises:
        ValueError: ``beta`` is not positive.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.softplus(np.array([-1e4, 0.0, 1e4])))
        variable([0.00000000e+00 6.93147181e-01 1.00000000e+04])
    """
    if not number("softplus", "beta", beta) > 0:
        raise ValueError(f"softplus: beta is {beta}: it must be positive")
    return Softplus(float(beta))(x)


def mish(x: Operand) -> Variable:
    """x tanh(softplus(x)) (Misra, 2019).

    Args:
        x: any shape.

    Returns:
        The shape of ``x``.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.mish(np.array([0.0, 1.0])))
        variable([0.         0.86509839])
    """
    return Mish()(x)


def glu(x: Operand, axis: int = -1) -> Variable:
    """The first half of ``x`` times the sigmoid of the second (Dauphin et al., 2016).

    Args:
        x: an array whose ``axis`` has even size 2n.
        axis: the axis to cut.

    Returns:
        The shape of ``x`` with n in place of 2n.

    Raises:
        ShapeError: there is no such axis, or its size is odd.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.glu(np.array([[2.0, 4.0, 0.0, 0.0]])))
        variable([[1. 2.]])
    """
    return GLU(integer("glu", "axis", axis))(x)


__all__ = ["gelu", "glu", "mish", "sigmoid", "sigmoid_simple", "silu", "softplus"]
