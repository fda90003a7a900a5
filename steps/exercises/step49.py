"""Exercises of step 49: data sets, transforms and parts of your own."""

import numpy as np

from dezero.datasets import ArrayDataset, Dataset
from steps.exercises.kit import Exercise, raises, same, true


def check_squares(Squares):
    squares = Squares(10)
    true(isinstance(squares, Dataset), f"Squares(10) gave a {type(squares).__name__}: derive Squares from Dataset")
    same(len(squares), 10, "len(Squares(10))")
    for i in (0, 3, 9):
        sample = squares[i]
        true(isinstance(sample, tuple) and len(sample) == 2, f"Squares(10)[{i}] gave {sample!r}: a pair (x, t) is expected")
        kinds = [type(value).__name__ for value in sample]
        true(all(isinstance(value, float) for value in sample), f"Squares(10)[{i}] holds {kinds}: floats are expected")
        same(list(sample), [float(i), float(i * i)], f"Squares(10)[{i}]")
    raises(IndexError, lambda: squares[10], "Squares(10)[10]")
    same(len(list(Squares(4))), 4, "the number of samples that a loop over Squares(4) sees")


def check_one_hot(OneHot):
    transform = OneHot(4)
    true(callable(transform), "OneHot(4) cannot be called: give the class a __call__(self, t)")
    for t, expected in ((2, [0, 0, 1, 0]), (0, [1, 0, 0, 0])):
        row = transform(t)
        same(row, np.array(expected, np.float32), f"OneHot(4)({t})")
        true(row.dtype == np.float32, f"OneHot(4)({t}) is {row.dtype}: float32 is expected")
    same(transform(2), np.array([0.0, 0.0, 1.0, 0.0]), "OneHot(4)(2), called a second time")
    dataset = ArrayDataset(np.zeros((3, 2)), np.array([1, 1, 0]), target_transform=OneHot(2))
    same(dataset[[0, 1, 2]][1], np.array([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]]), "the labels of a batch with OneHot(2) as target_transform")


def check_k_parts(k_parts):
    for n, k in ((10, 3), (7, 7), (100, 8)):
        what = f"k_parts({n}, {k}, 0)"
        parts = k_parts(n, k, 0)
        true(parts is not None and len(parts) == k, f"{what} gave {parts!r}: {k} arrays are expected")
        sizes = [len(part) for part in parts]
        true(max(sizes) - min(sizes) <= 1, f"{what}: the sizes are {sizes}, they should differ by 1 at most")
        true(sorted(int(i) for part in parts for i in part) == list(range(n)), f"{what}: each number should be in one part, {parts!r} came out")
    flat = [np.concatenate([np.asarray(part) for part in k_parts(100, 8, seed)]).tolist() for seed in (0, 0, 1)]
    true(flat[0] == flat[1], "k_parts(100, 8, 0) gave other parts the second time: draw from a generator with that seed")
    true(flat[0] != flat[2], "k_parts(100, 8, seed) gives the same parts with seeds 0 and 1")
    true(flat[0] not in (list(range(100)), list(range(99, -1, -1))), "k_parts(100, 8, 0) is in order: shuffle before dealing out")


EXERCISES = [
    Exercise("Squares", "A Dataset of count samples without arrays: sample i is (i, i * i) as floats; i from count on is an IndexError.",
             ("No prepare is needed: answer both questions yourself. Why does a loop need the IndexError?",
              "Keep count in __init__ (after super().__init__()), and write __len__ and __getitem__, which raises IndexError(i) if i >= self.count."),
             check_squares),
    Exercise("OneHot", "A transform for labels, a class: called with a label it gives a float32 array of zeros with a 1 at the label.",
             ("An object that can be called has a __call__. Make a new array at each call.",
              "In __call__(self, t): row = np.zeros(self.classes, np.float32); row[t] = 1; return row."), check_one_hot),
    Exercise("k_parts", "The numbers 0 to n - 1 in random order, dealt out to k arrays whose sizes differ by 1 at most; same seed, same parts.",
             ("Shuffle with a generator of that seed. How would you deal out cards to k players?",
              "order = np.random.default_rng(seed).permutation(n); part i is order[i::k]."), check_k_parts),
]
