"""Lion: every element steps by the same size, in the direction of a running mean."""

from __future__ import annotations

from typing import Any

from dezero.optimizers.checks import below_one
from dezero.optimizers.rule import Rule, one_kernel
from dezero.optimizers.slot import Slot


class Lion(Rule):
    """p = (1 - lr weight_decay) p - lr sign(beta1 m + (1 - beta1) g); m = beta2 m + (1 - beta2) g (Chen et al., arXiv:2302.06675, 2023).

    Args:
        lr: the learning rate; 3 to 10 times smaller than Adam's.
        beta1: the share of m in the direction.
        beta2: the share of m that stays.
        weight_decay: times lr is the share of the parameter that is taken off in each step.

    Examples:
        >>> import numpy as np
        >>> from dezero import Parameter
        >>> w = Parameter(np.zeros(3))
        >>> optimizer = Lion(lr=0.1).setup([w])
        >>> w.grad = np.array([3.0, -0.5, 0.0])
        >>> optimizer.update()
        >>> print(w)
        variable([-0.1  0.1  0. ])
    """

    options = ("rate", "beta1", "beta2", "weight_decay")
    decoupled = True

    def __init__(self, lr: float = 1e-4, beta1: float = 0.9, beta2: float = 0.99, weight_decay: float = 0.0) -> None:
        super().__init__(lr, weight_decay)
        self.beta1 = below_one("Lion", "beta1", beta1)
        self.beta2 = below_one("Lion", "beta2", beta2)

    @one_kernel
    def step(self, p: Any, g: Any, slot: Slot, o: Any) -> None:
        """See the class."""
        slot.kernels.lion_step(p, g, slot.state("m"), o.rate, o.beta1, o.beta2, 1 - o.rate * o.weight_decay)
