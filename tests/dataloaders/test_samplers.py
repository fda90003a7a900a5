"""Samplers: which samples an epoch has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dezero.dataloaders import BalancedSampler, DataLoader, RandomSampler, SequentialSampler, WeightedSampler
from dezero.datasets import ArrayDataset
from dezero.errors import RangeError, ShapeError


def visited(sampler: Any, n: int, **settings: Any) -> list[int]:
    return [int(t) for _, ts in DataLoader(ArrayDataset(np.zeros(n), np.arange(n)), 3, sampler=sampler, seed=0, **settings) for t in ts]


def test_sequential_and_lists_give_their_order() -> None:
    assert visited(SequentialSampler(5), 5) == [0, 1, 2, 3, 4]
    assert visited([4, 4, -1, 0], 5) == [4, 4, 4, 0]


def test_random_gives_all_or_some() -> None:
    assert sorted(visited(RandomSampler(range(10)), 10)) == list(range(10))
    few = visited(RandomSampler(10, 4), 10)
    assert len(few) == len(set(few)) == 4
    assert len(visited(RandomSampler(3, 20, replacement=True), 3)) == 20


def test_weights_are_met() -> None:
    found = np.bincount(visited(WeightedSampler([1, 0, 3], 4000), 3), minlength=3)
    assert found[1] == 0 and abs(found[2] - 3000) < 5 * np.sqrt(4000 * 0.75 * 0.25)
    assert sorted(visited(WeightedSampler([1, 0, 3], 2, replacement=False), 3)) == [0, 2]


@pytest.mark.parametrize("labels", [np.array([0] * 90 + [1] * 8 + [5] * 2), np.array(["a"] * 90 + ["b"] * 8 + ["c"] * 2)])
def test_balanced_gives_every_class_equally_often_and_its_samples_by_turns(labels: Any) -> None:
    chosen = np.array(visited(BalancedSampler(labels, 100), 100))
    assert sorted(np.unique(labels[chosen], return_counts=True)[1]) == [33, 33, 34]
    times = np.bincount(chosen, minlength=100)
    for label in np.unique(labels):
        assert np.ptp(times[labels == label]) <= 1


def test_a_sampler_with_a_seed_repeats_its_orders() -> None:
    first, second = RandomSampler(20, seed=1), RandomSampler(20, seed=1)
    orders = [list(first), list(first)]
    assert orders == [list(second), list(second)] and orders[0] != orders[1]
    loader = DataLoader(ArrayDataset(np.arange(20)), 20, sampler=RandomSampler(20, seed=1), seed=99)
    assert [x.tolist() for _ in range(2) for x, _ in loader] == orders


@pytest.mark.seeds
def test_a_sampler_without_a_seed_follows_numpys() -> None:
    runs = []
    for _ in range(2):
        np.random.seed(3)
        runs.append(list(WeightedSampler(np.ones(9))))
    assert runs[0] == runs[1]


def test_wrong_samplers_are_told() -> None:
    for make, error, words in [(lambda: RandomSampler(3, 4), ValueError, "size is 4, and there are 3 samples"),
                               (lambda: WeightedSampler([1, -1]), RangeError, "not negative"),
                               (lambda: WeightedSampler([0.0]), RangeError, "not all 0"),
                               (lambda: WeightedSampler([1, 0], 2, replacement=False), ValueError, "only 1 samples have a weight"),
                               (lambda: BalancedSampler(ArrayDataset(np.zeros(3))), ShapeError, "one class for each sample"),
                               (lambda: SequentialSampler(None), TypeError, "no length"), (lambda: visited([9], 3), IndexError, "no sample 9")]:
        with pytest.raises(error, match=words):
            make()


def test_balanced_gives_the_sample_over_to_any_class() -> None:
    labels = np.array([0, 1, 2])
    sampler = BalancedSampler(labels, 4, seed=0)
    assert {int(np.bincount(list(sampler)).argmax()) for _ in range(40)} == {0, 1, 2}
