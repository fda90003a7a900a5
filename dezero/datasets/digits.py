"""The data set that comes with the package: 1,797 handwritten digits."""

from __future__ import annotations

from importlib import resources

import numpy as np

from dezero.datasets.dataset import Dataset, Transforming
from dezero.datasets.show import show_images
from dezero.errors import DatasetError
from dezero.transforms import Compose, Flatten, Normalize, ToFloat


class Digits(Dataset):
    """Real handwritten digits of 8x8 pixels, 1,437 to train on and 360 to test on; no download.

    The split is fixed, with the classes in equal proportions. Source: E. Alpaydin and C. Kaynak, "Optical Recognition of
    Handwritten Digits", UCI Machine Learning Repository, 1998, https://doi.org/10.24432/C50P49, CC BY 4.0.

    Args:
        train: the part to train on, or the part to test on.
        transform: for one image (1, 8, 8) uint8; by default float32 (64,) in [0, 1]. None leaves it as stored.
        target_transform: for one label.

    Attributes:
        data: (N, 1, 8, 8) uint8, 0 (paper) to 16 (ink).
        label: (N,) uint8, 0 to 9.

    Examples:
        >>> digits = Digits()
        >>> x, t = digits[0]
        >>> len(digits), x.shape, x.dtype, digits.data.shape
        (1437, (64,), dtype('float32'), (1437, 1, 8, 8))
    """

    default_transform = Compose([Flatten(), ToFloat(), Normalize(0.0, 16.0)])

    def __init__(self, train: bool = True, transform: Transforming = default_transform, target_transform: Transforming = None) -> None:
        super().__init__(train, transform, target_transform)

    def prepare(self) -> None:
        """Read the bundled file."""
        file = resources.files("dezero.datasets") / "bundled" / "digits.npz"
        try:
            with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
                data, label, test = (arrays[name] for name in ("data", "label", "test"))
        except (OSError, ValueError, KeyError) as error:
            raise DatasetError(f"Digits: the package's own file datasets/bundled/digits.npz cannot be read ({error}): install dezero anew") from error
        chosen = np.zeros(len(data), bool)
        chosen[test] = True
        if self.train:
            chosen = ~chosen
        self.data, self.label = data[chosen], label[chosen]

    def show(self, row: int = 10, col: int = 10, seed: int | None = None) -> None:
        """Show random images in ``row`` rows of ``col``."""
        show_images(self.data, row, col, seed)

    @staticmethod
    def labels() -> dict[int, str]:
        """The names of the classes by number."""
        return {i: str(i) for i in range(10)}


__all__ = ["Digits"]
