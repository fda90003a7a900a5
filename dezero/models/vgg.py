"""VGG16 (Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", 2015)."""

from __future__ import annotations

from typing import Any

import numpy as np

import dezero.functions as F
import dezero.layers as L
from dezero.core import Variable
from dezero.layers.state import LoadReport
from dezero.models.images import prepared
from dezero.models.model import Model
from dezero.models.weights import AFFINE, PUBLISHED, check_flag, fetch, load_published, renamed

# How many convolutions each block has, and their channels.
BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
HIDDEN = 4096  # units of the fully connected layers


class VGG16(Model):
    """Thirteen 3x3 convolutions in five blocks and three fully connected layers, for images (N, 3, 224, 224).

    Other sizes from 32x32 on work too, with weights of their own: the first call sizes ``fc6``.

    Args:
        pretrained: load the published weights, which are fetched once.
        num_classes: length of the output.
        initializer: of the weights.

    Attributes:
        conv1_1 ... conv5_3: the convolutions.
        fc6, fc7, fc8: the fully connected layers.

    Raises:
        TypeError: ``pretrained`` is a number: of classes, perhaps.

    Examples:
        >>> from dezero.models import VGG16
        >>> [name for name, _ in VGG16().named_params()][:3]
        ['conv1_1.W', 'conv1_1.b', 'conv1_2.W']
    """

    def __init__(self, pretrained: bool = False, num_classes: int = 1000, initializer: Any = "he") -> None:
        super().__init__()
        check_flag("VGG16", pretrained)
        for block, (count, channels) in enumerate(BLOCKS, 1):
            for i in range(1, count + 1):
                setattr(self, f"conv{block}_{i}", L.Conv2d(channels, kernel_size=3, pad=1, initializer=initializer))
        self.fc6 = L.Linear(HIDDEN, initializer=initializer)
        self.fc7 = L.Linear(HIDDEN, initializer=initializer)
        self.fc8 = L.Linear(num_classes, initializer=initializer)
        if pretrained:
            self.load_weights(fetch(PUBLISHED["vgg16"]))

    def forward(self, x: Any) -> Variable:
        for block, (count, _) in enumerate(BLOCKS, 1):
            for i in range(1, count + 1):
                x = F.relu(getattr(self, f"conv{block}_{i}")(x))
            x = F.pooling(x, 2, 2)
        x = F.reshape(x, (x.shape[0], -1))
        x = F.dropout(F.relu(self.fc6(x)))
        x = F.dropout(F.relu(self.fc7(x)))
        y: Variable = self.fc8(x)
        return y

    def load_weights(self, path: Any, strict: bool = True) -> LoadReport:
        """Load weights: the published npz file, one of our own, or a file with torchvision's names.

        Torchvision's weights expect images from ``preprocess(image, style="torchvision")``.

        Raises:
            StateError: names or shapes differ; nothing was loaded then, and the message is a table of what differs.
        """
        return load_published(self, path, torchvision_names, strict)

    @staticmethod
    def preprocess(image: Any, size: tuple[int, int] | None = (224, 224), dtype: Any = np.float32, style: str = "caffe") -> Any:
        """An image as VGG16 expects it.

        Args:
            image: a PIL image of any mode, or an array (H, W, 3), (H, W, 4) or (H, W) of uint8; transparency is dropped.
            size: width and height to resize to; None keeps the image's own.
            dtype: of the result.
            style: "caffe" for the published weights: channels B, G, R with their means over ImageNet subtracted;
                "torchvision" for torchvision's: R, G, B in 0..1, normalised.

        Returns:
            An array (3, H, W); ``x[None]`` is a batch of one.

        Raises:
            InputTypeError: ``image`` is something else.
            ValueError: an unknown style.
            ImportError: Pillow is not installed.

        Examples:
            >>> import numpy as np
            >>> from dezero.models import VGG16
            >>> VGG16.preprocess(np.zeros((8, 6, 3), np.uint8)).shape
            (3, 224, 224)
        """
        return prepared(image, size, dtype, style)


def torchvision_names() -> dict[str, str]:
    """torchvision's names -> ours: its layers are numbered as they stand in ``features`` and ``classifier``."""
    names: dict[str, str] = {}
    position = 0
    for block, (count, _) in enumerate(BLOCKS, 1):
        for i in range(1, count + 1):
            names |= renamed(f"features.{position}", f"conv{block}_{i}", AFFINE)
            position += 2  # the convolution and its ReLU
        position += 1  # the pooling
    for there, here in (("0", "fc6"), ("3", "fc7"), ("6", "fc8")):
        names |= renamed(f"classifier.{there}", here, AFFINE)
    return names


__all__ = ["VGG16"]
