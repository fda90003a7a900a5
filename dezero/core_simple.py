"""The book's small core: the same engine, but ``grad`` is a plain array, and there are first derivatives only.

Scripts from the middle of the book import it: ``x.data -= lr * x.grad`` needs no ``.data`` behind ``grad``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dezero import core
from dezero.config import Config, no_grad, using_config
from dezero.core.arithmetic import Add, Div, Mul, Neg, Pow, Sub
from dezero.core.compat import as_array, setup_variable
from dezero.core.operators import Operators

__all__ = ["Add", "Config", "Div", "Function", "Mul", "Neg", "Pow", "Sub", "Variable", "add", "as_array", "as_variable", "div", "mul", "neg",
           "no_grad", "pow", "rdiv", "rsub", "setup_variable", "sub", "using_config"]


class Variable(core.Variable):
    """A Variable whose ``grad`` is a plain array.

    Examples:
        >>> import numpy as np
        >>> from dezero.core_simple import Variable
        >>> x = Variable(np.array(3.0))
        >>> y = x ** 2
        >>> y.backward()
        >>> print(x.grad)
        6.0
    """

    __slots__ = ()

    @property
    def grad(self) -> Any:
        """The gradient as an array, or None."""
        return None if self._grad is None else self._grad.data

    @grad.setter
    def grad(self, value: Any) -> None:
        core.Variable.grad.fset(self, value)  # type: ignore[attr-defined]

    def backward(self, retain_grad: bool = False) -> None:  # type: ignore[override]
        """As for :class:`dezero.Variable`, to the first order."""
        super().backward(retain_grad=retain_grad)


def _simple(out: Any) -> Any:
    """Results as Variables of this module."""
    for v in out if isinstance(out, list) else [out]:
        if type(v) is core.Variable:
            v.__class__ = Variable
    return out


def _operator(name: str) -> Callable[..., Any]:
    method = getattr(Operators, name)
    return lambda self, *args: _simple(method(self, *args))


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow", "rpow", "neg", "matmul", "rmatmul", "abs", "getitem"):
    setattr(Variable, f"__{_name}__", _operator(f"__{_name}__"))


class Function(core.Function):
    """An op of your own whose ``backward`` takes and returns arrays.

    Examples:
        >>> import numpy as np
        >>> from dezero.core_simple import Function, Variable
        >>> class Square(Function):
        ...     def forward(self, x):
        ...         return x ** 2
        ...     def backward(self, gy):
        ...         return 2 * self.inputs[0].data * gy
        >>> x = Variable(np.array(3.0))
        >>> Square()(x).backward()
        >>> print(x.grad)
        6.0
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        on_arrays = vars(cls).get("backward")
        if on_arrays is not None:
            cls.backward = lambda self, *gys: on_arrays(self, *(gy.data for gy in gys))  # type: ignore[method-assign]

    def __call__(self, *inputs: Any) -> Any:
        return _simple(super().__call__(*inputs))


def as_variable(obj: Any) -> Any:
    """``obj`` if it is a Variable, else one around the array or number."""
    return _simple(core.as_variable(obj))


def add(x0: Any, x1: Any) -> Any:
    """x0 + x1."""
    return _simple(Add()(x0, x1))


def sub(x0: Any, x1: Any) -> Any:
    """x0 - x1."""
    return _simple(Sub()(x0, x1))


def rsub(x0: Any, x1: Any) -> Any:
    """x1 - x0."""
    return _simple(Sub()(x1, x0))


def mul(x0: Any, x1: Any) -> Any:
    """x0 x1."""
    return _simple(Mul()(x0, x1))


def div(x0: Any, x1: Any) -> Any:
    """x0 / x1."""
    return _simple(Div()(x0, x1))


def rdiv(x0: Any, x1: Any) -> Any:
    """x1 / x0."""
    return _simple(Div()(x1, x0))


def neg(x: Any) -> Any:
    """-x."""
    return _simple(Neg()(x))


def pow(x: Any, c: float) -> Any:
    """x^c for a number c."""
    return _simple(Pow(c)(x))
