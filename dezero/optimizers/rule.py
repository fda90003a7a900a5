"""Rule: an optimizer whose step on one parameter is a kernel; decay of the weights and half precision are common to all."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.backend import arrays, device
from dezero.optimizers.checks import at_least_zero
from dezero.optimizers.optimizer import Optimizer
from dezero.optimizers.slot import Slot
from dezero.optimizers.together import Together


def one_kernel(step: Any) -> Any:
    """Mark a ``step`` that is one call of a kernel with the parameter, its gradient, arrays of state and numbers that are the same for all
    parameters of like options and counts: on a device it is made on all of them in one launch."""
    step.one_kernel = True
    return step


class Rule(Optimizer):
    """An optimizer whose subclasses write :meth:`step` in terms of arrays.

    Args:
        lr: the rate.
        weight_decay: add this times the parameter to its gradient; rules with ``decoupled`` shrink the parameter instead.

    Examples:
        >>> from dezero import Parameter
        >>> class Averaged(Rule):
        ...     def step(self, p, g, slot, o):
        ...         m = slot.state("m")
        ...         m += (g - m) / (slot.t + 1)
        ...         p -= o.rate * m
        >>> w = Parameter(np.zeros(1))
        >>> optimizer = Averaged(lr=0.1).setup([w])
        >>> for g in (1.0, 3.0):
        ...     w.grad = np.array([g])
        ...     optimizer.update()
        >>> print(w.data.round(4))
        [-0.3]
    """

    options: tuple[str, ...] = ("rate", "weight_decay")
    decoupled = False

    def __init__(self, lr: float, weight_decay: float = 0.0) -> None:
        super().__init__(lr)
        self.weight_decay = at_least_zero(type(self).__name__, "weight_decay", weight_decay)
        self._together = Together()

    def step(self, p: Any, g: Any, slot: Slot, o: Any) -> None:
        """Change ``p`` and the state in place.

        Args:
            p: the parameter's array.
            g: its gradient, which must not be changed.
            slot: has the state and the kernels; ``slot.t`` steps were made before this one.
            o: the options of this parameter, as attributes.
        """
        raise NotImplementedError

    def _update(self, slots: list[Slot]) -> None:
        if arrays.foreign and getattr(type(self).step, "one_kernel", False) and type(self).update_one is Rule.update_one:
            slots = self._together.update(self, slots)
        super()._update(slots)

    def update_one(self, param: Any) -> None:
        """One step of the rule, in place. For half precision it is made in float32, where the state and the weights before rounding live."""
        slot = self._by_id.get(id(param))
        if slot is None or slot.param is not param or param._data is not slot.data:
            slot = self.slot(param)
        o = slot.options
        p, g = slot.data, param._grad.data
        if device.several:
            device.enter(p)
        if slot.half:
            p, g = slot.master(), g.astype(np.float32)
        if o.weight_decay and not self.decoupled:
            decay = p * o.weight_decay
            decay += g
            g = decay
        self.step(p, g, slot, o)
        if slot.half:
            slot.data[...] = p
