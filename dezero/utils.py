"""The book's ``dezero.utils``: checks of gradients, drawings of graphs (:mod:`dezero.viz` has more of them), and small helpers on arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dezero import viz
from dezero.backend import array_module
from dezero.backend.im2col import get_conv_outsize, get_deconv_outsize, pair
from dezero.core.arithmetic import SumTo
from dezero.core.checks import check_operand
from dezero.core.compat import as_array
from dezero.core.types import Array, Axis, Shape
from dezero.datasets import cache_dir, get_file, show_progress
from dezero.errors import ShapeError
from dezero.functions.shape import sizes_of
from dezero.testing import array_allclose, array_equal, gradient_check, numerical_grad

if TYPE_CHECKING:
    from dezero.viz import get_dot_graph, plot_dot_graph

__all__ = ["array_allclose", "array_equal", "cache_dir", "get_conv_outsize", "get_deconv_outsize", "get_dot_graph", "get_file", "gradient_check",
           "logsumexp", "max_backward_shape", "numerical_grad", "pair", "plot_dot_graph", "reshape_sum_backward", "show_progress", "sum_to"]


def __getattr__(name: str) -> Any:
    if name not in ("get_dot_graph", "plot_dot_graph"):
        raise AttributeError(f"module 'dezero.utils' has no attribute {name!r}")
    return getattr(viz, name)  # loaded at the first use


def sum_to(x: Array, shape: Shape) -> Array:
    """Sum an array over the axes along which ``shape`` would broadcast to it.

    Args:
        x: an array.
        shape: the shape of the result.

    Raises:
        ShapeError: ``shape`` does not broadcast to x's.

    Examples:
        >>> import numpy as np
        >>> sum_to(np.ones((2, 3)), (1, 3))
        array([[2., 2., 2.]])
    """
    check_operand("sum_to", "x", x)
    shape = sizes_of("sum_to", shape)
    lead = x.ndim - len(shape)
    if lead < 0 or any(s not in (1, n) for s, n in zip(shape, x.shape[lead:], strict=True)):
        raise ShapeError(f"sum_to: {x.shape} cannot be summed to {shape}: each axis, counted from the last, must be equal or 1 in the target")
    return SumTo.on(x, shape=shape)


def _axes(axis: Axis, ndim: int) -> set[int]:
    axes = range(ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    for a in axes:
        if not -ndim <= a < ndim:
            raise ShapeError(f"axis {a} is out of range for {ndim} axes: it must be in [{-ndim}, {ndim})")
    return {a % ndim for a in axes}


def reshape_sum_backward(gy: Array, x_shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Array:
    """Give the gradient of a sum the axes of size 1 that the sum removed, so that it broadcasts to the input.

    Args:
        gy: the gradient of the sum, an array or a Variable.
        x_shape: shape of the sum's input.
        axis: the sum's axis.
        keepdims: the sum's keepdims.

    Examples:
        >>> import numpy as np
        >>> reshape_sum_backward(np.ones(2), (2, 3), 1, False).shape
        (2, 1)
    """
    axes = _axes(axis, len(x_shape))
    return gy if keepdims else gy.reshape(tuple(1 if i in axes else n for i, n in enumerate(x_shape)))


def max_backward_shape(x: Array, axis: Axis) -> list[int]:
    """The shape of ``x`` with size 1 on the axes over which a maximum is taken.

    Args:
        x: an array or a Variable.
        axis: an axis, several, or None for all; negative ones count from the last.

    Examples:
        >>> import numpy as np
        >>> max_backward_shape(np.zeros((2, 3)), -1)
        [2, 1]
    """
    axes = _axes(axis, x.ndim)
    return [1 if i in axes else n for i, n in enumerate(x.shape)]


def logsumexp(x: Array, axis: Any = 1) -> Array:
    """log(sum(exp(x))) of an array along ``axis``, which stays with size 1, without overflow.

    Args:
        x: a float array.
        axis: an axis, several, or None for all.

    Raises:
        ShapeError: an axis is out of range.

    Examples:
        >>> import numpy as np
        >>> logsumexp(np.array([[1000.0, 1000.0]]), axis=1).round(4)
        array([[1000.6931]])
    """
    check_operand("logsumexp", "x", x)
    x = as_array(x)
    _axes(axis, x.ndim)
    xp = array_module(x)
    top = x.max(axis, keepdims=True)
    usable = xp.isfinite(top)  # a row of -inf gives -inf and one with inf gives inf, without a NaN on the way
    shifted = x - xp.where(usable, top, xp.zeros_like(top))
    total = xp.exp(xp.minimum(shifted, 0)).sum(axis, keepdims=True)
    return xp.where(usable, top + xp.log(xp.where(usable, total, xp.ones_like(total))), top)
