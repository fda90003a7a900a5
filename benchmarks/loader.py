"""One epoch of DataLoader over MNIST's training images, batch 100, shuffled, pixels as float32 in [0, 1]."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.harness import ROOT, Row, alternate, benchmark, check_agreement, compare, torch_or_none
from dezero.dataloaders import DataLoader
from dezero.datasets import ArrayDataset, read_idx
from dezero.transforms import Compose, Flatten, Normalize, ToFloat

BATCH = 100
FILES = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")


class Competitor(NamedTuple):
    """An epoch, and the first batch of data in their stored order, for the comparison of what is made."""

    epoch: Callable[[], Any]
    first: Callable[[], Iterable[Any]]


def data() -> tuple[Any, Any]:
    """Images (60000, 1, 28, 28) and labels: the real ones if they are here, else random bytes."""
    for folder in (os.environ.get("DEZERO_DATA", ""), str(ROOT.parent / "shared" / "data")):
        paths = [Path(folder) / "mnist" / name for name in FILES]
        if all(path.exists() for path in paths):
            x, t = map(read_idx, paths)
            return x.reshape(-1, 1, 28, 28), t
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (60_000, 1, 28, 28), dtype=np.uint8), rng.integers(0, 10, 60_000, dtype=np.uint8)


def by_dezero(x: Any, t: Any) -> Competitor:
    """The loader with MNIST's default transform."""
    dataset = ArrayDataset(x, t, Compose([Flatten(), ToFloat(), Normalize(0.0, 255.0)]))
    loader = DataLoader(dataset, BATCH)

    def epoch() -> Any:
        last = None
        for batch in loader:
            last = batch
        return last

    return Competitor(epoch, lambda: dataset.gather(np.arange(BATCH)))


def by_hand(x: Any, t: Any, convert: bool) -> Competitor:
    """Fancy indexing with a permutation; ``convert`` makes floats of the pixels as one writes it, else they stay as stored."""
    def batch(chosen: Any) -> tuple[Any, Any]:
        pixels = x[chosen]
        return (pixels.reshape(len(pixels), -1).astype(np.float32) / 255 if convert else pixels), t[chosen]

    def epoch() -> Any:
        order = np.random.permutation(len(x))
        for i in range(0, len(x), BATCH):
            last = batch(order[i:i + BATCH])
        return last

    def first() -> Iterable[Any]:
        pixels, labels = batch(np.arange(BATCH))
        return pixels.reshape(BATCH, -1) / np.float32(1 if convert else 255), labels

    return Competitor(epoch, first)


def by_torch(torch: Any, x: Any, t: Any) -> Competitor:
    """PyTorch's loader over tensors whose pixels were made floats beforehand."""
    pixels = torch.tensor(x.reshape(len(x), -1).astype(np.float32) / 255)
    dataset = torch.utils.data.TensorDataset(pixels, torch.tensor(t.astype(np.int64)))
    loader = torch.utils.data.DataLoader(dataset, BATCH, shuffle=True)

    def epoch() -> Any:
        last = None
        for batch in loader:
            last = batch
        return last

    return Competitor(epoch, lambda: [part.numpy() for part in dataset[:BATCH]])


@benchmark("loader")
def loader(quick: bool) -> list[Row]:
    """Fewer images would fit into the processor's caches, so that a quick run takes all 60,000 too."""
    x, t = data()
    torch = torch_or_none()
    competitors = {"ours": by_dezero(x, t), "NumPy, bare indexing": by_hand(x, t, convert=False), "NumPy by hand": by_hand(x, t, convert=True)}
    if torch:
        competitors["PyTorch"] = by_torch(torch, x, t)
    check_agreement({name: competitor.first() for name, competitor in competitors.items()}, 1e-6)
    times = alternate({name: competitor.epoch for name, competitor in competitors.items()}, quick)
    return compare("DataLoader, epoch of MNIST", times, {"NumPy, bare indexing": 3.0, "NumPy by hand": None, "PyTorch": 0.2})
