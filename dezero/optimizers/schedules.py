"""Learning rates as functions of the step: stairs, decay, cosines and a cycle."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any

from dezero.core.checks import integer, number, shown
from dezero.optimizers.checks import above_zero, at_least_one, at_least_zero
from dezero.optimizers.schedule import Schedule


class StepLR(Schedule):
    """base gamma^(i // step_size): the rate falls every ``step_size`` steps.

    Args:
        optimizer: whose rate is set.
        step_size: the length of a stair.
        gamma: the factor.

    Examples:
        >>> from dezero.optimizers import SGD
        >>> schedule = StepLR(SGD(lr=1.0), step_size=2, gamma=0.5)
        >>> [schedule.rate_at(i) for i in range(5)]
        [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, optimizer: Any, step_size: int, gamma: float = 0.1) -> None:
        super().__init__(optimizer)
        self.step_size, self.gamma = at_least_one("StepLR", "step_size", step_size), at_least_zero("StepLR", "gamma", gamma)
        self.start()

    def rate_from(self, base: float, i: int) -> float:
        """See the class."""
        return base * self.gamma ** (i // self.step_size)


class MultiStepLR(Schedule):
    """base gamma^k after k of the milestones: the rate falls at given steps.

    Args:
        optimizer: whose rate is set.
        milestones: the steps, in any order.
        gamma: the factor.

    Examples:
        >>> from dezero.optimizers import SGD
        >>> schedule = MultiStepLR(SGD(lr=1.0), milestones=[1, 3], gamma=0.5)
        >>> [schedule.rate_at(i) for i in range(5)]
        [1.0, 0.5, 0.5, 0.25, 0.25]
    """

    def __init__(self, optimizer: Any, milestones: Iterable[int], gamma: float = 0.1) -> None:
        super().__init__(optimizer)
        self.milestones = sorted(integer("MultiStepLR", "a milestone", m) for m in milestones)
        self.gamma = at_least_zero("MultiStepLR", "gamma", gamma)
        self.start()

    def rate_from(self, base: float, i: int) -> float:
        """See the class."""
        return base * self.gamma ** bisect_right(self.milestones, i)


class ExponentialLR(Schedule):
    """base gamma^i.

    Args:
        optimizer: whose rate is set.
        gamma: the factor of each step.

    Examples:
        >>> from dezero.optimizers import SGD
        >>> ExponentialLR(SGD(lr=1.0), gamma=0.5).rate_at(3)
        0.125
    """

    def __init__(self, optimizer: Any, gamma: float) -> None:
        super().__init__(optimizer)
        self.gamma = at_least_zero("ExponentialLR", "gamma", gamma)
        self.start()

    def rate_from(self, base: float, i: int) -> float:
        """See the class."""
        return base * self.gamma ** i


class PolynomialLR(Schedule):
    """min_rate + (base - min_rate) (1 - i / steps)^power, then min_rate.

    Args:
        optimizer: whose rate is set.
        steps: when the end is reached.
        power: 1 for a line.
        min_rate: the rate at the end.

    Examples:
        >>> from dezero.optimizers import SGD
        >>> schedule = PolynomialLR(SGD(lr=1.0), steps=4, power=2.0)
        >>> [schedule.rate_at(i) for i in (0, 2, 4, 9)]
        [1.0, 0.25, 0.0, 0.0]
    """

    def __init__(self, optimizer: Any, steps: int, power: float = 1.0, min_rate: float = 0.0) -> None:
        super().__init__(optimizer)
        self.steps, self.power = at_least_one("PolynomialLR", "steps", steps), at_least_zero("PolynomialLR", "power", power)
        self.min_rate = at_least_zero("PolynomialLR", "min_rate", min_rate)
        self.start()

    def rate_from(self, base: float, i: int) -> float:
        """See the class."""
        return self.min_rate + (base - self.min_rate) * math.pow(1 - min(i, self.steps) / self.steps, self.power)


class CosineLR(Schedule):
    """Half a cosine from base down to min_rate, where it stays (Loshchilov and Hutter, "SGDR", ICLR 2017, without restarts).

    Args:
        optimizer: whose rate is set.
        steps: when the end is reached.
        min_rate: the rate at the end.

    Examples:
        >>> from dezero.optimizers import SGD
        >>> schedule = CosineLR(SGD(lr=1.0), steps=4)
        >>> [round(schedule.rate_at(i), 3) for i in range(6)]
        [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """

    def __init__(self, optimizer: Any, steps: int, min_rate: float = 0.0) -> None:
        super().__init__(optimizer)
        self.steps, self.min_rate = at_least_one("CosineLR", "steps", steps), at_least_zero("CosineLR", "min_rate", min_rate)
        self.start()

    def rate_from(self, base: float, i: int) -> float:
        """See the class."""
        return _cosine(base, self.min_rate, min(i, self.steps) / self.steps)


class CosineWarmRestarts(Schedule):
    """Cosines one after another, each from base down to min_rate (Loshchilov and Hutter, "SGDR", ICLR 2017).

    Args:
        optimizer: whose rate is set.
        period: the length of the first cosine.
        growth: each is this many times as long as the one before.
        min_rate: the rate that each comes down to.

    Examples:
        >>> from dezero.optimizers import SGD
        >>> schedule = CosineWarmRestarts(SGD(lr=1.0), period=2, growth=2)
        >>> [round(schedule.rate_at(i), 3) for i in range(7)]
        [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 1.0]
    """

    def __init__(self, optimizer: Any, period: int, growth: int = 1, min_rate: float = 0.0) -> None:
        super().__init__(optimizer)
        self.period, self.growth = at_least_one("CosineWarmRestarts", "period", period), at_least_one("CosineWarmRestarts", "growth", growth)
        self.min_rate = at_least_zero("CosineWarmRestarts", "min_rate", min_rate)
        self.start()

    def rate_from(self, base: float, i: int) -> float:
        """See the class."""
        period = self.period
        if self.growth == 1:
            i %= period
        while i >= period:
            i, period = i - period, period * self.growth
        return _cosine(base, self.min_rate, i / period)


class OneCycle(Schedule):
    """Up from max_rate / start_div to max_rate, then down to max_rate / start_div / final_div (Smith and Topin, "Super-convergence", 2018).

    It counts updates, not epochs: ``steps`` is the number of all updates of the training. Groups with a rate of their own have
    a maximum of their own, in the same proportion to their rate.

    Args:
        optimizer: whose rate is set.
        max_rate: the highest rate.
        steps: the number of updates; after the last one the rate stays.
        warmup: the share of the steps on the way up.
        start_div, final_div: see above.
        shape: "cosine" or "linear".

    Examples:
        >>> from dezero.optimizers import SGD
        >>> schedule = OneCycle(SGD(), max_rate=1.0, steps=11, warmup=0.5)
        >>> [round(schedule.rate_at(i), 3) for i in (0, 4, 5, 10)]
        [0.04, 0.971, 0.98, 0.0]
    """

    def __init__(self, optimizer: Any, max_rate: float, steps: int, warmup: float = 0.3, start_div: float = 25.0, final_div: float = 1e4,
                 shape: str = "cosine") -> None:
        super().__init__(optimizer)
        self.max_rate, self.steps = at_least_zero("OneCycle", "max_rate", max_rate), at_least_one("OneCycle", "steps", steps)
        self.warmup = number("OneCycle", "warmup", warmup)
        if not 0 <= self.warmup <= 1:
            raise ValueError(f"OneCycle: warmup is {warmup}: a share of the steps in [0, 1] is expected")
        self.start_div, self.final_div = above_zero("OneCycle", "start_div", start_div), above_zero("OneCycle", "final_div", final_div)
        if shape not in ("cosine", "linear"):
            raise ValueError(f"OneCycle: shape is {shown(shape)}: 'cosine' or 'linear' is expected")
        self.shape = shape
        self.start()

    def rate_from(self, base: float, i: int) -> float:
        """See the class."""
        high = self.max_rate * (base / self.base if self.base else 1.0)
        low = high / self.start_div
        between = _cosine if self.shape == "cosine" else _line
        top, end = self.warmup * self.steps - 1, self.steps - 1
        i = min(i, end)
        if i <= top or end <= top:
            return between(low, high, i / top if top > 0 else 1.0)
        return between(high, low / self.final_div, (i - top) / (end - top))


class LambdaLR(Schedule):
    """base f(i) for a function of yours, which is not saved with the state.

    Args:
        optimizer: whose rate is set.
        f: takes the number of the step and returns a factor.

    Examples:
        >>> from dezero.optimizers import SGD
        >>> LambdaLR(SGD(lr=0.5), lambda i: 1 / (1 + i)).rate_at(4)
        0.1
    """

    def __init__(self, optimizer: Any, f: Callable[[int], float]) -> None:
        super().__init__(optimizer)
        if not callable(f):
            raise TypeError(f"LambdaLR: f is {shown(f)}: a function of the number of the step is expected")
        self.f = f
        self.start()

    def rate_from(self, base: float, i: int) -> float:
        """See the class."""
        return base * float(self.f(i))


def _line(start: float, end: float, share: float) -> float:
    return start + (end - start) * share


def _cosine(start: float, end: float, share: float) -> float:
    """Half a cosine from ``start`` to ``end``."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
