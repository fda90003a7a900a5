"""Gradients by differences, and the comparison with what backpropagation gives, of first and second order.

All runs are on float64 copies: the caller's arrays, Variables and gradients stay as they are. NumPy's global random
state is the same in every run and restored at the end, so functions that draw random numbers can be checked too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dezero.backend import array_module, as_numpy, is_array
from dezero.core.derivatives import grad
from dezero.core.types import Array, Operand
from dezero.core.value import is_float
from dezero.core.variable import Variable
from dezero.errors import GradientCheckError, InputTypeError


def numerical_grad(f: Callable[..., Any], x: Operand, *args: Any, eps: float = 1e-4, **kwargs: Any) -> Array:
    """The gradient of the sum of ``f(x, *args, **kwargs)`` with respect to ``x`` by central differences, (f(x + eps) - f(x - eps)) / 2 eps.

    Args:
        f: takes what ``x`` is, a Variable or an array, and returns a Variable, an array or a number (or several).
        x: a float Variable, array or number of any shape.
        *args: further arguments for ``f``, passed on as they are.
        eps: the step.
        **kwargs: further arguments for ``f``.

    Returns:
        A float64 array of x's shape, on the device where x is.

    Raises:
        InputTypeError: ``x`` is not of a float dtype.

    Examples:
        >>> import numpy as np
        >>> numerical_grad(lambda x: x * x, np.array([1.0, 2.0])).round(6)
        array([2., 4.])
    """
    point = _copy(_number(x))
    if not is_float(point):
        raise InputTypeError(f"numerical_grad: x is {point.dtype}: a derivative needs floats; use x.astype(np.float64)")
    state = np.random.get_state()

    def total() -> float:
        np.random.set_state(state)
        given = Variable(point.copy()) if isinstance(x, Variable) else point.copy()
        return sum(float(_array(y).sum()) for y in _several(f(given, *args, **kwargs)))

    try:
        return array_module(point).asarray(_differences(total, point, eps))
    finally:
        np.random.set_state(state)


def gradient_check(f: Callable[..., Any], x: Operand, *args: Any, rtol: float = 1e-4, atol: float = 1e-5, **kwargs: Any) -> bool:
    """Does backpropagation through ``f(x, *args, **kwargs)`` agree with differences? If not, the report is printed.

    As :func:`check_gradients`, whose rules on inputs hold here too, with a bool instead of an error.

    Args:
        f: takes Variables and returns a Variable, or several.
        x: a float Variable or array.
        *args: further inputs; those of a float dtype are checked as well.
        rtol: relative tolerance.
        atol: absolute tolerance.
        **kwargs: passed on to ``f``.

    Returns:
        True if all gradients agree.

    Examples:
        >>> import numpy as np
        >>> gradient_check(lambda a, b: a * b, np.array([1.0, 2.0]), np.array([3.0, 4.0]))
        True
    """
    try:
        check_gradients(f, x, *args, rtol=rtol, atol=atol, **kwargs)
    except GradientCheckError as error:
        print(error)
        return False
    return True


def check_gradients(f: Callable[..., Any], *xs: Any, order: int = 1, rtol: float = 1e-4, atol: float = 1e-5, eps: float = 1e-4,
                    seed: int = 0, **kwargs: Any) -> None:
    """Compare the gradients of ``f(*xs, **kwargs)`` by backpropagation with differences, element by element.

    Each result gets a random incoming gradient, since ones prove nothing where the results sum to a constant, as those
    of softmax do. Order 2 also compares the derivatives of the gradients (as ``create_graph`` records them) with
    respect to the inputs and to the incoming gradient.

    Args:
        f: takes Variables and returns a Variable, or several.
        *xs: the inputs. Float Variables and float arrays are checked; numbers, integer arrays, everything else and
            Variables with ``requires_grad=False`` are constants.
        order: 1, or 2 for the second derivatives too.
        rtol: relative tolerance.
        atol: absolute tolerance.
        eps: the step of the differences.
        seed: of the incoming gradients.
        **kwargs: passed on to ``f``.

    Raises:
        GradientCheckError: they differ. The message names input and index of the worst elements, both values and the relative error.
        InputTypeError: no input is of a float dtype.

    Examples:
        >>> import numpy as np
        >>> from dezero import Function
        >>> check_gradients(lambda x: x ** 3, np.array([1.0, 2.0]), order=2)
        >>> class Wrong(Function):
        ...     def forward(self, x):
        ...         return x ** 2
        ...     def backward(self, gy):
        ...         return gy * self.inputs[0]
        >>> check_gradients(Wrong(), np.array([2.0]))
        Traceback (most recent call last):
            ...
        dezero.errors.GradientCheckError: gradients of first order differ:
          input 0, shape (1,): 1 of 1 elements
            [0]: backpropagated 0.251460442, numerical 0.502920884, relative error 0.5
    """
    if order not in (1, 2):
        raise ValueError(f"check_gradients: order is {order!r}: it must be 1 or 2")
    state = np.random.get_state()
    try:
        check = _Check(f, xs, kwargs, np.random.default_rng(seed), state)
        report = check.first(rtol, atol, eps) or (check.second(rtol, atol, eps) if order == 2 else "")
    finally:
        np.random.set_state(state)
    if report:
        raise GradientCheckError(report)


class _Check:
    """One function at one point, with random weights for its results and for their gradients."""

    def __init__(self, f: Callable[..., Any], xs: Sequence[Any], kwargs: dict[str, Any], rng: np.random.Generator, state: Any) -> None:
        self.f, self.kwargs, self.state = f, kwargs, state
        self.places = [i for i, x in enumerate(xs) if _is_checked(x)]
        if not self.places:
            raise InputTypeError("check_gradients: no input is a float Variable or a float array, so there is no gradient to check")
        self.xs = [_copy(x) if i in self.places else x for i, x in enumerate(xs)]
        self.points = [self.xs[i] for i in self.places]
        ys = [_array(y) for y in self.run(self.points)[0]]
        self.weights = [_normal(rng, y) for y in ys]
        self.directions = [_normal(rng, p) for p in self.points]

    def run(self, points: Sequence[Array]) -> tuple[list[Any], list[Variable]]:
        """The results at these points, and the Variables that they were computed from."""
        np.random.set_state(self.state)
        leaves = [Variable(p.copy()) for p in points]
        inputs = list(self.xs)
        for i, leaf in zip(self.places, leaves, strict=True):
            inputs[i] = leaf
        return _several(self.f(*inputs, **self.kwargs)), leaves

    def value(self) -> float:
        """<results, weights>."""
        ys, _ = self.run(self.points)
        return sum(float((_array(y) * w).sum()) for y, w in zip(ys, self.weights, strict=True))

    def gradients(self, create_graph: bool = False) -> tuple[list[Any], list[Variable], list[Variable]]:
        """Gradients of <results, weights> (None where there is none), the inputs, and the weights as Variables."""
        ys, leaves = self.run(self.points)
        weights = [Variable(w) for w in self.weights]
        pairs = [(y, w * 1.0) for y, w in zip(ys, weights, strict=True) if isinstance(y, Variable) and y.requires_grad]
        if not pairs:
            return [None] * len(leaves), leaves, weights
        found = grad([y for y, _ in pairs], leaves, [w for _, w in pairs], create_graph=create_graph, allow_unused=True)
        return found, leaves, weights

    def slope(self) -> float:
        """<gradients, directions>."""
        found, _, _ = self.gradients()
        return sum(float((g.data * u).sum()) for g, u in zip(found, self.directions, strict=True) if g is not None)

    def first(self, rtol: float, atol: float, eps: float) -> str:
        """The report on the gradients, empty if they agree."""
        found, _, _ = self.gradients()
        parts = [_compare(f"input {i}", g, _differences(self.value, p, eps), rtol, atol)
                 for i, p, g in zip(self.places, self.points, found, strict=True)]
        return _report("first", parts)

    def second(self, rtol: float, atol: float, eps: float) -> str:
        """The report on the gradients of the gradients, empty if they agree."""
        firsts, leaves, weights = self.gradients(create_graph=True)
        tracked = [(g, Variable(u, requires_grad=False)) for g, u in zip(firsts, self.directions, strict=True)
                   if g is not None and g.creator is not None]  # a bare array as a Variable says that it varies, and has no history
        targets = leaves + weights
        found = grad([g for g, _ in tracked], targets, [u for _, u in tracked], allow_unused=True) if tracked else [None] * len(targets)
        names = [f"input {i}" for i in self.places] + [f"incoming gradient {i}" for i in range(len(weights))]
        parts = [_compare(name, g, _differences(self.slope, p, eps), rtol, atol)
                 for name, g, p in zip(names, found, [*self.points, *self.weights], strict=True)]
        return _report("second", parts)


def _differences(total: Callable[[], float], point: Array, eps: float) -> Any:
    """Central differences of ``total`` by each element of ``point``, which it reads and which is put back, on the host."""
    out = np.empty(point.shape)
    for index in np.ndindex(*point.shape):
        kept = float(point[index])
        point[index] = kept + eps
        above = total()
        point[index] = kept - eps
        below = total()
        point[index] = kept
        out[index] = (above - below) / (2 * eps)
    return out


def _compare(name: str, found: Any, numerical: Any, rtol: float, atol: float) -> str:
    """The lines on one input, empty if its gradients agree."""
    backpropagated = np.zeros(numerical.shape) if found is None else as_numpy(found).astype(np.float64)
    error = np.abs(backpropagated - numerical)
    wrong = ~(error <= atol + rtol * np.abs(numerical))  # NaN counts as wrong
    if not wrong.any():
        return ""
    relative = error / np.maximum(np.maximum(np.abs(backpropagated), np.abs(numerical)), 1e-12)
    worst = sorted(np.argwhere(wrong).tolist(), key=lambda index: -np.nan_to_num(relative[tuple(index)], nan=np.inf))[:5]
    lines = [f"  {name}, shape {numerical.shape}: {wrong.sum()} of {wrong.size} elements"]
    for index in map(tuple, worst):
        lines.append(f"    {list(index)}: backpropagated {backpropagated[index]:.9g}, numerical {numerical[index]:.9g}, "
                     f"relative error {relative[index]:.3g}")
    if found is None:
        lines.append("    no gradient came back: if this input is a constant, pass it as Variable(x, requires_grad=False)")
    return "\n".join(lines)


def _report(order: str, parts: Sequence[str]) -> str:
    lines = [part for part in parts if part]
    return "\n".join([f"gradients of {order} order differ:", *lines]) if lines else ""


def _is_checked(x: Any) -> bool:
    if isinstance(x, Variable):
        return x.requires_grad and x.data is not None
    return hasattr(x, "shape") and hasattr(x, "dtype") and is_float(x)


def _number(x: Any) -> Any:
    return np.asarray(x, np.float64) if isinstance(x, (int, float)) else x


def _copy(x: Any) -> Array:
    """A copy of the array, in float64 if it is of a float dtype."""
    data = _array(x)
    return data.astype(np.float64) if is_float(data) else data.copy()


def _array(y: Any) -> Any:
    array = y.data if isinstance(y, Variable) else np.asarray(y) if isinstance(y, (bool, int, float, np.generic)) else y
    if not is_array(array):
        raise InputTypeError(f"a {type(y).__name__} among the inputs or results: Variables, arrays and numbers are expected")
    return array


def _several(ys: Any) -> list[Any]:
    return list(ys) if isinstance(ys, (tuple, list)) else [ys]


def _normal(rng: np.random.Generator, like: Array) -> Array:
    return array_module(like).asarray(rng.normal(size=like.shape))
