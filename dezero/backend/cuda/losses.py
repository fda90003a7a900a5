"""Losses that compare two arrays, on the device: one launch for all elements and one for their sum, one launch backward.

What the CPU refuses with an error (a target that is no probability) makes the loss NaN here, which shows and does not wait for the device.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from dezero.backend.arrays import cupy_module as cupy
from dezero.backend.cuda.activations import common_float, kernel
from dezero.backend.cuda.blocks import accumulator
from dezero.backend.kernels import fused
from dezero.config import current

EPS = {"e": 2.0 ** -10, "E": 2.0 ** -7, "f": 2.0 ** -23, "d": 2.0 ** -52}        # from 1 to the next number
TINY = {"e": 2.0 ** -14, "E": 2.0 ** -126, "f": 2.0 ** -126, "d": 2.0 ** -1022}  # the smallest normal number


def _scale(op: Any, x: Any) -> float:
    """What each element is multiplied by: 1 over what the mean divides by."""
    if op.reduction != "mean":
        return 1.0
    return 1.0 / max(1, x.size if not op.per_sample else x.shape[0] if x.shape else 1)


def _fits(x: Any, t: Any, *gy: Any) -> bool:
    """Are both arrays of one float dtype and one shape?"""
    return common_float((x, t, *gy)) is not None and getattr(x, "shape", None) == getattr(t, "shape", ())


def _kernel(name: str, inputs: str, expression: str, out: str = "T") -> Callable[..., Any]:
    """An expression of some of the inputs, of the op's number ``c`` and of ``scale`` as a function of all of these."""
    used = [v for v in inputs.split() if re.search(rf"\b{v}\b", expression)]
    numbers = [v for v in ("c", "scale") if re.search(rf"\b{v}\b", expression)]
    run = kernel(name, " ".join(used), expression, " ".join(numbers), out)
    places = [(*inputs.split(), "c", "scale").index(v) for v in used + numbers]
    return lambda values, *given: run(*[values[i] for i in places], *given)


def row(op: str, names: str, loss: str, slope: str, slope_t: str | None = None, parameter: Callable[..., float] = lambda op, x: 0.0) -> None:
    """Enter a loss of x and t: its value, its derivatives by both, and the number ``c`` in them, found from the op and x."""
    value = _kernel(op, "x t", f"({loss}) * scale", "U")

    def forward(op: Any, x: Any, t: Any) -> Any:
        if not _fits(x, t) or current().watch is not None:  # within detect_anomaly the op looks at its inputs itself
            return NotImplemented
        each = op.reduction == "none"
        y = value((x, t, parameter(op, x), _scale(op, x)), cupy().empty(x.shape, x.dtype if each else accumulator(x.dtype)))
        return y if each else y.sum().astype(x.dtype, copy=False)

    fused("cupy", op, "forward")(forward)
    for name, expression in zip(names.split(), (slope, slope_t or f"-({slope})"), strict=True):
        _gradient(op, name, _kernel(f"{op}_grad_{name}", "gy x t", f"gy * scale * ({expression})"), parameter)


def _gradient(op: str, name: str, slope: Callable[..., Any], parameter: Callable[..., float]) -> None:
    def run(op: Any, gy: Any, x: Any, t: Any) -> Any:
        return slope((gy, x, t, parameter(op, x), _scale(op, x))) if _fits(x, t, gy) else NotImplemented

    fused("cupy", op, f"grad_{name}")(run)


_INSIDE = "t >= 0 && t <= 1"
_Q = "smaller(larger(x, c), 1.0 - c)"  # a probability, kept away from 0 and 1

row("sum_squared_error", "x0 x1", "(x - t) * (x - t) * 0.5", "x - t")
row("mean_squared_error", "x0 x1", "(x - t) * (x - t)", "(x - t) * 2.0")
row("mean_absolute_error", "x t", "fabs(x - t)", "A(x > t) - A(x < t)")
row("huber", "x t", "smaller(larger(x - t, -c), c) * ((x - t) - smaller(larger(x - t, -c), c) * 0.5)",
    "smaller(larger(x - t, -c), c)", parameter=lambda op, x: op.delta)
row("sigmoid_cross_entropy", "x t", f"{_INSIDE} ? log1p(exp(-fabs(x))) + (larger(x, 0.0) - x * t) : (A)NAN", "sigmoid(x) - t", "-x")
row("binary_cross_entropy", "p t", f"{_INSIDE} && x >= 0 && x <= 1 ? (t - 1.0) * log1p(-{_Q}) - t * log({_Q}) : (A)NAN",
    f"({_Q} - t) / ({_Q} * (1.0 - {_Q}))", f"log(1.0 - {_Q}) - log({_Q})", lambda op, x: EPS[x.dtype.char])
row("kl_div", "log_q p", "t >= 0 ? t * (log(larger(t, c)) - x) : (A)NAN", "-t", "log(larger(t, c)) - x + 1.0", lambda op, x: TINY[x.dtype.char])
