"""Transforms of batches that are on a device: done there, with the results of the host."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dezero.backend import arrays
from dezero.transforms import (
    AsType,
    CenterCrop,
    Compose,
    Cutout,
    Flatten,
    Mixup,
    Normalize,
    RandomBrightness,
    RandomContrast,
    RandomCrop,
    RandomErase,
    RandomHorizontalFlip,
    RandomNoise,
    RandomRotation,
    RandomShift,
    RandomVerticalFlip,
    RandomZoom,
    Resize,
    ToArray,
    ToFloat,
    ToInt,
    ToPIL,
)
from tests.strict import StrictArray, to_strict

pytestmark = pytest.mark.usefixtures("strict_device")

RNG = np.random.default_rng(0)
FLOATS = RNG.random((5, 3, 8, 9), dtype=np.float32)
BYTES = RNG.integers(0, 256, (5, 3, 8, 9)).astype(np.uint8)
FILTERS = ["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"]
TRANSFORMS: list[Any] = [
    AsType(np.float64), ToFloat(), ToInt(), Flatten(), ToArray(), CenterCrop(5), CenterCrop((4, 6)), Normalize(0.5, 2), Normalize(0, 255.0),
    Normalize([0.1, 0.2, 0.3], [1.0, 2.0, 3.0]), Compose([ToFloat(), Normalize([1.0, 2.0, 3.0], 255.0), Flatten()]), RandomHorizontalFlip(),
    RandomVerticalFlip(0.9), RandomCrop(6), RandomCrop((5, 7), pad=2, fill=0.5), RandomShift(2), RandomShift((1, 3), fill=1), RandomRotation(20),
    RandomRotation((90, 90)), RandomZoom((0.5, 1.5), fill=1), RandomNoise(0.1), RandomNoise(0.1, clip=(0.2, 0.8)), RandomBrightness(0.4),
    RandomContrast(0.4), RandomErase(1.0), Cutout(3), Cutout(4, value=0.5), *[Resize((6, 11), mode) for mode in FILTERS], Resize(4), Resize((17, 5)),
    Compose([RandomCrop(6, pad=2), RandomHorizontalFlip(), ToFloat(), Normalize(0, 255.0)]),
]


def name(transform: Any) -> str:
    return repr(transform).replace(" ", "")[:60]


@pytest.mark.parametrize("x", [FLOATS, FLOATS.astype(np.float64), FLOATS.astype(np.float16), BYTES, BYTES.astype(np.int64), BYTES > 90],
                         ids=lambda x: str(x.dtype))
@pytest.mark.parametrize("transform", TRANSFORMS, ids=name)
def test_a_batch_on_the_device_gives_what_one_on_the_host_gives(transform: Any, x: Any) -> None:
    if isinstance(transform, Resize) and x.dtype == bool:
        x = x.astype(np.uint8)
    wanted = transform.batch(x, np.random.default_rng(1))
    found = transform.batch(to_strict(x), np.random.default_rng(1))
    assert isinstance(found, StrictArray) and found.dtype == wanted.dtype and found.shape == wanted.shape
    whole = wanted.dtype.kind in "iub"  # rounding to the nearest may go the other way
    close = 2e-3 if wanted.dtype == np.float16 else 1e-5
    np.testing.assert_allclose(found.get().astype(float), wanted.astype(float), rtol=0 if whole else close, atol=1 if whole else close)


@pytest.mark.seeds
@pytest.mark.parametrize("transform", TRANSFORMS, ids=name)
def test_a_sample_on_the_device_too(transform: Any) -> None:
    for x in (FLOATS[0], BYTES[0], FLOATS[0][0]):
        if x.ndim == 2 and "[" in name(transform):
            continue  # one value for each of three channels
        found = transform(to_strict(x))
        assert isinstance(found, StrictArray) and found.shape == type(transform).__call__(transform, x).shape


@pytest.mark.parametrize("transform", [t for t in TRANSFORMS if not isinstance(t, Compose)], ids=name)
def test_an_empty_batch(transform: Any) -> None:
    found = transform.batch(to_strict(FLOATS[:0]), np.random.default_rng(1))
    assert isinstance(found, StrictArray) and found.shape == transform.batch(FLOATS[:0], np.random.default_rng(1)).shape


def test_an_image_of_a_device_array() -> None:
    for x in (FLOATS[0], BYTES[0], FLOATS[0][0]):
        assert np.array_equal(np.asarray(ToPIL(255)(to_strict(x))), np.asarray(ToPIL(255)(x)))
    assert [image.size for image in ToPIL().batch(to_strict(BYTES))] == [(9, 8)] * 5


@pytest.mark.parametrize("t", [np.array([0, 2, 1, 1, 0]), RNG.random((5, 4)).astype(np.float32)], ids=["classes", "targets"])
def test_mixup(t: Any) -> None:
    wanted = Mixup(0.4, classes=3)(FLOATS, t, rng=np.random.default_rng(1))
    found = Mixup(0.4, classes=3)(to_strict(FLOATS), to_strict(t), rng=np.random.default_rng(1))
    for a, b in zip(found, wanted, strict=True):
        assert isinstance(a, StrictArray) and a.dtype == b.dtype
        np.testing.assert_allclose(a.get(), b, rtol=1e-6)


@pytest.mark.seeds
def test_a_label_that_is_no_class_is_seen_without_a_wait_for_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in (-1, 3):
        monkeypatch.setattr(StrictArray, "__int__", lambda self: pytest.fail("the host waits for the device"))
        _, t = Mixup(0.4, classes=3)(to_strict(FLOATS[:2]), to_strict(np.array([0, wrong])))
        assert np.isnan(t.get()).any()


def test_numbers_for_channels_go_to_the_device_once(monkeypatch: pytest.MonkeyPatch, strict_device: Any) -> None:
    asked = []
    made = strict_device.asarray
    monkeypatch.setattr(strict_device, "asarray", lambda *args, **kwargs: asked.append(args) or made(*args, **kwargs))
    transform = Normalize([0.1, 0.2, 0.3], [1.0, 2.0, 3.0])
    for _ in range(3):
        transform.batch(to_strict(FLOATS))
    assert len(asked) == 2
    transform.mean = [1.0, 1.0, 1.0]
    np.testing.assert_allclose(transform.batch(to_strict(FLOATS)).get(), transform.batch(FLOATS), rtol=1e-6)


@pytest.mark.parametrize("mode", FILTERS)
@pytest.mark.parametrize("size", [(6, 11), (9, 8), (3, 3), (30, 20), (1, 1), (9, 4)])
def test_sizes_are_changed_as_pillow_does(mode: str, size: tuple[int, int]) -> None:
    for x in (FLOATS, BYTES, FLOATS[:, 0]):
        wanted, found = Resize(size, mode).batch(x), Resize(size, mode).batch(to_strict(x))
        np.testing.assert_allclose(found.get().astype(float), wanted.astype(float), rtol=0, atol=1 if x.dtype == np.uint8 else 1e-5)


def test_a_data_set_on_the_device_is_transformed_there(monkeypatch: pytest.MonkeyPatch, strict_device: Any) -> None:
    from dezero import DataLoader
    from dezero.datasets import ArrayDataset
    monkeypatch.setattr(arrays, "_cupy", strict_device)
    transform = Compose([RandomCrop(6, pad=1), ToFloat(), Normalize([1.0, 2.0, 3.0], 255.0)])
    for (x, t), (a, b) in zip(DataLoader(ArrayDataset(to_strict(BYTES), to_strict(np.arange(5)), transform), 2, seed=0, gpu=True),
                              DataLoader(ArrayDataset(BYTES, np.arange(5), transform), 2, seed=0), strict=True):
        np.testing.assert_allclose(x.get(), a, rtol=1e-6)
        assert isinstance(t, StrictArray) and t.get().tolist() == b.tolist()
