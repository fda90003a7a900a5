"""Exercises of script w15: chance among test images, and how choosing flatters."""

import numpy as np

from steps.exercises.kit import Exercise, same, true


def check_doubt(doubt):
    for accuracy, images, expected in ((0.96, 360, (0.96 * 0.04 / 360) ** 0.5), (0.5, 100, 0.05), (1.0, 50, 0.0), (0.9, 10000, 0.003)):
        same(doubt(accuracy, images), expected, f"doubt({accuracy}, {images})")


def check_report(report):
    rates = (0.01, 0.1, 1.0)
    validation = np.array([[0.90, 0.92], [0.95, 0.97], [0.94, 0.96]])
    test = np.array([[0.91, 0.91], [0.93, 0.95], [0.97, 0.99]])
    pairs_up(report(rates, validation, test), 0.1, 0.94, "validation prefers 0.1, though on the test images 1.0 has the larger number")
    gone = validation.copy()
    gone[1] = [np.nan, 0.99]
    pairs_up(report(rates, gone, test), 1.0, 0.98, "one run at the rate 0.1 is nan on validation")
    test = np.array([[0.91, 0.91], [np.nan, 0.95], [0.97, 0.99]])
    pairs_up(report(rates, validation, test), 0.1, 0.475, "one test run of the chosen rate 0.1 is nan")


def pairs_up(got, rate, accuracy, what):
    true(isinstance(got, (tuple, list)) and len(got) == 2, f"{what}: a rate and an accuracy are expected, {got!r} came out")
    same(got[0], rate, f"{what}: the rate")
    same(got[1], accuracy, f"{what}: the accuracy to tell others")


def check_flattery(flattery):
    for tries, images, expected in FLATTERY:
        got = flattery(tries, images, np.random.default_rng(0))
        what = f"flattery({tries}, {images}, rng)"
        true(isinstance(got, (int, float, np.number)) or np.shape(got) == (), f"{what} gave {got!r}: a number is expected")
        true(got is not None, f"{what} gave None: a number is expected")
        true(abs(float(got) - expected) < 0.0015, f"{what} gave {float(got):.4f}: about {expected:.4f} is expected")


# Measured with 200,000 repetitions; with 2000 the mean is off by 0.0003 at most, as a rule.
FLATTERY = [(1, 360, 0.0), (9, 360, 0.0163), (50, 360, 0.0239), (9, 3600, 0.0053)]

EXERCISES = [
    Exercise("doubt", "A net is right on each new image with probability `accuracy`. The standard deviation, by chance, of the share of right ones "
             "among so many images.",
             ("One image is a coin that shows 1 with probability p: its variance is p * (1 - p). What is the variance of the mean of n coins?",
              "The root of accuracy * (1 - accuracy) / images."), check_doubt),
    Exercise("report", "The rate to use, and the mean accuracy to tell others; validation and test are arrays (rates, seeds). Runs that ran away are "
             "nan and count as 0. Mend: means = test.mean(axis=1); return rates[means.argmax()], means.max()",
             ("Which set chooses, which one judges? And where is the largest of some numbers if one of them is nan?",
              "best = np.nan_to_num(validation).mean(axis=1).argmax(); then rates[best], and the mean of the same row of np.nan_to_num(test)."),
             check_report),
    Exercise("flattery", "Many tries, all equally good: each is right on an image with probability 0.95. By how much does the best of them look "
             "better than 0.95, on average over 2000 repetitions?",
             ("The number of right ones among n images is drawn by rng.binomial(n, 0.95). Draw a table: repetitions by tries.",
              "float((rng.binomial(images, 0.95, size=(2000, tries)).max(axis=1) / images).mean() - 0.95)"), check_flattery),
]
