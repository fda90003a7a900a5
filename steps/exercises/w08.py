"""Exercises of w08: a schedule of one's own, the decisions of a plateau, and steps that count the wrong thing."""

import math

from dezero.optimizers import SGD, ReduceLROnPlateau
from steps.exercises.kit import Exercise, same, true


def check_root_decay(root_decay):
    for base, warm, i, expected in ((0.8, 4, 0, 0.0), (0.8, 4, 1, 0.2), (0.8, 4, 4, 0.8), (0.8, 4, 16, 0.4), (0.1, 100, 50, 0.05),
                                    (0.1, 100, 400, 0.05), (0.6, 1, 3, 0.6 * math.sqrt(1 / 3))):
        same(root_decay(base, warm, i), expected, f"root_decay({base}, {warm}, {i})")


def check_falls(falls):
    scripts = (([1.0, 0.8, 0.7, 0.72, 0.71, 0.7, 0.6, 0.62, 0.61, 0.63, 0.55], 2), ([1.0, 1.0, 1.0, 1.0], 0), ([1.0] * 9, 3), ([0.5, 0.4, 0.3], 0),
               ([3.0, 4.0, 3.5, 2.0, 2.5, 2.5, 2.5, 2.5, 1.0], 1))
    for losses, patience in scripts:
        optimizer = SGD(1.0)
        schedule, expected = ReduceLROnPlateau(optimizer, factor=0.5, patience=patience, threshold=0.0), []
        for epoch, loss in enumerate(losses, 1):
            before = optimizer.rate
            schedule.step(loss)
            if optimizer.rate < before:
                expected.append(epoch)
        got = falls(list(losses), patience)
        true(isinstance(got, (list, tuple)), f"falls({losses}, {patience}): {got!r} came out, a list of epochs is expected")
        same([int(epoch) for epoch in got], expected, f"falls({losses}, {patience})")


def check_by_batch(by_batch):
    for epochs, batches in ((10, 20), (4, 3)):
        optimizer = SGD(0.4)
        schedule = by_batch(optimizer, epochs, batches)
        true(hasattr(schedule, "step"), f"by_batch(optimizer, {epochs}, {batches}): {schedule!r} came out, a schedule is expected")
        for i in range(epochs * batches + 1):
            expected = 0.2 * (1 + math.cos(math.pi * i / (epochs * batches)))
            same(optimizer.rate, expected, f"{epochs} epochs of {batches} batches from the rate 0.4: the rate after {i} batches")
            schedule.step()


EXERCISES = [
    Exercise("root_decay", "The rate of step i: along a line from 0 to base at step warm, and from there on base * sqrt(warm / i).",
             ("Two cases. What share of base has the line after i of warm steps?",
              "base * i / warm if i < warm, else base * math.sqrt(warm / i). With LambdaLR it becomes a schedule."), check_root_decay),
    Exercise("falls", "The epochs, counted from 1, after which ReduceLROnPlateau lowers the rate, as a list. A loss improves if it is lower than all "
             "before it. After a fall the waiting begins anew.",
             ("Keep two numbers: the best loss so far, and how many epochs there were since it improved or the rate fell.",
              "For each loss: if it is below best, then best = loss, bad = 0; else bad += 1. If bad > patience: note the epoch and set bad = 0."),
             check_falls),
    Exercise("by_batch", "A CosineLR that is stepped after each batch and reaches 0 at the end of the last epoch. Mend: "
             "return CosineLR(optimizer, steps=epochs)",
             ("How many times is step() called in the whole training?",
              "epochs * batches times, so that is the number of steps."), check_by_batch),
]
