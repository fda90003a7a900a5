"""Explain: the chain rule from an output to a variable, path by path, in symbols and in numbers."""

from __future__ import annotations

import sys
from typing import TextIO

import numpy as np

from dezero.backend import as_numpy
from dezero.core.backprop import check_differentiable, last_output
from dezero.core.value import is_float
from dezero.core.variable import Variable
from dezero.errors import InputTypeError, IntegerGradientError, UntrackedError, describe
from dezero.viz.chain.bound import Bound
from dezero.viz.chain.explanation import Explanation, Line, Part, Path, Step
from dezero.viz.graph import Collection, collect, place_of
from dezero.viz.values import Values, run_of

__all__ = ["Explanation", "Line", "Part", "Path", "Step", "explain", "explanation_of"]


def explain(x: Variable, y: Variable | None = None, *, max_paths: int = 12, file: TextIO | None = None) -> Explanation:
    """Print how the gradient of ``x`` comes about: the chain rule, path by path from ``y`` to ``x``, in symbols and in numbers.

    The formulas are read in the code of the functions. Where a variable is used more than once, its gradient is the sum of what comes back
    from each use. Products of local derivatives are shown where all are numbers or arrays of one shape; else each formula takes the gradient
    of the result and gives that of the input. Nothing that was computed changes, no ``.grad`` either.

    Args:
        x: a leaf, a parameter, or a result in between.
        y: what was computed from it; where None, the output of the last ``backward()`` of this thread, if it still lives.
        max_paths: so many paths are written out at most. Their number may grow fast; the part "Backward" has one line for each variable.
        file: where to print, the screen by default.

    Returns:
        The explanation, with its parts: ``paths``, ``steps``, ``value``, and ``expression`` with ``names`` to compute it.

    Raises:
        InputTypeError: ``x`` or ``y`` is no Variable.
        IntegerGradientError: one of them is of an integer or bool dtype.
        UntrackedError: no gradient flows from ``y`` to ``x``, or no output is known.

    Examples:
        >>> import numpy as np
        >>> x = Variable(np.array(3.0), name="x")
        >>> y = x * x + x
        >>> y.backward()
        >>> e = explain(x)
        gx = ∂y/∂x = 7
        <BLANKLINE>
        Forward
          x         = 3
          a = x * x = 9
          y = a + x = 12
        <BLANKLINE>
        Paths from y back to x: 3
          1. y → a → x
             x = 3
          2. y → a → x
             x = 3
          3. y → x
             1
          Their sum: 3 + 3 + 1 = 7
        <BLANKLINE>
        Backward
          gy = 1
          ga = gy        = 1
          gx = ga * x    = 3   mul
             + ga * x    = 3   mul
             + gy        = 1   add
             = 3 + 3 + 1 = 7
        <BLANKLINE>
        In one formula
          gx = x + x + 1
        >>> e.expression, e.check()
        ('x + x + 1', True)
    """
    explanation = _explained(x, y, max_paths)
    out = sys.stdout if file is None else file
    encoding = getattr(out, "encoding", None) or "utf-8"  # a screen may not have every letter
    out.write(f"{explanation}\n".encode(encoding, "replace").decode(encoding))
    return explanation


def _explained(x: Variable, y: Variable | None, max_paths: int) -> Explanation:
    """The explanation, and what the program holds in ``x.grad`` compared with it."""
    given = y is not None
    if isinstance(x, Variable) and isinstance(y, Variable) and x.creator is not None and _leads(y, x) and not _leads(x, y):
        raise UntrackedError("explain: x was computed from y, not y from x: are they swapped? explain(x, y) takes what y was computed from first")
    y = _output(x, y)
    found = collect(y)
    target = next((id_ for id_, place in found.places.items() if place is place_of(x)), None)
    if target is None:
        raise UntrackedError("explain: y was not computed from x: no path leads from y back to it" if given else
                             "explain: the output of the last backward() was not computed from x; pass the output: explain(x, y)")
    explanation = explanation_of(found, run_of(y)[1], target, max_paths=max_paths)
    grad = None if x._grad is None or x._grad._data is None else as_numpy(x._grad)
    if grad is not None and explanation.value is not None and not np.allclose(grad, explanation.value, rtol=1e-4, atol=1e-7, equal_nan=True):
        explanation.notes += ("x.grad holds something else: the sum of several backward() calls, or the gradient of another output",)
    return explanation


def _leads(x: Variable, y: Variable) -> bool:
    """Was y computed from x?"""
    return any(place is place_of(x) for place in collect(y).places.values())


def _output(x: Variable, y: Variable | None) -> Variable:
    """The output to start from, after a look at both ends."""
    for what, v in (("x", x), ("y", y)):
        if not isinstance(v, Variable) and not (what == "y" and v is None):
            raise InputTypeError(f"explain: {what} is {describe(v)}: a Variable is expected")
    if x._data is not None and not is_float(x._data):
        raise IntegerGradientError(f"explain: x is {x.dtype}: integers and bools are constants and have no gradient; "
                                   "compute with floats, x.astype(np.float32) say")
    if not x.requires_grad:
        raise UntrackedError("explain: x is a constant (requires_grad=False, detached, or computed under no_grad()): it has no gradient")
    y = last_output() if y is None else y
    if y is None:
        raise UntrackedError("explain: it is not known from which output: no backward() ran in this thread, or its output is gone; "
                             "pass the output: explain(x, y)")
    check_differentiable(y, "explain")
    return y


def explanation_of(found: Collection, values: Values, target: str, *, max_paths: int = 12, bound: Bound | None = None) -> Explanation:
    """The explanation of one variable's gradient in a graph whose numbers are known. Nothing is printed.

    Args:
        found: the graph.
        values: its numbers, of a watched run.
        target: the variable's id.
        max_paths: so many paths are written out at most.
        bound: formulas and names of the whole graph, where several explanations are to use the same ones.

    Raises:
        UntrackedError: no gradient flows from an output to the variable.

    Examples:
        >>> x = Variable(np.array(3.0), name="x")
        >>> y = x * x
        >>> explanation_of(collect(y), run_of(y)[1], "v0").formula
        'x + x'
    """
    return Explanation(found, values, target, max_paths, bound)
