"""Worker threads: the same bytes as without, errors in the loop, no thread left behind."""

from __future__ import annotations

import gc
import threading
import time
from typing import Any

import numpy as np
import pytest

from dezero.dataloaders import DataLoader
from dezero.datasets import ArrayDataset
from dezero.transforms import Compose, RandomCrop, RandomNoise


def images(n: int = 23) -> ArrayDataset:
    x = np.random.default_rng(0).random((n, 1, 6, 6), dtype=np.float32)
    return ArrayDataset(x, np.arange(n), Compose([RandomCrop(4, 1), RandomNoise(0.1)]))


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("dezero-loader")]


class Slow:
    """Samples that take unequal time, and the most that were made ahead."""

    def __init__(self, bad: int | None = None) -> None:
        self.bad, self.asked = bad, 0

    def __len__(self) -> int:
        return 40

    def __getitem__(self, index: int) -> Any:
        self.asked = max(self.asked, index)
        time.sleep(0.002 * (index % 3))
        if index == self.bad:
            raise KeyError("broken file")
        return float(index)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_workers_change_no_byte(workers: int) -> None:
    def epochs(workers: int) -> list[Any]:
        loader = DataLoader(images(), 4, seed=1, workers=workers)
        return [(x.tobytes(), t.tolist()) for _ in range(2) for x, t in loader]

    assert epochs(workers) == epochs(0)


@pytest.mark.seeds
def test_workers_change_no_byte_without_a_seed() -> None:
    runs = []
    for workers in (0, 3):
        np.random.seed(4)
        loader = DataLoader(images(), 4, workers=workers)
        runs.append([(x.tobytes(), t.tolist()) for _ in range(2) for x, t in loader])
    assert runs[0] == runs[1]


def test_order_holds_when_samples_take_unequal_time() -> None:
    assert [x.tolist() for x in DataLoader(Slow(), 3, False, workers=4)] == [x.tolist() for x in DataLoader(Slow(), 3, False)]


def test_no_more_is_made_ahead_than_prefetch_allows() -> None:
    dataset = Slow()
    for _ in DataLoader(dataset, 2, False, workers=2, prefetch=2):
        time.sleep(0.05)
        break
    assert dataset.asked < 8


def test_an_error_in_a_worker_reaches_the_loop_with_the_sample() -> None:
    seen = 0
    with pytest.raises(KeyError, match="broken file") as caught:
        for _ in DataLoader(Slow(bad=17), 4, False, workers=3):
            seen += 1
    assert seen == 4
    assert "sample 17 of Slow" in "".join(caught.value.__notes__) and "batch 4 of epoch 0" in "".join(caught.value.__notes__)
    del caught
    gc.collect()
    assert not threads()


def test_an_error_in_a_function_of_one_sample_names_the_sample() -> None:
    def fail(x: Any) -> Any:
        if x == 5:
            raise ValueError("five")
        return x

    for workers in (0, 2):
        with pytest.raises(ValueError, match="five") as caught:
            list(DataLoader(ArrayDataset(np.arange(8), np.arange(8), fail), 4, False, workers=workers))
        assert caught.value.__notes__[0] == "while transforming sample 5"


@pytest.mark.parametrize("leave", ["break", "raise", "end"])
def test_no_thread_is_left_behind(leave: str) -> None:
    loader = DataLoader(Slow(), 2, False, workers=3)
    try:
        for k, _ in enumerate(loader):
            assert threads()
            if k == 2 and leave == "break":
                break
            if k == 2 and leave == "raise":
                raise RuntimeError
    except RuntimeError:
        pass
    assert not threads()
    batches = [x.tolist() for x in loader]
    assert batches[0] == [0, 1] and len(batches) == 20 and not threads()
