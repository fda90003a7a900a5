"""Training on the GPU: the same losses and weights as on the CPU, kept on the device until they are saved."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from benchmarks.gpu import MIDDLE, STEPS_OF_LOSS, distance, losses
from benchmarks.gpu_problems import Perceptron, ours
from dezero import DataLoader, autocast, cuda, no_grad, optimizers, test_mode
from dezero.backend import as_cupy, as_numpy
from dezero.backend.cuda.launch import counting
from dezero.backend.device import device_of
from dezero.datasets import Digits
from dezero.optimizers import LossScaler
from dezero.training import Trainer

pytestmark = [pytest.mark.gpu, pytest.mark.seeds]


@pytest.fixture(scope="module")
def cupy() -> ModuleType:
    return pytest.importorskip("cupy")


def small_net() -> L.Sequential:
    """A network with most kinds of kernels, the same weights every time."""
    net = L.Sequential(lambda x: F.reshape(x, (-1, 1, 8, 8)), L.Conv2d(4, 3, pad=1, nobias=True), L.BatchNorm(), F.relu, L.MaxPool2d(2), L.Flatten(),
                       L.Linear(16), L.LayerNorm(), F.gelu, L.Linear(10))
    with no_grad(), test_mode():
        net(np.zeros((1, 64), np.float32))  # sizes the weights
    rng = np.random.default_rng(0)
    for p in net.params():
        p.data[...] = rng.normal(0, 0.3, p.shape)
    return net


@pytest.mark.parametrize("make", [optimizers.SGD, optimizers.MomentumSGD, optimizers.AdaGrad, optimizers.AdaDelta, optimizers.RMSprop,
                                  optimizers.Adam, optimizers.AdamW, optimizers.NAdam, optimizers.RAdam, optimizers.Lion],
                         ids=lambda make: make.__name__)
def test_training_on_the_device_agrees_with_the_host(make: Any, tmp_path: Path) -> None:
    ends = []
    for gpu in (False, True):
        net = small_net().to_gpu() if gpu else small_net()
        optimizer = make().setup(net)
        optimizer.add_hook(optimizers.ClipGrad(1.0))
        for x, t in DataLoader(Digits(), 200, seed=0, gpu=gpu):
            loss = F.softmax_cross_entropy(net(x), t)
            net.cleargrads()
            loss.backward()
            optimizer.update()
        net.save_weights(tmp_path / f"{gpu}.safetensors")
        assert all(type(p.data) is not np.ndarray for p in net.params()) == gpu, "saving leaves the weights where they are"
        ends.append(small_net())
        ends[-1].load_weights(tmp_path / f"{gpu}.safetensors")
    for (name, a), (_, b) in zip(ends[0].named_params(), ends[1].named_params(), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=2e-2, atol=2e-3, err_msg=name)


@pytest.mark.parametrize("name", MIDDLE)
def test_the_losses_of_50_steps_are_those_of_the_host(name: str) -> None:
    cuda.allow_tf32(False)
    device, host = (losses(ours(MIDDLE[name], where).step, STEPS_OF_LOSS) for where in ("cuda", "cpu"))
    assert distance(device, host) <= 1e-4
    assert host[-1] < host[0]


def test_dropout_drops_the_same_on_both() -> None:
    found = []
    for gpu in (False, True):
        np.random.seed(0)
        net = L.Sequential(L.Linear(64, in_size=64), F.relu, L.Dropout(0.5), L.Linear(10, in_size=64))
        trainer = Trainer(net, optimizers.SGD(0.1), F.softmax_cross_entropy, device="gpu" if gpu else None)
        found.append(trainer.fit(DataLoader(Digits(), 100, seed=0, gpu=gpu), epochs=2)["loss"])
    assert distance(*found) <= 1e-4


def test_recurrent_and_attention_layers_run_on_the_device() -> None:
    x = np.random.default_rng(0).normal(size=(5, 3, 8)).astype(np.float32)
    for layer in (L.LSTM(6), L.GRU(6), L.RNN(6), L.TransformerEncoderLayer(8, 2, dropout_ratio=0.0)):
        expected = layer(x).data
        layer.cleargrads()
        y = layer.to_gpu()(as_cupy(x))
        np.testing.assert_allclose(as_numpy(y), expected, rtol=1e-4, atol=1e-5)
        F.sum(y * y).backward()
        assert all(type(p.grad.data) is type(y.data) for p in layer.params())  # type: ignore[union-attr]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_hands_out_the_same_batches_on_the_device(workers: int, cupy: ModuleType) -> None:
    host, device = (DataLoader(Digits(), 64, seed=3, workers=workers, gpu=gpu) for gpu in (False, True))
    kept = []
    for _ in range(2):
        for (x, t), (gx, gt) in zip(host, device, strict=True):
            assert isinstance(gx, cupy.ndarray) and isinstance(gt, cupy.ndarray)
            kept.append((x, t, gx, gt))
    for x, t, gx, gt in kept:  # at the end, so that a batch that was written to afterwards is seen
        np.testing.assert_array_equal(as_numpy(gx), x)
        np.testing.assert_array_equal(as_numpy(gt), t)


@pytest.mark.parametrize(("before", "after"), [(None, "gpu"), ("gpu", None), ("gpu", "gpu")])
def test_a_checkpoint_goes_on_on_another_device(before: Any, after: Any, tmp_path: Path) -> None:
    def trainer(device: Any) -> Trainer:
        return Trainer(small_net(), optimizers.Adam(0.001), F.softmax_cross_entropy, device=device)

    def loader() -> DataLoader:
        return DataLoader(Digits(), 200, seed=0)

    whole, first, second = trainer(None), trainer(before), trainer(after)
    whole.fit(loader(), epochs=2)
    first.fit(loader(), epochs=1)
    first.save(tmp_path / "run")
    second.load(tmp_path / "run")
    second.fit(loader(), epochs=1)
    assert {device_of(p).split(":")[0] for p in second.model.params()} == {"cpu" if after is None else "cuda"}
    for (name, a), (_, b) in zip(whole.model.named_params(), second.model.named_params(), strict=True):
        np.testing.assert_allclose(as_numpy(b.data), a.data, rtol=2e-2, atol=2e-3, err_msg=name)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", MIDDLE)
def test_mixed_precision_learns_as_float32_does(name: str, dtype: str) -> None:
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes")
    fine = ours(MIDDLE[name], "cuda")
    expected = losses(fine.step, 10)
    assert distance(losses(ours(MIDDLE[name], "cuda", dtype).step, 10), expected) <= 0.05
    assert all(p.dtype == np.float32 for p in fine.parameters())


def test_a_step_with_a_scaled_loss() -> None:
    net, scaler = small_net().to_gpu(), LossScaler()
    optimizer = optimizers.Adam(0.001).setup(net)
    x, t = next(iter(DataLoader(Digits(), 200, seed=0, gpu=True)))
    found = []
    for _ in range(10):
        with autocast("float16"):
            loss = F.softmax_cross_entropy(net(x), t)
        net.cleargrads()
        scaler.scale(loss).backward()
        assert scaler.step(optimizer)
        found.append(float(loss))
    assert found[-1] < found[0]


def test_a_step_launches_little_and_fetches_nothing() -> None:
    step = ours(Perceptron(100, (784, 50, 10)), "cuda").step
    step()
    with counting() as launches, cuda.counting_fetches() as fetches:
        step()
    assert not fetches
    assert 0 < sum(launches.values()) <= 12, dict(launches)


def test_a_second_device_is_used_where_there_is_one(cupy: ModuleType) -> None:
    if cupy.cuda.runtime.getDeviceCount() < 2:
        pytest.skip("there is one device")
    found = []
    for device in ("cpu", "cuda:0", "cuda:1"):
        net = small_net().to(device)
        optimizer = optimizers.Adam(0.001).setup(net)
        for x, t in DataLoader(Digits(), 400, seed=0, device=device):
            assert device_of(x) == device
            loss = F.softmax_cross_entropy(net(x), t)
            net.cleargrads()
            loss.backward()
            optimizer.update()
        assert {device_of(p) for p in net.params()} == {device}
        found.append(float(loss))
    cupy.cuda.Device(0).use()
    assert distance(found[:1] * 2, found[1:]) <= 1e-3
