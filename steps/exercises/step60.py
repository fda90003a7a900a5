"""Exercises of step 60: gates, and sequences in streams."""

import numpy as np

import dezero.functions as F
from dezero import SeqDataLoader
from dezero.datasets import ArrayDataset
from steps.exercises.kit import Exercise, content, same, true


def check_bias_for(bias_for):
    for steps in (1, 2, 10, 40, 1000):
        got = bias_for(steps)
        true(got is not None, "bias_for returned nothing: a number is expected")
        left = (1 / (1 + np.exp(-float(content(got))))) ** steps
        same(left, 0.5, f"with bias_for({steps}) = {float(content(got)):.4f}, what is left after {steps} steps", tolerance=1e-4)


def check_gru_step(gru_step):
    rng = np.random.default_rng(0)
    for count, size, hidden in ((2, 3, 4), (1, 1, 1), (5, 2, 6)):
        x, h = rng.normal(size=(count, size)), rng.normal(size=(count, hidden))
        Wx, Wh = rng.normal(size=(size, 3 * hidden)), rng.normal(size=(hidden, 3 * hidden))
        b, bh = rng.normal(size=3 * hidden), rng.normal(size=3 * hidden)
        got = gru_step(x, h, Wx, Wh, b, bh)
        true(got is not None, "gru_step returned nothing: an array is expected")
        same(got, F.gru_cell(x, h, Wx, Wh, b, bh).data, f"x {x.shape}, h {h.shape}")


def check_in_streams(in_streams):
    rng = np.random.default_rng(0)
    for data, count in ((np.arange(12), 3), (np.arange(10.0).reshape(10, 1), 5), (rng.normal(size=(8, 2, 3)), 1), (np.arange(6), 6)):
        right = [x for x, _ in SeqDataLoader(ArrayDataset(data), count)]
        got = in_streams(data, count)
        true(isinstance(got, (list, tuple)), f"a {type(got).__name__} came out: a list of arrays is expected")
        same(len(got), len(right), f"the number of batches of {len(data)} samples in {count} streams")
        for k, (batch, expected) in enumerate(zip(got, right, strict=True)):
            same(np.asarray(batch), expected, f"batch {k} of {len(data)} samples in {count} streams")


EXERCISES = [
    Exercise("bias_for", "The bias of the gate f with which half of the cell's content is left after so many steps, "
             "if nothing else comes to the gate.",
             ("At each step the content is multiplied with sigmoid(bias). Which f gives f ** steps = 0.5?",
              "f = 0.5 ** (1 / steps). The sigmoid is undone by log(f / (1 - f))."), check_bias_for),
    Exercise("gru_step", "A step of a GRU from arrays: a = x Wx + b, w = h Wh + bh, each cut into r, z, n; r and z are the sigmoid of a + w; "
             "n = tanh(a + r w); the next h is (1 - z) n + z h.",
             ("np.split(a, 3, axis=1) cuts a into its three blocks, as in lstm_by_hand.",
              "r, z = sigmoid(ar + wr), sigmoid(az + wz); n = np.tanh(an + r * wn); return (1 - z) * n + z * h."), check_gru_step),
    Exercise("in_streams", "The batches of SeqDataLoader as a list, without it, for an array (N, ...) where count divides N.",
             ("Stream k begins at sample k * N // count. Which samples are in the first batch?",
              "length = len(data) // count; batch i is data[i::length]: every sample that is so far from the last one."), check_in_streams),
]
