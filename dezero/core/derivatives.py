"""Derivatives as functions: grad, vjp, jvp, jacobian, hessian and hvp, all on the one engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from dezero.backend import array_module
from dezero.config import changed, current
from dezero.core.backprop import backprop, check_differentiable, seed_for
from dezero.core.inputs import constant
from dezero.core.landing import owned, separate
from dezero.core.operators import API, OPS
from dezero.core.types import Operand
from dezero.core.value import is_float
from dezero.core.variable import Variable, handle
from dezero.errors import InputTypeError, IntegerGradientError, ShapeError, UntrackedError

Tensors = Variable | Sequence[Variable]


def grad(ys: Tensors, xs: Tensors, gys: Any = None, create_graph: bool = False, retain_graph: bool | None = None,
         allow_unused: bool = False) -> Any:
    """The gradients of ``ys`` (their sum, weighted by ``gys``) with respect to ``xs``; no ``.grad`` is touched.

    Args:
        ys: a result, or several.
        xs: a Variable, leaf or result, or several.
        gys: the gradient that starts at each of ``ys``; ones where None.
        create_graph: record the computation, so that the gradients can be differentiated again.
        retain_graph: keep the graph for another pass; ``create_graph`` implies it.
        allow_unused: give None for an x that ys do not depend on, instead of an error.

    Returns:
        A Variable of x's shape, or a list of them if ``xs`` is a list or tuple.

    Raises:
        UntrackedError: ys were not computed by tracked functions, or do not depend on some x.
        IntegerGradientError: an x is of an integer dtype.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, grad
        >>> x = Variable(np.array(3.0))
        >>> y = x ** 3
        >>> gx = grad(y, x, create_graph=True)
        >>> print(gx, grad(gx, x))
        variable(27.0) variable(18.0)
    """
    for name, given in (("ys", ys), ("xs", xs)):
        if not isinstance(given, (Variable, list, tuple)):
            raise InputTypeError(f"grad: {name} is a {type(given).__name__}: a Variable, or a list of them, is expected")
    ys = [ys] if isinstance(ys, Variable) else list(ys)
    targets = [xs] if isinstance(xs, Variable) else list(xs)
    gys = [None] * len(ys) if gys is None else [gys] if isinstance(gys, Variable) or not isinstance(gys, (list, tuple)) else list(gys)
    if len(gys) != len(ys):
        raise ShapeError(f"grad: {len(gys)} gradients gys for {len(ys)} results ys: give one for each, or None")
    for i, x in enumerate(targets):
        if not isinstance(x, Variable):
            raise InputTypeError(f"grad: xs[{i}] is a {type(x).__name__}: a Variable is expected")
        if x._data is not None and not is_float(x):
            raise IntegerGradientError(f"grad: xs[{i}] is {x.dtype}: integers are constants; compute with x.astype(np.float32), say")
    for y in ys:
        if not any(y is x for x in targets):
            check_differentiable(y, "grad")
    places = [x if x._node is None else x._node for x in targets]
    with changed(record=True) if create_graph and not current().record else nullcontext():
        seeds = [(y if y._node is None else y._node, seed_for(y, gy, create_graph)) for y, gy in zip(ys, gys, strict=True)]
        found = backprop(seeds, create_graph=create_graph, retain_graph=bool(retain_graph), targets=set(places))
        found = separate(found) if create_graph else owned(found)
    results = _results(found, places, targets, create_graph, allow_unused)
    return results[0] if isinstance(xs, Variable) else results


def _results(found: dict[Any, Any], places: list[Any], xs: list[Variable], create_graph: bool, allow_unused: bool) -> list[Any]:
    out: list[Any] = []
    for i, (place, x) in enumerate(zip(places, xs, strict=True)):
        if place not in found:
            if not allow_unused:
                raise UntrackedError(f"grad: ys do not depend on xs[{i}]{f' ({x._name})' if x._name else ''}: was it detached, or computed under "
                                     "no_grad()? With allow_unused=True its gradient is None")
            out.append(None)
            continue
        g = found[place] if create_graph else handle(found[place], None)
        out.append(handle(g._data.copy(), g._node) if place in places[:i] else g)  # the same x twice
    return out


# -- derivatives of functions --------------------------------------------------------------------


def _places(xs: Sequence[Operand]) -> list[Variable]:
    """Each x at a place of its own in the graph: the derivative wanted is with respect to this argument alone."""
    out = []
    for i, x in enumerate(xs):
        if isinstance(x, Variable) and x.requires_grad and x._data is not None:
            out.append(OPS["identity"]()(x))
            continue
        data = x._data if isinstance(x, Variable) else constant(OPS["identity"](), x)
        if isinstance(data, (bool, int, float)):
            data = array_module(None).asarray(float(data))
        if data is None or not is_float(data):
            raise IntegerGradientError(f"argument {i} is {'None' if data is None else data.dtype}: a derivative needs floats; "
                                       "use x.astype(np.float32), say")
        out.append(OPS["identity"]()(Variable(data)))
    return out


def _run(f: Callable[..., Any], xs: Sequence[Operand]) -> tuple[Variable, list[Variable]]:
    """``f(*xs)`` at places of their own, and the places."""
    places = _places(xs)
    y = f(*places)
    if not isinstance(y, Variable):
        raise InputTypeError(f"{getattr(f, '__name__', 'f')} returned a {type(y).__name__}: a function that is differentiated returns one Variable")
    return y, places


def _grads(y: Variable, xs: list[Variable], gy: Any, create_graph: bool) -> list[Variable]:
    """Gradients with zeros for what y does not depend on."""
    if not y.requires_grad:
        found: list[Any] = [None] * len(xs)
    else:
        found = grad(y, xs, gy, create_graph=create_graph, retain_graph=True, allow_unused=True)
    return [handle(array_module(x._data).zeros(x.shape, x.dtype), None) if g is None else g for g, x in zip(found, xs, strict=True)]


def _one_or_all(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else tuple(values)


def vjp(f: Callable[..., Variable], *xs: Operand, create_graph: bool = False) -> tuple[Variable, Callable[..., Any]]:
    """``f(*xs)`` and its pull-back, which turns a gradient of the result into gradients of the arguments (v^T J).

    Args:
        f: takes Variables and returns one.
        *xs: Variables or float arrays.
        create_graph: make what the pull-back gives differentiable.

    Returns:
        (y, pull): ``pull(gy)`` gives the gradient of the only x, or a tuple of all.

    Examples:
        >>> import numpy as np
        >>> from dezero import vjp
        >>> y, pull = vjp(lambda x: x * x, np.array([1.0, 2.0]))
        >>> print(pull(np.array([1.0, 10.0])))
        variable([ 2. 40.])
    """
    with changed(record=True):
        y, places = _run(f, xs)

    def pull(gy: Operand) -> Any:
        return _one_or_all(_grads(y, places, gy, create_graph))

    return y, pull


def jvp(f: Callable[..., Variable], xs: Any, vs: Any, create_graph: bool = False) -> tuple[Variable, Variable]:
    """``f(*xs)`` and its derivative in the direction ``vs`` (J v).

    It differentiates the pull-back, which is linear in its gradient, a second time (J. Townsend, "A new trick for calculating
    Jacobian vector products", 2017).

    Args:
        f: takes Variables and returns one.
        xs: the argument, or a tuple of them: Variables or float arrays.
        vs: the direction, of the same structure and shapes.
        create_graph: make the derivative differentiable.

    Returns:
        (y, J v), both of y's shape.

    Raises:
        ShapeError: a direction has another shape than its argument.

    Examples:
        >>> import numpy as np
        >>> from dezero import jvp
        >>> y, jv = jvp(lambda x: x * x, np.array([1.0, 2.0]), np.array([1.0, 10.0]))
        >>> print(jv)
        variable([ 2. 40.])
    """
    xs, vs = (tuple(a) if isinstance(a, (tuple, list)) else (a,) for a in (xs, vs))
    for i, (x, v) in enumerate(zip(xs, vs, strict=True)):
        if getattr(x, "shape", ()) != getattr(v, "shape", ()):
            raise ShapeError(f"jvp: vs[{i}] has shape {getattr(v, 'shape', ())}, xs[{i}] {getattr(x, 'shape', ())}: they must be equal")
    with changed(record=True):
        y, places = _run(f, xs)
        u = Variable(array_module(y._data).zeros(y.shape, y.dtype))
        pulled = _grads(y, places, u, True)
        total = None
        for g, v in zip(pulled, vs, strict=True):
            if g.requires_grad:
                part = (g * v).sum()
                total = part if total is None else total + part
        if total is None:
            return y, handle(array_module(y._data).zeros(y.shape, y.dtype), None)
        return y, _grads(total, [u], None, create_graph)[0]


def jacobian(f: Callable[..., Variable], *xs: Operand, create_graph: bool = False) -> Any:
    """All first derivatives of ``f(*xs)``.

    Args:
        f: takes Variables and returns one.
        *xs: Variables or float arrays.
        create_graph: make the result differentiable.

    Returns:
        A Variable of shape ``y.shape + x.shape`` for the only x, or a tuple of them.

    Examples:
        >>> import numpy as np
        >>> from dezero import jacobian
        >>> print(jacobian(lambda x: x * x, np.array([1.0, 2.0])))
        variable([[2. 0.]
                  [0. 4.]])
    """
    with changed(record=True):
        y, places = _run(f, xs)
        rows = _rows(y, places, create_graph)
        if not rows:
            return _one_or_all([handle(array_module(x._data).zeros(y.shape + x.shape, x.dtype), None) for x in places])
        return _one_or_all([API["stack"](of_x).reshape(y.shape + x.shape) for of_x, x in zip(zip(*rows, strict=True), places, strict=True)])


def _rows(y: Variable, places: list[Variable], create_graph: bool) -> list[list[Variable]]:
    """The gradients of each element of y."""
    xp, rows = array_module(y._data), []
    for i in range(y.size):
        gy = xp.zeros(y.size, y.dtype)
        gy[i] = 1
        rows.append(_grads(y, places, gy.reshape(y.shape), create_graph))
    return rows


def hessian(f: Callable[..., Variable], *xs: Operand, create_graph: bool = False) -> Any:
    """All second derivatives of a scalar ``f(*xs)``.

    Args:
        f: takes Variables and returns one with a single element.
        *xs: Variables or float arrays.
        create_graph: make the result differentiable.

    Returns:
        A Variable of shape ``x.shape + x.shape`` for the only x; for several a tuple of tuples, block (i, j) of shape
        ``xs[i].shape + xs[j].shape``.

    Raises:
        ShapeError: f's result has more than one element.

    Examples:
        >>> import numpy as np
        >>> from dezero import hessian
        >>> print(hessian(lambda x: (x ** 3).sum(), np.array([1.0, 2.0])))
        variable([[ 6.  0.]
                  [ 0. 12.]])
    """
    def gradient(i: int) -> Callable[..., Variable]:
        def g(*places: Variable) -> Variable:
            y = _scalar(f(*places), "hessian")
            return _grads(y, list(places), None, True)[i]
        return g

    blocks = tuple(jacobian(gradient(i), *xs, create_graph=create_graph) for i in range(len(xs)))
    return blocks[0] if len(xs) == 1 else blocks


def hvp(f: Callable[..., Variable], xs: Any, vs: Any, create_graph: bool = False) -> Any:
    """The Hessian of a scalar ``f(*xs)`` times a vector, without making the Hessian.

    Args:
        f: takes Variables and returns one with a single element.
        xs: the argument, or a tuple of them: Variables or float arrays.
        vs: the vector, of the same structure and shapes.
        create_graph: make the result differentiable.

    Returns:
        A Variable of x's shape, or a tuple of them.

    Examples:
        >>> import numpy as np
        >>> from dezero import hvp
        >>> print(hvp(lambda x: (x ** 3).sum(), np.array([1.0, 2.0]), np.array([1.0, 1.0])))
        variable([ 6. 12.])
    """
    xs, vs = (tuple(a) if isinstance(a, (tuple, list)) else (a,) for a in (xs, vs))
    with changed(record=True):
        y, places = _run(f, xs)
        total = None
        for g, x, v in zip(_grads(_scalar(y, "hvp"), places, None, True), places, vs, strict=True):
            if getattr(v, "shape", ()) != x.shape:
                raise ShapeError(f"hvp: a vector of shape {getattr(v, 'shape', ())} for an argument of shape {x.shape}: they must be equal")
            if g.requires_grad:
                part = (g * v).sum()
                total = part if total is None else total + part
        if total is None:
            return _one_or_all([handle(array_module(x._data).zeros(x.shape, x.dtype), None) for x in places])
        return _one_or_all(_grads(total, places, None, create_graph))


def _scalar(y: Variable, what: str) -> Variable:
    if not isinstance(y, Variable):
        raise InputTypeError(f"{what}: the function returned a {type(y).__name__}: a Variable is expected")
    if y.size != 1:
        raise ShapeError(f"{what}: the function's result has shape {y.shape}: one element is needed; take its sum() or mean()")
    return y.sum()  # type: ignore[no-any-return]
