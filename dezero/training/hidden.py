"""The hidden states that recurrent layers keep from call to call: read, written back, and kept out of an evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dezero.backend import array_module, as_numpy
from dezero.core import Variable
from dezero.errors import StateError
from dezero.layers.walk import SEQUENCE, STATE, kind_of


def hidden_states(model: Any) -> dict[str, Any]:
    """Path -> array, or list of arrays, of the Variables that layers keep.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> rnn = L.RNN(3)
        >>> y = rnn(np.zeros((2, 4), np.float32))
        >>> {path: array.shape for path, array in hidden_states(rnn).items()}
        {'.h': (2, 3)}
    """
    return {f"{path}.{name}": _arrays(value) for path, layer, name, value in _found(model)}


def write_hidden_states(model: Any, state: Mapping[str, Any]) -> None:
    """Put hidden states back, cut off from whatever computed them; those that are not in ``state`` are dropped.

    Raises:
        StateError: the model has no such layer.
    """
    _reset(model)
    if not state:
        return
    layers = dict(model.named_layers())
    xp = array_module(next((p for p in model.params() if p.data is not None), None))
    for place, value in state.items():
        path, _, name = place.rpartition(".")
        if path not in layers:
            raise StateError(f"the state has {place!r}, a hidden state of a layer that the model does not have: resume with the model that was saved")
        setattr(layers[path], name, [_variable(xp, v) for v in value] if isinstance(value, list) else _variable(xp, value))


@contextmanager
def without_hidden_states(model: Any) -> Iterator[None]:
    """Run a block with layers that remember nothing; afterwards they remember what they did before."""
    before = list(_found(model))
    _reset(model)
    try:
        yield
    finally:
        _reset(model)
        for _, layer, name, value in before:
            setattr(layer, name, value)


def _recurrent(model: Any) -> list[tuple[str, Any]]:
    """The layers that can forget something, with their paths."""
    return [(path, layer) for path, layer in model.named_layers() if hasattr(layer, "reset_state")] if hasattr(model, "named_layers") else []


def _reset(model: Any) -> None:
    for _, layer in _recurrent(model):
        layer.reset_state()


def _found(model: Any) -> Iterator[tuple[str, Any, str, Any]]:
    """(path of the layer, layer, attribute, value) of each attribute of a recurrent layer that holds plain Variables."""
    for path, layer in _recurrent(model):
        for name, value in list(vars(layer).items()):
            kind = kind_of(value)
            if kind == STATE and value.data is not None or kind == SEQUENCE and value and all(kind_of(v) == STATE for v in value):
                yield path, layer, name, value


def _arrays(value: Any) -> Any:
    return [v.data for v in value] if isinstance(value, (list, tuple)) else value.data


def _variable(xp: Any, array: Any) -> Variable:
    return Variable(xp.array(array if array_module(array) is xp else as_numpy(array)))
