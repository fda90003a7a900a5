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

    order: Order


class Pass:
    """One backward with ``create_graph``. Each function that it records gets the layer of the function that it differentiates."""

    __slots__ = ("order", "base", "modes", "last")

    def __init__(self, base: Mode) -> None:
        # a formula that runs the engine itself is a part of the pass that runs already
        self.order = base.layer.order if type(base.layer) is Place else Order()
        self.base = self.last = base
        self.modes: dict[str, Mode] = {}   # by path

    def at(self, layer: str) -> None:
        """Go on with the functions of a layer. The order is one more than the highest that is met on the way."""
        order = self.order
        if type(layer) is Place and layer.order is not order and layer.order.number >= order.number:
            order.number = layer.order.number + 1
        self.look()
        mode = self.modes.get(layer)
        if mode is None:
            place = Place(layer)
            place.order = order
            self.modes[layer] = mode = self.base.but(layer=place)
        self.last = mode
        _mode.set(mode)

    def look(self) -> None:
        """What a hook has changed for good stays changed, here and for the caller."""
        now = current()
        if now is not self.last:
            self.base = self.last = now.but(layer=self.base.layer)
            self.modes.clear()

    def leave(self) -> None:
        """Back to the mode of the caller."""
        self.look()
        _mode.set(self.base)


def derivative_order(fn: Any) -> int:
    """0 for a function that ran forward, 1 for one that a backward recorded, 2 for one that a backward through such functions recorded ..."""
    layer = fn._layer
    return layer.order.number if type(layer) is Place else 0
