"""Published weights land where they belong: the book's npz files, and torchvision's names in safetensors files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dezero import models, no_grad, test_mode
from dezero.errors import StateError
from dezero.models import vgg, weights
from tests.models import published
from tests.models.published import Array

numpy_files = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
pytestmark = pytest.mark.seeds
# VGG16 with 512 features for images 32x32 (25,088 for 224x224), and fewer hidden units (4,096), to have smaller files.
FEATURES, HIDDEN = 512, 64
BOOK: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "vgg16": (lambda: models.VGG16(pretrained=True), lambda: published.vgg16(FEATURES, HIDDEN)),
    "resnet50": (lambda: models.ResNet50(pretrained=True), lambda: published.resnet(50, first_bias=True)),
}
TORCHVISION: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "vgg16": (models.VGG16, lambda: published.vgg16(FEATURES, HIDDEN)),
    "squeezenet1_1": (models.SqueezeNet, published.squeezenet),
    "resnet18": (models.ResNet18, lambda: published.resnet(18)),
    "resnet50": (lambda: models.ResNet50(style="torchvision"), lambda: published.resnet(50)),
}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vgg, "HIDDEN", HIDDEN)


def given(monkeypatch: pytest.MonkeyPatch, path: Path, arrays: dict[str, Any]) -> list[str]:
    """Let ``path`` with these arrays be what a download gives; returns the list of addresses that are asked for."""
    asked: list[str] = []
    np.savez(path, **arrays)
    monkeypatch.setattr(weights, "get_file", lambda url: asked.append(url) or str(path))
    return asked


def check_values(model: Any, arrays: list[Array]) -> None:
    """Every array is there, in float32, a linear layer's transposed."""
    expected = published.values(arrays)
    state = model.state_dict(copy=False)
    assert set(state) == {a.ours for a in arrays if a.ours}
    for a in arrays:
        if a.ours:
            there = expected[a.theirs].T if len(a.shape) == 2 else expected[a.theirs]
            here = state[a.ours]
            assert here.dtype == np.float32 and here.flags.c_contiguous, a.ours
            assert np.array_equal(here, there), a.ours


@pytest.mark.parametrize("name", BOOK)
def test_the_weights_of_the_book(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make, arrays = BOOK[name][0], list(BOOK[name][1]())
    asked = given(monkeypatch, tmp_path / f"{name}.npz", published.book(arrays))
    before = np.random.get_state()[2]
    model = make()
    assert np.random.get_state()[2] == before, "initial weights were drawn that the file replaces"
    assert len(asked) == 1 and asked[0].startswith("https://") and asked[0].endswith(f"/{name}.npz")
    check_values(model, arrays)
    with no_grad(), test_mode():
        assert np.isfinite(model(np.ones((1, 3, 32, 32), np.float32)).data).all()


def test_the_keys_of_the_book_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = set(published.book(list(published.resnet(50, first_bias=True))))
    assert {"conv1/W", "conv1/b", "bn1/gamma", "bn1/beta", "bn1/avg_mean", "bn1/avg_var", "fc6/W", "fc6/b"} <= keys
    assert {f"res2/a/{part}{k}/{last}" for k in range(1, 5) for part, last in (("conv", "W"), ("bn", "avg_var"))} <= keys
    assert {f"res5/b2/{part}{k}/{last}" for k in range(1, 4) for part, last in (("conv", "W"), ("bn", "gamma"))} <= keys
    assert {f"res{stage}/a/conv1/b" for stage in range(2, 6)}.isdisjoint(keys)
    assert {"conv1_1/W", "conv5_3/b", "fc6/W", "fc8/b"} <= set(published.book(list(published.vgg16(8))))


@pytest.mark.parametrize("n_layers", [50, 101, 152])
def test_the_names_of_a_residual_network_are_those_of_the_book(n_layers: int) -> None:
    model = models.ResNet(n_layers)
    names = {name for name, _ in [*model.named_params(), *model.named_buffers()]}
    assert names == {a.ours for a in published.resnet(n_layers, first_bias=True) if a.ours}


@pytest.mark.parametrize("n_layers", [18, 34, 50, 101, 152])
def test_the_names_of_torchvision_cover_the_network(n_layers: int) -> None:
    model = models.ResNet(n_layers, style="torchvision")
    names = model._torchvision_names()
    known = [a for a in published.resnet(n_layers) if a.ours]
    assert all(names[a.theirs] == a.ours for a in known)
    assert {a.ours for a in known} == {name for name, _ in [*model.named_params(), *model.named_buffers()]}


def test_weights_of_another_shape_are_refused_with_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = published.book(list(published.resnet(50, first_bias=True)))
    arrays["fc6/b"] = np.zeros(10, np.float32)
    arrays["bn1/running_var"] = arrays.pop("bn1/avg_var")
    given(monkeypatch, tmp_path / "resnet50.npz", arrays)
    with pytest.raises(StateError) as caught:
        models.ResNet50(pretrained=True)
    table = str(caught.value)
    assert "ResNet: the saved state does not fit, nothing was loaded" in table
    assert "1 missing, 1 unexpected, 1 mismatched" in table
    assert [line.split()[0] for line in table.splitlines()[-3:]] == ["bn1.avg_var", "bn1.running_var", "fc6.b"]
    assert "(1000,) float32" in table and "(10,) float32" in table
    model = models.ResNet50()
    report = model.load_weights(tmp_path / "resnet50.npz", strict=False)
    assert report.missing == ("bn1.avg_var",) and report.unexpected == ("bn1.running_var",) and report.mismatched == ("fc6.b",)
    assert model.res2.a.conv1.W.shape == (64, 64, 1, 1)


@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvision_weights(name: str, tmp_path: Path) -> None:
    make, arrays = TORCHVISION[name]
    check_torchvision(make(), list(arrays()), tmp_path / f"{name}.safetensors")


def check_torchvision(model: Any, arrays: list[Array], path: Path) -> None:
    numpy_files.save_file(published.values(arrays), path)
    assert not any(model.load_weights(path))
    check_values(model, arrays)
    with no_grad(), test_mode():
        assert model(np.ones((1, 3, 32, 32), np.float32)).shape == (1, 1000)


def test_torchvision_names_in_an_npz_file_do_too(tmp_path: Path) -> None:
    arrays = list(published.squeezenet())
    np.savez(tmp_path / "w.npz", **published.values(arrays))
    model = models.SqueezeNet()
    model.load_weights(tmp_path / "w.npz")
    check_values(model, arrays)


def test_torchvision_weights_do_not_fit_the_style_of_the_book(tmp_path: Path) -> None:
    numpy_files.save_file({"conv1.weight": np.zeros((64, 3, 7, 7), np.float32)}, tmp_path / "w.safetensors")
    advice = r"torchvision's weights do not fit the style 'caffe': make the network by ResNet\(50, style='torchvision'\)"
    with pytest.raises(ValueError, match=advice):
        models.ResNet(50).load_weights(tmp_path / "w.safetensors")


def test_torchvision_weights_of_another_network_are_refused_with_the_table(tmp_path: Path) -> None:
    numpy_files.save_file({a.theirs: np.zeros(a.shape, np.float16) for a in published.squeezenet()}, tmp_path / "w.safetensors")
    model = models.ResNet18()
    with pytest.raises(StateError, match=r"(?s)nothing was loaded.*missing.*unexpected.*conv1\.W +\(64, any, 7, 7\) float32"):
        model.load_weights(tmp_path / "w.safetensors")
    assert model.conv1.W.data is None


@pytest.mark.parametrize(("args", "words"), [
    ((18, True), "no weights are published for 18 layers in the style 'torchvision': load a safetensors file with torchvision's names"),
    ((50, True, 1000, "torchvision"), "no weights are published for 50 layers in the style 'torchvision'"),
    ((51,), "n_layers is 51: one of 18, 34, 50, 101, 152 is expected"),
    ((18, False, 10, "caffe"), "style is 'caffe': 'torchvision' is expected for 18 layers"),
    ((50, False, 10, "keras"), "style is 'keras': 'caffe' or 'torchvision' is expected for 50 layers"),
])
def test_networks_that_are_not_there(args: Any, words: str) -> None:
    with pytest.raises(ValueError, match=f"ResNet: {words}"):
        models.ResNet(*args)


@pytest.mark.parametrize(("make", "name"), [(models.VGG16, "VGG16"), (models.ResNet50, "ResNet"), (models.ResNet152, "ResNet")])
def test_a_number_of_classes_starts_no_download(make: Any, name: str) -> None:
    with pytest.raises(TypeError, match=f"{name}: pretrained is 10: True or False is expected; the number of classes is given by num_classes="):
        make(10)


def test_all_files_of_the_book_are_known() -> None:
    assert sorted(weights.PUBLISHED) == ["resnet101", "resnet152", "resnet50", "vgg16"]
    assert all(url.startswith("https://") and url.endswith(f"/{name}.npz") for name, url in weights.PUBLISHED.items())
