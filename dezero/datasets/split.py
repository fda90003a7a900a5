"""A data set split for training and testing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dezero.core.checks import integer, shown
from dezero.datasets.dataset import Subset
from dezero.errors import ShapeError


def train_test_split(dataset: Any, test_size: float = 0.2, seed: int | None = None, stratify: Any = False) -> tuple[Subset, Subset]:
    """Split a data set at random in two parts.

    Args:
        dataset: any object with ``__getitem__`` and ``__len__``.
        test_size: the share of the second part, between 0 and 1, or its number of samples (an int).
        seed: the same seed gives the same parts; None draws from NumPy's global state.
        stratify: True keeps the shares of the classes (``dataset.label``) the same in both parts; or the classes themselves (N,).

    Returns:
        The parts to train on and to test on, each in the order of the data set.

    Raises:
        ValueError: a part would be empty.

    Examples:
        >>> import numpy as np
        >>> from dezero.datasets.dataset import ArrayDataset
        >>> train, test = train_test_split(ArrayDataset(np.arange(10), np.arange(10) % 2), 0.4, seed=0, stratify=True)
        >>> len(train), sorted(test.label.tolist())
        (6, [0, 0, 1, 1])
    """
    n = len(dataset)
    if not isinstance(test_size, (int, float, np.integer, np.floating)):
        raise TypeError(f"train_test_split: test_size is {shown(test_size)}: a share (float) or a number of samples (int) is expected")
    whole = isinstance(test_size, (int, np.integer)) and not isinstance(test_size, bool)
    n_test = int(test_size) if whole else round(n * test_size) if np.isfinite(test_size) else 0
    if not 0 < n_test < n:
        raise ValueError(f"train_test_split: test_size is {shown(test_size)} of {n} samples: a share between 0 and 1 or a number from 1 to {n - 1} "
                         "is expected, so that no part is empty")
    order = shuffled(n, seed)
    classes = classes_of(dataset, stratify, "train_test_split")
    if classes is not None:
        order = spread(order, classes)
        # Every class lies in one run now; evenly spaced places take its share from each run.
        places = ((np.arange(n_test) + 0.5) * n / n_test).astype(np.intp)
        return Subset(dataset, np.sort(np.delete(order, places))), Subset(dataset, np.sort(order[places]))
    return Subset(dataset, np.sort(order[n_test:])), Subset(dataset, np.sort(order[:n_test]))


def k_fold(dataset: Any, k: int, seed: int | None = None, stratify: Any = False) -> Iterator[tuple[Subset, Subset]]:
    """Split a data set at random in ``k`` parts; each is once the part to validate on, the others together the part to train on.

    Args:
        dataset: any object with ``__getitem__`` and ``__len__``.
        k: the number of parts, at least 2; their sizes differ by 1 at most.
        seed: as in :func:`train_test_split`.
        stratify: as in :func:`train_test_split`.

    Returns:
        An iterator over k pairs (train, validation).

    Raises:
        ValueError: ``k`` is below 2 or above the number of samples.

    Examples:
        >>> for train, val in k_fold([5, 6, 7, 8], 2, seed=0):
        ...     print(len(train), len(val))
        2 2
        2 2
    """
    n, k = len(dataset), integer("k_fold", "k", k)
    if not 2 <= k <= n:
        raise ValueError(f"k_fold: k is {k} for {n} samples: a number from 2 to {n} is expected")
    order = shuffled(n, seed)
    classes = classes_of(dataset, stratify, "k_fold")
    fold = np.empty(n, np.intp)
    fold[order if classes is None else spread(order, classes)] = np.arange(n) % k
    return ((Subset(dataset, order[fold[order] != i]), Subset(dataset, order[fold[order] == i])) for i in range(k))


def shuffled(n: int, seed: int | None) -> Any:
    """The numbers below ``n`` in random order."""
    return np.random.permutation(n) if seed is None else np.random.default_rng(seed).permutation(n)


def classes_of(dataset: Any, stratify: Any, op: str) -> Any:
    """The classes to keep in equal shares (N,), or None."""
    if stratify is False or stratify is None:
        return None
    classes = getattr(dataset, "label", None) if stratify is True else stratify
    if classes is None or np.ndim(classes) != 1 or len(classes) != len(dataset):
        raise ShapeError(f"{op}: stratify needs one class for each sample, ({len(dataset)},): the data set has no such label; "
                         "pass the classes as an array, stratify=classes")
    return np.asarray(classes)


def spread(order: Any, classes: Any) -> Any:
    """``order`` sorted by class; the samples of a class keep their order."""
    return order[np.argsort(classes[order], kind="stable")]
