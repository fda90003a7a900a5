"""Small convolution networks for small images: LeNet, and one with batch norm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dezero.functions as F
import dezero.layers as L
from dezero.core import Variable
from dezero.core.checks import fraction
from dezero.models.model import Model


class LeNet(Model):
    """LeNet-5 with ReLU and max pooling, for images (N, C, 28, 28) (LeCun, Bottou, Bengio and Haffner, 1998); 61,706 parameters for C = 1.

    Args:
        num_classes: length of the output.

    Examples:
        >>> import numpy as np
        >>> from dezero.models import LeNet
        >>> LeNet()(np.ones((2, 1, 28, 28), np.float32)).shape
        (2, 10)
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.conv1 = L.Conv2d(6, 5, pad=2, initializer="he")
        self.conv2 = L.Conv2d(16, 5, initializer="he")
        self.fc3 = L.Linear(120, initializer="he")
        self.fc4 = L.Linear(84, initializer="he")
        self.fc5 = L.Linear(num_classes)

    def forward(self, x: Any) -> Variable:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc3(F.flatten(x)))
        y: Variable = self.fc5(F.relu(self.fc4(x)))
        return y


class CNN(Model):
    """3x3 convolutions with batch norm and ReLU, a 2x2 pooling after every stage, and one Linear layer.

    Args:
        num_classes: length of the output.
        channels: of the convolutions, a sequence for each stage.
        dropout_ratio: before the last layer.

    Raises:
        ValueError: a stage without channels, or a ratio that is not in [0, 1].

    Examples:
        >>> import numpy as np
        >>> from dezero.models import CNN
        >>> CNN(channels=((8,), (16,)))(np.ones((2, 1, 28, 28), np.float32)).shape
        (2, 10)
    """

    def __init__(self, num_classes: int = 10, channels: Sequence[Sequence[int]] = ((16,), (32, 32)), dropout_ratio: float = 0.0) -> None:
        super().__init__()
        if not channels or not all(isinstance(stage, Sequence) and stage for stage in channels):
            raise ValueError(f"CNN: channels is {channels!r}: a sequence of channels for each stage is expected, ((16,), (32, 32)) say")
        self.stages = [[(L.Conv2d(c, 3, pad=1, nobias=True, initializer="he"), L.BatchNorm()) for c in stage] for stage in channels]
        self.fc = L.Linear(num_classes)
        self.dropout_ratio = fraction("CNN", "dropout_ratio", dropout_ratio)

    def forward(self, x: Any) -> Variable:
        for stage in self.stages:
            for conv, norm in stage:
                x = F.relu(norm(conv(x)))
            x = F.max_pool2d(x, 2)
        x = F.flatten(x)
        y: Variable = self.fc(F.dropout(x, self.dropout_ratio) if self.dropout_ratio else x)
        return y


__all__ = ["CNN", "LeNet"]
