"""Exercises of script w11: three more mistakes to mend."""

import numpy as np

from steps.exercises.kit import Exercise, same, true


def check_best_of(best_of):
    losses = {0: 5.0, 1: 3.0, 2: 1.0, 3: 2.0, 4: 4.0}

    def step(w):
        w += 1.0

    def loss(w):
        return losses[round(float(w[0]))]

    for count, expected in ((4, 2.0), (1, 1.0), (0, 0.0)):
        w = np.zeros(3)
        got = best_of(w, step, loss, count)
        same(got, np.full(3, expected), f"best_of zeros, where step adds 1, and the losses are 5, 3, 1, 2, 4; {count} steps")
        true(float(w[0]) == count, f"best_of with {count} steps left w at {w[0]:g}: step(w) should be called {count} times")
    w = np.full(2, 2.0)
    got = best_of(w, step, loss, 2)
    same(got, np.full(2, 2.0), "best_of where the start is the best")
    w += 10
    same(got, np.full(2, 2.0), "the same, after a later change of w")


def check_collect(collect):
    first, second = collect(1), collect(2)
    same(first, [1], "collect(1)")
    same(second, [2], "collect(2) after collect(1)")
    mine = [5]
    same(collect(6, mine), [5, 6], "collect(6, mine) with mine = [5]")
    same(mine, [5, 6], "the list that was given, after collect(6, mine)")
    empty = []
    collect(7, empty)
    same(empty, [7], "an empty list that was given, after collect(7, empty)")


def check_fit(fit):
    rng = np.random.default_rng(0)
    for slope in (3.0, -2.0):
        x = rng.uniform(-1, 1, size=(200, 1))
        got = fit(x, slope * x[:, 0], 300, np.random.default_rng(1))
        true(isinstance(got, (int, float, np.number)), f"fit gave {got!r}: a float is expected")
        same(got, slope, f"fit of 200 points on a line of slope {slope:g}, 300 steps", tolerance=1e-4)
    x, half = np.full((200, 1), 0.5), np.repeat([0.0, 10.0], 100)
    for _ in range(4):  # one batch alone has more of the one or of the other, and is off by 2 or more
        t = rng.permutation(half)
        got = float(np.mean([fit(x, t, 300, np.random.default_rng(seed)) for seed in range(3)]))
        true(abs(got - 10) < 1.8, f"fit where each x is 0.5 and t is 0 or 10 by lot: {got:.3g} came out, about 10 is expected; "
                                  "does each step see another batch?")



EXERCISES = [
    Exercise("best_of", "Call step(w) count times; it changes the array w in place. Return the content of w with the lowest loss(w), the start "
             "included. ``best = w`` at the lowest gives the last one instead.",
             ("best = w makes a second name for the same array (step 01). What will be in it later?",
              "best, low = w.copy(), loss(w); in the loop: step(w); if loss(w) < low: best, low = w.copy(), loss(w)."), check_best_of),
    Exercise("collect", "Append value to the list ``seen`` and return it; a new list if none is given. "
             "``def collect(value, seen=[])`` remembers all earlier calls.",
             ("Python makes the default once, when it reads def, not at each call.",
              "seen=None as default; in the function: if seen is None: seen = []."), check_collect),
    Exercise("fit", "The slope of a line through (0, 0): x is (N, 1), t is (N,), by descent on batches of 10 drawn from rng. The listing in "
             "the script has three of the ten bugs; mend them.",
             ("Which batch is drawn? Which shape has F.matmul(x[i], w) - t[i]? What is in w.grad at the second step?",
              "No new rng in the loop; t[i].reshape(-1, 1), or F.mean_squared_error, which asks for it; w.cleargrad() before "
              "backward()."), check_fit),
]
