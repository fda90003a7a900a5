"""The spiral and the sine curve: the book's numbers, and the global random state only where it is asked."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from dezero.datasets import SinCurve, Spiral, get_spiral


@pytest.mark.seeds
@pytest.mark.parametrize(("train", "seed"), [(True, 1984), (False, 2020)])
def test_spiral_point_by_point(train: bool, seed: int) -> None:
    np.random.seed(seed)
    points = []
    for c in range(3):
        for i in range(100):
            angle = c * 4.0 + 4.0 * i / 100 + np.random.randn() * 0.2
            points.append((i / 100 * np.sin(angle), i / 100 * np.cos(angle), c))
    expected = np.array(points)[np.random.permutation(300)]
    x, t = get_spiral(train)
    np.testing.assert_allclose(x, expected[:, :2], atol=1e-7)
    np.testing.assert_array_equal(t, expected[:, 2])
    assert x.dtype == np.float32 and t.dtype == np.int64


def test_spiral_leaves_the_random_state_and_its_samples_alone() -> None:
    first = Spiral()
    first.data[:] = 0
    assert Spiral().data.any()
    assert len(first) == 300 and first[0][0].shape == (2,)


def test_sin_curve_is_shifted_by_one() -> None:
    curve = SinCurve(seed=3)
    assert curve.data.shape == curve.label.shape == (999, 1)
    np.testing.assert_array_equal(curve.data[1:], curve.label[:-1])
    noise = curve.data[:, 0] - np.sin(np.linspace(0, 2 * np.pi, 1000))[:-1]
    assert 0.045 < abs(noise).max() <= 0.05
    np.testing.assert_array_equal(SinCurve(seed=3).data, curve.data)
    np.testing.assert_allclose(SinCurve(train=False).data[:, 0], np.cos(np.linspace(0, 2 * np.pi, 1000))[:-1])


@pytest.mark.seeds
def test_sin_curve_draws_from_the_global_state() -> None:
    np.random.seed(0)
    curve = SinCurve()
    np.random.seed(0)
    noise = np.random.uniform(-0.05, 0.05, 1000)
    np.testing.assert_array_equal(curve.data[:, 0], (np.sin(np.linspace(0, 2 * np.pi, 1000)) + noise)[:-1])


def test_pickles() -> None:
    for dataset in (Spiral(), SinCurve(seed=1)):
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(dataset)).data, dataset.data)
