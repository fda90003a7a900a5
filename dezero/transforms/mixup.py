"""Mixup: a transform of whole batches, inputs and labels together."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.backend import array_module
from dezero.core.checks import shown
from dezero.errors import InputTypeError, RangeError, ShapeError, describe
from dezero.transforms.base import RandomTransform
from dezero.transforms.images import like, working_dtype


class Mixup(RandomTransform):
    """Every sample of a batch mixed with another one of it, the labels in the same proportion.

    It works on whole batches, so it is no ``transform`` of a data set: ``DataLoader(..., batch_transform=Mixup(0.2, classes=10))``.
    The labels come out as probabilities, so that the loss has to take these.

    Source: Zhang, Cisse, Dauphin and Lopez-Paz, "mixup: beyond empirical risk minimization", ICLR 2018.

    Args:
        alpha: the share of a sample is drawn from the distribution Beta(alpha, alpha), for each sample.
        classes: the number of classes; needed where labels are class numbers.
        seed: see :class:`RandomTransform`.

    Examples:
        >>> import numpy as np
        >>> xs, ts = Mixup(0.4, classes=3, seed=0)(np.eye(3, dtype=np.float32), np.arange(3))
        >>> bool(np.allclose(xs, ts)), ts.dtype
        (True, dtype('float32'))
    """

    def __init__(self, alpha: float = 0.2, classes: int | None = None, seed: int | None = None) -> None:
        super().__init__(seed)
        if not 0 < alpha < np.inf:
            raise ValueError(f"Mixup: alpha is {shown(alpha)}: a positive number is expected")
        self.alpha = alpha
        self.classes = classes

    def __call__(self, xs: Any, ts: Any = None, rng: np.random.Generator | None = None) -> tuple[Any, Any]:
        """A batch mixed.

        Args:
            xs: (N, ...), floats or integers.
            ts: class numbers (N,), or floats (N, ...): probabilities or targets.
            rng: what to draw from.

        Raises:
            RangeError: a class number is out of range. On a device, where the host would have to wait for it, its row is NaN instead.

        Returns:
            ``xs`` in its dtype, and ``ts`` as float32 (N, classes) for class numbers, else in its shape and dtype.
        """
        if ts is None:
            raise InputTypeError("Mixup: a batch (xs, ts) with labels is expected; give it to the loader as batch_transform")
        if len(xs) != len(ts):
            raise ShapeError(f"Mixup: xs is {describe(xs)} and ts is {describe(ts)}: as many labels as samples are expected")
        rng = self.generator(rng)
        share = rng.beta(self.alpha, self.alpha, len(xs))
        partner = rng.permutation(len(xs))
        return _mixed(xs, share, partner), _mixed(self._soft(ts), share, partner)

    def batch(self, xs: Any, rng: np.random.Generator | None = None) -> Any:
        """Not for a data set's transform.

        Raises:
            InputTypeError: always.
        """
        raise InputTypeError("Mixup mixes whole batches with their labels: give it to the loader, DataLoader(..., batch_transform=Mixup(...))")

    def _soft(self, ts: Any) -> Any:
        """The labels as floats."""
        if ts.dtype.kind == "f":
            return ts
        if self.classes is None or ts.ndim != 1:
            raise InputTypeError(f"Mixup: ts is {describe(ts)}, classes is {self.classes}: "
                                 "class numbers (N,) with Mixup(classes=...), or floats, are expected")
        xp = array_module(ts)
        if xp is np and ts.size and (int(ts.min()) < 0 or int(ts.max()) >= self.classes):
            raise RangeError(f"Mixup: ts has values from {ts.min()} to {ts.max()}: class numbers from 0 to {self.classes - 1} are expected")
        soft = (ts[:, None] == xp.arange(self.classes)).astype(np.float32)
        if xp is np:
            return soft
        return xp.where(((ts < 0) | (ts >= self.classes))[:, None], np.float32("nan"), soft)  # no wait for the device: the loss will tell


def _mixed(a: Any, share: Any, partner: Any) -> Any:
    """share * a + (1 - share) * its partner, in the dtype of ``a``."""
    xp, dtype = array_module(a), working_dtype(a, "Mixup")
    weight = xp.asarray(share.reshape((-1,) + (1,) * (a.ndim - 1)).astype(dtype))
    y = a.astype(dtype)
    other = y[xp.asarray(partner)]
    y -= other
    y *= weight
    y += other
    return like(y, a)
