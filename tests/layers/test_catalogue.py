"""What every layer of the catalogue must do: gradients, dtypes, states, copies, devices, modes, words."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Variable, test_mode
from dezero.layers.walk import members
from dezero.testing import check_gradients
from tests.layers.catalogue import ROWS, Row, draw, forget
from tests.strict import StrictArray, to_strict
from tests.test_ops import strict  # noqa: F401  (a fixture)

rows = pytest.mark.parametrize("row", [pytest.param(r, id=r.id) for r in ROWS])
with_weights = pytest.mark.parametrize("row", [pytest.param(r, id=r.id) for r in ROWS if r.names])
pytestmark = pytest.mark.seeds


def ready(row: Row, dtype: Any = np.float64) -> L.Layer:
    """The layer after a first call, with weights that are not all 0 or 1."""
    np.random.seed(0)
    layer = row.make(dtype)
    layer(draw(row, dtype))
    rng = np.random.default_rng(1)
    for v in layer.params():
        v.data += 0.2 * rng.normal(size=v.shape).astype(v.dtype)
    forget(layer)
    return layer


def run(layer: L.Layer, x: Any, seed: int = 0) -> Any:
    """What the layer gives from a fresh start, always with the same masks of dropout."""
    np.random.seed(seed)
    forget(layer)
    return layer(x)


def as_function(layer: L.Layer) -> tuple[Callable[..., Any], list[Any]]:
    """The layer as a function of its input and its parameters, and these parameters."""
    places = [(holder, path.rsplit(".", 1)[-1], p) for path, p, holder in members(layer) if isinstance(p, L.layer.Parameter)]

    def f(x: Any, *weights: Any) -> Any:
        for (holder, name, _), w in zip(places, weights, strict=True):
            holder.__dict__[name] = w
        return run(layer, x) * 1.0

    return f, [p.data for _, _, p in places]


@rows
def test_gradients_of_input_and_parameters(row: Row) -> None:
    f, weights = as_function(ready(row))
    check_gradients(f, draw(row), *weights)


@pytest.mark.parametrize("row", [pytest.param(r, id=r.id) for r in ROWS if r.id in (
    "BatchNorm", "LayerNorm", "RMSNorm", "GroupNorm", "PReLU", "RNN", "LSTM step", "GRU", "MultiHeadAttention")])
def test_second_derivatives(row: Row) -> None:
    f, weights = as_function(ready(row))
    check_gradients(f, draw(row), *weights, order=2)


@rows
def test_float32_stays_float32(row: Row) -> None:
    layer = ready(row, np.float32)
    x = Variable(draw(row, np.float32))
    y = run(layer, x)
    F.sum(y * y).backward()
    found = {"y": y, "gx": x.grad, **layer.state_dict(), **{f"g{name}": p.grad for name, p in layer.named_params()}}
    assert {name: str(a.dtype) for name, a in found.items()} == dict.fromkeys(found, "float32")


@rows
def test_names_of_parameters_and_buffers(row: Row) -> None:
    layer = ready(row)
    assert tuple(name for name, _ in layer.named_params()) == row.names
    assert tuple(name for name, _ in layer.named_buffers()) == row.buffers
    assert tuple(layer.state_dict()) == row.names + row.buffers
    assert layer.count_params() == sum(p.size for p in layer.params())


@with_weights
def test_a_state_loads_into_a_layer_that_has_not_run(row: Row) -> None:
    layer, fresh = ready(row), row.make(np.float64)
    fresh.load_state_dict(layer.state_dict())
    with test_mode():
        np.testing.assert_array_equal(run(fresh, draw(row)).data, run(layer, draw(row)).data)
    assert "?" not in repr(fresh) and repr(fresh) == repr(layer)


@pytest.mark.parametrize("row", [pytest.param(r, id=r.id) for r in ROWS if r.names and not r.id.startswith("LayerNorm two")])
def test_shapes_that_are_known_before_the_first_call_are_right(row: Row) -> None:
    shapes = {name: shape for _, v, _ in members(row.make(np.float64)) if isinstance(v, L.Layer) for name, shape in v.lazy_shapes().items()}
    fresh = row.make(np.float64)
    shapes.update(fresh.lazy_shapes())
    for name, array in ready(row).state_dict().items():
        if name in shapes:
            assert len(shapes[name]) == array.ndim
            assert all(known in (None, n) for known, n in zip(shapes[name], array.shape, strict=True)), name


@rows
def test_copies_after_a_call(row: Row) -> None:
    layer = ready(row, np.float32)
    x = draw(row, np.float32)
    y = layer(x)  # leaves references, and a state in recurrent layers
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert repr(twin) == repr(layer)
        np.testing.assert_array_equal(run(twin, x).data, run(layer, x).data)
        for a, b in zip(twin.params(), layer.params(), strict=True):
            assert a is not b and not np.shares_memory(a.data, b.data)
    assert y is not None


@rows
def test_train_and_use(row: Row) -> None:
    layer = ready(row)
    x = draw(row)
    trained, used = np.array(run(layer, x).data), run(layer.eval(), x).data
    assert np.allclose(trained, used) == row.same_in_use
    layer.train()
    with test_mode():
        np.testing.assert_array_equal(run(layer, x).data, used)


@rows
@pytest.mark.usefixtures("strict")
def test_on_a_device(row: Row) -> None:
    layer, x = ready(row), Variable(draw(row))
    y = run(layer, x)
    F.sum(y * y).backward()
    there = copy.deepcopy(layer)
    forget(there)
    there.cleargrads()
    there._move(to_strict)
    z = Variable(to_strict(x.data))
    y2 = run(there, z)
    F.sum(y2 * y2).backward()
    pairs = [(y, y2), (x.grad, z.grad), *((p.grad, q.grad) for p, q in zip(layer.params(), there.params(), strict=True))]
    for a, b in pairs:
        assert isinstance(b.data, StrictArray)
        np.testing.assert_allclose(b.data.get(), a.data, rtol=1e-9, atol=1e-11)


@rows
@pytest.mark.usefixtures("strict")
def test_weights_are_made_on_the_device_of_the_input(row: Row) -> None:
    layer = row.make(np.float64)
    for p in layer.params():  # those with a size are on the host until to_gpu
        if p.data is not None:
            p.data = to_strict(p.data)
    y = layer(to_strict(draw(row)))
    assert isinstance(y.data if isinstance(y, Variable) else y, StrictArray)
    assert all(isinstance(v.data, StrictArray) for v in (*layer.params(), *layer.buffers()))


@rows
def test_a_summary_leaves_no_trace(row: Row) -> None:
    layer = ready(row, np.float32)
    x = draw(row, np.float32)
    before = run(layer, x)
    kept = getattr(layer, "h", None)
    state = layer.state_dict()
    assert type(layer).__name__ in layer.summary(row.shape)
    assert getattr(layer, "h", None) is kept
    assert all(np.array_equal(a, state[name]) for name, a in layer.state_dict().items())
    np.testing.assert_array_equal(run(layer, x).data, before if isinstance(before, np.ndarray) else before.data)
