"""What belongs to a layer: its parameters, buffers and sublayers, found in attributes, lists, tuples and dicts, in order of declaration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dezero.core import Parameter, Variable
from dezero.layers.buffer import Buffer

PARAMETER, BUFFER, LAYER, SEQUENCE, MAPPING, STATE, OTHER = range(7)
_kinds: dict[type, int] = {}  # filled as types are met: asking a dict is several times faster than isinstance


class LayerBase:
    """What the search takes for a layer."""

    # What the machinery keeps is in slots, so that __dict__ holds a layer's own attributes and nothing else.
    __slots__ = ("__dict__", "__weakref__", "_hooks", "_name", "_pre_hooks", "_scope", "inputs", "outputs", "training")

    _hooks: dict[int, Any]
    _name: str
    _pre_hooks: dict[int, Any]
    _scope: tuple[Any, Any]  # the mode outside at the last call, and the one made of it for the inside
    inputs: list[Any]
    outputs: list[Any]
    training: bool


def kind_of(value: Any) -> int:
    """PARAMETER, BUFFER, LAYER, SEQUENCE, MAPPING, STATE (a plain Variable, such as a hidden state) or OTHER."""
    cls = type(value)
    kind = _kinds.get(cls)
    if kind is None:
        table = ((Parameter, PARAMETER), (Buffer, BUFFER), (LayerBase, LAYER), ((list, tuple), SEQUENCE), (dict, MAPPING), (Variable, STATE))
        kind = _kinds[cls] = next((k for base, k in table if issubclass(cls, base)), OTHER)
    return kind


def collect(layer: LayerBase, wanted: int) -> list[Any]:
    """All members of one kind, below ``layer`` as well, each once."""
    found: list[Any] = []
    _collect(layer.__dict__.values(), wanted, found, {id(layer)})
    return found


def _collect(values: Any, wanted: int, found: list[Any], seen: set[int]) -> None:
    for value in values:
        kind = _kinds.get(type(value))
        if kind is None:
            kind = kind_of(value)
        if kind == OTHER or id(value) in seen:
            continue
        if kind == wanted:
            seen.add(id(value))
            found.append(value)
        if kind == LAYER:
            seen.add(id(value))
            _collect(value.__dict__.values(), wanted, found, seen)
        elif kind in (SEQUENCE, MAPPING) and value:
            seen.add(id(value))
            _collect(value if kind == SEQUENCE else value.values(), wanted, found, seen)


def members(layer: LayerBase) -> Iterator[tuple[str, Any, LayerBase]]:
    """(path, member, the layer that holds it) for everything in ``layer``, each once: "blocks.0.W"; a layer comes before what it holds."""
    yield from _below(layer, "", {id(layer)})


def _below(layer: LayerBase, prefix: str, seen: set[int]) -> Iterator[tuple[str, Any, LayerBase]]:
    for name, value in list(layer.__dict__.items()):
        yield from _named(f"{prefix}{name}", value, layer, seen)


def _named(path: str, value: Any, holder: LayerBase, seen: set[int]) -> Iterator[tuple[str, Any, LayerBase]]:
    kind = kind_of(value)
    if kind == OTHER or id(value) in seen:
        return
    seen.add(id(value))
    if kind in (SEQUENCE, MAPPING):
        for key, item in list(enumerate(value) if kind == SEQUENCE else value.items()):
            yield from _named(f"{path}.{key}", item, holder, seen)
        return
    yield path, value, holder
    if kind == LAYER:
        yield from _below(value, f"{path}.", seen)
