"""What all transforms share: the call on one sample and on a batch, and where the random ones draw from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from dezero.backend import array_module, arrays, device, is_array
from dezero.backend.random import fresh_seed
from dezero.errors import ShapeError, describe

_given: ContextVar[np.random.Generator | None] = ContextVar("dezero_transform_rng", default=None)
KEPT = 32  # constants of one transform on devices
_numbers: ContextVar[Any] = ContextVar("dezero_transform_samples", default=None)  # of the batch's samples in the data set


@contextmanager
def using_rng(rng: np.random.Generator | None) -> Iterator[None]:
    """Let the random transforms called inside draw from ``rng``, in this thread; None changes nothing.

    Examples:
        >>> import numpy as np
        >>> from dezero.transforms import RandomNoise
        >>> x, noise = np.zeros((1, 2, 2), np.float32), RandomNoise(0.1)
        >>> with using_rng(np.random.default_rng(0)):
        ...     a = noise(x)
        >>> with using_rng(np.random.default_rng(0)):
        ...     b = noise(x)
        >>> (a == b).all()
        np.True_
    """
    token = _given.set(_given.get() if rng is None else rng)
    try:
        yield
    finally:
        _given.reset(token)


class Transform:
    """One step between a stored sample and what the model gets.

    Derive from it and write ``__call__`` for one sample; write ``batch`` too where a whole batch can be done at once.

    Examples:
        >>> import numpy as np
        >>> class Half(Transform):
        ...     def __call__(self, x):
        ...         return x / 2
        >>> Half()(np.array([1.0, 3.0])), Half().batch(np.array([[1.0], [3.0]]))
        (array([0.5, 1.5]), array([[0.5],
               [1.5]]))
    """

    @property
    def random(self) -> bool:
        """Does it draw random numbers?"""
        return False

    def __call__(self, x: Any) -> Any:
        """The transform of one sample."""
        raise NotImplementedError(f"{type(self).__name__} has no __call__(self, x)")

    def batch(self, xs: Any, rng: np.random.Generator | None = None) -> Any:
        """The transforms of all samples of a batch; here one after the other.

        Args:
            xs: an array (N, ...), or a list of samples.
            rng: what random transforms draw from; None leaves that to them.
        """
        return stack(each(self, xs, rng))

    def constant(self, name: str, x: Any, make: Callable[[], Any]) -> Any:
        """An array that goes with ``x``: what ``make`` gives on the host, brought to the device of ``x`` once.

        Args:
            name: tells it from others; all that it depends on must be in it.
        """
        xp = array_module(x)
        if xp is np:
            return make()
        kept = self.__dict__.setdefault("_constants", {})
        key = name, device.device_of(x)
        if key not in kept:
            if len(kept) >= KEPT:
                kept.clear()
            kept[key] = xp.asarray(make())
        return kept[key]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_constants"}

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if not name.startswith("_"))
        return f"{type(self).__name__}({settings})"


class RandomTransform(Transform):
    """A transform that draws random numbers.

    It draws from the generator that a loader hands over; outside a loader from its own if it has a ``seed``, else from a
    fresh one, so that ``np.random.seed`` governs.

    Examples:
        >>> class Jitter(RandomTransform):
        ...     def __call__(self, x):
        ...         return x + self.generator().standard_normal()
        >>> Jitter(seed=1)(2.0) == Jitter(seed=1)(2.0)
        True
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed
        self._own = None if seed is None else np.random.default_rng(seed)

    @property
    def random(self) -> bool:
        return True

    def generator(self, rng: np.random.Generator | None = None) -> np.random.Generator:
        """The generator to draw from now."""
        for candidate in (rng, _given.get(), self._own):
            if candidate is not None:
                return candidate
        return np.random.default_rng(fresh_seed())


def each(f: Callable[[Any], Any], xs: Any, rng: np.random.Generator | None = None) -> list[Any]:
    """``f`` of one sample after the other; an error in it tells the sample."""
    results = []
    with using_rng(rng):
        for i, x in enumerate(xs):
            try:
                results.append(f(x))
            except Exception as error:
                numbers = _numbers.get()
                error.add_note(f"while transforming sample {i if numbers is None else numbers[i]}")
                raise
    return results


def stack(values: Sequence[Any], indices: Sequence[int] | None = None) -> Any:
    """One array of samples of equal shape; what are no arrays or numbers (images, say) stay a list.

    Args:
        values: the samples.
        indices: their numbers in the data set, for the message.

    Raises:
        ShapeError: their shapes differ.
    """
    if not values:
        return np.empty((0,), np.float32)
    if not all(is_array(v) or isinstance(v, (bool, int, float, complex)) for v in values):
        return list(values)
    names: Any = _numbers.get() if indices is None else indices
    shape = getattr(values[0], "shape", ())
    for i, value in enumerate(values):
        if getattr(value, "shape", ()) != shape or arrays.foreign and device.apart(value, values[0]):
            first, other = (0, i) if names is None else (names[0], names[i])
            device.one_place("a batch", ((f"sample {first}", values[0]), (f"sample {other}", value)))
            if getattr(value, "shape", ()) == shape:  # a number beside a 0-d array
                continue
            raise ShapeError(f"sample {first} is {describe(values[0])} and sample {other} is {describe(value)}: "
                             "the samples of a batch need equal shapes; resize, crop or pad them in the transform")
    xp = array_module(values[0])
    return xp.stack(values) if shape or xp is not np else np.array(values)


def apply_batch(transform: Any, xs: Any, rng: np.random.Generator | None = None, indices: Any = None) -> Any:
    """A transform, or any function of one sample, on a whole batch; None gives ``xs`` itself.

    Args:
        transform: a Transform, a function of one sample, or None.
        xs: an array (N, ...), or a list of samples.
        rng: what random transforms draw from.
        indices: the samples' numbers in the data set, for messages.

    Examples:
        >>> import numpy as np
        >>> apply_batch(lambda x: x.sum(), np.ones((2, 3)))
        array([3., 3.])
    """
    if transform is None:
        return stack(xs, indices) if isinstance(xs, list) else xs
    if device.several:
        device.enter(xs)
    token = _numbers.set(_numbers.get() if indices is None else indices)
    try:
        batch = getattr(transform, "batch", None)
        return stack(each(transform, xs, rng)) if batch is None else batch(xs, rng)
    finally:
        _numbers.reset(token)


def is_random(transform: Any) -> bool:
    """May it draw random numbers? A function may, since it may call a random transform."""
    return transform is not None and bool(getattr(transform, "random", True))
