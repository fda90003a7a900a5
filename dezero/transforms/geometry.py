"""Random transforms that move pixels: flips, crops, shifts, rotations, zooms."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.backend import array_module
from dezero.core.checks import fraction, shown
from dezero.errors import ShapeError, describe
from dezero.transforms.images import RandomImageTransform, affine, height_width, pixel


class _RandomFlip(RandomImageTransform):
    """Images turned around along one axis, each with a probability."""

    axis = 3

    def __init__(self, p: float = 0.5, seed: int | None = None) -> None:
        super().__init__(seed)
        self.p = fraction(type(self).__name__, "p", p)

    def images(self, xs: Any, rng: np.random.Generator) -> Any:
        xp = array_module(xs)
        chosen = xp.asarray(np.flatnonzero(rng.random(len(xs)) < self.p))
        ys = xs.copy()
        ys[chosen] = xp.flip(xs[chosen], self.axis)
        return ys


class RandomHorizontalFlip(_RandomFlip):
    """Left and right swapped with probability ``p``.

    Examples:
        >>> import numpy as np
        >>> RandomHorizontalFlip(1.0, seed=0)(np.array([[1, 2], [3, 4]]))
        array([[2, 1],
               [4, 3]])
    """


class RandomVerticalFlip(_RandomFlip):
    """Top and bottom swapped with probability ``p``.

    Examples:
        >>> import numpy as np
        >>> RandomVerticalFlip(1.0, seed=0)(np.array([[1, 2], [3, 4]]))
        array([[3, 4],
               [1, 2]])
    """

    axis = 2


class RandomCrop(RandomImageTransform):
    """A part of the image, at a random place.

    Args:
        size: an int for both sides, or (height, width).
        pad: pixels added on every side before; an int or (vertical, horizontal).
        fill: their value.
        seed: see :class:`RandomTransform`.

    Raises:
        ShapeError: the padded image is smaller than the part.

    Examples:
        >>> import numpy as np
        >>> RandomCrop(28, pad=4, seed=0)(np.zeros((3, 28, 28), np.uint8)).shape
        (3, 28, 28)
    """

    def __init__(self, size: Any, pad: Any = 0, fill: float = 0, seed: int | None = None) -> None:
        super().__init__(seed)
        height_width("RandomCrop", size)
        self.size = size
        self.pad = pair_of_counts("RandomCrop", "pad", pad)
        self.fill = fill

    def images(self, xs: Any, rng: np.random.Generator) -> Any:
        return random_windows(xs, height_width("RandomCrop", self.size), self.pad, self.fill, rng, "RandomCrop")


class RandomShift(RandomImageTransform):
    """The image moved by whole pixels.

    Args:
        pixels: the most that it moves either way; an int or (vertical, horizontal).
        fill: the value of what comes in at the edges.
        seed: see :class:`RandomTransform`.

    Examples:
        >>> import numpy as np
        >>> x = np.zeros((5, 5), np.float32)
        >>> x[2, 2] = 1
        >>> y = RandomShift(2, seed=0)(x)
        >>> y.sum(), y.shape
        (np.float32(1.0), (5, 5))
    """

    def __init__(self, pixels: Any = 2, fill: float = 0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.pixels = pair_of_counts("RandomShift", "pixels", pixels)
        self.fill = fill

    def images(self, xs: Any, rng: np.random.Generator) -> Any:
        return random_windows(xs, xs.shape[2:], self.pixels, self.fill, rng, "RandomShift")


class RandomRotation(RandomImageTransform):
    """The image turned around its centre, with bilinear interpolation.

    Args:
        degrees: the largest angle either way, or a pair (smallest, largest); positive angles turn counterclockwise.
        fill: the value of what comes in at the edges.
        seed: see :class:`RandomTransform`.

    Examples:
        >>> import numpy as np
        >>> RandomRotation((90, 90), seed=0)(np.array([[1, 2], [3, 4]], np.uint8))
        array([[2, 4],
               [1, 3]], dtype=uint8)
    """

    def __init__(self, degrees: Any = 15.0, fill: float = 0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.degrees = interval("RandomRotation", "degrees", degrees,
                                (-degrees, degrees) if isinstance(degrees, (int, float, np.number)) else degrees)
        self.fill = fill

    def images(self, xs: Any, rng: np.random.Generator) -> Any:
        angle = np.deg2rad(rng.uniform(*self.degrees, len(xs)))
        cos, sin = np.cos(angle), np.sin(angle)
        matrices = np.array([[cos, sin], [-sin, cos]]).transpose(2, 0, 1)
        # A right angle must hit the pixels: rounding errors of 1e-15 would move places at the edges outside.
        return affine(xs, np.where(abs(matrices) < 1e-12, 0, matrices), self.fill, "RandomRotation")


class RandomZoom(RandomImageTransform):
    """The image made larger or smaller around its centre, with bilinear interpolation; its size stays.

    Args:
        scale: the range of the factor, (smallest, largest); above 1 things look larger.
        fill: the value of what comes in at the edges.
        seed: see :class:`RandomTransform`.

    Examples:
        >>> import numpy as np
        >>> RandomZoom((2, 2), seed=0)(np.array([[0, 0, 0], [0, 8, 0], [0, 0, 0]], np.uint8))
        array([[2, 4, 2],
               [4, 8, 4],
               [2, 4, 2]], dtype=uint8)
    """

    def __init__(self, scale: tuple[float, float] = (0.9, 1.1), fill: float = 0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.scale = interval("RandomZoom", "scale", scale, scale)
        self.fill = fill
        if self.scale[0] <= 0:
            raise ValueError(f"RandomZoom: scale is {shown(scale)}: positive factors are expected")

    def images(self, xs: Any, rng: np.random.Generator) -> Any:
        factor = rng.uniform(*self.scale, len(xs))
        return affine(xs, np.eye(2) / factor[:, None, None], self.fill, "RandomZoom")


def random_windows(xs: Any, size: tuple[int, int], pad: tuple[int, int], fill: float, rng: np.random.Generator, name: str) -> Any:
    """A window of ``size`` at a random place of every image, after padding."""
    xp, (n, c, h, w), (py, px) = array_module(xs), xs.shape, pad
    if size[0] > h + 2 * py or size[1] > w + 2 * px:
        raise ShapeError(f"{name}: the images are {describe(xs)}, with padding {h + 2 * py} x {w + 2 * px}: smaller than the crop "
                         f"{size[0]} x {size[1]}; choose a smaller size or more padding")
    if py or px:
        padded = xp.full((n, c, h + 2 * py, w + 2 * px), pixel(fill, xs), xs.dtype)
        padded[:, :, py:py + h, px:px + w] = xs
        xs = padded
    windows = xp.lib.stride_tricks.sliding_window_view(xs, size, axis=(2, 3))
    top = rng.integers(0, windows.shape[2], n)
    left = rng.integers(0, windows.shape[3], n)
    return windows[xp.arange(n), :, xp.asarray(top), xp.asarray(left)]


def pair_of_counts(name: str, what: str, value: Any) -> tuple[int, int]:
    """(vertical, horizontal) from an int or a pair of them, not negative."""
    pair = (value, value) if isinstance(value, (int, np.integer)) else value
    if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not all(isinstance(v, (int, np.integer)) and v >= 0 for v in pair):
        raise ValueError(f"{name}: {what} is {shown(value)}: an int or a pair of them, not negative, is expected")
    return int(pair[0]), int(pair[1])


def interval(name: str, what: str, value: Any, pair: Any) -> tuple[float, float]:
    """(smallest, largest) of two numbers in this order."""
    try:
        low, high = map(float, pair)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: {what} is {shown(value)}: a pair (smallest, largest) of numbers is expected") from None
    if not -np.inf < low <= high < np.inf:
        raise ValueError(f"{name}: {what} is {shown(value)}: the smallest must come first, and both must be finite")
    return low, high
