"""MNIST and Fashion-MNIST."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from dezero.datasets.dataset import Dataset, Transforming
from dezero.datasets.files import Source, obtain
from dezero.datasets.idx import read_idx
from dezero.datasets.show import show_images
from dezero.errors import FileFormatError
from dezero.transforms import Compose, Flatten, Normalize, ToFloat

COUNTS = {True: 60_000, False: 10_000}
FILES = {True: ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"), False: ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}
MIRRORS = ("https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/",
           "https://azureopendatastorage.blob.core.windows.net/mnist/")
FASHION_MIRRORS = ("https://fashion-mnist.s3.eu-central-1.amazonaws.com/", "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
                   "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/")


class MNIST(Dataset):
    """Handwritten digits of 28x28 pixels, 60,000 to train on and 10,000 to test on (LeCun, Cortes and Burges, 1998).

    The four files are searched in ``$DEZERO_DATA``, the user's cache folder and ``~/.dezero``, each also with a folder
    ``mnist``, else fetched (11 MB). The SHA-256 of their unpacked content is checked.

    Args:
        train: the part to train on, or the part to test on.
        transform: for one image (1, 28, 28) uint8; by default float32 (784,) in [0, 1]. None leaves it as stored.
        target_transform: for one label.

    Attributes:
        data: (N, 1, 28, 28) uint8.
        label: (N,) uint8, 0 to 9.

    Raises:
        DatasetError: a file is not there and cannot be fetched; the message says which one to put where.

    Examples:
        >>> MNIST.labels()[3]
        '3'
    """

    default_transform = Compose([Flatten(), ToFloat(), Normalize(0.0, 255.0)])
    folders: tuple[str, ...] = ("mnist", "MNIST/raw")
    mirrors: tuple[str, ...] = MIRRORS
    flat = True
    unpacked_sha256: dict[str, str] = {
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    }
    packed_sha256: dict[str, str] = {}

    def __init__(self, train: bool = True, transform: Transforming = default_transform, target_transform: Transforming = None) -> None:
        super().__init__(train, transform, target_transform)

    def prepare(self) -> None:
        """Find or fetch the two files of the part, and read them."""
        images, labels = FILES[bool(self.train)]
        n = COUNTS[bool(self.train)]
        self.data = self._file(images, (n, 28, 28)).reshape(n, 1, 28, 28)
        self.label = self._file(labels, (n,))

    def _file(self, name: str, shape: tuple[int, ...]) -> Any:
        source = Source(type(self).__name__, name + ".gz", tuple(mirror + name + ".gz" for mirror in self.mirrors), 40_000_000,
                        self.packed_sha256.get(name), self.folders, (name, name.replace("-idx", ".idx")), self.flat)
        return obtain(source, partial(_read, sha256=self.unpacked_sha256.get(name), shape=shape))[1]

    def show(self, row: int = 10, col: int = 10, seed: int | None = None) -> None:
        """Show random images in ``row`` rows of ``col``."""
        show_images(self.data, row, col, seed)

    @staticmethod
    def labels() -> dict[int, str]:
        """The names of the classes by number."""
        return {i: str(i) for i in range(10)}


def _read(path: Path, sha256: str | None, shape: tuple[int, ...]) -> Any:
    array = read_idx(path, sha256=sha256, shape=shape, dtype="uint8")
    if array.ndim == 1 and array.size and int(array.max()) > 9:
        raise FileFormatError(f"{path}: has a label {int(array.max())}: 0 to 9 are expected")
    return array


class FashionMNIST(MNIST):
    """Pictures of clothes in MNIST's format: 28x28 pixels, 60,000 to train on and 10,000 to test on (Xiao, Rasul and Vollgraf, 2017).

    The files have the names of MNIST's, so they are searched in the subfolders ``fashion-mnist`` and ``FashionMNIST/raw``
    alone, else fetched (31 MB). The SHA-256 of a fetched packed file is checked; of a file that is there already its
    structure and, where it is packed, gzip's checksum.

    Args:
        train: the part to train on, or the part to test on.
        transform: for one image (1, 28, 28) uint8; by default float32 (784,) in [0, 1]. None leaves it as stored.
        target_transform: for one label.

    Attributes:
        data: (N, 1, 28, 28) uint8.
        label: (N,) uint8, 0 to 9.

    Raises:
        DatasetError: a file is not there and cannot be fetched; the message says which one to put where.

    Examples:
        >>> FashionMNIST.labels()[9]
        'Ankle boot'
    """

    folders = ("fashion-mnist", "fashion_mnist", "FashionMNIST/raw")
    mirrors = FASHION_MIRRORS
    flat = False
    unpacked_sha256: dict[str, str] = {}
    packed_sha256: dict[str, str] = {
        "train-images-idx3-ubyte": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train-labels-idx1-ubyte": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "t10k-images-idx3-ubyte": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "t10k-labels-idx1-ubyte": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    }

    @staticmethod
    def labels() -> dict[int, str]:
        """The names of the classes by number."""
        return dict(enumerate(["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]))


__all__ = ["MNIST", "FashionMNIST"]
