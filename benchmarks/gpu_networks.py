"""The networks of ``gpu_problems.py`` in PyTorch, as its users write them, with layers in the order of dezero's, so that weights go over in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

BLOCKS = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}


def residual_network(torch: Any, layers: int, classes: int) -> Any:
    """ResNet-18 or ResNet-50 (He et al., 2016), strides in the 3x3 convolutions, as in torchvision."""
    nn, bottleneck = torch.nn, layers >= 50

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, before: int, width: int, stride: int) -> None:
            super().__init__()
            after = 4 * width if bottleneck else width
            sizes = [(before, width, 1, 1), (width, width, 3, stride), (width, after, 1, 1)] if bottleneck else \
                [(before, width, 3, stride), (width, width, 3, 1)]
            self.parts = nn.ModuleList()
            for n_in, n_out, kernel, step in sizes:
                self.parts.append(nn.Conv2d(n_in, n_out, kernel, step, kernel // 2, bias=False))
                self.parts.append(nn.BatchNorm2d(n_out))
            self.shortcut = nn.Sequential()
            if before != after:
                self.shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

        def forward(self, x: Any) -> Any:
            h = x
            for i, part in enumerate(self.parts):
                h = part(h)
                if i % 2 and i + 1 < len(self.parts):
                    h = torch.relu(h)
            return torch.relu(h + self.shortcut(x))

    net = nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
    before = 64
    for stage, count in enumerate(BLOCKS[layers]):
        for i in range(count):
            net.append(Block(before, 64 << stage, 2 if stage and i == 0 else 1))
            before = (64 << stage) * (4 if bottleneck else 1)
    return net.extend([nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, classes)])


def lstm_network(torch: Any, vocabulary: int, embed: int, hidden: int, layers: int) -> Any:
    """An embedding, an LSTM, a linear layer."""
    nn = torch.nn

    class Net(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(vocabulary, embed)
            self.lstm = nn.LSTM(embed, hidden, layers, batch_first=True)
            self.fc = nn.Linear(hidden, vocabulary)
            for name, p in self.lstm.named_parameters():
                if name.startswith("bias_hh"):  # the second of two biases that are added to the same sum
                    p.requires_grad = False

        def forward(self, ids: Any) -> Any:
            return self.fc(self.lstm(self.embed(ids))[0])

    return Net()


def gpt_network(torch: Any, vocabulary: int, context: int, embed: int, heads: int, layers: int) -> Any:
    """A GPT with one product for queries, keys and values, and PyTorch's own fused attention."""
    nn = torch.nn

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.qkv, self.out = nn.Linear(embed, 3 * embed), nn.Linear(embed, embed)
            self.norm1 = nn.LayerNorm(embed)
            self.fc1, self.fc2 = nn.Linear(embed, 4 * embed), nn.Linear(4 * embed, embed)
            self.norm2 = nn.LayerNorm(embed)

        def forward(self, x: Any) -> Any:
            n, t, e = x.shape
            q, k, v = (a.view(n, t, heads, e // heads).transpose(1, 2) for a in self.qkv(self.norm1(x)).split(e, dim=2))
            y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(y.transpose(1, 2).reshape(n, t, e))
            return x + self.fc2(nn.functional.gelu(self.fc1(self.norm2(x))))

    class Net(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.position = nn.Embedding(vocabulary, embed), nn.Embedding(context, embed)
            self.blocks = nn.Sequential(*(Block() for _ in range(layers)))
            self.norm, self.fc = nn.LayerNorm(embed), nn.Linear(embed, vocabulary, bias=False)

        def forward(self, ids: Any) -> Any:
            x = self.embed(ids) + self.position.weight[:ids.shape[1]]
            return self.fc(self.norm(self.blocks(x)))

    return Net()


def take_weights(torch: Any, net: Any, arrays: Sequence[Any]) -> None:
    """Copy dezero's weights into a network whose layers stand in the same order; matrices of linear layers lie the other way there.

    Raises:
        AssertionError: there are more or fewer arrays than the network takes, or one of another shape.
    """
    rest = iter(arrays)
    with torch.no_grad():
        for layer in net.modules():
            for p, a in zip(layer.parameters(recurse=False), _weights(torch, layer, rest), strict=True):
                a = np.ascontiguousarray(a)
                assert tuple(p.shape) == a.shape, f"{layer}: {tuple(p.shape)} takes {a.shape}"
                p.copy_(torch.from_numpy(a))
    assert next(rest, None) is None, "some weights were not taken"


def _weights(torch: Any, layer: Any, rest: Iterator[Any]) -> list[Any]:
    """What a layer of PyTorch takes, in the order of its parameters."""
    nn, own = torch.nn, list(layer.parameters(recurse=False))
    if isinstance(layer, nn.LSTM):  # the same order of gates
        found = []
        for _ in range(layer.num_layers):
            Wx, Wh, b = next(rest), next(rest), next(rest)
            found += [Wx.T, Wh.T, b, np.zeros_like(b)]
        return found
    if not isinstance(layer, nn.Linear):
        return [next(rest) for _ in own]
    W = next(rest)
    if W.shape[1] == layer.out_features:
        return [W.T, *(next(rest) for _ in own[1:])]
    parts = [(W, next(rest)), *((next(rest), next(rest)) for _ in range(2))]  # queries, keys and values in one
    return [np.concatenate([W.T for W, _ in parts]), np.concatenate([b for _, b in parts])]
