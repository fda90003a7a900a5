"""A photo or scan of a digit, made into the kind of image that models of MNIST or of UCI's digits were trained on."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from dezero.errors import FileFormatError, RangeError, ShapeError, describe

__all__ = ["prepare_digit"]

WORKING = 160   # pixels of the longer side while looking for the ink; more shows more of the paper and no more of the digit
COARSE = 16     # below it a whole pixel is too coarse a step for placing the digit
SMALLEST = 4    # an image with a shorter side holds no digit
EDGE, SOFT = 0.08, 0.03  # of the ink's depth, where an edge ends; of the image's side, how far it may lie from surer ink
FAINTEST = 0.06  # of the range from black to white: less contrast is no ink


def prepare_digit(image: Any, size: int | tuple[int, int] = (28, 28), invert: bool | str = "auto", fill: float = 20 / 28) -> np.ndarray:
    """Make a photo or scan of one digit into light ink on black, cropped, scaled and centred as MNIST's images are.

    The paper's brightness is estimated as a smooth surface and a blur that leave the ink out, and subtracted. What then stands out by
    Otsu's threshold (1979) is ink; specks are dropped. Its box is scaled so that it fills ``fill`` of the image, with its proportions kept,
    and its centre of mass is put in the middle, as LeCun et al. (1998) made MNIST.

    Args:
        image: a path, a PIL image of any mode, or an array (H, W), (1, H, W), (3, H, W), (H, W, 1), (H, W, 3) or (H, W, 4): bytes, 16-bit
            integers, bools, or floats in [0, 1] or [0, 255]. A photo is turned upright as its EXIF tag says; what is transparent shows white paper.
        size: height and width of the result, or both in one number.
        invert: True if the ink is dark, False if it is light, "auto" to find out.
        fill: share of the image that the longer side of the digit takes: 20 / 28 is MNIST's; for UCI's 8x8 digits give ``size=8, fill=1.0``
            and multiply the result by 16.

    Returns:
        (1, H, W) float32 in [0, 1], ink light.

    Raises:
        FileNotFoundError: there is no such file.
        FileFormatError: the file is no image, or a damaged one.
        ShapeError: the array is no image, or one of fewer than 4 pixels a side.
        RangeError: no ink is to be seen; or ``size``, ``fill`` or ``invert`` makes no sense.
        ImportError: Pillow is missing.

    Examples:
        >>> import numpy as np
        >>> paper = np.full((60, 50), 210, np.uint8)
        >>> paper[10:50, 20:26] = 40
        >>> x = prepare_digit(paper)
        >>> print(x.shape, x.dtype, x.max(), x[0, 6:22, 14].min() > 0.9, x[0, :3].max())
        (1, 28, 28) float32 1.0 True 0.0
    """
    height, width = _sizes(size, fill)
    if invert not in (True, False, "auto"):
        raise RangeError(f"prepare_digit: invert is {invert!r}: True, False or 'auto' is expected")
    dark = None if invert == "auto" else bool(invert)
    grey = _grey(image)
    if min(grey.shape) < SMALLEST:
        raise ShapeError(f"prepare_digit: the image has {grey.shape[0]} x {grey.shape[1]} pixels: at least {SMALLEST} x {SMALLEST} are expected")
    ink = _ink(_shrunk(grey), dark)
    near = _around(ink, grey.shape)
    if near[0].stop - near[0].start < 0.7 * len(grey) or near[1].stop - near[1].start < 0.7 * grey.shape[1]:  # a small digit on a large sheet
        ink = _ink(_shrunk(grey[near]), dark)
    return _placed(ink[_box(ink)], height, width, fill)[None]


def _sizes(size: int | tuple[int, int], fill: float) -> tuple[int, int]:
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < SMALLEST:
        raise RangeError(f"prepare_digit: size is {size}: at least {SMALLEST} pixels a side are expected")
    if not 0 < fill <= 1:
        raise RangeError(f"prepare_digit: fill is {fill}: a share in (0, 1] is expected")
    return height, width


def _grey(image: Any) -> np.ndarray:
    """The image as greys (H, W), float64, 0 black and 1 white.

    Raises:
        ImportError, FileNotFoundError, FileFormatError, ShapeError: as ``prepare_digit``.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise ImportError("prepare_digit needs Pillow: pip install 'dezero[plot]'") from error
    if not isinstance(image, (str, os.PathLike, Image.Image)):
        return _grey_array(np.asarray(image))
    try:
        if isinstance(image, Image.Image):
            return _grey_picture(ImageOps.exif_transpose(image))
        with Image.open(image) as opened:
            return _grey_picture(ImageOps.exif_transpose(opened))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"prepare_digit: there is no file {image!s}") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:  # Pillow's words for damaged files
        raise FileFormatError(f"prepare_digit: {image!s} cannot be read "
                              f"as an image ({error}): a PNG, JPEG or other picture is expected") from error


def _grey_picture(picture: Any) -> np.ndarray:
    """A PIL image of any mode as greys in [0, 1]."""
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return _grey_array(np.asarray(picture))
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        return _grey_array(np.asarray(picture.convert("RGBA")))
    return np.asarray(picture.convert("RGB").convert("L"), np.float64) / 255


def _grey_array(x: np.ndarray) -> np.ndarray:
    """An array as greys in [0, 1]; the weights of the colours are those of ITU-R BT.601."""
    if x.ndim == 3 and x.shape[0] in (1, 3) and x.shape[2] not in (1, 3, 4):
        x = x.transpose(1, 2, 0)
    if x.dtype.kind not in "biuf" or not x.size or x.ndim not in (2, 3) or (x.ndim == 3 and x.shape[2] not in (1, 3, 4)):
        raise ShapeError(f"prepare_digit: got {describe(x)}: an image (H, W), (C, H, W) or (H, W, C) with 1 or 3 channels is expected")
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        raise RangeError(f"prepare_digit: the image {describe(x)} holds NaN or infinity")
    largest, y = float(x.max()), x.astype(np.float64)
    if x.dtype == np.uint8:
        y = y / 255
    elif largest > 1:
        y = y / (255.0 if largest <= 255 else 65535.0 if largest <= 65535 else largest)
    if y.ndim == 2:
        return y
    if y.shape[2] == 4:
        y = y[..., :3] * y[..., 3:] + (1 - y[..., 3:])
    return y[..., 0] if y.shape[2] == 1 else y @ np.array([0.299, 0.587, 0.114])


def _shrunk(x: np.ndarray) -> np.ndarray:
    """A large image made smaller by means over pixels, which also takes the grain out of a photo."""
    ratio = WORKING / max(x.shape)
    return x if ratio >= 1 else _resized(x, max(1, round(ratio * x.shape[0])), max(1, round(ratio * x.shape[1])))


def _resized(x: np.ndarray, height: int, width: int) -> np.ndarray:
    from PIL import Image

    # Hamming's filter averages where it shrinks, nearly as sharp as bicubic and without its overshoot.
    picture = Image.fromarray(x.astype(np.float32)).resize((width, height), Image.Resampling.HAMMING)
    return np.asarray(picture, np.float64)


def _box(ink: np.ndarray) -> tuple[slice, slice]:
    """Where the ink is."""
    rows, cols = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(cols[0]), int(cols[-1]) + 1)


def _around(ink: np.ndarray, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The box of the ink with some paper around it, in an image of ``shape`` that ``ink`` is a smaller version of."""
    box = _box(ink)
    margin = 0.6 * max(part.stop - part.start for part in box)
    ends = [(max(0, part.start - margin) / n, min(n, part.stop + margin) / n) for part, n in zip(box, ink.shape, strict=True)]
    rows, cols = (slice(int(low * n), int(np.ceil(high * n))) for (low, high), n in zip(ends, shape, strict=True))
    return rows, cols


def _ink(grey: np.ndarray, dark: bool | None) -> np.ndarray:
    """The ink in [0, 1] on zeros.

    Raises:
        RangeError: none is to be seen.
    """
    paper = _paper(grey)
    flat = grey - paper
    smooth = _blur(flat, 1) if min(grey.shape) >= 48 else flat
    if dark is None:
        away = np.abs(smooth)
        dark = bool(smooth[away > _otsu(away)].sum() < 0)
    # Ink takes a share of the light, so in a shadow it stands out less: what it could change at most there is the measure.
    smooth = smooth / np.clip(paper if dark else 1 - paper, 0.2, 1)
    ink = np.maximum(-smooth if dark else smooth, 0)
    mask = ink > _otsu(ink)
    noise = float(smooth[~mask].std()) if not mask.all() else 0.0
    mask = _without_specks(mask)
    seen = float(ink[mask].mean()) if mask.any() else 0.0
    if seen < max(FAINTEST, 4 * noise):
        raise RangeError(f"prepare_digit: no digit is to be seen: what stands out most does so by {100 * seen:.0f} % of the way from black "
                         f"to white, with noise of {100 * noise:.0f} %; give a picture with one dark digit on light paper, or the reverse")
    full = float(np.median(ink[mask]))
    faint = ink > max(EDGE * full, 3 * noise)
    for _ in range(max(1, round(SOFT * max(grey.shape)))):  # soft edges and thin ends of the strokes, which lie below the threshold
        mask = mask | (_grown(mask) & faint)
    return np.minimum(np.where(mask, ink, 0) / full, 1)


def _paper(x: np.ndarray) -> np.ndarray:
    """The brightness that each pixel would have without ink."""
    values, counts = np.unique(np.round(x * 255), return_counts=True)
    usual = values[counts.argmax()] / 255
    rim = np.concatenate([x[0], x[-1], x[1:-1, 0], x[1:-1, -1]])
    if (np.abs(rim - usual) < 2 / 255).mean() > 0.8 or min(x.shape) < 16:
        return np.full(x.shape, usual if counts.max() > 0.3 * x.size else np.median(rim))
    kept = np.ones(x.shape, bool)
    surface = np.full(x.shape, np.median(x))
    for _ in range(6):  # the shading of the light: a quadratic surface through what is not ink
        rest = np.abs(x - surface)
        kept = rest <= _otsu(rest)
        surface = _surface(x, kept)
    rest = x - surface
    kept = ~_grown(np.abs(rest) > _otsu(np.abs(rest)))
    radius = max(2, max(x.shape) // 8)
    near = _blur(kept.astype(np.float64), radius)
    blurred = _blur(np.where(kept, rest, 0), radius) / np.maximum(near, 1e-3)  # what the surface missed: stains and soft shadows
    return np.asarray(surface + blurred * np.minimum(1, 5 * near))


def _surface(x: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The quadratic surface of least squares through the kept pixels."""
    v, u = np.meshgrid(np.linspace(-1, 1, x.shape[0]), np.linspace(-1, 1, x.shape[1]), indexing="ij")
    terms = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], -1)
    fitted, *_ = np.linalg.lstsq(terms[kept], x[kept], rcond=None)
    return np.asarray(terms @ fitted)


def _blur(x: np.ndarray, radius: int) -> np.ndarray:
    """Means over squares of ``2 * radius + 1`` pixels, by running sums; twice, which is close to a Gaussian. The rim is repeated."""
    n = 2 * radius + 1
    for axis in (0, 1, 0, 1):
        padded = np.pad(x, [(radius + 1, radius) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        sums = padded.cumsum(axis)
        x = np.asarray((sums[n:] - sums[:-n] if axis == 0 else sums[:, n:] - sums[:, :-n]) / n)
    return x


def _otsu(x: np.ndarray) -> float:
    """The threshold that parts values best into two classes, by the variance between them (Otsu, 1979)."""
    counts, edges = np.histogram(x, 256)
    share = counts / x.size
    below = share.cumsum()
    mean = (share * (edges[:-1] + edges[1:]) / 2).cumsum()
    apart = np.where((below > 0) & (below < 1 - 1e-12), (mean[-1] * below - mean) ** 2 / np.maximum(below * (1 - below), 1e-12), 0)
    best = np.flatnonzero(apart >= apart.max() * (1 - 1e-9))
    return float(edges[(best[0] + best[-1]) // 2 + 1])  # the middle of the gap if nothing lies between the classes


def _grown(mask: np.ndarray) -> np.ndarray:
    """The mask and its eight neighbours."""
    wide = np.pad(mask, 1)
    tall = wide[:-2] | wide[1:-1] | wide[2:]
    return np.asarray(tall[:, :-2] | tall[:, 1:-1] | tall[:, 2:])


def _without_specks(mask: np.ndarray) -> np.ndarray:
    """The mask without parts of less than a tenth of its largest part; a 5 keeps its stroke that hangs loose.

    What covers a whole side of the image is no ink but a shadow, or the edge of the sheet.
    """
    dense = _blur(mask.astype(np.float64), max(1, max(mask.shape) // 40))
    left, parts, largest = mask.copy(), [np.zeros_like(mask)], 1
    while left.sum() >= 0.1 * largest and len(parts) < 100:
        part = np.zeros_like(left)
        part[np.unravel_index(int(np.where(left, dense, -1).argmax()), left.shape)] = True  # large parts come first
        while True:  # grows as far as the ink reaches
            more = _grown(part) & left
            if (more == part).all():
                break
            part = more
        left &= ~part
        if max(side.mean() for side in (part[0], part[-1], part[:, 0], part[:, -1])) < 0.9:
            parts.append(part)
            largest = max(largest, int(part.sum()))
    return np.asarray(np.any([part for part in parts if part.sum() >= 0.1 * largest] or parts, axis=0))


def _placed(digit: np.ndarray, height: int, width: int, fill: float) -> np.ndarray:
    """The digit scaled into its share of the image, its centre of mass in the middle as far as it stays inside."""
    if min(height, width) < COARSE:  # the bits of a four times finer image, counted in blocks of 4 x 4, as UCI's digits were made
        return np.asarray(_placed(digit, 4 * height, 4 * width, fill).reshape(height, 4, width, 4).mean((1, 3)))
    h, w = digit.shape
    scale = min(fill * height / h, fill * width / w)
    small = np.clip(_resized(digit, max(1, min(height, round(scale * h))), max(1, min(width, round(scale * w)))), 0, 1)
    small = small / max(float(small.max()), 1e-6)
    out = np.zeros((height, width), np.float32)
    mass = small.sum()
    top = round(height / 2 - float((small.sum(1) * np.arange(len(small))).sum() / mass))
    left = round(width / 2 - float((small.sum(0) * np.arange(small.shape[1])).sum() / mass))
    top, left = min(max(top, 0), height - len(small)), min(max(left, 0), width - small.shape[1])
    out[top: top + len(small), left: left + small.shape[1]] = small
    return out
