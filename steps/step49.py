"""What has to be known of data so that any program can train on it?

Two things: how many samples there are, and what number i is. Whatever answers both is a data set: arrays, a folder with a million files, a formula.
This script builds some, puts transforms between what is stored and what the model gets, and cuts data into parts. The training loop need not know of
any of it.
"""

import tempfile
from pathlib import Path

import numpy as np

from support import picture, run

from dezero.datasets import ArrayDataset, Dataset, Digits, train_test_split
from dezero.transforms import Compose, Flatten, Normalize, RandomRotation, RandomShift, ToFloat

# %% Two questions
# ``len(dataset)`` says how many, ``dataset[i]`` gives sample i: a pair (x, t) of what the model gets and the label. Derive from Dataset, put both
# arrays into ``self.data`` and ``self.label`` in ``prepare``, and the class is done. A list of numbers, as in ``dataset[[0, 5, 7]]``, gives these
# samples as one batch.


class Pinwheel(Dataset):
    def prepare(self):
        rng = np.random.default_rng(0 if self.train else 1)
        self.label = np.arange(300) % 3
        radius = rng.uniform(0.1, 1.0, size=300)
        angle = 2 * np.pi * self.label / 3 + 3.5 * radius + rng.normal(scale=0.35, size=300)
        self.data = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype(np.float32)


def two_questions():
    points = Pinwheel()
    x, t = points[7]
    xs, ts = points[[0, 5, 7]]
    print(f"{len(points)} points; sample 7: x {x.shape}, t {t}; samples 0, 5, 7 as a batch: x {xs.shape}, t {ts.tolist()}")
    return {"points": len(points), "sample": x.shape, "batch": xs.shape, "labels": ts}


# %% Stored is not what the model gets
# The package has 1,797 small pictures of handwritten digits on board. They are stored as bytes, 0 for paper to 16 for ink. A Linear layer wants a
# row of float32 between 0 and 1. That is four times as much memory, so it is made when a sample is asked for, and only for this sample. What is
# done then is a transform: any function of one sample will do, and ``Compose`` does several in turn.

TO_ROW = Compose([Flatten(), ToFloat(), Normalize(0.0, 16.0)])


def show_transform():
    stored, ready = Digits(transform=None), Digits(transform=TO_ROW)
    found = {"train": len(ready), "test": len(Digits(train=False))}
    size = stored.data.nbytes
    print(f"\ndigits: {found['train']} to train on, {found['test']} to test on; {size} bytes stored, {4 * size} as float32")
    for name, dataset in (("stored", stored), ("transformed", ready)):
        x, t = dataset[0]
        found[name] = [str(x.dtype), list(x.shape), float(x.max())]
        print(f"    sample 0 {name:12} {x.dtype!s:8} {x.shape!s:10} from {x.min():g} to {x.max():g}, label {t}")
    return found


# %% A sample need not be the same twice
# A digit moved by a pixel or turned a little is the same digit. A random transform does that anew at each read, so the net never sees quite the
# same picture again. It gets more out of few pictures: augmentation. Test data are left as they are.

AUGMENT = [RandomShift(1), RandomRotation(15)]


def read_again():
    np.random.seed(0)
    moved = Digits(transform=Compose([*AUGMENT, TO_ROW]))
    changed = [int((moved[0][0] != moved[0][0]).sum()) for _ in range(3)]
    print(f"    sample 0 read twice with a random transform, three times: {', '.join(map(str, changed))} of 64 pixels differ")
    return {"changed": changed}


# %% Lazy and cached
# A million photos do not fit into memory, but one does. A data set with a ``__getitem__`` of its own reads a file when its sample is asked for, not
# before: it is lazy. The list of names is all that it keeps. If reading is slow and there is memory enough, it may keep what it has read: a cache.


class Files(Dataset):
    def __init__(self, folder, keep):
        super().__init__()
        self.names, self.keep, self.kept, self.reads = sorted(folder.glob("*.npy")), keep, {}, 0

    def __len__(self):
        return len(self.names)

    def __getitem__(self, i):
        if i in self.kept:
            return self.kept[i]
        self.reads += 1
        sample = np.load(self.names[i]), int(self.names[i].stem[-1])
        if self.keep:
            self.kept[i] = sample
        return sample


def lazy_and_cached():
    digits = Digits(transform=None)
    found = {}
    print("\nfiles read after     making it   one sample   all once   all twice")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for i in range(50):
            np.save(folder / f"{i:02d}_of_class_{digits.label[i]}.npy", digits.data[i])
        for title, keep in (("lazy", False), ("lazy and cached", True)):
            files = Files(folder, keep)
            reads = [files.reads]
            for numbers in ([7], range(50), range(50)):
                for i in numbers:
                    files[i]
                reads.append(files.reads)
            found[title] = reads
            print(f"{title:17} {reads[0]:12} {reads[1]:12} {reads[2]:10} {reads[3]:11}")
        found["right"] = bool((files[7][0] == digits.data[7]).all() and files[7][1] == digits.label[7])
    return found


# %% Parts
# Test data must not be seen in training (step 48). ``train_test_split`` deals the samples out to two parts at random. No sample is in both, none is
# lost, and the same seed gives the same parts: else what was training data yesterday would be test data today. With ``stratify`` each class has the
# same share in both. A part is a data set too: it holds numbers of samples, not copies.


def split():
    digits = Digits()
    train, test = train_test_split(digits, 0.2, seed=0, stratify=True)
    again, other = train_test_split(digits, 0.2, seed=0, stratify=True)[1], train_test_split(digits, 0.2, seed=1, stratify=True)[1]
    common = len(np.intersect1d(train.indices, test.indices))
    same = bool((test.indices == again.indices).all())
    anew = len(np.intersect1d(test.indices, other.indices))
    zeros = [int((part.label == 0).sum()) for part in (train, test)]
    print(f"\nsplit: {len(train)} + {len(test)} = {len(digits)}; in both: {common}; the same seed, the same parts: {same}")
    print(f"    of the {len(test)} test samples {anew} are also test samples with another seed; zeros: {zeros[0]} and {zeros[1]}")
    return {"sizes": [len(train), len(test), len(digits)], "common": common, "same": same, "other": anew, "zeros": zeros}


# %% Without labels
# Photos are easy to come by, labels cost work. So there are data without t. A loop that puts samples together by hand makes an array of None out of
# them: an array of objects, on which the next formula fails, or a device refuses it. The package gives one None instead, and one ``if`` can tell.


def without_labels():
    unlabelled = ArrayDataset(np.arange(6.0).reshape(3, 2))
    sample = unlabelled[0]
    by_hand = np.array([t for _, t in unlabelled])
    xs, ts = unlabelled[[0, 1, 2]]
    print(f"\nno labels: a sample is ({sample[0].tolist()}, {sample[1]}); labels of a batch by hand: {by_hand.dtype} {by_hand.tolist()}")
    print(f"    by the data set: x {xs.shape} {xs.dtype}, t {ts}")
    return {"sample": sample[1] is None, "by hand": str(by_hand.dtype), "batch": ts is None, "shape": xs.shape}


# %% A picture
# With ``--out``: above, eight digits as they are stored. Below, the same ones as two epochs would see them.


def draw(path):
    np.random.seed(0)
    stored, moved = Digits(transform=None), Digits(transform=Compose(AUGMENT))
    rows = {"stored": stored, "one epoch": moved, "another epoch": moved}
    with picture(path, rows=3, columns=8, size=(9.0, 3.7)) as axes:
        for line, (name, dataset) in zip(axes, rows.items(), strict=True):
            for i, ax in enumerate(line):
                x, t = dataset[i]
                ax.imshow(x[0], cmap="Greys", vmin=0, vmax=16)
                ax.set(xticks=[], yticks=[])
                if dataset is stored:
                    ax.set_title(f"label {t}", size=10)
            line[0].set_ylabel(name)


def main(out=None, fast=False):
    points = two_questions()
    digits = show_transform()
    again = read_again()
    reads = lazy_and_cached()
    parts = split()
    unlabelled = without_labels()
    if out:
        draw(out / "digits.png")
    return {"pinwheel": points, "digits": digits, **again, "reads": reads, "split": parts, "unlabelled": unlabelled}


# %% Exercises: python -m steps.check 49 my_answer.py
# 1. ``Squares(count)``: a Dataset of count samples without arrays: sample i is (i, i * i) as floats; i from count on is an IndexError.
# 2. ``OneHot(classes)``: a transform for labels, a class: called with a label it gives a float32 array of zeros with a 1 at the label.
# 3. ``k_parts(n, k, seed)``: the numbers 0 to n - 1 in random order, dealt out to k arrays whose sizes differ by 1 at most; same seed, same parts.

if __name__ == "__main__":
    run(main)
