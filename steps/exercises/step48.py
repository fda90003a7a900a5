"""Exercises of step 48: counting right answers, dealing out batches."""

import numpy as np

from steps.exercises.kit import Exercise, same, true


def check_accuracy(accuracy):
    y = np.array([[0.1, 0.9, 0.0], [2.0, -1.0, 1.0], [-3.0, -2.0, -2.5], [0.0, 0.0, 1.0]])
    for t, expected in (([1, 0, 1, 2], 1.0), ([1, 0, 1, 0], 0.75), ([0, 1, 0, 1], 0.0)):
        same(accuracy(y, np.array(t)), expected, f"accuracy of scores whose largest are at 1, 0, 1, 2 for the labels {t}")


def check_recalls(recalls):
    same(recalls(np.array([[8, 2, 0], [0, 5, 5], [1, 0, 3]])), np.array([0.8, 0.5, 0.75]), "recalls of [[8, 2, 0], [0, 5, 5], [1, 0, 3]]")
    same(recalls(np.array([[4, 0], [0, 0]])), np.array([1.0, 0.0]), "recalls of [[4, 0], [0, 0]], where class 1 has no points")


def check_batches(batches):
    for count, size, sizes in ((10, 3, [3, 3, 3, 1]), (6, 2, [2, 2, 2]), (3, 5, [3])):
        what = f"batches({count}, {size}, rng)"
        got = batches(count, size, np.random.default_rng(0))
        true(isinstance(got, list), f"{what} gave a {type(got).__name__}: a list is expected")
        same([len(batch) for batch in got], sizes, f"the sizes of {what}")
        true(sorted(int(i) for batch in got for i in batch) == list(range(count)), f"{what}: each index should come once, {got} came out")
    rng = np.random.default_rng(0)
    first, second = (np.concatenate(batches(50, 7, rng)).tolist() for _ in range(2))
    true(first != list(range(50)), "batches(50, 7, rng) are in order: shuffle them")
    true(first != second, "two epochs with the same rng have the same order: draw from the rng that is given, do not make one")
    again = np.concatenate(batches(50, 7, np.random.default_rng(0))).tolist()
    true(first == again, "two rngs with the same seed give different batches: draw from the rng that is given only")


EXERCISES = [
    Exercise("accuracy", "The share of rows of scores (N, C) whose largest is at the label, as a float. NumPy only; y is an array.",
             ("An array knows at which index of each row its largest number is.",
              "float((y.argmax(axis=1) == t).mean())"), check_accuracy),
    Exercise("recalls", "From a confusion matrix (rows are the true classes): for each class the share that was found, as an array (C,). "
             "A class without points gets 0.",
             ("How many points has class i, and how many of them are on the diagonal?",
              "matrix.diagonal() over matrix.sum(axis=1); where the sum is 0, divide by 1, as with np.maximum(sum, 1)."), check_recalls),
    Exercise("batches", "A list of arrays of indices: 0 to count - 1 in random order, drawn from rng, in parts of size; the last may be smaller.",
             ("Shuffle once, then cut. What does a slice do that reaches beyond the end?",
              "order = rng.permutation(count), then order[start:start + size] for start in range(0, count, size)."), check_batches),
]
