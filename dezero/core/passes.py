"""Pass: which backward recorded a function of a derivative, kept in the place where the path of its layer stands."""

from __future__ import annotations

from typing import Any

from dezero.config import Mode, _mode, current


class Order:
    """The order of the derivative that a pass computes. All functions that it recorded share one, as it is not known before the pass ends."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 1


class Place(str):
    """The path of a layer, for what a backward recorded there."""

    __slots__ = ("order",)

    order: Order


class Pass:
    """One backward with ``create_graph``. Each function that it records gets the layer of the function that it differentiates."""

    __slots__ = ("order", "base", "last", "path", "modes")

    def __init__(self) -> None:
        self.base = self.last = base = current()
        # a formula that runs the engine itself is a part of the pass that runs already
        self.order = base.layer.order if type(base.layer) is Place else Order()
        self.path: str | None = None               # of the layer whose functions are being differentiated
        self.modes: dict[str, Mode] | None = None  # by path; most programs have one path only

    def at(self, layer: str) -> None:
        """Go on with the functions of a layer. The order is one more than the highest that is met on the way."""
        if type(layer) is Place and layer.order is not self.order and layer.order.number >= self.order.number:
            self.order.number = layer.order.number + 1
        if layer == self.path:
            return
        now = current()
        if now is not self.last:  # a hook has changed a mode for good: it stays changed, here and for the caller
            self.base = now.but(layer=self.base.layer)
            self.modes = None
        elif self.modes is None and self.path is not None:
            self.modes = {self.path: now}
        self.path = layer
        mode = None if self.modes is None else self.modes.get(layer)
        if mode is None:
            place, base = Place(layer), self.base
            place.order = self.order
            mode = Mode(base.record, base.train, place, base.watch, base.again)
            if self.modes is not None:
                self.modes[layer] = mode
        self.last = mode
        _mode.set(mode)

    def leave(self) -> None:
        """Back to the mode of the caller."""
        now = current()
        _mode.set(self.base if now is self.last else now.but(layer=self.base.layer))


def derivative_order(fn: Any) -> int:
    """0 for a function that ran forward, 1 for one that a backward recorded, 2 for one that a backward through such functions recorded ..."""
    layer = fn._layer
    return layer.order.number if type(layer) is Place else 0
