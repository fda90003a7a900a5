"""Images as VGG16, ResNet and SqueezeNet expect them."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from dezero.errors import InputTypeError
from dezero.models import VGG16, ResNet, SqueezeNet

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
RED = (200, 100, 50)  # red, green, blue
BGR = np.array([50 - 103.939, 100 - 116.779, 200 - 123.68], np.float32)  # the means that the book's code subtracts
RGB = (np.array(RED) / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]


def red(mode: str) -> Any:
    image = Image.new("RGB", (6, 8), RED)
    return image.convert(mode)


@pytest.mark.parametrize("model", [VGG16, ResNet])
@pytest.mark.parametrize("image", [red("RGB"), red("RGBA"), np.asarray(red("RGB")), np.asarray(red("RGBA"))], ids=["RGB", "RGBA", "array", "array4"])
def test_the_default_is_blue_green_red_less_the_means(model: Any, image: Any) -> None:
    x = model.preprocess(image)
    assert x.shape == (3, 224, 224) and x.dtype == np.float32 and x.flags.c_contiguous
    np.testing.assert_allclose(x[:, 100, 100], BGR, atol=1e-4)
    np.testing.assert_allclose(x, np.broadcast_to(BGR[:, None, None], x.shape), atol=1e-4)


@pytest.mark.parametrize("image", [Image.new("L", (6, 8), 90), np.full((8, 6), 90, np.uint8)], ids=["PIL", "array"])
def test_grey_becomes_three_equal_channels(image: Any) -> None:
    x = VGG16.preprocess(image, (5, 4))
    assert x.shape == (3, 4, 5)  # size is (width, height)
    np.testing.assert_allclose(x[:, 0, 0], [90 - 103.939, 90 - 116.779, 90 - 123.68], atol=1e-4)


def test_the_style_of_torchvision() -> None:
    for x in (SqueezeNet.preprocess(red("RGB")), VGG16.preprocess(red("RGB"), style="torchvision")):
        assert x.shape == (3, 224, 224) and x.dtype == np.float32
        np.testing.assert_allclose(x[:, 7, 9], RGB, atol=1e-5)


def test_size_none_keeps_the_pixels_in_their_places() -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    x = ResNet.preprocess(image, size=None, dtype=np.float64)
    assert x.dtype == np.float64
    np.testing.assert_allclose(x, (image[:, :, ::-1] - np.array([103.939, 116.779, 123.68])).transpose(2, 0, 1), atol=1e-4)


@pytest.mark.parametrize(("image", "words"), [
    ("zebra.jpg", "image is str"),
    (np.zeros((8, 6, 3), np.float32), r"image is \(8, 6, 3\) float32"),
    (np.zeros((3, 8, 6), np.uint8), r"image is \(3, 8, 6\) uint8"),
    (np.zeros((0, 6, 3), np.uint8), r"image is \(0, 6, 3\) uint8"),
    (None, "image is None"),
])
def test_other_things_are_refused(image: Any, words: str) -> None:
    with pytest.raises(InputTypeError, match=rf"preprocess: {words}: a PIL image or a uint8 array \(H, W, 3\)"):
        VGG16.preprocess(image)


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(ValueError, match="style is 'keras': one of caffe, torchvision is expected"):
        VGG16.preprocess(red("RGB"), style="keras")


def test_without_pillow_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"pip install 'dezero\[plot\]'"):
        VGG16.preprocess(np.zeros((8, 6, 3), np.uint8))
