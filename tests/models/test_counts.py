"""The networks of the literature have the sizes that the literature gives them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, initializers, models, no_grad, test_mode
from dezero.models import BasicBlock, BottleneckA, BottleneckB, BuildingBlock, ResNet, vgg
from dezero.models.resnet import STAGES
from dezero.models.squeezenet import pooled_up
from tests.models.zoo import Zeros, floats

pytestmark = pytest.mark.seeds


@pytest.fixture
def for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights of zeros, which cost no time."""
    monkeypatch.setitem(initializers._NAMES, "he", Zeros)
    monkeypatch.setitem(initializers._NAMES, "normal", Zeros)


def shape(model: Any, *x: int) -> tuple[int, ...]:
    with no_grad(), test_mode():
        y: tuple[int, ...] = model(np.zeros(x, np.float32)).shape
    return y


@pytest.mark.usefixtures("for_nothing")
@pytest.mark.parametrize(("make", "x", "n"), [
    (models.LeNet, (1, 1, 28, 28), 61_706),
    (models.SqueezeNet, (1, 3, 32, 32), 1_235_496),
    (models.ResNet18, (1, 3, 32, 32), 11_689_512),
    (models.ResNet34, (1, 3, 32, 32), 21_797_672),
    (lambda: models.ResNet50(style="torchvision"), (1, 3, 32, 32), 25_557_032),
    (models.ResNet50, (1, 3, 32, 32), 25_557_032 + 64),  # the first convolution's bias
], ids=["LeNet", "SqueezeNet", "ResNet18", "ResNet34", "ResNet50", "ResNet50-caffe"])
def test_parameters(make: Any, x: tuple[int, ...], n: int) -> None:
    model = make()
    assert shape(model, *x)[0] == 1
    assert model.count_params() == n


@pytest.mark.usefixtures("for_nothing")
@pytest.mark.parametrize(("n_layers", "n"), [(101, 44_549_160), (152, 60_192_808)])
def test_parameters_of_the_deep_ones_block_by_block(n_layers: int, n: int) -> None:
    small = ResNet(50, style="torchvision")
    shape(small, 1, 3, 32, 32)
    deep = ResNet(n_layers, style="torchvision")
    more = [(count - STAGES[50][i]) * getattr(small, f"res{i + 2}").b1.count_params() for i, count in enumerate(STAGES[n_layers])]
    assert small.count_params() + sum(more) == n
    assert [len(list(getattr(deep, f"res{i}").children())) for i in range(2, 6)] == list(STAGES[n_layers])


@pytest.mark.usefixtures("for_nothing")
def test_parameters_of_vgg16_on_small_images() -> None:
    model = models.VGG16()
    assert shape(model, 1, 3, 32, 32) == (1, 1000)
    assert model.fc6.W.shape == (512, 4096)
    assert model.count_params() + (512 * 7 * 7 - 512) * 4096 == 138_357_544


@pytest.mark.usefixtures("for_nothing")
def test_all_parameters_of_vgg16_get_gradients_and_two_layers_drop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vgg, "HIDDEN", 64)
    model, dropout, dropped = models.VGG16(num_classes=3), F.dropout, []
    monkeypatch.setattr(F, "dropout", lambda x: dropped.append(x.shape) or dropout(x))
    F.sum(model(floats(1, 3, 32, 32))).backward()
    assert dropped == [(1, 64)] * 2
    assert all(p.grad is not None and p.grad.shape == p.shape for p in model.params())


@pytest.mark.usefixtures("for_nothing")
@pytest.mark.parametrize("style", ["caffe", "torchvision"])
@pytest.mark.parametrize("size", [(32, 32), (41, 70)])
def test_residual_networks_on_images_that_are_not_square(style: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STAGES, 50, (1, 2, 1, 1))
    assert shape(ResNet(50, num_classes=5, style=style), 2, 3, *size) == (2, 5)
    assert shape(models.ResNet18(num_classes=5), 2, 3, *size) == (2, 5)


def test_the_network_of_the_book_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STAGES, 50, (2, 1, 1, 1))
    np.random.seed(0)
    model = ResNet(50, num_classes=4)
    F.sum(model(floats(3, 3, 40, 33)) * floats(3, 4)).backward()
    for name, p in model.named_params():
        assert p.grad is not None, name
        assert name == "conv1.b" or p.grad.data.any(), name  # a bias before a batch norm has no effect


def test_where_the_styles_stride_and_pad() -> None:
    caffe, torchvision = ResNet(50), ResNet(50, style="torchvision")
    assert (caffe.res3.a.conv1.stride, caffe.res3.a.conv2.stride) == (2, 1)
    assert (torchvision.res3.a.conv1.stride, torchvision.res3.a.conv2.stride) == (1, 2)
    assert {norm.eps for norm in (caffe.bn1, caffe.res2.a.bn4, caffe.res5.b1.bn2)} == {2e-5}
    assert {norm.eps for norm in (torchvision.bn1, torchvision.res2.a.bn4, torchvision.res5.b1.bn2)} == {1e-5}
    assert caffe.conv1.b is not None and torchvision.conv1.b is None
    assert ResNet().n_layers == 152


@pytest.mark.usefixtures("for_nothing")
@pytest.mark.parametrize(("style", "size"), [("caffe", (7, 10)), ("torchvision", (8, 11))])
def test_the_first_pooling_of_each_style(style: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STAGES, 50, (1, 1, 1, 1))
    model, sizes = ResNet(50, num_classes=2, style=style), []
    model.res2.add_forward_pre_hook(lambda layer, inputs: sizes.append(inputs[0].shape[2:]))
    shape(model, 1, 3, 32, 43)
    assert sizes == [size]


@pytest.mark.usefixtures("for_nothing")
@pytest.mark.parametrize(("size", "last"), [((224, 224), (13, 13)), ((35, 64), (2, 3))])
def test_squeezenet_pools_three_times(size: tuple[int, int], last: tuple[int, int]) -> None:
    model, sizes = models.SqueezeNet(num_classes=2), []
    model.conv10.add_forward_pre_hook(lambda layer, inputs: sizes.append(inputs[0].shape[2:]))
    shape(model, 1, 3, *size)
    assert sizes == [last]


@pytest.mark.parametrize("size", [(7, 9), (8, 10), (7, 8), (8, 3), (4, 4)])
def test_squeezenet_cuts_windows_off_at_the_border(size: tuple[int, int]) -> None:
    x = np.abs(floats(2, 3, *size))
    y = pooled_up(Variable(x)).data
    starts = [[s for s in range(0, n, 2) if s < n - 1] for n in size]  # each window starts before the last pixel
    assert y.shape[2:] == tuple(map(len, starts))
    for i, a in enumerate(starts[0]):
        for j, b in enumerate(starts[1]):
            np.testing.assert_array_equal(y[:, :, i, j], x[:, :, a:a + 3, b:b + 3].max((2, 3)))


@pytest.mark.parametrize("downsample_fb", [False, True])
def test_blocks_by_the_names_of_the_book(downsample_fb: bool) -> None:
    x = floats(2, 8, 9, 6)
    assert BottleneckA(8, 4, 16, 2, downsample_fb)(x).shape == (2, 16, 5, 3)
    assert BottleneckA(None, 4, 16)(x).shape == (2, 16, 5, 3)
    assert BottleneckB(8, 4)(x).shape == x.shape
    block = BuildingBlock(n_layers=3, in_size=8, mid_size=4, out_size=16, stride=2, downsample_fb=downsample_fb)
    assert block(x).shape == (2, 16, 5, 3)
    assert [type(layer) for layer in block.children()] == [BottleneckA, BottleneckB, BottleneckB]
    assert block.b2 is list(block.children())[-1]


def test_a_basic_block_without_a_projection_adds_its_input() -> None:
    block, x = BasicBlock(4).eval(), floats(1, 4, 5, 5)
    block(x)
    block.bn2.gamma.data[...] = 0
    np.testing.assert_allclose(block(x).data, np.maximum(x, 0), atol=1e-6)
