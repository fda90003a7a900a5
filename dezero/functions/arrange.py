"""Ops that turn, move, or cut out elements: flip, roll, diagonals and triangles."""

from __future__ import annotations

from dezero.core.checks import integer, operand
from dezero.core.function import Function
from dezero.core.types import Axis, Operand
from dezero.core.variable import Variable
from dezero.errors import ShapeError
from dezero.functions.reduce import wrong_axis
from dezero.functions.shape import sizes_of


class Flip(Function, op="flip"):
    """The elements in reverse order along some axes."""

    def __init__(self, axis=None):
        self.axis = axis

    def forward(self, x): return self.xp.flip(x, self.axis)
    def grad_x(self, gy): return Flip.on(gy, axis=self.axis)
    def hint(self, x): return wrong_axis(self.axis, x.ndim)


class Roll(Function, op="roll"):
    """The elements moved along an axis; those that leave at one end come in at the other."""

    def __init__(self, shift, axis=None):
        self.shift, self.axis = shift, axis

    def forward(self, x): return self.xp.roll(x, self.shift, self.axis)

    def grad_x(self, gy):
        back = tuple(-s for s in self.shift) if isinstance(self.shift, tuple) else -self.shift
        return Roll.on(gy, shift=back, axis=self.axis)

    def hint(self, x):
        return wrong_axis(self.axis, x.ndim) or f"shift {self.shift} and axis {self.axis}: one number of places for each axis is expected"


class Diagonal(Function, op="diagonal"):
    """The diagonal of two axes, as a last axis."""

    def __init__(self, offset=0, axis1=0, axis2=1):
        self.offset, self.axis1, self.axis2 = offset, axis1, axis2

    def forward(self, x):
        self.before = x.shape
        return x.diagonal(self.offset, self.axis1, self.axis2).copy()

    def grad_x(self, gy):
        return DiagonalGrad.on(gy, shape=self.before, offset=self.offset, axis1=self.axis1, axis2=self.axis2)

    def hint(self, x):
        return f"it needs two axes, and axis1 {self.axis1} and axis2 {self.axis2} must be different ones of them"


class DiagonalGrad(Function, op="diagonal_grad"):
    """Zeros with a given diagonal: the adjoint of Diagonal."""

    def __init__(self, shape, offset, axis1, axis2):
        self.to, self.offset, self.axis1, self.axis2 = shape, offset, axis1, axis2

    def forward(self, gy):
        y = self.xp.zeros(self.to, gy.dtype)
        n = len(self.to)
        pair = (self.axis1 % n, self.axis2 % n)
        matrices = y.transpose([i for i in range(n) if i not in pair] + list(pair))
        i = self.xp.arange(gy.shape[-1])
        matrices[..., i + max(-self.offset, 0), i + max(self.offset, 0)] = gy
        return y

    def grad_gy(self, ggy): return Diagonal.on(ggy, offset=self.offset, axis1=self.axis1, axis2=self.axis2)


class Tril(Function, op="tril"):
    """Zeros above diagonal k of each matrix."""

    def __init__(self, k=0):
        self.k = k

    def forward(self, x):
        if x.ndim < 2:
            raise ShapeError("at least two axes are needed, the last two are those of the matrices")
        return self.xp.tril(x, self.k)

    def grad_x(self, gy): return Tril.on(gy, k=self.k)


class Triu(Function, op="triu"):
    """Zeros below diagonal k of each matrix."""

    def __init__(self, k=0):
        self.k = k

    def forward(self, x):
        if x.ndim < 2:
            raise ShapeError("at least two axes are needed, the last two are those of the matrices")
        return self.xp.triu(x, self.k)

    def grad_x(self, gy): return Triu.on(gy, k=self.k)


def flip(x: Operand, axis: Axis = None) -> Variable:
    """The elements in reverse order along an axis, several, or all (None).

    Raises:
        ShapeError: there is no such axis.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.flip(Variable(np.array([1.0, 2.0, 3.0]))))
        variable([3. 2. 1.])
    """
    return Flip(axis)(operand("flip", "x", x))


def roll(x: Operand, shift: int | tuple[int, ...], axis: Axis = None) -> Variable:
    """The elements moved along an axis; those that leave at one end come in at the other.

    Args:
        x: any shape and dtype.
        shift: by how many places, one number for each axis in ``axis``.
        axis: None rolls the flattened array.

    Raises:
        ShapeError: there is no such axis, or shift and axis do not fit.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.roll(Variable(np.array([1.0, 2.0, 3.0])), 1))
        variable([3. 1. 2.])
    """
    places = sizes_of("roll", shift, "shift") if isinstance(shift, (tuple, list)) else integer("roll", "shift", shift)
    return Roll(places, axis)(operand("roll", "x", x))


def diagonal(x: Operand, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Variable:
    """The diagonal of the matrices in two axes, as a new last axis.

    Args:
        x: at least 2-d.
        offset: 0 for the main diagonal, positive above it, negative below.
        axis1, axis2: rows and columns of the matrices.

    Raises:
        ShapeError: there are no two such axes.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.diagonal(Variable(np.arange(9.0).reshape(3, 3)), 1))
        variable([1. 5.])
    """
    return Diagonal(integer("diagonal", "offset", offset), integer("diagonal", "axis1", axis1), integer("diagonal", "axis2", axis2))(x)


def tril(x: Operand, k: int = 0) -> Variable:
    """The lower triangle of each matrix in the last two axes, up to diagonal ``k``; zeros above.

    Raises:
        ShapeError: ``x`` has fewer than two axes.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.tril(Variable(np.ones((2, 2)))))
        variable([[1. 0.]
                  [1. 1.]])
    """
    return Tril(integer("tril", "k", k))(x)


def triu(x: Operand, k: int = 0) -> Variable:
    """The upper triangle of each matrix in the last two axes, from diagonal ``k`` on; zeros below.

    Raises:
        ShapeError: ``x`` has fewer than two axes.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.triu(Variable(np.ones((2, 2)))))
        variable([[1. 1.]
                  [0. 1.]])
    """
    return Triu(integer("triu", "k", k))(x)


__all__ = ["diagonal", "flip", "roll", "tril", "triu"]
