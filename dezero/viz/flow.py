"""How gradients flow: a row for each parameter, flagged where they vanish, explode or are dead."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from dezero.backend import array_module, as_numpy, is_array
from dezero.errors import describe

__all__ = ["FlowRow", "flow_table", "gradient_flow_report"]


class FlowRow(NamedTuple):
    """The gradient of one parameter in numbers.

    Attributes:
        name: of the parameter, "l0.W" say.
        mean: mean of the absolute values.
        largest: the largest absolute value.
        zeros: share of elements that are exactly zero.
        flags: of "vanishing", "exploding" and "dead", those that hold.

    Examples:
        >>> FlowRow("l0.W", 0.5, 2.0, 0.25).flags
        ()
    """

    name: str
    mean: float
    largest: float
    zeros: float = 0.0
    flags: tuple[str, ...] = ()


def gradient_flow_report(gradients: Mapping[str, Any] | Iterable[tuple[Any, ...]], *, vanishing: float = 1e-5, exploding: float = 1e3,
                         limit: float = 1e6) -> list[FlowRow]:
    """Tell for each parameter how large its gradient is beside that of the last layer, where backpropagation begins.

    A row is "dead" if its gradient is missing or zero throughout, "vanishing" if its mean is below ``vanishing`` times that of the last
    layer (Glorot and Bengio, 2010, measure the same along the layers), "exploding" if it is above ``exploding`` times that or above
    ``limit``, or holds NaN or infinity. The last layer is the last one with a gradient; of its weight and bias the larger mean counts.

    Args:
        gradients: name -> gradient in the order of the layers (arrays or Variables of any shape, on host or device; None if there is
            none), or pairs (name, gradient), or triples (name, mean, largest), or rows of an earlier report.
        vanishing: share of the last layer's mean.
        exploding: multiple of the last layer's mean.
        limit: a mean above it is too large wherever it is.

    Returns:
        One row for each gradient, in the same order.

    Raises:
        TypeError: a gradient is no array.

    Examples:
        >>> import numpy as np
        >>> rows = gradient_flow_report({"l0.W": np.full((2, 2), 1e-9), "l1.W": np.zeros(3), "l2.W": np.array([0.5, -1.5])})
        >>> for row in rows: print(row.name, row.mean, row.largest, row.flags)
        l0.W 1e-09 1e-09 ('vanishing',)
        l1.W 0.0 0.0 ('dead',)
        l2.W 1.0 1.5 ()
    """
    rows = [_row(item) for item in (gradients.items() if isinstance(gradients, Mapping) else gradients)]
    last = last_mean(rows)
    return [row._replace(flags=_flags(row, last, vanishing, exploding, limit)) for row in rows]


def last_mean(rows: list[FlowRow]) -> float:
    """The mean gradient of the last layer that has one; NaN if none has.

    Examples:
        >>> last_mean([FlowRow("a.W", 3.0, 3.0), FlowRow("b.W", 0.1, 1.0), FlowRow("b.b", 0.2, 1.0), FlowRow("c.W", 0.0, 0.0)])
        0.2
    """
    alive = [row for row in rows if row.mean > 0 and math.isfinite(row.mean)]
    if not alive:
        return math.nan
    layer = _layer(alive[-1].name)
    return max(row.mean for row in alive if _layer(row.name) == layer)


def flow_table(rows: Iterable[FlowRow]) -> str:
    """A report as text, a line for each row.

    Args:
        rows: of ``gradient_flow_report``.

    Examples:
        >>> print(flow_table(gradient_flow_report([("l0.W", 2e-7, 1e-6), ("l1.W", 0.25, 1.5)])))
        parameter  mean |g|   max |g|  zeros
        l0.W        2.0e-07   1.0e-06    0 %  vanishing
        l1.W        2.5e-01   1.5e+00    0 %
    """
    rows = list(rows)
    width = max([len("parameter"), *(len(row.name) for row in rows)])
    lines = [f"{'parameter':<{width}}  mean |g|   max |g|  zeros"]
    for row in rows:
        numbers = f"{row.mean:8.1e}  {row.largest:8.1e}  {100 * row.zeros:3.0f} %"
        lines.append(f"{row.name:<{width}}  {numbers}  {', '.join(row.flags)}".rstrip())
    return "\n".join(lines)


def _layer(name: str) -> str:
    """The path of the layer that a parameter belongs to."""
    return name.rpartition(".")[0] or name


def _row(item: tuple[Any, ...]) -> FlowRow:
    """A row without flags, from (name, gradient) or (name, mean, largest, ...)."""
    if len(item) > 2:
        name, mean, largest, *rest = item
        return FlowRow(str(name), float(mean), float(largest), float(rest[0]) if rest else float(mean == 0))
    name, gradient = item
    gradient = getattr(gradient, "_data", gradient)
    if gradient is None:
        return FlowRow(str(name), 0.0, 0.0, 1.0)
    if not is_array(gradient):
        raise TypeError(f"gradient_flow_report: the gradient of {name} is {describe(gradient)}: an array or a Variable is expected")
    if gradient.size == 0:
        return FlowRow(str(name), 0.0, 0.0, 1.0)
    xp = array_module(gradient)
    sizes = abs(gradient.astype("float32") if gradient.dtype.itemsize < 4 else gradient).reshape(-1)
    # One small array crosses from the device, not three numbers one by one.
    numbers = as_numpy(xp.stack([sizes.mean(), sizes.max(), (sizes == 0).mean().astype(sizes.dtype)]))
    return FlowRow(str(name), float(numbers[0]), float(numbers[1]), float(numbers[2]))


def _flags(row: FlowRow, last: float, vanishing: float, exploding: float, limit: float) -> tuple[str, ...]:
    if not (math.isfinite(row.mean) and math.isfinite(row.largest)) or row.mean > limit or row.mean > exploding * last:
        return ("exploding",)
    if row.largest == 0:
        return ("dead",)
    return ("vanishing",) if row.mean < vanishing * last else ()
