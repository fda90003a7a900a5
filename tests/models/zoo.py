"""One small instance of each model, with inputs that fit it; and an initializer that costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import dezero.functions as F
import dezero.layers as L
from dezero import models
from dezero.initializers import Initializer


class Zeros(Initializer):
    """Zeros that take no memory until they are written to: for counting the parameters of large networks."""

    def __call__(self, shape: Any, dtype: Any = np.float32, fan_in: Any = None, fan_out: Any = None, xp: Any = np) -> Any:
        return xp.zeros(shape, dtype)


def floats(*shape: int) -> Any:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def ids(*shape: int) -> Any:
    return np.random.default_rng(0).integers(0, 7, shape)


def residual(num_classes: int) -> models.Model:
    """All kinds of blocks of a residual network, in a few channels."""
    stages = models.Stage(models.BasicBlock(4, 2, project=True), models.BasicBlock(4)), models.BuildingBlock(2, None, 4, 8, 2)
    return models.Sequential(*stages, F.global_average_pool2d, L.Linear(num_classes))


class Row(NamedTuple):
    """A model, an input, the shape of what it makes of it; and the parameters whose gradients vanish by the maths."""

    make: Callable[[], models.Model]
    x: Any
    shape: tuple[int, ...]
    no_gradient: tuple[str, ...] = ()


# A bias of the keys has no effect, since softmax does not see what is added to all scores.
ZOO = {
    "Sequential": Row(lambda: models.Sequential(L.Linear(5), F.tanh, L.Linear(3)), floats(4, 6), (4, 3)),
    "MLP": Row(lambda: models.MLP((8, 5, 3), F.tanh), floats(4, 6), (4, 3)),
    "LeNet": Row(models.LeNet, floats(8, 1, 28, 28), (8, 10)),
    "CNN": Row(lambda: models.CNN(3, ((4,), (5, 6)), dropout_ratio=0.5), floats(4, 2, 8, 8), (4, 3)),
    "SqueezeNet": Row(lambda: models.SqueezeNet(4), floats(3, 3, 19, 20), (3, 4)),
    "residual": Row(lambda: residual(4), floats(4, 3, 12, 9), (4, 4)),
    "AutoEncoder": Row(lambda: models.AutoEncoder(6, (8,), 2, F.tanh), floats(4, 6), (4, 6)),
    "VAE": Row(lambda: models.VAE(6, (16,), 2), floats(16, 6), (16, 6)),
    "Generator": Row(lambda: models.Generator(8, 8), floats(4, 5), (4, 1, 8, 8)),
    "Discriminator": Row(lambda: models.Discriminator(4), floats(4, 1, 8, 8), (4, 1)),
    "CharLSTM": Row(lambda: models.CharLSTM(7, 4, 5, num_layers=2, dropout_ratio=0.5), ids(4, 6), (4, 6, 7)),
    "GPT": Row(lambda: models.GPT(7, 6, 8, 2, 2, 0.1), ids(4, 6), (4, 6, 7), ("blocks.0.attention.k.b", "blocks.1.attention.k.b")),
}
