"""Initializers: the right spread, the right dtype, the same bytes for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from dezero.initializers import Constant, He, Initializer, LeCun, Normal, Orthogonal, Scaled, Xavier, initializer


@pytest.mark.parametrize(("init", "variance"), [
    (Normal(0.3, seed=0), 0.09), (LeCun(seed=0), 1 / 400), (LeCun(uniform=True, seed=0), 1 / 400), (He(seed=0), 2 / 400),
    (He(uniform=True, seed=0), 2 / 400), (Xavier(seed=0), 2 / 1000), (Xavier(uniform=True, seed=0), 2 / 1000), (Scaled(2.0, "out", seed=0), 2 / 600),
])
def test_variance(init: Initializer, variance: float) -> None:
    W = init((400, 600), np.float64, 400, 600)
    assert abs(W.mean()) < 3 * (variance / W.size) ** 0.5 and abs(W.var() / variance - 1) < 0.02
    if getattr(init, "is_uniform", False):
        assert abs(W).max() <= (3 * variance) ** 0.5


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (6, 2, 3)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    W = Orthogonal(gain=2.0, seed=0)(shape, np.float64).reshape(shape[0], -1)
    product = W @ W.T if W.shape[0] <= W.shape[1] else W.T @ W
    np.testing.assert_allclose(product, 4 * np.eye(min(W.shape)), atol=1e-12)


@pytest.mark.parametrize("make", [Normal, LeCun, He, Xavier, Orthogonal])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_seed_gives_the_same_bytes_in_every_dtype(make: type, dtype: type) -> None:
    a, b, c = make(seed=3), make(seed=3), make(seed=4)
    first = a((4, 6), dtype)
    assert first.dtype == dtype and first.flags.c_contiguous
    assert np.array_equal(first, b((4, 6), dtype)) and not np.array_equal(first, c((4, 6), dtype))
    assert not np.array_equal(first, a((4, 6), dtype)), "the next array of one initializer is another"


@pytest.mark.seeds
def test_without_a_seed_the_global_state_governs() -> None:
    np.random.seed(0)
    a = LeCun()((3, 4))
    np.random.seed(0)
    np.testing.assert_allclose(a, np.random.randn(3, 4) / 3 ** 0.5, rtol=1e-6)


def test_orthogonal_values_have_either_sign() -> None:
    first = [Orthogonal(seed=i)((4, 1), np.float64)[0, 0] for i in range(40)]
    assert 8 < sum(x > 0 for x in first) < 32


def test_specifications() -> None:
    assert isinstance(initializer("HE"), He) and initializer(0.5)((2,)).tolist() == [0.5, 0.5]
    assert initializer(lambda shape: np.ones(shape))((2, 2)).tolist() == [[1, 1], [1, 1]]
    assert repr(Constant(1)) == "Constant(value=1)"
    with pytest.raises(ValueError, match="'gelu' is not one of"):
        initializer("gelu")
    with pytest.raises(TypeError, match="a name"):
        initializer([1])
    with pytest.raises(ValueError, match="std is -1"):
        Normal(-1)
    with pytest.raises(ValueError, match="by is 'fan'"):
        Scaled(1.0, by="fan")
    with pytest.raises(ValueError, match="at least two axes"):
        Orthogonal(seed=0)((3,))
    with pytest.raises(NotImplementedError, match="define draw"):
        Initializer()((3,))
