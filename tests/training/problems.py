"""Small problems, models and loaders for the tests of training."""

from __future__ import annotations

from typing import Any

import numpy as np

import dezero.functions as F
import dezero.layers as L
from dezero.dataloaders import DataLoader
from dezero.datasets import ArrayDataset
from dezero.optimizers import SGD
from dezero.training import Trainer


def blobs(n: int = 40, seed: int = 0) -> tuple[Any, Any]:
    """Three classes around three points of the plane."""
    rng = np.random.default_rng(seed)
    t = rng.integers(0, 3, n)
    centres = np.array([[0.0, 2.0], [2.0, -1.0], [-2.0, -1.0]])
    return (centres[t] + rng.normal(0, 0.3, (n, 2))).astype(np.float32), t


class Net(L.Layer):
    """2-8-3 with ReLU, and if wanted dropout and batch norm; weights from a seed of its own."""

    def __init__(self, dropout: float = 0.0, norm: bool = False, seed: int = 0) -> None:
        super().__init__()
        self.l1, self.l2 = L.Linear(8, in_size=2), L.Linear(3, in_size=8)
        self.norm = L.BatchNorm(8) if norm else None
        self.dropout = dropout
        rng = np.random.default_rng(seed)
        for p in (self.l1.W, self.l2.W):
            p.data[...] = rng.normal(0, 0.5, p.shape)

    def forward(self, x: Any) -> Any:
        h = F.relu(self.l1(x))
        if self.norm is not None:
            h = self.norm(h)
        if self.dropout:
            h = F.dropout(h, self.dropout)
        return self.l2(h)


def make_net(**options: Any) -> Net:
    """A Net; the weights that its layers draw before they are overwritten leave the global random state alone."""
    state = np.random.get_state()
    net = Net(**options)
    np.random.set_state(state)
    return net


def loader(n: int = 40, batch_size: int = 16, **options: Any) -> DataLoader:
    """Batches of blobs; the last one is short."""
    return DataLoader(ArrayDataset(*blobs(n)), batch_size, **{"seed": 0, **options})


def trainer(optimizer: Any = None, model: Any = None, **options: Any) -> Trainer:
    """A Trainer of a classifier with accuracy."""
    return Trainer(make_net() if model is None else model, SGD(0.1) if optimizer is None else optimizer, F.softmax_cross_entropy,
                   **{"metrics": [F.accuracy], **options})


def bytes_of(model: Any) -> dict[str, bytes]:
    """All parameters and buffers as bytes."""
    return {name: np.asarray(a).tobytes() for name, a in model.state_dict().items()}
