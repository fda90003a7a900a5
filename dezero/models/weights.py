"""Weights that others have published: where they are, and what their parts are called here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dezero.datasets import get_file
from dezero.layers import Layer
from dezero.layers.state import LoadReport, load_state
from dezero.serialization import load_arrays

# The weights that come with the book.
_BOOK = "https://github.com/koki0702/dezero-models/releases/download/v0.1/"
PUBLISHED = {name: f"{_BOOK}{name}.npz" for name in ("vgg16", "resnet50", "resnet101", "resnet152")}

# torchvision's name of an array -> ours.
NORM = {"weight": "gamma", "bias": "beta", "running_mean": "avg_mean", "running_var": "avg_var"}
AFFINE = {"weight": "W", "bias": "b"}


def check_flag(model: str, pretrained: Any) -> None:
    """Refuse a number of classes in the place of ``pretrained``, where it would start a download.

    Raises:
        TypeError: it is neither True nor False.
    """
    if not isinstance(pretrained, (bool, np.bool_)):
        raise TypeError(f"{model}: pretrained is {pretrained!r}: True or False is expected; the number of classes is given by num_classes=")


def fetch(url: str) -> str:
    """The file of published weights on this machine, fetched at the first use.

    Raises:
        DatasetError: it is not there and cannot be fetched; the message says where to put it.
    """
    return str(get_file(url))


def load_published(model: Layer, path: str | Path, names: Callable[[], Mapping[str, str]], strict: bool = True) -> LoadReport:
    """Load a file of our own, one of the book's, or one with torchvision's names.

    Args:
        model: what the weights go into.
        path: of the file, ``.npz`` or ``.safetensors``.
        names: gives torchvision's names -> ours; called if the file has such names.
        strict: as in :meth:`Layer.load_state_dict`.

    Raises:
        StateError: names or shapes differ; nothing was loaded then, and the message is a table of what differs.
    """
    arrays, _ = load_arrays(path)
    if any(name.endswith(".weight") for name in arrays):  # no array of ours is called so
        arrays = translated(arrays, names())
    # float16 saves space in a file; the networks compute in float32.
    return load_state(model, {name: a.astype(np.float32) if a.dtype == np.float16 else a for name, a in arrays.items()}, strict)


def translated(arrays: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Arrays with torchvision's names and layout, under our names and in our layout; names that are not known stay."""
    state = {}
    for theirs, array in arrays.items():
        if theirs.endswith(".num_batches_tracked"):  # counts calls; nothing here does
            continue
        ours = names.get(theirs, theirs)
        # A linear layer's weight is (out, in) there and (in, out) here; those of convolutions agree.
        state[ours] = np.ascontiguousarray(array.T) if array.ndim == 2 and ours.endswith(".W") else array
    return state


def renamed(theirs: str, ours: str, parts: Mapping[str, str]) -> dict[str, str]:
    """The names of the parts of one layer."""
    return {f"{theirs}.{there}": f"{ours}.{here}" for there, here in parts.items()}
