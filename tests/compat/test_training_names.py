"""Every public name of the book's layers, models, optimizers, data sets, loaders, transforms and helpers, with its arguments and defaults."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import dezero
import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader, Dataset, Layer, Model, SeqDataLoader, datasets, models, optimizers, transforms, utils
from tests.compat.test_names import check_signature

TOP = ["Layer", "Model", "Dataset", "DataLoader", "SeqDataLoader", "datasets", "dataloaders", "optimizers", "layers", "models", "transforms", "utils"]

# A lambda stands for a signature: the book's names of arguments and its defaults.
CONV = lambda out_channels, kernel_size, stride=1, pad=0, nobias=False, dtype=np.float32, in_channels=None: 0
DATA = lambda train=True, transform=None, target_transform=None: 0
SIGNATURES: dict[str, dict[str, Callable[..., Any]]] = {
    "dezero": {
        "Layer": lambda: 0,
        "Model": lambda: 0,
        "Dataset": DATA,
        "DataLoader": lambda dataset, batch_size, shuffle=True, gpu=False: 0,
        "SeqDataLoader": lambda dataset, batch_size, gpu=False: 0,
    },
    "dezero.layers": {
        "Layer": lambda: 0,
        "Linear": lambda out_size, nobias=False, dtype=np.float32, in_size=None: 0,
        "Conv2d": CONV,
        "Deconv2d": CONV,
        "RNN": lambda hidden_size, in_size=None: 0,
        "LSTM": lambda hidden_size, in_size=None: 0,
        "EmbedID": lambda in_size, out_size: 0,
        "BatchNorm": lambda: 0,
    },
    "dezero.models": {
        "Model": lambda: 0,
        "Sequential": lambda *layers: 0,
        "MLP": lambda fc_output_sizes, activation=F.sigmoid: 0,
        "VGG16": lambda pretrained=False: 0,
        "ResNet": lambda n_layers=152, pretrained=False: 0,
        "ResNet152": lambda pretrained=False: 0,
        "ResNet101": lambda pretrained=False: 0,
        "ResNet50": lambda pretrained=False: 0,
        "SqueezeNet": lambda: 0,
        "BuildingBlock": lambda n_layers, in_size, mid_size, out_size, stride: 0,
        "BottleneckA": lambda in_size, mid_size, out_size: 0,
        "BottleneckB": lambda in_size, mid_size: 0,
    },
    "dezero.optimizers": {
        "Optimizer": lambda: 0,
        "SGD": lambda lr=0.01: 0,
        "MomentumSGD": lambda lr=0.01, momentum=0.9: 0,
        "AdaGrad": lambda lr=0.001, eps=1e-8: 0,
        "AdaDelta": lambda rho=0.95, eps=1e-6: 0,
        "Adam": lambda alpha=0.001, beta1=0.9, beta2=0.999, eps=1e-8: 0,
        "WeightDecay": lambda rate: 0,
        "ClipGrad": lambda max_norm: 0,
        "FreezeParam": lambda *layers: 0,
    },
    "dezero.datasets": {
        "Dataset": DATA,
        "get_spiral": lambda train=True: 0,
        "Spiral": DATA,
        "SinCurve": DATA,
        "Shakespear": DATA,
        "MNIST": lambda train=True, transform=datasets.MNIST.default_transform, target_transform=None: 0,
        "CIFAR10": lambda train=True, transform=datasets.CIFAR10.default_transform, target_transform=None: 0,
        "CIFAR100": lambda train=True, transform=datasets.CIFAR10.default_transform, target_transform=None, label_type="fine": 0,
        "load_cache_npz": lambda filename, train=False: 0,
        "save_cache_npz": lambda data, label, filename, train=False: 0,
    },
    "dezero.dataloaders": {
        "DataLoader": lambda dataset, batch_size, shuffle=True, gpu=False: 0,
        "SeqDataLoader": lambda dataset, batch_size, gpu=False: 0,
    },
    "dezero.transforms": {
        "Compose": lambda transforms=(): 0,
        "Convert": lambda mode="RGB": 0,
        "Resize": lambda size, mode="bilinear": 0,
        "CenterCrop": lambda size: 0,
        "ToArray": lambda dtype=np.float32: 0,
        "ToPIL": lambda: 0,
        "Normalize": lambda mean=0, std=1: 0,
        "Flatten": lambda: 0,
        "AsType": lambda dtype=np.float32: 0,
        "ToFloat": lambda: 0,
        "ToInt": lambda: 0,
        "RandomHorizontalFlip": lambda: 0,
    },
    "dezero.utils": {
        "get_dot_graph": lambda output, verbose=True: 0,
        "plot_dot_graph": lambda output, verbose=True, to_file="graph.png": 0,
        "get_file": lambda url, file_name=None: 0,
        "show_progress": lambda block_num, block_size, total_size: 0,
    },
}
METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    Layer: {
        "params": lambda self: 0,
        "cleargrads": lambda self: 0,
        "to_cpu": lambda self: 0,
        "to_gpu": lambda self: 0,
        "save_weights": lambda self, path: 0,
        "load_weights": lambda self, path: 0,
        "forward": lambda self, *inputs: 0,
        "__call__": lambda self, *inputs: 0,
    },
    L.RNN: {"reset_state": lambda self: 0, "forward": lambda self, x: 0},
    L.LSTM: {"reset_state": lambda self: 0, "forward": lambda self, x: 0},
    models.VGG16: {"preprocess": lambda image, size=(224, 224), dtype=np.float32: 0},
    optimizers.Optimizer: {
        "setup": lambda self, target: 0,
        "update": lambda self: 0,
        "update_one": lambda self, param: 0,
        "add_hook": lambda self, hook: 0,
    },
    Dataset: {"prepare": lambda self: 0, "__getitem__": lambda self, index: 0, "__len__": lambda self: 0},
    datasets.MNIST: {"show": lambda self, row=10, col=10: 0, "labels": lambda: 0},
    datasets.CIFAR10: {"show": lambda self, row=10, col=10: 0, "labels": lambda: 0},
    datasets.CIFAR100: {"labels": lambda label_type="fine": 0},
    datasets.ImageNet: {"labels": lambda: 0},
    DataLoader: {name: lambda self: 0 for name in ("reset", "next", "__next__", "__iter__", "to_cpu", "to_gpu")},
    SeqDataLoader: {name: lambda self: 0 for name in ("reset", "next", "__next__", "__iter__", "to_cpu", "to_gpu")},
}


def rows() -> Iterator[Any]:
    for module, names in SIGNATURES.items():
        yield from (pytest.param(module, name, book, id=f"{module}.{name}") for name, book in names.items())


def methods() -> Iterator[Any]:
    for cls, names in METHODS.items():
        yield from (pytest.param(getattr(cls, name), book, id=f"{cls.__name__}.{name}") for name, book in names.items())


@pytest.mark.parametrize("name", TOP)
def test_the_package_has(name: str) -> None:
    assert hasattr(dezero, name)


@pytest.mark.parametrize(("module", "name", "book"), list(rows()))
def test_signature(module: str, name: str, book: Callable[..., Any]) -> None:
    check_signature(getattr(importlib.import_module(module), name), book)


@pytest.mark.parametrize(("method", "book"), list(methods()))
def test_method(method: Callable[..., Any], book: Callable[..., Any]) -> None:
    check_signature(method, book)


@pytest.mark.seeds
def test_plot_takes_inputs_and_a_file(tmp_path: Any) -> None:
    check_signature(Model.plot, lambda self, *inputs: 0)
    models.MLP((2, 1)).plot(np.ones((1, 3)), to_file=str(tmp_path / "net.svg"))
    assert (tmp_path / "net.svg").exists()


def test_what_stands_in_for_what() -> None:
    assert dezero.Layer is L.Layer and dezero.Model is models.Model and dezero.Dataset is datasets.Dataset
    assert dezero.DataLoader is dezero.dataloaders.DataLoader and dezero.SeqDataLoader is dezero.dataloaders.SeqDataLoader
    assert issubclass(Model, Layer) and issubclass(models.Sequential, Model) and issubclass(SeqDataLoader, DataLoader)
    assert all(issubclass(getattr(models, name), Model) for name in ("MLP", "VGG16", "ResNet", "SqueezeNet"))
    assert all(issubclass(getattr(L, name), Layer) for name in SIGNATURES["dezero.layers"])
    named = ("Spiral", "MNIST", "CIFAR10", "CIFAR100", "SinCurve", "Shakespear", "ImageNet")
    assert all(issubclass(getattr(datasets, name), Dataset) for name in named)
    assert utils.get_file is datasets.get_file and utils.show_progress is datasets.show_progress
    assert isinstance(utils.cache_dir, str)


def test_each_submodule_can_be_imported_first() -> None:
    """The book's scripts begin with any of these lines."""
    lines = ["import dezero.layers as L", "from dezero.models import MLP, VGG16", "from dezero.transforms import Compose, Flatten, Normalize",
             "from dezero.dataloaders import SeqDataLoader"]
    for line in lines:
        code = f"{line}\nimport sys\nassert not {{'matplotlib', 'PIL', 'cupy', 'scipy'}} & sys.modules.keys()"
        done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, (line, done.stderr)


@pytest.mark.seeds
def test_attributes_that_scripts_read() -> None:
    curve = datasets.SinCurve(train=False)
    assert (curve.train, curve.transform, curve.target_transform, len(curve.data), len(curve.label)) == (False, None, None, 999, 999)
    loader = DataLoader(datasets.Spiral(), 32)
    assert (loader.batch_size, loader.shuffle, loader.gpu, loader.data_size, loader.max_iter, loader.iteration) == (32, True, False, 300, 10, 0)
    assert sorted(loader.index) == list(range(300))
    assert SeqDataLoader(curve, 30).jump == 33
    layer = L.Conv2d(4, 3, 2, 1)
    assert (layer.out_channels, layer.in_channels, layer.kernel_size, layer.stride, layer.pad, layer.dtype) == (4, None, 3, 2, 1, np.float32)
    linear = L.Linear(4, nobias=True)
    assert (linear.out_size, linear.in_size, linear.b, linear.W.data, linear.W.name) == (4, None, None, None, "W")
    lstm = L.LSTM(3)
    assert lstm.hidden_size == 3 and lstm.h is lstm.c is None
    sgd, adam = optimizers.MomentumSGD(0.1, 0.8), optimizers.Adam(0.1, 0.5)
    assert (sgd.lr, sgd.momentum, sgd.hooks, sgd.target) == (0.1, 0.8, [], None)
    assert (adam.alpha, adam.beta1, adam.beta2, adam.eps, adam.t, adam.lr) == (0.1, 0.5, 0.999, 1e-8, 0, 0.1)


def test_transforms_have_their_settings() -> None:
    T = transforms
    assert T.Normalize(0.5, 2.0)(np.array([[[1.5]]]))[0, 0, 0] == 0.5 and np.array_equal(T.Flatten()(np.ones((2, 3))), np.ones(6))
    assert T.ToFloat()(np.array([1, 2])).dtype == np.float32 and T.ToInt()(np.array([1.0])).dtype == np.array([1]).dtype
    assert T.AsType(np.float16)(np.array([1])).dtype == np.float16 and len(T.Compose([T.Flatten(), T.ToFloat()]).transforms) == 2
    image = pytest.importorskip("PIL.Image").new("RGB", (6, 4), (255, 0, 9))
    x = T.Compose([T.Convert("RGB"), T.Resize(8), T.CenterCrop((4, 4)), T.ToArray()])(image)
    assert x.shape == (3, 4, 4) and x.dtype == np.float32 and x[:, 0, 0].tolist() == [255, 0, 9]
    assert T.ToPIL()(x).size == (4, 4)
    from PIL import Image
    assert T.Resize((3, 5), Image.BILINEAR)(image).size == (3, 5) and T.Convert("BGR")(image).getpixel((0, 0)) == (9, 0, 255)
