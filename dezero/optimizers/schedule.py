"""Schedule: sets an optimizer's learning rate step by step; and WarmUp, which puts a ramp before another schedule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dezero.core.checks import number, shown
from dezero.errors import InputTypeError, StateError
from dezero.optimizers.checks import at_least_one
from dezero.optimizers.optimizer import Optimizer


class Schedule:
    """Base of all schedules. Call :meth:`step` after every epoch, or after every update where the schedule counts these.

    The schedule sets ``optimizer.rate``, and the rates of those groups that have their own, each from the rate that it had when the
    schedule was made. The rate of step 0 is set at once. A subclass writes :meth:`rate_from`.

    Attributes:
        optimizer: whose rate is set.
        count: how many steps were made.
        base: the rate that the optimizer had when the schedule was made.

    Examples:
        >>> from dezero.optimizers import SGD
        >>> class Halves(Schedule):
        ...     def rate_from(self, base, i):
        ...         return base / 2 ** i
        >>> optimizer = SGD(lr=0.8)
        >>> schedule = Halves(optimizer)
        >>> schedule.step()
        >>> optimizer.lr, schedule.rate_at(3)
        (0.4, 0.1)
    """

    def __init__(self, optimizer: Any) -> None:
        if not isinstance(optimizer, Optimizer):
            raise InputTypeError(f"{type(self).__name__}: optimizer is {shown(optimizer)}: an Optimizer is expected")
        self.optimizer = optimizer
        self.count = 0
        self.base = optimizer.rate
        self._group_bases: dict[int, float] = {}  # by the group's place
        self._read_groups()

    def _read_groups(self) -> None:
        for k, group in enumerate(self.optimizer.groups):
            if "rate" in group.options:
                self._group_bases.setdefault(k, group.options["rate"])

    def rate_from(self, base: float, i: int) -> float:
        """The rate of step ``i`` where it started from ``base``. Subclasses write this."""
        raise NotImplementedError(f"{type(self).__name__}.rate_from")

    def first(self, base: float) -> float:
        """The rate of step 0: where a ramp before this schedule leads to."""
        return self.rate_from(base, 0)

    def rate_at(self, i: int) -> float:
        """The optimizer's rate in step ``i``, without setting it: to draw the schedule."""
        return self.rate_from(self.base, i)

    @property
    def rate(self) -> float:
        """The optimizer's rate as it is now."""
        return self.optimizer.rate

    def start(self) -> None:
        """Set the rates of the present step."""
        self._read_groups()
        self._set(lambda base: self.rate_from(base, self.count))

    def _set(self, rate_of: Callable[[float], float]) -> None:
        self.optimizer.rate = rate_of(self.base)
        for k, base in self._group_bases.items():
            if k < len(self.optimizer.groups):  # setup() with another target forgets the groups
                self.optimizer.groups[k].options["rate"] = rate_of(base)

    def step(self, metric: Any = None) -> None:
        """Go on by one step and set the rates.

        Args:
            metric: only used by :class:`ReduceLROnPlateau`.
        """
        self.count += 1
        self.start()

    def state_dict(self) -> dict[str, Any]:
        """The counts and the rates that it started from, as numbers that JSON can hold."""
        return {"schedule": type(self).__name__, "count": self.count, "base": self.base,
                "group_bases": {str(k): base for k, base in self._group_bases.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave, and set the rates of that step.

        Raises:
            StateError: it is of another schedule, or not of one at all.
        """
        self._load(state)
        self.start()

    def _load(self, state: Mapping[str, Any]) -> None:
        mine = type(self).__name__
        try:
            theirs, count, base = state["schedule"], int(state["count"]), float(state["base"])
            group_bases = {int(k): float(b) for k, b in state["group_bases"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StateError(f"{mine}.load_state_dict: it is not what state_dict() of a schedule gives ({type(error).__name__}: {error})") from None
        if theirs != mine:
            raise StateError(f"{mine}.load_state_dict: the saved state is of {theirs}: make the schedule that it was saved from")
        if any(k >= len(self.optimizer.groups) for k in group_bases):
            raise StateError(f"{mine}.load_state_dict: the saved state is of an optimizer with more groups: add the same groups before loading")
        self.count, self.base, self._group_bases = count, base, group_bases


class WarmUp(Schedule):
    """The rate rises along a line for some steps (Goyal et al., arXiv:1706.02677, 2017); then it stays, or another schedule begins.

    Args:
        then: the schedule that begins after the ramp, or the optimizer where the rate is to stay.
        steps: the length of the ramp; step ``steps`` is the first with the full rate.
        start: the share of the rate in step 0.

    Examples:
        >>> from dezero.optimizers import SGD, CosineLR
        >>> schedule = WarmUp(CosineLR(SGD(lr=1.0), steps=10), steps=4, start=0.2)
        >>> [round(schedule.rate_at(i), 3) for i in (0, 1, 2, 3, 4, 9, 14)]
        [0.2, 0.4, 0.6, 0.8, 1.0, 0.5, 0.0]
    """

    def __init__(self, then: Any, steps: int, start: float = 1 / 3) -> None:
        self.then: Schedule | None = then if isinstance(then, Schedule) else None
        super().__init__(then.optimizer if isinstance(then, Schedule) else then)
        self.steps, self.share = at_least_one("WarmUp", "steps", steps), number("WarmUp", "start", start)
        if self.then is not None:  # what that one started from, not what it has set since
            self.base, self._group_bases = self.then.base, dict(self.then._group_bases)
        self.start()

    def rate_from(self, base: float, i: int) -> float:
        """The ramp, then the other schedule."""
        if i >= self.steps:
            return base if self.then is None else self.then.rate_from(base, i - self.steps)
        top = base if self.then is None else self.then.first(base)
        return top * (self.share + (1 - self.share) * i / self.steps)

    def step(self, metric: Any = None) -> None:
        """Go on by one step; after the ramp this is the other schedule's."""
        self.count += 1
        if self.then is None or self.count < self.steps:
            self.start()
        elif self.count == self.steps:
            self.then._group_bases = dict(self._group_bases)
            self._set(self.then.first)
            self.then.start()
        else:
            self.then.step(metric)

    def state_dict(self) -> dict[str, Any]:
        """Its own state, and that of the schedule that comes after."""
        return {**super().state_dict(), "then": None if self.then is None else self.then.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave.

        Raises:
            StateError: it is of another schedule.
        """
        self._load(state)
        if self.then is not None:
            if state.get("then") is None:
                raise StateError("WarmUp.load_state_dict: the saved state has no schedule after the ramp, this one has")
            self.then.load_state_dict(state["then"])
        if self.then is None or self.count < self.steps:
            self.start()
