"""bfloat16 is a float: every op of the table takes it and gives it, with gradients in it; layers, optimizers and files know it."""

from __future__ import annotations

import copy
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Parameter, Variable, optimizers
from dezero.backend.arrays import finfo, half_dtype, kind_of
from dezero.core.value import is_float, is_half
from tests import opcheck as oc
from tests.cases import CASES
from tests.cases.case import Case

bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
pytestmark = pytest.mark.seeds

rng = np.random.default_rng(0)
OWN_DTYPE = {"one_hot"}  # what says itself which dtype it gives


def draw(*shape: int) -> Any:
    return rng.normal(size=shape).astype(bfloat16)


def near(found: Any, expected: Any, tolerance: float) -> None:
    expected = np.asarray(expected, np.float64)
    np.testing.assert_allclose(np.asarray(found).astype(np.float64), expected, rtol=tolerance, atol=tolerance * (1 + np.abs(expected).max(initial=0)))


@pytest.mark.parametrize("case", [pytest.param(c, id=c.id) for c in CASES if c.half and c.name not in OWN_DTYPE])
def test_ops_give_bfloat16_for_bfloat16(case: Case) -> None:
    values = oc.cast(oc.draw(case), bfloat16)
    wide = [v.astype(np.float32) if isinstance(v, np.ndarray) and v.dtype == bfloat16 else v for v in values]
    expected = [oc.array(y) for y in oc.run(case, oc.variables(case, wide))]
    for create_graph in (False, True):
        xs = oc.variables(case, values)
        ys = oc.run(case, xs)
        for y, e in zip(ys, expected, strict=True):
            assert oc.array(y).dtype == (bfloat16 if e.dtype == np.float32 else e.dtype)
            if not case.random:
                near(oc.array(y), e, 3e-2)
        if not case.first:
            continue
        ws = [w.astype(bfloat16) for w in oc.cotangents(case, wide)]
        oc.send(ys, [Variable(w, requires_grad=False) for w in ws], create_graph)
        for i, e in zip(oc.floats(case), oc.gradients(case, wide, [w.astype(np.float32) for w in ws]), strict=True):
            g = xs[i].grad
            if g is not None:
                assert g.dtype == bfloat16
                if not case.random:
                    near(g.data, e, 8e-2)


def test_it_is_a_float() -> None:
    x = Variable(draw(2))
    assert x.requires_grad and is_float(x.data) and is_half(x) and kind_of(x.dtype) == "f" and kind_of(np.dtype("V8")) == "V"
    assert finfo(bfloat16).eps == 2**-7 and finfo(np.float32).eps == np.finfo(np.float32).eps
    assert half_dtype("x", "bfloat16") == half_dtype("x", bfloat16) == x.dtype
    assert repr(Variable(np.zeros(1, bfloat16))) == "variable([0], dtype=bfloat16)"
    x.data = np.arange(2)
    assert not x.requires_grad
    x.data = draw(2)
    assert x.requires_grad


def test_numbers_keep_it_also_for_results_that_nobody_made_a_variable_of() -> None:
    x = Variable(draw(3))
    for y in (x * 2.0, 0.5 + x, x / 3, 2.0 / (abs(x) + 1.0), x ** 2, abs(x) ** 0.5, -x, F.maximum(x, 0.0), F.clip(x, -0.5, 0.5), x.sum() * 0.1,
              x[0] * 0.5, F.where(x.data > 0, x, 0.0), x - np.float64(0.5), x.mean() - 1.5):
        assert y.dtype == bfloat16
    assert (x + np.ones(3, np.float32)).dtype == np.float32, "a wider array widens"
    assert (x * np.array([True, False, True])).dtype == bfloat16


def test_gradients_on_the_way_have_it_too() -> None:
    x = Variable(draw(4, 3))
    y = F.relu(x) * 0.3
    z = F.sigmoid(y * 2.0)
    z.mean().backward(retain_grad=True)
    assert x.grad is not None and y.grad is not None and x.grad.dtype == y.grad.dtype == bfloat16


def test_products_are_summed_in_float32() -> None:
    a = Variable(np.ones((1, 4096), bfloat16))
    y = a @ np.ones((4096, 1), bfloat16)
    assert y.dtype == bfloat16 and y.item() == 4096  # a running sum of bfloat16 would stop at 256
    assert F.linear(a, np.ones((4096, 1), bfloat16), np.ones(1, bfloat16)).dtype == bfloat16
    assert F.sum(a).item() == 4096


LAYERS = {
    "linear": lambda d: L.Linear(3, dtype=d), "conv": lambda d: L.Conv2d(2, 3, dtype=d), "lstm": lambda d: L.LSTM(3, dtype=d),
    "embed": lambda d: L.EmbedID(4, 2, dtype=d), "norm": lambda d: L.LayerNorm(dtype=d),
}


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_layers_of_it(make: Any) -> None:
    for dtype in (bfloat16, "bfloat16", np.dtype(bfloat16)):
        layer = make(dtype)
        x = {L.Conv2d: draw(1, 1, 5, 5), L.EmbedID: np.array([1, 2])}.get(type(layer), draw(2, 2, 3))
        y = layer(x)
        y.sum().backward()
        assert y.dtype == bfloat16 and all(p.dtype == bfloat16 and p.grad.dtype == bfloat16 for p in layer.params())


@pytest.mark.parametrize("make", [optimizers.SGD, optimizers.MomentumSGD, optimizers.Adam, optimizers.AdamW, optimizers.RMSprop])
def test_training_in_it(make: Any) -> None:
    net = L.Sequential(L.Linear(8, dtype=bfloat16, in_size=2), F.tanh, L.Linear(1, dtype=bfloat16, in_size=8))
    optimizer = make().setup(net)
    optimizer.add_hook(optimizers.ClipGrad(1.0))
    x = draw(32, 2)
    t = (x[:, :1].astype(np.float32) > 0).astype(bfloat16)
    losses = []
    for _ in range(20):
        loss = F.mean_squared_error(net(x), t)
        net.cleargrads()
        loss.backward()
        optimizer.update()
        losses.append(loss.item())
    assert losses[-1] < losses[0] and all(p.dtype == bfloat16 for p in net.params())


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_files_hold_it_as_float32_and_give_it_back_exactly(ending: str, tmp_path: Path) -> None:
    a, b = L.Linear(3, dtype=bfloat16, in_size=4), L.Linear(3, dtype=bfloat16, in_size=4)
    a.save_weights(tmp_path / f"w.{ending}")
    b.load_weights(tmp_path / f"w.{ending}")
    assert b.W.dtype == bfloat16 and np.array_equal(a.W.data, b.W.data)
    c = L.Linear(3, in_size=4)
    c.load_weights(tmp_path / f"w.{ending}")
    assert c.W.dtype == np.float32 and np.array_equal(c.W.data, a.W.data.astype(np.float32))
    d = L.Linear(3, dtype=bfloat16)
    d.load_weights(tmp_path / f"w.{ending}")
    assert np.array_equal(d.W.data, a.W.data)


def test_norms_that_are_sized_by_it() -> None:
    norm = L.BatchNorm()
    y = norm(draw(4, 3))
    assert y.dtype == bfloat16 and norm.gamma.dtype == bfloat16 and norm.avg_var.dtype == np.float32


def test_casts_and_copies() -> None:
    x = Variable(np.linspace(-1, 1, 5, dtype=np.float32))
    y = x.astype(bfloat16) * 2.0
    y.backward()
    assert y.dtype == bfloat16 and x.grad is not None and x.grad.dtype == np.float32 and (x.grad.data == 2).all()
    p = Parameter(draw(2))
    assert isinstance(Variable(draw(1)).item(), float) and isinstance(Variable(draw(2)).tolist()[0], float)
    for twin in (copy.deepcopy(p), pickle.loads(pickle.dumps(p))):
        assert twin.dtype == bfloat16 and np.array_equal(twin.data, p.data)


def test_no_warning_is_given() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        F.softmax_cross_entropy(Variable(draw(3, 4) * 100), np.array([0, 1, 2])).backward()
