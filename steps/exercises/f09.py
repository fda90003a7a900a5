"""Exercises of f09: one update, a weight that is 0, any number of layers."""

from itertools import pairwise

import numpy as np

from steps.exercises.kit import Exercise, same, short, true


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def check_update_one(update_one):
    # the expected numbers are tried out: the loss at W1 and b1 moved a little, up and down
    h = 1e-5
    for a0, W1, b1, t, rate in ((2.0, 0.5, -0.4, 1.0, 1.0), (-1.5, 0.8, 0.3, 0.0, 0.5), (0.0, 1.0, -1.0, 1.0, 2.0)):
        def loss(W, b, a0=a0, t=t):
            return (sigmoid(a0 * W + b) - t) ** 2 / 2

        expected = (W1 - rate * (loss(W1 + h, b1) - loss(W1 - h, b1)) / (2 * h), b1 - rate * (loss(W1, b1 + h) - loss(W1, b1 - h)) / (2 * h))
        got = update_one(a0, W1, b1, t, rate)
        what = f"update_one(a0={a0}, W1={W1}, b1={b1}, t={t}, rate={rate})"
        true(isinstance(got, (tuple, list)) and len(got) == 2, f"{what} gave {short(got)}: the new W1 and the new b1 are expected")
        for name, one, right in zip(("W1", "b1"), got, expected, strict=True):
            same(one, right, f"the new {name} of {what}", 1e-7)


def check_stays(stays):
    got = stays()
    true(isinstance(got, (set, frozenset, list, tuple)), f"stays() gave {short(got)}: a set of names is expected")
    for name in ("W1", "b1", "W2", "b2"):
        moves = name[1] == "2"
        true((name in got) != moves, f"stays() gave {short(got)}: look at {name} again. Which factors does g{name} have, and is one of them 0?")
    true(len(set(got)) == 2, f"stays() gave {short(got)}: there are only W1, b1, W2 and b2")


def tried(a0, layers, t, h=1e-5):
    def loss(layers):
        a = a0
        for W, b in layers:
            a = sigmoid(a @ W + b)
        return 0.5 * ((a - t) ** 2).sum()

    found = [[np.zeros_like(table) for table in layer] for layer in layers]
    for k, layer in enumerate(layers):
        for part, table in enumerate(layer):
            for place in np.ndindex(table.shape):
                sides = []
                for side in (h, -h):
                    moved = [[W.copy(), b.copy()] for W, b in layers]
                    moved[k][part][place] += side
                    sides.append(loss(moved))
                found[k][part][place] = (sides[0] - sides[1]) / (2 * h)
    return found


def check_gradients(gradients):
    for sizes in ((3, 2), (2, 4, 1), (3, 4, 2, 3), (1, 1, 1, 1, 1)):
        rng = np.random.default_rng(len(sizes))
        layers = [(rng.normal(size=pair), rng.normal(size=(1, pair[1]))) for pair in pairwise(sizes)]
        a0, t = rng.normal(size=(1, sizes[0])), rng.uniform(size=(1, sizes[-1]))
        got = gradients(a0, [(W.copy(), b.copy()) for W, b in layers], t)
        what = f"a net with {' - '.join(map(str, sizes))} units"
        true(isinstance(got, (list, tuple)) and len(got) == len(layers), f"{what}: {short(got)} came out, a list of {len(layers)} pairs is expected")
        for k, (pair, expected) in enumerate(zip(got, tried(a0, layers, t), strict=True), 1):
            true(isinstance(pair, (list, tuple)) and len(pair) == 2, f"{what}, layer {k}: {short(pair)} came out, a pair (gW, gb) is expected")
            for name, one, right in zip(("gW", "gb"), pair, expected, strict=True):
                same(one, right, f"{what}, {name} of layer {k}", 1e-7)


EXERCISES = [
    Exercise("update_one", "One layer with one unit and the sigmoid, L = (y - t)² / 2: the new (W1, b1) after one update. All are numbers.",
             ("Compute y first. What do the slopes by W1 and by b1 have in common?",
              "gz1 = (y - t) * y * (1 - y); then W1 - rate * gz1 * a0 and b1 - rate * gz1."), check_update_one),
    Exercise("stays", "Predict. Two layers of one unit each, as in CHAIN, but W2 starts at 0. One update is made. Give the names of the parameters "
             'that have NOT moved, as a set, such as {"W1", "b2"}.',
             ("Write down the four slopes as products. In which of them is W2 a factor?",
              "gW2 and gb2 do not contain W2, only what comes before it on the way back: y - t, y (1 - y), and a1. The other two do."), check_stays),
    Exercise("gradients", "Any number of layers: a list of pairs (W, b), each with the sigmoid; a0, t are rows (1, n), L is the sum of (y - t)² / 2. "
             "Give a list of pairs (gW, gb) in the order of the layers.",
             ("Forward: keep every a in a list. Backward: walk through the layers from the last to the first with one number in hand, ga.",
              "ga = y - t; for each layer from the last: gz = ga * a * (1 - a), gW = a_before.T @ gz, gb = gz, ga = gz @ W.T. Turn the list."),
             check_gradients),
]
