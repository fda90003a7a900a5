"""Exercises of step 50: loaders of your own."""

import inspect

import numpy as np

from dezero import DataLoader
from dezero.datasets import ArrayDataset
from steps.exercises.kit import Exercise, same, true


def check_iterations(iterations):
    for samples, size in ((60000, 100), (10, 4), (7, 7), (3, 8), (1, 1), (10**9, 256)):
        same(iterations(samples, size, False), (samples + size - 1) // size, f"iterations({samples}, {size}, drop_last=False)")
        same(iterations(samples, size, True), samples // size, f"iterations({samples}, {size}, drop_last=True)")


class Counting(ArrayDataset):
    """Counts how many samples were asked for."""

    asked = 0

    def gather(self, indices, rng=None):
        self.asked += len(indices)
        return super().gather(indices, rng)

    def __getitem__(self, index):
        self.asked += np.ndim(index) == 0 and not isinstance(index, slice)
        return super().__getitem__(index)


def check_loader(loader):
    dataset = Counting(np.arange(10, dtype=np.float32) * 2, np.arange(10))
    batches = loader(dataset, 4, np.random.default_rng(0))
    true(inspect.isgenerator(batches), f"loader(dataset, 4, rng) gave a {type(batches).__name__}: write a function with yield")
    found = [next(batches)]
    true(dataset.asked <= 4, f"for the first batch {dataset.asked} samples were read: read 4, the others when their batch is asked for")
    found += list(batches)
    true(all(isinstance(batch, tuple) and len(batch) == 2 for batch in found), f"a batch is {found[0]!r}: a pair (x, t) is expected")
    same([len(t) for _, t in found], [4, 4, 2], "the sizes of the batches of 10 samples")
    order = np.concatenate([t for _, t in found])
    same(np.concatenate([x for x, _ in found]), (order * 2).astype(np.float32), "the x of samples whose labels are " + str(order.tolist()))
    true(sorted(order.tolist()) == list(range(10)), f"each sample should come once, {order.tolist()} came out")
    rng = np.random.default_rng(1)
    epochs = [np.concatenate([t for _, t in loader(dataset, 3, rng)]).tolist() for _ in range(2)]
    true(epochs[0] != epochs[1] and list(range(10)) not in epochs, "the order should be drawn anew from rng in each epoch")
    again = np.concatenate([t for _, t in loader(dataset, 3, np.random.default_rng(1))]).tolist()
    true(again == epochs[0], "an rng with the same seed should give the same order: draw from rng only")


def check_epoch_mean(epoch_mean):
    rng = np.random.default_rng(0)
    for count, size in ((9, 4), (10, 5), (7, 10)):
        x = rng.normal(size=count)
        loader = DataLoader(ArrayDataset(x, np.zeros(count)), size, shuffle=True, seed=0)
        same(epoch_mean(loader, lambda a, t: float(np.mean(a**2 + t))), float(np.mean(x**2)), f"the mean over {count} samples in batches of {size}")
    calls = []
    loader = DataLoader(ArrayDataset(np.zeros(9), np.zeros(9)), 4, seed=0)
    epoch_mean(loader, lambda a, t: calls.append(len(a)) or 0.0)
    true(sum(calls) == 9, f"loss_of saw batches of {calls}: 9 samples are in an epoch")


EXERCISES = [
    Exercise("iterations",
             "How often an epoch of samples in batches of size steps, without making a loader; drop_last leaves a smaller last batch out.",
             ("Rounded down is //. When is one more needed?",
              "samples // size with drop_last, else -(-samples // size), which rounds up."), check_iterations),
    Exercise("loader", "A generator function: one epoch of a data set's batches in random order drawn from rng; the last may be smaller.",
             ("A permutation of len(dataset), cut into pieces. A data set gives a batch for an array of numbers.",
              "order = rng.permutation(len(dataset)); for start in range(0, len(dataset), size): yield dataset[order[start:start + size]]."),
             check_loader),
    Exercise("epoch_mean", "loss_of(x, t) gives the mean loss of a batch as a float: the mean over all samples of one epoch of a loader.",
             ("The mean of the batches' means is wrong if the last batch is smaller.",
              "Add len(x) * loss_of(x, t) for all batches, count the samples, and divide."), check_epoch_mean),
]
