"""The largest networks at their real sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dezero import initializers, models, no_grad, test_mode
from tests.models import published
from tests.models.zoo import Zeros

pytestmark = [pytest.mark.slow, pytest.mark.seeds]


@pytest.mark.parametrize(("make", "n"), [
    (models.VGG16, 138_357_544),
    (lambda: models.ResNet101(style="torchvision"), 44_549_160),
    (lambda: models.ResNet152(style="torchvision"), 60_192_808),
], ids=["VGG16", "ResNet101", "ResNet152"])
def test_parameters(make: object, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(initializers._NAMES, "he", Zeros)
    model = make()  # type: ignore[operator]
    with no_grad(), test_mode():
        assert model(np.zeros((1, 3, 224, 224), np.float32)).shape == (1, 1000)
    assert model.count_params() == n


@pytest.mark.parametrize("name", ["resnet34", "resnet101", "resnet152", "vgg16"])
def test_torchvision_weights(name: str, tmp_path: Path) -> None:
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    from tests.models.test_weights import check_torchvision
    if name == "vgg16":
        model, arrays = models.VGG16(), published.vgg16(512)
    else:
        model, arrays = models.ResNet(int(name[6:]), style="torchvision"), published.resnet(int(name[6:]))
    check_torchvision(model, list(arrays), tmp_path / "w.safetensors")
