"""Exercises of workshop script w02: counting live units, what a step does to other images, bringing dead units back."""

import numpy as np

from steps.exercises.kit import Exercise, same, true


def check_live_units(live_units):
    h = np.array([[1.0, -2.0, 0.0, -1.0], [3.0, -0.1, 0.0, 5.0], [2.0, -7.0, 0.0, -5.0]])
    same(live_units(h), 0.5, "live_units of the columns (1, 3, 2), (-2, -0.1, -7), (0, 0, 0), (-1, 5, -5)")
    same(live_units(np.array([[-1.0, -2.0], [-1.0, -2.0]])), 0.0, "live_units where all values are negative")
    same(live_units(np.array([[0.5, -1.0], [-1.0, 0.5]])), 1.0, "live_units where each unit is above 0 for one of two images")


def check_moved(moved):
    rng = np.random.default_rng(0)
    for slope, rate in ((0.5, 0.1), (-2.0, 1.5)):
        x, others, w, b = rng.uniform(size=6), rng.normal(size=(4, 6)), rng.normal(size=6), 0.3
        new_w, new_b = w - rate * slope * x, b - rate * slope
        expected = others @ new_w + new_b - (others @ w + b)
        same(moved(x, others, slope, rate), expected, f"moved(x, others, {slope}, {rate}) for random x (6,) and others (4, 6)")


def check_revive(revive):
    rng = np.random.default_rng(1)
    for units in (12, 5):
        x = rng.uniform(size=(40, 8))
        W, b = rng.normal(size=(8, units)), np.zeros(units)
        b[::3] = -100.0
        W[:, 1] = 0.0
        dead = (x @ W + b <= 0).all(axis=0)
        before, place = (W.copy(), b.copy()), (W, b)
        same(revive(W, b, x), int(dead.sum()), f"revive(W, b, x) with {dead.sum()} of {units} units dead")
        true(W is place[0] and np.isfinite(W).all() and np.isfinite(b).all(), "revive: W and b have to stay finite numbers")
        still = (x @ W + b <= 0).all(axis=0)
        true(not still.any(), f"revive: {still.sum()} of {units} units are still dead on x")
        kept = np.all(before[0] == W, axis=0) & (before[1] == b)
        true(kept[~dead].all(), f"revive: {(~kept[~dead]).sum()} units that were live have other numbers now; they should keep theirs")


EXERCISES = [
    Exercise("live_units", "The share of live units, from h (N, H): the values of H units for N images, before the ReLU. A float.",
             ("A unit is live if it is above 0 for at least one image. Along which axis are the images?",
              "float((h > 0).any(axis=0).mean())"), check_live_units),
    Exercise("moved", "A step of plain descent on one image x (I,), where the loss has the slope ``slope`` by a unit's value x @ w + b. By how much "
             "does the unit's value change for each row of others (M, I)? b is learned too. An array (M,).",
             ("The loss has the slope slope * x by w, and slope by b. What does the step subtract from each?",
              "The new value minus the old one is -rate * slope * (others @ x + 1)."), check_moved),
    Exercise("revive", "Change W (I, H) and b (H,) in place so that all units are live on the images x (N, I), which are not negative, none all 0; "
             "live units keep every number. Return how many were dead.",
             ("Find the dead columns first. Which weights give a positive sum for every image that has no negative pixel?",
              "dead = (x @ W + b <= 0).all(axis=0); then b[dead] = 0, and weights above 0 in W[:, dead]: np.abs would leave a 0 as it is."),
             check_revive),
]
