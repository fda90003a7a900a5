"""Samplers: in which order, and how often, a loader visits the samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dezero.backend.random import fresh_seed
from dezero.core.checks import integer, shown
from dezero.errors import RangeError, ShapeError, describe


class Sampler:
    """The numbers of the samples of an epoch. Derive from it and write ``order``; any object with ``__iter__`` and ``__len__`` serves a loader too.

    With an ``order`` a loader needs few numbers to resume in the middle of an epoch; else it has to save the whole order.

    Args:
        size: the number of samples of an epoch.
        seed: the same seed gives the same orders, one after the other; None leaves the draws to the loader, outside of one to
            NumPy's global state.

    Examples:
        >>> class Backwards(Sampler):
        ...     def order(self, rng):
        ...         return np.arange(len(self))[::-1]
        >>> list(Backwards(3))
        [2, 1, 0]
    """

    def __init__(self, size: int, seed: int | None = None) -> None:
        self.size = integer(type(self).__name__, "size", size)
        self.seed = seed
        self._passes = 0
        if self.size < 0:
            raise ValueError(f"{type(self).__name__}: size is {size}: it must not be negative")

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng(fresh_seed()) if self.seed is None else generator(self.seed, self._passes)
        self._passes += 1
        return iter(self.order(rng).tolist())

    def order(self, rng: np.random.Generator) -> Any:
        """The numbers (size,) of one epoch's samples, drawn from ``rng``."""
        raise NotImplementedError(f"{type(self).__name__} has no order(self, rng)")


class SequentialSampler(Sampler):
    """All samples from the first to the last.

    Args:
        dataset: the data set, or its length.

    Examples:
        >>> list(SequentialSampler("abc"))
        [0, 1, 2]
    """

    def __init__(self, dataset: Any) -> None:
        super().__init__(length(dataset))

    def order(self, rng: np.random.Generator) -> Any:
        return np.arange(self.size)


class RandomSampler(Sampler):
    """Samples in random order.

    Args:
        dataset: the data set, or its length.
        size: how many samples an epoch has; None means all.
        replacement: may a sample come several times in an epoch?
        seed: see :class:`Sampler`.

    Raises:
        ValueError: ``size`` is above the number of samples, without replacement.

    Examples:
        >>> sorted(RandomSampler("abc", seed=0))
        [0, 1, 2]
    """

    def __init__(self, dataset: Any, size: int | None = None, replacement: bool = False, seed: int | None = None) -> None:
        self.n = length(dataset)
        self.replacement = replacement
        super().__init__(self.n if size is None else size, seed)
        if self.size > self.n and not (replacement and self.n):
            raise ValueError(f"RandomSampler: size is {size}, and there are {self.n} samples: a smaller size is expected, or replacement=True")

    def order(self, rng: np.random.Generator) -> Any:
        return rng.integers(0, self.n, self.size) if self.replacement and self.n else rng.permutation(self.n)[:self.size]


class WeightedSampler(Sampler):
    """Samples drawn with given probabilities.

    Args:
        weights: one for each sample (N,), not negative; only their proportions count.
        size: how many samples an epoch has; None means N.
        replacement: may a sample come several times in an epoch?
        seed: see :class:`Sampler`.

    Raises:
        RangeError: a weight is negative or not finite, or all are 0.
        ValueError: without replacement there are fewer samples of positive weight than ``size``.

    Examples:
        >>> list(WeightedSampler([0, 1, 0], seed=0))
        [1, 1, 1]
    """

    def __init__(self, weights: Any, size: int | None = None, replacement: bool = True, seed: int | None = None) -> None:
        weights = np.array(weights, np.float64)
        if weights.ndim != 1:
            raise ShapeError(f"WeightedSampler: weights is {describe(weights)}: one for each sample, (N,), is expected")
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
            raise RangeError("WeightedSampler: the weights must be finite and not negative, and not all 0")
        super().__init__(len(weights) if size is None else size, seed)
        self.p = weights / weights.sum()
        self.replacement = replacement
        if not replacement and self.size > np.count_nonzero(self.p):
            raise ValueError(f"WeightedSampler: size is {self.size}, but only {np.count_nonzero(self.p)} samples have a weight above 0: "
                             "a smaller size is expected, or replacement=True")

    def order(self, rng: np.random.Generator) -> Any:
        return rng.choice(len(self.p), self.size, self.replacement, self.p)


class BalancedSampler(Sampler):
    """Every class equally often (to within one sample); the samples of a class take turns.

    Args:
        labels: class numbers (N,), or a data set whose ``label`` they are.
        size: how many samples an epoch has; None means N.
        seed: see :class:`Sampler`.

    Raises:
        ShapeError: there are no such labels.

    Examples:
        >>> labels = np.array([0, 0, 0, 0, 0, 1])
        >>> labels[list(BalancedSampler(labels, seed=0))].sum()
        np.int64(3)
    """

    def __init__(self, labels: Any, size: int | None = None, seed: int | None = None) -> None:
        labels = np.asarray(getattr(labels, "label", labels))
        if labels.ndim != 1 or labels.dtype.kind == "O" or not len(labels):
            raise ShapeError(f"BalancedSampler: labels is {describe(labels)}: one class for each sample, (N,), is expected")
        super().__init__(len(labels) if size is None else size, seed)
        order = np.argsort(labels, kind="stable")
        self.members = np.split(order, np.flatnonzero(labels[order][1:] != labels[order][:-1]) + 1)

    def order(self, rng: np.random.Generator) -> Any:
        share, rest = divmod(self.size, len(self.members))
        counts = np.full(len(self.members), share)
        counts[rng.permutation(len(self.members))[:rest]] += 1
        chosen = [np.concatenate([rng.permutation(m) for _ in range(-(-count // len(m)))])[:count]
                  for m, count in zip(self.members, counts.tolist(), strict=True) if count]
        return rng.permutation(np.concatenate(chosen)) if chosen else np.zeros(0, np.intp)


def length(dataset: Any) -> int:
    """The number of samples: of a data set, or the int itself."""
    if isinstance(dataset, (int, np.integer)):
        return int(dataset)
    try:
        return len(dataset)
    except TypeError:
        raise TypeError(f"sampler: {shown(dataset)} has no length: a data set or its number of samples is expected") from None


def generator(seed: int, *place: int) -> np.random.Generator:
    """The generator of a place (epoch, batch) under a seed; different places have independent ones."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=place)))
