"""Exercises of w16: even exponents, how many trials are enough, and which score to report."""

import math

import numpy as np

from steps.exercises.kit import Exercise, same, true


def check_log_uniform(log_uniform):
    for low, high in ((1e-5, 1.0), (1e-3, 10.0), (2.0, 3.0)):
        what = f"log_uniform({low}, {high}, 4000, rng)"
        got = log_uniform(low, high, 4000, np.random.default_rng(0))
        true(got is not None and np.shape(got) == (4000,), f"{what}: {np.shape(got)} is the shape of what came out, (4000,) is expected")
        numbers = np.asarray(got, dtype=float)
        true(bool((numbers > low * (1 - 1e-9)).all() and (numbers < high * (1 + 1e-9)).all()),
             f"{what} lies between {numbers.min():.3g} and {numbers.max():.3g}")
        middle = math.sqrt(low * high)
        share = float((numbers < middle).mean())
        true(0.46 < share < 0.54, f"{what}: {share:.0%} are below {middle:.3g}, half of the way in factors: 50% are expected")
    rng = np.random.default_rng(1)
    first, second = log_uniform(1e-3, 1.0, 5, rng), log_uniform(1e-3, 1.0, 5, rng)
    true(not np.array_equal(first, second), "two calls with the same rng give the same numbers: draw from the rng that is given")
    again = log_uniform(1e-3, 1.0, 5, np.random.default_rng(1))
    same(again, np.asarray(first), "log_uniform(0.001, 1.0, 5, rng) again, with an rng of the same seed")


def check_trials_needed(trials_needed):
    for share, chance, expected in ((0.05, 0.95, 59), (0.01, 0.95, 299), (0.25, 0.9, 9), (0.3, 0.2, 1), (0.3, 0.5, 2), (0.5, 0.99, 7)):
        got = trials_needed(share, chance)
        true(not isinstance(got, float) or got == int(got), f"trials_needed({share}, {chance}): {got} came out, a whole number is expected")
        same(got, expected, f"trials_needed({share}, {chance})")


def check_report(report):
    nan = float("nan")
    for validation, test, expected in (([0.9, 0.95, 0.93], [0.91, 0.90, 0.97], (1, 0.90)), ([nan, 0.5, 0.6, nan], [nan, 0.7, 0.4, 0.9], (2, 0.4)),
                                       ([0.2, 0.1], [0.3, 0.8], (0, 0.3)), ([0.8, nan, 0.9], [0.7, 0.99, 0.6], (2, 0.6))):
        got = report(list(validation), list(test))
        what = f"report({validation}, {test})"
        true(isinstance(got, (tuple, list)) and len(got) == 2, f"{what}: {got!r} came out, a pair is expected")
        same(got[0], expected[0], f"the index of the winner in {what}")
        same(got[1], expected[1], f"the score in {what}")


EXERCISES = [
    Exercise("log_uniform", "count numbers between low and high whose logarithm is drawn evenly with rng, as an array.",
             ("Draw the logarithms with rng.uniform. From where to where?",
              "np.exp(rng.uniform(np.log(low), np.log(high), count)); any other base does as well."), check_log_uniform),
    Exercise("trials_needed", "How many random trials are needed so that, with at least the probability chance, one of them is among the best share "
             "of all settings? The smallest whole number.",
             ("With which probability do all n trials miss?",
              "All miss with (1 - share)**n. Count n up from 1 while 1 - (1 - share)**n < chance."), check_trials_needed),
    Exercise("report", "From the scores of all trials the pair (index of the winner, the score to report). A trial that failed has NaN and cannot "
             "win. Mend: return int(np.argmax(test)), max(test)",
             ("Which scores may decide, and which score tells the truth about the winner? What does argmax do with a NaN?",
              "winner = int(np.nanargmax(validation)); return winner, test[winner]."), check_report),
]
