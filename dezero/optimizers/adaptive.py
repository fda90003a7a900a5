"""Rules that scale each element's step by the size of its past gradients: AdaGrad, AdaDelta, RMSprop."""

from __future__ import annotations

from typing import Any

from dezero.optimizers.checks import at_least_zero, below_one
from dezero.optimizers.rule import Rule, one_kernel
from dezero.optimizers.slot import Slot


class AdaGrad(Rule):
    """h = h + g^2; p = p - lr g / (sqrt(h) + eps) (Duchi, Hazan and Singer, JMLR 2011).

    Args:
        lr: the learning rate.
        eps: keeps the division finite.
        weight_decay: add this times the parameter to its gradient.

    Examples:
        >>> import numpy as np
        >>> from dezero import Parameter
        >>> w = Parameter(np.zeros(2))
        >>> optimizer = AdaGrad(lr=0.5).setup([w])
        >>> w.grad = np.array([3.0, -0.1])
        >>> optimizer.update()
        >>> print(w.data.round(4))
        [-0.5  0.5]
    """

    options = ("rate", "eps", "weight_decay")

    def __init__(self, lr: float = 0.001, eps: float = 1e-8, *, weight_decay: float = 0.0) -> None:
        super().__init__(lr, weight_decay)
        self.eps = at_least_zero("AdaGrad", "eps", eps)

    @one_kernel
    def step(self, p: Any, g: Any, slot: Slot, o: Any) -> None:
        """See the class."""
        slot.kernels.adagrad_step(p, g, slot.state("h"), o.rate, o.eps)


class AdaDelta(Rule):
    """Steps as large as the steps before them (Zeiler, "ADADELTA", 2012).

    v = rho v + (1 - rho) g^2; d = g sqrt((u + eps) / (v + eps)); u = rho u + (1 - rho) d^2; p = p - lr d.

    Args:
        rho: the share of the running means that stays.
        eps: sets the size of the first steps.
        lr: a factor on each step.
        weight_decay: add this times the parameter to its gradient.

    Examples:
        >>> import numpy as np
        >>> from dezero import Parameter
        >>> w = Parameter(np.zeros(1))
        >>> optimizer = AdaDelta().setup([w])
        >>> w.grad = np.ones(1)
        >>> optimizer.update()
        >>> print(w.data.round(5))
        [-0.00447]
    """

    options = ("rate", "rho", "eps", "weight_decay")

    def __init__(self, rho: float = 0.95, eps: float = 1e-6, lr: float = 1.0, *, weight_decay: float = 0.0) -> None:
        super().__init__(lr, weight_decay)
        self.rho = below_one("AdaDelta", "rho", rho)
        self.eps = at_least_zero("AdaDelta", "eps", eps)

    @one_kernel
    def step(self, p: Any, g: Any, slot: Slot, o: Any) -> None:
        """See the class."""
        slot.kernels.adadelta_step(p, g, slot.state("v"), slot.state("u"), o.rate, o.rho, o.eps)


class RMSprop(Rule):
    """v = rho v + (1 - rho) g^2; p = p - lr g / (sqrt(v) + eps) (Tieleman and Hinton, Coursera lecture 6.5, 2012).

    Args:
        lr: the learning rate.
        rho: the share of the running means that stays.
        eps: keeps the division finite.
        momentum: above 0: steps go into a velocity, b = momentum b + g / (sqrt(v) + eps); p = p - lr b.
        centered: take the square of the running mean of g from v under the root (Graves, arXiv:1308.0850, 2013).
        weight_decay: add this times the parameter to its gradient.

    Examples:
        >>> import numpy as np
        >>> from dezero import Parameter
        >>> w = Parameter(np.zeros(2))
        >>> optimizer = RMSprop(lr=0.01).setup([w])
        >>> w.grad = np.array([3.0, -0.5])
        >>> optimizer.update()
        >>> print(w.data.round(4))
        [-0.1  0.1]
    """

    options = ("rate", "rho", "eps", "momentum", "centered", "weight_decay")

    def __init__(self, lr: float = 0.01, rho: float = 0.99, eps: float = 1e-8, momentum: float = 0.0, centered: bool = False, *,
                 weight_decay: float = 0.0) -> None:
        super().__init__(lr, weight_decay)
        self.rho = below_one("RMSprop", "rho", rho)
        self.eps = at_least_zero("RMSprop", "eps", eps)
        self.momentum = at_least_zero("RMSprop", "momentum", momentum)
        self.centered = bool(centered)

    @one_kernel
    def step(self, p: Any, g: Any, slot: Slot, o: Any) -> None:
        """See the class."""
        mean = slot.state("mean") if o.centered else None
        b = slot.state("b") if o.momentum else None
        slot.kernels.rmsprop_step(p, g, slot.state("v"), mean, b, o.rate, o.rho, o.eps, o.momentum)
