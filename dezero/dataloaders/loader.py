"""DataLoader: the batches of a data set, epoch after epoch."""

from __future__ import annotations

import importlib
import math
import operator
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from dezero.backend.device import Device, as_device, put_all
from dezero.backend.random import fresh_seed
from dezero.core.checks import shown
from dezero.dataloaders.samplers import generator
from dezero.dataloaders.sources import Fed, InTurn, Workers
from dezero.datasets.dataset import batch_of
from dezero.datasets.index import many_indices
from dezero.errors import StateError
from dezero.transforms.base import is_random


class DataLoader:
    """The batches of a data set; each ``for`` loop over the loader is one whole epoch, also after a loop was left early.

    A batch is gathered at once where the data set can do that (``dataset.gather``), else from its samples. Order and bytes depend on the
    seed alone, not on ``workers``: each batch has random numbers of its own, made from the seed, the epoch and the number of the batch.
    Only what a function of yours draws from NumPy's global state while there are workers cannot be repeated. A loader has one place in
    one epoch, so a loop inside of a loop over the same loader is an error when the outer one goes on: make a loader for each.

    Args:
        dataset: any object with ``__getitem__`` and ``__len__``. Samples may be tuples of any length or single arrays.
        batch_size: samples in a batch.
        shuffle: a new random order in every epoch? Counts only without a sampler.
        gpu: hand out CuPy arrays? The same as ``device="cuda"``.
        drop_last: leave out a last batch that is smaller?
        sampler: gives the numbers of the samples of an epoch: a :class:`Sampler`, or anything with ``__iter__`` and ``__len__``.
        workers: threads that make batches ahead while a ``for`` loop runs; 0 makes each batch when it is asked for.
        prefetch: how many batches ahead, for each worker.
        seed: the same seed gives the same batches; without one ``np.random.seed`` governs, and the order is the book's.
        batch_transform: a function ``f(*batch, rng=generator)`` of whole batches, Mixup for instance.
        device: where batches go: "cuda", "cuda:1" or "cpu"; None leaves them where they are. On the way to a CUDA device a ``for`` loop has
            the next batch made and copied, through pinned memory, while the device works on this one; memory of handed out batches is
            never written to again.

    Attributes:
        data_size: samples in an epoch.
        max_iter: batches in an epoch, also ``len(loader)``.
        iteration: batches handed out in this epoch.
        epoch: the number of the epoch, from 0.
        index: the order of the samples in this epoch.

    Raises:
        ValueError: a setting is out of its range.
        TypeError: the data set has no length.

    Examples:
        >>> from dezero.datasets import ArrayDataset
        >>> loader = DataLoader(ArrayDataset(np.arange(5.0), np.arange(5)), batch_size=2, shuffle=False)
        >>> for x, t in loader:
        ...     print(x, t)
        [0. 1.] [0 1]
        [2. 3.] [2 3]
        [4.] [4]
    """

    def __init__(self, dataset: Any, batch_size: int, shuffle: bool = True, gpu: bool = False, *, drop_last: bool = False, sampler: Any = None,
                 workers: int = 0, prefetch: int = 2, seed: int | None = None, batch_transform: Callable[..., Any] | None = None,
                 device: str | int | None = None) -> None:
        name = type(self).__name__
        self.dataset = dataset
        self.batch_size = at_least(name, "batch_size", batch_size, 1)
        self.shuffle = shuffle
        self.device = _chosen(name, gpu, device)
        self._feed: Any = None  # the way to the device, while no loop uses it
        self.drop_last = drop_last
        self.sampler = sampler
        self.workers = at_least(name, "workers", workers, 0)
        self.prefetch = at_least(name, "prefetch", prefetch, 1)
        self.seed = None if seed is None else at_least(name, "seed", seed, 0)
        self.batch_transform = batch_transform
        if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
            raise TypeError(f"{name}: the data set is {shown(dataset)}: an object with __len__ and __getitem__ is expected")
        if sampler is not None and not (hasattr(sampler, "__len__") and hasattr(sampler, "__iter__")):
            raise TypeError(f"{name}: sampler is {shown(sampler)}: a Sampler, a list of numbers, or an object with __iter__ and __len__ is expected")
        self.data_size = len(dataset) if sampler is None else len(sampler)
        self.max_iter = self.data_size // self.batch_size if drop_last else -(-self.data_size // self.batch_size)
        self.epoch = -1
        self._resumed = False
        self.reset()

    def __len__(self) -> int:
        return self.max_iter

    def reset(self) -> None:
        """Begin the next epoch, with a new order."""
        self.epoch += 1
        self.iteration = 0
        self._resumed = False
        self._random_state: Any = None
        if self.seed is not None:
            self._entropy = self.seed
        elif self.sampler is not None:
            self._entropy = fresh_seed()
        else:
            # The seed of the batches is looked at, not drawn: scripts of the book then see the random numbers that they expect.
            self._random_state = np.random.get_state()
            self._entropy = fresh_seed()
            np.random.set_state(self._random_state)
        self.index = self._order(np.random)

    def _order(self, legacy: Any) -> Any:
        """The numbers of this epoch's samples; ``legacy`` is drawn from where there is neither a seed nor a sampler."""
        if self.sampler is not None:
            order = getattr(self.sampler, "order", None)
            own = getattr(self.sampler, "seed", None)
            found = list(self.sampler) if order is None else order(generator(self._entropy if own is None else own, self.epoch))
            return self._checked(found)
        if not self.shuffle:
            return np.arange(self.data_size)
        return legacy.permutation(self.data_size) if self.seed is None else generator(self.seed, self.epoch).permutation(self.data_size)

    def _checked(self, indices: Any) -> Any:
        """What a sampler gave, as an array."""
        if len(indices) != self.data_size:
            raise ValueError(f"{type(self).__name__}: the sampler gave {len(indices)} samples, but its length is {self.data_size}")
        return many_indices(indices, len(self.dataset))

    # -- batches ---------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Any]:
        if self.iteration and not self._resumed:
            self.reset()
        self._resumed = False
        return self._ahead() if self.workers or self.gpu else self._in_turn()

    def __next__(self) -> Any:
        """The next batch.

        Raises:
            StopIteration: the epoch is over; the next call begins another.
        """
        self._resumed = False
        if self.iteration >= self.max_iter:
            self.reset()
            raise StopIteration
        batch = self._make(self.index, self._entropy, self.epoch, self.iteration)
        self.iteration += 1
        return self._delivered(batch, self.device)

    def next(self) -> Any:
        """The next batch, as ``next(loader)`` gives it."""
        return self.__next__()

    def _make(self, index: Any, entropy: int, epoch: int, k: int) -> Any:
        """Batch ``k`` on the host. It depends on the arguments alone, so that any thread may make it at any time."""
        indices = index[k * self.batch_size:(k + 1) * self.batch_size]
        rng = generator(entropy, epoch, k) if self.batch_transform is not None or is_random(self.dataset) else None
        try:
            batch = batch_of(self.dataset, indices, rng)
            if self.batch_transform is None:
                return batch
            return self.batch_transform(*(batch if isinstance(batch, tuple) else (batch,)), rng=rng)
        except Exception as error:
            more = ", ..." if len(indices) > 8 else ""
            error.add_note(f"in batch {k} of epoch {epoch}, made of the samples {', '.join(map(str, indices[:8]))}{more}")
            raise

    def _in_turn(self) -> Iterator[Any]:
        """The batches of this epoch, each made when it is asked for."""
        epoch = self.epoch
        while self.epoch == epoch and self.iteration < self.max_iter:
            yield next(self)
        self._end(epoch)

    def _ahead(self) -> Iterator[Any]:
        """The batches of this epoch, made ahead by threads, or copied ahead to the device, or both."""
        epoch, feed, device = self.epoch, self._way(), self.device
        there = device if feed is None else Device("cuda", feed.index)

        def job(k: int) -> Callable[[], Any]:
            return partial(self._make, self.index, self._entropy, epoch, k)
        source: Any = Workers(job, self.workers, self.prefetch, self.max_iter, feed) if self.workers else InTurn(job, feed)
        if feed is not None:
            source = Fed(source, feed, self.max_iter)
        try:
            while self.epoch == epoch and self.iteration < self.max_iter:
                yield self._from(source, there if self.device is device else self.device)  # in no name: the loop's body decides how long it lives
        finally:
            source.close()
            self._feed = feed
        self._end(epoch)

    def _from(self, source: Any, device: Device | None) -> Any:
        """The next batch of a source, on a device."""
        batch = source.take(self.iteration)
        self.iteration += 1
        return self._delivered(batch, device)

    def _way(self) -> Any:
        """What brings batches to the device, for one loop alone; None where nothing has to."""
        if not self.gpu:
            return None
        device, feed = as_device(self.device), self._feed
        self._feed = None
        if feed is None or not feed.leads_to(device):
            feed = importlib.import_module("dezero.backend.cuda.prefetch").feed_to(device)
        return feed

    def _end(self, epoch: int) -> None:
        """Begin the next epoch, if it is still the one that this loop is about.

        Raises:
            StateError: another loop over the same loader, inside of this one, has begun another epoch.
        """
        if self.epoch != epoch:
            raise StateError(f"{type(self).__name__}: another loop over this loader (or reset()) inside of the loop has begun a new epoch, so the "
                             "outer loop cannot go on: make a second loader for the inner one")
        self.reset()

    def _delivered(self, batch: Any, device: Device | None) -> Any:
        """The batch on a device; what a feed has brought there stays."""
        return batch if device is None else put_all(batch, device)

    @property
    def gpu(self) -> bool:
        """Are CuPy arrays handed out?"""
        return self.device is not None and self.device.kind == "cuda"

    @gpu.setter
    def gpu(self, value: bool) -> None:
        self.device = Device("cuda") if value else None

    def to_cpu(self) -> None:
        """Hand out NumPy arrays from now on."""
        self.device = Device("cpu")

    def to_gpu(self, device: str | int | None = None) -> None:
        """Hand out CuPy arrays from now on, on the current device or on that of this name."""
        self.device = _chosen(type(self).__name__, True, device)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_feed": None}  # streams and pinned memory are of this process

    # -- state -----------------------------------------------------------------------------------

    def _settings(self) -> dict[str, Any]:
        """What has to be the same for a saved state to fit."""
        return {"data_size": self.data_size, "batch_size": self.batch_size, "shuffle": bool(self.shuffle), "drop_last": bool(self.drop_last),
                "seed": self.seed, "sampler": None if self.sampler is None else type(self.sampler).__name__}

    def state_dict(self) -> dict[str, Any]:
        """Where the loader is, made of what JSON knows: the next batch after ``load_state_dict`` is the one that would come now.

        Without a seed, the epochs after this one follow NumPy's global state, which has to be saved apart.
        """
        state = {**self._settings(), "epoch": self.epoch, "iteration": self.iteration, "entropy": self._entropy, "random_state": None, "order": None}
        if self.sampler is not None:
            if not hasattr(self.sampler, "order"):
                state["order"] = self.index.tolist()
        elif self.shuffle and self.seed is None:
            if isinstance(self._random_state, tuple):
                state["random_state"] = [v.tolist() if isinstance(v, np.ndarray) else v for v in self._random_state]
            else:  # another generator than NumPy's own was installed
                state["order"] = self.index.tolist()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where ``state`` was saved; the next loop gives the rest of that epoch.

        Raises:
            StateError: it was saved by a loader of other settings or another data set, or it is incomplete or damaged.
        """
        name = type(self).__name__
        if not isinstance(state, dict):
            raise StateError(f"{name}: the state is {shown(state)}: what state_dict() gave is expected")
        if missing := [key for key in (*self._settings(), "epoch", "iteration", "entropy", "random_state", "order") if key not in state]:
            raise StateError(f"{name}: the state has no {missing[0]!r}: what state_dict() gave is expected")
        if differing := [f"{key} {state[key]!r} instead of {value!r}" for key, value in self._settings().items() if state[key] != value]:
            raise StateError(f"{name}: the state was saved with {', '.join(differing)}: make the loader as it was then")
        for key, most in (("epoch", math.inf), ("iteration", self.max_iter), ("entropy", math.inf)):
            if not isinstance(state[key], (int, np.integer)) or not 0 <= state[key] <= most:
                bounds = "of at least 0" if most == math.inf else f"from 0 to {most}"
                raise StateError(f"{name}: the state has {key} {shown(state[key])}: an int {bounds} is expected")
        self.epoch, self.iteration, self._entropy = int(state["epoch"]), int(state["iteration"]), int(state["entropy"])
        if state["order"] is not None:
            self.index = self._checked(state["order"])
        else:
            legacy = np.random.RandomState(0)
            if state["random_state"] is not None:
                legacy.set_state(tuple(state["random_state"]))
                self._random_state = legacy.get_state()
            self.index = self._order(legacy)
        self._resumed = True


class SeqDataLoader(DataLoader):
    """Batches for recurrent networks: ``batch_size`` streams read the data side by side, each in the order of time.

    Stream i begins at sample ``i * data_size // batch_size``. If ``batch_size`` does not divide ``data_size``, the streams differ
    in length by one sample; a shorter one then ends with the first sample of the next stream. So all batches are
    full, as a network that keeps its state needs it, every sample is seen in every epoch, and no stream ever leaps.

    Args:
        dataset: samples in the order of time.
        batch_size: the number of streams.
        gpu: hand out CuPy arrays? The same as ``device="cuda"``.
        device: as for :class:`DataLoader`.

    Attributes:
        jump: ``data_size // batch_size``, the length of a stream, rounded down.

    Raises:
        ValueError: there are more streams than samples.

    Examples:
        >>> from dezero.datasets import ArrayDataset
        >>> for x, _ in SeqDataLoader(ArrayDataset(np.arange(7)), batch_size=3):
        ...     print(x)
        [0 2 4]
        [1 3 5]
        [2 4 6]
    """

    def __init__(self, dataset: Any, batch_size: int, gpu: bool = False, *, device: str | int | None = None) -> None:
        super().__init__(dataset, batch_size, shuffle=False, gpu=gpu, device=device)
        self.jump = self.data_size // self.batch_size

    def _order(self, legacy: Any) -> Any:
        n, streams = self.data_size, self.batch_size
        if streams > n:
            raise ValueError(f"SeqDataLoader: batch_size is {streams}, and there are {n} samples: at most one stream for each sample is possible")
        starts = np.arange(streams) * n // streams
        return (np.arange(self.max_iter)[:, None] + starts).reshape(-1)


def _chosen(name: str, gpu: bool, device: Any) -> Device | None:
    """Where batches are to go; None leaves them where they are."""
    if device is None:
        return Device("cuda") if gpu else None
    found = as_device(device)
    if gpu and found.kind != "cuda":
        raise ValueError(f"{name}: gpu is True, and device is {device!r}: give one of the two")
    return found


def at_least(op: str, name: str, value: Any, least: int) -> int:
    """A setting as an int that is not below ``least``."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{op}: {name} is {shown(value)}: an int is expected") from None
    if number < least:
        raise ValueError(f"{op}: {name} is {number}: an int of at least {least} is expected")
    return number
