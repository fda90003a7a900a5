"""Transforms without chance: conversions between images and arrays, sizes, dtypes, scaling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from dezero.backend import array_module, is_array
from dezero.errors import InputTypeError, ShapeError, describe
from dezero.transforms.base import Transform, apply_batch, each, is_random, stack
from dezero.transforms.images import from_pil, height_width, is_pil, like, pil, to_pil
from dezero.transforms.resample import nearest, weights

FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}  # PIL's numbers


class Compose(Transform):
    """Several transforms, one after the other.

    Args:
        transforms: transforms, or functions of one sample.

    Examples:
        >>> import numpy as np
        >>> transform = Compose([Flatten(), ToFloat(), Normalize(0.0, 255.0)])
        >>> transform(np.full((1, 1, 2), 255, np.uint8))
        array([1., 1.], dtype=float32)
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]] = ()) -> None:
        self.transforms = list(transforms or ())

    @property
    def random(self) -> bool:
        return any(is_random(transform) for transform in self.transforms)

    def __call__(self, x: Any) -> Any:
        for transform in self.transforms:
            x = transform(x)
        return x

    def batch(self, xs: Any, rng: np.random.Generator | None = None) -> Any:
        """All transforms of a whole batch; ToFloat followed by Normalize works in one array, with the same result."""
        steps = iter(self.transforms)
        for step in steps:
            if not is_array(xs):  # images may differ in size until a later step
                return stack(each(Compose([step, *steps]), xs, rng))
            if isinstance(step, AsType):
                xs = step.batch(xs)
                for follower in steps:
                    if isinstance(follower, Normalize) and xs.dtype.kind == "f":
                        xs = follower.into(xs, xs, 1)
                    else:
                        step = follower
                        break
                else:
                    return xs
            xs = apply_batch(step, xs, rng)
        return xs


class Convert(Transform):
    """The mode of a PIL image changed: "RGB", "L" (grey), ...; "BGR" gives red and blue swapped.

    Args:
        mode: one of PIL's modes, or "BGR".

    Examples:
        >>> import numpy as np
        >>> Convert("L")(ToPIL()(np.zeros((3, 2, 2), np.uint8))).mode
        'L'
    """

    def __init__(self, mode: str = "RGB") -> None:
        self.mode = mode

    def __call__(self, image: Any) -> Any:
        if not is_pil(image):
            raise InputTypeError(f"Convert: x is {describe(image)}: a PIL image is expected; put ToPIL() before it")
        if self.mode != "BGR":
            return image.convert(self.mode)
        return pil().merge("RGB", image.convert("RGB").split()[::-1])


class Resize(Transform):
    """An image scaled to another size.

    Args:
        size: an int for both sides, or (width, height) as PIL has it.
        mode: "bilinear", "nearest", "bicubic", "lanczos", "box", "hamming", or PIL's constant. All but "nearest" take every
            pixel of the image into account.

    Examples:
        >>> import numpy as np
        >>> Resize((2, 1))(np.array([[0, 0, 4, 4], [0, 0, 4, 4]], np.uint8))
        array([[1, 3]], dtype=uint8)
    """

    def __init__(self, size: Any, mode: Any = "bilinear") -> None:
        height_width("Resize", size)
        if mode not in FILTERS and mode not in FILTERS.values():
            raise ValueError(f"Resize: mode is {mode!r}: one of {', '.join(map(repr, FILTERS))} is expected")
        self.size = size
        self.mode = mode

    def __call__(self, x: Any) -> Any:
        size, kind = height_width("Resize", self.size), FILTERS.get(self.mode, self.mode)
        if is_pil(x):
            return x.resize(size, kind)
        if not is_array(x) or x.ndim not in (2, 3):
            raise ShapeError(f"Resize: x is {describe(x)}: a PIL image or an array (C, H, W) or (H, W) is expected")
        if array_module(x) is not np:
            return self._on_device(x)
        planes = x if x.dtype == np.uint8 else x.astype(np.float32)
        scaled = [np.asarray(pil().fromarray(np.ascontiguousarray(plane)).resize(size, kind)) for plane in (planes if x.ndim == 3 else planes[None])]
        y = np.stack(scaled)
        y = y if y.dtype == x.dtype else like(y, x)
        return y if x.ndim == 3 else y[0]

    def batch(self, xs: Any, rng: np.random.Generator | None = None) -> Any:
        if not is_array(xs) or xs.ndim not in (3, 4):
            return super().batch(xs, rng)
        if not len(xs):
            return array_module(xs).empty((*xs.shape[:-2], *height_width("Resize", self.size)[::-1]), xs.dtype)
        return super().batch(xs, rng) if array_module(xs) is np else self._on_device(xs)

    def _on_device(self, x: Any) -> Any:
        """Images (..., H, W) on a device, all at once; values of bytes may differ by 1 from Pillow's."""
        (width, height), kind = height_width("Resize", self.size), FILTERS.get(self.mode, self.mode)
        h, w = x.shape[-2:]
        make = nearest if kind == FILTERS["nearest"] else partial(weights, kind)
        rows, columns = (self.constant(f"{kind} {a} {b}", x, partial(make, a, b)) for a, b in ((h, height), (w, width)))
        if kind == FILTERS["nearest"]:
            return x[..., rows[:, None], columns]
        xp = array_module(x)
        y = xp.matmul(x.astype(np.float32), columns.T)
        if x.dtype == np.uint8:  # Pillow keeps bytes between the two as well, which cuts off what swings over
            y = xp.clip(xp.rint(y), 0, 255)
        return like(xp.matmul(rows, y), x)


class CenterCrop(Transform):
    """The middle of an image.

    Args:
        size: an int for both sides, or (width, height) as PIL has it.

    Raises:
        ShapeError: the image is smaller.

    Examples:
        >>> import numpy as np
        >>> CenterCrop(1)(np.arange(9).reshape(3, 3))
        array([[4]])
    """

    def __init__(self, size: Any) -> None:
        height_width("CenterCrop", size)
        self.size = size

    def __call__(self, x: Any) -> Any:
        if is_pil(x):
            left, top, width, height = self._box(*x.size)
            return x.crop((left, top, left + width, top + height))
        if not is_array(x) or x.ndim not in (2, 3):
            raise ShapeError(f"CenterCrop: x is {describe(x)}: a PIL image or an array (C, H, W) or (H, W) is expected")
        return self._crop(x)

    def batch(self, xs: Any, rng: np.random.Generator | None = None) -> Any:
        return self._crop(xs) if is_array(xs) and xs.ndim in (3, 4) else stack(each(self, xs, rng))

    def _crop(self, xs: Any) -> Any:
        left, top, width, height = self._box(xs.shape[-1], xs.shape[-2])
        return xs[..., top:top + height, left:left + width].copy()

    def _box(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Left, top, width and height of the crop."""
        w, h = height_width("CenterCrop", self.size)
        if w > width or h > height:
            raise ShapeError(f"CenterCrop: the image is {width} wide and {height} high, the crop {w} and {h}: "
                             "put Resize before it, or choose a smaller size")
        return (width - w) // 2, (height - h) // 2, w, h


class ToArray(Transform):
    """A PIL image as an array (C, H, W); a grey one has C = 1. Arrays stay as they are.

    Args:
        dtype: of the array; the values stay 0..255.

    Examples:
        >>> import numpy as np
        >>> ToArray()(ToPIL()(np.full((1, 2, 3), 7, np.uint8))).shape
        (1, 2, 3)
    """

    def __init__(self, dtype: Any = np.float32) -> None:
        self.dtype = dtype

    def __call__(self, x: Any) -> Any:
        if is_array(x):
            return x
        if not is_pil(x):
            raise InputTypeError(f"ToArray: x is {describe(x)}: a PIL image or an array is expected")
        return from_pil(x).astype(self.dtype, copy=False)

    def batch(self, xs: Any, rng: np.random.Generator | None = None) -> Any:
        return xs if is_array(xs) else stack(each(self, xs, rng))


class ToPIL(Transform):
    """An array (C, H, W) with 1 to 4 channels, or (H, W), as a PIL image.

    Args:
        scale: what the values are multiplied with, before they are rounded and clipped to 0..255: 255 for an image in 0..1.

    Examples:
        >>> import numpy as np
        >>> ToPIL(scale=255)(np.ones((3, 4, 5), np.float32)).getpixel((0, 0))
        (255, 255, 255)
    """

    def __init__(self, scale: float = 1) -> None:
        self.scale = scale

    def __call__(self, x: Any) -> Any:
        return x if is_pil(x) else to_pil(x if self.scale == 1 or not is_array(x) else x * float(self.scale), "ToPIL")


class Normalize(Transform):
    """(x - mean) / std.

    Args:
        mean: a number, or one for each channel, the first axis of a sample.
        std: the same.

    Returns:
        The dtype of x if it is a float, else float32.

    Examples:
        >>> import numpy as np
        >>> Normalize([1.0, 2.0], 2.0)(np.array([[3.0], [4.0]], np.float32))
        array([[1.],
               [1.]], dtype=float32)
    """

    def __init__(self, mean: Any = 0, std: Any = 1) -> None:
        self.mean = mean
        self.std = std
        if not np.all(np.asarray(std, np.float64)):
            raise ValueError(f"Normalize: std is {std!r}: a division by zero; for a constant channel give std 1")

    def __call__(self, x: Any) -> Any:
        if is_pil(x):
            raise InputTypeError("Normalize: x is a PIL image: an array is expected; put ToArray() before it")
        x = x if is_array(x) else np.asarray(x)
        return self.into(x, None, 0)

    def batch(self, xs: Any, rng: np.random.Generator | None = None) -> Any:
        return self.into(xs, None, 1) if is_array(xs) else stack(each(self, xs, rng))

    def into(self, x: Any, out: Any, axis: int) -> Any:
        """The scaled values in ``out``, which may be ``x`` itself, or in a new array for None; ``axis`` is that of the channels."""
        xp = array_module(x)
        dtype = x.dtype if x.dtype.kind == "f" else np.dtype(np.float32)
        mean, std = (self._shaped(name, value, x, axis, dtype) for name, value in (("mean", self.mean), ("std", self.std)))
        if not (isinstance(mean, float) and mean == 0):
            x = out = xp.subtract(x, mean, out=out, dtype=dtype)
        return xp.true_divide(x, std, out=out, dtype=dtype)

    def _shaped(self, name: str, value: Any, x: Any, axis: int, dtype: Any) -> Any:
        """A number as a float, numbers for the channels as an array that fits ``x``."""
        if isinstance(value, (int, float)):
            return float(value)
        if array_module(value) is np and np.size(value) == 1:
            return float(np.asarray(value).reshape(()))
        if array_module(value) is not np:
            raise InputTypeError(f"Normalize: {name} is {describe(value)} on a device: numbers of the host are expected")
        values = np.asarray(value, dtype)
        if values.ndim != 1 or x.ndim <= axis or x.shape[axis] != len(values):
            raise ShapeError(f"Normalize: {name} has {values.size} values, and the sample is {tuple(x.shape[axis:])}: "
                             "one value, or one for each channel (the first axis) is expected")
        shape = (-1,) + (1,) * (x.ndim - axis - 1)
        return self.constant(f"{values.tobytes().hex()} {dtype} {shape}", x, lambda: values.reshape(shape))


class Flatten(Transform):
    """All values of a sample in one row.

    Examples:
        >>> import numpy as np
        >>> Flatten()(np.zeros((1, 28, 28))).shape, Flatten().batch(np.zeros((5, 1, 28, 28))).shape
        ((784,), (5, 784))
    """

    def __call__(self, x: Any) -> Any:
        if not hasattr(x, "flatten"):
            raise InputTypeError(f"Flatten: x is {describe(x)}: an array is expected{'; put ToArray() before it' if is_pil(x) else ''}")
        return x.flatten()

    def batch(self, xs: Any, rng: np.random.Generator | None = None) -> Any:
        """The rows of all samples (N, n), a view where NumPy can make one."""
        return xs.reshape(len(xs), int(np.prod(xs.shape[1:]))) if is_array(xs) else stack(each(self, xs, rng))


class AsType(Transform):
    """The values in another dtype, in a new array.

    Args:
        dtype: the dtype.

    Examples:
        >>> import numpy as np
        >>> AsType(np.int64)(np.array([1.5, 2.0]))
        array([1, 2])
    """

    def __init__(self, dtype: Any = np.float32) -> None:
        self.dtype = dtype

    def __call__(self, x: Any) -> Any:
        if is_pil(x):
            raise InputTypeError(f"{type(self).__name__}: x is a PIL image: an array is expected; put ToArray() before it")
        return x.astype(self.dtype) if is_array(x) else np.asarray(x).astype(self.dtype)

    def batch(self, xs: Any, rng: np.random.Generator | None = None) -> Any:
        return self(xs) if is_array(xs) else stack(each(self, xs, rng))


class ToFloat(AsType):
    """The values as floats, float32 unless told otherwise; they are not scaled.

    Examples:
        >>> import numpy as np
        >>> ToFloat()(np.array([255], np.uint8))
        array([255.], dtype=float32)
    """

    def __init__(self, dtype: Any = np.float32) -> None:
        super().__init__(dtype)


class ToInt(AsType):
    """The values as integers, int64 unless told otherwise; what is behind the point is cut off.

    Examples:
        >>> import numpy as np
        >>> ToInt()(np.array([1.9], np.float32))
        array([1])
    """

    def __init__(self, dtype: Any = np.int64) -> None:
        super().__init__(dtype)
