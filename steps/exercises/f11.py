"""Exercises of script f11: counting turns, working in batches, and a short cut that misses examples."""

import numpy as np

from steps.exercises.kit import Exercise, same, true


def check_epochs_for(epochs_for):
    for turns, count, size, expected in ((100, 1000, 100, 10), (101, 1000, 100, 11), (6, 7, 3, 2), (7, 7, 3, 3), (1, 7, 3, 1), (5, 10, 50, 5)):
        same(epochs_for(turns, count, size), expected, f"epochs_for({turns}, {count}, {size})")


def check_in_batches(in_batches):
    x = np.arange(20.0).reshape(10, 2)
    for size, sizes in ((4, [4, 4, 2]), (5, [5, 5]), (1, [1] * 10), (50, [10])):
        seen = []

        def f(rows, seen=seen):
            seen.append(np.shape(rows))
            return rows @ np.array([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0]])

        got = in_batches(f, x, size)
        what = f"in_batches of 10 rows with size {size}"
        true(all(len(shape) == 2 for shape in seen), f"{what}: f was handed arrays of the shapes {seen}: give it rows, a table of two axes")
        most = max((shape[0] for shape in seen), default=0)
        true(0 < most <= size, f"{what}: f was handed up to {most} rows at a time")
        same(np.asarray(got), np.stack([x[:, 0], x[:, 1], 2 * x[:, 0] - x[:, 1]], axis=1), f"{what}: the result")
        true(len(seen) == len(sizes), f"{what}: f was called {len(seen)} times, {len(sizes)} are enough")


def check_never_seen(never_seen):
    for count, size in ((10000, 100), (4000, 10), (2000, 2000)):
        got = never_seen(count, size, np.random.default_rng(1))
        what = f"never_seen({count}, {size}, rng)"
        true(np.ndim(got) == 0 and isinstance(got, (int, float, np.number)), f"{what} gave {got!r}: a share, a number from 0 to 1, is expected")
        expected = (1 - 1 / count) ** count
        true(abs(got - expected) < 0.04, f"{what} gave {got:.3f}: about {expected:.2f} is expected (by chance 0.02 more or less)")
    shares = {float(never_seen(1000, 10, np.random.default_rng(seed))) for seed in range(6)}
    true(len(shares) > 1, f"six rngs gave the same share, {shares}: draw the batches, and count")


EXERCISES = [
    Exercise("epochs_for", "How many whole epochs are needed to turn the knobs at least `turns` times, with `count` examples and batches of `size`? "
             "The last batch of an epoch may be smaller and counts as well.",
             ("How many turns has one epoch? Both divisions are to be rounded up.",
              "-(-a // b) is a / b rounded up: first a = count and b = size, then a = turns and b what came out."), check_epochs_for),
    Exercise("in_batches", "f takes rows and gives rows, as a layer does. Give f(x) without handing f more than size rows at a time.",
             ("x[start:start + size] is a batch; a slice may reach beyond the end. The results have to be laid under each other again.",
              "np.concatenate([f(x[start:start + size]) for start in range(0, len(x), size)])"), check_in_batches),
    Exercise("never_seen", "Draw as many batches as an epoch has, each by rng.integers(0, count, size) (size divides count), and give the share of "
             "the examples that were in none.",
             ("A set of all numbers that were drawn: how large is it?",
              "Add the numbers of count // size batches to a set called seen; the share is 1 - len(seen) / count."), check_never_seen),
]
