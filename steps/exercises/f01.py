"""Exercises of f01: a rule by thought, normalising without a look at the test, setting images aside."""

import numpy as np

from dezero.datasets import Digits
from steps.exercises.kit import Exercise, NotYet, same, true


def check_rule(rule):
    data = Digits(train=False, transform=None)
    chosen = data.label <= 1
    images, labels = data.data[chosen, 0].astype(float), data.label[chosen]
    answers = [rule(image.copy()) for image in images]
    for answer in answers:
        true(np.shape(answer) == () and answer in (0, 1), f"rule gave {answer!r}: 0 or 1 is expected")
    right = int(sum(int(answer) == int(label) for answer, label in zip(answers, labels, strict=True)))
    true(right >= 0.9 * len(labels), f"rule is right on {right} of {len(labels)} images: at least {int(np.ceil(0.9 * len(labels)))} are expected")


def check_normalise_both(normalise_both):
    train, test = np.array([[0.0, 4.0], [8.0, 4.0]]), np.array([[4.0, 12.0]])
    got = normalise_both(train.copy(), test.copy())
    if not isinstance(got, (tuple, list)) or len(got) != 2:
        raise NotYet(f"normalise_both gave {got!r}: two arrays are expected, the training data and the test data")
    spread = np.sqrt(8)
    same(got[0], (train - 4) / spread, "the training data [[0, 4], [8, 4]], normalised")
    same(got[1], (test - 4) / spread, "the test data [[4, 12]], normalised with the training data's mean 4 and spread 2.83")


def check_split(split):
    for count, tests in ((10, 3), (50, 10)):
        what = f"split({count}, {tests}, rng)"
        got = split(count, tests, np.random.default_rng(0))
        if not isinstance(got, (tuple, list)) or len(got) != 2:
            raise NotYet(f"{what} gave {got!r}: two arrays of indices are expected")
        train, test = (np.asarray(part) for part in got)
        same([len(train), len(test)], [count - tests, tests], f"the lengths of both parts of {what}")
        true(sorted([*train.tolist(), *test.tolist()]) == list(range(count)), f"{what}: each index should be in one part, and once; {got} came out")
    first, second = (sorted(np.asarray(split(50, 10, np.random.default_rng(seed))[1]).tolist()) for seed in (0, 1))
    true(first != second, "split(50, 10, rng) gives the same test images for two rngs: draw them from the rng")
    again = sorted(np.asarray(split(50, 10, np.random.default_rng(0))[1]).tolist())
    true(first == again, "two rngs with the same seed give different test images: draw from the rng that is given only")


EXERCISES = [
    Exercise("rule", "0 or 1 for an image (8, 8) of a 0 or a 1, numbers from 0 (paper) to 16 (ink), by a rule that you think out. On the 73 "
             "test images it has to be right 9 times in 10.",
             ("Where has a 1 ink and a 0 has none?",
              "The four pixels in the middle: image[3:5, 3:5].mean() is small for a 0 and large for a 1; 6 is a good border."), check_rule),
    Exercise("normalise_both", "Both arrays, normalised with the mean and the spread (standard deviation) of the training data alone.",
             ("Whoever uses the net later has one image, and no mean of a test set.",
              "mean, spread = train.mean(), train.std(); then the same formula for both: (x - mean) / spread."), check_normalise_both),
    Exercise("split", "Two arrays of indices, drawn by lot from 0 to count - 1: those to learn from, and as many as tests for the test.",
             ("Shuffle once. Then cut.",
              "order = rng.permutation(count); the first ones are the test: order[:tests], the others order[tests:]."), check_split),
]
