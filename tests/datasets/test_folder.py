"""Folders of images, and ImageNet's names."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dezero.datasets import ImageFolder, ImageNet, imagenet, open_image
from dezero.datasets.imagenet import parse_labels
from dezero.errors import DatasetError, FileFormatError, ShapeError
from tests.datasets.conftest import Web, whole


def paint(path: Path, colour: tuple[int, int, int] = (255, 0, 0), size: tuple[int, int] = (4, 3)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    paint(tmp_path / "pets/dog/b.png", (0, 255, 0))
    paint(tmp_path / "pets/dog/deep/er/a.PNG", (0, 0, 255))
    paint(tmp_path / "pets/cat/1.bmp")
    (tmp_path / "pets/cat/notes.txt").write_text("no image")
    (tmp_path / "pets/cat/.hidden.png").write_text("no image")
    (tmp_path / "pets/.git").mkdir()
    (tmp_path / "pets/readme.md").write_text("words")
    return tmp_path / "pets"


def test_images(pets: Path) -> None:
    images = ImageFolder(pets)
    assert images.classes == ["cat", "dog"] and images.labels() == {0: "cat", 1: "dog"}
    assert [path.name for path in images.paths] == ["1.bmp", "b.png", "a.PNG"]
    assert images.label.tolist() == [0, 1, 1]
    x, t = images[1]
    assert x.shape == (3, 3, 4) and x.dtype == np.float32 and t == 1
    np.testing.assert_array_equal(x[:, 0, 0], [0, 255, 0])
    xs, ts = images.gather(np.array([2, 0]))
    assert xs.shape == (2, 3, 3, 4) and ts.tolist() == [1, 0]
    np.testing.assert_array_equal(xs[0, :, 0, 0], [0, 0, 255])
    assert [t for _, t in images] == [0, 1, 1]


def test_images_are_read_when_needed(pets: Path) -> None:
    images = ImageFolder(pets)
    os.remove(pets / "cat/1.bmp")
    assert images[1][1] == 1
    with pytest.raises(DatasetError, match=r"1\.bmp: cannot be read as an image"):
        images[0]


def test_transform_and_mode(pets: Path) -> None:
    assert ImageFolder(pets, transform=None)[0][0].size == (4, 3)
    assert ImageFolder(pets, transform=np.asarray, mode="L")[0][0].shape == (3, 4)
    assert len(pickle.loads(pickle.dumps(ImageFolder(pets)))[0][0]) == 3


def test_sizes_that_differ(pets: Path) -> None:
    paint(pets / "cat/2.png", size=(5, 5))
    with pytest.raises(ShapeError, match=r"\(3, 5, 5\)"):
        ImageFolder(pets).gather(np.array([0, 1]))


@pytest.mark.parametrize("data", [b"", b"<html>", b"\x89PNG\r\n\x1a\n" + bytes(30), b"GIF89a", b"BM" + bytes(60)])
def test_damaged_images(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.png").write_bytes(data)
    with pytest.raises(DatasetError, match=r"x\.png: cannot be read"):
        open_image(tmp_path / "x.png")


def test_folders_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "half/cat").mkdir(parents=True)
    for folder, words in (("none", "is no folder"), ("empty", "has no folders in it"), ("half", "cat has no images")):
        with pytest.raises(DatasetError, match=words):
            ImageFolder(tmp_path / folder)


def test_imagenet_folders(tmp_path: Path) -> None:
    for part, size in (("train", (2, 2)), ("val", (3, 3))):
        for name in ("n02", "n01"):
            paint(tmp_path / part / name / "x.png", size=size)
    assert ImageNet(tmp_path)[0][0].shape == (3, 2, 2)
    assert ImageNet(tmp_path, train=False)[0][0].shape == (3, 3, 3)
    assert ImageNet(tmp_path / "val").classes == ["n01", "n02"]


NAMES = {i: f"thing {i}, it's \"{i}\"" for i in range(1000)}


@pytest.mark.parametrize(("name", "text"), [
    ("imagenet1000_clsidx_to_labels.txt", str(NAMES).replace(", 5:", ",\n 5:")),
    ("imagenet_class_index.json", json.dumps({str(i): [f"n{i:08}", name.replace(" ", "_")] for i, name in NAMES.items()})),
    ("imagenet_class_index.json", json.dumps(NAMES)),
])
def test_imagenet_names(home: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    monkeypatch.setenv("DEZERO_OFFLINE", "1")
    (home / "home/.dezero").mkdir()
    (home / "home/.dezero" / name).write_text(text)
    assert ImageNet.labels() == NAMES


def test_imagenet_names_offline(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEZERO_OFFLINE", "1")
    with pytest.raises(DatasetError, match="ImageNet: imagenet1000_clsidx_to_labels.txt is not here"):
        ImageNet.labels()


@pytest.mark.parametrize("text", ["__import__('os').system('touch evil')", "{0: __import__('os').system('touch evil')}", "{0: 'a' + 'b'}",
                                  "{0: f'{1}'}",
                                  "[1]", "{0: 'a' 1: 'b'}", "{0: 'a", "{'0': 'a'}", '{"0": 1}', '{"0": ["n"]}', '{"0": [1, 2]}', '{"x"', ""])
def test_names_are_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileFormatError):
        parse_labels(text)
    assert os.listdir(tmp_path) == []


def test_the_book_s_names() -> None:
    assert parse_labels("{0: 'tench',\n 340: 'zebra',\n 319: \"dragonfly, devil's darning needle\",}") == {
        0: "tench", 340: "zebra", 319: "dragonfly, devil's darning needle"}
    assert parse_labels("{}") == {}


def test_a_file_with_other_names_is_set_aside(home: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "cache/dezero/imagenet").mkdir(parents=True)
    (home / "cache/dezero/imagenet" / imagenet.NAMES.name).write_text("{0: 'only one'}")
    url = web.url("/x", whole(str(NAMES).encode()))
    monkeypatch.setattr(imagenet, "NAMES", dataclasses.replace(imagenet.NAMES, urls=(url,)))
    with pytest.warns(RuntimeWarning, match="has 1 names"):
        assert ImageNet.labels()[340] == NAMES[340]


def test_photos_stand_upright(tmp_path: Path) -> None:
    photo = Image.new("RGB", (4, 2))
    photo.putpixel((0, 0), (255, 255, 255))
    entry = photo.getexif()
    entry[0x0112] = 6  # the camera was turned by a right angle
    photo.save(tmp_path / "a.png", exif=entry)
    upright = open_image(tmp_path / "a.png")
    assert upright.size == (2, 4) and upright.getpixel((1, 0)) == (255, 255, 255)


def test_a_damaged_note_of_the_camera_spoils_no_image(tmp_path: Path) -> None:
    Image.new("RGB", (4, 2)).save(tmp_path / "a.png", exif=b"Exif\0\0no such thing")
    assert open_image(tmp_path / "a.png").size == (4, 2)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_16_bits_are_scaled_to_8(tmp_path: Path, mode: str) -> None:
    Image.fromarray(np.array([[0, 255, 256, 0x8000, 0xFFFF]], np.uint16)).save(tmp_path / "a.png")
    found = np.asarray(open_image(tmp_path / "a.png", mode))
    assert (found.reshape(5, -1) == np.array([[0], [0], [1], [128], [255]])).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
def test_images_of_all_modes(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (4, 2)).save(tmp_path / f"a.{'jpg' if mode in ('CMYK', 'YCbCr') else 'png'}")
    assert open_image(next(tmp_path.iterdir())).mode == "RGB"
