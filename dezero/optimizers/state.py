"""The state of an optimizer by the names of its parameters: read, checked as a whole, written back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dezero.core.checks import shown
from dezero.errors import StateError
from dezero.optimizers.slot import Slot
from dezero.serialization import compare_states


def read_state(optimizer: Any, slots: list[Slot], copy: bool) -> dict[str, Any]:
    """``{"scalars": ..., "arrays": ...}``; see :meth:`Optimizer.state_dict`."""
    params = {s.name: {"t": s.t, "arrays": list(s.arrays), "numbers": dict(s.numbers)} for s in slots}
    scalars: dict[str, Any] = {
        "optimizer": type(optimizer).__name__,
        "t": optimizer.t,
        "skipped": optimizer.skipped,
        "options": {name: getattr(optimizer, name) for name in dict.fromkeys(("rate", *optimizer.options))},
        "groups": [dict(group.options) for group in optimizer.groups],
        "params": params,
    }
    if hooks := {str(i): hook.state_dict() for i, hook in enumerate(optimizer.hooks) if hasattr(hook, "state_dict")}:  # LossScaler's
        scalars["hooks"] = hooks
    arrays = {f"{key}/{s.name}": a.copy() if copy else a for s in slots for key, a in s.arrays.items()}
    return {"scalars": scalars, "arrays": arrays}


def check_state(optimizer: Any, slots: list[Slot], state: Mapping[str, Any]) -> None:
    """Refuse a state that does not fit, with a table of what differs.

    Raises:
        StateError: says what.
    """
    mine = type(optimizer).__name__
    head = f"{mine}.load_state_dict: the saved state does not fit, nothing was loaded"
    try:
        scalars, arrays = state["scalars"], state["arrays"]
        theirs, params, groups = scalars["optimizer"], scalars["params"], scalars["groups"]
        wanted_keys = {name: list(entry["arrays"]) for name, entry in params.items()}
        _ = scalars["t"], dict(scalars["options"]), [(entry["t"], entry["numbers"]) for entry in params.values()]
    except (KeyError, TypeError, AttributeError) as error:
        raise StateError(f"{head}: it is not what state_dict() of an optimizer gives ({type(error).__name__}: {error})") from None
    if theirs != mine:
        raise StateError(f"{head}: it is of {theirs}; make the optimizer that it was saved from")
    for options in (scalars["options"], *groups):
        _check_options(head, optimizer, options)
    if len(groups) != len(optimizer.groups):
        raise StateError(f"{head}: it has {len(groups)} groups, this optimizer has {len(optimizer.groups)}: add the same groups before loading")
    for i in scalars.get("hooks", {}):
        if int(i) >= len(optimizer.hooks) or not hasattr(optimizer.hooks[int(i)], "load_state_dict"):
            raise StateError(f"{head}: it has a state of hook {i}, which this optimizer does not have: add the same hooks before loading")
    expected: dict[str, Any] = {}
    for s in slots:
        for key in wanted_keys.get(s.name, ()):
            expected[f"{key}/{s.name}"] = None if s.param.data is None else (s.param.data.shape, s.dtype)
    lines = []
    names = {s.name: None for s in slots}
    if missing := [name for name in names if name not in params]:
        lines.append(f"parameters that the saved state does not know: {_some(missing)}")
    if unexpected := [name for name in params if name not in names]:
        lines.append(f"parameters that are only in the saved state: {_some(unexpected)}")
    if diff := compare_states(expected, arrays):
        lines.append(str(diff))
    if lines:
        raise StateError("\n".join([f"{head}. Load it into the optimizer of the model that it was saved from.", *lines]))


def _check_options(head: str, optimizer: Any, options: Mapping[str, Any]) -> None:
    """Refuse options that the optimizer does not have: they would become attributes of it."""
    known = ("rate", *optimizer.options)
    for name, value in dict(options).items():
        if name not in known:
            raise StateError(f"{head}: it has the option {name!r}; those of {type(optimizer).__name__} are {', '.join(dict.fromkeys(known))}")
        if isinstance(getattr(optimizer, name), (int, float)) and not (isinstance(value, (int, float)) and value >= 0):
            raise StateError(f"{head}: its option {name} is {shown(value)}: a number of at least 0 is expected")


def _some(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def load_state(optimizer: Any, slots: list[Slot], state: Mapping[str, Any]) -> None:
    """Write a state that was checked."""
    scalars, arrays = state["scalars"], state["arrays"]
    for i, saved in scalars.get("hooks", {}).items():
        optimizer.hooks[int(i)].load_state_dict(saved)
    optimizer.t, optimizer.skipped = int(scalars["t"]), int(scalars.get("skipped", 0))
    for name, value in scalars["options"].items():
        setattr(optimizer, name, value)
    for group, options in zip(optimizer.groups, scalars["groups"], strict=True):
        group.options = dict(options)
    for s in slots:
        entry = scalars["params"][s.name]
        s.t, s.numbers = int(entry["t"]), dict(entry["numbers"])
        s.arrays = {key: arrays[f"{key}/{s.name}"].copy() for key in entry["arrays"]}
        s.data = None  # the next update fits the arrays to the parameter's device and dtype
