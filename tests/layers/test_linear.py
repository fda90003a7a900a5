"""Linear, EmbedID and the containers."""

from __future__ import annotations

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero.errors import ShapeError
from dezero.testing import gradient_check

pytestmark = pytest.mark.seeds  # weights are drawn from the global state


def test_linear_is_x_times_w_plus_b_in_float32() -> None:
    layer = L.Linear(3, in_size=2)
    x = np.array([[1, 2]], np.float32)
    y = layer(x)
    assert y.dtype == layer.W.dtype == layer.b.dtype == np.float32
    np.testing.assert_array_equal(y.data, x @ layer.W.data + layer.b.data)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_weights_have_the_dtype_asked_for_sized_early_or_late(dtype: type) -> None:
    for layer in (L.Linear(3, dtype=dtype), L.Linear(3, dtype=dtype, in_size=4)):
        y = layer(np.ones((2, 4), dtype))
        F.sum(y).backward()
        assert layer.W.dtype == layer.W.grad.dtype == y.dtype == dtype


def test_the_global_seed_governs_lazy_weights() -> None:
    weights = []
    for _ in range(2):
        np.random.seed(7)
        layer = L.Linear(3)
        layer(np.ones((1, 4), np.float32))
        weights.append(layer.W.data)
    np.random.seed(7)
    np.testing.assert_allclose(weights[0], np.random.randn(4, 3) * 0.5, rtol=1e-6)  # LeCun's: 1 / sqrt(4)
    assert np.array_equal(*weights)


def test_an_initializer_with_a_seed_leaves_the_global_state_alone() -> None:
    from dezero.initializers import He
    a, b = (L.Linear(30, in_size=400, initializer=He(seed=1)).W.data for _ in range(2))
    assert np.array_equal(a, b) and abs(float(a.std()) - (2 / 400) ** 0.5) < 0.002


def test_sizes_may_be_numpy_integers_and_inputs_of_any_number_of_axes() -> None:
    layer = L.Linear(np.int64(3), in_size=np.prod((2, 2)))
    assert layer(np.ones((5, 6, 4), np.float32)).shape == (5, 6, 3)


def test_weights_set_before_the_first_call_are_used() -> None:
    layer = L.Linear(3, nobias=True)
    layer.W.data = np.arange(6, dtype=np.float64).reshape(3, 2).T  # float64 and not contiguous
    assert layer(np.ones((1, 2))).data.tolist() == [[1, 5, 9]]


@pytest.mark.parametrize(("make", "message"), [
    (lambda: L.Linear(0), r"Linear: out_size is 0: a positive integer is expected"),
    (lambda: L.Linear(2.5), r"Linear: out_size is 2.5"),
    (lambda: L.Linear(3, in_size=-1), r"Linear: in_size is -1"),
    (lambda: L.Linear(3, dtype=int), r"Linear: dtype is int64: float16, float32 or float64 is expected"),
    (lambda: L.Linear(3, in_size=2, initializer="hee"), r"'hee' is not one of constant, he, lecun"),
    (lambda: L.Linear(3, in_size=2, initializer=lambda s: np.zeros(4)), r"the function gave \(4,\) float64 for the shape \(2, 3\)"),
    (lambda: L.Conv2d(4, (3, 3, 3)), r"Conv2d: kernel_size is \(3, 3, 3\): an integer or 2 of them are expected"),
    (lambda: L.Conv2d(4, 3, groups=3), r"out_channels 4 cannot be divided by groups 3"),
    (lambda: L.Sequential([L.Linear(1)]), r"layer 0 is list: .* write Sequential\(\*layers\)"),
    (lambda: L.Linear(3)(np.float32(2)), r"Linear: x is \(\) float32: an array \(..., I\) is expected"),
    (lambda: L.Conv2d(3, 3)(np.ones((4, 4), np.float32)), r"Conv2d: x is \(4, 4\) float32: an array \(N, C, H, W\) is expected"),
    (lambda: L.Conv2d(4, 3, groups=2)(np.ones((1, 3, 4, 4), np.float32)), r"3 input channels cannot be divided by groups 2"),
])
def test_wrong_settings_are_told(make: object, message: str) -> None:
    with pytest.raises((ValueError, TypeError, ShapeError), match=message):
        make()  # type: ignore[operator]


def test_embed_id_looks_rows_up_and_sends_gradients_to_them() -> None:
    layer = L.EmbedID(5, 3)
    ids = np.array([[0, 4], [4, 4]])
    y = layer(ids)
    np.testing.assert_array_equal(y.data, layer.W.data[ids])
    F.sum(y).backward()
    assert layer.W.grad.data[:, 0].tolist() == [1, 0, 0, 0, 3] and layer.W.dtype == np.float32
    assert L.Embedding is L.EmbedID


def test_sequential_takes_functions_lists_and_slices() -> None:
    net = L.Sequential(L.Linear(4, in_size=2), F.relu, L.Linear(1, in_size=4))
    x = np.ones((3, 2), np.float32)
    np.testing.assert_array_equal(net[:2](x).data, np.maximum(net[0](x).data, 0))
    longer = L.Sequential(*(net.layers + [F.tanh]))  # noqa: RUF005 (as readers write it)
    longer.append(L.Linear(2, in_size=1))
    assert longer(x).shape == (3, 2) and [n for n, _ in longer.named_params()][-1] == "l4.b" and len(longer) == 5 and F.tanh in list(longer)


def test_residual_adds_its_input_or_the_shortcut() -> None:
    x = np.ones((2, 4), np.float32)
    block = L.Residual(L.Linear(4, initializer=0))
    np.testing.assert_array_equal(block(x).data, x)
    assert L.Residual(L.Linear(3), shortcut=L.Linear(3))(x).shape == (2, 3)
    with pytest.raises(ShapeError, match=r"the layers give \(2, 3\) float32 and the shortcut gives \(2, 4\)"):
        L.Residual(L.Linear(3))(x)


@pytest.mark.parametrize("make", [
    lambda: L.Linear(3, dtype=np.float64), lambda: L.Residual(L.Linear(4, dtype=np.float64), F.tanh),
    lambda: L.Sequential(L.Linear(5, dtype=np.float64), F.sigmoid, L.Linear(2, dtype=np.float64, nobias=True)),
], ids=["linear", "residual", "sequential"])
def test_gradients_are_those_of_finite_differences(make: object) -> None:
    layer = make()  # type: ignore[operator]
    x = np.random.default_rng(0).normal(size=(3, 4))
    layer(x)
    assert gradient_check(layer, x)
