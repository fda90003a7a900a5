"""Who deals the samples out to the training?

A data set answers questions. Somebody has to ask them in a good order, put the answers together to batches, and notice when an epoch is over.
That is the data loader. It is a small thing, and yet several quiet mistakes live in it: this script counts aloud, so that they are heard.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import DataLoader, no_grad, optimizers
from dezero.datasets import ArrayDataset
from dezero.models import MLP

# %% Three words
# A batch is the samples of one step. An iteration is one step with one batch. An epoch is over when each sample had its turn. So an epoch has as
# many iterations as there are batches: samples divided by the size of a batch, rounded up. The rest makes a last batch that is smaller;
# ``drop_last=True`` leaves it out. A ``for`` loop over a loader is one epoch.


def count_aloud():
    loader = DataLoader(ArrayDataset(np.arange(10)), batch_size=4, seed=0)
    print("10 samples, batches of 4")
    said = []
    for epoch in (1, 2):
        for iteration, (x, _) in enumerate(loader, start=1):
            said.append(x)
            print(f"    epoch {epoch}, iteration {iteration}: samples {' '.join(map(str, x.tolist()))}")
    many = ArrayDataset(np.zeros((60000, 1), np.uint8))
    lengths = {size: [len(DataLoader(many, size)), len(DataLoader(many, size, drop_last=True))] for size in (100, 256, 60000)}
    print("60000 samples, iterations of an epoch: " + ", ".join(f"{n} with batches of {size}" for size, (n, _) in lengths.items()))
    print(f"    of 256 without the last, smaller one: {lengths[256][1]}; {60000 - 234 * 256} samples are left over")
    return {"said": said, "lengths": {str(size): counts for size, counts in lengths.items()}}


# %% The last batch counts less
# The loss of an epoch is the mean over its samples. The mean of the batches' means is something else, if the last batch is smaller: its few samples
# then weigh more than the others. Multiply by the size of each batch, add up, and divide by the number of samples.


def mean_of_means():
    x = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 6.0])
    batches = [batch for batch, _ in DataLoader(ArrayDataset(x), batch_size=4, shuffle=False)]
    of_means = float(np.mean([batch.mean() for batch in batches]))
    weighted = sum(len(batch) * float(batch.mean()) for batch in batches) / len(x)
    print("\nlosses of 9 samples: eight are 1, the last is 6; batches of 4, 4 and 1")
    print(f"    mean of all {x.mean():.4f}, mean of the batches' means {of_means:.4f}, the same weighted by size {weighted:.4f}")
    return {"mean of means": of_means, "weighted": weighted, "mean": float(x.mean())}


# %% Why shuffle?
# Data often come sorted: all cats, then all dogs. Then each batch holds one class only. A hundred steps say "everything is a cat", the next hundred
# "everything is a dog", and the net knows what it saw last. Below, the pinwheel of step 48 with 1000 points on each arm, sorted by arm, with and
# without shuffling. All else is equal. Without it, each epoch ends with arm 2, and the net takes nearly everything for arm 2. Look at the loss as
# well: in the first epoch it is even lower without shuffling. Where all batches around have the same answer, it is easy to be right. So the loss
# does not give a warning.
#
# This is also the training loop as it will look from now on.


def pinwheel(count, seed):
    rng = np.random.default_rng(seed)
    t = np.repeat(np.arange(3), count // 3)
    radius = rng.uniform(0.1, 1.0, size=count)
    angle = 2 * np.pi * t / 3 + 3.5 * radius + rng.normal(scale=0.35, size=count)
    return ArrayDataset(np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype(np.float32), t)


def train(loader, test, epochs=8):
    np.random.seed(0)
    model = MLP((16, 3), activation=F.tanh)
    optimizer = optimizers.Adam(0.02).setup(model)
    accuracies, losses = [], []
    for _ in range(epochs):
        for x, t in loader:
            loss = F.softmax_cross_entropy(model(x), t)
            model.cleargrads()
            loss.backward()
            optimizer.update()
            losses.append(float(loss.data))
        with no_grad():
            y = model(test.data)
        accuracies.append(float(F.accuracy(y, test.label).data))
    return accuracies, np.bincount(F.argmax(y, axis=1).data, minlength=3), losses


def why_shuffle():
    points, test = pinwheel(3000, 0), pinwheel(300, 1)
    print("\naccuracy on test points, epoch   1     2     3     5     8   taken for arm 0   1   2   loss, epoch 1")
    found = {}
    for name, shuffle in (("shuffled", True), ("sorted by class", False)):
        loader = DataLoader(points, batch_size=10, shuffle=shuffle, seed=0)
        counts = [np.bincount(t, minlength=3) for _, t in DataLoader(points, batch_size=10, shuffle=shuffle, seed=0)]
        accuracies, taken, losses = train(loader, test)
        found[name] = {"accuracies": accuracies, "taken": taken, "counts": counts, "losses": [np.mean(losses[:300]), np.mean(losses[-300:])]}
        shown = " ".join(f"{accuracies[epoch - 1]:5.3f}" for epoch in (1, 2, 3, 5, 8))
        print(f"{name:28} {shown}    {taken[0]:14} {taken[1]:3} {taken[2]:3} {np.mean(losses[:300]):15.2f}")
    return found


# %% Leaving early
# Often a loop is left with ``break``: a short trial, a loss that became NaN. What does the next ``for`` get? A loader that keeps its place, as ours
# does here, goes on in the middle, and nobody is told that part of this epoch is missing. The package begins a new epoch with each ``for``.


class KeepsItsPlace:
    def __init__(self, dataset, size):
        self.dataset, self.size, self.start = dataset, size, 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.start >= len(self.dataset):
            self.start = 0
            raise StopIteration
        batch = self.dataset[self.start:self.start + self.size]
        self.start += self.size
        return batch


def leave_early():
    dataset = ArrayDataset(np.arange(50))
    found = {}
    print("\nbatches that a for loop gets, after another was left with break at its second batch")
    for name, loader in (("keeps its place", KeepsItsPlace(dataset, 10)), ("DataLoader", DataLoader(dataset, 10))):
        for iteration, _ in enumerate(loader, start=1):
            if iteration == 2:
                break
        found[name] = len(list(loader))
        print(f"    {name:16} {found[name]} of 5")
    return found


# %% Helpers, and what must not change
# If making a batch takes long, because files are read or pictures turned, threads can make the next ones while the net is at work: ``workers=2``.
# They must change nothing else: the same samples in the same order. Nor may a batch change the kind of numbers: float32 that come out as float64
# would double the memory and slow down everything behind.


def helpers():
    dataset = ArrayDataset(np.random.default_rng(0).normal(size=(1000, 3)).astype(np.float32), np.arange(1000, dtype=np.uint8) % 10)
    alone, helped = ([*DataLoader(dataset, 64, seed=1, workers=workers)] for workers in (0, 2))
    same = all((a == b).all() for one, two in zip(alone, helped, strict=True) for a, b in zip(one, two, strict=True))
    x, t = helped[0]
    print(f"\nwith two workers the same {len(helped)} batches: {same}; x stays {x.dtype}, t stays {t.dtype}")
    return {"same": bool(same), "dtypes": [str(x.dtype), str(t.dtype)]}


# %% Pictures
# What is in the batches, ten of them in a bar, and what becomes of it.


def draw(path, shuffled):
    with picture(path, columns=3, size=(13.0, 3.8)) as axes:
        for ax, name in zip(axes, shuffled, strict=False):
            tens = np.array(shuffled[name]["counts"]).reshape(30, 10, 3).sum(axis=1)
            bottom = np.zeros(30)
            for label, colour in enumerate(("#0072B2", "#E69F00", "#999999")):
                ax.bar(np.arange(5, 300, 10), tens[:, label], 9.0, bottom=bottom, color=colour, label=f"arm {label}")
                bottom += tens[:, label]
            ax.set(title=f"The first epoch, {name}", xlabel="iteration", ylabel="samples in ten batches", xlim=(0, 300), ylim=(0, 100))
        axes[0].legend(loc="lower right", framealpha=1.0)
        for (name, found), colour, line in zip(shuffled.items(), ("#0072B2", "#D55E00"), ("o-", "s--"), strict=True):
            axes[2].plot(np.arange(1, 9), found["accuracies"], line, color=colour, label=name)
        axes[2].axhline(1 / 3, color="#808080", linestyle=":", label="always the same arm")
        axes[2].set(title="What the net learns", xlabel="epoch", ylabel="accuracy on test points", ylim=(0, 1.02))
        axes[2].legend(loc="center right", bbox_to_anchor=(1.0, 0.66))


def main(out=None, fast=False):
    counted = count_aloud()
    means = mean_of_means()
    shuffled = why_shuffle()
    early = leave_early()
    helped = helpers()
    if out:
        draw(out / "shuffle.png", shuffled)
    return {"counted": counted, "means": means, "shuffled": shuffled, "early": early, "helpers": helped}


# %% Exercises: python -m steps.check 50 my_answer.py
# 1. ``iterations(samples, size, drop_last)``: how often an epoch steps, without making a loader.
# 2. ``loader(dataset, size, rng)``: a generator function: one epoch of a data set's batches in random order drawn from rng; the last may be smaller.
# 3. ``epoch_mean(loader, loss_of)``: loss_of(x, t) gives the mean loss of a batch as a float: the mean over all samples of one epoch of a loader.

if __name__ == "__main__":
    run(main)
