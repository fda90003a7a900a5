"""What a batch is made of: inputs, target and size; and the way of its arrays to a device."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from dezero.backend import as_numpy, is_array
from dezero.backend.device import as_device, put_all
from dezero.core import Variable
from dezero.datasets import Dataset
from dezero.errors import InputTypeError, ShapeError, describe

Move = Callable[[Any], Any]


def split(batch: Any) -> tuple[tuple[Any, ...], Any]:
    """The inputs of the model and the target.

    Args:
        batch: (x, t), or several inputs and a target, (x1, x2, t). ``x`` alone, (x,) or (x, None) is its own target, as for an autoencoder.

    Raises:
        InputTypeError: the batch is something else, a dict say.

    Examples:
        >>> split((1.0, 2.0, 3.0)), split((1.0, None))
        (((1.0, 2.0), 3.0), ((1.0,), 1.0))
    """
    if type(batch) is not tuple and type(batch) is not list:
        if isinstance(batch, Variable) or is_array(batch):
            return (batch,), batch
        if not isinstance(batch, (tuple, list)):
            kind = f"a dict with {', '.join(map(repr, batch))}" if isinstance(batch, Mapping) else f"of type {type(batch).__name__}"
            raise InputTypeError(f"a batch is {kind}: (x, t) is expected; for other batches give Trainer a function, step=f, "
                                 "which takes (trainer, batch) and returns the loss")
    if len(batch) == 2 and batch[1] is not None:
        return (batch[0],), batch[1]
    if len(batch) < 2 or batch[-1] is None:
        if not batch or len(batch) > 2:
            raise InputTypeError(f"a batch is a tuple of {len(batch)} {'ending in None' if batch else 'parts'}: (x, t) is expected")
        return (batch[0],), batch[0]
    return tuple(batch[:-1]), batch[-1]


def inputs_of(batch: Any) -> tuple[Any, ...]:
    """The inputs alone, for predictions."""
    return split(batch)[0]


def size_of(batch: Any) -> int:
    """The number of samples of any batch: the length of its first part that has one; 1 if none has.

    Examples:
        >>> size_of({"image": np.zeros((4, 2)), "label": np.zeros(4)}), size_of(3.0)
        (4, 1)
    """
    if isinstance(batch, Mapping):
        batch = tuple(batch.values())
    for part in batch if isinstance(batch, (tuple, list)) else (batch,):
        if getattr(part, "shape", None):
            return int(part.shape[0])
    return 1


def check_loader(who: str, loader: Any) -> None:
    """Does it give batches?

    Raises:
        TypeError: it does not; the message tells what to write.
    """
    if isinstance(loader, Dataset):
        raise TypeError(f"{who} is a data set, which gives single samples: write DataLoader({type(loader).__name__}(...), batch_size=32)")
    if isinstance(loader, Variable) or is_array(loader):
        raise TypeError(f"{who} is {describe(loader)}: for arrays write DataLoader(ArrayDataset(x, t), batch_size=32)")
    if not hasattr(loader, "__iter__") and not hasattr(loader, "__getitem__"):
        hint = f"; write epochs={loader}" if isinstance(loader, int) else ""
        raise TypeError(f"{who} is {describe(loader)}: a DataLoader or a list of batches is expected{hint}")


def mover(device: Any) -> Move | None:
    """A function that brings a batch to ``device``, or None where nothing is to be done.

    Raises:
        ValueError: the device is unknown.
    """
    if device is None:
        return None
    try:
        found = as_device(device)
    except ValueError as error:
        raise ValueError(f"Trainer: {error}; None leaves model and batches where they are") from None
    return lambda batch: put_all(batch, found)


def pieces(x: Any, size: int) -> Iterator[Any]:
    """An array in pieces of ``size`` samples."""
    return (x[i:i + size] for i in range(0, max(1, len(x)), size))


def to_predict(data: Any, size: int) -> Iterable[Any]:
    """The batches of a loader, or those of an array.

    Raises:
        ValueError: the loader shuffles.
        ShapeError: the array has no axis of samples.
    """
    if isinstance(data, Variable) or is_array(data):
        if not data.shape:
            raise ShapeError(f"predict: got {describe(data)}: an array (N, ...) or a loader is expected")
        if size < 1:
            raise ValueError(f"predict: batch_size is {size}: a positive number is expected")
        return pieces(data, size)
    if getattr(data, "shuffle", False) is True:
        raise ValueError("predict: the loader shuffles, so the predictions would come in random order: use DataLoader(..., shuffle=False)")
    if not isinstance(data, Iterable):
        raise InputTypeError(f"predict: got {describe(data)}: an array (N, ...) or a loader is expected")
    return data


def join(outputs: list[Any]) -> Any:
    """Outputs of several batches as one, on the host.

    Raises:
        ValueError: there is none.
    """
    if not outputs:
        raise ValueError("predict: the loader gave no batch")
    if isinstance(outputs[0], (tuple, list)):
        return tuple(join(list(parts)) for parts in zip(*outputs, strict=True))
    return np.concatenate([as_numpy(y) for y in outputs])
