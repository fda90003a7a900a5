"""Pass: which backward recorded a function of a derivative, kept in the place where the path of its layer stands."""

from __future__ import annotations

from typing import Any

from dezero.config import Mode, _mode, current


class Place(str):
    """The path of a layer, for what a backward recorded there; ``run`` is the pass."""

    run: Pass


class Pass:
    """One backward with ``create_graph``. Each function that it records gets the layer of the function that it differentiates."""

    __slots__ = ("order", "base", "modes")

    def __init__(self, base: Mode) -> None:
        self.order = 1                     # 1 for a first derivative; one more than the highest order that it met
        self.base = base
        self.modes: dict[str, Mode] = {}   # by path

    def at(self, layer: str) -> None:
        """Go on with the functions of a layer."""
        if type(layer) is Place and layer.run is not self and layer.run.order >= self.order:
            self.order = layer.run.order + 1
        mode = self.modes.get(layer)
        if mode is None:
            place = Place(layer)
            place.run = self
            self.modes[layer] = mode = self.base.but(layer=place)
        _mode.set(mode)

    def leave(self, before: Mode) -> None:
        """Back to the mode of the caller; what a hook has changed for good stays changed."""
        now = current()
        _mode.set(before if now is before or self.modes.get(now.layer) is now else now.but(layer=before.layer))


def current_pass() -> Pass:
    """The pass that runs already, where a formula itself runs the engine, or a new one."""
    mode = current()
    return mode.layer.run if type(mode.layer) is Place else Pass(mode)


def derivative_order(fn: Any) -> int:
    """0 for a function that ran forward, 1 for one that a backward recorded, 2 for one that a backward through such functions recorded ..."""
    layer = fn._layer
    return layer.run.order if type(layer) is Place else 0
