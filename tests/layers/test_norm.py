"""Normalisation and dropout as layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Variable, checkpoint, no_grad, test_mode
from dezero.errors import ShapeError, StateError

rng = np.random.default_rng(0)
X = rng.normal(2, 3, size=(6, 4, 5)).astype(np.float32)


def normalized(x: Any, axis: Any, eps: float) -> Any:
    return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + eps)


def test_norms_are_their_formulas() -> None:
    x = X.astype(np.float64)
    np.testing.assert_allclose(L.BatchNorm()(x).data, normalized(x, (0, 2), 2e-5), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(L.LayerNorm()(x).data, normalized(x, 2, 1e-5), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(L.LayerNorm((4, 5))(x).data, normalized(x, (1, 2), 1e-5), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(L.InstanceNorm()(x).data, normalized(x, 2, 1e-5), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(L.RMSNorm()(x).data, x / np.sqrt((x * x).mean(2, keepdims=True) + 1e-6), rtol=1e-9)
    pairs = x.reshape(6, 2, 10)
    np.testing.assert_allclose(L.GroupNorm(2)(x).data, normalized(pairs, 2, 1e-5).reshape(x.shape), rtol=1e-9, atol=1e-12)


def test_batch_norm_follows_the_batches_and_then_uses_what_it_has_seen() -> None:
    norm = L.BatchNorm()
    for i in range(3):
        norm(X + i)
    mean, var = np.zeros(4), np.ones(4)
    for i in range(3):
        mean = 0.9 * mean + 0.1 * (X + i).mean((0, 2))
        var = 0.9 * var + 0.1 * (X + i).var((0, 2), ddof=1)
    np.testing.assert_allclose(norm.avg_mean.data, mean, rtol=1e-5)
    np.testing.assert_allclose(norm.avg_var.data, var, rtol=1e-5)
    expected = (X - mean[:, None]) / np.sqrt(var[:, None] + 2e-5)
    with test_mode():
        np.testing.assert_allclose(norm(X).data, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(norm.eval()(X).data, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(norm.avg_mean.data, mean, rtol=1e-5)


def test_batch_norm_in_use_sends_gradients() -> None:
    norm, x = L.BatchNorm(), Variable(X)
    norm(x)
    norm.eval()
    F.sum(norm(x) ** 2).backward()
    assert x.grad.shape == x.shape and norm.gamma.grad.shape == (4,)


def test_a_look_without_a_graph_moves_no_statistics() -> None:
    norm = L.BatchNorm()
    with no_grad():
        norm(X)
    np.testing.assert_array_equal(norm.avg_mean.data, np.zeros(4))


def test_batch_norm_takes_the_dtype_of_the_data_unless_it_is_told() -> None:
    assert [L.BatchNorm(**s)(X.astype(t)).dtype for s, t in (({}, "f8"), ({}, "f4"), ({}, "f2"), ({"size": 4}, "f4"))] == ["f8", "f4", "f2", "f4"]
    half = L.BatchNorm()
    half(X.astype(np.float16))
    assert half.gamma.dtype == np.float16 and half.avg_var.dtype == np.float32  # running statistics need more digits
    assert L.BatchNorm(4, dtype=np.float64).avg_mean.dtype == np.float64


def test_an_old_file_of_the_book_names_the_statistics_alike() -> None:
    norm = L.BatchNorm()
    norm.load_state_dict({name: np.full(4, i, np.float32) for i, name in enumerate(("avg_mean", "avg_var", "gamma", "beta"))})
    assert norm.avg_var.data[0] == 1 and norm.beta.data[0] == 3 and not norm.avg_var.requires_grad


def test_part_of_a_state_leaves_the_rest_to_the_first_call() -> None:
    norm = L.BatchNorm()
    norm.load_state_dict({"gamma": np.full(4, 2, np.float32)}, strict=False)
    norm(X)
    assert norm.gamma.data[0] == 2 and norm.beta.data[0] == 0


@pytest.mark.parametrize(("call", "words"), [
    (lambda: L.BatchNorm()(X[0, 0]), r"BatchNorm: x is \(5,\) float32: an array \(N, C, \.\.\.\) is expected"),
    (lambda: L.BatchNorm(3)(X), r"must have shape \(4,\)"),
    (lambda: L.LayerNorm()(np.float32(1)), r"LayerNorm: x is \(\) float32: an array \(\.\.\., C\)"),
    (lambda: L.GroupNorm(3)(X), r"GroupNorm: x is \(6, 4, 5\) float32: its 4 channels cannot be divided by groups 3"),
    (lambda: L.GroupNorm(3, 4), "channels 4 cannot be divided by groups 3"),
    (lambda: L.InstanceNorm()(X[0]), "three or more axes"),
])
def test_what_does_not_fit_is_told(call: Any, words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        call()


def test_wrong_settings_are_told() -> None:
    with pytest.raises(ValueError, match="BatchNorm: size is 0: a positive integer is expected"):
        L.BatchNorm(0)
    with pytest.raises(ValueError, match=r"decay is 1.5: it must be in \[0, 1\]"):
        L.BatchNorm(decay=1.5)
    with pytest.raises(ValueError, match=r"Dropout: dropout_ratio is -1: it must be in \[0, 1\]"):
        L.Dropout(-1)
    with pytest.raises(TypeError, match="LayerNorm: dtype is int64"):
        L.LayerNorm(3, dtype=np.int64)


def test_words() -> None:
    norm = L.BatchNorm()
    assert repr(norm) == "BatchNorm(?, eps=2e-05, decay=0.9)"
    norm(X)
    assert repr(norm) == "BatchNorm(4, eps=2e-05, decay=0.9)"
    assert repr(L.LayerNorm((2, 3))) == "LayerNorm((2, 3), eps=1e-05)"
    assert repr(L.GroupNorm(2, 4)) == "GroupNorm(2 groups, 4, eps=1e-05)"
    assert repr(L.InstanceNorm()) == "InstanceNorm(eps=1e-05)"
    assert repr(L.Dropout(0.2, seed=1)) == "Dropout(0.2, seed=1)"


# -- dropout ----------------------------------------------------------------------------------------


def test_a_seeded_dropout_has_masks_of_its_own() -> None:
    a, b, c = L.Dropout(0.5, seed=3), L.Dropout(0.5, seed=3), L.Dropout(0.5, seed=4)
    x = np.ones(1000, np.float32)
    one, two = a(x).data, a(x).data
    assert not np.array_equal(one, two)  # another mask in each call
    np.testing.assert_array_equal(b(x).data, one)
    np.testing.assert_array_equal(b(x).data, two)
    assert not np.array_equal(c(x).data, one)
    assert set(np.unique(one)) == {0, 2} and 400 < (one == 0).sum() < 600


@pytest.mark.seeds
def test_dropout_without_a_seed_is_governed_by_numpys() -> None:
    layer, x = L.Dropout(), np.ones(100)
    np.random.seed(1)
    one = layer(x).data
    assert not np.array_equal(layer(x).data, one)
    np.random.seed(1)
    np.testing.assert_array_equal(layer(x).data, one)


@pytest.mark.seeds
def test_dropout_within_checkpoint() -> None:
    x = Variable(np.ones(100))
    y = checkpoint(L.Dropout(), x)
    y.backward()
    np.testing.assert_array_equal(x.grad.data, y.data)
    x.cleargrad()
    with pytest.raises(StateError, match="Dropout: a layer with a seed of its own cannot run within checkpoint"):
        checkpoint(L.Dropout(seed=1), x).backward()
