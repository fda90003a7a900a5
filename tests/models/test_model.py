"""Model, Sequential and MLP as readers' scripts use them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Model, Parameter, Variable, models, no_grad, optimizers
from dezero.errors import ShapeError
from dezero.models import MLP, Sequential
from tests.models.zoo import floats

pytestmark = pytest.mark.seeds
X = floats(4, 3)


def test_a_bare_model_holds_a_parameter_that_is_optimised() -> None:
    model = Model()
    model.image = Parameter(np.ones((1, 3, 2, 2), np.float32))
    optimizer = optimizers.SGD(0.5).setup(model)
    F.sum(model.image ** 2).backward()
    optimizer.update()
    assert not model.image.data.any()
    assert [name for name, _ in model.named_params()] == ["image"]
    with pytest.raises(NotImplementedError, match="Model has no forward"):
        model(X)


def test_a_model_that_overrides_call() -> None:
    class Net(Model):
        def __init__(self) -> None:
            super().__init__()
            self.l1 = L.Linear(2)

        def __call__(self, x: Any) -> Any:
            return F.relu(self.l1(x))

    net = Net()
    assert net(X).shape == (4, 2)
    assert net.l1.outputs[0] is not None
    net.cleargrads()
    assert len(list(net.params())) == 2


def test_a_model_without_super_init() -> None:
    class Net(Model):
        def __init__(self) -> None:
            self.l1 = L.Linear(2)

        def forward(self, x: Any) -> Any:
            return self.l1(x)

    assert Net()(X).shape == (4, 2)


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg", ".dot"])
def test_plot_without_graphviz_writes_a_picture(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_: None)
    path = MLP((5, 2)).plot(X, to_file=tmp_path / f"net{suffix}")
    assert path.exists() and path.stat().st_size > 500
    assert path.suffix == (suffix if suffix in (".svg", ".dot") else ".svg")
    text = path.read_text(encoding="utf-8")
    assert "Sigmoid" in text and "Linear" in text
    assert ("Graphviz" in capsys.readouterr().out) == (suffix in (".png", ".pdf"))


def test_plot_into_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    MLP((5, 2)).plot(X)
    capsys.readouterr()
    assert (tmp_path / "model.svg").exists()


def test_plot_of_several_inputs_and_outputs_under_no_grad(tmp_path: Path) -> None:
    class Net(Model):
        def __init__(self) -> None:
            super().__init__()
            self.l1, self.l2 = L.Linear(2), L.Linear(2)

        def forward(self, x: Any, z: Any) -> Any:
            return F.tanh(self.l1(x)), F.exp(self.l2(z))

    with no_grad():
        text = Net().plot(X, X, to_file=tmp_path / "a.dot").read_text(encoding="utf-8")
    assert "Tanh" in text and "Exp" in text


def test_sequential_has_a_list_of_layers() -> None:
    net = Sequential(L.Linear(5), F.relu, L.Linear(2))
    assert isinstance(net.layers, list)
    assert net.layers[1] is F.relu
    assert isinstance(net, Model)
    assert [name for name, _ in net.named_params()] == ["l0.W", "l0.b", "l2.W", "l2.b"]
    more = Sequential(*(net.layers + Sequential(F.softmax).layers))
    assert more(X).shape == (4, 2)
    np.testing.assert_allclose(more(X).data.sum(1), 1, rtol=1e-5)
    assert isinstance(net[:2], Sequential) and len(net[:2]) == 2


def test_mlp_is_sigmoid_between_linear_layers() -> None:
    net = MLP((5, 2))
    y = net(X).data
    assert isinstance(net.layers, list)
    assert net.layers[0] is net.l0 and net.layers[1] is net.l1
    h = 1 / (1 + np.exp(-(X @ net.l0.W.data + net.l0.b.data)))
    np.testing.assert_allclose(y, h @ net.l1.W.data + net.l1.b.data, rtol=1e-4, atol=1e-6)
    assert [name for name, _ in net.named_params()] == ["l0.W", "l0.b", "l1.W", "l1.b"]
    assert isinstance(net.layers + Sequential(L.Linear(2)).layers, list)


def test_mlp_with_an_activation_for_each_gap() -> None:
    net = MLP((5, 4, 2), [F.relu, L.PReLU()])
    assert net(X).shape == (4, 2)
    assert "activation.1" in {path for path, _ in net.named_layers()}
    h = np.maximum(X @ net.l0.W.data + net.l0.b.data, 0) @ net.l1.W.data + net.l1.b.data
    h = np.where(h > 0, h, 0.25 * h)
    np.testing.assert_allclose(net(X).data, h @ net.l2.W.data + net.l2.b.data, rtol=1e-4, atol=1e-6)


def test_mlp_draws_the_same_weights_with_and_without_the_input_size() -> None:
    np.random.seed(3)
    lazy = MLP((5, 4, 2), initializer="he")
    lazy(X)
    np.random.seed(3)
    known = MLP((5, 4, 2), initializer="he", in_size=3)
    state = known.state_dict()  # sized without a call
    assert all(np.array_equal(a, state[name]) for name, a in lazy.state_dict().items())


@pytest.mark.parametrize(("args", "error", "words"), [
    (((),), ValueError, r"MLP: fc_output_sizes is \(\): the output sizes of the layers are expected, \(50, 10\) say"),
    ((10,), ValueError, r"MLP: fc_output_sizes is 10: the output sizes"),
    (((5, 2), [F.relu, F.relu]), ValueError, "MLP: 2 activations for 2 layers: 1 are expected, or one for all"),
    (((5, 2), "relu"), TypeError, "MLP: activation is 'relu': a function or layer is expected, F.relu say"),
    (((5, 0),), ValueError, "Linear: out_size is 0"),
])
def test_mlp_refuses(args: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        MLP(*args)


def test_one_layer_needs_no_activation() -> None:
    assert MLP((2,))(Variable(X)).shape == (4, 2)


@pytest.mark.parametrize(("make", "words"), [
    (lambda: models.CNN(channels=(16, 32)), r"CNN: channels is \(16, 32\): a sequence of channels for each stage"),
    (lambda: models.CNN(channels=()), r"CNN: channels is \(\)"),
    (lambda: models.CNN(channels=((16,), ())), "CNN: channels is"),
    (lambda: models.CNN(dropout_ratio=2), "CNN: dropout_ratio is 2"),
    (lambda: models.SqueezeNet(dropout_ratio=-1), "SqueezeNet: dropout_ratio is -1"),
    (lambda: models.GPT(5, num_layers=0), "GPT: num_layers is 0: a positive integer"),
    (lambda: models.GPT(5, num_layers="2"), "GPT: num_layers is '2'"),
    (lambda: models.AutoEncoder(4, 5), "AutoEncoder: hidden_sizes is 5: the sizes of the hidden layers"),
    (lambda: models.VAE(4, ()), r"VAE: hidden_sizes is \(\)"),
])
def test_settings_that_make_no_model_are_told_by_its_name(make: Any, words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        make()


def test_text_loss_refuses_ids_that_only_have_as_many_elements() -> None:
    with pytest.raises(ShapeError, match=r"text_loss: logits are \(2, 3, 5\) float32 and the ids \(3, 2\) int64: ids \(2, 3\) are expected"):
        models.text_loss(Variable(np.zeros((2, 3, 5), np.float32)), np.zeros((3, 2), np.int64))
