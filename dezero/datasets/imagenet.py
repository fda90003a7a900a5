"""The 1,000 classes of ImageNet, and its images where they are on disk."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from dezero.datasets.dataset import Transforming
from dezero.datasets.files import Source, obtain
from dezero.datasets.folder import ImageFolder
from dezero.errors import DatasetError, FileFormatError
from dezero.transforms import ToArray

CLASSES = 1000
NAMES = Source("ImageNet", "imagenet1000_clsidx_to_labels.txt", (
    "https://gist.githubusercontent.com/yrevar/942d3a0ac09ec9e5eb3a/raw/238f720ff059c1f82f368259d1ca4ffa5dd8f9f5/imagenet1000_clsidx_to_labels.txt",
    "https://raw.githubusercontent.com/tinygrad/tinygrad/master/test/models/efficientnet/imagenet1000_clsidx_to_labels.txt",
), 1_000_000, folders=("imagenet",), resume=False)
SHORT_NAMES = Source("ImageNet", "imagenet_class_index.json", (
    "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json",
    "https://s3.amazonaws.com/deep-learning-models/image-models/imagenet_class_index.json",
), 1_000_000, folders=("imagenet",), resume=False)
ENTRY = re.compile(r"""\s*(\d{1,6})\s*:\s*('(?:[^'\\\n]|\\['"\\])*'|"(?:[^"\\\n]|\\['"\\])*")\s*(,|\Z)""")


def parse_labels(text: str) -> dict[int, str]:
    """The names of classes by number, from a JSON object or a dict as Python prints it; nothing in the text is run.

    Args:
        text: ``{0: 'tench', ...}``, ``{"0": "tench", ...}`` or ``{"0": ["n01440764", "tench"], ...}``.

    Raises:
        FileFormatError: it is neither.

    Examples:
        >>> parse_labels("{0: 'tench, Tinca tinca', 1: \\"devil's darning needle\\"}")
        {0: 'tench, Tinca tinca', 1: "devil's darning needle"}
    """
    text = text.strip()
    if re.match(r'\{\s*"\d', text):
        return _from_json(text)
    if not (text.startswith("{") and text.endswith("}")):
        raise FileFormatError("names of classes: {0: 'name', ...} is expected")
    body = text[1:-1].rstrip()
    names: dict[int, str] = {}
    at = 0
    while at < len(body):
        match = ENTRY.match(body, at)
        if match is None:
            line = body.count("\n", 0, at) + 1
            raise FileFormatError(f"names of classes: line {line}: \"number: 'name',\" is expected")
        names[int(match[1])] = re.sub(r"\\(.)", r"\1", match[2][1:-1])
        at = match.end()
    return names


def _from_json(text: str) -> dict[int, str]:
    try:
        entries = json.loads(text)
        names = {int(key): value[1].replace("_", " ") if isinstance(value, list) else value for key, value in entries.items()}
    except (ValueError, AttributeError, IndexError, RecursionError) as error:
        raise FileFormatError(f"names of classes: {error}") from error
    if not all(isinstance(name, str) for name in names.values()):
        raise FileFormatError("names of classes: a name is no text")
    return names


def _read(path: Path) -> dict[int, str]:
    try:
        names = parse_labels(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, FileFormatError) as error:
        raise FileFormatError(f"{path}: {error}") from error
    if sorted(names) != list(range(CLASSES)):
        raise FileFormatError(f"{path}: has {len(names)} names: one for each of the numbers 0 to {CLASSES - 1} is expected")
    return {i: names[i] for i in range(CLASSES)}


class ImageNet(ImageFolder):
    """ImageNet's images (Russakovsky et al., 2015) from a folder on disk, and the names of its classes.

    The images are not fetched: their licence asks each user to apply for them. With one folder for each of the 1,000 synsets
    (``n01440764``, ...), whose sorted order is the usual numbering, labels are the numbers of :meth:`labels`.

    Args:
        folder: where the folders of the classes are, or where folders ``train`` and ``val`` with these are.
        train: which of ``train`` and ``val``, if they are there.
        transform: for one PIL image; by default ``ToArray()``, which gives float32 (3, H, W) in [0, 255].
        target_transform: for one label.

    Raises:
        DatasetError: as for :class:`ImageFolder`.

    Examples:
        >>> ImageNet("nowhere")
        Traceback (most recent call last):
            ...
        dezero.errors.DatasetError: ImageNet: nowhere is no folder
    """

    def __init__(self, folder: str | os.PathLike[str], train: bool = True, transform: Transforming = ToArray(),  # noqa: B008
                 target_transform: Transforming = None) -> None:
        part = Path(folder) / ("train" if train else "val")
        super().__init__(part if part.is_dir() else folder, train, transform, target_transform)

    @staticmethod
    def labels() -> dict[int, str]:
        """The names of the 1,000 classes by number: ``labels()[340]`` is ``'zebra'``.

        The file ``imagenet1000_clsidx_to_labels.txt`` (names with synonyms) or ``imagenet_class_index.json`` (short names) is
        searched and fetched as those of :class:`MNIST`; no hash of it is published, so that its structure is checked.

        Raises:
            DatasetError: neither file is there nor can be fetched.
        """
        try:
            return obtain(NAMES, _read)[1]
        except DatasetError as error:
            try:
                return obtain(SHORT_NAMES, _read)[1]
            except DatasetError:
                raise error from None


__all__ = ["ImageNet", "parse_labels"]
