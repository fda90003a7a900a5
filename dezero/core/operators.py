"""The registry of ops, and the operators and methods that every Variable has.

Operators reach ops and functions by name, so this floor imports none of them and an editor still sees every method.
"""

from __future__ import annotations

from typing import Any

OPS: dict[str, Any] = {}  # name -> Function class, filled when an op's class is made
API: dict[str, Any] = {}  # name -> public function, filled by dezero.functions
ENGINE: dict[str, Any] = {}  # what Variables need of the floors above them, put here by those


class Operators:
    """Operators and methods of a Variable. Each method is the function of its name in ``dezero.functions``; see there."""

    __slots__ = ()

    # Arithmetic: ``_binary`` is the short way into an op of two inputs.
    def __add__(self, other: Any) -> Any: return OPS["add"]()._binary(self, other)
    def __radd__(self, other: Any) -> Any: return OPS["add"]()._binary(other, self)
    def __sub__(self, other: Any) -> Any: return OPS["sub"]()._binary(self, other)
    def __rsub__(self, other: Any) -> Any: return OPS["sub"]()._binary(other, self)
    def __mul__(self, other: Any) -> Any: return OPS["mul"]()._binary(self, other)
    def __rmul__(self, other: Any) -> Any: return OPS["mul"]()._binary(other, self)
    def __truediv__(self, other: Any) -> Any: return OPS["div"]()._binary(self, other)
    def __rtruediv__(self, other: Any) -> Any: return OPS["div"]()._binary(other, self)
    def __neg__(self) -> Any: return OPS["neg"]()(self)
    def __pos__(self) -> Any: return self
    def __abs__(self) -> Any: return OPS["abs"]()(self)
    def __pow__(self, other: Any) -> Any: return OPS["pow"](other)(self) if type(other) in (int, float) else API["pow"](self, other)
    def __rpow__(self, other: Any) -> Any: return API["pow"](other, self)
    def __matmul__(self, other: Any) -> Any: return OPS["matmul"]()(self, other)
    def __rmatmul__(self, other: Any) -> Any: return OPS["matmul"]()(other, self)

    # Comparisons give plain bool arrays. Equality stays identity: Variables are keys of dicts.
    def __lt__(self, other: Any) -> Any: return API["less"](self, other)
    def __le__(self, other: Any) -> Any: return API["less_equal"](self, other)
    def __gt__(self, other: Any) -> Any: return API["greater"](self, other)
    def __ge__(self, other: Any) -> Any: return API["greater_equal"](self, other)

    def __getitem__(self, index: Any) -> Any: return API["get_item"](self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError("a Variable's elements cannot be assigned, the graph could not follow: write y = F.index_set(x, index, value) "
                        "(or change x.data[index] outside a graph)")

    # NumPy's functions
    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return ENGINE["array_ufunc"](self, ufunc, method, *inputs, **kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return ENGINE["array_function"](self, func, types, args, kwargs)

    # Shape
    def reshape(self, *shape: Any) -> Any: return API["reshape"](self, _unpacked(shape))
    def transpose(self, *axes: Any) -> Any: return API["transpose"](self, _unpacked(axes) if axes else None)
    def swapaxes(self, axis1: int, axis2: int) -> Any: return API["swapaxes"](self, axis1, axis2)
    def expand_dims(self, axis: Any) -> Any: return API["expand_dims"](self, axis)
    def squeeze(self, axis: Any = None) -> Any: return API["squeeze"](self, axis)
    def flatten(self) -> Any: return API["reshape"](self, (-1,))
    def ravel(self) -> Any: return API["reshape"](self, (-1,))
    def broadcast_to(self, shape: Any) -> Any: return API["broadcast_to"](self, shape)
    def repeat(self, repeats: Any, axis: int | None = None) -> Any: return API["repeat"](self, repeats, axis)
    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any: return API["diagonal"](self, offset, axis1, axis2)
    def take(self, indices: Any, axis: int | None = None) -> Any: return API["take"](self, indices, axis)
    def astype(self, dtype: Any) -> Any: return OPS["astype"](dtype)(self)
    def copy(self) -> Any: return OPS["copy"]()(self)

    @property
    def T(self) -> Any:
        """All axes reversed."""
        return API["transpose"](self)

    @property
    def mT(self) -> Any:
        """The last two axes swapped: the transpose of each matrix in a stack."""
        return API["swapaxes"](self, -1, -2)

    # Reductions
    def sum(self, axis: Any = None, keepdims: bool = False) -> Any: return API["sum"](self, axis, keepdims)
    def mean(self, axis: Any = None, keepdims: bool = False) -> Any: return API["mean"](self, axis, keepdims)
    def var(self, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any: return API["var"](self, axis, ddof, keepdims)
    def std(self, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any: return API["std"](self, axis, ddof, keepdims)
    def prod(self, axis: Any = None, keepdims: bool = False) -> Any: return API["prod"](self, axis, keepdims)
    def max(self, axis: Any = None, keepdims: bool = False) -> Any: return API["max"](self, axis, keepdims)
    def min(self, axis: Any = None, keepdims: bool = False) -> Any: return API["min"](self, axis, keepdims)
    def argmax(self, axis: int | None = None) -> Any: return API["argmax"](self, axis)
    def argmin(self, axis: int | None = None) -> Any: return API["argmin"](self, axis)
    def cumsum(self, axis: int | None = None) -> Any: return API["cumsum"](self, axis)
    def trace(self, offset: int = 0) -> Any: return API["trace"](self, offset)

    # Others that arrays have too
    def dot(self, other: Any) -> Any: return API["dot"](self, other)
    def matmul(self, other: Any) -> Any: return OPS["matmul"]()(self, other)
    def clip(self, min: Any = None, max: Any = None) -> Any: return API["clip"](self, min, max)
    def round(self, decimals: int = 0) -> Any: return API["round"](self, decimals)


def _unpacked(shape: Any) -> Any:
    """``reshape(2, 3)`` and ``reshape((2, 3))`` are the same."""
    return shape[0] if len(shape) == 1 and (shape[0] is None or isinstance(shape[0], (tuple, list))) else shape
