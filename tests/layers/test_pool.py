"""Pooling, flatten, reshape and activations as layers: each is the function of its name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Variable
from dezero.errors import ShapeError

rng = np.random.default_rng(0)
X = rng.normal(size=(2, 4, 9, 8)).astype(np.float32)
S = X[:, :, 0]


@pytest.mark.parametrize(("layer", "x", "expected"), [
    (L.MaxPool2d(3, 2, 1), X, F.max_pool2d(X, 3, 2, 1)),
    (L.AvgPool2d((2, 3), pad=1, count_include_pad=False), X, F.avg_pool2d(X, (2, 3), pad=1, count_include_pad=False)),
    (L.MaxPool1d(3, 2, 1), S, F.max_pool1d(S, 3, 2, 1)),
    (L.AvgPool1d(3, 1, 1, False), S, F.avg_pool1d(S, 3, 1, 1, False)),
    (L.GlobalAvgPool2d(), X, X.mean((2, 3))),
    (L.AdaptiveAvgPool2d((3, 5)), X, F.adaptive_avg_pool2d(X, (3, 5))),
    (L.Upsample(2), X, X.repeat(2, 2).repeat(2, 3)),
    (L.Upsample(size=(5, 5), mode="bilinear", align_corners=True), X, F.interpolate(X, 5, mode="bilinear", align_corners=True)),
    (L.Flatten(), X, X.reshape(2, -1)),
    (L.Reshape((8, -1)), X, X.reshape(2, 8, -1)),
    (L.Reshape(-1), X, X.reshape(2, -1)),
    (L.LeakyReLU(), S, F.leaky_relu(S, 0.2)),
    (L.ELU(0.5), S, F.elu(S, 0.5)),
    (L.GELU(True), S, F.gelu(S, True)),
    (L.Softplus(2), S, F.softplus(S, 2)),
    (L.Softmax(-1), S, F.softmax(S, -1)),
    (L.Softmax(), S, F.softmax(S, 1)),
    (L.LogSoftmax((1, 2)), S, F.log_softmax(S, (1, 2))),
    (L.GLU(1), S, F.glu(S, 1)),
    *((getattr(L, layer)(), S, getattr(F, f)(S)) for layer, f in (("ReLU", "relu"), ("SELU", "selu"), ("SiLU", "silu"), ("Mish", "mish"),
                                                                 ("Sigmoid", "sigmoid"), ("Tanh", "tanh"), ("HardTanh", "hard_tanh"))),
], ids=repr)
def test_a_layer_is_its_function(layer: L.Layer, x: Any, expected: Any) -> None:
    np.testing.assert_allclose(layer(x).data, expected.data if isinstance(expected, Variable) else expected, rtol=1e-6)


def test_prelu_has_one_slope_or_one_for_each_channel() -> None:
    assert L.PReLU().slope.shape == (1,) and L.PReLU(3).slope.shape == (3,)
    layer = L.PReLU(None, start=0.1)
    np.testing.assert_allclose(layer(X).data, np.where(X > 0, X, np.float32(0.1) * X), rtol=1e-6)
    assert layer.slope.shape == (4,)
    with pytest.raises(ShapeError, match=r"PReLU: x is \(4,\) float32: an array \(N, C, \.\.\.\)"):
        L.PReLU(None)(X[0, :, 0, 0])
    with pytest.raises(ShapeError, match="slope must be one number or shape"):
        L.PReLU(3)(X)


def test_identity_gives_what_it_got() -> None:
    assert L.Identity()(X) is X


def test_wrong_settings_are_told() -> None:
    with pytest.raises(ValueError, match=r"Upsample: scale_factor is None and size None: give one of the two"):
        L.Upsample()
    with pytest.raises(ShapeError, match=r"max_pool2d"):
        L.MaxPool2d(2)(S)
    with pytest.raises(ShapeError, match="Reshape: x is"):
        L.Reshape(3)(3.0)


def test_words() -> None:
    net = L.Sequential(L.MaxPool2d(2), L.LeakyReLU(0.1), L.Flatten(), L.Reshape((2, 3)), L.Upsample(2), L.PReLU())
    assert repr(net).splitlines()[1:-1] == [
        "  l0: MaxPool2d(kernel_size=2, stride=2, pad=0)", "  l1: LeakyReLU(slope=0.1)", "  l2: Flatten()", "  l3: Reshape((2, 3))",
        "  l4: Upsample(scale_factor=2, mode='nearest')", "  l5: PReLU(1)"]
