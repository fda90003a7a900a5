"""Data sets: single samples, batches, parts of a data set, several joined, and splits."""

from __future__ import annotations

import pickle
from collections import Counter
from typing import Any

import numpy as np
import pytest

from dezero.datasets import ArrayDataset, ConcatDataset, Dataset, Subset, k_fold, train_test_split
from dezero.errors import InputTypeError, ShapeError
from dezero.transforms import Compose, Flatten, Normalize, RandomNoise, ToFloat, ToPIL


class Book(Dataset):
    """As a reader of the book writes it."""

    def prepare(self) -> None:
        self.data = np.arange(10, dtype=np.float64).reshape(5, 2)
        self.label = np.arange(5)


class Big(Dataset):
    """A data set that reads each sample itself."""

    def __getitem__(self, index: Any) -> Any:
        if index == 3:
            raise OSError("disk")
        return np.full(2, index, np.float32), index

    def __len__(self) -> int:
        return 5


def test_a_sample_a_loop_and_the_length() -> None:
    dataset = Book()
    x, t = dataset[1]
    assert x.tolist() == [2, 3] and t == 1 and len(dataset) == 5
    assert [int(t) for _, t in dataset] == [0, 1, 2, 3, 4]
    assert dataset[np.int64(-1)][1] == 4


def test_transforms_are_attributes_and_work_on_samples_and_batches() -> None:
    dataset = Book(transform=lambda x: x * 2, target_transform=lambda t: t + 1)
    assert dataset[1][0].tolist() == [4, 6] and dataset[1][1] == 2
    xs, ts = dataset[:2]
    assert xs.tolist() == [[0, 2], [4, 6]] and ts.tolist() == [1, 2]
    dataset.transform = None
    assert dataset[1][0].tolist() == [2, 3]


@pytest.mark.parametrize(("index", "labels"), [(slice(1, 3), [1, 2]), (slice(None, None, -2), [4, 2, 0]), ([4, 0], [4, 0]), ([-1], [4]),
                                                (np.array([True, False, False, False, True]), [0, 4]), (range(2), [0, 1]), ([], [])])
def test_slices_and_arrays_give_batches(index: Any, labels: list[int]) -> None:
    xs, ts = Book()[index]
    assert ts.tolist() == labels and xs.shape == (len(labels), 2)


def test_a_batch_is_no_window_on_the_data() -> None:
    dataset = Book()
    dataset[:2][0][:] = -1
    assert dataset.data.min() == 0


def test_wrong_indices_are_told() -> None:
    for index, error, words in [(5, IndexError, "5"), ([1, 7], IndexError, "no sample 7: the 5 samples have the numbers 0 to 4"),
                                ("a", TypeError, "an int, a slice"), ([0.5], InputTypeError, "ints or bools"), ([True], IndexError, "1 bools")]:
        with pytest.raises(error, match=words):
            Book()[index]


def test_a_data_set_without_data_says_what_to_do() -> None:
    with pytest.raises(TypeError, match=r"set self.data in prepare\(\)"):
        len(Dataset())


def test_a_data_set_with_its_own_getitem_gathers_its_samples() -> None:
    xs, ts = Big().gather([4, 0])
    assert xs.tolist() == [[4, 4], [0, 0]] and ts.tolist() == [4, 0]
    with pytest.raises(OSError, match="disk") as caught:
        Big().gather([1, 3])
    assert "sample 3 of Big" in caught.value.__notes__[0]


def test_gather_gives_the_bytes_of_single_samples() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (20, 1, 28, 28), dtype=np.uint8)
    for transform in (Compose([Flatten(), ToFloat(), Normalize(0.0, 255.0)]), Compose([ToFloat(), Normalize([127.0], 63.0), Normalize(0.1, 3)]),
                      Compose([Normalize(1, 2), Flatten()]), lambda image: image.astype(np.float32) / 255):
        dataset = ArrayDataset(x, transform=transform)
        expected = np.stack([dataset[i][0] for i in range(20)])
        found = dataset.gather(np.arange(20))[0]
        assert found.dtype == np.float32 and found.tobytes() == expected.tobytes()


def test_samples_in_a_list_are_transformed_one_by_one() -> None:
    dataset = ArrayDataset(np.zeros(3))
    dataset.data = [np.zeros((2, 2)), np.zeros((3, 3)), np.ones((2, 2))]
    assert dataset[[0, 2]][0].shape == (2, 2, 2)
    with pytest.raises(ShapeError, match=r"sample 0 is \(2, 2\) float64 and sample 1 is \(3, 3\) float64.*resize"):
        dataset[[0, 1]]


def test_images_without_to_array_are_told() -> None:
    pytest.importorskip("PIL", reason="Pillow is not installed")
    with pytest.raises(InputTypeError, match=r"sample 2 is a Image: an array or a number is expected; end the transform with ToArray\(\)"):
        ArrayDataset(np.zeros((3, 1, 4, 4), np.uint8), transform=ToPIL())[[2]]


def test_array_dataset_refuses_other_lengths() -> None:
    with pytest.raises(ShapeError, match=r"x is \(3,\) float64, t is \(2,\) float64"):
        ArrayDataset(np.zeros(3), np.zeros(2))
    assert ArrayDataset([1.0, 2.0])[0] == (1.0, None)


def test_pickled_data_sets_work() -> None:
    dataset = ArrayDataset(np.arange(4.0), np.arange(4), transform=Compose([ToFloat(), RandomNoise(0.0)]))
    again = pickle.loads(pickle.dumps(Subset(dataset, [2, 1])))
    assert len(again) == 2 and again.dataset.label.tolist() == [0, 1, 2, 3]


def test_subset_has_samples_batches_and_labels_of_its_own() -> None:
    part = Subset(Subset(Book(), [4, 3, 2, 0]), [0, 3], transform=lambda x: -x)
    assert len(part) == 2 and part[1][1] == 0 and part[0][0].tolist() == [-8, -9]
    xs, ts = part[:]
    assert xs.tolist() == [[-8, -9], [0, -1]] and ts.tolist() == [4, 0] and part.label.tolist() == [4, 0]
    assert [int(t) for _, t in part] == [4, 0]
    with pytest.raises(IndexError, match="no sample 5"):
        Subset(Book(), [5])


def test_subset_of_any_sequence() -> None:
    part = Subset([(1.0, 10, "a"), (2.0, 20, "b")], [1, 0], transform=lambda x: x * 10)
    assert part[0] == (20.0, 20, "b")
    xs, ts, names = part[:]
    assert xs.tolist() == [20, 10] and ts.tolist() == [20, 10] and names.tolist() == ["b", "a"]


def test_concat_gathers_in_the_order_asked_for() -> None:
    both = ConcatDataset([Book(), Book(target_transform=lambda t: t + 100), ArrayDataset(np.zeros((1, 2)), [7])])
    assert len(both) == 11 and both.label.tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 7]
    xs, ts = both[[6, 0, 10, 5]]
    assert ts.tolist() == [101, 0, 7, 100] and xs.tolist() == [[2, 3], [0, 1], [0, 0], [0, 1]]
    assert both[6][1] == 101 and both[-1][1] == 7 and sum(1 for _ in both) == 11
    with pytest.raises(ShapeError, match="samples of equal shape"):
        ConcatDataset([Book(), ArrayDataset(np.zeros((1, 3)), [7])])[[0, 5]]
    with pytest.raises(ValueError, match="at least one"):
        ConcatDataset([])


@pytest.mark.parametrize("stratify", [False, True])
@pytest.mark.parametrize("size", [0.25, 5, 0.1])
def test_split_has_every_sample_once(size: float, stratify: bool) -> None:
    dataset = ArrayDataset(np.arange(20), np.arange(20) % 3)
    train, test = train_test_split(dataset, size, seed=3, stratify=stratify)
    assert len(test) == (size if isinstance(size, int) else round(20 * size))
    assert sorted([*train[:][0], *test[:][0]]) == list(range(20))
    again = train_test_split(dataset, size, seed=3, stratify=stratify)[1]
    assert (again.indices == test.indices).all()


def test_stratified_splits_keep_the_shares() -> None:
    label = np.repeat([0, 1, 2], [100, 30, 10])
    train, test = train_test_split(ArrayDataset(np.arange(140), label), 0.2, seed=0, stratify=True)
    assert Counter(test.label.tolist()) == {0: 20, 1: 6, 2: 2} and Counter(train.label.tolist()) == {0: 80, 1: 24, 2: 8}
    for _, val in k_fold(ArrayDataset(np.arange(140), label), 10, seed=0, stratify=True):
        assert Counter(val.label.tolist()) == {0: 10, 1: 3, 2: 1}


@pytest.mark.seeds
def test_split_without_a_seed_follows_numpys_seed() -> None:
    found = []
    for _ in range(2):
        np.random.seed(5)
        found.append(train_test_split(range(30))[0].indices.tolist())
    assert found[0] == found[1]


def test_folds_are_disjoint_and_complete() -> None:
    seen: list[int] = []
    for train, val in k_fold(ArrayDataset(np.arange(11)), 3, seed=1):
        assert len(train) + len(val) == 11 and not set(train.indices) & set(val.indices)
        seen += val[:][0].tolist()
    assert sorted(seen) == list(range(11))


def test_wrong_splits_are_told() -> None:
    dataset = ArrayDataset(np.arange(4))
    for size in (0, 4, 1.0, 0.0, -1):
        with pytest.raises(ValueError, match="no part is empty"):
            train_test_split(dataset, size)
    with pytest.raises(ValueError, match="k is 5 for 4 samples"):
        k_fold(dataset, 5)
    with pytest.raises(ShapeError, match="stratify needs one class for each sample"):
        train_test_split(dataset, stratify=True, seed=0)


def test_concat_finds_back_to_any_order() -> None:
    parts = ConcatDataset([ArrayDataset(np.arange(start, start + 3)) for start in (0, 3, 6)])
    order = np.array([7, 0, 4, 8, 1, 3, 0])
    assert parts[order][0].tolist() == order.tolist()


def test_samples_that_make_no_array_are_told() -> None:
    for x, t, name in (([[1, 2], [3]], None, "x"), ([1, 2], [[1, 2], [3]], "t")):
        with pytest.raises(ShapeError, match=f"the 2 samples of {name} differ in shape"):
            ArrayDataset(x, t)


def test_sizes_that_are_no_numbers_are_told() -> None:
    dataset = ArrayDataset(np.arange(10))
    for size in ("a", None):
        with pytest.raises(TypeError, match="a share .float. or a number of samples"):
            train_test_split(dataset, size)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="test_size is nan"):
        train_test_split(dataset, float("nan"))
    with pytest.raises(TypeError, match="k is 2.5: an int"):
        k_fold(dataset, 2.5)  # type: ignore[arg-type]
