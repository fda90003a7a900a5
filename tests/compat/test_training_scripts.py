"""Scripts of our own that use layers, models, optimizers and data as the readers of steps 42 to 58 do."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader, Model, datasets, no_grad, optimizers, test_mode
from dezero.dataloaders import DataLoader as Loader
from dezero.models import MLP, VGG16, Sequential

pytestmark = pytest.mark.seeds


def curve() -> tuple[Any, Any]:
    """Points along a sine, with noise above it."""
    np.random.seed(0)
    x = np.random.rand(100, 1)
    return x, np.sin(2 * np.pi * x) + np.random.rand(100, 1)


class TwoLayers(Model):
    def __init__(self, hidden: int, out: int) -> None:
        super().__init__()
        self.l1 = L.Linear(hidden)
        self.l2 = L.Linear(out)

    def forward(self, x: Any) -> Any:
        return self.l2(F.sigmoid(self.l1(x)))


# -- regression (steps 42 to 46) ------------------------------------------------------------------


def by_layers(steps: int) -> float:
    x, t = curve()
    l1, l2 = L.Linear(10), L.Linear(1)
    for _ in range(steps):
        loss = F.mean_squared_error(l2(F.sigmoid(l1(x))), t)
        l1.cleargrads()
        l2.cleargrads()
        loss.backward()
        for layer in (l1, l2):
            for p in layer.params():
                p.data -= 0.2 * p.grad.data
    return float(loss.data)


def by_model(steps: int) -> float:
    x, t = curve()
    model = TwoLayers(10, 1)
    for _ in range(steps):
        loss = F.mean_squared_error(model(x), t)
        model.cleargrads()
        loss.backward()
        for p in model.params():
            p.data -= 0.2 * p.grad.data
    return float(loss.data)


def by_optimizer(steps: int) -> float:
    x, t = curve()
    model = MLP((10, 1))
    optimizer = optimizers.SGD(0.2)
    optimizer.setup(model)
    for _ in range(steps):
        loss = F.mean_squared_error(model(x), t)
        model.cleargrads()
        loss.backward()
        optimizer.update()
    return float(loss.data)


def test_layers_models_and_optimizers_make_the_same_steps() -> None:
    found = [script(200) for script in (by_layers, by_model, by_optimizer)]
    assert np.allclose(found, found[0], rtol=1e-5)


def test_a_curve_is_learned() -> None:
    assert math.isclose(by_optimizer(9001), 0.0762, abs_tol=2e-4)


def test_a_line_by_one_layer() -> None:
    rng = np.random.default_rng(0)
    x = rng.random((100, 1))
    t = 3 * x - 1 + 0.1 * rng.normal(size=(100, 1))
    layer = L.Linear(1)
    for _ in range(1000):
        loss = F.mean_squared_error(layer(x), t)
        layer.cleargrads()
        loss.backward()
        for p in layer.params():
            p.data -= 0.5 * p.grad.data
    slope, start = np.polyfit(x[:, 0], t[:, 0], 1)
    assert np.allclose([layer.W.data.item(), layer.b.data.item()], [slope, start], atol=1e-3)


# -- classes (steps 47 to 51) ---------------------------------------------------------------------


def test_one_row_of_probabilities() -> None:
    np.random.seed(0)
    model = MLP((10, 3))
    y = model(np.array([[0.2, -0.4], [1.0, 0.5]]))
    p = F.softmax(y)
    assert y.shape == (2, 3) and np.allclose(p.data.sum(1), 1) and np.allclose(p.data, F.softmax_simple(y).data)
    loss, again = F.softmax_cross_entropy(y, np.array([2, 0])), F.softmax_cross_entropy_simple(y, np.array([2, 0]))
    assert math.isclose(float(loss), float(again), rel_tol=1e-5) and 0.3 < float(loss) < 3


@pytest.mark.parametrize("as_data_set", [False, True])
def test_spiral_by_mini_batches(as_data_set: bool) -> None:
    np.random.seed(0)
    data = datasets.Spiral(train=True)
    x, t = datasets.get_spiral(train=True)
    model = MLP((10, 3))
    optimizer = optimizers.SGD(1.0).setup(model)
    for epoch in range(60 if as_data_set else 300):
        order, total = np.random.permutation(len(x)), 0.0
        for i in range(math.ceil(len(x) / 30)):
            rows = order[i * 30:(i + 1) * 30]
            if as_data_set:
                batch = [data[j] for j in rows]
                bx, bt = np.array([sample[0] for sample in batch]), np.array([sample[1] for sample in batch])
            else:
                bx, bt = x[rows], t[rows]
            loss = F.softmax_cross_entropy(model(bx), bt)
            model.cleargrads()
            loss.backward()
            optimizer.update()
            total += float(loss.data) * len(bt)
        if not epoch:
            first = total / len(x)
    if as_data_set:
        assert total / len(x) < 0.8 * first
        return
    assert 0.08 < total / len(x) < 0.18
    grid = np.stack(np.meshgrid(np.arange(-1, 1, 0.1), np.arange(-1, 1, 0.1)), -1).reshape(-1, 2)
    with no_grad():
        assert float(F.accuracy(model(x), t).data) > 0.9 and set(np.argmax(model(grid).data, axis=1)) == {0, 1, 2}


def test_spiral_by_loaders() -> None:
    np.random.seed(0)
    train, test = DataLoader(datasets.Spiral(train=True), 30), Loader(datasets.Spiral(train=False), 30, shuffle=False)
    model = MLP((10, 3))
    optimizer = optimizers.SGD(1.0).setup(model)
    for _ in range(300):
        for x, t in train:
            loss = F.softmax_cross_entropy(model(x), t)
            model.cleargrads()
            loss.backward()
            optimizer.update()
    right = loss_sum = 0.0
    with no_grad():
        for x, t in test:
            y = model(x)
            loss_sum += float(F.softmax_cross_entropy(y, t).data) * len(t)
            right += float(F.accuracy(y, t).data) * len(t)
    assert right / 300 > 0.9 and loss_sum / 300 < 0.3


def fit_digits(model: Model, optimizer: Any, epochs: int, transform: Any = datasets.Digits.default_transform) -> float:
    train, test = DataLoader(datasets.Digits(True, transform), 100), DataLoader(datasets.Digits(False, transform), 100, shuffle=False)
    if dezero.cuda.gpu_enable:
        train.to_gpu()
        test.to_gpu()
        model.to_gpu()
    for _ in range(epochs):
        for x, t in train:
            loss = F.softmax_cross_entropy(model(x), t)
            model.cleargrads()
            loss.backward()
            optimizer.update()
    right = 0.0
    with no_grad(), test_mode():
        for x, t in test:
            right += float(F.accuracy(model(x), t).data) * len(t)
    return right / test.data_size


def test_digits_by_a_deep_net_with_hooks() -> None:
    np.random.seed(0)
    model = MLP((50, 50, 10), activation=F.relu)
    optimizer = optimizers.Adam().setup(model)
    optimizer.add_hook(optimizers.WeightDecay(1e-4))
    optimizer.add_hook(optimizers.ClipGrad(5.0))
    assert fit_digits(model, optimizer, 8) > 0.9


def test_digits_by_convolution() -> None:
    class Net(Model):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.bn, self.fc = L.Conv2d(8, kernel_size=3, pad=1), L.BatchNorm(), L.Linear(10)

        def forward(self, x: Any) -> Any:
            h = F.pooling(F.relu(self.bn(self.conv(x))), 2, 2)
            return self.fc(F.dropout(F.reshape(h, (h.shape[0], -1)), 0.2))

    np.random.seed(0)
    model = Net()
    accuracy = fit_digits(model, optimizers.MomentumSGD(0.1).setup(model), 4, lambda x: x.astype(np.float32) / 16)
    assert accuracy > 0.85 and model.conv.W.shape == (8, 1, 3, 3)


# -- saving, dropout, VGG16 (steps 53 to 58) ------------------------------------------------------


def test_training_goes_on_from_a_file_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    losses = []
    for run in range(2):
        np.random.seed(run)
        model = MLP((20, 10), activation=F.relu)
        optimizer = optimizers.SGD().setup(model)
        optimizer.lr = 0.1
        if os.path.exists("my_mlp.npz"):
            model.load_weights("my_mlp.npz")
        for _ in range(3):
            total = 0.0
            for x, t in DataLoader(datasets.Digits(), 100):
                loss = F.softmax_cross_entropy(model(x), t)
                model.cleargrads()
                loss.backward()
                optimizer.update()
                total += float(loss.data) * len(t)
            losses.append(total)
        model.save_weights("my_mlp.npz")
    assert losses == sorted(losses, reverse=True) and os.listdir() == ["my_mlp.npz"]


def test_dropout_in_training_and_in_use() -> None:
    x = np.ones(5)
    trained, rate = F.dropout(x), 0.3
    with test_mode():
        used = F.dropout(x)
    assert set(trained.data) <= {0.0, 2.0} and np.array_equal(used.data, x)
    assert math.isclose(float(F.mean(F.dropout(np.ones(100_000), rate))), 1, abs_tol=0.02)


def test_a_picture_for_vgg(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image").new("RGB", (60, 40), (10, 20, 30))
    x = VGG16.preprocess(image)[np.newaxis]
    assert x.shape == (1, 3, 224, 224) and x.dtype == np.float32
    assert np.allclose(x[0, :, 0, 0], [30 - 103.939, 20 - 116.779, 10 - 123.68], atol=1e-3)  # blue, green, red less ImageNet's means
    net = Sequential(L.Conv2d(2, 3, 2, 1), F.relu, lambda h: F.average_pooling(h, 7, 7), F.flatten, L.Linear(3))
    with test_mode():
        y = net(x)
        net.plot(x, to_file=str(tmp_path / "net.svg"))
    assert int(np.argmax(y.data)) in range(3) and "Conv2d" in (tmp_path / "net.svg").read_text(encoding="utf-8")
