"""Exercises of w09: when to stop, a callback of one's own, and the log read back."""

import math

import numpy as np

import dezero.functions as F
from dezero.layers import Linear
from dezero.optimizers import SGD
from dezero.training import Callback, Trainer
from steps.exercises.kit import Exercise, same, true


def check_best_and_stop(best_and_stop):
    cases = (([5, 4, 3, 3.5, 3.6, 2], 2, 0.0, (3, 5)), ([5, 4, 3, 3.5, 3.6, 2], 3, 0.0, (6, 6)), ([3, 2, 1], 1, 0.0, (3, 3)),
             ([1.0, 1.0, 1.0, 1.0], 2, 0.0, (1, 3)), ([2.0, 1.95, 1.93, 1.8, 1.78, 1.75, 1.74], 3, 0.1, (4, 7)),
             ([2.0, 1.96, 1.85, 1.7], 3, 0.1, (4, 4)), ([2.0, 1.95, 1.92, 1.89, 1.5], 2, 0.1, (1, 3)), ([7], 4, 0.0, (1, 1)))
    for values, patience, min_delta, expected in cases:
        got = best_and_stop(list(values), patience, min_delta)
        what = f"best_and_stop({values}, {patience}, {min_delta})"
        true(isinstance(got, (tuple, list)) and len(got) == 2, f"{what}: {got!r} came out, a pair is expected")
        same(tuple(got), expected, what)


def check_budget(budget):
    data = [(np.ones((4, 2), np.float32), np.ones((4, 1), np.float32))] * 5
    for batches, epochs, expected in ((7, 10, 7), (10, 10, 10), (100, 3, 15), (1, 2, 1)):
        callback = budget(batches)
        true(isinstance(callback, Callback), f"Budget({batches}) gave a {type(callback).__name__}: a subclass of Callback is expected")
        trainer = Trainer(Linear(1, initializer=0.5), SGD(0.1), F.mean_squared_error, callbacks=[callback])
        history = trainer.fit(data, epochs=epochs)
        same(trainer.steps, expected, f"Budget({batches}) in a training of {epochs} epochs of 5 batches: the batches that were done")
        same(history.stopped, "budget" if expected == batches else "", f"Budget({batches}) in a training of {5 * epochs} batches: history.stopped")


def check_read_log(read_log):
    for text, expected in (("epoch,loss\n1,0.5\n2,0.25\n", {"epoch": [1.0, 2.0], "loss": [0.5, 0.25]}), ("lr\n1e-3\n", {"lr": [0.001]}),
                           ("epoch,loss,norm\n1,0.5,\n2,0.25,3.5", {"epoch": [1.0, 2.0], "loss": [0.5, 0.25], "norm": [math.nan, 3.5]})):
        got = read_log(text)
        true(isinstance(got, dict), f"read_log({text!r}): a {type(got).__name__} came out, a dict is expected")
        same(list(got), list(expected), f"the names of read_log({text!r})")
        for name, column in expected.items():
            same(np.asarray(got[name], dtype=object).astype(float) if all(isinstance(x, (int, float)) for x in got[name]) else got[name],
                 np.array(column), f"the column {name} of read_log({text!r})")


EXERCISES = [
    Exercise("best_and_stop", "For values that should fall, the pair (best epoch, last epoch), counted from 1. Only what is lower than the best by "
             "more than min_delta is an improvement; after patience epochs in a row without one the run ends.",
             ("Keep the best value, its epoch, and how many epochs you have waited since.",
              "The first value is the best so far. For each later one: if value < best - min_delta, it is the new best and waited = 0; else "
              "waited += 1, and if waited == patience return. After the loop, the last epoch is len(values)."), check_best_and_stop),
    Exercise("Budget", "A callback, a subclass of dezero.training.Callback: Budget(batches) ends the run after so many batches in all, with the "
             "reason \"budget\".",
             ("Which hook is called after each batch, and which attribute of the trainer counts all batches?",
              "In on_batch_end(self, trainer): if trainer.steps >= self.batches: trainer.stop(\"budget\")."), check_budget),
    Exercise("read_log", "A table of numbers in CSV, its first line the names, as a dict from name to a list of floats. An empty cell is NaN.",
             ("Cut the text into lines, and each line at its commas. The first line has the keys.",
              "names, *rows = [line.split(\",\") for line in text.splitlines()]; for column i take float(row[i] or \"nan\") of each row."),
             check_read_log),
]
