"""Samples put together to a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dezero.backend import is_array
from dezero.errors import DeviceError, InputTypeError, ShapeError, describe
from dezero.transforms.base import stack


def collate(samples: Sequence[Any], indices: Any = None) -> Any:
    """One batch of several samples: tuples of parts give a tuple of arrays, anything else one array.

    Args:
        samples: arrays, numbers or strings, or tuples of them of equal length. A part that is None in all samples stays None.
        indices: the samples' numbers in the data set, for messages.

    Returns:
        Arrays with one more axis, the first.

    Raises:
        ShapeError: the shapes of two samples differ.
        InputTypeError: a sample is nothing that an array is made of.

    Examples:
        >>> import numpy as np
        >>> collate([(np.zeros(2), 1, None), (np.ones(2), 0, None)])
        (array([[0., 0.],
               [1., 1.]]), array([1, 0]), None)
    """
    names = list(range(len(samples)) if indices is None else map(int, indices))
    if not samples or not isinstance(samples[0], tuple):
        return column(samples, names, "")
    for name, sample in zip(names, samples, strict=True):
        if not isinstance(sample, tuple) or len(sample) != len(samples[0]):
            found = f"a tuple of {len(sample)}" if isinstance(sample, tuple) else f"a {type(sample).__name__}"
            raise ShapeError(f"sample {names[0]} is a tuple of {len(samples[0])} and sample {name} is {found}: "
                             "all samples of a batch need the same parts")
    return tuple(column(part, names, f"part {k} of ") for k, part in enumerate(zip(*samples, strict=True)))


def column(values: Sequence[Any], names: Sequence[int], part: str) -> Any:
    """One part of all samples as an array."""
    if values and all(v is None for v in values):
        return None
    for name, value in zip(names, values, strict=True):
        if not (is_array(value) or isinstance(value, (bool, int, float, complex, str, bytes, list, tuple))):
            advice = "; end the transform with ToArray()" if hasattr(value, "convert") else ""
            if isinstance(value, dict):
                advice = "; make a sample of several parts a tuple (x, t)"
            raise InputTypeError(f"{part}sample {name} is a {type(value).__name__}: an array or a number is expected{advice}")
    try:
        batch = stack([np.asarray(v) if isinstance(v, (list, tuple)) else v for v in values], names)
    except (ShapeError, DeviceError) as error:
        raise type(error)(f"{part}{error}") from None
    except ValueError as error:
        advice = "; make a sample of several parts a tuple (x, t), not a list" if not part and isinstance(values[0], list) else ""
        raise ShapeError(f"{part}samples {names[0]} to {names[-1]} ({describe(values[0])} first) make no array: {error}{advice}") from error
    return np.array(batch) if isinstance(batch, list) else batch
