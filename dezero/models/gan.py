"""A generator and a discriminator for small grey images (Goodfellow et al., "Generative adversarial networks", 2014)."""

from __future__ import annotations

from typing import Any

import dezero.functions as F
import dezero.layers as L
from dezero.core import Variable
from dezero.models.model import Model


class Generator(Model):
    """Images from noise, by transposed convolutions (Radford, Metz and Chintala, "Unsupervised representation learning", 2016).

    Args:
        image_size: height and width of the images, a multiple of 4.
        channels: after the first layer; half as many after the second.

    Raises:
        ValueError: the size is no multiple of 4.

    Examples:
        >>> import numpy as np
        >>> from dezero.models import Generator
        >>> Generator(image_size=8, channels=16)(np.ones((5, 20), np.float32)).shape
        (5, 1, 8, 8)
    """

    def __init__(self, image_size: int = 28, channels: int = 64) -> None:
        super().__init__()
        if image_size < 4 or image_size % 4:
            raise ValueError(f"Generator: image_size is {image_size}: a multiple of 4 is expected")
        self.start = (channels, image_size // 4, image_size // 4)
        self.fc = L.Linear(channels * (image_size // 4) ** 2, nobias=True, initializer="he")
        self.bn1 = L.BatchNorm()
        self.deconv1 = L.ConvTranspose2d(channels // 2, 4, stride=2, pad=1, nobias=True, initializer="he")
        self.bn2 = L.BatchNorm()
        self.deconv2 = L.ConvTranspose2d(1, 4, stride=2, pad=1)

    def forward(self, z: Any) -> Variable:
        """Images (N, 1, image_size, image_size) in 0..1 from noise (N, any length)."""
        h = self.fc(z)
        h = F.relu(self.bn1(F.reshape(h, (-1, *self.start))))
        h = F.relu(self.bn2(self.deconv1(h)))
        return F.sigmoid(self.deconv2(h))


class Discriminator(Model):
    """A logit for each image: how real it looks.

    Args:
        channels: of the first convolution; twice as many in the second. Images (N, C, H, W) may have any size from 4x4 on.

    Examples:
        >>> import numpy as np
        >>> from dezero.models import Discriminator
        >>> Discriminator(channels=8)(np.ones((5, 1, 8, 8), np.float32)).shape
        (5, 1)
    """

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        self.conv1 = L.Conv2d(channels, 4, stride=2, pad=1, initializer="he")
        self.conv2 = L.Conv2d(2 * channels, 4, stride=2, pad=1, initializer="he")
        self.fc = L.Linear(1)

    def forward(self, x: Any) -> Variable:
        h = F.leaky_relu(self.conv1(x))
        h = F.leaky_relu(self.conv2(h))
        y: Variable = self.fc(F.flatten(h))
        return y


__all__ = ["Discriminator", "Generator"]
