"""Dropout: modes, rates, seeds. The random numbers under it: tests/backend/test_random.py."""

from __future__ import annotations

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, test_mode, using_config

pytestmark = pytest.mark.seeds


def test_nothing_happens_in_test_mode() -> None:
    x = Variable(np.ones(5))
    state = np.random.get_state()[2]
    with test_mode():
        assert F.dropout(x, 0.5) is x
    with using_config("train", False):
        assert F.dropout(x, 1.0) is x
    assert np.random.get_state()[2] == state


def test_a_ratio_of_zero_passes_all_and_of_one_nothing() -> None:
    x = Variable(np.array([1.0, -2.0]))
    assert F.dropout(x, 0.0) is x
    y = F.dropout(x, 1.0)
    y.backward()
    assert not y.data.any()
    assert not x.grad.data.any()


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
def test_a_ratio_outside_is_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match=r"dropout: dropout_ratio is .*: it must be in \[0, 1\]"):
        F.dropout(np.ones(3), ratio)


@pytest.mark.parametrize("ratio", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rate_and_mean(ratio: float, dtype: type) -> None:
    np.random.seed(0)
    n = 200_000
    y = F.dropout(np.ones(n, dtype), ratio).data
    assert y.dtype == dtype
    np.testing.assert_allclose(np.unique(y), [0, 1 / (1 - ratio)], rtol=1e-6)
    assert abs((y == 0).mean() - ratio) < 5 * np.sqrt(ratio * (1 - ratio) / n)


def test_numpys_seed_governs() -> None:
    masks = []
    for seed in (3, 3, 4):
        np.random.seed(seed)
        masks.append([F.dropout(np.ones(50), 0.5).tolist() for _ in range(2)])
    assert masks[0] == masks[1] != masks[2]
    assert masks[0][0] != masks[0][1]


def test_a_seed_of_its_own_leaves_numpys_state_alone() -> None:
    before = np.random.get_state()[2]
    a, b, c = (F.dropout(np.ones(50), 0.5, seed=s).tolist() for s in (1, 1, 2))
    assert a == b != c
    assert np.random.get_state()[2] == before


def test_gradient_goes_through_the_same_mask_at_any_order() -> None:
    x = Variable(np.linspace(1, 2, 20))
    y = F.dropout(x, 0.5)
    mask = y.data / x.data
    (y ** 3).backward(create_graph=True)
    g = x.grad
    np.testing.assert_allclose(g.data, 3 * x.data ** 2 * mask ** 3)
    x.cleargrad()
    g.backward()
    np.testing.assert_allclose(x.grad.data, 6 * x.data * mask ** 3)


def test_one_node_in_the_graph() -> None:
    x = Variable(np.ones(4, np.float32))
    y = F.dropout(x, 0.5)
    assert type(y.creator).__name__ == "Dropout"
    assert y.creator.inputs[0] is x
    y.backward()
    assert x.grad.dtype == np.float32


def test_integers_give_floats() -> None:
    assert F.dropout(np.arange(4), 0.5).dtype == np.float64
