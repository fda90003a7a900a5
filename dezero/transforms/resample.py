"""Images scaled to another size by products with two matrices, as Pillow defines its filters: for arrays on a device, which Pillow cannot read."""

from __future__ import annotations

from typing import Any

import numpy as np


def _cubic(x: Any) -> Any:
    """The piecewise cubic of Keys (1981) with a = -1/2."""
    x = abs(x)
    return np.where(x < 1, (1.5 * x - 2.5) * x * x + 1, np.where(x < 2, ((2.5 - 0.5 * x) * x - 4) * x + 2, 0))


# By Pillow's numbers: how far a filter reaches, and its value at a distance, both in pixels of the coarser image.
FILTERS: dict[int, tuple[float, Any]] = {
    1: (3, lambda x: np.where(abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)),
    2: (1, lambda x: np.maximum(1 - abs(x), 0)),
    3: (2, _cubic),
    4: (0.5, lambda x: ((x > -0.5) & (x <= 0.5)).astype(float)),
    5: (1, lambda x: np.where(abs(x) < 1, np.sinc(x) * (0.54 + 0.46 * np.cos(np.pi * x)), 0)),
}


def nearest(before: int, after: int) -> Any:
    """Along an axis: which pixel each of the new ones is (after,). The places are summed up, as Pillow does, which decides at the edges of pixels."""
    step = before / after
    return np.add.accumulate(np.array([step / 2] + [step] * (after - 1))).astype(np.intp)


def weights(kind: int, before: int, after: int) -> Any:
    """Along an axis: the share that each pixel has in each new one, (after, before) float32.

    Where the image gets smaller, the filter is stretched over all pixels that fall together. What of it lies beyond the edge is left out.
    """
    reach, value = FILTERS[kind]
    scale = before / after
    stretch = max(scale, 1)
    centres = (np.arange(after) + 0.5) * scale
    first = np.maximum((centres - reach * stretch + 0.5).astype(int), 0)
    last = np.minimum((centres + reach * stretch + 0.5).astype(int), before)
    pixels = np.arange(before)
    shares = value((pixels - centres[:, None] + 0.5) / stretch)
    shares = np.where((pixels >= first[:, None]) & (pixels < last[:, None]), shares, 0)
    return (shares / shares.sum(1, keepdims=True)).astype(np.float32)
