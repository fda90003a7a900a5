"""One row for each layer of the catalogue: how to make it and what it takes. test_catalogue.py makes the common tests out of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import dezero.layers as L


@dataclass(frozen=True)
class Row:
    """A layer and an input for it."""

    id: str
    make: Callable[[Any], L.Layer]  # takes the dtype of the weights
    shape: tuple[int, ...] = (2, 4)
    names: tuple[str, ...] = ()     # of the parameters
    buffers: tuple[str, ...] = ()
    same_in_use: bool = True        # train mode and use give the same


def row(name: str, *args: Any, id: str = "", shape: tuple[int, ...] = (2, 4), names: str = "", buffers: str = "", same_in_use: bool = True,
        **settings: Any) -> Row:
    """A row for the layer of this name; layers with parameters get the dtype."""
    def make(dtype: Any) -> L.Layer:
        return getattr(L, name)(*args, **settings, **({"dtype": dtype} if names else {}))  # type: ignore[no-any-return]

    return Row(id or name, make, shape, tuple(names.split()), tuple(buffers.split()), same_in_use)


NORM = "gamma beta"
RUN = (3, 2, 4)  # T, N, I
IMAGES = (2, 4, 6, 6)
ATTENTION = "q.W q.b k.W k.b v.W v.b out.W out.b"
ENCODER = "attention." + " attention.".join(ATTENTION.split()) + " norm1.gamma norm1.beta fc1.W fc1.b fc2.W fc2.b norm2.gamma norm2.beta"

ROWS = [
    row("BatchNorm", names=NORM, buffers="avg_mean avg_var", same_in_use=False, shape=(5, 4)),
    row("BatchNorm", id="BatchNorm images", names=NORM, buffers="avg_mean avg_var", same_in_use=False, shape=(2, 4, 3, 2)),
    row("LayerNorm", names=NORM),
    row("LayerNorm", (3, 4), id="LayerNorm two axes", names=NORM, shape=(2, 3, 4)),
    row("RMSNorm", names="gamma"),
    row("GroupNorm", 2, names=NORM, shape=(2, 4, 3)),
    row("InstanceNorm", shape=(2, 4, 3)),
    row("InstanceNorm", True, id="InstanceNorm affine", names=NORM, shape=(2, 4, 3)),
    row("Dropout", 0.5, shape=(5, 8), same_in_use=False),
    *(row(name, 2, shape=IMAGES) for name in ("MaxPool2d", "AvgPool2d", "Upsample", "AdaptiveAvgPool2d")),
    *(row(name, 2, shape=(2, 4, 6)) for name in ("MaxPool1d", "AvgPool1d")),
    row("Upsample", id="Upsample bilinear", size=(9, 5), mode="bilinear", shape=IMAGES),
    row("GlobalAvgPool2d", shape=IMAGES),
    row("Flatten", shape=IMAGES),
    row("Reshape", (6, -1), shape=IMAGES),
    *(row(name) for name in ("ReLU", "LeakyReLU", "ELU", "SELU", "GELU", "SiLU", "Mish", "Softplus", "Sigmoid", "Tanh", "HardTanh", "Softmax",
                             "LogSoftmax", "GLU", "Identity")),
    row("PReLU", names="slope"),
    row("PReLU", None, id="PReLU channels", names="slope", shape=(2, 4, 3)),
    *(row(name, 3, id=f"{name} step", names=names) for name, names in (("RNN", "Wx Wh b"), ("LSTM", "Wx Wh b"), ("GRU", "Wx Wh b bh"))),
    *(row(name, 3, names=names, shape=RUN) for name, names in (("RNN", "Wx Wh b"), ("LSTM", "Wx Wh b"), ("GRU", "Wx Wh b bh"))),
    row("LSTM", 3, id="LSTM deep", num_layers=2, bidirectional=True, batch_first=True, shape=RUN,
        names="Wx Wh b Wx_back Wh_back b_back Wx1 Wh1 b1 Wx1_back Wh1_back b1_back"),
    row("MultiHeadAttention", 4, 2, names=ATTENTION, shape=RUN),
    row("TransformerEncoderLayer", 4, 2, ff_size=5, dropout_ratio=0.0, names=ENCODER, shape=RUN),
    row("TransformerEncoderLayer", 4, 2, id="TransformerEncoderLayer post", ff_size=5, norm_first=False, causal=True, names=ENCODER, shape=RUN,
        same_in_use=False),
    row("PositionalEncoding", shape=RUN),
    row("PositionalEmbedding", 5, 4, names="W", shape=RUN),
]


def draw(row: Row, dtype: Any = np.float64) -> Any:
    """An input of the row."""
    return np.random.default_rng(len(row.id)).normal(size=row.shape).astype(dtype)


def forget(layer: L.Layer) -> None:
    """Take hidden states away, if there are any."""
    if hasattr(layer, "reset_state"):
        layer.reset_state()
