"""Networks built in PyTorch with torchvision's names give the same answers here, with weights that went through a safetensors file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dezero import models, no_grad
from dezero.models import vgg
from dezero.models.resnet import STAGES

pytestmark = [pytest.mark.torch, pytest.mark.seeds]


def block_class(nn: Any, bottleneck: bool) -> Any:
    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, before: int, width: int, stride: int) -> None:
            super().__init__()
            after = 4 * width if bottleneck else width
            sizes = [(before, width, 1, 1), (width, width, 3, stride), (width, after, 1, 1)]
            if not bottleneck:
                sizes = [(before, width, 3, stride), (width, width, 3, 1)]
            self.n = len(sizes)
            for i, (n_in, n_out, kernel, step) in enumerate(sizes, 1):
                setattr(self, f"conv{i}", nn.Conv2d(n_in, n_out, kernel, step, kernel // 2, bias=False))
                setattr(self, f"bn{i}", nn.BatchNorm2d(n_out))
            if before != after:
                self.downsample = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

        def forward(self, x: Any) -> Any:
            h = x
            for i in range(1, self.n + 1):
                h = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(h))
                h = h.relu() if i < self.n else h
            return (h + (self.downsample(x) if hasattr(self, "downsample") else x)).relu()

    return Block


def residual(torch: Any, counts: tuple[int, ...], bottleneck: bool) -> Any:
    nn, Block = torch.nn, block_class(torch.nn, bottleneck)
    parts = {"conv1": nn.Conv2d(3, 64, 7, 2, 3, bias=False), "bn1": nn.BatchNorm2d(64), "relu": nn.ReLU(), "pool": nn.MaxPool2d(3, 2, 1)}
    before = 64
    for stage, count in enumerate(counts):
        blocks = []
        for i in range(count):
            blocks.append(Block(before, 64 << stage, 2 if stage and i == 0 else 1))
            before = (64 << stage) * (4 if bottleneck else 1)
        parts[f"layer{stage + 1}"] = nn.Sequential(*blocks)
    parts |= {"mean": nn.AdaptiveAvgPool2d(1), "flat": nn.Flatten(), "fc": nn.Linear(before, 10)}
    net = nn.Sequential()
    for name, part in parts.items():
        net.add_module(name, part)
    return net


def squeezenet(torch: Any) -> Any:
    nn = torch.nn

    class Fire(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, before: int, width: int) -> None:
            super().__init__()
            self.squeeze = nn.Conv2d(before, width, 1)
            self.expand1x1, self.expand3x3 = nn.Conv2d(width, 4 * width, 1), nn.Conv2d(width, 4 * width, 3, padding=1)

        def forward(self, x: Any) -> Any:
            x = self.squeeze(x).relu()
            return torch.cat([self.expand1x1(x).relu(), self.expand3x3(x).relu()], 1)

    def pool() -> Any:
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    net = nn.Sequential()
    net.add_module("features", nn.Sequential(
        nn.Conv2d(3, 64, 3, 2), nn.ReLU(), pool(), Fire(64, 16), Fire(128, 16), pool(), Fire(128, 32), Fire(256, 32), pool(),
        Fire(256, 48), Fire(384, 48), Fire(384, 64), Fire(512, 64)))
    net.add_module("classifier", nn.Sequential(nn.Dropout(), nn.Conv2d(512, 10, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1)))
    net.add_module("flat", nn.Flatten())
    return net


def narrow_vgg(torch: Any) -> Any:
    nn = torch.nn
    layers, before = [], 3
    for count, width in vgg.BLOCKS:
        for _ in range(count):
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
            before = width
        layers.append(nn.MaxPool2d(2))
    net = nn.Sequential()
    net.add_module("features", nn.Sequential(*layers))
    net.add_module("flat", nn.Flatten())
    net.add_module("classifier", nn.Sequential(
        nn.Linear(before * 2, vgg.HIDDEN), nn.ReLU(), nn.Dropout(), nn.Linear(vgg.HIDDEN, vgg.HIDDEN), nn.ReLU(), nn.Dropout(),
        nn.Linear(vgg.HIDDEN, 10)))
    return net


def randomised(torch: Any, net: Any) -> Any:
    """Statistics and shifts other than 0 and 1."""
    rng = torch.Generator().manual_seed(0)
    for name, x in net.state_dict().items():
        if name.endswith(("running_var", "bn1.weight", "bn2.weight", "bn3.weight")):
            x.uniform_(0.5, 1.5, generator=rng)
        elif name.endswith(("running_mean", "bias")):
            x.normal_(0, 0.2, generator=rng)
    return net.eval()


def compare(net: Any, model: models.Model, x: Any, path: Path) -> None:
    torch = pytest.importorskip("torch")
    files = pytest.importorskip("safetensors.torch")
    net = randomised(torch, net)
    files.save_file(net.state_dict(), path)
    assert not any(model.load_weights(path))
    with torch.no_grad():
        expected = net(torch.from_numpy(x)).numpy()
    with no_grad():
        y = model.eval()(x).data
    assert y.dtype == np.float32 and y.std() > 1e-3
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def images(*size: int) -> Any:
    return np.random.default_rng(1).standard_normal((2, 3, *size)).astype(np.float32)


@pytest.mark.parametrize("size", [(64, 64), (50, 71)])
def test_resnet18(size: tuple[int, int], tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    compare(residual(torch, (2, 2, 2, 2), False), models.ResNet18(num_classes=10), images(*size), tmp_path / "w.safetensors")


def test_bottlenecks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    monkeypatch.setitem(STAGES, 50, (2, 1, 2, 1))
    compare(residual(torch, STAGES[50], True), models.ResNet50(num_classes=10, style="torchvision"), images(50, 71), tmp_path / "w.safetensors")


@pytest.mark.parametrize("size", [(64, 64), (49, 58), (17, 20)])
def test_squeezenet(size: tuple[int, int], tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    compare(squeezenet(torch), models.SqueezeNet(10), images(*size), tmp_path / "w.safetensors")


def test_vgg16(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    monkeypatch.setattr(vgg, "BLOCKS", ((2, 4), (2, 4), (3, 8), (3, 8), (3, 8)))
    monkeypatch.setattr(vgg, "HIDDEN", 32)
    compare(narrow_vgg(torch), models.VGG16(num_classes=10), images(32, 64), tmp_path / "w.safetensors")
