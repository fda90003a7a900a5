"""Names and shapes of the arrays in published weights, written down independently of the models: ours beside theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

VGG16 = {  # features.<position>, channels in and out
    "conv1_1": (0, 3, 64), "conv1_2": (2, 64, 64),
    "conv2_1": (5, 64, 128), "conv2_2": (7, 128, 128),
    "conv3_1": (10, 128, 256), "conv3_2": (12, 256, 256), "conv3_3": (14, 256, 256),
    "conv4_1": (17, 256, 512), "conv4_2": (19, 512, 512), "conv4_3": (21, 512, 512),
    "conv5_1": (24, 512, 512), "conv5_2": (26, 512, 512), "conv5_3": (28, 512, 512),
}
FIRES = {3: (64, 16), 4: (128, 16), 6: (128, 32), 7: (256, 32), 9: (256, 48), 10: (384, 48), 11: (384, 64), 12: (512, 64)}  # channels in and squeezed
BLOCKS = {18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3], 152: [3, 8, 36, 3]}


class Array(NamedTuple):
    """The name in torchvision's file, the one here, and the shape in torchvision's file."""

    theirs: str
    ours: str
    shape: tuple[int, ...]


def vgg16(features: int, hidden: int = 4096) -> Iterator[Array]:
    """``features`` is how many numbers go into the first fully connected layer, ``hidden`` how many come out."""
    for name, (position, before, after) in VGG16.items():
        yield Array(f"features.{position}.weight", f"{name}.W", (after, before, 3, 3))
        yield Array(f"features.{position}.bias", f"{name}.b", (after,))
    for name, position, before, after in (("fc6", 0, features, hidden), ("fc7", 3, hidden, hidden), ("fc8", 6, hidden, 1000)):
        yield Array(f"classifier.{position}.weight", f"{name}.W", (after, before))
        yield Array(f"classifier.{position}.bias", f"{name}.b", (after,))


def norm(theirs: str, ours: str, channels: int) -> Iterator[Array]:
    for their_part, our_part in (("weight", "gamma"), ("bias", "beta"), ("running_mean", "avg_mean"), ("running_var", "avg_var")):
        yield Array(f"{theirs}.{their_part}", f"{ours}.{our_part}", (channels,))
    yield Array(f"{theirs}.num_batches_tracked", "", ())


def resnet(n_layers: int, first_bias: bool = False) -> Iterator[Array]:
    yield Array("conv1.weight", "conv1.W", (64, 3, 7, 7))
    if first_bias:
        yield Array("conv1.bias", "conv1.b", (64,))
    yield from norm("bn1", "bn1", 64)
    before = 64
    for stage in range(1, 5):
        width = 32 * 2 ** stage
        after = width if n_layers < 50 else 4 * width
        for i in range(BLOCKS[n_layers][stage - 1]):
            theirs, ours = f"layer{stage}.{i}", f"res{stage + 1}.{'a' if i == 0 else f'b{i}'}"
            sizes = [(width, before, 3), (width, width, 3)] if n_layers < 50 else [(width, before, 1), (width, width, 3), (after, width, 1)]
            for k, (n_out, n_in, kernel) in enumerate(sizes, 1):
                yield Array(f"{theirs}.conv{k}.weight", f"{ours}.conv{k}.W", (n_out, n_in, kernel, kernel))
                yield from norm(f"{theirs}.bn{k}", f"{ours}.bn{k}", n_out)
            if before != after:
                yield Array(f"{theirs}.downsample.0.weight", f"{ours}.conv4.W", (after, before, 1, 1))
                yield from norm(f"{theirs}.downsample.1", f"{ours}.bn4", after)
            before = after
    yield Array("fc.weight", "fc6.W", (1000, before))
    yield Array("fc.bias", "fc6.b", (1000,))


def squeezenet() -> Iterator[Array]:
    sizes: list[tuple[str, str, int, int, int]] = [("features.0", "conv1", 64, 3, 3)]
    for i, (position, (before, squeezed)) in enumerate(FIRES.items()):
        sizes.append((f"features.{position}.squeeze", f"fires.{i}.squeeze", squeezed, before, 1))
        sizes.append((f"features.{position}.expand1x1", f"fires.{i}.expand1x1", 4 * squeezed, squeezed, 1))
        sizes.append((f"features.{position}.expand3x3", f"fires.{i}.expand3x3", 4 * squeezed, squeezed, 3))
    sizes.append(("classifier.1", "conv10", 1000, 512, 1))
    for theirs, ours, after, before, kernel in sizes:
        yield Array(f"{theirs}.weight", f"{ours}.W", (after, before, kernel, kernel))
        yield Array(f"{theirs}.bias", f"{ours}.b", (after,))


def values(arrays: list[Array]) -> dict[str, Any]:
    """torchvision's name -> float16 values, each array with some numbers of its own at its beginning and its end."""
    rng, found = np.random.default_rng(0), {}
    for theirs, _, shape in arrays:
        if not shape:
            found[theirs] = np.array(7, np.int64)
            continue
        x = np.full(shape, 0.5 if theirs.endswith("running_var") else 1e-3, np.float16)
        n = min(64, x.size)
        x.reshape(-1)[:n] += rng.uniform(0, 0.1, n).astype(np.float16)
        x.reshape(-1)[-n:] += rng.uniform(0, 0.1, n).astype(np.float16)
        found[theirs] = x
    return found


def book(arrays: list[Array]) -> dict[str, Any]:
    """The book's name -> values: its linear weights are (in, out), and "/" joins the names."""
    found = values(arrays)
    return {a.ours.replace(".", "/"): found[a.theirs].T if len(a.shape) == 2 else found[a.theirs] for a in arrays if a.ours}
