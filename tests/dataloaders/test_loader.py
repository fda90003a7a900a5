"""DataLoader: whole epochs, order, batches of any samples, errors that name the sample, the way to the device."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dezero.backend import arrays
from dezero.dataloaders import DataLoader, SeqDataLoader
from dezero.datasets import ArrayDataset, Dataset, Subset
from dezero.errors import InputTypeError, ShapeError, StateError
from dezero.transforms import Compose, Flatten, Mixup, Normalize, RandomNoise, ToArray, ToFloat, ToPIL
from tests.strict import StrictArray


def numbers(n: int) -> ArrayDataset:
    return ArrayDataset(np.arange(n, dtype=np.float32), np.arange(n))


def labels(loader: Any) -> list[list[int]]:
    return [t.tolist() for _, t in loader]


def test_batches_in_order() -> None:
    loader = DataLoader(numbers(5), 2, shuffle=False)
    assert labels(loader) == [[0, 1], [2, 3], [4]] and labels(loader) == [[0, 1], [2, 3], [4]]
    assert (len(loader), loader.max_iter, loader.data_size, loader.iteration, loader.index.tolist()) == (3, 3, 5, 0, [0, 1, 2, 3, 4])


def test_drop_last_leaves_out_the_small_batch() -> None:
    assert labels(DataLoader(numbers(5), 2, False, drop_last=True)) == [[0, 1], [2, 3]]
    assert labels(DataLoader(numbers(1), 2, False, drop_last=True)) == []


def test_an_empty_data_set_gives_no_batches() -> None:
    assert labels(DataLoader(numbers(0), 2, False)) == []


def flat(loader: Any) -> list[int]:
    return [i for batch in labels(loader) for i in batch]


@pytest.mark.seeds
def test_every_epoch_has_every_sample_once_in_another_order() -> None:
    loader = DataLoader(numbers(20), 3)
    first, second = (flat(loader) for _ in range(2))
    assert first != second and sorted(first) == sorted(second) == list(range(20))


@pytest.mark.seeds
@pytest.mark.parametrize("workers", [0, 2])
def test_a_loop_left_early_is_followed_by_a_whole_epoch(workers: int) -> None:
    loader = DataLoader(numbers(10), 2, workers=workers)
    for _ in loader:
        break
    assert sorted(flat(loader)) == list(range(10))


@pytest.mark.seeds
def test_order_is_the_books_under_numpys_seed() -> None:
    """The book draws one permutation when the loader is made and one after each epoch, and nothing else."""
    np.random.seed(7)
    expected = [np.random.permutation(10).tolist() for _ in range(3)]
    after = np.random.random()
    np.random.seed(7)
    loader = DataLoader(ArrayDataset(np.arange(10), np.arange(10), lambda x: x), 4)
    assert [flat(loader) for _ in range(2)] == expected[:2]
    assert loader.index.tolist() == expected[2] and np.random.random() == after


def test_a_loader_without_shuffle_draws_nothing() -> None:
    before = np.random.get_state()
    noisy = list(DataLoader(ArrayDataset(np.zeros((4, 1, 2, 2)), transform=RandomNoise(1.0)), 2, shuffle=False))
    after = np.random.get_state()
    assert len(noisy) == 2 and all(x.any() for x, _ in noisy), "the noise is there"
    assert before[2:] == after[2:] and np.array_equal(before[1], after[1])


def test_a_seed_governs_order_and_augmentation_and_leaves_numpys_state_alone() -> None:
    dataset = ArrayDataset(np.zeros((6, 1, 2, 2), np.float32), np.arange(6), RandomNoise(1.0))
    runs = []
    for _ in range(2):
        loader = DataLoader(dataset, 4, seed=3)
        runs.append([(x.tobytes(), t.tolist()) for _ in range(2) for x, t in loader])
    assert runs[0] == runs[1] and len({x for x, _ in runs[0]}) == 4
    assert [(x.tobytes(), t.tolist()) for x, t in DataLoader(dataset, 4, seed=4)] != runs[0][:2]


@pytest.mark.seeds
def test_augmentation_without_a_seed_follows_numpys_seed() -> None:
    dataset = ArrayDataset(np.zeros((6, 1, 2, 2), np.float32), None, RandomNoise(1.0))
    runs = []
    for _ in range(2):
        np.random.seed(1)
        runs.append([x.tobytes() for x, _ in DataLoader(dataset, 4)])
    assert runs[0] == runs[1]


def test_an_iterator_goes_on_where_it_is() -> None:
    batches = iter(DataLoader(numbers(6), 2, shuffle=False))
    next(batches)
    assert labels(batches) == [[2, 3], [4, 5]]


def test_next_reset_and_attributes_are_the_books() -> None:
    loader = DataLoader(numbers(4), 2, shuffle=False)
    assert loader.next()[1].tolist() == [0, 1] and loader.iteration == 1
    assert next(loader)[1].tolist() == [2, 3]
    with pytest.raises(StopIteration):
        next(loader)
    assert loader.iteration == 0 and next(loader)[1].tolist() == [0, 1]
    loader.reset()
    assert loader.iteration == 0 and labels(loader) == [[0, 1], [2, 3]]


def test_samples_of_any_form() -> None:
    for dataset, expected in [([1.5, 2.5, 3.5], "[1.5 2.5]"), ([(1, 2, 3.0), (4, 5, 6.0)], "(array([1, 4]), array([2, 5]), array([3., 6.]))"),
                              ([(np.zeros(2),), (np.ones(2),)], "(array([[0., 0.],\n       [1., 1.]]),)"), ([("a", [1, 2]), ("b", [3, 4])],
                              "(array(['a', 'b'], dtype='<U1'), array([[1, 2],\n       [3, 4]]))")]:
        assert str(next(iter(DataLoader(dataset, 2, shuffle=False)))) == expected


def test_no_labels_give_none() -> None:
    for x, t in DataLoader(ArrayDataset(np.zeros((3, 2))), 3, shuffle=False):
        assert x.shape == (3, 2) and t is None


def test_pil_images_through_a_transform() -> None:
    pytest.importorskip("PIL", reason="Pillow is not installed")
    image = ToPIL()(np.full((3, 4, 5), 9, np.uint8))
    dataset = ArrayDataset(np.arange(2), np.arange(2))
    dataset.data, dataset.transform = [image, image], Compose([ToArray(), Normalize(0, 9)])
    x, _ = next(iter(DataLoader(dataset, 2, shuffle=False)))
    assert x.shape == (2, 3, 4, 5) and x.dtype == np.float32 and (x == 1).all()
    with pytest.raises(InputTypeError, match="sample 0 is a Image"):
        next(iter(DataLoader([image], 1, shuffle=False)))


def test_unequal_shapes_name_both_samples() -> None:
    with pytest.raises(ShapeError, match=r"part 1 of sample 2 is \(2,\) float64 and sample 3 is \(3,\) float64: .* equal shapes") as caught:
        list(DataLoader([(0, np.zeros(2))] * 3 + [(0, np.zeros(3))], 2, shuffle=False))
    assert "batch 1 of epoch 0, made of the samples 2, 3" in caught.value.__notes__[0]
    with pytest.raises(ShapeError, match="sample 0 is a tuple of 2 and sample 1 is a tuple of 1"):
        list(DataLoader([(0, 1), (0,)], 2, shuffle=False))
    with pytest.raises(InputTypeError, match="sample 0 is a dict: an array or a number is expected"):
        list(DataLoader([{}], 2, shuffle=False))


def test_batches_are_gathered_at_once_unless_getitem_was_replaced() -> None:
    class Counted(ArrayDataset):
        calls = 0

        def gather(self, indices: Any, rng: Any = None) -> Any:
            self.calls += 1
            return super().gather(indices, rng)

    class Negated(Counted):
        def __getitem__(self, index: Any) -> Any:
            x, t = super().__getitem__(index)
            return -x, t

    counted = Counted(np.arange(4.0), np.arange(4))
    assert [x.tolist() for x, _ in DataLoader(Subset(counted, [3, 2, 1]), 2, False)] == [[3, 2], [1]] and counted.calls == 2
    assert [x.tolist() for x, _ in DataLoader(Negated(np.arange(4.0), np.arange(4)), 2, False)] == [[-0.0, -1], [-2, -3]]


def test_random_transforms_called_by_a_data_set_of_ones_own_follow_the_seed() -> None:
    class Own(Dataset):
        noise = RandomNoise(1.0)

        def __getitem__(self, index: Any) -> Any:
            return self.noise(np.zeros((2, 2), np.float32))

        def __len__(self) -> int:
            return 6

    runs = [[x.tobytes() for x in DataLoader(Own(), 2, seed=1, workers=workers)] for workers in (0, 3)]
    assert runs[0] == runs[1] and len(set(runs[0])) == 3


def test_batch_transform_gets_the_whole_batch() -> None:
    loader = DataLoader(ArrayDataset(np.eye(4, dtype=np.float32), np.arange(4)), 4, seed=0, batch_transform=Mixup(1.0, classes=4))
    (x, t), = loader
    np.testing.assert_allclose(x, t, atol=1e-6)
    assert t.dtype == np.float32 and not np.isin(t, (0, 1)).all()


def test_gpu_moves_every_part_that_is_a_number(strict_device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "_cupy", strict_device)
    loader = DataLoader([(1.0, 2, "a", None)] * 2, 2, False, gpu=True)
    x, t, name, nothing = next(iter(loader))
    assert isinstance(x, StrictArray) and isinstance(t, StrictArray) and isinstance(name, np.ndarray) and nothing is None
    loader.to_cpu()
    assert isinstance(next(iter(loader))[0], np.ndarray)
    loader.to_gpu()
    assert isinstance(next(iter(loader))[0], StrictArray)


def test_wrong_settings_are_told() -> None:
    for settings, error, words in [({"batch_size": 0}, ValueError, "DataLoader: batch_size is 0: an int of at least 1"),
                                   ({"batch_size": 1.5}, TypeError, "1.5"),
                                   ({"workers": -1}, ValueError, "workers is -1"), ({"prefetch": 0}, ValueError, "prefetch is 0"),
                                   ({"seed": -1}, ValueError, "seed is -1")]:
        with pytest.raises(error, match=words):
            DataLoader(numbers(3), **{"batch_size": 1, "shuffle": False, **settings})
    with pytest.raises(TypeError, match="an object with __len__ and __getitem__"):
        DataLoader(iter([1]), 1)


@pytest.mark.parametrize(("n", "streams"), [(999, 30), (1000, 10), (7, 3), (5, 5), (10, 1), (29, 6)])
def test_sequence_batches_are_full_see_every_sample_and_never_leap(n: int, streams: int) -> None:
    loader = SeqDataLoader(numbers(n), streams)
    batches = np.array(labels(loader))
    assert batches.shape == (-(-n // streams), streams) == (loader.max_iter, streams) and loader.jump == n // streams
    assert (np.diff(batches, axis=0) == 1).all() and set(batches.ravel().tolist()) == set(range(n))
    if n % streams == 0:
        assert (batches[0] == np.arange(streams) * loader.jump).all() and len(set(batches.ravel().tolist())) == batches.size


def test_sequence_streams_need_a_sample_each() -> None:
    with pytest.raises(ValueError, match="batch_size is 4, and there are 3 samples"):
        SeqDataLoader(numbers(3), 4)


def test_the_default_transform_of_mnist_gives_the_same_bytes_by_batch_and_by_sample() -> None:
    x = np.random.default_rng(0).integers(0, 256, (10, 1, 28, 28), dtype=np.uint8)
    transform = Compose([Flatten(), ToFloat(), Normalize(0.0, 255.0)])
    together, = (x for x, _ in DataLoader(ArrayDataset(x, transform=transform), 10, False))
    assert together.tobytes() == np.stack([transform(image) for image in x]).tobytes() == (x.reshape(10, -1).astype(np.float32) / 255).tobytes()


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_taken_inside_of_a_loop_are_missing_in_it(workers: int) -> None:
    loader = DataLoader(numbers(12), 2, shuffle=False, workers=workers)
    found = []
    for k, (_, t) in enumerate(loader):
        found.append(t.tolist())
        if k == 1:
            found.append(next(loader)[1].tolist())
    assert found == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10, 11]]
    one, other = iter(loader), iter(loader)
    assert [next(i)[1].tolist()[0] for i in (one, other, one, other, one, other)] == [0, 2, 4, 6, 8, 10]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loop_inside_of_a_loop_is_told_when_the_outer_one_goes_on(workers: int) -> None:
    loader = DataLoader(numbers(6), 2, workers=workers, seed=0)
    inner = []
    with pytest.raises(StateError, match="make a second loader for the inner one"):
        for _ in loader:
            inner.append(len(list(loader)))
    assert inner == [3] and len(list(loader)) == 3


def test_what_is_no_sampler_is_told() -> None:
    for sampler in (5, (i for i in range(3))):
        with pytest.raises(TypeError, match="a Sampler, a list of numbers"):
            DataLoader(numbers(4), 2, sampler=sampler)


@pytest.mark.seeds
def test_samples_that_are_dicts_or_lists_are_told() -> None:
    for sample, error in (({"x": 1}, InputTypeError), ([np.zeros(2), 1], ShapeError)):
        with pytest.raises(error, match=r"make a sample of several parts a tuple \(x, t\)"):
            list(DataLoader([sample, sample], 2))


@pytest.mark.parametrize("where", ["target", "part"])
def test_all_random_transforms_follow_the_seed(where: str) -> None:
    def batches() -> Any:
        x = np.zeros((6, 1, 2, 2), np.float32)
        noise = RandomNoise(1.0)
        dataset: Any = ArrayDataset(x, x, target_transform=noise)
        if where == "part":
            dataset = Subset(ArrayDataset(x, x), np.arange(6), target_transform=noise)
        return np.concatenate([t for _, t in DataLoader(dataset, 2, seed=3)])

    a = batches()
    assert (a == batches()).all() and len(np.unique(a)) == a.size
