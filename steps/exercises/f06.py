"""Exercises of f06: how many sigmoids, which layers vanish, the slope of a chain."""

import math

import numpy as np

from steps.exercises.kit import Exercise, same, true


def check_layers_until(layers_until):
    for share in (0.5, 0.2, 1e-3, 1e-6, 3e-9, 1e-30):
        expected = next(n for n in range(1, 200) if 0.25**n < share)
        same(layers_until(share), expected, f"layers_until({share:g})")


def check_vanished(vanished):
    for means, expected in (([1e-9, 1e-4, 1.0], [1]), ([1e-9, 5e-9, 1e-3], [1, 2]), ([0.5, 0.1, 0.2], []), ([1e-3, 1e-9, 1e-2, 1e2], [2]),
                            ([1e-9, 1e-8, 1e-7], []), ([0.0, 3.0], [1])):
        got = vanished(list(means))
        true(isinstance(got, (list, tuple, np.ndarray)), f"vanished({means}): {got!r} came out, a list is expected")
        same([int(number) for number in got], expected, f"vanished({means})")


def chain(x, weights):
    for w in weights:
        x = 1 / (1 + math.exp(-w * x))
    return x


def check_chain_slope(chain_slope):
    for x, weights in ((0.0, [1.0]), (0.5, [4.0]), (-1.0, [2.0, -3.0]), (0.3, [1.0, 2.0, -1.5, 0.5])):
        trial = (chain(x + 1e-5, weights) - chain(x - 1e-5, weights)) / 2e-5
        same(chain_slope(x, list(weights)), trial, f"chain_slope({x}, {weights})", tolerance=1e-8)
    weights = [0.5] * 12
    got = chain_slope(0.1, weights)
    expected, x = 1.0, 0.1
    for w in weights:
        x = 1 / (1 + math.exp(-w * x))
        expected *= w * x * (1 - x)
    true(np.size(got) == 1 and abs(float(got) / expected - 1) < 1e-9,
         f"chain_slope of 12 units with weights 0.5 at 0.1: {got!r} came out, {expected:.10g} is expected (a trial is too coarse here)")


EXERCISES = [
    Exercise("layers_until", "How many sigmoids in a row, weights 1, does it take until less than this share of a change can arrive at best? The "
             "smallest such number, for any share between 0 and 1.",
             ("Each sigmoid lets a quarter through, at best. Count how often you have to take a quarter.",
              "n, left = 0, 1.0; while left >= share: left, n = left / 4, n + 1. Then n."), check_layers_until),
    Exercise("vanished", "From the mean gradients of the layers, first to last: the numbers of those (from 1) which are below 1/100,000 of the last.",
             ("The last one is means[-1]. Numbers from 1 come from enumerate(means, 1).",
              "[i for i, mean in enumerate(means, 1) if mean < 1e-5 * means[-1]]"), check_vanished),
    Exercise("chain_slope", "Each unit of a chain multiplies by its weight and applies the sigmoid; x goes into the first. The slope of the last "
             "result by x, as a product of slopes: no trial, no dezero.",
             ("A unit with weight w and result y has two slopes on the way: that of the product, w, and that of the sigmoid, y * (1 - y).",
              "Start with slope = 1. For each w: x = 1 / (1 + exp(-w * x)), then slope *= w * x * (1 - x)."), check_chain_slope),
]
