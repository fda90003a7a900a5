"""Photos of digits become images as MNIST's are."""

from __future__ import annotations

import gzip
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from dezero.errors import FileFormatError, RangeError, ShapeError
from dezero.transforms.scan import prepare_digit

pytest.importorskip("PIL", reason="Pillow is not installed")
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parents[2]


def drawn_digits() -> np.ndarray:
    """The digits in Pillow's own font, laid out as MNIST's: 20 pixels tall, the centre of mass in the middle."""
    out = np.zeros((10, 28, 28), np.uint8)
    for d in range(10):
        big = Image.new("L", (200, 200))
        ImageDraw.Draw(big).text((50, 30), str(d), fill=255, font=ImageFont.load_default(120), stroke_width=4)
        left, top, right, bottom = big.getbbox()
        width = round(20 * (right - left) / (bottom - top))
        small = np.asarray(big.crop((left, top, right, bottom)).resize((width, 20), Image.Resampling.BOX), float)
        rows, cols = small.sum(1) / small.sum(), small.sum(0) / small.sum()
        y, x = round(14 - rows @ np.arange(20)), round(14 - cols @ np.arange(small.shape[1]))
        y = min(max(y, 0), 8)
        out[d, y: y + 20, x: x + small.shape[1]] = small.round()
    return out


@cache
def digits() -> np.ndarray:
    """A hundred images of MNIST where it is, else ten drawn ones."""
    folders = [Path(os.environ.get("DEZERO_DATA", ROOT.parent / "shared" / "data")), ROOT.parent / "shared" / "data"]
    for folder in folders:
        for file in (folder / "mnist" / "t10k-images-idx3-ubyte.gz", folder / "t10k-images-idx3-ubyte.gz"):
            if file.exists():
                with gzip.open(file) as f:
                    return np.frombuffer(f.read(16 + 784 * 100)[16:], np.uint8).reshape(-1, 28, 28)
    return drawn_digits()


def photo(digit: np.ndarray, rng: np.random.Generator, scale: int = 8, margin: int = 60, ink: float = 0.7, shade: float = 0.35,
          noise: float = 0.03) -> np.ndarray:
    """The digit in dark ink on paper that is lit from one side, somewhere in the picture."""
    side = 28 * scale
    big = np.asarray(Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC), float) / 255
    sheet = np.zeros((side + 2 * margin + 40, side + 2 * margin))
    y, x = rng.integers(0, 2 * margin, 2)
    sheet[y: y + side, x: x + side] = big
    v, u = np.meshgrid(*(np.linspace(-0.5, 0.5, n) for n in sheet.shape), indexing="ij")
    angle = 2 * np.pi * rng.random()
    light = 0.9 - shade * np.clip(0.5 + np.cos(angle) * u + np.sin(angle) * v, 0, 1) ** 1.5
    return (255 * np.clip(light * (1 - ink * sheet) + noise * rng.normal(size=sheet.shape), 0, 1)).astype(np.uint8)


def likeness(a: np.ndarray, b: np.ndarray, shift: int = 1) -> float:
    """The correlation at the best shift by a pixel: rounding the centre of mass may go either way."""
    steps = range(-shift, shift + 1)
    return max(float(np.corrcoef(np.roll(a, (i, j), (0, 1)).ravel(), b.ravel())[0, 1]) for i in steps for j in steps)


SCENES = [{}, {"shade": 0.6, "noise": 0.08}, {"ink": 0.4, "noise": 0.05}, {"margin": 6}, {"margin": 250, "scale": 6}, {"shade": 0.0, "noise": 0.0}]


@pytest.mark.parametrize("scene", SCENES, ids=str)
@pytest.mark.parametrize("light_ink", [False, True])
def test_a_photo_becomes_the_digit_that_was_written(scene: dict[str, float], light_ink: bool) -> None:
    rng = np.random.default_rng(0)
    found, exact = [], []
    for digit in digits()[:6]:
        picture = photo(digit, rng, **scene)  # type: ignore[arg-type]
        y = prepare_digit(255 - picture if light_ink else picture)
        assert y.shape == (1, 28, 28) and y.dtype == np.float32 and y.min() >= 0 and 0.95 < y.max() <= 1
        found.append(likeness(y[0], digit))
        exact.append(likeness(y[0], digit, shift=0))
    assert np.mean(found) > 0.93 and min(found) > 0.75
    assert np.mean(exact) > 0.85


def test_a_digit_that_is_laid_out_already_stays() -> None:
    for digit in digits()[:10]:
        for picture in (digit, 255 - digit, digit / 255.0, digit[None].astype(np.float32), digit.astype(np.uint16) * 257):
            assert likeness(prepare_digit(picture)[0], digit, shift=0) > 0.9


def test_the_longer_side_fills_its_share_and_the_mass_is_in_the_middle() -> None:
    tall = np.full((90, 120), 230, np.uint8)
    tall[15:75, 30:40] = 20
    y = prepare_digit(tall)[0]
    rows, cols = np.flatnonzero(y.max(1) > 0.1), np.flatnonzero(y.max(0) > 0.1)
    assert (rows[0], rows[-1]) == (4, 23) and 3 <= len(cols) <= 5
    assert abs((y.sum(0) @ np.arange(28)) / y.sum() - 14) < 0.6
    assert prepare_digit(tall, size=(20, 14), fill=1.0)[0].shape == (20, 14)


def test_small_digits_fill_their_box() -> None:
    y = prepare_digit(photo(digits()[0], np.random.default_rng(0)), size=8, fill=1.0)
    assert y.shape == (1, 8, 8) and y.dtype == np.float32
    assert y[0, 0].max() > 0.2 and y[0, -1].max() > 0.2 and y.max() <= 1


def test_files_of_all_kinds(tmp_path: Path) -> None:
    digit = digits()[0]
    grey = Image.fromarray(photo(digit, np.random.default_rng(0)))
    expected = prepare_digit(np.asarray(grey))
    for name, picture in {"grey.png": grey, "rgb.png": grey.convert("RGB"), "rgba.png": grey.convert("RGBA"), "palette.gif": grey.convert("P"),
                          "photo.jpg": grey.convert("RGB"), "deep.png": Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)}.items():
        picture.save(tmp_path / name)
        assert likeness(prepare_digit(tmp_path / name)[0], expected[0], shift=0) > 0.97, name
        assert likeness(prepare_digit(str(tmp_path / name))[0], expected[0], shift=0) > 0.97
    for mode in ("L", "RGB", "RGBA", "LA", "I", "F", "CMYK", "1"):
        assert likeness(prepare_digit(grey.convert(mode))[0], expected[0]) > (0.8 if mode == "1" else 0.97), mode
    rgb = np.asarray(grey.convert("RGB"))
    for array in (rgb, rgb.transpose(2, 0, 1), rgb / 255.0, rgb[..., :1]):
        assert likeness(prepare_digit(array)[0], expected[0]) > 0.97


def test_ink_on_nothing_is_read_as_on_white_paper() -> None:
    alpha = np.zeros((64, 64, 4), np.uint8)
    alpha[10:54, 28:36, 3] = 255
    assert prepare_digit(alpha)[0, 14, 14] > 0.9
    assert prepare_digit(Image.fromarray(alpha))[0, 14, 14] > 0.9


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_upright(orientation: int, tmp_path: Path) -> None:
    upright = Image.fromarray(photo(digits()[0], np.random.default_rng(0)))
    turn = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90", 7: "TRANSVERSE", 8: "ROTATE_270"}
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose[turn[orientation]])
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "photo.jpg", exif=exif, quality=95)
    assert likeness(prepare_digit(tmp_path / "photo.jpg")[0], prepare_digit(upright)[0]) > 0.97


def test_specks_do_not_count() -> None:
    clean = photo(digits()[0], np.random.default_rng(0), noise=0.0)
    dirty = clean.copy()
    dirty[5:9, 5:9] = dirty[-9:-5, -12:-8] = 20
    assert likeness(prepare_digit(dirty)[0], prepare_digit(clean)[0], shift=0) > 0.97


def test_the_edge_of_the_sheet_is_no_ink() -> None:
    clean = photo(digits()[0], np.random.default_rng(0), noise=0.0)
    cut = clean.copy()
    cut[:, -12:] = 40
    assert likeness(prepare_digit(cut)[0], prepare_digit(clean)[0]) > 0.9


def test_the_ink_can_be_told() -> None:
    half = np.full((40, 40), 220, np.uint8)
    half[8:32, 18:22] = 30
    assert prepare_digit(half, invert=True)[0, 14, 14] > 0.9
    assert prepare_digit(255 - half, invert=False)[0, 14, 14] > 0.9
    with pytest.raises(RangeError, match="no digit"):
        prepare_digit(half, invert=False)


@pytest.mark.parametrize(("level", "shade"), [(0, 0), (255, 0), (100, 0), (100, 60), (180, 60)])
@pytest.mark.parametrize("noise", [0, 4, 20])
def test_an_empty_sheet_is_told(level: int, shade: int, noise: int) -> None:
    sheet = level + noise * np.random.default_rng(0).normal(size=(150, 120)) + shade * np.linspace(-1, 1, 120)
    with pytest.raises(RangeError, match="no digit is to be seen"):
        prepare_digit(np.clip(sheet, 0, 255).astype(np.uint8))


def test_wrong_input_is_told(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match="2 x 30 pixels: at least 4 x 4"):
        prepare_digit(np.zeros((2, 30), np.uint8))
    for wrong in (np.zeros(9), np.zeros((2, 8, 8)), np.zeros((0, 8)), np.array([["a"]]), 3.0):
        with pytest.raises(ShapeError, match=r"prepare_digit: got .*: an image \(H, W\)"):
            prepare_digit(wrong)
    with pytest.raises(RangeError, match="NaN"):
        prepare_digit(np.full((8, 8), np.nan))
    with pytest.raises(FileNotFoundError, match="no file"):
        prepare_digit(tmp_path / "none.png")
    (tmp_path / "text.png").write_text("no picture")
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:2000])
    for name in ("text.png", "cut.png", ""):
        with pytest.raises(FileFormatError, match="cannot be read as an image"):
            prepare_digit(tmp_path / name)
    digit = np.eye(12)
    for arguments in ({"size": 2}, {"size": (28, 1)}, {"fill": 0.0}, {"fill": 1.5}, {"invert": "yes"}):
        with pytest.raises(RangeError, match=f"prepare_digit: {next(iter(arguments))} is"):
            prepare_digit(digit, **arguments)  # type: ignore[arg-type]


def test_the_given_array_stays_as_it_is() -> None:
    picture = photo(digits()[0], np.random.default_rng(0))
    before = picture.copy()
    picture.flags.writeable = False
    prepare_digit(picture)
    assert (picture == before).all()
