"""Inverses, determinants, linear systems and factors of square matrices, one or a stack of them.

Where ``A`` is a matrix, ``A.swapaxes(-1, -2)`` is its transpose; arrays of every backend have that method.
The formulas are those of Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), where no other source stands.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.core.arithmetic import BroadcastTo
from dezero.core.function import Function
from dezero.core.types import Operand
from dezero.core.variable import Variable
from dezero.errors import ShapeError
from dezero.functions.shape import expand_dims, shape_of, squeeze


class SquareMatrices(Function):
    """An op on square matrices in the last two axes. LAPACK has no float16: that is computed in float32."""

    def lapack(self, routine, *xs):
        dtype = xs[0].dtype
        a = xs[0]
        if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
            raise ShapeError("a must be a square matrix in its last two axes, (..., n, n)")
        if all(x.dtype != np.float16 for x in xs):
            return routine(*xs)
        y = routine(*(x.astype(np.float32) if x.dtype == np.float16 else x for x in xs))
        if any(x.dtype.itemsize > 2 for x in xs):
            return y
        return tuple(part.astype(dtype) for part in y) if isinstance(y, tuple) else y.astype(dtype)

    def hint(self, a, b=None):
        return "a is singular, it has no inverse: its determinant is 0, or it holds NaN"


def over_matrices(g: Any, a: Any) -> Any:
    """A number for each matrix as a matrix of that number."""
    return BroadcastTo.on(g.reshape(*g.shape, 1, 1), shape=a.shape)


class Inv(SquareMatrices, op="inv"):
    """y = a^-1."""

    def forward(self, a): return self.lapack(self.xp.linalg.inv, a)

    def grad_a(self, gy, *, y):
        t = y.swapaxes(-1, -2)
        return -(t @ gy @ t)


class Solve(SquareMatrices, op="solve"):
    """y = a^-1 b for matrices b."""

    broadcasts = True

    def forward(self, a, b): return self.lapack(self.xp.linalg.solve, a, b)

    def backward(self, gy, *, a, y):
        gb = Solve.on(a.swapaxes(-1, -2), gy)
        return (-(gb @ y.swapaxes(-1, -2)) if self.needs_grad(0) else None), gb

    def hint(self, a, b):
        n = a.shape[-1]
        return super().hint(a) if b.ndim > 1 and b.shape[-2] == n else f"b must have {n} rows, (..., {n}, k), or be one vector ({n},)"


class Det(SquareMatrices, op="det"):
    """y = det a."""

    def forward(self, a): return self.lapack(self.xp.linalg.det, a)
    def grad_a(self, gy, *, a): return over_matrices(gy, a) * Cofactors.on(a)


class Cofactors(SquareMatrices, op="cofactors"):
    """y = det(a) a^-T, the derivative of the determinant, which a singular matrix has too.

    There it follows from the singular values, a = u s v: y = det(u v) u c v, with c_i the product of all s but s_i.
    """

    def forward(self, a): return self.lapack(self.cofactors, a)

    def cofactors(self, a):
        linalg = self.xp.linalg
        det = linalg.det(a)
        if a.size and (det != 0).all():
            return det[..., None, None] * linalg.inv(a).swapaxes(-1, -2)
        u, s, v = linalg.svd(a)
        n = s.shape[-1]
        others = self.xp.where(self.xp.eye(n, dtype=bool), 1, s[..., None, :]).prod(-1).astype(a.dtype)
        sign = linalg.det(u) * linalg.det(v)
        return (sign[..., None, None] * (u * others[..., None, :])) @ v

    def grad_a(self, gy, *, a, y):
        t = Inv.on(a).swapaxes(-1, -2)
        return over_matrices((gy * y).sum((-2, -1)), y) * t - y @ gy.swapaxes(-1, -2) @ t


class SlogDet(SquareMatrices, op="slogdet"):
    """sign and logarithm of the size of the determinant."""

    returns = ("sign", "logdet")

    def forward(self, a): return self.lapack(lambda a: tuple(self.xp.linalg.slogdet(a)), a)
    def grad_a(self, gsign, glogdet, *, a): return over_matrices(glogdet, a) * Inv.on(a).swapaxes(-1, -2)


class Cholesky(SquareMatrices, op="cholesky"):
    """The lower triangular y with y y^T = a.

    The gradient is s / 2 + s^T / 2 with s = y^-T P(y^T gy) y^-1, where P takes the lower triangle and half of the
    diagonal: Murray, "Differentiation of the Cholesky decomposition" (2016), equation 10.
    """

    def forward(self, a): return self.lapack(self.xp.linalg.cholesky, a)
    def hint(self, a): return "a is not positive definite (its lower triangle is taken for that of a symmetric matrix)"

    def grad_a(self, gy, *, y):
        n = y.shape[-1]
        half = self.xp.tril(self.xp.ones((n, n), y.dtype)) - self.xp.eye(n, dtype=y.dtype) * 0.5
        t = y.swapaxes(-1, -2)
        s = Solve.on(t, (t @ gy) * half)
        s = Solve.on(t, s.swapaxes(-1, -2))
        return (s + s.swapaxes(-1, -2)) * 0.5


def inv(a: Operand) -> Variable:
    """The inverse of each matrix.

    Args:
        a: (..., n, n) floats.

    Returns:
        (..., n, n).

    Raises:
        ShapeError: the matrices are not square.
        numpy.linalg.LinAlgError: a matrix is singular.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.inv(Variable(np.array([[2.0, 0.0], [0.0, 4.0]]))))
        variable([[0.5  0.  ]
                  [0.   0.25]])
    """
    return Inv()(a)


def solve(a: Operand, b: Operand) -> Variable:
    """The x with a x = b, found without an inverse.

    Args:
        a: (..., n, n) floats.
        b: (n,), one vector, or (..., n, k), whose columns are right sides. The axes in front broadcast.

    Returns:
        (..., n) for a vector, else (..., n, k).

    Raises:
        ShapeError: the shapes do not fit.
        numpy.linalg.LinAlgError: a matrix is singular.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.solve(Variable(np.array([[2.0, 0.0], [0.0, 4.0]])), np.array([1.0, 1.0])))
        variable([0.5  0.25])
    """
    if len(shape_of("solve", b, "b")) == 1:
        return squeeze(Solve()(a, expand_dims(b, -1)), -1)
    return Solve()(a, b)


def det(a: Operand) -> Variable:
    """The determinant of each matrix.

    The second derivative of a singular matrix is not there: it raises LinAlgError.

    Args:
        a: (..., n, n) floats.

    Returns:
        (...).

    Raises:
        ShapeError: the matrices are not square.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.det(Variable(np.array([[0.0, 1.0], [1.0, 0.0]]))))
        variable(-1.0)
    """
    return Det()(a)


def slogdet(a: Operand) -> tuple[Variable, Variable]:
    """The determinant of each matrix as its sign and the logarithm of its size, which does not overflow.

    Args:
        a: (..., n, n) floats.

    Returns:
        The signs, constants of shape (...), and the logarithms (...).

    Raises:
        ShapeError: the matrices are not square.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> sign, logdet = F.slogdet(Variable(-np.eye(3)))
        >>> print(sign, logdet)
        variable(-1.0) variable(0.0)
    """
    sign, logdet = SlogDet()(a)
    return sign.detach(), logdet


def cholesky(a: Operand) -> Variable:
    """The lower triangular L with L L^T = a.

    Only the lower triangle of ``a`` is read. The gradient is symmetric, as for a step that keeps ``a`` symmetric.

    Args:
        a: (..., n, n) floats, symmetric and positive definite.

    Returns:
        (..., n, n).

    Raises:
        ShapeError: the matrices are not square.
        numpy.linalg.LinAlgError: a matrix is not positive definite.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.cholesky(Variable(np.array([[4.0, 2.0], [2.0, 5.0]]))))
        variable([[2. 0.]
                  [1. 2.]])
    """
    return Cholesky()(a)


__all__ = ["cholesky", "det", "inv", "slogdet", "solve"]
