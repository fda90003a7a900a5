"""Products of matrices and vectors."""

from __future__ import annotations

from math import prod
from typing import Any

from dezero.core.arithmetic import Mul, SumTo
from dezero.core.checks import check_operand, integer
from dezero.core.function import Function
from dezero.core.types import Operand
from dezero.core.variable import Variable
from dezero.errors import ShapeError
from dezero.functions.arrange import diagonal
from dezero.functions.shape import axes_of, reshape, shape_of, transpose


def rows(x: Any) -> Any:
    """All axes but the last as one."""
    return x.reshape(prod(x.shape[:-1]), x.shape[-1])


class MatMul(Function, op="matmul"):
    """y = a b for matrices in the last two axes; the axes before them broadcast, a 1-d input is a vector."""

    broadcasts = True

    def forward(self, a, b):
        self.b_ndim = b.ndim
        if b.ndim == 2 < a.ndim:  # one large product instead of many small ones
            return (rows(a) @ b).reshape(*a.shape[:-1], b.shape[1])
        return a @ b

    def grad_a(self, gy, *, b):
        if b.ndim == 1:
            return gy * b if gy.ndim == 0 else gy.reshape(*gy.shape, 1) * b
        if b.ndim == 2:
            return gy @ b.T if gy.ndim <= 2 else (rows(gy) @ b.T).reshape(*gy.shape[:-1], b.shape[0])
        if gy.ndim == b.ndim - 1:  # a is a vector
            gy = gy.reshape(*gy.shape[:-1], 1, gy.shape[-1])
            return (gy @ b.swapaxes(-1, -2)).reshape(*gy.shape[:-2], b.shape[-2])
        return gy @ b.swapaxes(-1, -2)

    def grad_b(self, gy, *, a):
        if a.ndim == 1:
            return gy * a if gy.ndim == 0 else a.reshape(a.shape[0], 1) * gy.reshape(*gy.shape[:-1], 1, gy.shape[-1])
        if self.b_ndim > 2:
            return a.swapaxes(-1, -2) @ gy
        if a.ndim == 2:
            return a.T @ gy
        return rows(a).T @ (rows(gy) if self.b_ndim == 2 else gy.reshape(prod(gy.shape)))

    def hint(self, a, b):
        if not a.ndim or not b.ndim:
            return "matrices and vectors are expected, at least 1-d; use a * b for a number"
        inner = b.shape[max(b.ndim - 2, 0)]
        if a.shape[-1] != inner:
            return f"a.shape[-1] must equal b.shape[{-min(b.ndim, 2)}]"
        return f"the axes before the matrices, {a.shape[:-2]} and {b.shape[:-2]}, must broadcast"


class Linear(Function, op="linear"):
    """y = x W + b along the last axis of x."""

    def forward(self, x, W, b=None):
        if W.ndim != 2 or not x.ndim:
            raise ShapeError("W must be 2-d, (in, out), and x at least 1-d, (..., in)")
        y = x @ W if x.ndim <= 2 else (rows(x) @ W).reshape(*x.shape[:-1], W.shape[1])
        if b is not None:
            self.b_shape = b.shape
            if b.dtype == y.dtype:
                y += b
            else:
                shape, y = y.shape, y + b
                if y.shape != shape:
                    raise ShapeError(self.hint(x, W, b))
        return y

    def grad_x(self, gy, *, W):
        return gy @ W.T if gy.ndim <= 2 else (rows(gy) @ W.T).reshape(*gy.shape[:-1], W.shape[0])

    def grad_W(self, gy, *, x): return x.T @ gy if gy.ndim == 2 else rows(x).T @ rows(gy)

    def grad_b(self, gy):
        if self.b_shape != gy.shape[-1:]:
            return SumTo.on(gy, shape=self.b_shape)
        gy = gy if gy.ndim == 2 else rows(gy)
        return gy.T @ self.kernels.ones(gy.shape[0], gy.dtype)  # a product sums faster than sum does, and float16 in float32

    def hint(self, x, W, b=None):
        if x.shape[-1] != W.shape[0]:
            return "x.shape[-1] must equal W.shape[0]: W is (in, out)"
        return f"b must be ({W.shape[1]},), one number for each column of W"


def matmul(x: Operand, W: Operand) -> Variable:
    """The matrix product, as NumPy's ``@``.

    Args:
        x: (..., N, K), or (K,) for a vector.
        W: (..., K, M), or (K,) for a vector. The axes in front broadcast.

    Returns:
        (..., N, M), without the axis of a vector.

    Raises:
        ShapeError: the shapes do not fit.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.matmul(Variable(np.array([[1.0, 2.0], [3.0, 4.0]])), np.array([1.0, 1.0])))
        variable([3. 7.])
    """
    return MatMul()(x, W)


def linear(x: Operand, W: Operand, b: Operand | None = None) -> Variable:
    """y = x W + b.

    Args:
        x: (..., in).
        W: (in, out).
        b: (out,), or None.

    Returns:
        (..., out).

    Raises:
        ShapeError: the shapes do not fit.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x, W, b = np.ones((2, 3)), Variable(np.ones((3, 1))), Variable(np.array([0.5]))
        >>> print(F.linear(x, W, b))
        variable([[3.5]
                  [3.5]])
    """
    return Linear()(x, W) if b is None else Linear()(x, W, b)


def linear_simple(x: Operand, W: Operand, b: Operand | None = None) -> Variable:
    """:func:`linear` made of plain ops: two nodes in the graph.

    Raises:
        ShapeError: the shapes do not fit.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.linear_simple(np.ones((1, 2)), np.ones((2, 2)), np.array([1.0, 2.0])))
        variable([[3. 4.]])
    """
    y = matmul(x, W)
    return y if b is None else y + b


def dot(a: Operand, b: Operand) -> Variable:
    """NumPy's ``dot``: the sum of products over the last axis of ``a`` and the second to last of ``b`` (the only one of a vector).

    Args:
        a: any shape; a number multiplies.
        b: any shape; a number multiplies.

    Returns:
        The other axes of ``a``, then those of ``b``. For vectors and matrices it is :func:`matmul`.

    Raises:
        ShapeError: the two axes differ in size.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.dot(Variable(np.array([1.0, 2.0])), np.array([3.0, 4.0])))
        variable(11.0)
    """
    n, m = len(shape_of("dot", a, "a")), len(shape_of("dot", b, "b"))
    if not n or not m:
        return Mul()(a, b)
    if n == 1 or m <= 2:
        return matmul(a, b)
    return tensordot(a, b, (-1, -2))


def tensordot(a: Operand, b: Operand, axes: Any = 2) -> Variable:
    """The sum of products over several axes of two arrays.

    Args:
        a: any shape.
        b: any shape.
        axes: the number of last axes of ``a`` and first axes of ``b``, or a pair: the axes of ``a`` and those of ``b``.

    Returns:
        The other axes of ``a``, then those of ``b``.

    Raises:
        ShapeError: the axes do not fit each other.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> F.tensordot(Variable(np.zeros((2, 3, 4))), np.zeros((4, 3, 5)), ((1, 2), (1, 0))).shape
        (2, 5)
    """
    sa, sb = shape_of("tensordot", a, "a"), shape_of("tensordot", b, "b")
    if isinstance(axes, (tuple, list)):
        if len(axes) != 2:
            raise ShapeError(f"tensordot: axes={axes}: a number of axes, or a pair (axes of a, axes of b), is expected")
        ia, ib = axes_of("tensordot", axes[0], sa), axes_of("tensordot", axes[1], sb)
    else:
        axes = integer("tensordot", "axes", axes)
        if not 0 <= axes <= min(len(sa), len(sb)):
            raise ShapeError(f"tensordot: a {sa} and b {sb}: axes={axes} must lie between 0 and {min(len(sa), len(sb))}")
        ia, ib = tuple(range(len(sa) - axes, len(sa))), tuple(range(axes))
    summed = [sa[i] for i in ia]
    if summed != [sb[i] for i in ib]:
        raise ShapeError(f"tensordot: a {sa} and b {sb}: axes {ia} of a and axes {ib} of b must be equally many, of equal sizes")
    ra, rb = [i for i in range(len(sa)) if i not in ia], [i for i in range(len(sb)) if i not in ib]
    na, nb = [sa[i] for i in ra], [sb[i] for i in rb]
    a = reshape(transpose(a, (*ra, *ia)), (prod(na), prod(summed)))
    b = reshape(transpose(b, (*ib, *rb)), (prod(summed), prod(nb)))
    return reshape(matmul(a, b), (*na, *nb))


def outer(a: Operand, b: Operand) -> Variable:
    """All products of an element of ``a`` and one of ``b``.

    Args:
        a: N elements of any shape.
        b: M elements of any shape.

    Returns:
        (N, M).

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.outer(Variable(np.array([1.0, 2.0])), np.array([3.0, 4.0])))
        variable([[3. 4.]
                  [6. 8.]])
    """
    check_operand("outer", "a", a)
    check_operand("outer", "b", b)
    return reshape(a, (-1, 1)) * reshape(b, (1, -1))


def trace(x: Operand, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Variable:
    """The sum of a diagonal.

    Args:
        x: at least 2-d.
        offset: 0 for the main diagonal, positive above it, negative below.
        axis1: the rows of the matrices.
        axis2: their columns.

    Returns:
        The shape of ``x`` without the two axes.

    Raises:
        ShapeError: there are no two such axes.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> print(F.trace(Variable(np.arange(9.0).reshape(3, 3))))
        variable(12.0)
    """
    return diagonal(x, offset, axis1, axis2).sum(-1)


__all__ = ["dot", "linear", "linear_simple", "matmul", "outer", "tensordot", "trace"]
