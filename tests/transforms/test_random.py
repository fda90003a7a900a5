"""Random transforms: what each does, on samples, batches and PIL images; seeds; dtypes and ranges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from dezero.dataloaders import DataLoader
from dezero.datasets import ArrayDataset
from dezero.errors import InputTypeError, RangeError, ShapeError
from dezero.transforms import (
    Cutout,
    Mixup,
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
    ToArray,
    ToPIL,
)
from dezero.transforms.base import using_rng
from tests.strict import to_strict

Make = Callable[..., Any]
ALL: dict[str, Make] = {
    "horizontal": RandomHorizontalFlip, "vertical": RandomVerticalFlip, "rotation": RandomRotation, "shift": RandomShift, "zoom": RandomZoom,
    "noise": RandomNoise, "brightness": RandomBrightness, "contrast": RandomContrast, "crop": lambda **kw: RandomCrop((6, 8), pad=2, **kw),
    "erase": lambda **kw: RandomErase(0.9, **kw), "cutout": lambda **kw: Cutout(3, **kw),
}
every = pytest.mark.parametrize("make", ALL.values(), ids=ALL)


def images(n: int = 16, c: int = 3, h: int = 6, w: int = 8, dtype: Any = np.uint8) -> Any:
    xs = np.random.default_rng(0).integers(0, 256, (n, c, h, w))
    return (xs / 255).astype(dtype) if np.dtype(dtype).kind == "f" else xs.astype(dtype)


@every
def test_the_same_seed_gives_the_same_bytes(make: Make) -> None:
    xs = images()
    runs = [make(seed=1) for _ in range(2)]
    for _ in range(2):  # the second call differs from the first, in the same way
        first, second = (run(xs[0]) for run in runs)
        assert first.tobytes() == second.tobytes()
    assert make(seed=1).batch(xs).tobytes() == make(seed=1).batch(xs).tobytes() != make(seed=2).batch(xs).tobytes()
    assert make(seed=1).batch(xs, np.random.default_rng(5)).tobytes() == make().batch(xs, np.random.default_rng(5)).tobytes()
    with using_rng(np.random.default_rng(5)):
        given = make(seed=1).batch(xs)
    assert given.tobytes() == make().batch(xs, np.random.default_rng(5)).tobytes()


@every
@pytest.mark.seeds
def test_without_a_seed_numpys_governs(make: Make) -> None:
    runs = []
    for _ in range(2):
        np.random.seed(3)
        runs.append(make().batch(images()).tobytes())
    assert runs[0] == runs[1]


@every
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float16, np.float32, np.float64])
def test_shape_and_dtype_stay_and_the_input_is_not_changed(make: Make, dtype: Any) -> None:
    xs = images(dtype=dtype)
    before = xs.copy()
    for x in (xs, xs[:, 0], xs[:1], xs[:0]):
        ys = make(seed=0).batch(x)
        assert ys.shape == x.shape and ys.dtype == x.dtype
    for x in (xs[0], xs[0, 0]):
        y = make(seed=0)(x)
        assert y.shape == x.shape and y.dtype == x.dtype and not np.shares_memory(y, xs)
    assert (xs == before).all()


@every
def test_samples_of_a_batch_differ_and_channels_move_together(make: Make) -> None:
    xs = np.broadcast_to(images(1, 1), (16, 3, 6, 8)).copy()
    ys = make(seed=0).batch(xs)
    assert any((y != ys[0]).any() for y in ys)
    if make is not RandomNoise:
        assert (ys[:, :1] == ys).all()


@every
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_pil_images_stay_pil_images(make: Make, mode: str) -> None:
    pytest.importorskip("PIL", reason="Pillow is not installed")
    image = ToPIL()(images()[0]).convert(mode)
    y = make(seed=4)(image)
    assert y.mode == mode and y.size == image.size
    assert (ToArray(np.uint8)(y) == make(seed=4)(ToArray(np.uint8)(image))).all()


@every
def test_what_is_no_image_is_told(make: Make) -> None:
    with pytest.raises(ShapeError, match=r"xs is \(4, 784\) float64: images \(N, C, H, W\) or \(N, H, W\) are expected; use it before Flatten"):
        make(seed=0).batch(np.zeros((4, 784)))
    with pytest.raises(ShapeError, match=r"x is \(784,\) float64"):
        make(seed=0)(np.zeros(784))


@every
@pytest.mark.usefixtures("strict_device")
def test_device_arrays_give_the_same_values(make: Make) -> None:
    for dtype in (np.uint8, np.float32):
        xs = images(dtype=dtype)
        np.testing.assert_allclose(make(seed=0).batch(to_strict(xs)).get(), make(seed=0).batch(xs), rtol=1e-6)


@every
def test_a_loader_repeats_the_augmentation_by_its_seed(make: Make) -> None:
    dataset = ArrayDataset(images(), np.arange(16), make(seed=9))
    runs = [[x.tobytes() for x, _ in DataLoader(dataset, 8, seed=1)] for _ in range(2)]
    assert runs[0] == runs[1]


def test_flips_turn_about_half() -> None:
    xs = images(400)
    for transform, turned in [(RandomHorizontalFlip(0.5, seed=0), xs[..., ::-1]), (RandomVerticalFlip(0.5, seed=0), xs[:, :, ::-1])]:
        ys = transform.batch(xs)
        flipped = (ys == turned).all(axis=(1, 2, 3))
        assert ((ys == xs).all(axis=(1, 2, 3)) ^ flipped).all() and 150 < flipped.sum() < 250
    assert (RandomHorizontalFlip(0.0, seed=0).batch(xs) == xs).all() and (RandomVerticalFlip(1.0, seed=0)(xs[0]) == xs[0, :, ::-1]).all()


def test_crops_are_windows_at_all_places() -> None:
    xs = np.broadcast_to(np.arange(48).reshape(1, 1, 6, 8), (500, 1, 6, 8))
    ys = RandomCrop((5, 6), seed=0).batch(xs)
    corners = {int(y[0, 0, 0]) for y in ys}
    assert corners == {r * 8 + c for r in (0, 1) for c in (0, 1, 2)}
    assert all((np.diff(y[0], axis=1) == 1).all() and (np.diff(y[0], axis=0) == 8).all() for y in ys)
    assert (RandomCrop(12, pad=(3, 2), fill=7, seed=0)(np.zeros((1, 6, 8))) == 7).sum() == 144 - 48
    with pytest.raises(ShapeError, match="smaller than the crop 9 x 9"):
        RandomCrop(9, pad=1, seed=0)(np.zeros((6, 8)))


def test_shifts_move_whole_pixels() -> None:
    x = np.zeros((1, 9, 9), np.float32)
    x[0, 4, 4] = 1
    ys = RandomShift((2, 1), fill=0.0, seed=0).batch(np.repeat(x[None], 300, axis=0))
    places = {tuple(int(v) for v in np.argwhere(y[0] == 1)[0]) for y in ys}
    assert places == {(r, c) for r in range(2, 7) for c in range(3, 6)} and (ys.sum(axis=(1, 2, 3)) == 1).all()


@pytest.mark.parametrize("shape", [(6, 8), (7, 7), (5, 4)])
@pytest.mark.parametrize("angle", [0.0, 13.0, -40.0, 90.0, 180.0])
def test_rotation_is_scipys(shape: tuple[int, int], angle: float) -> None:
    x = np.random.default_rng(0).random(shape)
    expected = ndimage.affine_transform(np.pad(x, 1), *_about_centre(angle, 1.0, shape), order=1)
    np.testing.assert_allclose(RandomRotation((angle, angle), seed=0)(x), expected[1:-1, 1:-1], atol=1e-12)


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.37])
def test_zoom_is_scipys(factor: float) -> None:
    x = np.random.default_rng(0).random((6, 8))
    expected = ndimage.affine_transform(np.pad(x, 1), *_about_centre(0.0, factor, (6, 8)), order=1)
    np.testing.assert_allclose(RandomZoom((factor, factor), seed=0)(x), expected[1:-1, 1:-1], atol=1e-12)


def _about_centre(angle: float, factor: float, shape: tuple[int, int]) -> tuple[Any, Any]:
    """SciPy's matrix and offset for an image with a ring of zeros."""
    a = np.deg2rad(angle)
    matrix = np.round(np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]), 15) / factor
    centre = (np.array(shape) + 1) / 2
    return matrix, centre - matrix @ centre


def test_no_turn_and_no_zoom_change_no_byte() -> None:
    for dtype in (np.uint8, np.float32):
        xs = images(dtype=dtype)
        assert (RandomRotation(0, seed=0).batch(xs) == xs).all() and (RandomZoom((1, 1), seed=0).batch(xs) == xs).all()
    xs = images(h=6, w=6)
    assert (RandomRotation((90, 90), seed=0).batch(xs) == np.rot90(xs, axes=(2, 3))).all()
    assert (RandomRotation((180, 180), fill=9, seed=0).batch(images()) == images()[:, :, ::-1, ::-1]).all()


def test_fill_comes_in_at_the_edges() -> None:
    assert RandomZoom((0.25, 0.25), fill=200, seed=0)(np.zeros((8, 8), np.uint8))[0, 0] == 200
    assert RandomRotation((45, 45), fill=-1, seed=0)(np.zeros((8, 8), np.float32))[0, 0] == -1


def test_angles_and_factors_fill_their_range() -> None:
    x = np.zeros((1, 41, 41), np.float32)
    x[0, 20, 36] = 1
    ys = RandomRotation(30, seed=0).batch(np.repeat(x[None], 500, axis=0))
    row, column = np.indices((41, 41))
    weight = ys[:, 0] / ys[:, 0].sum(axis=(1, 2), keepdims=True)
    angle = np.rad2deg(np.arctan2(20 - (weight * row).sum(axis=(1, 2)), (weight * column).sum(axis=(1, 2)) - 20))
    assert -31 < angle.min() < -27 and 27 < angle.max() < 31 and abs(angle.mean()) < 3


def test_noise_has_its_deviation_and_integers_their_range() -> None:
    ys = RandomNoise(0.1, seed=0).batch(np.zeros((10, 1, 30, 30), np.float32))
    assert abs(float(ys.std()) - 0.1) < 0.005 and abs(float(ys.mean())) < 0.005
    ys = RandomNoise(0.1, seed=0).batch(np.full((10, 1, 30, 30), 128, np.uint8))
    assert abs(float(ys.std()) - 25.5) < 1
    ys = RandomNoise(1.0, seed=0).batch(images())
    assert ys.min() == 0 and ys.max() == 255
    ys = RandomNoise(1.0, clip=(0.0, 1.0), seed=0).batch(images(dtype=np.float32))
    assert ys.min() == 0 and ys.max() == 1


def test_brightness_and_contrast() -> None:
    xs = images(300, dtype=np.float64)
    ratio = (RandomBrightness(0.3, seed=0).batch(xs) / np.where(xs == 0, np.nan, xs)).reshape(300, -1)
    assert np.nanmax(np.nanstd(ratio, axis=1)) < 1e-12 and 0.7 <= np.nanmin(ratio) < 0.72 and 1.28 < np.nanmax(ratio) <= 1.3
    ys = RandomContrast(0.3, seed=0).batch(xs)
    np.testing.assert_allclose(ys.mean(axis=(1, 2, 3)), xs.mean(axis=(1, 2, 3)))
    ratio = ys.std(axis=(1, 2, 3)) / xs.std(axis=(1, 2, 3))
    assert 0.7 <= ratio.min() < 0.72 and 1.28 < ratio.max() <= 1.3
    assert RandomBrightness(1.0, seed=0).batch(images(50)).max() == 255


def test_erase_wipes_one_rectangle_of_its_area() -> None:
    xs = np.ones((400, 2, 20, 30), np.float32)
    ys = RandomErase(0.75, area=(0.1, 0.2), ratio=(0.5, 2.0), seed=0).batch(xs)
    wiped = ys[:, 0] == 0
    share = wiped.mean(axis=(1, 2))
    assert 260 < (share > 0).sum() < 340
    for mask in wiped[share > 0]:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        assert mask[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1].all() and 0.08 < mask.mean() < 0.22
    assert (RandomErase(1.0, value=9, seed=0)(np.zeros((8, 8), np.uint8)) == 9).any()
    assert (RandomErase(0.0, seed=0).batch(xs) == 1).all()


def test_cutout_is_a_square_that_edges_may_cut() -> None:
    ys = Cutout(4, value=5.0, seed=0).batch(np.zeros((300, 1, 8, 8), np.float32))
    sizes = {int(v) for v in (ys == 5).sum(axis=(1, 2, 3))}
    assert max(sizes) == 16 and min(sizes) == 4


def test_mixup_mixes_inputs_and_labels_alike() -> None:
    xs, ts = np.eye(5, dtype=np.float32), np.arange(5)
    ys, us = Mixup(1.0, classes=5, seed=0)(xs, ts)
    np.testing.assert_allclose(ys, us, atol=1e-6)
    np.testing.assert_allclose(us.sum(axis=1), 1, atol=1e-6)
    assert ys.dtype == us.dtype == np.float32 and (np.count_nonzero(us, axis=1) <= 2).all()
    ys, us = Mixup(1.0, seed=0)(xs, xs.astype(np.float64))
    np.testing.assert_allclose(ys, us, atol=1e-6)
    assert us.dtype == np.float64 and Mixup(1.0, classes=3, seed=0)(images(4), np.array([0, 1, 2, 0], np.uint8))[0].dtype == np.uint8
    assert (Mixup(0.3, seed=1)(xs, xs)[0] == Mixup(0.3, seed=1)(xs, xs)[0]).all()
    with pytest.raises(InputTypeError, match=r"classes is None: class numbers \(N,\) with Mixup\(classes=...\)"):
        Mixup(1.0, seed=0)(xs, ts)
    with pytest.raises(RangeError, match="values from 0 to 4: class numbers from 0 to 2"):
        Mixup(1.0, classes=3, seed=0)(xs, ts)
    with pytest.raises(InputTypeError, match="give it to the loader"):
        next(iter(DataLoader(ArrayDataset(xs, ts, Mixup(0.2)), 2, seed=0)))


def test_wrong_settings_are_told() -> None:
    calls: list[tuple[Make, str]] = [
        (lambda: RandomHorizontalFlip(1.5), "p is 1.5"), (lambda: RandomCrop(4, pad=-1), "pad is -1"),
        (lambda: RandomRotation("a"), "degrees is 'a'"),
        (lambda: RandomRotation((3, -3)), "smallest must come first"), (lambda: RandomZoom((0, 1)), "positive factors"),
        (lambda: RandomZoom(2), "a pair"), (lambda: RandomShift(1.5), "pixels is 1.5"), (lambda: RandomNoise(-1), "std is -1"),  # type: ignore[arg-type]
        (lambda: RandomErase(area=(0, 2)), "shares from 0 to 1"), (lambda: RandomBrightness(2), "amount is 2"), (lambda: Mixup(0), "alpha is 0"),
        (lambda: RandomNoise(clip=(1, 0)), "smallest must come first")]
    for call, words in calls:
        with pytest.raises((ValueError, TypeError), match=words):
            call()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16", "F", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_images_keep_their_mode(mode: str) -> None:
    image = Image.new(mode, (4, 3))
    for transform in (RandomHorizontalFlip(1.0, seed=0), RandomShift(1, seed=0), RandomBrightness(seed=0)):
        assert transform(image).mode == mode and transform(image).size == (4, 3)


def test_integers_are_rounded() -> None:
    x = np.full((1, 1, 1), 100, np.uint8)
    drawn = {int(RandomBrightness(0.2, seed=s)(x)[0, 0, 0]) for s in range(300)}
    exact = {round(100 * np.random.default_rng(s).uniform(0.8, 1.2)) for s in range(300)}
    assert drawn == exact


@pytest.mark.parametrize("transform", [RandomCrop(4, pad=4, fill=300.4, seed=0), RandomShift(4, fill=300.4, seed=3),
                                       RandomErase(1.0, value=300.4, seed=0), Cutout(2, value=300.4, seed=0)])
def test_a_fill_beyond_the_dtype_is_clipped(transform: Any) -> None:
    x = np.ones((1, 4, 4), np.uint8)
    assert set(np.unique(transform(x))) <= {1, 255} and (transform(x) == 255).any()
    assert (transform(np.ones((1, 4, 4))) == 300.4).any()
