"""Random transforms that change values: noise, brightness, contrast, rectangles wiped out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dezero.backend import array_module
from dezero.core.checks import fraction, shown
from dezero.transforms.geometry import interval
from dezero.transforms.images import RandomImageTransform, full_scale, height_width, like, pixel, working_dtype


class _RandomValues(RandomImageTransform):
    """New values for all pixels; integers stay in the range of their dtype, floats in ``clip`` if that is given."""

    def __init__(self, clip: tuple[float, float] | None, seed: int | None) -> None:
        super().__init__(seed)
        self.clip = None if clip is None else interval(type(self).__name__, "clip", clip, clip)

    def images(self, xs: Any, rng: np.random.Generator) -> Any:
        ys = self.values(xs, xs.astype(working_dtype(xs, type(self).__name__)), rng)
        if self.clip is not None:
            ys = array_module(ys).clip(ys, *self.clip)
        return like(ys, xs)

    def values(self, xs: Any, ys: Any, rng: np.random.Generator) -> Any:
        """The new values; ``ys`` are the pixels ``xs`` as floats, in an array that may be changed."""
        raise NotImplementedError


class RandomNoise(_RandomValues):
    """Normally distributed noise on every pixel.

    Args:
        std: its standard deviation as a share of white: 1 for floats, 255 for uint8.
        clip: (smallest, largest) value that floats may take; None leaves them.
        seed: see :class:`RandomTransform`.

    Examples:
        >>> import numpy as np
        >>> RandomNoise(0.1, seed=0)(np.full((1, 1, 3), 128, np.uint8))
        array([[[156,  93, 117]]], dtype=uint8)
    """

    def __init__(self, std: float = 0.05, clip: tuple[float, float] | None = None, seed: int | None = None) -> None:
        super().__init__(clip, seed)
        if not 0 <= std < np.inf:
            raise ValueError(f"RandomNoise: std is {shown(std)}: a finite number, not negative, is expected")
        self.std = std

    def values(self, xs: Any, ys: Any, rng: np.random.Generator) -> Any:
        noise = rng.standard_normal(ys.shape, ys.dtype)
        noise *= self.std * full_scale(xs)
        ys += array_module(ys).asarray(noise)
        return ys


class RandomBrightness(_RandomValues):
    """All values of an image times one factor.

    Args:
        amount: the factor is uniform from 1 - amount to 1 + amount.
        clip: (smallest, largest) value that floats may take; None leaves them.
        seed: see :class:`RandomTransform`.

    Examples:
        >>> import numpy as np
        >>> y = RandomBrightness(0.2, seed=0)(np.full((1, 2, 2), 100, np.uint8))
        >>> y.dtype, bool((y == y[0, 0, 0]).all() and 80 <= y[0, 0, 0] <= 120)
        (dtype('uint8'), True)
    """

    def __init__(self, amount: float = 0.2, clip: tuple[float, float] | None = None, seed: int | None = None) -> None:
        super().__init__(clip, seed)
        self.amount = fraction(type(self).__name__, "amount", amount)

    def factors(self, ys: Any, rng: np.random.Generator) -> Any:
        """One factor for each image, (N, 1, 1, 1)."""
        factor = rng.uniform(1 - self.amount, 1 + self.amount, (len(ys), 1, 1, 1))
        return array_module(ys).asarray(factor.astype(ys.dtype))

    def values(self, xs: Any, ys: Any, rng: np.random.Generator) -> Any:
        ys *= self.factors(ys, rng)
        return ys


class RandomContrast(RandomBrightness):
    """The distances of all values from the image's mean times one factor.

    Args:
        amount: the factor is uniform from 1 - amount to 1 + amount.
        clip: (smallest, largest) value that floats may take; None leaves them.
        seed: see :class:`RandomTransform`.

    Examples:
        >>> import numpy as np
        >>> y = RandomContrast(0.5, seed=0)(np.array([[0.0, 1.0]], np.float32))
        >>> bool(abs(y.mean() - 0.5) < 1e-6 and 0.5 <= y[0, 1] - y[0, 0] <= 1.5)
        True
    """

    def values(self, xs: Any, ys: Any, rng: np.random.Generator) -> Any:
        mean = ys.mean(axis=(1, 2, 3), keepdims=True)
        ys -= mean
        ys *= self.factors(ys, rng)
        ys += mean
        return ys


class RandomErase(RandomImageTransform):
    """A rectangle of random place, size and shape wiped out.

    Source: Zhong, Zheng, Kang, Li and Yang, "Random erasing data augmentation", AAAI 2020.

    Args:
        p: the probability that an image loses a rectangle.
        area: its share of the image, (smallest, largest).
        ratio: its height divided by its width, (smallest, largest), uniform on a logarithmic scale; sides end at those of the image.
        value: what is put there.
        seed: see :class:`RandomTransform`.

    Examples:
        >>> import numpy as np
        >>> y = RandomErase(1.0, area=(0.25, 0.25), ratio=(1, 1), seed=0)(np.ones((1, 8, 8), np.float32))
        >>> int((y == 0).sum())
        16
    """

    def __init__(self, p: float = 0.5, area: tuple[float, float] = (0.02, 0.33), ratio: tuple[float, float] = (0.3, 3.3), value: float = 0,
                 seed: int | None = None) -> None:
        super().__init__(seed)
        self.p = fraction("RandomErase", "p", p)
        self.area = interval("RandomErase", "area", area, area)
        self.ratio = interval("RandomErase", "ratio", ratio, ratio)
        self.value = value
        if self.area[0] < 0 or self.area[1] > 1 or self.ratio[0] <= 0:
            raise ValueError(f"RandomErase: area is {shown(area)}, ratio is {shown(ratio)}: shares from 0 to 1 and positive ratios are expected")

    def images(self, xs: Any, rng: np.random.Generator) -> Any:
        n, _, h, w = xs.shape
        chosen = rng.random(n) < self.p
        area = rng.uniform(*self.area, n) * h * w
        ratio = np.exp(rng.uniform(math.log(self.ratio[0]), math.log(self.ratio[1]), n))
        height = np.clip(np.rint(np.sqrt(area * ratio)), 1, h) * chosen
        width = np.clip(np.rint(np.sqrt(area / ratio)), 1, w)
        top = np.floor(rng.random(n) * (h - height + 1))
        left = np.floor(rng.random(n) * (w - width + 1))
        return wiped(xs, top, top + height, left, left + width, self.value)


class Cutout(RandomImageTransform):
    """A square around a random pixel wiped out; what lies beyond the edges of the image is lost.

    Source: DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout", 2017.

    Args:
        size: an int for both sides, or (height, width).
        value: what is put there.
        seed: see :class:`RandomTransform`.

    Examples:
        >>> import numpy as np
        >>> y = Cutout(4, seed=0)(np.ones((1, 8, 8), np.float32))
        >>> 4 <= int((y == 0).sum()) <= 16
        True
    """

    def __init__(self, size: Any, value: float = 0, seed: int | None = None) -> None:
        super().__init__(seed)
        height_width("Cutout", size)
        self.size = size
        self.value = value

    def images(self, xs: Any, rng: np.random.Generator) -> Any:
        (n, _, h, w), (height, width) = xs.shape, height_width("Cutout", self.size)
        top = rng.integers(0, h, n) - height // 2
        left = rng.integers(0, w, n) - width // 2
        return wiped(xs, top, top + height, left, left + width, self.value)


def wiped(xs: Any, top: Any, bottom: Any, left: Any, right: Any, value: float) -> Any:
    """A copy of the images with ``value`` in one rectangle of each; its bounds are vectors (N,)."""
    xp, rows, columns = array_module(xs), np.arange(xs.shape[2]), np.arange(xs.shape[3])
    inside = (((rows >= top[:, None]) & (rows < bottom[:, None]))[:, :, None]
              & ((columns >= left[:, None]) & (columns < right[:, None]))[:, None, :])
    return xp.where(xp.asarray(inside[:, None]), pixel(value, xs), xs)
