"""What readers' scripts rely on, beyond names, in layers, models, data sets and loaders: the list in the plan by its numbers, 1 to 11."""

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
from dezero import DataLoader, Dataset, Layer, Model, Parameter, Variable, core_simple, datasets, no_grad, optimizers, test_mode
from dezero.models import MLP, VGG16, Sequential

F32 = np.float32
pytestmark = pytest.mark.seeds


def normal(*shape: int, seed: int = 0, dtype: Any = F32) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, and no program on the path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    return tmp_path


def test_1_gradients_are_variables_and_are_stepped_along_by_hand() -> None:
    model = MLP((4, 1))
    x, t = normal(8, 3), normal(8, 1, seed=1)
    first = loss = F.mean_squared_error(model(x), t)
    for _ in range(50):
        loss = F.mean_squared_error(model(x), t)
        model.cleargrads()
        assert all(p.grad is None for p in model.params())
        loss.backward()
        assert loss.grad is None and all(isinstance(p.grad, Variable) and p.grad.shape == p.shape for p in model.params())
        for p in model.params():
            p.data -= 0.1 * p.grad.data
    assert float(loss) < float(first)
    hidden = model.l0(x)
    y = F.sum(F.sigmoid(hidden))
    y.backward(retain_grad=True)
    assert hidden.grad.shape == (8, 4) and float(y.grad) == 1


@pytest.mark.parametrize("dtype", [F32, np.float64, np.int64, np.uint8])
@pytest.mark.parametrize("wrap", [lambda x: x, Variable])
def test_2_layers_take_what_ops_take(dtype: Any, wrap: Any) -> None:
    layer, x = L.Linear(4), wrap(np.ones((2, 3), dtype))
    loss: Any = 0
    for _ in range(2):
        loss += F.mean(layer(x)) * np.float64(0.5)
    loss.backward()
    assert layer.W.shape == (3, 4) and np.allclose(layer.b.grad.data, 0.25)


def test_3_the_last_output_of_a_layer_is_live_and_can_be_written_to() -> None:
    class Net(Model):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fc = L.Conv2d(3, 3), L.Linear(2)

        def forward(self, x: Any) -> Any:
            return self.fc(F.flatten(F.relu(self.conv(x))))

    net, image = Net(), normal(1, 1, 6, 6)
    y = net(image)
    maps = net.conv.outputs[0]()  # nobody but the graph has held it
    score = y[0, np.argmax(y.data)]
    score.backward(retain_grad=True)
    assert isinstance(maps, Variable) and maps.shape == maps.grad.shape == (1, 3, 4, 4)
    weights = np.mean(maps.grad.data, axis=(2, 3))  # as Grad-CAM weights the maps
    maps.data[...] *= weights[:, :, None, None]
    assert np.array_equal(net.conv.outputs[0]().data, maps.data)
    assert net.conv.inputs[0]() is image and net.fc.outputs[0]() is y
    del maps
    assert net.conv.outputs[0]() is None  # backward has used it, and nobody holds it
    net(image)
    assert net.conv.outputs[0]() is None  # its graph is gone
    with no_grad():
        y = net(image)
        assert net.conv.outputs[0]() is None and net.fc.outputs[0]() is y


def test_4_forward_or_call_is_defined_and_a_bare_model_takes_parameters() -> None:
    class ByForward(Model):
        def __init__(self) -> None:
            super().__init__()
            self.l1 = L.Linear(2, in_size=3)

        def forward(self, x: Any) -> Any:
            return self.l1(x)

    class ByCall(ByForward):
        def __call__(self, x: Any) -> Any:
            return self.l1(x) * 2

    x = normal(4, 3)
    a, b = ByForward(), ByCall()
    b.l1.W.data = a.l1.W.data.copy()
    assert np.allclose(b(x).data, 2 * a(x).data)
    model = Model()
    model.image = Parameter(np.full((1, 3, 4, 4), 2.0, F32))
    optimizer = optimizers.AdaGrad(lr=0.5).setup(model)
    for _ in range(200):
        model.cleargrads()
        loss = F.sum(model.image ** 2)
        loss.backward()
        optimizer.update()
    assert list(model.params()) == [model.image] and float(loss) < 1e-3


def test_5_lists_of_layers_are_joined_and_their_classes_looked_up() -> None:
    front = Sequential(L.Linear(8), F.relu)
    joined = front.layers + MLP((4, 3, 2)).layers
    net = Sequential(*joined)
    assert [type(layer).__name__ for layer in net.layers if isinstance(layer, Layer)] == ["Linear"] * 4
    assert net.layers[0] is net.l0 is front.l0 and net(normal(2, 5)).shape == (2, 2)
    generator = Sequential(L.Linear(3 * 4 * 4), lambda x: F.reshape(x, (-1, 3, 4, 4)), L.BatchNorm(), F.relu,
                           L.Deconv2d(1, kernel_size=4, stride=2, pad=1), F.sigmoid)
    generator(normal(2, 6))
    named = [layer for layer in generator.layers if type(layer).__name__ in ("Conv2d", "Linear", "Deconv2d")]
    for layer in named:
        layer.W.data = 0.02 * np.random.randn(*layer.W.data.shape)  # float64
    y = generator(normal(2, 6))
    assert len(named) == 2 and y.shape == (2, 1, 8, 8) and y.dtype == np.float64
    F.mean(y).backward()
    optimizers.Adam(0.1, 0.5).setup(generator).update()
    assert named[0].W.dtype == named[0].W.grad.dtype == np.float64


def test_6_sizes_of_numpy_and_minus_one() -> None:
    shape = (3, 2, 2)
    layer = L.Linear(np.prod(shape), in_size=np.int64(5))
    y = F.reshape(layer(normal(4, 5)), (-1, *shape))
    assert y.shape == (4, 3, 2, 2) and y[0, np.int64(2)].shape == (2, 2)
    assert MLP((np.int64(4), np.int32(2)))(normal(1, 3)).shape == (1, 2)
    assert L.Conv2d(np.int64(2), (np.int64(3), 3), in_channels=np.int64(1)).W.shape == (2, 1, 3, 3)
    loader = DataLoader(datasets.Spiral(), np.int64(32))
    assert loader.max_iter == math.ceil(300 / 32) and all(isinstance(x, np.ndarray) and isinstance(t, np.ndarray) for x, t in loader)


def test_7_weights_come_late_and_go_to_a_file_in_the_current_folder(elsewhere: Path) -> None:
    layer = L.Linear(2)
    layer.W.data = np.arange(6.0).reshape(2, 3).T  # set by hand, of another layout and dtype
    assert layer.W.data.dtype == np.float64 and np.allclose(layer(np.ones((1, 3))).data, [[3, 12]])
    model, x = MLP((4, 2)), normal(1, 3)
    y = model(x)
    model.save_weights("my_mlp.npz")
    with np.load("my_mlp.npz") as file:
        assert sorted(file.files) == ["l0/W", "l0/b", "l1/W", "l1/b"] and np.array_equal(file["l0/W"], model.l0.W.data)
    if os.path.exists("my_mlp.npz"):
        again = MLP((4, 2))
        again.load_weights("my_mlp.npz")
    assert np.array_equal(again(x).data, y.data)
    names = [name.replace(".", "/") for name, _ in VGG16().named_params()]
    assert names[0] == "conv1_1/W" and names[-1] == "fc8/b" and len(names) == 32


def test_7_files_that_numpy_wrote_in_the_books_way_are_read(tmp_path: Path) -> None:
    arrays = {"l0/W": normal(3, 4), "l0/b": np.zeros(4, F32), "l1/W": normal(4, 2, seed=1), "l1/b": np.ones(2, F32)}
    np.savez_compressed(tmp_path / "weights.npz", **arrays)
    model = MLP((4, 2))
    model.load_weights(str(tmp_path / "weights.npz"))
    assert all(np.array_equal(p.data, arrays[name.replace(".", "/")]) for name, p in model.named_params())
    np.savez(tmp_path / "norm.npz", gamma=np.ones(3, F32), beta=np.zeros(3, F32), avg_mean=np.full(3, 2, F32), avg_var=np.full(3, 4, F32))
    norm = L.BatchNorm()
    norm.load_weights(tmp_path / "norm.npz")
    with test_mode():
        assert np.allclose(norm(np.full((1, 3), 4, F32)).data, 1)


def test_8_the_books_spelling() -> None:
    assert F.batch_nrom is F.batch_norm and datasets.Shakespear is datasets.Shakespeare
    assert dezero.is_simple_core is False and core_simple.Variable is not Variable


def test_9_plots_need_no_graphviz(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class TwoLayers(Model):
        def __init__(self) -> None:
            super().__init__()
            self.l1, self.l2 = L.Linear(4), L.Linear(1)

        def forward(self, x: Any) -> Any:
            return self.l2(F.sigmoid(self.l1(x)))

    x = Variable(normal(5, 10), name="x")
    TwoLayers().plot(x)
    TwoLayers().plot(x, to_file="net.pdf")
    assert {path.name for path in elsewhere.iterdir()} == {"model.svg", "model.dot", "net.svg", "net.dot"}
    assert "Graphviz" in capsys.readouterr().out


def test_10_a_data_set_ends_with_an_index_error() -> None:
    class Pairs(Dataset):
        def prepare(self) -> None:
            self.data, self.label = np.arange(4.0), np.arange(4)

    pairs = Pairs()
    assert [(float(x), int(t)) for x, t in pairs] == [(0, 0), (1, 1), (2, 2), (3, 3)] and len(pairs) == 4
    with pytest.raises(IndexError):
        pairs[4]
    rows = np.array([3, 1])
    batch = [pairs[i] for i in rows]
    assert np.array_equal([x for x, _ in batch], [3, 1]) and np.array_equal([t for _, t in batch], [3, 1])
    assert sum(1 for _ in datasets.SinCurve()) == 999 and sum(1 for _ in datasets.Spiral()) == 300

    class OnDisk(Dataset):
        """Samples that are made when they are asked for."""

        def __getitem__(self, index: int) -> Any:
            return np.full(2, index), None

        def __len__(self) -> int:
            return 1_000_000

    assert OnDisk()[7][0].tolist() == [7, 7] and next(iter(DataLoader(OnDisk(), 3, shuffle=False)))[0].shape == (3, 2)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_11_labels_of_any_integers_as_arrays_or_variables(dtype: Any) -> None:
    model, x, t = MLP((8, 3)), normal(6, 4), np.array([0, 1, 2, 2, 1, 0], dtype)
    y = model(x)
    losses = [F.softmax_cross_entropy(y, labels) for labels in (t, Variable(t), t.reshape(6, 1))]
    assert len({float(loss) for loss in losses}) == 1 and losses[0].dtype == F32
    losses[0].backward()
    assert {p.grad.dtype for p in model.params()} == {np.dtype(F32)}
    with no_grad():
        assert float(F.accuracy(model(x), t)) == (model(x).data.argmax(1) == t).mean()
        p = F.sigmoid(L.Linear(1)(x))
        assert F.binary_cross_entropy(p, np.ones(6)).shape == () == F.mean_squared_error(p[:1], np.ones(1, F32)).shape


@pytest.mark.parametrize("kind", ["weights", "dropout", "order", "noise"])
def test_the_global_seed_governs(kind: str) -> None:
    def draw() -> Any:
        if kind == "weights":
            net = Sequential(L.Linear(3), L.Linear(2), L.LSTM(2), L.BatchNorm())
            net(np.ones((1, 4), F32))
            return np.concatenate([p.data.ravel() for p in net.params()])
        if kind == "dropout":
            return F.dropout(np.ones(100)).data
        if kind == "order":
            return DataLoader(datasets.Spiral(), 30).index
        return datasets.SinCurve().data

    found = []
    for seed in (0, 0, 1):
        np.random.seed(seed)
        found.append(draw())
    assert np.array_equal(found[0], found[1]) and not np.array_equal(found[0], found[2])


def test_lazy_weights_are_the_books_draws() -> None:
    np.random.seed(0)
    W = (np.random.randn(3, 4).astype(F32) * math.sqrt(1 / 3)).astype(F32)
    K = (np.random.randn(5, 2, 3, 3).astype(F32) * math.sqrt(1 / 18)).astype(F32)
    D = (np.random.randn(2, 5, 3, 3).astype(F32) * math.sqrt(1 / 18)).astype(F32)
    E = np.random.randn(7, 2)
    np.random.seed(0)
    layers = [L.Linear(4), L.Conv2d(5, 3), L.Deconv2d(5, 3)]
    for layer, x in zip(layers, (normal(1, 3), normal(1, 2, 4, 4), normal(1, 2, 4, 4)), strict=True):
        layer(x)
        assert not layer.b.data.any()
    layers.append(L.EmbedID(7, 2))
    for layer, wanted in zip(layers, (W, K, D, E), strict=True):
        assert layer.W.dtype == F32 and np.allclose(layer.W.data, wanted, rtol=1e-6)
