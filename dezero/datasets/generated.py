"""Data sets out of formulas: the spiral and the sine curve."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.datasets.dataset import Dataset, Transforming

POINTS, CLASSES = 100, 3


def get_spiral(train: bool = True) -> tuple[Any, Any]:
    """Three spiral arms of 100 points each, shuffled; the same points every time.

    Point i of class c lies at radius i / 100 and angle 4 c + 4 i / 100 + 0.2 z with z from a normal distribution.

    Args:
        train: the points drawn with the book's seed for training, 1984, or those with its seed for testing, 2020.

    Returns:
        x (300, 2) float32 and t (300,) int64. NumPy's global random state is left alone.

    Examples:
        >>> x, t = get_spiral()
        >>> x.shape, x.dtype, np.bincount(t)
        ((300, 2), dtype('float32'), array([100, 100, 100]))
    """
    rng = np.random.RandomState(1984 if train else 2020)
    radius = np.tile(np.arange(POINTS) / POINTS, CLASSES)
    label = np.repeat(np.arange(CLASSES, dtype=np.int64), POINTS)
    angle = label * 4.0 + 4.0 * radius + rng.standard_normal(len(label)) * 0.2
    x = np.stack([radius * np.sin(angle), radius * np.cos(angle)], 1).astype(np.float32)
    order = rng.permutation(len(label))
    return x[order], label[order]


class Spiral(Dataset):
    """The points of :func:`get_spiral`: data (300, 2) float32, label (300,) int64, 3 classes.

    Args:
        train: the points to train on, or those to test on.
        transform: a transform or function for one point.
        target_transform: the same for one label.

    Examples:
        >>> len(Spiral()), Spiral(train=False)[0][0].shape
        (300, (2,))
    """

    def prepare(self) -> None:
        """Compute the points."""
        self.data, self.label = get_spiral(self.train)


class SinCurve(Dataset):
    """A curve and its next values: data (999, 1) and label (999, 1), float64, where label[i] is data[i + 1].

    The 1,000 places lie evenly on [0, 2 pi]. To train on there is the sine with noise from [-0.05, 0.05), to test on the
    cosine without noise.

    Args:
        train: the noisy sine, or the cosine.
        transform: a transform or function for one value (1,).
        target_transform: the same for the next value.
        seed: fixes the noise; None draws it from NumPy's global state.

    Examples:
        >>> curve = SinCurve(train=False)
        >>> curve.data.shape, (curve.label[:-1] == curve.data[1:]).all()
        ((999, 1), np.True_)
    """

    def __init__(self, train: bool = True, transform: Transforming = None, target_transform: Transforming = None, seed: int | None = None) -> None:
        self.seed = seed
        super().__init__(train, transform, target_transform)

    def prepare(self) -> None:
        """Compute the curve."""
        x = np.linspace(0, 2 * np.pi, 1000)
        if self.train:
            uniform = np.random.uniform if self.seed is None else np.random.default_rng(self.seed).uniform
            y = np.sin(x) + uniform(-0.05, 0.05, x.shape)
        else:
            y = np.cos(x)
        self.data, self.label = y[:-1, None], y[1:, None]


__all__ = ["SinCurve", "Spiral", "get_spiral"]
