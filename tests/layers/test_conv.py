"""The convolution layers."""

from __future__ import annotations

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from tests.strict import StrictArray, to_strict

IMAGES = np.random.default_rng(0).normal(size=(2, 4, 9, 8)).astype(np.float32)

pytestmark = pytest.mark.seeds  # weights are drawn from the global state


@pytest.mark.parametrize("settings", [{}, {"stride": 2, "pad": 1}, {"kernel_size": (1, 3), "nobias": True}, {"groups": 2, "dilation": 2}])
def test_conv2d_is_the_function_with_weights_of_its_own(settings: dict[str, object]) -> None:
    late, early = L.Conv2d(6, **{"kernel_size": 3, **settings}), L.Conv2d(6, **{"kernel_size": 3, "in_channels": 4, **settings})
    y = late(IMAGES)
    early.load_state_dict(late.state_dict())
    np.testing.assert_array_equal(early(IMAGES).data, y.data)
    s = {k: v for k, v in settings.items() if k not in ("kernel_size", "nobias")}
    np.testing.assert_array_equal(F.conv2d(IMAGES, late.W, late.b, **s).data, y.data)
    assert late.W.dtype == y.dtype == np.float32 and (late.b is None) == ("nobias" in settings)


def test_lecun_weights_have_the_variance_of_the_fan_in() -> None:
    W = L.Conv2d(64, 3, in_channels=32).W.data
    assert abs(float(W.std()) * (32 * 9) ** 0.5 - 1) < 0.03
    W = L.Deconv2d(64, 3, in_channels=32).W.data
    assert W.shape == (32, 64, 3, 3) and abs(float(W.std()) * (32 * 9) ** 0.5 - 1) < 0.03


def test_conv1d_and_the_transposed_one() -> None:
    assert L.Conv1d(5, 3, stride=2, pad=1)(IMAGES[:, :, 0]).shape == (2, 5, 4)
    up = L.ConvTranspose2d(3, 4, stride=2, pad=1)
    assert up(IMAGES).shape == (2, 3, 18, 16) and up.W.shape == (4, 3, 4, 4)
    assert L.Deconv2d(3, 3, stride=2, pad=1, outsize=(18, 16))(IMAGES).shape == (2, 3, 18, 16)
    assert type(L.Deconv2d(1, 1)).__name__ == "Deconv2d"  # scripts look the name up


@pytest.mark.parametrize("make", [lambda: L.Conv2d(3, 3), lambda: L.ConvTranspose2d(3, 3), lambda: L.Linear(3), lambda: L.EmbedID(4, 2)])
def test_weights_are_made_on_the_device_of_the_data(make: object, strict_device: object) -> None:
    layer = make()  # type: ignore[operator]
    if isinstance(layer, L.EmbedID):
        layer._move(to_strict)
        x = to_strict(np.array([1, 2]))
    else:
        x = to_strict(IMAGES)
        if layer.b is not None:
            layer.b.data = to_strict(layer.b.data)
    y = layer(x)
    assert isinstance(y.data, StrictArray)
    F.sum(y).backward()
    assert all(isinstance(p.grad.data, StrictArray) for p in layer.params())
