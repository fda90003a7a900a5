"""Images in folders, one folder a class, read when they are needed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np

from dezero.datasets.dataset import Dataset, Transforming
from dezero.errors import DatasetError
from dezero.transforms import ToArray

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")


def open_image(path: str | os.PathLike[str], mode: str = "RGB") -> Any:
    """Read an image file, turned upright as a camera has noted it in the file (EXIF); 16 bits a pixel are scaled to 8.

    Args:
        path: the file.
        mode: what to convert to: "RGB" for colours, "L" for grey.

    Returns:
        A PIL image.

    Raises:
        DatasetError: it is no image, or damaged.
        ImportError: Pillow is not installed.

    Examples:
        >>> open_image("nothing.png")
        Traceback (most recent call last):
            ...
        dezero.errors.DatasetError: nothing.png: cannot be read as an image: ...
    """
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise ImportError("images are read with Pillow: pip install 'dezero[plot]'") from None
    try:
        with Image.open(path) as image:
            try:
                picture = ImageOps.exif_transpose(image)
            except Exception:  # the entry about it is damaged; a damaged image fails again below
                picture = image
            if picture.mode.startswith("I;16") and mode in ("L", "RGB"):  # Pillow would make white of all above 255
                picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
            return picture.convert(mode)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise DatasetError(f"{path}: cannot be read as an image: {error}") from error


class ImageFiles(Sequence[Any]):
    """Image files as a sequence of PIL images, each read anew when it is asked for.

    Args:
        paths: the files.
        mode: "RGB" or "L".

    Examples:
        >>> len(ImageFiles([Path("a.png"), Path("b.png")]))
        2
    """

    def __init__(self, paths: Sequence[Path], mode: str = "RGB") -> None:
        self.paths = list(paths)
        self.mode = mode

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> ImageFiles: ...

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return ImageFiles(self.paths[index], self.mode)
        return open_image(self.paths[index], self.mode)


class ImageFolder(Dataset):
    """Images in one folder for each class: ``folder/cat/1.jpg``, ``folder/dog/2.jpg``.

    Classes are numbered by their folders' names in sorted order; the images of a class by their paths. Images are read when
    they are needed; to make batches their sizes must be equal, so resize or crop in the transform.

    Args:
        folder: where the folders of the classes are.
        train: only stored; use ``train_test_split``, or a folder for each part.
        transform: for one PIL image; by default ``ToArray()``, which gives float32 (C, H, W) in [0, 255].
        target_transform: for one label.
        mode: what images are converted to, "RGB" or "L".

    Attributes:
        classes: the names of the classes.
        paths: the files.
        label: (N,) int64.

    Raises:
        DatasetError: there is no such folder, no folder of a class in it, or a class without images.

    Examples:
        >>> import tempfile
        >>> from PIL import Image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("cat", "dog"):
        ...         os.mkdir(f"{folder}/{name}")
        ...         Image.new("RGB", (4, 2)).save(f"{folder}/{name}/1.png")
        ...     images = ImageFolder(folder)
        ...     print(images.classes, images[1][0].shape, images.label)
        ['cat', 'dog'] (3, 2, 4) [0 1]
    """

    def __init__(self, folder: str | os.PathLike[str], train: bool = True, transform: Transforming = ToArray(),  # noqa: B008
                 target_transform: Transforming = None, mode: str = "RGB") -> None:
        self.folder = Path(folder)
        self.mode = mode
        super().__init__(train, transform, target_transform)

    def prepare(self) -> None:
        """List the files."""
        if not self.folder.is_dir():
            raise DatasetError(f"{type(self).__name__}: {self.folder} is no folder")
        self.classes = sorted(entry.name for entry in self.folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
        if not self.classes:
            raise DatasetError(f"{type(self).__name__}: {self.folder} has no folders in it: one folder of images for each class is expected")
        files = [_images_in(self.folder / name) for name in self.classes]
        for name, paths in zip(self.classes, files, strict=True):
            if not paths:
                raise DatasetError(f"{type(self).__name__}: {self.folder / name} has no images ({', '.join(SUFFIXES)})")
        self.paths = [path for paths in files for path in paths]
        self.data = ImageFiles(self.paths, self.mode)
        self.label = np.repeat(np.arange(len(files), dtype=np.int64), [len(paths) for paths in files])

    def labels(self) -> dict[int, str]:
        """The names of the classes by number."""
        return dict(enumerate(self.classes))


def _images_in(folder: Path) -> list[Path]:
    """The image files in a folder and below, sorted."""
    found = [Path(base, name) for base, _, names in os.walk(folder) for name in names]
    return sorted(path for path in found if path.suffix.lower() in SUFFIXES and not path.name.startswith("."))


__all__ = ["ImageFiles", "ImageFolder", "open_image"]
