"""A layer as text: the tree of its repr, and the table with output shapes and numbers of parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.backend import array_module
from dezero.config import changed
from dezero.core import Parameter
from dezero.layers.walk import SEQUENCE, STATE, LayerBase, kind_of, members


def tree(layer: Any) -> str:
    """``Sequential(`` its layers, one a line and indented ``)``."""
    lines = [f"  {path}: {_indented(tree(value))}" for path, value, holder in members(layer) if isinstance(value, LayerBase) and holder is layer]
    name = type(layer).__name__
    if not lines:
        return f"{name}({layer.extra_repr()})"
    return "\n".join([f"{name}({layer.extra_repr()}", *lines, ")"])


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")


def summarize(layer: Any, inputs: tuple[Any, ...]) -> str:
    """The table of :meth:`Layer.summary`."""
    shapes = _output_shapes(layer, inputs) if inputs else {}
    rows: list[tuple[str, ...]] = [("layer", "output", "parameters")]
    counted: set[int] = set()
    above: list[str] = []  # the paths of the layers around the one that is written
    for path, each in _layers(layer):
        while above and not path.startswith(f"{above[-1]}."):
            above.pop()
        own = [p for _, p, holder in members(each) if isinstance(p, Parameter) and holder is each and id(p) not in counted]
        counted.update(map(id, own))
        name = path[len(above[-1]) + 1:] if above else path  # "blocks.0" for a layer in a list
        label = f"{'  ' * (len(above) + 1)}{name}: {type(each).__name__}" if path else type(each).__name__
        if path:
            above.append(path)
        count = f"{sum(p.size for p in own if p.data is not None):,}" if own else "0"
        rows.append((label, shapes.get(id(each), "-"), count + (" + not sized yet" if any(p.data is None for p in own) else "")))
    rows.append(("total", "", f"{layer.count_params():,}"))
    if not inputs:
        rows = [(row[0], row[2]) for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join([*(cell.ljust(w) for cell, w in zip(row[:-1], widths, strict=False)), row[-1].rjust(widths[-1])]) for row in rows)


def _layers(layer: Any) -> list[tuple[str, Any]]:
    return [("", layer), *((path, value) for path, value, _ in members(layer) if isinstance(value, LayerBase))]


def _output_shapes(layer: Any, inputs: tuple[Any, ...]) -> dict[int, str]:
    """id of a layer -> its output's shape, from one run as in use that leaves no trace."""
    shapes: dict[int, str] = {}

    def note(each: Any, _: Any, outputs: Any) -> None:
        several = isinstance(outputs, (tuple, list))
        shapes[id(each)] = ", ".join(str(getattr(y, "shape", "-")) for y in (outputs if several else (outputs,)))

    before = [(each, dict(each.__dict__)) for _, each in _layers(layer)]
    for each, _ in before:
        if hasattr(each, "reset_state"):  # a kept state is for another batch
            each.reset_state()
    hooks = [each.add_forward_hook(note) for _, each in _layers(layer)]
    try:
        with changed(record=False, train=False):
            layer(*(_example(layer, x) for x in inputs))
    finally:
        for hook in hooks:
            hook.remove()
        for each, attributes in before:
            for name, value in attributes.items():
                if each.__dict__.get(name) is not value and (_is_state(value) or _is_state(each.__dict__.get(name))):
                    each.__dict__[name] = value
    return shapes


def _is_state(value: Any) -> bool:
    """A hidden state, or several in a tuple."""
    return kind_of(value) == STATE or kind_of(value) == SEQUENCE and any(kind_of(v) == STATE for v in value)


def _example(layer: Any, x: Any) -> Any:
    """``x``, or zeros if it is a shape, where the layer's parameters are."""
    if isinstance(x, tuple) and all(isinstance(n, (int, np.integer)) for n in x):
        xp = next((array_module(p) for p in layer.params() if p.data is not None), np)
        return xp.zeros(x, np.float32)
    return x
