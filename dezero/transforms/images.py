"""Images as arrays: from PIL and back, the axes of channels, and sampling between pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.backend import array_module, as_numpy, is_array
from dezero.errors import DTypeError, InputTypeError, ShapeError, describe
from dezero.transforms.base import RandomTransform, each, stack

PIECE = 16_384  # pixels worked on at once: larger arrays leave the caches and get fresh pages each time, four times as slow
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def pil() -> Any:
    """PIL's module Image."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("images need Pillow: pip install 'dezero[plot]'") from error
    return Image


def is_pil(x: Any) -> bool:
    """Is it a PIL image? Answered without importing PIL."""
    return type(x).__module__.split(".")[0] == "PIL" and hasattr(x, "getbands")


def from_pil(image: Any) -> Any:
    """The pixels of a PIL image, (C, H, W), in a new array; palette images as RGB."""
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if image.mode == "PA" or "transparency" in image.info else "RGB")
    pixels = np.asarray(image)
    return np.array(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1), order="C")


def to_pil(x: Any, name: str) -> Any:
    """The PIL image of an array (C, H, W) or (H, W); what is not uint8 is rounded and clipped to 0..255."""
    if not is_array(x) or not (x.ndim == 2 or x.ndim == 3 and x.shape[0] in MODES):
        raise ShapeError(f"{name}: x is {describe(x)}: an image (C, H, W) with 1 to 4 channels, or (H, W), is expected")
    x = as_numpy(x[None] if x.ndim == 2 else x)
    pixels = x if x.dtype == np.uint8 else np.clip(np.rint(np.asarray(x, np.float32)), 0, 255).astype(np.uint8)
    return pil().fromarray(np.ascontiguousarray(pixels[0] if len(x) == 1 else pixels.transpose(1, 2, 0)))


def _pil_like(y: Any, image: Any, name: str) -> Any:
    """Pixels (C, H, W) that were made of an image's, as an image of its mode; of RGB or RGBA for one with a palette."""
    if y.dtype != np.uint8:
        return pil().fromarray(y[0])
    if len(y) != len(image.getbands()):
        return to_pil(y, name)
    return pil().merge(image.mode, [pil().fromarray(np.ascontiguousarray(plane)) for plane in y])


class RandomImageTransform(RandomTransform):
    """A random transform of images. A subclass writes ``images`` for arrays (N, C, H, W); dtype and range of the values stay."""

    def __call__(self, x: Any) -> Any:
        """The transform of one image: (C, H, W), (H, W) or a PIL image; the result is of the same kind.

        Raises:
            ShapeError: ``x`` is no image.
        """
        if is_pil(x):
            return _pil_like(self.images(from_pil(x)[None], self.generator())[0], x, type(self).__name__)
        if not is_array(x) or x.ndim not in (2, 3):
            raise ShapeError(f"{type(self).__name__}: x is {describe(x)}: an image (C, H, W) or (H, W) is expected; use it before Flatten")
        y = self.images(x[(None,) * (4 - x.ndim)], self.generator())[0]
        return y[0] if x.ndim == 2 else y

    def batch(self, xs: Any, rng: np.random.Generator | None = None) -> Any:
        """The transforms of all images of a batch, at once.

        Args:
            xs: (N, C, H, W), (N, H, W), or a list of images.
            rng: what to draw from.

        Raises:
            ShapeError: ``xs`` is no batch of images.
        """
        if not is_array(xs):
            return stack(each(self, xs, rng))
        if xs.ndim not in (3, 4):
            raise ShapeError(f"{type(self).__name__}: xs is {describe(xs)}: images (N, C, H, W) or (N, H, W) are expected; use it before Flatten")
        if not len(xs):
            return xs
        ys = self.images(xs if xs.ndim == 4 else xs[:, None], self.generator(rng))
        return ys if xs.ndim == 4 else ys[:, 0]

    def images(self, xs: Any, rng: np.random.Generator) -> Any:
        """The transforms of images (N, C, H, W), each with random numbers of its own, as a new array."""
        raise NotImplementedError(f"{type(self).__name__} has no images(self, xs, rng)")


def working_dtype(x: Any, name: str) -> Any:
    """The float dtype to compute in: that of the values, at least float32.

    Raises:
        DTypeError: the values are neither real numbers nor bools.
    """
    if x.dtype.kind not in "fiub":
        raise DTypeError(f"{name}: the image is {describe(x)}: floats or integers are expected")
    return np.dtype(np.float64 if x.dtype.kind in "iu" and x.dtype.itemsize > 2 or x.dtype == np.float64 else np.float32)


def like(y: Any, x: Any) -> Any:
    """Floats ``y`` in the dtype of ``x``: rounded and clipped to its range for integers and bools."""
    if x.dtype.kind == "f":
        return y.astype(x.dtype, copy=False)
    low, high = (0, 1) if x.dtype.kind == "b" else (np.iinfo(x.dtype).min, np.iinfo(x.dtype).max)
    xp = array_module(y)
    return xp.clip(xp.rint(y), low, high).astype(x.dtype)


def pixel(value: float, x: Any) -> Any:
    """A number in the dtype of the pixels ``x``: rounded and clipped to its range for integers and bools."""
    return like(np.asarray(value, np.float64), x)[()]


def full_scale(x: Any) -> float:
    """The value of white: 1 for floats, the largest value for integers."""
    return 1.0 if x.dtype.kind in "fb" else float(np.iinfo(x.dtype).max)


def affine(xs: Any, matrices: Any, fill: float, name: str) -> Any:
    """Images drawn from other places of themselves, with bilinear interpolation.

    The pixel at offset (y, x) from the centre of a result is taken at offset ``matrix @ (y, x)`` of the image; beyond its
    edges lies ``fill``.

    Args:
        xs: (N, C, H, W).
        matrices: (N, 2, 2), on the host.
        fill: the value outside.
        name: the transform, for messages.

    Returns:
        The shape and dtype of ``xs``.
    """
    dtype = working_dtype(xs, name)
    matrices = array_module(xs).asarray(matrices.astype(dtype))
    step = max(1, PIECE // max(1, xs[0].size)) if isinstance(xs, np.ndarray) else len(xs)
    ys = array_module(xs).empty_like(xs)
    for i in range(0, len(xs), step):
        ys[i:i + step] = _affine(xs[i:i + step], matrices[i:i + step], fill)
    return ys


def _affine(xs: Any, matrices: Any, fill: float) -> Any:
    """The result of :func:`affine`, computed in the dtype of ``matrices``, for as many images as caches hold."""
    xp, (n, c, h, w) = array_module(xs), xs.shape
    (top, wy), (left, wx) = (_corners(matrices, h, w, axis) for axis in (0, 1))
    plane = (h + 2) * (w + 2)
    planes = xp.arange(n * c).reshape(n, c, 1, 1) * plane
    first, wy, wx = (top * (w + 2) + left)[:, None] + planes, wy[:, None], wx[:, None]
    ringed = xp.full((n, c, h + 2, w + 2), fill, matrices.dtype)
    ringed[:, :, 1:-1, 1:-1] = xs
    flat = ringed.reshape(-1)
    upper, lower = (_between(flat, first + row, wx) for row in (0, w + 2))
    lower -= upper
    lower *= wy
    upper += lower
    return like(upper, xs)


def _corners(matrices: Any, h: int, w: int, axis: int) -> tuple[Any, Any]:
    """Along one axis: the last pixel before each place, and the way on from it, both (N, H, W).

    Pixels are counted with a ring of fill around the image; what lies further out is moved onto that.
    """
    xp = array_module(matrices)
    y = xp.arange(h, dtype=matrices.dtype)[:, None] - (h - 1) / 2
    x = xp.arange(w, dtype=matrices.dtype) - (w - 1) / 2
    size = (h, w)[axis]
    place = matrices[:, axis, 0, None, None] * y + matrices[:, axis, 1, None, None] * x
    place += (size + 1) / 2
    xp.clip(place, 0, size + 1, out=place)
    corner = xp.minimum(place.astype(np.intp), size)
    place -= corner.astype(place.dtype)
    return corner, place


def _between(flat: Any, left: Any, weight: Any) -> Any:
    """Values between the pixels ``left`` and their right neighbours."""
    a, b = flat.take(left), flat.take(left + 1)
    b -= a
    b *= weight
    a += b
    return a


def height_width(name: str, size: Any) -> tuple[int, int]:
    """A size as (height, width): from an int or a pair of them.

    Raises:
        InputTypeError: it is neither.
    """
    pair = (size, size) if isinstance(size, (int, np.integer)) else size
    if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not all(isinstance(v, (int, np.integer)) and v > 0 for v in pair):
        raise InputTypeError(f"{name}: size is {size!r}: a positive int or a pair of them is expected")
    return int(pair[0]), int(pair[1])
