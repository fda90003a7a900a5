"""The faults of the original in layers, models, optimizers, data and drawing, each by its number, shown to be mended.

What the parts' own tests prove already:
* D14, C45, the order of parameters: tests/layers/test_layer.py, test_order_and_initial_weights_do_not_depend_on_the_hash_seed
* D16, C46, plots without Graphviz: tests/viz/test_dot.py, test_without_graphviz_dot_and_svg_are_written and those after it
* D17, C37, no shell: tests/viz/test_dot.py, test_a_files_name_is_only_a_name; tests/test_floors.py refuses shell=, eval and pickle anywhere
* D18, DOT text: tests/viz/test_dot.py, test_the_same_bytes_in_two_processes, test_each_node_is_written_once, test_graphviz_reads_every_name
* D24: tests/optimizers/test_state.py, test_a_restored_optimizer_goes_on_to_the_byte
* D25, kill -9: tests/serialization/test_atomic.py, test_a_process_killed_at_any_moment_leaves_a_whole_file
* C34, batches at once: tests/dataloaders/test_loader.py, test_batches_are_gathered_at_once_unless_getitem_was_replaced
* C38, downloads: tests/datasets/test_files.py and test_download.py; names without eval: tests/datasets/test_folder.py, test_names_are_data
* C35, one pass over the archive and bytes as stored: tests/datasets/test_cifar.py, test_cifar10
* C41, states on a device: tests/optimizers/test_state.py, test_a_state_of_the_host_goes_on_on_a_device; tests/layers/test_recurrent.py,
  test_states_move_and_are_copied
"""

from __future__ import annotations

import os
import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader, Layer, Model, Parameter, Variable, as_variable, datasets, grad, models, optimizers, test_mode, transforms
from dezero.datasets import ArrayDataset
from dezero.errors import StateError
from dezero.models import MLP, Sequential
from tests.strict import StrictArray, to_strict

F32 = np.float32
pytestmark = pytest.mark.seeds


def normal(*shape: int, seed: int = 0, dtype: Any = F32) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def weight(value: float, gradient: float | None = None) -> Parameter:
    p = Parameter(np.array([value]))
    p.grad = None if gradient is None else np.array([gradient])
    return p


# -- layers and saving ----------------------------------------------------------------------------


@pytest.mark.parametrize(("make", "shape"), [
    (lambda: L.Linear(4), (2, 3)), (lambda: L.Linear(4, in_size=3), (2, 3)), (lambda: L.Conv2d(2, 3), (1, 3, 5, 5)),
    (lambda: L.Deconv2d(2, 3), (1, 3, 5, 5)), (lambda: L.RNN(4), (2, 3)), (lambda: L.LSTM(4), (2, 3)), (L.BatchNorm, (2, 3)),
    (lambda: MLP((5, 4)), (2, 3))])
def test_D2_C1_float32_stays_in_weights_results_and_gradients(make: Any, shape: Any) -> None:
    layer = make()
    y = layer(normal(*shape))
    F.mean(y * y * 2.0).backward()
    optimizers.Adam().setup(layer).update()
    assert {v.dtype for p in layer.params() for v in (p, p.grad)} | {y.dtype} == {np.dtype(F32)}


@pytest.mark.parametrize("make", [L.RNN, L.LSTM])
def test_D9_C17_recurrent_layers_with_an_input_size_run_on(make: Any) -> None:
    layer = make(5, in_size=2)
    ys = [layer(normal(3, 2, seed=i)) for i in range(3)]
    F.sum(ys[-1]).backward()
    assert [y.shape for y in ys] == [(3, 5)] * 3 and all(p.grad is not None for p in layer.params())


def test_D10_layers_in_lists_tuples_and_dicts_are_found() -> None:
    class Net(Model):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = [L.Linear(3, in_size=3) for _ in range(2)]
            self.heads = {"a": L.Linear(1, in_size=3), "b": (L.Linear(2, in_size=3),)}

    net = Net()
    net.blocks.append(L.Linear(3, in_size=3))
    assert len(list(net.params())) == 10
    assert [name for name, _ in net.named_params()][4:8] == ["blocks.2.W", "blocks.2.b", "heads.a.W", "heads.a.b"]


def test_D11_C10_weights_of_other_shapes_and_names_are_refused(tmp_path: Path) -> None:
    L.Linear(3, in_size=2).save_weights(tmp_path / "w.npz")
    layer = L.Linear(5, in_size=7)
    before = layer.W.data.copy()
    with pytest.raises(StateError, match=r"(?s)W.*\(7, 5\).*\(2, 3\)"):
        layer.load_weights(tmp_path / "w.npz")
    with pytest.raises(StateError, match="gamma"):
        L.BatchNorm(3).load_weights(tmp_path / "w.npz")
    assert np.array_equal(layer.W.data, before)


def test_D12_C24_weights_without_a_size_are_not_saved_and_a_path_needs_no_suffix(tmp_path: Path) -> None:
    model = MLP((4, 2))
    with pytest.raises(StateError, match=r"l0\.W.*l1\.W"):
        model.save_weights(tmp_path / "w.npz")
    assert not list(tmp_path.iterdir())
    y = model(normal(1, 3))
    model.save_weights(str(tmp_path / "weights"))
    again = MLP((4, 2))
    again.load_weights(str(tmp_path / "weights"))
    assert np.array_equal(again(normal(1, 3)).data, y.data) and (tmp_path / "weights.npz").exists()


def test_D13_running_statistics_are_buffers() -> None:
    norm = L.BatchNorm(3)
    assert [name for name, _ in norm.named_params()] == ["gamma", "beta"] and [name for name, _ in norm.named_buffers()] == ["avg_mean", "avg_var"]
    assert set(norm.state_dict()) == {"gamma", "beta", "avg_mean", "avg_var"}


def test_D25_a_save_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise OSError("the disk is full")

    layer, path = L.Linear(3, in_size=2), tmp_path / "w.npz"
    layer.save_weights(path)
    before = path.read_bytes()
    layer.W.data += 1
    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(OSError, match="disk is full"):
        layer.save_weights(path)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["w.npz"]


def test_C8_a_shared_layer_is_updated_once() -> None:
    class Twice(Model):
        def __init__(self) -> None:
            super().__init__()
            self.a = L.Linear(1, nobias=True, in_size=1)
            self.b = self.a
            self.tied = self.a.W

        def forward(self, x: Any) -> Any:
            return self.b(x) + self.a(x)

    net = Twice()
    net.a.W.data = np.ones((1, 1))
    optimizer = optimizers.SGD(0.1).setup(net)
    net(np.ones((1, 1))).backward()
    optimizer.update()
    assert len(list(net.params())) == 1 and np.isclose(net.a.W.data, 0.8)


def test_C14_second_derivatives_through_the_weights_of_layers() -> None:
    for layer in (L.Conv2d(2, 3, 2, 1), L.Deconv2d(2, 3, 2, 1)):
        x = Variable(normal(1, 2, 5, 5, dtype=np.float64))
        gx, gW = grad(F.sum(layer(x) ** 2), [x, layer.W], create_graph=True)
        (F.sum(gx ** 2) + F.sum(gW ** 2)).backward()
        assert np.abs(layer.W.grad.data).max() > 0 and x.grad.shape == x.shape


def test_C15_C4_a_frozen_batch_norm_sends_gradients() -> None:
    net = Sequential(L.Conv2d(3, 3), L.BatchNorm(), F.relu)
    x = Variable(normal(2, 1, 6, 6))
    net(x)
    with test_mode():
        F.sum(net(x) ** 2).backward()
    assert np.abs(x.grad.data).max() > 0 and all(p.grad is not None for p in net.params())


def test_C23_a_bias_may_be_taken_away() -> None:
    layer = L.Linear(3, in_size=2)
    layer.b = None
    layer.cleargrads()
    layer(normal(1, 2)).backward()
    optimizers.SGD().setup(layer).update()
    assert list(layer.params()) == [layer.W] and set(layer.state_dict()) == {"W"}


def test_C31_nothing_is_computed_for_the_images() -> None:
    layer, image = L.Conv2d(2, 3), normal(1, 1, 5, 5)
    y = layer(image)
    assert [y.creator.needs_grad(i) for i in range(3)] == [False, True, True]
    y.backward()
    assert layer.inputs[0]() is image


def test_C35_a_step_of_an_lstm_is_one_op() -> None:
    layer = L.LSTM(4)
    h = layer(normal(2, 3))
    assert h.creator is layer.c.creator and h.generation == 1
    assert {name: p.shape for name, p in layer.named_params()} == {"Wx": (3, 16), "Wh": (4, 16), "b": (16,)}


def test_C41_saving_leaves_the_model_where_it_is(tmp_path: Path, strict_device: Any) -> None:
    layer = L.Linear(3, in_size=2)
    layer.W.data, layer.b.data = to_strict(layer.W.data), to_strict(layer.b.data)
    layer.save_weights(tmp_path / "w.npz")
    assert type(layer.W.data) is type(layer.b.data) is StrictArray
    layer.load_weights(tmp_path / "w.npz")
    assert type(layer.W.data) is type(layer(to_strict(normal(1, 2))).data) is StrictArray


def test_C44_layers_take_keywords_give_anything_and_can_be_pickled_after_a_call() -> None:
    class Both(Layer):
        def forward(self, x: Any, *, times: int = 1, note: Any = None) -> Any:
            return {"y": x * times, "note": note}

    found = Both()(as_variable(np.ones(2)), times=3, note=(1, 2))
    assert np.array_equal(found["y"].data, [3, 3]) and found["note"] == (1, 2)
    assert Both()(3, times=2)["y"] == 6
    model = MLP((4, 2))
    y = model(normal(1, 3))
    assert np.array_equal(pickle.loads(pickle.dumps(model))(normal(1, 3)).data, y.data)


# -- optimizers -----------------------------------------------------------------------------------


def test_C3_C22_hooks_count_each_gradient_once() -> None:
    a, b = weight(1.0), weight(1.0)
    optimizer = optimizers.SGD(1.0).setup([a, b])
    optimizer.add_hook(optimizers.WeightDecay(0.5))
    (a + b).backward()
    optimizer.update()
    assert float(a.data[0]) == float(b.data[0]) == 1 - 1.5
    p = Parameter(np.full((3, 3), 2.0))
    optimizer = optimizers.SGD(1.0).setup([p])
    optimizer.add_hook(optimizers.ClipGrad(1.0))
    F.sum(p).backward()  # a gradient that was broadcast
    optimizer.update()
    assert np.isclose(np.linalg.norm(p.grad.data), 1, atol=1e-5) and np.allclose(p.data, 2 - 1 / 3, atol=1e-5)


def test_C16_frozen_parameters_stay() -> None:
    model = MLP((4, 2))
    optimizer = optimizers.Adam().setup(model)
    optimizer.add_hook(optimizers.FreezeParam(model.l0))
    F.sum(model(normal(1, 3))).backward()
    before = [p.data.copy() for p in model.params()]
    optimizer.update()
    assert [np.array_equal(p.data, old) for p, old in zip(model.params(), before, strict=True)] == [True, True, False, False]


def test_C36_a_step_takes_no_memory_of_the_parameters_size() -> None:
    p = Parameter(np.ones(1_000_000, F32))
    optimizer = optimizers.Adam().setup([p])
    p.grad = np.ones(1_000_000, F32)
    optimizer.update()
    tracemalloc.start()
    try:
        optimizer.update()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < p.data.nbytes / 4


def test_D24_moments_go_by_name_and_adam_has_a_rate_at_the_start() -> None:
    model = MLP((4, 2))
    optimizer = optimizers.Adam().setup(model)
    assert optimizer.lr == 0.001
    F.sum(model(normal(1, 3))).backward()
    optimizer.update()
    assert {"m/l0.W", "v/l1.b"} <= set(optimizer.state_dict()["arrays"])


# -- data -----------------------------------------------------------------------------------------


def test_D23_C34_a_loop_left_early_starts_anew() -> None:
    loader = DataLoader(ArrayDataset(np.arange(10), np.arange(10)), 2)
    for _ in loader:
        break
    assert len(loader) == 5 and sorted(np.concatenate([x for x, _ in loader])) == list(range(10))
    for left_after in range(5):
        for _ in zip(range(left_after), loader, strict=False):
            pass
        assert len(list(loader)) == 5


def test_C11_scales_of_images_and_no_reseeding() -> None:
    x = datasets.CIFAR10.default_transform(np.array([[[0, 255]]], np.uint8))
    assert x.dtype == F32 and x.ravel().tolist() == [-1, 1]
    before = np.random.get_state()
    datasets.get_spiral()
    datasets.Spiral(train=False)
    assert np.array_equal(before[1], np.random.get_state()[1]) and before[2:] == np.random.get_state()[2:]


def test_C43_names_spelt_right_and_stubs_filled(tmp_path: Path) -> None:
    fine, coarse = (datasets.CIFAR100.labels(kind) for kind in ("fine", "coarse"))
    assert datasets.CIFAR10.labels()[0] == "airplane" and (len(fine), fine[99], len(coarse)) == (100, "worm", 20)
    assert datasets.Shakespeare is datasets.Shakespear
    picture = np.arange(6.0, dtype=F32).reshape(1, 2, 3)
    assert np.array_equal(transforms.RandomHorizontalFlip(p=1.0)(picture), picture[:, :, ::-1])
    assert models.SqueezeNet(num_classes=3)(normal(1, 3, 64, 64)).shape == (1, 3)
    assert callable(datasets.ImageNet.labels)


def test_transforms_take_grey_pictures_and_give_them_back() -> None:
    image = pytest.importorskip("PIL.Image").new("L", (5, 4), 7)
    x = transforms.ToArray()(image)
    assert x.shape == (1, 4, 5) and transforms.ToPIL()(x).size == (5, 4)
