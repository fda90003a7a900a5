"""Training on the GPU: the same weights as on the CPU, kept on the device until they are saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader, optimizers
from dezero.backend import as_cupy, as_numpy
from dezero.datasets import Digits

pytestmark = [pytest.mark.gpu, pytest.mark.seeds]


def small_net() -> L.Sequential:
    """A network with most kinds of kernels, the same weights every time."""
    net = L.Sequential(L.Conv2d(4, 3, pad=1, nobias=True), L.BatchNorm(), F.relu, L.MaxPool2d(2), L.Flatten(), L.Linear(16), L.LayerNorm(), F.gelu,
                       L.Linear(10))
    net(np.zeros((1, 1, 8, 8), np.float32))
    rng = np.random.default_rng(0)
    for p in net.params():
        p.data[...] = rng.normal(0, 0.3, p.shape)
    return net


@pytest.mark.parametrize("make", [optimizers.SGD, optimizers.MomentumSGD, optimizers.AdaGrad, optimizers.RMSprop, optimizers.Adam, optimizers.AdamW,
                                  optimizers.NAdam, optimizers.RAdam, optimizers.Lion], ids=lambda make: make.__name__)
def test_training_on_the_device_agrees_with_the_host(make: Any, tmp_path: Path) -> None:
    ends = []
    for gpu in (False, True):
        net = small_net().to_gpu() if gpu else small_net()
        optimizer = make().setup(net)
        optimizer.add_hook(optimizers.ClipGrad(1.0))
        for x, t in DataLoader(Digits(transform=None), 200, seed=0, gpu=gpu):
            loss = F.softmax_cross_entropy(net(x.astype("float32") / 16), t)
            net.cleargrads()
            loss.backward()
            optimizer.update()
        net.save_weights(tmp_path / f"{gpu}.safetensors")
        assert all(type(p.data) is not np.ndarray for p in net.params()) == gpu, "saving leaves the weights where they are"
        ends.append(small_net())
        ends[-1].load_weights(tmp_path / f"{gpu}.safetensors")
    for (name, a), (_, b) in zip(ends[0].named_params(), ends[1].named_params(), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=2e-2, atol=2e-3, err_msg=name)


def test_recurrent_and_attention_layers_run_on_the_device() -> None:
    x = np.random.default_rng(0).normal(size=(5, 3, 8)).astype(np.float32)
    for layer in (L.LSTM(6), L.GRU(6), L.RNN(6), L.TransformerEncoderLayer(8, 2, dropout_ratio=0.0)):
        expected = layer(x).data
        layer.cleargrads()
        y = layer.to_gpu()(as_cupy(x))
        np.testing.assert_allclose(as_numpy(y), expected, rtol=1e-4, atol=1e-5)
        F.sum(y * y).backward()
        assert all(type(p.grad.data) is type(y.data) for p in layer.params())  # type: ignore[union-attr]
