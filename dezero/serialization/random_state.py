"""The state of random generators as plain data, so that a run that was stopped goes on with the same draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dezero.errors import StateError, describe

# Where each bit generator stands in its buffer of words; NumPy does not check it and would read beyond.
BUFFERS = {"MT19937": ("pos", 624), "Philox": ("buffer_pos", 4)}


def random_state(rng: np.random.Generator | None = None) -> dict[str, Any]:
    """The state of NumPy's global generator, or of ``rng``, as dicts, lists, numbers and strings.

    Examples:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> state = random_state(rng)
        >>> x = rng.random(3)
        >>> restore_random_state(state, rng)
        >>> (rng.random(3) == x).all()
        np.True_
    """
    state: Any = np.random.get_state(legacy=False) if rng is None else rng.bit_generator.state
    plain: dict[str, Any] = _to_plain(state)
    return plain


def restore_random_state(state: Mapping[str, Any], rng: np.random.Generator | None = None) -> None:
    """Put NumPy's global generator, or ``rng``, into a state that :func:`random_state` gave.

    Args:
        state: the state.
        rng: None for the global generator.

    Raises:
        StateError: it is no such state, or that of another kind of generator.

    Examples:
        >>> import numpy as np
        >>> restore_random_state({"bit_generator": "PCG64"}, np.random.Generator(np.random.MT19937(0)))
        Traceback (most recent call last):
        ...
        dezero.errors.StateError: restore_random_state: the state is of a PCG64, the generator is a MT19937: make one of the same kind first
    """
    now: Any = np.random.get_state(legacy=False) if rng is None else rng.bit_generator.state
    if not isinstance(state, Mapping):
        raise StateError(f"restore_random_state: {describe(state)} is no state: a dict from random_state() is expected")
    kind = now["bit_generator"]
    if state.get("bit_generator") != kind:
        raise StateError(f"restore_random_state: the state is of a {state.get('bit_generator')}, the generator is a {kind}: "
                         "make one of the same kind first")
    new = _like(now, state, "state")
    name, size = BUFFERS.get(kind, ("", 0))
    place = new.get(name, new["state"].get(name, 0))
    if not 0 <= place <= size and name:
        raise StateError(f"restore_random_state: {name} is {place}: 0 to {size} is expected")
    try:
        if rng is None:
            np.random.set_state(new)
        else:
            rng.bit_generator.state = new
    except (ValueError, TypeError, OverflowError, LookupError) as error:
        raise StateError(f"restore_random_state: the state is damaged: {error}") from None


def _to_plain(x: Any) -> Any:
    if isinstance(x, dict):
        return {key: _to_plain(value) for key, value in x.items()}
    if isinstance(x, np.ndarray):
        return x.tolist()
    return x.item() if isinstance(x, np.generic) else x


def _like(now: Any, saved: Any, where: str) -> Any:
    """``saved`` in the types and shapes that ``now`` has."""
    try:
        if isinstance(now, dict):
            if not isinstance(saved, Mapping) or saved.keys() != now.keys():
                raise ValueError(f"the keys {', '.join(now)} are expected")
            return {key: _like(value, saved[key], f"{where}[{key!r}]") for key, value in now.items()}
        if isinstance(now, np.ndarray):
            x = np.asarray(saved, now.dtype)
            if x.shape != now.shape:
                raise ValueError(f"{now.size} numbers are expected")
            return x
        if isinstance(now, float):
            return float(saved)
        if isinstance(now, (int, np.integer)) and type(saved) is not int:
            raise ValueError("a whole number is expected")
    except StateError:
        raise
    except (ValueError, TypeError, OverflowError) as error:
        raise StateError(f"restore_random_state: {where}: {error}") from None
    return saved
