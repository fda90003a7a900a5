"""Dropout: modes, rates, seeds, and the random numbers under it."""

from __future__ import annotations

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, test_mode, using_config
from dezero.backend.random import keep_mask, random_bits, uniform

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


@pytest.mark.parametrize(("dtype", "digits"), [(np.float16, 11), (np.float32, 24), (np.float64, 53)])
def test_uniform_is_uniform(dtype: type, digits: int) -> None:
    u = uniform(np, (100_000,), dtype, seed=5)
    assert u.dtype == dtype
    assert u.min() >= 0
    assert u.max() < 1
    u = u.astype(float)
    assert (u * 2.0 ** digits % 1 == 0).all()
    counts = np.histogram(u, 50, (0, 1))[0]
    assert ((counts - 2000) ** 2 / 2000).sum() < 95  # chi squared with 49 degrees of freedom: 1e-4
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 0.02


def test_seeds_are_independent() -> None:
    u = np.stack([uniform(np, (20_000,), np.float64, seed) for seed in range(6)])
    assert np.abs(np.corrcoef(u) - np.eye(6)).max() < 0.04
    assert len(np.unique(u)) == u.size


def test_every_bit_is_even() -> None:
    bits = random_bits(np, 40_000, np.uint64, 11)
    share = [((bits >> np.uint64(i)) & np.uint64(1)).mean() for i in range(64)]
    assert np.abs(np.array(share) - 0.5).max() < 0.0125


def test_random_bits_are_splitmix64() -> None:
    """Against the generator's definition in Python's integers."""
    word, seed = 1 << 64, 12345

    def mix(z: int) -> int:
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % word
        z = (z ^ z >> 27) * 0x94D049BB133111EB % word
        return z ^ z >> 31

    start = mix((seed + 0x9E3779B97F4A7C15) % word)
    expected = [mix((start + i * 0x9E3779B97F4A7C15) % word) for i in range(5)]
    assert random_bits(np, 5, np.uint64, seed).tolist() == expected


def test_masks_of_odd_shapes() -> None:
    assert keep_mask(np, (), 0.5, np.float32, 1).shape == ()
    assert keep_mask(np, (0, 3), 0.5, np.float32, 1).shape == (0, 3)
    assert keep_mask(np, (3, 5, 7), 0.5, np.float16, 1).dtype == np.float16
    assert uniform(np, (0,), np.float32, 1).shape == (0,)
