"""Activations as layers, for Sequential: each is the function of the same name in ``dezero.functions``."""

from __future__ import annotations

from typing import Any

import numpy as np

import dezero.functions as F
from dezero.backend import array_module
from dezero.core import Parameter, Variable
from dezero.core.types import Operand
from dezero.errors import ShapeError, describe
from dezero.layers.layer import Layer
from dezero.layers.linear import float_dtype, size, sizing


class ReLU(Layer):
    """max(x, 0).

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.ReLU()(np.array([-1.0, 2.0])))
        variable([0. 2.])
    """

    def forward(self, x: Operand) -> Variable:
        return F.relu(x)


class LeakyReLU(Layer):
    """x where positive, ``slope * x`` elsewhere.

    Args:
        slope: the derivative for x <= 0.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.LeakyReLU(0.1)(np.array([-1.0, 2.0])))
        variable([-0.1  2. ])
    """

    def __init__(self, slope: float = 0.2) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, x: Operand) -> Variable:
        return F.leaky_relu(x, self.slope)

    def extra_repr(self) -> str:
        return f"slope={self.slope}"


class PReLU(Layer):
    """x where positive, ``slope * x`` elsewhere, with slopes that are trained (He, Zhang, Ren and Sun, 2015).

    Args:
        size: 1 for one slope, C for one slope each channel (axis 1 of x), None for one each channel, sized at the first call.
        start: the first value of the slopes.
        dtype: of the slopes.

    Attributes:
        slope: (size,).

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.PReLU()(np.array([[-1.0, 2.0]], np.float32)))
        variable([[-0.25  2.  ]])
    """

    def __init__(self, size: int | None = 1, start: float = 0.25, dtype: Any = np.float32) -> None:
        super().__init__()
        self.start, self.dtype = start, float_dtype("PReLU", dtype)
        self.slope = Parameter(None, name="slope")
        if size is not None:
            self._size(size, np)

    def _size(self, n: int, xp: Any) -> None:
        self.slope.data = xp.full((size("PReLU", "size", n),), self.start, self.dtype)

    def forward(self, x: Operand) -> Variable:
        if self.slope._data is None:
            shape: tuple[int, ...] = getattr(x, "shape", ())
            if len(shape) < 2:
                raise ShapeError(f"PReLU: x is {describe(x)}: an array (N, C, ...) is expected where each channel has a slope")
            with sizing:
                if self.slope.data is None:
                    self._size(shape[1], array_module(x))
        return F.prelu(x, self.slope)

    def lazy_shapes(self) -> dict[str, tuple[int | None, ...]]:
        return {"slope": (None,)}

    def extra_repr(self) -> str:
        return "?" if self.slope.data is None else str(self.slope.size)


class ELU(Layer):
    """x where positive, ``alpha (exp(x) - 1)`` elsewhere (Clevert et al., 2015).

    Args:
        alpha: -alpha is the value far to the left; not negative.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.ELU()(np.array([-1.0, 2.0])))
        variable([-0.63212056  2.        ])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, x: Operand) -> Variable:
        return F.elu(x, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class SELU(Layer):
    """ELU with the constants of self-normalizing networks (Klambauer et al., 2017).

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.SELU()(np.array([-1.0, 2.0])))
        variable([-1.11133074  2.10140197])
    """

    def forward(self, x: Operand) -> Variable:
        return F.selu(x)


class GELU(Layer):
    """x times the probability that a normal variate is below x (Hendrycks and Gimpel, 2016).

    Args:
        approximate: use the tanh form of the paper, as GPT-2 does.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.GELU()(np.array([0.0, 1.0])))
        variable([0.         0.84134475])
    """

    def __init__(self, approximate: bool = False) -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, x: Operand) -> Variable:
        return F.gelu(x, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate}"


class SiLU(Layer):
    """x sigmoid(x), also called swish (Elfwing et al., 2017).

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.SiLU()(np.array([0.0, 2.0])))
        variable([0.         1.76159416])
    """

    def forward(self, x: Operand) -> Variable:
        return F.silu(x)


class Mish(Layer):
    """x tanh(softplus(x)) (Misra, 2019).

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.Mish()(np.array([0.0, 1.0])))
        variable([0.         0.86509839])
    """

    def forward(self, x: Operand) -> Variable:
        return F.mish(x)


class Softplus(Layer):
    """log(1 + exp(beta x)) / beta, a smooth rectifier.

    Args:
        beta: positive; the larger, the sharper the bend.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.Softplus()(np.array([0.0, 1.0])))
        variable([0.69314718 1.31326169])
    """

    def __init__(self, beta: float = 1.0) -> None:
        super().__init__()
        self.beta = beta

    def forward(self, x: Operand) -> Variable:
        return F.softplus(x, self.beta)

    def extra_repr(self) -> str:
        return f"beta={self.beta}"


class Sigmoid(Layer):
    """1 / (1 + exp(-x)).

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.Sigmoid()(np.array([-1e4, 0.0, 1e4])))
        variable([0.  0.5 1. ])
    """

    def forward(self, x: Operand) -> Variable:
        return F.sigmoid(x)


class Tanh(Layer):
    """The hyperbolic tangent.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.Tanh()(np.array([-1e4, 0.0, 1e4])))
        variable([-1.  0.  1.])
    """

    def forward(self, x: Operand) -> Variable:
        return F.tanh(x)


class HardTanh(Layer):
    """x limited to [-1, 1].

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.HardTanh()(np.array([-3.0, 0.5, 3.0])))
        variable([-1.   0.5  1. ])
    """

    def forward(self, x: Operand) -> Variable:
        return F.hard_tanh(x)


class Softmax(Layer):
    """exp(x) divided by its sum along an axis.

    Args:
        axis: 1 suits scores (N, C); -1 is the last axis.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.Softmax()(np.array([[1e4, 1e4, 0.0]])))
        variable([[0.5 0.5 0. ]])
    """

    def __init__(self, axis: int = 1) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, x: Operand) -> Variable:
        return F.softmax(x, self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


class LogSoftmax(Layer):
    """The logarithm of softmax, exact where softmax itself is too small for the dtype.

    Args:
        axis: 1 suits scores (N, C); -1 is the last axis.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.LogSoftmax()(np.array([[0.0, 1e4]])))
        variable([[-10000.      0.]])
    """

    def __init__(self, axis: int = 1) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, x: Operand) -> Variable:
        return F.log_softmax(x, self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


class GLU(Layer):
    """The first half of x times the sigmoid of the second (Dauphin et al., 2016).

    Args:
        axis: the axis that is cut into halves.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.GLU()(np.array([[2.0, 4.0, 0.0, 0.0]])))
        variable([[1. 2.]])
    """

    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, x: Operand) -> Variable:
        return F.glu(x, self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


class Identity(Layer):
    """x as it is, of any kind: a place that may stay empty.

    Examples:
        >>> import dezero.layers as L
        >>> L.Identity()(3)
        3
    """

    def forward(self, x: Any) -> Any:
        return x


__all__ = ["ELU", "GELU", "GLU", "SELU", "HardTanh", "Identity", "LeakyReLU", "LogSoftmax", "Mish", "PReLU", "ReLU", "SiLU", "Sigmoid", "Softmax",
           "Softplus", "Tanh"]
