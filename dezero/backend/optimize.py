"""Kernels of optimizers: one step of a rule on one parameter, whose array and state change in place.

All arrays of a call have the shape of the parameter ``p``; ``g`` is its gradient, which is only read. Numbers that depend on the
step (bias corrections, the rate) come in as Python numbers, already folded together, so that a pass over an array does work of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.backend.kernels import reference


@reference
def sgd_step(xp: Any, p: Any, g: Any, rate: float) -> None:
    """p -= rate g."""
    p -= g * rate


@reference
def momentum_step(xp: Any, p: Any, g: Any, v: Any, rate: float, momentum: float, nesterov: bool) -> None:
    """v = momentum v + g; p -= rate v, or with ``nesterov`` p -= rate (g + momentum v)."""
    v *= momentum
    v += g
    if nesterov:
        d = v * momentum
        d += g
        d *= rate
    else:
        d = v * rate
    p -= d


@reference
def adagrad_step(xp: Any, p: Any, g: Any, h: Any, rate: float, eps: float) -> None:
    """h += g^2; p -= rate g / (sqrt(h) + eps)."""
    d = xp.multiply(g, g, out=xp.empty_like(p))
    h += d
    xp.sqrt(h, out=d)
    d += eps
    xp.divide(g, d, out=d)
    d *= rate
    p -= d


@reference
def adadelta_step(xp: Any, p: Any, g: Any, v: Any, u: Any, rate: float, rho: float, eps: float) -> None:
    """v = rho v + (1 - rho) g^2; d = g sqrt((u + eps) / (v + eps)); u = rho u + (1 - rho) d^2; p -= rate d."""
    d = xp.empty_like(p)
    _mean_square(xp, v, g, rho, d)
    square = xp.add(u, eps, out=xp.empty_like(p))
    xp.add(v, eps, out=d)
    xp.divide(square, d, out=d)
    xp.sqrt(d, out=d)
    d *= g
    _mean_square(xp, u, d, rho, square)
    if rate != 1:
        d *= rate
    p -= d


@reference
def rmsprop_step(xp: Any, p: Any, g: Any, v: Any, mean: Any, b: Any, rate: float, rho: float, eps: float, momentum: float) -> None:
    """v = rho v + (1 - rho) g^2; d = g / (sqrt(v) + eps); p -= rate d.

    Args:
        mean: None, or the running mean of g, whose square is taken from v under the root.
        b: None, or the buffer of momentum: b = momentum b + d, and p -= rate b.
    """
    if mean is not None:
        mean *= rho
        mean += g * (1 - rho)
    d = xp.empty_like(p)
    _mean_square(xp, v, g, rho, d)
    if mean is None:
        xp.sqrt(v, out=d)
    else:
        xp.multiply(mean, mean, out=d)
        xp.subtract(v, d, out=d)
        xp.maximum(d, 0, out=d)  # rounding may leave a little less than nothing
        xp.sqrt(d, out=d)
    d += eps
    xp.divide(g, d, out=d)
    if b is None:
        d *= rate
    else:
        b *= momentum
        b += d
        d = b * rate
    p -= d


@reference
def adam_step(xp: Any, p: Any, g: Any, m: Any, v: Any, beta1: float, beta2: float, keep: float, from_m: float, from_g: float,
              eps: float | None) -> None:
    """m and v become running means of g and g^2; p = keep p - (from_m m + from_g g) / (sqrt(v) + eps).

    Args:
        keep: 1 less the share of p that decays.
        eps: None leaves the division out.
    """
    m *= beta1
    d = xp.multiply(g, 1 - beta1, out=xp.empty_like(p))  # into an array: a product of 0-d arrays is a scalar in NumPy
    m += d
    _mean_square(xp, v, g, beta2, d)
    if keep != 1:
        p *= keep
    if not from_g and eps is not None:  # the most common case, without an array for the numerator
        xp.sqrt(v, out=d)
        d += eps
        xp.divide(m, d, out=d)
        d *= from_m
    else:
        xp.multiply(m, from_m, out=d)
        if from_g:
            d += g * from_g
        if eps is not None:
            root = xp.sqrt(v)
            root += eps
            d /= root
    p -= d


@reference
def lion_step(xp: Any, p: Any, g: Any, m: Any, rate: float, beta1: float, beta2: float, keep: float) -> None:
    """p = keep p - rate sign(beta1 m + (1 - beta1) g); m = beta2 m + (1 - beta2) g."""
    d = xp.multiply(m, beta1, out=xp.empty_like(p))
    d += g * (1 - beta1)
    xp.sign(d, out=d)
    d *= rate
    if keep != 1:
        p *= keep
    p -= d
    xp.multiply(g, 1 - beta2, out=d)
    m *= beta2
    m += d


def _mean_square(xp: Any, v: Any, g: Any, rho: float, d: Any) -> None:
    """v = rho v + (1 - rho) g^2 in place; d is written over."""
    xp.multiply(g, g, out=d)
    d *= 1 - rho
    v *= rho
    v += d


@reference
def add_scaled(xp: Any, y: Any, x: Any, factor: float) -> None:
    """y += factor x."""
    y += x * factor


@reference
def square_sum(xp: Any, x: Any) -> Any:
    """The sum of x^2 as a 0-d array, in float32 for half precision; it may overflow."""
    if x.dtype.itemsize < 4:
        x = x.astype(np.float32)
    return xp.asarray((x * x).sum())


@reference
def all_finite(xp: Any, x: Any) -> Any:
    """Is there no NaN and no infinity in x? A bool, or a 0-d array of one."""
    return xp.isfinite(x).all()
