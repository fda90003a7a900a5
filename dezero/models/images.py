"""Photographs as the networks for ImageNet expect them."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.errors import InputTypeError, describe

# Means over ImageNet of blue, green and red in 0..255, as the Caffe models of VGG and ResNet subtract them.
BGR_MEAN = (103.939, 116.779, 123.68)
# Means and standard deviations over ImageNet of red, green and blue in 0..1, as torchvision documents them.
RGB_MEAN, RGB_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def prepared(image: Any, size: tuple[int, int] | None, dtype: Any, style: str) -> Any:
    """The array (3, H, W) that networks of a style expect; see :meth:`VGG16.preprocess`.

    Raises:
        ValueError: an unknown style.
    """
    styles = {"caffe": caffe_image, "torchvision": torchvision_image}
    if style not in styles:
        raise ValueError(f"preprocess: style is {style!r}: one of {', '.join(styles)} is expected")
    return np.ascontiguousarray(styles[style](rgb(image, size)).transpose(2, 0, 1), dtype)


def rgb(image: Any, size: tuple[int, int] | None) -> Any:
    """The image as float32 (H, W, 3) in 0..255, resized.

    Raises:
        InputTypeError: neither a PIL image nor an array (H, W), (H, W, 3) or (H, W, 4) of uint8.
        ImportError: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("preprocess needs Pillow: pip install 'dezero[plot]'") from error
    if isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.size and (image.ndim == 2 or image.ndim == 3 and image.shape[2] in (3, 4)):
        image = Image.fromarray(image)
    if not isinstance(image, Image.Image):
        raise InputTypeError(f"preprocess: image is {describe(image)}: a PIL image or a uint8 array (H, W, 3), (H, W, 4) or (H, W) is expected")
    image = image.convert("RGB")
    if size is not None:
        image = image.resize(size)
    return np.asarray(image, np.float32)


def caffe_image(pixels: Any) -> Any:
    """Blue, green and red in 0..255 less their means."""
    return pixels[:, :, ::-1] - np.array(BGR_MEAN, np.float32)


def torchvision_image(pixels: Any) -> Any:
    """Red, green and blue in 0..1 less their means, divided by their standard deviations."""
    return (pixels / 255 - np.array(RGB_MEAN, np.float32)) / np.array(RGB_STD, np.float32)
