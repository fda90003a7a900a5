"""LossScaler: training in half precision without losing small gradients, and without stepping along those that overflow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from dezero.backend import array_module
from dezero.backend.arrays import fetch
from dezero.core.checks import shown
from dezero.errors import AnomalyError, StateError
from dezero.optimizers.checks import above_zero, at_least_one
from dezero.optimizers.target import parameters
from dezero.optimizers.together import by_place

HALF_MOST = 2.0 ** 15   # the largest power of two that float16 has
LEAST = 2.0 ** -24      # a scale below is no cure: the gradients have a fault of their own


class LossScaler:
    """Multiplies the loss by a large number, so that gradients which float16 cannot hold do not vanish, and divides them by it before the step.

    Where a gradient overflows, the step is left out and the scale is halved; after ``interval`` steps without that it is doubled
    (Micikevicius et al., "Mixed Precision Training", ICLR 2018, section 3.2). Gradients of half precision are float32 once they are divided.
    Hooks such as ClipGrad see them after that. On a device the division and the check are one launch, and the host waits once, for the verdict.

    Args:
        scale: what to begin with.
        interval: after how many good steps in a row the scale grows.
        growth, backoff: the factors by which it grows and shrinks.

    Attributes:
        factor: the scale at present. A loss of float16 lowers it to 2^15, since its gradient could not begin with more.
        good: how many steps there were since it last changed.
        skipped: how many steps were left out.

    Examples:
        >>> import numpy as np
        >>> from dezero import Parameter, functions as F
        >>> from dezero.optimizers import SGD
        >>> w, small = Parameter(np.ones(1, np.float16)), np.full(1, 1e-4, np.float16)
        >>> optimizer, scaler = SGD(lr=1e6).setup([w]), LossScaler()
        >>> scaler.scale(F.sum(w * small * small)).backward()  # its gradient, 1e-8, is 0 in float16
        >>> scaler.step(optimizer)
        True
        >>> print(w)
        variable([0.99])

        With a Trainer, the scaler is the optimizer's first hook, and makes the loss:

        >>> optimizer.add_hook(scaler)
        >>> loss = scaler.loss(F.softmax_cross_entropy)  # Trainer(model, optimizer, loss)
    """

    def __init__(self, scale: float = 2.0 ** 16, interval: int = 2000, growth: float = 2.0, backoff: float = 0.5) -> None:
        self.factor = above_zero("LossScaler", "scale", scale)
        self.interval = at_least_one("LossScaler", "interval", interval)
        self.growth, self.backoff = above_zero("LossScaler", "growth", growth), above_zero("LossScaler", "backoff", backoff)
        if self.growth < 1 or self.backoff >= 1:
            raise ValueError(f"LossScaler: growth is {growth} and backoff {backoff}: at least 1, and less than 1, are expected")
        self.good = self.skipped = 0
        self._finite: bool | None = None   # of gradients that were unscaled before the step

    # -- the loss ----------------------------------------------------------------------------------

    def scale(self, loss: Any) -> Any:
        """The loss times the scale, in float32 at least: call ``backward()`` on it."""
        if loss.dtype.itemsize < 4:
            self._fit(loss)
            loss = loss.astype(np.float32)
        return loss * self.factor

    def loss(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function like a loss function whose result has the true value and sends scaled gradients, if ``backward()`` is called on it itself.

        Examples:
            >>> from dezero import functions as F
            >>> from dezero import Variable
            >>> y = Variable(np.array([3.0]))
            >>> loss = LossScaler(1024).loss(F.mean_squared_error)(y, np.array([1.0]))
            >>> loss.backward()
            >>> print(loss, y.grad)
            variable(4.0) variable([4096.])
        """
        def scaled(*args: Any, **kwargs: Any) -> Any:
            loss = function(*args, **kwargs)
            if loss.requires_grad:
                self._fit(loss)
                data = loss.data
                loss.grad = array_module(data).full(data.shape, self.factor, data.dtype)  # where backward() begins
            return loss
        return scaled

    def _fit(self, loss: Any) -> None:
        if loss.dtype == np.float16:
            self.factor = min(self.factor, HALF_MOST)

    # -- the step ----------------------------------------------------------------------------------

    def unscale(self, *optimizers: Any) -> bool:
        """Divide the gradients by the scale before :meth:`step` does, to look at them; gives whether all are finite."""
        if self._finite is None:
            self._finite = self._unscale(p for optimizer in optimizers for p in targets(optimizer))
        return self._finite

    def step(self, *optimizers: Any) -> bool:
        """Divide the gradients by the scale and update, if all of them are finite; then adapt the scale.

        Args:
            *optimizers: those of the parameters that the loss depends on; all of them make the step, or none.

        Returns:
            Was the step made?

        Raises:
            AnomalyError: the gradients are still not finite at a scale of almost nothing.
        """
        finite = self.unscale(*optimizers)
        self._finite = None
        for optimizer in optimizers:
            if finite:
                optimizer.update()
            else:
                optimizer.skipped += 1
        self._adapt(finite)
        return finite

    def __call__(self, params: Iterable[Any]) -> bool:
        """As a hook of an optimizer, its first: divide the gradients, and leave out the update where one is not finite."""
        finite = self._unscale(params)
        self._adapt(finite)
        return finite

    def _unscale(self, params: Iterable[Any]) -> bool:
        found: dict[int, tuple[Any, list[Any]]] = {}
        for p in {id(p): p for p in params}.values():
            if p.grad is not None:
                g = p.grad.data
                found.setdefault(id(g), (g, []))[1].append(p)  # one array may be the gradient of several
        finite = True
        for kernels, group in by_place(found.values(), lambda item: item[0]):
            arrays, good = kernels.unscale_together([g for g, _ in group], 1 / self.factor)
            for (g, owners), a in zip(group, arrays, strict=True):
                if a is not g:
                    for p in owners:
                        p.grad = a
            finite = bool(fetch("LossScaler", good)) and finite
        return finite

    def _adapt(self, finite: bool) -> None:
        if finite:
            self.good += 1
            if self.good == self.interval:
                self.factor, self.good = self.factor * self.growth, 0
            return
        self.skipped += 1
        self.factor, self.good = self.factor * self.backoff, 0
        if self.factor < LEAST:
            raise AnomalyError(f"LossScaler: the gradients are not finite though the loss was scaled by {self.factor / self.backoff:.3g} only: "
                               "they do not overflow, there is a fault elsewhere; detect_anomaly() finds the function where it began")

    # -- state -------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """What is needed to go on later: numbers that can be written as JSON."""
        return {"factor": self.factor, "good": self.good, "skipped": self.skipped}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave.

        Raises:
            StateError: it is something else; nothing was loaded then.
        """
        try:
            factor, good, skipped = float(state["factor"]), int(state["good"]), int(state["skipped"])
        except (KeyError, TypeError, ValueError) as error:
            raise StateError(f"LossScaler.load_state_dict: {shown(state)} is not what state_dict() of a LossScaler gives") from error
        self.factor, self.good, self.skipped, self._finite = factor, good, skipped, None

    def __repr__(self) -> str:
        return f"LossScaler({self.factor:g}, interval={self.interval})"


def targets(optimizer: Any) -> list[Any]:
    """The parameters of an optimizer.

    Raises:
        RuntimeError: it has no target yet.
    """
    if optimizer.target is None:
        raise RuntimeError(f"LossScaler: {type(optimizer).__name__} has nothing to update: call setup(model) first")
    return parameters(optimizer.target)
