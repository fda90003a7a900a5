"""Transforms without chance: Compose, conversions between images and arrays, sizes, dtypes, scaling."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from dezero.errors import InputTypeError, ShapeError
from dezero.transforms import (
    AsType,
    CenterCrop,
    Compose,
    Convert,
    Flatten,
    Mixup,
    Normalize,
    RandomCrop,
    RandomNoise,
    RandomRotation,
    Resize,
    ToArray,
    ToFloat,
    ToInt,
    ToPIL,
    Transform,
)
from tests.strict import to_strict

needs_pil = pytest.mark.skipif(__import__("importlib.util").util.find_spec("PIL") is None, reason="Pillow is not installed")


def photo(c: int = 3, h: int = 6, w: int = 8, dtype: Any = np.uint8) -> Any:
    return np.random.default_rng(c).integers(0, 256, (c, h, w)).astype(dtype)


def test_compose_runs_in_order_and_empty_changes_nothing() -> None:
    assert Compose([lambda x: x + 1, lambda x: x * 2])(3) == 8
    assert Compose()(3) == Compose(None)(3) == 3  # type: ignore[arg-type]
    assert Compose([]).batch(np.arange(2)).tolist() == [0, 1]


@pytest.mark.parametrize("steps", [[Flatten(), ToFloat(), Normalize(0.0, 255.0)], [ToFloat(), Normalize(1.5, 3.0), Normalize([1, 2, 3], [4, 5, 6])],
                                   [ToFloat(np.float64), Normalize(0, 7.0), Flatten()], [AsType(np.float16), AsType(np.float32), Normalize(3, 7)],
                                   [ToInt(), Normalize(3, 7)], [Normalize([0.0, 1.0, 2.0], 3), lambda x: x.sum()],
                                   [AsType(np.float32), CenterCrop(3)]])
def test_a_batch_has_the_bytes_of_its_samples(steps: list[Any]) -> None:
    xs = np.stack([photo() + i for i in range(5)])
    before = xs.copy()
    together, single = Compose(steps).batch(xs), np.stack([Compose(steps)(x) for x in xs])
    assert together.dtype == single.dtype and together.tobytes() == single.tobytes() and (xs == before).all()


def test_floats_given_to_compose_are_not_written_to() -> None:
    xs = np.ones((2, 3), np.float32)
    Compose([Normalize(1, 2), ToFloat(), Normalize(1, 2)]).batch(xs)
    Compose([ToFloat(), Normalize(1, 2)])(xs)
    assert (xs == 1).all()


def test_normalize() -> None:
    x = photo(dtype=np.float32)
    expected = np.stack([(plane - mean) / std for plane, mean, std in zip(x, (1, 2, 3), (4, 5, 6), strict=True)])
    np.testing.assert_allclose(Normalize([1, 2, 3], [4, 5, 6])(x), expected, rtol=1e-6)
    kinds = {np.uint8: np.float32, np.int64: np.float32, np.float16: np.float16, np.float32: np.float32, np.float64: np.float64}
    for dtype, kind in kinds.items():
        assert Normalize(0.5, 2.0)(x.astype(dtype)).dtype == kind
        assert Normalize([0.5, 1, 2], [2.0]).batch(x[None].astype(dtype)).dtype == kind
    with pytest.raises(ShapeError, match=r"mean has 2 values, and the sample is \(3, 6, 8\)"):
        Normalize([1, 2], 1)(x)
    with pytest.raises(ValueError, match="division by zero"):
        Normalize(0, [1, 0])


def test_dtypes() -> None:
    x = np.array([1.9, -1.9])
    assert ToFloat()(x).dtype == np.float32 and ToInt()(x).tolist() == [1, -1] and ToInt()(x).dtype == np.int64
    assert AsType("uint8")(np.array([3.0])).dtype == np.uint8 and ToInt()(np.float32(3.7)) == 3


def test_flatten_gives_a_copy_of_a_sample() -> None:
    x = photo()
    y = Flatten()(x)
    y[:] = 0
    assert y.shape == (144,) and x.any()


@needs_pil
@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4), ("P", 3), ("1", 1), ("I;16", 1), ("F", 1)])
def test_to_array_takes_every_mode(mode: str, channels: int) -> None:
    from PIL import Image
    image = Image.new(mode, (5, 4)) if mode == "I;16" else ToPIL()(photo(3, 4, 5)).convert(mode)
    x = ToArray()(image)
    assert x.shape == (channels, 4, 5) and x.dtype == np.float32 and x.flags["C_CONTIGUOUS"] and x.flags["WRITEABLE"]
    assert ToArray(np.uint8)(image).dtype == np.uint8 and ToArray()(x) is x


@needs_pil
@pytest.mark.parametrize("shape", [(1, 4, 5), (2, 4, 5), (3, 4, 5), (4, 4, 5), (4, 5)])
def test_to_pil_and_back(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    for dtype in (np.uint8, np.float32, np.float64, np.int64):
        assert (ToArray(np.uint8)(ToPIL()(x.astype(dtype))).reshape(shape) == x).all()
    assert (ToArray(np.uint8)(ToPIL(255)(x.astype(np.float32) / 255)).reshape(shape) == x).all()
    image = ToPIL()(x)
    assert ToPIL()(image) is image


@needs_pil
def test_convert() -> None:
    x = photo()
    assert (ToArray(np.uint8)(Convert("BGR")(ToPIL()(x))) == x[::-1]).all()
    assert Convert()(ToPIL()(x[:1])).mode == "RGB" and Convert("L")(ToPIL()(x)).mode == "L"
    with pytest.raises(InputTypeError, match=r"Convert: x is \(3, 6, 8\) uint8: a PIL image is expected"):
        Convert()(x)


@needs_pil
def test_resize_takes_width_and_height() -> None:
    image = ToPIL()(photo(3, 6, 8))
    assert Resize((4, 2))(image).size == (4, 2) and Resize(5)(image).size == (5, 5)
    assert Resize((4, 2))(photo()).shape == (3, 2, 4) and Resize((4, 2), "nearest")(photo()[0]).shape == (2, 4)
    assert (Resize((4, 2))(photo()) == ToArray(np.uint8)(Resize((4, 2))(image))).all()
    for dtype in (np.uint8, np.int16, np.float16, np.float32, np.float64):
        y = Resize((16, 12))(photo(dtype=dtype))
        assert y.dtype == dtype and y.min() >= 0 and y.max() <= 255
    assert Resize(4).batch(np.stack([photo(), photo()])).shape == (2, 3, 4, 4)
    with pytest.raises(ValueError, match="mode is 'soft'"):
        Resize(4, "soft")
    with pytest.raises(ShapeError, match=r"x is \(5,\)"):
        Resize(4)(np.zeros(5))


@needs_pil
def test_center_crop() -> None:
    x = photo(3, 6, 8)
    expected = x[:, 1:4, 2:6]
    assert (CenterCrop((4, 3))(x) == expected).all() and (CenterCrop((4, 3)).batch(x[None])[0] == expected).all()
    assert (ToArray(np.uint8)(CenterCrop((4, 3))(ToPIL()(x))) == expected).all()
    with pytest.raises(ShapeError, match="the image is 8 wide and 6 high, the crop 7 and 7"):
        CenterCrop(7)(x)


@needs_pil
def test_a_list_of_images_of_unequal_size_becomes_a_batch() -> None:
    images = [ToPIL()(photo(3, 6, 8)), ToPIL()(photo(3, 9, 7))]
    assert Compose([Convert("RGB"), ToArray(), CenterCrop(4), Normalize(0, 255)]).batch(images).shape == (2, 3, 4, 4)
    assert Compose([ToPIL(), Resize(4), ToArray()]).batch(np.stack([photo(), photo()])).shape == (2, 3, 4, 4)


def test_mistakes_are_told() -> None:
    for call, error, words in [(lambda: ToPIL()(np.zeros((5, 2, 2))), ShapeError, r"ToPIL: x is \(5, 2, 2\) float64"),
                               (lambda: ToArray()("x"), InputTypeError, "str"), (lambda: Resize(0), InputTypeError, "size is 0"),
                               (lambda: CenterCrop((1, 2, 3)), InputTypeError, "positive int or a pair"),
                               (lambda: Transform()(1), NotImplementedError, "__call__")]:
        with pytest.raises(error, match=words):
            call()


@needs_pil
def test_pil_images_where_an_array_is_needed_are_told() -> None:
    image = ToPIL()(photo())
    for transform in (Normalize(0, 1), ToFloat()):
        with pytest.raises(InputTypeError, match=rf"{type(transform).__name__}: x is a PIL image: .* put ToArray\(\) before it"):
            transform(image)


def test_transforms_are_picklable_and_tell_their_settings() -> None:
    transform = Compose([Resize(4), RandomCrop(3, pad=1, seed=1), RandomRotation(10, seed=3), RandomNoise(0.1, seed=2), Flatten(),
                         ToFloat(), Normalize([1.0], 2)])
    x = photo(1, 4, 4)
    assert (pickle.loads(pickle.dumps(transform))(x)).shape == (9,)
    seeded = Compose([RandomCrop(3, pad=1, seed=1), RandomNoise(0.1, seed=2)])
    assert (pickle.loads(pickle.dumps(seeded))(x) == seeded(x)).all()
    assert repr(Compose([Normalize(0.5, 2), ToInt()])) == "Compose(transforms=[Normalize(mean=0.5, std=2), ToInt(dtype=<class 'numpy.int64'>)])"


def test_compose_knows_whether_it_draws() -> None:
    assert not Compose([Flatten(), Compose([ToFloat()])]).random
    assert Compose([Compose([RandomNoise()])]).random and Compose([lambda x: x]).random and Mixup().random


@pytest.mark.usefixtures("strict_device")
def test_device_arrays_stay_on_the_device() -> None:
    x = photo()
    transform = Compose([Flatten(), ToFloat(), Normalize(1.0, 255.0)])
    assert (transform.batch(to_strict(x[None])).get() == transform.batch(x[None])).all()
    assert (Normalize([1, 2, 3], 2)(to_strict(x)).get() == Normalize([1, 2, 3], 2)(x)).all()


def test_pillow_is_imported_only_where_it_is_used() -> None:
    code = "import numpy as np, sys; from dezero.transforms import *; RandomRotation(5)(np.zeros((1, 4, 4))); print('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"


def test_the_odd_pixel_of_a_center_crop_is_left_out_at_the_end() -> None:
    x = np.arange(20).reshape(4, 5)
    assert (CenterCrop(3)(x) == x[:3, 1:4]).all() and (CenterCrop((2, 3))(x) == x[:3, 1:3]).all()
    assert (ToArray(np.int64)(CenterCrop(3)(ToPIL()(x.astype(np.uint8))))[0] == x[:3, 1:4]).all()


def test_flatten_tells_what_is_no_array() -> None:
    for x, words in ((ToPIL()(np.zeros((2, 2), np.uint8)), r"put ToArray\(\) before it"), ([[1, 2]], "an array is expected")):
        with pytest.raises(InputTypeError, match=words):
            Flatten()(x)
