"""The whole state of a training run, as a tree of numbers and arrays: read, checked, written back, kept in a file."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from dezero.backend import is_array
from dezero.errors import StateError
from dezero.optimizers.target import parameters
from dezero.serialization import Checkpoint, random_state, restore_random_state

ARRAY = "$array"  # in the tree that becomes JSON: here belongs the array of this name


def pack(value: Any, path: str, arrays: dict[str, Any]) -> Any:
    """The tree with a reference in the place of each array, which goes into ``arrays``.

    Examples:
        >>> import numpy as np
        >>> arrays = {}
        >>> pack({"t": 3, "m": {"W": np.ones(2)}}, "", arrays), arrays
        ({'t': 3, 'm': {'W': {'$array': 'm/W'}}}, {'m/W': array([1., 1.])})
    """
    if isinstance(value, Mapping):
        return {name: pack(v, f"{path}/{name}" if path else name, arrays) for name, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [pack(v, f"{path}/{i}" if path else str(i), arrays) for i, v in enumerate(value)]
    if is_array(value) and getattr(value, "shape", None) is not None and not hasattr(value, "is_integer"):
        arrays[path] = value
        return {ARRAY: path}
    return value


def unpack(value: Any, arrays: Mapping[str, Any]) -> Any:
    """Undo :func:`pack`."""
    if isinstance(value, Mapping):
        return arrays[value[ARRAY]] if ARRAY in value else {name: unpack(v, arrays) for name, v in value.items()}
    return [unpack(v, arrays) for v in value] if isinstance(value, list) else value


def to_parts(state: Mapping[str, Any]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """The arrays of each part, and the rest, as :func:`dezero.serialization.save_checkpoint` takes them."""
    parts: dict[str, dict[str, Any]] = {}
    rest: dict[str, Any] = {}
    for name, value in state.items():
        arrays: dict[str, Any] = {}
        rest[name] = pack(value, "", arrays)
        if arrays:
            parts[name] = arrays
    return parts, rest


def from_checkpoint(checkpoint: Checkpoint) -> dict[str, Any]:
    """Undo :func:`to_parts`.

    Raises:
        StateError: the file is no state of a Trainer.
    """
    try:
        return {name: unpack(value, checkpoint.parts.get(name, {})) for name, value in checkpoint.state.items()}
    except KeyError as error:
        raise StateError(f"{checkpoint.path}: the array {error} is not in the file: it is no state that Trainer.save wrote") from None


def read_random() -> dict[str, Any]:
    """The global generators of NumPy and of Python."""
    version, words, gauss = random.getstate()
    return {"numpy": random_state(), "python": [version, list(words), gauss]}


def write_random(state: Mapping[str, Any]) -> None:
    """Put both generators into the state of :func:`read_random`."""
    restore_random_state(state["numpy"])
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))


def read_optimizer(optimizer: Any) -> Any:
    """The state of an optimizer, or of each in a dict."""
    return {name: o.state_dict() for name, o in optimizer.items()} if isinstance(optimizer, Mapping) else optimizer.state_dict()


def write_optimizer(optimizer: Any, state: Mapping[str, Any]) -> None:
    """Give it back.

    Raises:
        StateError: it does not fit.
    """
    if not isinstance(optimizer, Mapping):
        optimizer.load_state_dict(state)
        return
    if "scalars" in state and "scalars" not in optimizer:
        raise StateError(f"the state is of one optimizer, this Trainer has several by name: {', '.join(optimizer)}")
    if list(optimizer) != list(state):
        raise StateError(f"the state is of the optimizers {', '.join(state)}, this Trainer has {', '.join(optimizer)}")
    for name, o in optimizer.items():
        o.load_state_dict(state[name])


def check_target(optimizer: Any, model: Any) -> None:
    """Does the optimizer update parameters of the model?

    Raises:
        ValueError: it was set up for another one.
    """
    target = getattr(optimizer, "target", None)
    if target is None or target is model or not hasattr(model, "params"):
        return
    mine, updated = {id(p) for p in model.params()}, {id(p) for p in parameters(target)}
    if mine and not mine & updated:
        raise ValueError(f"Trainer: the optimizer was set up for another model, a {type(target).__name__}: none of its parameters is of "
                         f"this {type(model).__name__}: give one that was made anew, or call setup(model)")


def position(loader: Any) -> dict[str, Any] | None:
    """Where a loader is, if it can tell."""
    return loader.state_dict() if hasattr(loader, "state_dict") else None


def callback_states(callbacks: list[Any]) -> list[Any]:
    """The states of the callbacks that have one, each with the name of its class."""
    found = [(type(c).__name__, c.state()) for c in callbacks]
    return [[name, state] for name, state in found if state]


def write_callback_states(callbacks: list[Any], states: list[Any]) -> None:
    """Give callbacks their states back: the first of a class the first one of its kind.

    Raises:
        StateError: there is no callback for one of them.
    """
    waiting = list(callbacks)
    for name, state in states:
        mine = next((c for c in waiting if type(c).__name__ == name), None)
        if mine is None:
            held = ", ".join(type(c).__name__ for c in callbacks) or "none"
            raise StateError(f"the state is of a run with the callback {name}, this Trainer has {held}: make it with the same callbacks, "
                             "or leave their states out: load(path, callbacks=False)")
        waiting.remove(mine)
        mine.restore(state)
