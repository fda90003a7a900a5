"""Layers at the edges of what is promised: odd names, several threads, modes that change, checkpoint, what is read from states."""

from __future__ import annotations

import copy
import threading
import time
from collections import OrderedDict, namedtuple
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Parameter, Variable, checkpoint
from dezero.config import test_mode as use_mode
from dezero.errors import InputTypeError, ShapeError, StateError
from dezero.initializers import Initializer
from dezero.models import Sequential

pytestmark = pytest.mark.seeds
ONES = np.ones((3, 4), np.float32)


def test_a_hook_that_is_gone_takes_no_other_with_it() -> None:
    layer, seen = L.Linear(1, in_size=4), []
    first, second = (layer.add_forward_hook(lambda *_, i=i: seen.append(i)) for i in (1, 2))
    first.remove()
    layer.add_forward_hook(lambda *_: seen.append(3))
    layer(ONES)
    assert seen == [2, 3]
    last = layer.add_forward_hook(lambda *_: seen.append(4))
    last.remove()
    layer.add_forward_hook(lambda *_: seen.append(5))
    for hook in (last, second, first, last):
        hook.remove()
    layer(ONES)
    assert seen == [2, 3, 3, 5]


def test_a_list_that_holds_itself_may_be_an_attribute() -> None:
    inner: list[Any] = []
    outer: list[Any] = [inner, L.Linear(1, in_size=2)]
    inner.append(outer)
    layer = L.Layer()
    layer.parts = outer
    assert [name for name, _ in layer.named_params()] == ["parts.1.W", "parts.1.b"]


def test_keys_with_a_slash_go_through_a_state_and_a_file(tmp_path: Any) -> None:
    layer = L.Layer()
    layer.heads = {"a/b": L.Linear(1, in_size=2), "c": L.Linear(1, in_size=2)}
    twin = copy.deepcopy(layer)
    for p in twin.params():
        p.data += 1
    layer.load_state_dict(twin.state_dict())
    assert all(np.array_equal(p.data, q.data) for p, q in zip(layer.params(), twin.params(), strict=True))
    layer.heads["a/b"].W.data += 1
    layer.save_weights(tmp_path / "w.npz")
    twin.load_weights(tmp_path / "w.npz")
    assert np.array_equal(layer.heads["a/b"].W.data, twin.heads["a/b"].W.data)


def test_two_parameters_of_one_name_are_told() -> None:
    layer = L.Layer()
    layer.heads = {1: L.Linear(1, in_size=2), "1": L.Linear(1, in_size=2)}
    with pytest.raises(StateError, match=r"Layer: two parameters or buffers have the name 'heads\.1\.W'"):
        layer.state_dict()


def test_a_state_that_is_no_dict_is_told() -> None:
    with pytest.raises(InputTypeError, match=r"Linear\.load_state_dict: the state is list: a dict of arrays by name"):
        L.Linear(1, in_size=2).load_state_dict([np.ones(1)])


def test_a_late_layer_gets_arrays_of_its_own_and_no_statistics_in_half_precision() -> None:
    W = np.ones((2, 1), np.float32)
    late = L.Linear(1)
    late.load_state_dict({"W": W, "b": np.zeros(1, np.float32)})
    W[:] = 5
    assert (late.W.data == 1).all() and repr(late) == "Linear(2 -> 1)"
    norm = L.BatchNorm()
    norm.load_state_dict({name: np.ones(2, np.float16) for name in ("gamma", "beta", "avg_mean", "avg_var")})
    assert norm.avg_mean.dtype == norm.avg_var.dtype == np.float32


def test_the_size_is_shown_however_it_was_found() -> None:
    conv, back = L.Conv2d(4, 3, groups=2), L.Deconv2d(2, 3)
    conv.W.data, back.W.data = np.ones((4, 3, 3, 3), np.float32), np.ones((5, 2, 3, 3), np.float32)
    assert repr(conv).startswith("Conv2d(6 -> 4") and repr(back).startswith("Deconv2d(5 -> 2") and repr(L.Conv2d(4, 3)).startswith("Conv2d(? -> 4")


@pytest.mark.parametrize("make, x, error", [
    (lambda: L.Conv2d(1, 3), np.ones((1, 2)), ShapeError),
    (lambda: L.EmbedID(3, 2), np.array([7]), IndexError),
    (lambda: L.MultiHeadAttention(4, 2), np.ones((1, 2)), ShapeError),
])
def test_every_error_says_in_which_layer_it_arose_once(make: Any, x: Any, error: Any) -> None:
    net = L.Sequential(L.Sequential(L.Identity(), make()))
    with pytest.raises(error) as caught:
        net(x)
    assert caught.value.__notes__ == ["in layer l0.l1"]
    with pytest.raises(ShapeError) as caught:  # an op's message has the path already
        L.Sequential(L.Sequential(L.Linear(1, in_size=3)))(ONES)
    assert str(caught.value).startswith("l0.l0: ") and not hasattr(caught.value, "__notes__")


def test_train_and_eval_hold_from_the_next_call_on_in_the_same_mode() -> None:
    net = L.Sequential(L.Dropout(0.5, seed=0))
    part = net.layers[0]
    x = np.ones(100, np.float32)
    for _ in range(2):
        assert (part.train()(x).data == 0).any()
        assert (part.eval()(x).data == 1).all()
    with use_mode():
        assert (part.train()(x).data == 1).all()


def test_the_first_call_may_come_from_many_threads() -> None:
    x = np.ones((2, 4, 8, 8), np.float32)
    for _ in range(5):
        net = L.Sequential(L.Conv2d(3, 3), L.BatchNorm(), L.PReLU(None), L.Flatten(), L.Linear(4)).eval()
        start, results = threading.Barrier(8), []

        def run(net: Any = net, start: Any = start, results: Any = results) -> None:
            start.wait()
            results.append(net(x).data)

        threads = [threading.Thread(target=run) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert len(results) == 8 and all(np.array_equal(y, net(x).data) for y in results)


def test_a_mask_that_differs_since_weights_were_drawn_is_an_error_within_checkpoint() -> None:
    net = L.Sequential(L.Linear(50), L.Dropout(0.5))
    y = checkpoint(net, Variable(ONES))
    with pytest.raises(StateError, match=r"checkpoint: the function drew other random numbers when it ran again"):
        F.sum(y).backward()
    y = checkpoint(net, Variable(ONES))
    F.sum(y).backward()
    assert np.array_equal((y.data != 0).sum(axis=0) * 2, net.layers[0].b.grad.data)
    late, x = L.Sequential(L.Linear(5), F.relu, L.Linear(2)), Variable(ONES)  # nothing is drawn the second time: the gradient is right
    F.sum(checkpoint(late, x)).backward()
    other = Variable(ONES)
    F.sum(late(other)).backward()
    np.testing.assert_allclose(x.grad.data, other.grad.data, rtol=1e-6)


@pytest.mark.parametrize("make, x", [
    (lambda f: L.Linear(4, initializer=f), np.ones((2, 3), np.float32)),
    (lambda f: L.Conv2d(4, 1, initializer=f), np.ones((2, 3, 2, 2), np.float32)),
    (lambda f: L.RNN(4, initializer=f), np.ones((2, 3), np.float32)),
])
def test_threads_that_come_together_draw_weights_once(make: Any, x: Any) -> None:
    shapes = []

    def slowly(shape: Any) -> Any:
        shapes.append(shape)
        time.sleep(0.02)  # so that the others arrive meanwhile
        return np.ones(shape)

    layer = make(slowly)
    threads = [threading.Thread(target=layer, args=(x,)) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(shapes) == len([p for p in layer.params() if p.ndim > 1])


@pytest.mark.parametrize("base", [L.Sequential, Sequential])
def test_a_slice_of_a_subclass_made_of_other_arguments(base: Any) -> None:
    class Net(base):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(L.Linear(2, in_size=4), F.relu, L.Linear(1, in_size=2))

    part = Net()[:2]
    assert type(part) is base and part(ONES).shape == (3, 2)


@pytest.mark.parametrize("make, message", [
    (lambda: L.BatchNorm(eps=-1), "BatchNorm: eps is -1: a number of at least 0"),
    (lambda: L.LayerNorm(3, eps=float("nan")), "LayerNorm: eps is nan: a number of at least 0"),
    (lambda: L.Dropout(0.5, seed=-1), "Dropout: seed is -1: an integer of at least 0"),
])
def test_wrong_numbers_are_told_at_once(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_an_encoder_layer_hands_its_mask_on() -> None:
    layer = L.TransformerEncoderLayer(4, 2, dropout_ratio=0.0)
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    seen = np.array([[True, True, False]] * 2)
    y = layer(x, mask=seen[:, None, :]).data[:, :2]
    x[:, 2] = 9
    np.testing.assert_array_equal(layer(x, mask=seen[:, None, :]).data[:, :2], y)


def test_positions_follow_the_dtype_of_each_input() -> None:
    layer = L.PositionalEncoding()
    assert [layer(np.zeros((1, 2, 4), d)).dtype for d in (np.float64, np.float32, np.float16)] == [np.float64, np.float32, np.float16]


def test_the_fan_of_a_convolution_in_groups_is_that_of_one_group() -> None:
    fans = []

    class Fans(Initializer):
        def draw(self, shape: Any, fan_in: int, fan_out: int) -> Any:
            fans.append((fan_in, fan_out))
            return np.zeros(shape)

    L.Conv2d(8, 3, in_channels=4, groups=2, initializer=Fans())
    assert fans == [(18, 36)]


def test_a_summary_runs_as_in_use() -> None:
    net = L.Sequential(L.Dropout(0.5, seed=0), L.Dropout(0.5))
    before = np.random.get_state()[2]
    net.summary((2, 3))
    assert net.layers[0].calls.data == 0 and np.random.get_state()[2] == before


@pytest.mark.parametrize("make, x", [
    (lambda: L.Linear(3), np.zeros((0, 4), np.float32)),
    (lambda: L.Conv2d(2, 3), np.zeros((0, 1, 5, 5), np.float32)),
    (lambda: L.BatchNorm(), np.zeros((0, 3), np.float32)),
    (lambda: L.LSTM(2, num_layers=2, bidirectional=True), np.zeros((3, 0, 2), np.float32)),
    (lambda: L.MultiHeadAttention(4, 2), np.zeros((2, 0, 4), np.float32)),
    (lambda: L.TransformerEncoderLayer(4, 2), np.zeros((0, 3, 4), np.float32)),
])
def test_an_empty_batch_goes_through_and_leaves_all_finite(make: Any, x: Any) -> None:
    layer = make()
    y = layer(x)
    F.sum(y).backward()
    assert y.size == 0 and all(p.grad.shape == p.shape and np.isfinite(p.grad.data).all() for p in layer.params())
    assert all(np.isfinite(b.data).all() for b in layer.buffers())


def test_parameters_in_a_named_tuple_and_an_ordered_dict_of_lists() -> None:
    layer = L.Layer()
    layer.pair = namedtuple("Pair", "a b")(Parameter(np.ones(1)), 3)
    layer.tree = OrderedDict(x=[{"y": (L.Linear(1, in_size=1),)}])
    assert [name for name, _ in layer.named_params()] == ["pair.0", "tree.x.0.y.0.W", "tree.x.0.y.0.b"]


def test_the_share_that_running_statistics_keep_is_the_one_asked_for() -> None:
    layer = L.BatchNorm(decay=0.5)
    layer(np.array([[1.0], [3.0]], np.float32))
    np.testing.assert_allclose((layer.avg_mean.data[0], layer.avg_var.data[0]), (1.0, 1.5))


@pytest.mark.parametrize("first", [True, False])
def test_an_encoder_layer_is_two_parts_around_shortcuts(first: bool) -> None:
    layer = L.TransformerEncoderLayer(4, 2, dropout_ratio=0.0, norm_first=first)
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    y = layer(x).data

    def mapped(h: Any) -> Any:
        return layer.fc2(F.gelu(layer.fc1(h))).data

    if first:
        h = x + layer.attention(layer.norm1(x).data).data
        wanted = h + mapped(layer.norm2(h).data)
    else:
        h = layer.norm1(x + layer.attention(x).data).data
        wanted = layer.norm2(h + mapped(h)).data
    np.testing.assert_allclose(y, wanted, rtol=1e-5, atol=1e-6)
