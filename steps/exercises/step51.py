"""Exercises of step 51: scores, labels, and what is counted."""

from types import SimpleNamespace

import numpy as np

import dezero
from dezero import Variable
from dezero.datasets import ArrayDataset, Digits
from steps.exercises.kit import Exercise, same, true


def check_most_confused(most_confused):
    rng = np.random.default_rng(0)
    for pair, other in (((8, 1), (1, 8)), ((0, 9), (9, 4)), ((3, 5), (5, 3))):
        t = np.concatenate([np.full(30, pair[0]), [pair[0]] * 4, [other[0]] * 3, np.arange(10)])
        read = np.concatenate([np.full(30, pair[0]), [pair[1]] * 4, [other[1]] * 3, np.arange(10)])
        y = rng.uniform(0, 1, (len(t), 10)).astype(np.float32)
        y[np.arange(len(t)), read] += 1
        for scores in (y, Variable(y)):
            found = most_confused(scores, t)
            true(found is not None, "most_confused returned nothing: a pair is expected")
            same([int(digit) for digit in np.ravel(np.asarray(found, dtype=float))], list(pair),
                 f"{pair[0]} read as {pair[1]} four times, {other[0]} as {other[1]} three times")


def check_nearest(nearest):
    rng = np.random.default_rng(0)
    train_x, train_t = rng.normal(size=(50, 6)), rng.integers(0, 10, 50)
    x = rng.normal(size=(20, 6))
    right = train_t[[int(((train_x - row) ** 2).sum(axis=1).argmin()) for row in x]]
    same(np.asarray(nearest(train_x, train_t, x), dtype=float), right.astype(float), "20 rows among 50")
    same(np.asarray(nearest(train_x, train_t, train_x), dtype=float), train_t.astype(float), "the training rows themselves")
    (train_x, train_t), (x, t) = Digits()[:], Digits(train=False)[:]
    share = float(np.mean(np.asarray(nearest(train_x, train_t, x)) == t))
    true(share > 0.975, f"on the digits {share:.1%} are right: 98.1% are expected")


def check_test_accuracy(test_accuracy):
    x = np.eye(10, dtype=np.float32)[np.arange(7) % 10]
    t = np.array([0, 1, 2, 3, 4, 9, 9])
    seen = []

    def model(rows):
        seen.append((len(rows), dezero.Config.enable_backprop))
        return dezero.functions.matmul(Variable(np.asarray(getattr(rows, "data", rows))), np.eye(10, dtype=np.float32))

    data = ArrayDataset(x, t)
    for batch_size in (3, 7, 2, 1, 100):
        same(as_number(test_accuracy(model, data, batch_size)), 5 / 7, f"5 of 7 right, in batches of {batch_size}")
        most = max((count for count, _ in seen), default=0)
        true(most <= batch_size, f"the model got {most} rows at once: at most {batch_size} are allowed")
        true(not any(recorded for _, recorded in seen), "a graph was recorded: measure within dezero.no_grad()")
        seen.clear()


def as_number(found):
    data = getattr(found, "data", found) if not isinstance(found, (int, float)) else found
    return SimpleNamespace(data=None) if data is None else float(np.asarray(data))


EXERCISES = [
    Exercise("most_confused", "For scores y (N, 10) and labels t, the pair (true digit, digit read instead) that occurs most often.",
             ("F.confusion_matrix counts how often label i was read as j. Which of its numbers are no mistakes?",
              "table = F.confusion_matrix(y, t).data; np.fill_diagonal(table, 0); divmod(table.argmax(), len(table)) is the pair."),
             check_most_confused),
    Exercise("nearest", "For each row of x the label of the nearest training image.",
             ("For one row it is train_t[((train_x - row) ** 2).sum(axis=1).argmin()].",
              "A loop will do. Quicker: |a - b|² is |a|² - 2ab + |b|², and |a|² is the same for all b: take the argmin of "
              "(train_x**2).sum(1) - 2 * x @ train_x.T along axis 1."), check_nearest),
    Exercise("test_accuracy", "The share of right answers, in batches of batch_size (the last may be smaller), without a graph.",
             ("Of 7 images in batches of 3, the last batch has one image. How much may it count?",
              "Add F.accuracy(...) times len(t), and divide by len(data) in the end. All of it within no_grad()."), check_test_accuracy),
]
