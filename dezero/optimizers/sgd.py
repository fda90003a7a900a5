"""Gradient descent, plain and with momentum."""

from __future__ import annotations

from typing import Any

from dezero.optimizers.checks import at_least_zero
from dezero.optimizers.rule import Rule, one_kernel
from dezero.optimizers.slot import Slot


class SGD(Rule):
    """Stochastic gradient descent: p = p - lr g.

    Args:
        lr: the learning rate.
        weight_decay: add this times the parameter to its gradient.

    Examples:
        >>> import numpy as np
        >>> from dezero import Parameter
        >>> w = Parameter(np.array([1.0, 2.0]))
        >>> optimizer = SGD(lr=0.1).setup([w])
        >>> w.grad = np.array([1.0, -1.0])
        >>> optimizer.update()
        >>> print(w)
        variable([0.9 2.1])
    """

    def __init__(self, lr: float = 0.01, *, weight_decay: float = 0.0) -> None:
        super().__init__(lr, weight_decay)

    @one_kernel
    def step(self, p: Any, g: Any, slot: Slot, o: Any) -> None:
        """p -= lr g."""
        slot.kernels.sgd_step(p, g, o.rate)


class MomentumSGD(Rule):
    """Gradient descent with momentum: v = momentum v + g; p = p - lr v (Polyak 1964; Nesterov's form as in Sutskever et al. 2013).

    With a constant rate this is the book's rule; where a schedule changes the rate, the new one holds for the whole velocity at once.

    Args:
        lr: the learning rate.
        momentum: the share of the velocity that stays.
        nesterov: step along g + momentum v.
        weight_decay: add this times the parameter to its gradient.

    Examples:
        >>> import numpy as np
        >>> from dezero import Parameter
        >>> w = Parameter(np.zeros(1))
        >>> optimizer = MomentumSGD(lr=0.1, momentum=0.9).setup([w])
        >>> for _ in range(2):
        ...     w.grad = np.ones(1)
        ...     optimizer.update()
        >>> print(w)
        variable([-0.29])
    """

    options = ("rate", "momentum", "nesterov", "weight_decay")

    def __init__(self, lr: float = 0.01, momentum: float = 0.9, nesterov: bool = False, *, weight_decay: float = 0.0) -> None:
        super().__init__(lr, weight_decay)
        self.momentum = at_least_zero(type(self).__name__, "momentum", momentum)
        self.nesterov = bool(nesterov)

    @one_kernel
    def step(self, p: Any, g: Any, slot: Slot, o: Any) -> None:
        """v = momentum v + g; p -= lr v."""
        slot.kernels.momentum_step(p, g, slot.state("v"), o.rate, o.momentum, bool(o.nesterov))
