"""Adam and its kin: running means of the gradient and of its square, corrected for their start at zero."""

from __future__ import annotations

import math
from typing import Any

from dezero.optimizers.checks import at_least_zero, below_one
from dezero.optimizers.rule import Rule, one_kernel
from dezero.optimizers.slot import Slot


class Moments(Rule):
    """What Adam, AdamW, NAdam and RAdam share: the state m and v, and one kernel for the four.

    The kernel takes p - (a m + b g) / (sqrt(v) + e); a subclass says a, b and e for a step. A parameter that joins late,
    or was frozen for a while, has its own count of steps, so that its corrections are right.
    """

    options: tuple[str, ...] = ("rate", "beta1", "beta2", "eps", "weight_decay")

    def __init__(self, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float) -> None:
        super().__init__(lr, weight_decay)
        self.beta1 = below_one(type(self).__name__, "beta1", beta1)
        self.beta2 = below_one(type(self).__name__, "beta2", beta2)
        self.eps = at_least_zero(type(self).__name__, "eps", eps)

    @one_kernel
    def step(self, p: Any, g: Any, slot: Slot, o: Any) -> None:
        """See the class."""
        beta1, beta2 = o.beta1, o.beta2
        a, b, e = self.factors(slot.t + 1, slot, o)
        keep = 1 - o.rate * o.weight_decay if self.decoupled else 1
        slot.kernels.adam_step(p, g, slot.state("m"), slot.state("v"), beta1, beta2, keep, a, b, e)

    def factors(self, t: int, slot: Slot, o: Any) -> tuple[float, float, float | None]:
        """The factor of m, that of g, and what is added to sqrt(v) in step ``t``; None there leaves the division out.

        lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps), with numerator and denominator multiplied by sqrt(1 - beta2^t).
        """
        root = math.sqrt(1 - o.beta2 ** t)
        return o.rate * root / (1 - o.beta1 ** t), 0.0, o.eps * root


class Adam(Moments):
    """p = p - alpha mhat / (sqrt(vhat) + eps) with mhat = m / (1 - beta1^t), vhat = v / (1 - beta2^t) (Kingma and Ba, ICLR 2015, algorithm 1).

    The book's form adds eps before the correction of v; the two differ by about eps / sqrt(v).

    Args:
        alpha: the learning rate.
        beta1: the share of the running mean of g that stays.
        beta2: the share of the running mean of g^2 that stays.
        eps: keeps the division finite.
        lr: another word for ``alpha``.
        weight_decay: add this times the parameter to its gradient; see :class:`AdamW` for the other way.

    Attributes:
        alpha: the learning rate, which may be set; ``rate`` is the same.
        lr: alpha with the corrections of update ``t``, as in the book; it cannot be set.

    Examples:
        >>> import numpy as np
        >>> from dezero import Parameter
        >>> w = Parameter(np.zeros(2))
        >>> optimizer = Adam(0.1).setup([w])
        >>> w.grad = np.array([3.0, -0.5])
        >>> optimizer.update()
        >>> print(w.data.round(4), optimizer.alpha)
        [-0.1  0.1] 0.1
    """

    def __init__(self, alpha: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, *, lr: float | None = None,
                 weight_decay: float = 0.0) -> None:
        super().__init__(alpha if lr is None else lr, beta1, beta2, eps, weight_decay)

    @property
    def alpha(self) -> float:
        """The learning rate."""
        return self._rate

    @alpha.setter
    def alpha(self, value: float) -> None:
        self.rate = value

    @property
    def lr(self) -> float:
        """alpha sqrt(1 - beta2^t) / (1 - beta1^t): the rate with the corrections of update ``t``, as in the book; alpha before the first.

        Setting it is refused: ``optimizer.lr *= 0.5`` would put the corrections into alpha.
        """
        if not self.t:
            return self._rate
        return self._rate * math.sqrt(1 - self.beta2 ** self.t) / (1 - self.beta1 ** self.t)

    @lr.setter
    def lr(self, value: float) -> None:
        raise AttributeError("Adam: lr is alpha with the corrections of the present update and cannot be set: "
                             "set alpha, or rate, which every optimizer has")


class AdamW(Moments):
    """Adam with decay beside the gradient: p = (1 - lr weight_decay) p, then Adam's step (Loshchilov and Hutter, ICLR 2019).

    Args:
        lr: the learning rate.
        beta1: the share of the running mean of g that stays.
        beta2: the share of the running mean of g^2 that stays.
        eps: keeps the division finite.
        weight_decay: times lr is the share of the parameter that is taken off in each step.

    Examples:
        >>> import numpy as np
        >>> from dezero import Parameter
        >>> w = Parameter(np.ones(1))
        >>> optimizer = AdamW(lr=0.1, weight_decay=0.5).setup([w])
        >>> w.grad = np.ones(1)
        >>> optimizer.update()
        >>> print(w.data.round(4))
        [0.85]
    """

    decoupled = True

    def __init__(self, lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, weight_decay: float = 0.01) -> None:
        super().__init__(lr, beta1, beta2, eps, weight_decay)


class NAdam(Moments):
    """Adam with Nesterov's momentum (Dozat, ICLR workshop 2016), whose momentum grows to beta1.

    With mu_t = beta1 (1 - 0.5 * 0.96^(t momentum_decay)), the step is along
    mu_{t+1} m / (1 - mu_1 ... mu_{t+1}) + (1 - mu_t) g / (1 - mu_1 ... mu_t) in place of mhat.

    Args:
        lr: the learning rate.
        beta1: the share of the running mean of g that stays.
        beta2: the share of the running mean of g^2 that stays.
        eps: keeps the division finite.
        momentum_decay: how fast mu_t comes to beta1.
        weight_decay: add this times the parameter to its gradient.

    Examples:
        >>> import numpy as np
        >>> from dezero import Parameter
        >>> w = Parameter(np.zeros(2))
        >>> optimizer = NAdam(lr=0.1).setup([w])
        >>> w.grad = np.array([3.0, -0.5])
        >>> optimizer.update()
        >>> print(w.data.round(4))
        [-0.1056  0.1056]
    """

    options: tuple[str, ...] = (*Moments.options, "momentum_decay")

    def __init__(self, lr: float = 0.002, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, momentum_decay: float = 0.004, *,
                 weight_decay: float = 0.0) -> None:
        super().__init__(lr, beta1, beta2, eps, weight_decay)
        self.momentum_decay = at_least_zero("NAdam", "momentum_decay", momentum_decay)

    def factors(self, t: int, slot: Slot, o: Any) -> tuple[float, float, float | None]:
        """See the class."""
        mu, after = (o.beta1 * (1 - 0.5 * 0.96 ** (i * o.momentum_decay)) for i in (t, t + 1))
        product = slot.numbers["mu_product"] = slot.numbers.get("mu_product", 1.0) * mu
        root = math.sqrt(1 - o.beta2 ** t)
        return o.rate * root * after / (1 - product * after), o.rate * root * (1 - mu) / (1 - product), o.eps * root


class RAdam(Moments):
    """Adam that does without v until its variance is tractable, and rectifies the rate then (Liu et al., ICLR 2020, algorithm 2).

    Args:
        lr: the learning rate.
        beta1: the share of the running mean of g that stays.
        beta2: the share of the running mean of g^2 that stays.
        eps: keeps the division finite.
        weight_decay: add this times the parameter to its gradient.

    Examples:
        >>> import numpy as np
        >>> from dezero import Parameter
        >>> w = Parameter(np.zeros(2))
        >>> optimizer = RAdam(lr=0.1).setup([w])
        >>> w.grad = np.array([3.0, -0.5])
        >>> optimizer.update()
        >>> print(w.data.round(4))
        [-0.3   0.05]
    """

    def __init__(self, lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, *, weight_decay: float = 0.0) -> None:
        super().__init__(lr, beta1, beta2, eps, weight_decay)

    def factors(self, t: int, slot: Slot, o: Any) -> tuple[float, float, float | None]:
        """See the class. eps stands beside sqrt(v), not beside its corrected value."""
        power = o.beta2 ** t
        longest = 2 / (1 - o.beta2) - 1
        length = longest - 2 * t * power / (1 - power)  # of a simple moving average that is as long in effect
        a = o.rate / (1 - o.beta1 ** t)
        if length <= 5:
            return a, 0.0, None
        rectified = math.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
        return a * rectified * math.sqrt(1 - power), 0.0, o.eps
