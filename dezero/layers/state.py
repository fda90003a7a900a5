"""The state of a layer, its parameters and buffers by name: read, checked as a whole, and written back in place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import dezero.serialization as files
from dezero.backend import array_module, as_numpy
from dezero.backend.arrays import kind_of
from dezero.core import Parameter, Variable
from dezero.errors import InputTypeError, StateError, describe
from dezero.layers.buffer import Buffer
from dezero.layers.walk import LayerBase, members
from dezero.serialization import compare_states


class LoadReport(NamedTuple):
    """The names that did not fit when a state was loaded with ``strict=False``; all empty otherwise."""

    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    mismatched: tuple[str, ...] = ()


def entries(layer: LayerBase) -> dict[str, tuple[Variable, LayerBase]]:
    """name -> (parameter or buffer, the layer that holds it): parameters first, then buffers."""
    found = list(members(layer))
    owned: dict[str, tuple[Variable, LayerBase]] = {}
    for kind in (Parameter, Buffer):
        for path, v, holder in found:
            if isinstance(v, kind):
                if path in owned:
                    raise StateError(f"{type(layer).__name__}: two parameters or buffers have the name {path!r}: change a key of the dict, or an "
                                     "attribute, in which they are held")
                owned[path] = v, holder
    return owned


def read_state(layer: LayerBase, copy: bool = True) -> dict[str, Any]:
    """Name -> array of all parameters and buffers."""
    state, unsized = {}, []
    for path, (v, _) in entries(layer).items():
        if v.data is None:
            unsized.append(path)
        else:
            state[path] = v.data.copy() if copy else v.data
    if unsized:
        some = ", ".join(unsized[:5]) + (f" and {len(unsized) - 5} more" if len(unsized) > 5 else "")
        raise StateError(f"{type(layer).__name__}: {some} {'has' if len(unsized) == 1 else 'have'} no size yet: call the model once on data, "
                         "or give the input sizes (in_size=...), before its state is read or saved")
    return state


def _expected(path: str, v: Variable, holder: LayerBase) -> Any:
    """What :func:`compare_states` shall expect under this name."""
    if v.data is not None:
        return v.data
    shapes: dict[str, Any] = holder.lazy_shapes()  # type: ignore[attr-defined]
    shape = shapes.get(path.rsplit(".", 1)[-1])
    return None if shape is None else (shape, getattr(holder, "dtype", np.float32))


def load_state(layer: LayerBase, state: Mapping[str, Any], strict: bool = True) -> LoadReport:
    """Write ``state`` into the layer's parameters and buffers; with ``strict`` all of it or nothing."""
    if not isinstance(state, Mapping):
        raise InputTypeError(f"{type(layer).__name__}.load_state_dict: the state is {describe(state)}: a dict of arrays by name is expected")
    owned = entries(layer)
    names = {path.replace("/", "."): path for path in owned}  # a dict of layers may have keys with "/"
    found = {}
    for name, array in state.items():
        dotted = str(name).replace("/", ".")
        found[names.get(dotted, dotted)] = array.data if isinstance(array, Variable) else array
    diff = compare_states({path: _expected(path, v, holder) for path, (v, holder) in owned.items()}, found)
    if diff and strict:
        raise StateError(f"{type(layer).__name__}: the saved state does not fit, nothing was loaded. Load it into the model that it was saved from, "
                         f"or load what fits with strict=False.\n{diff}")
    for path, (v, holder) in owned.items():
        if path in found and path not in diff.mismatched:
            _write(v, found[path], getattr(holder, "dtype", None))
    return LoadReport(diff.missing, diff.unexpected, diff.mismatched)


def _write(v: Variable, array: Any, dtype: Any) -> None:
    if v.data is None:
        xp = array_module(array)
        if kind_of(array.dtype) != "f":
            dtype = array.dtype
        elif dtype is None:  # a norm takes the dtype of what it is given, but no statistics in half precision
            dtype = np.float32 if array.dtype.itemsize < 4 else array.dtype
        v.data = xp.array(array, dtype=dtype)
        return
    xp = array_module(v.data)
    v.data[...] = xp.asarray(as_numpy(array) if array_module(array) is not xp else array, dtype=v.dtype)


def write_weights(layer: LayerBase, path: str | Path) -> None:
    """Save the state; the book's files have "/" between the parts of a name."""
    arrays = {name: as_numpy(a) for name, a in read_state(layer, copy=False).items()}
    if Path(path).suffix != ".safetensors":
        arrays = {name.replace(".", "/"): a for name, a in arrays.items()}
    files.save_arrays(path, arrays)


def read_weights(layer: LayerBase, path: str | Path, strict: bool = True) -> LoadReport:
    """Load what :func:`write_weights` has saved."""
    return load_state(layer, files.load_arrays(path)[0], strict)
