"""Layer: what belongs to it, how it runs, and what it leaves behind."""

from __future__ import annotations

import copy
import gc
import pickle
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Parameter, Variable, config
from dezero.config import test_mode as use_mode
from dezero.errors import ShapeError, StateError
from tests.strict import StrictArray, to_strict

ROOT = Path(__file__).resolve().parents[2]


def linear(i: int, o: int) -> L.Linear:
    return L.Linear(o, in_size=i, initializer=0.5)


class Net(L.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.scale = Parameter(np.ones((), np.float32))
        self.encoder = linear(3, 4)
        self.blocks = [linear(4, 4), (linear(4, 4), linear(4, 4))]
        self.heads = {"a": linear(4, 2), "b": linear(4, 1)}
        self.statistic = L.Buffer(np.zeros(2, np.float32))
        self.note = "no parameter"

    def forward(self, x: Any) -> Any:
        x = self.encoder(x * self.scale)
        for block in (self.blocks[0], *self.blocks[1]):
            x = F.relu(block(x))
        return self.heads["a"](x), self.heads["b"](x)


def test_members_are_found_in_attributes_lists_tuples_and_dicts_in_order() -> None:
    names = [name for name, _ in Net().named_params()]
    assert names == ["scale", "encoder.W", "encoder.b", "blocks.0.W", "blocks.0.b", "blocks.1.0.W", "blocks.1.0.b", "blocks.1.1.W",
                     "blocks.1.1.b", "heads.a.W", "heads.a.b", "heads.b.W", "heads.b.b"]
    net = Net()
    assert list(net.params()) == [p for _, p in net.named_params()]
    assert [name for name, _ in net.named_buffers()] == ["statistic"] and list(net.buffers()) == [net.statistic]
    assert [path for path, _ in net.named_layers()][:3] == ["", "encoder", "blocks.0"]
    assert [type(c) for c in net.children()] == [L.Linear] * 6


def test_a_layer_appended_to_a_list_later_is_found_and_named() -> None:
    net = Net()
    net.blocks.append(linear(4, 4))
    assert "blocks.2.W" in dict(net.named_params())


def test_a_shared_layer_and_a_shared_parameter_count_once() -> None:
    net = L.Layer()
    net.a = linear(2, 2)
    net.b = net.a
    net.c = [net.a, net.a]
    net.tied = net.a.W
    assert [name for name, _ in net.named_params()] == ["a.W", "a.b"] and len(list(net.params())) == 2
    assert net.count_params() == 6 and list(net.state_dict()) == ["a.W", "a.b"]


def test_circles_of_layers_end() -> None:
    parent, child = L.Layer(), L.Layer()
    parent.child, child.parent, parent.W = child, parent, Parameter(np.zeros(1))
    assert [name for name, _ in parent.named_params()] == ["W"]
    assert [name for name, _ in child.named_params()] == ["parent.W"]


def test_a_set_of_layers_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Layer.parts: a set of layers or parameters has no order: use a list"):
        L.Layer().parts = {linear(1, 1)}


def test_a_subclass_without_super_init_and_a_bare_layer_with_a_parameter_work() -> None:
    class Short(L.Layer):
        def __init__(self) -> None:
            self.fc = linear(2, 1)

        def forward(self, x: Any) -> Any:
            return self.fc(x)

    assert Short()(np.ones((1, 2), np.float32)).data == 1
    bare = L.Layer()
    bare.x = Parameter(np.ones(3))
    bare.cleargrads()
    assert list(bare.params()) == [bare.x]


def test_none_in_place_of_a_parameter_is_no_parameter() -> None:
    layer = linear(2, 1)
    layer.b = None
    layer.cleargrads()
    assert [name for name, _ in layer.named_params()] == ["W"] and layer(np.ones((1, 2), np.float32)).data == 1


def test_a_missing_forward_is_told() -> None:
    with pytest.raises(NotImplementedError, match=r"Layer has no forward: define forward\(self, x\)"):
        L.Layer()(1)


def test_several_outputs_and_keyword_arguments_pass() -> None:
    class Split(L.Layer):
        def forward(self, x: Any, *, at: int, extra: Any = None) -> Any:
            return x[:at], x[at:], extra

    a, b, extra = Split()(Variable(np.arange(3.0)), at=1, extra={"k": 1})
    assert a.shape == (1,) and b.shape == (2,) and extra == {"k": 1}


def test_outputs_are_weak_references_to_live_results() -> None:
    layer = linear(2, 1)
    y = layer(np.ones((1, 2), np.float32))
    assert layer.outputs[0]() is y
    y.data[:] = 7
    assert layer.outputs[0]().data == 7
    died = weakref.ref(y)
    del y
    gc.collect()
    assert died() is None and layer.outputs[0]() is None


def test_cleargrads_clears_all() -> None:
    net = Net()
    a, b = net(np.ones((2, 3), np.float32))
    (F.sum(a) + F.sum(b)).backward()
    assert all(p.grad is not None for p in net.params())
    net.cleargrads()
    assert all(p.grad is None for p in net.params())


def test_errors_name_the_path_of_the_layer() -> None:
    net = Net()
    with pytest.raises(ShapeError, match=r"^blocks\.1\.1: linear: x \(2, 3\)"):
        net.blocks[1] = (net.blocks[1][0], net.blocks[1][1])
        net.blocks[1][0].forward = lambda x: x[:, :3]
        net(np.ones((2, 3), np.float32))
    with pytest.raises(ShapeError, match=r"^encoder: linear: "):
        net(np.ones((2, 5), np.float32))


def test_ops_carry_the_path_also_in_a_second_mode() -> None:
    net = L.Sequential(L.Sequential(linear(2, 2)))
    x = np.ones((1, 2), np.float32)
    assert net(x).creator._layer == "l0.l0"
    with config.layer_scope("model"):
        assert net(x).creator._layer == "model.l0.l0"
    with use_mode():
        assert net(x).creator._layer == "l0.l0"


def test_eval_reaches_all_sublayers_and_train_undoes_it() -> None:
    class Drop(L.Layer):
        def forward(self, x: Any) -> Any:
            return F.dropout(x, 0.5, seed=0)

    net = L.Sequential(Drop(), L.Sequential(Drop()))
    x = np.ones(100, np.float32)
    assert (net(x).data == 0).any()
    net.eval()
    assert (net(x).data == 1).all() and not any(layer.training for _, layer in net.named_layers())
    net.train()
    assert (net(x).data == 0).any()
    with use_mode():
        assert (net(x).data == 1).all()
    net.layers[1].eval()
    assert (net.layers[1](x).data == 1).all() and (net.layers[0](x).data == 0).any()


def test_an_error_inside_leaves_no_mode_behind() -> None:
    before = config.current()
    with pytest.raises(ShapeError):
        L.Sequential(linear(2, 2)).eval()(np.ones((1, 3), np.float32))
    assert config.current() is before


def test_hooks_run_in_order_and_can_be_removed() -> None:
    layer, seen = linear(2, 1), []
    first = layer.add_forward_hook(lambda layer, inputs, output: seen.append((type(layer).__name__, len(inputs), output.shape)))
    layer.add_forward_hook(lambda *_: seen.append("second"))
    before = layer.add_forward_pre_hook(lambda layer, inputs: seen.append("before"))
    layer(np.ones((3, 2), np.float32))
    assert seen == ["before", ("Linear", 1, (3, 1)), "second"]
    first.remove(), first.remove(), before.remove()
    layer(np.ones((3, 2), np.float32))
    assert seen[3:] == ["second"]


def test_a_frozen_layer_gets_no_gradient_until_it_is_unfrozen() -> None:
    net = L.Sequential(linear(2, 2), linear(2, 1))
    net.layers[0].freeze()
    F.sum(net(np.ones((1, 2), np.float32))).backward()
    assert [p.grad is None for p in net.params()] == [True, True, False, False]
    net.unfreeze().cleargrads()
    F.sum(net(np.ones((1, 2), np.float32))).backward()
    assert all(p.grad is not None for p in net.params())


@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))], ids=["deepcopy", "pickle"])
def test_copies_after_a_call_are_whole_and_apart(twin_of: Any) -> None:
    net = Net()
    x = np.ones((2, 3), np.float32)
    y = net(x)[0]
    twin = twin_of(net)
    assert np.array_equal(twin(x)[0].data, y.data)
    twin.encoder.W.data += 1
    assert np.array_equal(net(x)[0].data, y.data) and not np.array_equal(twin(x)[0].data, y.data)


def test_a_buffer_stays_without_gradient_whatever_is_put_in() -> None:
    buffer = L.Buffer()
    assert buffer.data is None and not buffer.requires_grad
    buffer.data = np.zeros(3, np.float32)
    assert not buffer.requires_grad and buffer.shape == (3,)


@pytest.mark.parametrize("seed", ["0", "1", "77"])
def test_order_and_initial_weights_do_not_depend_on_the_hash_seed(seed: str) -> None:
    code = """
import hashlib, numpy as np, dezero.layers as L, dezero.functions as F
np.random.seed(0)
net = L.Sequential(L.Conv2d(4, 3), F.relu, L.Linear(5, initializer="he"), L.Linear(5, initializer="orthogonal"), L.EmbedID(3, 2))
net.layers[0](np.ones((1, 2, 5, 5), np.float32)); net.layers[2](np.ones((1, 3), np.float32)); net.layers[3](np.ones((1, 5), np.float32))
print(*(name for name, _ in net.named_params()), hashlib.sha256(b"".join(p.data.tobytes() for p in net.params())).hexdigest())
"""
    outs = {subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={"PYTHONHASHSEED": s, "PATH": ""}, capture_output=True, text=True,
                           check=True).stdout for s in ("0", seed)}
    assert len(outs) == 1 and "l0.W" in outs.pop()


def test_moving_takes_gradients_and_hidden_states_along(strict_device: Any) -> None:
    net = Net()
    net.h = Variable(np.zeros(2, np.float32))
    a, _ = net(np.ones((2, 3), np.float32))
    F.sum(a).backward()
    net._move(to_strict)
    assert all(isinstance(v.data, StrictArray) for v in (*net.params(), *net.buffers(), net.h))
    assert isinstance(net.encoder.W.grad.data, StrictArray)
    assert net.to_cpu() is net and isinstance(net.encoder.W.data, np.ndarray) and isinstance(net.h.data, np.ndarray)


def test_a_state_before_the_first_call_names_what_has_no_size() -> None:
    with pytest.raises(StateError, match=r"Sequential: l0\.W has no size yet: call the model once"):
        L.Sequential(L.Linear(3)).state_dict()
