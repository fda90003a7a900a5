"""Exercises of f12: labels as rows, answers from stored weights, and an accuracy that counts."""

import numpy as np

from steps.exercises.kit import Exercise, same, short, true


def check_one_hot_rows(one_hot_rows):
    for t, classes in (([3], 5), ([0, 2, 1, 2], 3), ([7, 7, 0], 10), ([], 4)):
        labels = np.array(t, int)
        expected = np.zeros((len(t), classes))
        for i, label in enumerate(t):
            expected[i, label] = 1
        same(np.asarray(one_hot_rows(labels, classes), float), expected, f"one_hot_rows({t}, {classes})")
        true(labels.tolist() == t, f"one_hot_rows({t}, {classes}) changed the labels that it was given")


def weights_by_lot(rng, hidden):
    shapes = {"W1": (64, hidden), "b1": (hidden,), "W2": (hidden, 10), "b2": (10,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def check_predict(predict):
    rng = np.random.default_rng(0)
    for hidden in (5, 64):
        weights, batch = weights_by_lot(rng, hidden), rng.normal(size=(64, 64))
        h = batch @ weights["W1"] + weights["b1"]
        expected = (np.where(h > 0, h, 0) @ weights["W2"] + weights["b2"]).argmax(axis=1)
        for count in (64, 7, 1):
            same(np.asarray(predict(weights, batch[:count])), expected[:count], f"predict for a batch {batch[:count].shape}, {hidden} hidden units")
        for i in range(3):
            got = predict(weights, batch[i])
            what = f"predict for one image (64,), {hidden} hidden units"
            true(isinstance(got, (int, np.integer)), f"{what}: {short(got)} came out, an int is expected")
            same(int(got), int(expected[i]), what)


def check_accuracy(accuracy):
    scores = np.array([[0.1, 0.9, 0.0], [2.0, -1.0, 1.0], [-3.0, -2.0, -2.5], [0.0, 0.0, 1.0]])
    for t, expected in (([1, 0, 1, 2], 1.0), ([1, 0, 1, 0], 0.75), ([2, 2, 2, 0], 0.0)):
        labels = np.array(t)
        for kind, given in (("labels", labels), ("one-hot rows of", np.eye(3)[labels])):
            got = accuracy(scores.copy(), given)
            same(got if got is None else float(np.asarray(got)), expected, f"accuracy for {kind} {t}, where the largest scores are at 1, 0, 1, 2")
    same(float(np.asarray(accuracy(np.eye(3)[[0, 1]], np.array([0, 1])))), 1.0, "accuracy for 2 rows of 3 scores, both right")


EXERCISES = [
    Exercise("one_hot_rows", "One-hot rows for labels t, an array (N,), with zeros and ones put in by hand: without np.eye, and without a "
             "loop if you can.",
             ("Begin with np.zeros((len(t), classes)). At which row and which column has each 1 to be?",
              "rows[np.arange(len(t)), t] = 1 puts a one into each row, at the column of its label."), check_one_hot_rows),
    Exercise("predict", "The answer, an int, for one image (64,), or the answers, an array (N,), for a batch (N, 64). The dictionary weights "
             "has W1 (64, H), b1 (H,), W2 (H, 10), b2 (10,); between the layers is a maximum with 0. x is normalised already.",
             ("The products take both shapes. Which axis of the scores is the one with the ten digits, counted from the end?",
              "scores = np.maximum(x @ W1 + b1, 0) @ W2 + b2; scores.argmax(axis=-1) gives a number for one image, and an array for a batch."),
             check_predict),
    Exercise("accuracy", "(scores.argmax() == t).mean() runs and is wrong: mend it. And let t be labels (N,) or one-hot rows (N, C).",
             ("How many answers should come out of N rows of scores? And which number of axes has t in each case?",
              "If t.ndim == 2: t = t.argmax(axis=1). Then (scores.argmax(axis=1) == t).mean()."), check_accuracy),
]
