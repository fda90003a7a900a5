"""Arithmetic on each element: sums and products, powers of two and a half, signs, rounding, copies and dtypes.

Inputs are Variables, arrays or numbers of any shapes that broadcast. A Python number takes its partner's dtype.
"""

from __future__ import annotations

from typing import Any

from dezero.core.arithmetic import Add, AsType, Div, Elementwise, Identity, Mul, Neg, Sub
from dezero.core.checks import integer, operand
from dezero.core.function import Function
from dezero.core.types import Operand
from dezero.core.variable import Variable


def add(x0: Operand, x1: Operand) -> Variable:
    """x0 + x1.

    Args:
        x0, x1: Variables, arrays or numbers of shapes that broadcast.

    Returns:
        The broadcast shape.

    Raises:
        ShapeError: the shapes do not broadcast.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.add(np.array([[1.0], [2.0]]), np.array([10.0, 20.0])))
        variable([[11. 21.]
                  [12. 22.]])
    """
    return Add()(x0, x1)


def sub(x0: Operand, x1: Operand) -> Variable:
    """x0 - x1; inputs, shape and errors as for :func:`add`.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.sub(np.array([1.0, 2.0]), 1))
        variable([0. 1.])
    """
    return Sub()(x0, x1)


def rsub(x0: Operand, x1: Operand) -> Variable:
    """x1 - x0: :func:`sub` with its inputs exchanged.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.rsub(np.array([1.0, 2.0]), 1))
        variable([ 0. -1.])
    """
    return Sub()(x1, x0)


def mul(x0: Operand, x1: Operand) -> Variable:
    """x0 times x1, element by element; inputs, shape and errors as for :func:`add`.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.mul(np.array([1.0, 2.0]), 3))
        variable([3. 6.])
    """
    return Mul()(x0, x1)


def div(x0: Operand, x1: Operand) -> Variable:
    """x0 / x1; inputs, shape and errors as for :func:`add`. Integers give floats.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.div(np.array([1.0, 2.0]), 4))
        variable([0.25 0.5 ])
    """
    return Div()(x0, x1)


def rdiv(x0: Operand, x1: Operand) -> Variable:
    """x1 / x0: :func:`div` with its inputs exchanged.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.rdiv(np.array([1.0, 2.0]), 4))
        variable([4. 2.])
    """
    return Div()(x1, x0)


def neg(x: Operand) -> Variable:
    """-x.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.neg(np.array([1.0, -2.0])))
        variable([-1.  2.])
    """
    return Neg()(x)


def identity(x: Operand) -> Variable:
    """x itself, with a place of its own in the graph: for a name, or a hook on the gradient that passes here.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.identity(np.array([1.0, 2.0])))
        variable([1. 2.])
    """
    return Identity()(operand("identity", "x", x))


class Copy(Function, op="copy"):
    """y = x, in memory of its own."""

    def forward(self, x): return x.copy()
    def grad_x(self, gy): return gy


def copy(x: Operand) -> Variable:
    """x in memory of its own. The gradient passes.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x = Variable(np.array([1.0, 2.0]))
        >>> y = F.copy(x)
        >>> np.may_share_memory(x.data, y.data)
        False
    """
    return Copy()(x)


def astype(x: Operand, dtype: Any) -> Variable:
    """x in another dtype. The gradient comes back in x's dtype; none passes through integers.

    Args:
        x: any shape.
        dtype: what NumPy takes for one, ``np.float32`` or ``"float32"`` say.

    Returns:
        The shape of x.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> F.astype(np.array([1.5, -2.5]), np.float32).dtype
        dtype('float32')
    """
    return AsType(dtype)(x)


# -- signs and rounding ---------------------------------------------------------------------------


class ZerosLike(Elementwise):
    """Zeros: the gradient of what is constant between jumps."""

    def forward(self, x): return self.xp.zeros_like(x)
    def grad_x(self, gy): return ZerosLike.on(gy)


class Step(Elementwise):
    """An op whose result jumps and is constant between."""

    def grad_x(self, gy): return ZerosLike.on(gy)


class Sign(Step, op="sign"):
    """y = -1, 0 or 1."""

    def forward(self, x): return self.xp.sign(x)


class Floor(Step, op="floor"):
    """y = the integer at or below x."""

    def forward(self, x): return self.xp.floor(x)


class Ceil(Step, op="ceil"):
    """y = the integer at or above x."""

    def forward(self, x): return self.xp.ceil(x)


class Round(Step, op="round"):
    """y = the nearest number with so many decimals."""

    def __init__(self, decimals=0): self.decimals = decimals
    def forward(self, x): return self.xp.around(x, self.decimals)


class Abs(Elementwise, op="abs"):
    """y = |x|."""

    def forward(self, x): return self.xp.abs(x)
    def grad_x(self, gy, *, x): return gy * Sign.on(x)


def abs(x: Operand) -> Variable:
    """|x|. The gradient at 0 is 0.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x = Variable(np.array([-2.0, 0.0, 3.0]))
        >>> y = F.abs(x)
        >>> y.backward()
        >>> print(y, x.grad)
        variable([2. 0. 3.]) variable([-1.  0.  1.])
    """
    return Abs()(x)


def sign(x: Operand) -> Variable:
    """-1, 0 or 1 by the sign of x. The gradient is 0 everywhere.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.sign(np.array([-2.0, 0.0, 3.0])))
        variable([-1.  0.  1.])
    """
    return Sign()(x)


def floor(x: Operand) -> Variable:
    """The integer at or below x, in x's dtype. The gradient is 0 everywhere.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.floor(np.array([-0.5, 1.5])))
        variable([-1.  1.])
    """
    return Floor()(x)


def ceil(x: Operand) -> Variable:
    """The integer at or above x, in x's dtype. The gradient is 0 everywhere.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.ceil(np.array([0.5, 1.5])))
        variable([1. 2.])
    """
    return Ceil()(x)


def round(x: Operand, decimals: int = 0) -> Variable:
    """The nearest number with so many decimals; halves go to the even neighbour. The gradient is 0 everywhere.

    Args:
        x: any shape.
        decimals: may be negative: -1 rounds to tens.

    Returns:
        The shape and dtype of x.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.round(np.array([0.5, 1.5, 2.34])), F.round(2.34, 1))
        variable([0. 2. 2.]) variable(2.3)
    """
    return Round(integer("round", "decimals", decimals))(x)


__all__ = ["abs", "add", "astype", "ceil", "copy", "div", "floor", "identity", "mul", "neg", "rdiv", "round", "rsub", "sign", "sub"]
