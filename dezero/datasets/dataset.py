"""Data sets: samples by number, whole batches at once, parts of a data set and several joined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dezero.backend import array_module, is_array
from dezero.datasets.collate import collate
from dezero.datasets.index import many_indices, one_index, take
from dezero.errors import ShapeError, describe
from dezero.transforms.base import apply_batch, is_random, using_rng

Transforming = Callable[[Any], Any] | None


class Dataset:
    """Samples ``(x, t)`` by number. A subclass fills ``data`` and ``label`` in ``prepare``, or has its own ``__getitem__`` and ``__len__``.

    ``dataset[3]`` is a sample (x, t), ``dataset[2:5]`` and ``dataset[[2, 5]]`` are batches (xs, ts); ``t`` is None where there
    are no labels. A loop over a data set ends with the IndexError behind the last sample.

    Args:
        train: the part to train on, or the part to test on.
        transform: makes of a stored x what the model gets: a transform, or any function of one sample.
        target_transform: the same for t.

    Attributes:
        data: (N, ...), an array, or a list of anything that ``transform`` turns into arrays.
        label: (N, ...) or None.

    Examples:
        >>> import numpy as np
        >>> class Squares(Dataset):
        ...     def prepare(self):
        ...         self.data = np.arange(4.0)
        ...         self.label = self.data ** 2
        >>> squares = Squares()
        >>> squares[3], squares[1:3], len(squares)
        ((np.float64(3.0), np.float64(9.0)), (array([1., 2.]), array([1., 4.])), 4)
    """

    def __init__(self, train: bool = True, transform: Transforming = None, target_transform: Transforming = None) -> None:
        self.train = train
        self.transform = transform
        self.target_transform = target_transform
        self.data: Any = None
        self.label: Any = None
        self.prepare()

    def prepare(self) -> None:
        """Set ``self.data`` and ``self.label``; called once, by ``__init__``."""

    def __len__(self) -> int:
        return len(self._filled())

    def __getitem__(self, index: Any) -> Any:
        """A sample for an int; a batch for a slice or an array of ints or bools.

        Raises:
            IndexError: there is no such sample.
            TypeError: the index is of another kind.
        """
        i = one_index(index)
        if i is None:
            return self.gather(many_indices(index, len(self)))
        x = self._filled()[i]
        t = None if self.label is None else self.label[i]
        return (x if self.transform is None else self.transform(x),
                t if t is None or self.target_transform is None else self.target_transform(t))

    def gather(self, indices: Any, rng: np.random.Generator | None = None) -> Any:
        """The batch of the samples ``indices``, transformed at once where the transforms can.

        Args:
            indices: numbers of samples (n,).
            rng: what random transforms draw from; None leaves that to them.

        Returns:
            (xs, ts), new arrays; ``ts`` is None without labels. Where a subclass has its own ``__getitem__``, its samples put together.
        """
        if not gathers(self):
            return one_by_one(self, indices, rng)
        xs = whole(apply_batch(self.transform, take(self._filled(), indices), rng, indices), indices)
        if self.label is None:
            return xs, None
        return xs, whole(apply_batch(self.target_transform, take(self.label, indices), rng, indices), indices)

    @property
    def random(self) -> bool:
        """May reading a sample draw random numbers? A loader that knows it does not saves itself a generator for each batch."""
        plain = type(self).__getitem__ is Dataset.__getitem__ and type(self).gather is Dataset.gather
        return not plain or is_random(self.transform) or is_random(self.target_transform)

    def _filled(self) -> Any:
        """The stored samples."""
        if self.data is None:
            raise TypeError(f"{type(self).__name__} has no data: set self.data in prepare(), or write __getitem__ and __len__")
        return self.data


class ArrayDataset(Dataset):
    """A data set of arrays that are already there.

    Args:
        x: the samples (N, ...), an array or what NumPy makes one of.
        t: their labels (N, ...) or None.
        transform: a transform or function for one x.
        target_transform: the same for one t.
        train: only stored.

    Raises:
        ShapeError: ``x`` and ``t`` differ in length, or samples differ in shape.

    Examples:
        >>> import numpy as np
        >>> dataset = ArrayDataset(np.eye(3, dtype=np.float32), np.arange(3))
        >>> dataset[1]
        (array([0., 1., 0.], dtype=float32), np.int64(1))
    """

    def __init__(self, x: Any, t: Any = None, transform: Transforming = None, target_transform: Transforming = None, train: bool = True) -> None:
        super().__init__(train, transform, target_transform)
        self.data, self.label = stored("x", x), None if t is None else stored("t", t)
        if not self.data.ndim or t is not None and (not self.label.ndim or len(self.label) != len(self.data)):
            raise ShapeError(f"ArrayDataset: x is {describe(self.data)}, t is {describe(self.label)}: "
                             "both need an axis of samples, of the same length")


def stored(name: str, values: Any) -> Any:
    """What ArrayDataset was given, as an array."""
    try:
        return values if is_array(values) else np.asarray(values)
    except ValueError:
        raise ShapeError(f"ArrayDataset: the {len(values)} samples of {name} differ in shape, so that they make no array: pad or resize them, "
                         "or keep them in a list, self.data = [...], in the prepare() of a Dataset of your own") from None


class Subset(Dataset):
    """Some samples of a data set, in a given order.

    Args:
        dataset: any object with ``__getitem__`` and ``__len__``.
        indices: the numbers of its samples (n,), repeated ones allowed; negative ones count from the end.
        transform: applied after the data set's own, to this part alone.
        target_transform: the same for t.

    Raises:
        IndexError: there is no such sample.

    Examples:
        >>> import numpy as np
        >>> part = Subset(ArrayDataset(np.arange(5), np.arange(5) % 2), [4, 0])
        >>> part[0], part[:], part.label
        ((np.int64(4), np.int64(0)), (array([4, 0]), array([0, 0])), array([0, 0]))
    """

    def __init__(self, dataset: Any, indices: Any, transform: Transforming = None, target_transform: Transforming = None) -> None:
        self.dataset = dataset
        self.indices = many_indices(indices, len(dataset))
        super().__init__(getattr(dataset, "train", True), transform, target_transform)

    def prepare(self) -> None:
        """``label`` holds the labels of the part, as stored, if the data set has them; ``data`` stays None."""
        label = getattr(self.dataset, "label", None)
        self.label = None if label is None else take(label, self.indices)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        i = one_index(index)
        if i is None:
            return self.gather(many_indices(index, len(self)))
        sample = self.dataset[int(self.indices[i])]
        return retransformed(self, sample, lambda transform, value: transform(value))

    @property
    def random(self) -> bool:
        return is_random(self.dataset) or is_random(self.transform) or is_random(self.target_transform)

    def gather(self, indices: Any, rng: np.random.Generator | None = None) -> Any:
        """As :meth:`Dataset.gather`."""
        batch = batch_of(self.dataset, self.indices[np.asarray(indices)], rng)
        return retransformed(self, batch, lambda transform, values: apply_batch(transform, values, rng, indices))


class ConcatDataset(Dataset):
    """Several data sets, one after the other.

    Args:
        datasets: data sets whose samples have as many parts each.

    Examples:
        >>> import numpy as np
        >>> both = ConcatDataset([ArrayDataset(np.zeros(2)), ArrayDataset(np.ones(3))])
        >>> len(both), both[[0, 4]]
        (5, (array([0., 1.]), None))
    """

    def __init__(self, datasets: Sequence[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: the list of data sets is empty: at least one is needed")
        self.starts = np.cumsum([0, *map(len, self.datasets)])
        super().__init__(getattr(self.datasets[0], "train", True))

    def prepare(self) -> None:
        """``label`` holds all labels, as stored, if every data set has them."""
        labels: list[Any] = [getattr(dataset, "label", None) for dataset in self.datasets]
        if all(is_array(label) and label.shape[1:] == labels[0].shape[1:] for label in labels):
            self.label = array_module(labels[0]).concatenate(labels)

    def __len__(self) -> int:
        return int(self.starts[-1])

    def __getitem__(self, index: Any) -> Any:
        i = one_index(index)
        if i is None:
            return self.gather(many_indices(index, len(self)))
        i = int(many_indices([i], len(self))[0])
        which = int(np.searchsorted(self.starts, i, "right")) - 1
        return self.datasets[which][i - int(self.starts[which])]

    @property
    def random(self) -> bool:
        return any(is_random(dataset) for dataset in self.datasets)

    def gather(self, indices: Any, rng: np.random.Generator | None = None) -> Any:
        """As :meth:`Dataset.gather`; each data set gathers its own samples."""
        indices = many_indices(indices, len(self))
        which = np.searchsorted(self.starts, indices, "right") - 1
        order = np.argsort(which, kind="stable")
        batches = [batch_of(self.datasets[w], indices[which == w] - self.starts[w], rng) for w in np.unique(which).tolist()]
        if not batches:
            return batch_of(self.datasets[0], indices, rng)
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        if not isinstance(batches[0], tuple):
            return joined(batches, back)
        return tuple(joined(columns, back) for columns in zip(*batches, strict=True))


def joined(columns: Sequence[Any], back: Any) -> Any:
    """The same part of several batches as one, in the order that was asked for."""
    if all(column is None for column in columns):
        return None
    if not all(is_array(c) and c.shape[1:] == columns[0].shape[1:] for c in columns):
        raise ShapeError(f"ConcatDataset: the data sets give {' and '.join(describe(c) for c in columns)}: samples of equal shape are expected; "
                         "give them transforms that make them so")
    return array_module(columns[0]).concatenate(columns)[back]


def retransformed(dataset: Dataset, sample: Any, apply: Callable[[Any, Any], Any]) -> Any:
    """What a part's own transforms make of a sample or a batch of the whole data set."""
    if dataset.transform is None and dataset.target_transform is None:
        return sample
    if not isinstance(sample, tuple):
        return sample if dataset.transform is None else apply(dataset.transform, sample)
    transforms = (dataset.transform, dataset.target_transform)
    first = (value if f is None or value is None else apply(f, value) for f, value in zip(transforms, sample, strict=False))
    return (*first, *sample[2:])


def gathers(dataset: Any) -> bool:
    """Is its ``gather`` at least as special as its ``__getitem__``? Else the samples have to be asked for one by one."""
    for cls in type(dataset).__mro__:
        if "gather" in vars(cls):
            return True
        if "__getitem__" in vars(cls):
            return False
    return False


def batch_of(dataset: Any, indices: Any, rng: np.random.Generator | None = None) -> Any:
    """A batch of any object with ``__getitem__``: by its ``gather`` if it has one that fits, else its samples put together.

    Examples:
        >>> import numpy as np
        >>> batch_of([(1.0, 0), (2.0, 1)], np.array([1, 0]))
        (array([2., 1.]), array([1, 0]))
    """
    return dataset.gather(indices, rng) if gathers(dataset) else one_by_one(dataset, indices, rng)


def whole(values: Any, indices: Any) -> Any:
    """What transforms made of a batch, as an array; lists are of strings, or of what no array is made of."""
    return collate(values, indices) if isinstance(values, list) else values


def one_by_one(dataset: Any, indices: Any, rng: np.random.Generator | None = None) -> Any:
    """The batch of samples that are read one after the other; an error in one tells its number."""
    samples = []
    with using_rng(rng):
        for i in indices:
            try:
                samples.append(dataset[int(i)])
            except Exception as error:
                error.add_note(f"while reading sample {i} of {type(dataset).__name__}")
                raise
    return collate(samples, indices)
