"""SqueezeNet (Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", 2016), in its version 1.1."""

from __future__ import annotations

from typing import Any

import numpy as np

import dezero.functions as F
import dezero.layers as L
from dezero.core import Variable
from dezero.core.checks import fraction
from dezero.layers.state import LoadReport
from dezero.models.images import prepared
from dezero.models.model import Model
from dezero.models.weights import AFFINE, load_published, renamed

# Channels of the squeeze of each fire module, and whether a pooling stands before it; each expand has four times as many.
FIRES = ((16, True), (16, False), (32, True), (32, False), (48, True), (48, False), (64, False), (64, False))


class Fire(L.Layer):
    """A 1x1 convolution that squeezes the channels, and a 1x1 and a 3x3 one, side by side, that expand them.

    Args:
        squeeze: channels between; the output has 8 times as many.

    Examples:
        >>> import numpy as np
        >>> from dezero.models.squeezenet import Fire
        >>> Fire(4)(np.ones((1, 3, 5, 5), np.float32)).shape
        (1, 32, 5, 5)
    """

    def __init__(self, squeeze: int) -> None:
        super().__init__()
        self.squeeze = L.Conv2d(squeeze, 1, initializer="he")
        self.expand1x1 = L.Conv2d(4 * squeeze, 1, initializer="he")
        self.expand3x3 = L.Conv2d(4 * squeeze, 3, pad=1, initializer="he")

    def forward(self, x: Any) -> Variable:
        h = F.relu(self.squeeze(x))
        return F.concatenate([F.relu(self.expand1x1(h)), F.relu(self.expand3x3(h))], axis=1)


class SqueezeNet(Model):
    """A small network for images (N, 3, H, W) from 17x17 on, of 1.2 million parameters.

    Args:
        num_classes: length of the output.
        dropout_ratio: before the last convolution.

    Examples:
        >>> import numpy as np
        >>> from dezero.models import SqueezeNet
        >>> net = SqueezeNet(num_classes=10).eval()
        >>> net(np.ones((1, 3, 64, 64), np.float32)).shape
        (1, 10)
    """

    def __init__(self, num_classes: int = 1000, dropout_ratio: float = 0.5) -> None:
        super().__init__()
        self.conv1 = L.Conv2d(64, 3, stride=2, initializer="he")
        self.fires = [Fire(squeeze) for squeeze, _ in FIRES]
        self.conv10 = L.Conv2d(num_classes, 1, initializer="normal")
        self.dropout_ratio = fraction("SqueezeNet", "dropout_ratio", dropout_ratio)

    def forward(self, x: Any) -> Variable:
        x = F.relu(self.conv1(x))
        for fire, (_, pooled) in zip(self.fires, FIRES, strict=True):
            x = fire(pooled_up(x) if pooled else x)
        return F.global_average_pool2d(F.relu(self.conv10(F.dropout(x, self.dropout_ratio))))

    def load_weights(self, path: Any, strict: bool = True) -> LoadReport:
        """Load weights of our own, or a file with torchvision's names.

        Raises:
            StateError: names or shapes differ; nothing was loaded then, and the message is a table of what differs.
        """
        return load_published(self, path, torchvision_names, strict)

    @staticmethod
    def preprocess(image: Any, size: tuple[int, int] | None = (224, 224), dtype: Any = np.float32, style: str = "torchvision") -> Any:
        """An image as torchvision's weights expect it; see :meth:`VGG16.preprocess`.

        Examples:
            >>> import numpy as np
            >>> from dezero.models import SqueezeNet
            >>> SqueezeNet.preprocess(np.zeros((8, 6, 3), np.uint8)).shape
            (3, 224, 224)
        """
        return prepared(image, size, dtype, style)


def pooled_up(x: Variable) -> Variable:
    """3x3 maxima two steps apart, the last window of an even side being cut off at the border instead of left out."""
    H, W = x.shape[2:]
    if H % 2 == 0 or W % 2 == 0:  # x comes from a ReLU: zeros beyond the border never win
        x = F.pad(x, ((0, 0), (0, 0), (0, 1 - H % 2), (0, 1 - W % 2)))
    return F.max_pool2d(x, 3, 2)


def torchvision_names() -> dict[str, str]:
    """torchvision's names -> ours: its layers are numbered as they stand in ``features`` and ``classifier``."""
    names, position = renamed("features.0", "conv1", AFFINE) | renamed("classifier.1", "conv10", AFFINE), 2
    for i, (_, pooled) in enumerate(FIRES):
        position += pooled
        for part in ("squeeze", "expand1x1", "expand3x3"):
            names |= renamed(f"features.{position}.{part}", f"fires.{i}.{part}", AFFINE)
        position += 1
    return names


__all__ = ["Fire", "SqueezeNet"]
