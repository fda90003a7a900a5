"""A loader's state: going on in the middle of an epoch, bit for bit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dezero.dataloaders import BalancedSampler, DataLoader, RandomSampler, SeqDataLoader, WeightedSampler
from dezero.datasets import ArrayDataset
from dezero.errors import StateError
from dezero.transforms import Compose, Mixup, RandomHorizontalFlip, RandomNoise

pytestmark = pytest.mark.seeds
N = 23


def dataset(n: int = N) -> ArrayDataset:
    x = np.random.default_rng(0).random((n, 1, 3, 4), dtype=np.float32)
    return ArrayDataset(x, np.arange(n) % 3, Compose([RandomHorizontalFlip(), RandomNoise(0.1)]))


LOADERS: dict[str, Callable[[], DataLoader]] = {
    "seed": lambda: DataLoader(dataset(), 4, seed=5),
    "no seed": lambda: DataLoader(dataset(), 4),
    "no shuffle": lambda: DataLoader(dataset(), 4, shuffle=False),
    "workers": lambda: DataLoader(dataset(), 4, seed=5, workers=2),
    "sampler, loader's seed": lambda: DataLoader(dataset(), 4, sampler=RandomSampler(N, 15), seed=1),
    "sampler's seed": lambda: DataLoader(dataset(), 4, sampler=RandomSampler(N, seed=8)),
    "weighted": lambda: DataLoader(dataset(), 4, sampler=WeightedSampler(np.arange(N))),
    "balanced": lambda: DataLoader(dataset(), 4, sampler=BalancedSampler(dataset()), drop_last=True),
    "sampler of one's own": lambda: DataLoader(dataset(), 4, sampler=np.random.permutation(N).tolist()),
    "mixup": lambda: DataLoader(dataset(), 4, seed=2, batch_transform=Mixup(0.4, classes=3)),
    "sequence": lambda: SeqDataLoader(dataset(), 4),
}


def taken(loader: Any) -> list[tuple[bytes, bytes]]:
    return [(x.tobytes(), t.tobytes()) for x, t in loader]


@pytest.mark.parametrize("stop", [0, 1, 4])
@pytest.mark.parametrize("name", LOADERS)
def test_the_rest_of_the_epoch_is_the_same(name: str, stop: int) -> None:
    loader = LOADERS[name]()
    taken(loader)  # not the first epoch
    batches = iter(loader)
    for _ in range(stop):
        next(batches)
    state = json.loads(json.dumps(loader.state_dict()))
    rest = taken(batches)
    np.random.seed(1)
    again = LOADERS[name]()
    if name == "sampler of one's own":
        again.sampler = loader.sampler
    again.load_state_dict(state)
    assert again.iteration == stop and taken(again) == rest and len(rest) == len(loader) - stop
    assert len(taken(again)) == len(loader)


def test_with_a_seed_the_epochs_after_are_the_same_too() -> None:
    loader, again = LOADERS["seed"](), LOADERS["seed"]()
    next(loader)
    state = loader.state_dict()
    again.load_state_dict(state)
    assert [taken(again), taken(again)] == [taken(_rest(loader)), taken(loader)]


def _rest(loader: DataLoader) -> Any:
    while loader.iteration < loader.max_iter:
        yield next(loader)
    loader.reset()


def test_a_state_saved_behind_the_last_batch_gives_an_empty_rest_and_then_whole_epochs() -> None:
    loader = DataLoader(dataset(), 4, seed=0)
    for _ in loader:
        state = loader.state_dict()
    again = DataLoader(dataset(), 4, seed=0)
    again.load_state_dict(state)
    assert taken(again) == [] and taken(again) == taken(loader)


def test_leaving_a_resumed_loop_is_followed_by_a_whole_epoch() -> None:
    loader = DataLoader(dataset(), 4, seed=0)
    next(loader)
    again = DataLoader(dataset(), 4, seed=0)
    again.load_state_dict(loader.state_dict())
    for _ in again:
        break
    assert len(taken(again)) == len(again)


def test_states_of_other_loaders_are_refused() -> None:
    state = DataLoader(dataset(), 4, seed=0).state_dict()
    for other, words in [(DataLoader(dataset(), 5, seed=0), "batch_size 4 instead of 5"), (DataLoader(dataset(), 4, seed=1), "seed 0 instead of 1"),
                         (DataLoader(dataset(7), 4, seed=0), "data_size 23 instead of 7"),
                         (DataLoader(dataset(), 4, seed=0, sampler=RandomSampler(N)), "sampler None instead of 'RandomSampler'")]:
        with pytest.raises(StateError, match=words):
            other.load_state_dict(state)
    del state["iteration"]
    with pytest.raises(StateError, match="no 'iteration'"):
        DataLoader(dataset(), 4, seed=0).load_state_dict(state)


def test_a_state_is_small() -> None:
    loader = DataLoader(ArrayDataset(np.zeros(60_000)), 100)
    assert len(json.dumps(loader.state_dict())) < 10_000


@pytest.mark.parametrize(("key", "value"), [("iteration", 99), ("iteration", -3), ("iteration", 1.5), ("epoch", "x"), ("epoch", -1),
                                            ("entropy", None)])
def test_a_damaged_state_is_refused(key: str, value: Any) -> None:
    loader = DataLoader(dataset(), 4, seed=0)
    state = loader.state_dict()
    with pytest.raises(StateError, match=f"the state has {key}"):
        loader.load_state_dict({**state, key: value})
    with pytest.raises(StateError, match="the state is None"):
        loader.load_state_dict(None)  # type: ignore[arg-type]
    assert loader.state_dict() == state
