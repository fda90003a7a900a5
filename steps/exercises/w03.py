"""Exercises of workshop script w03: counting parameters, spending them, and what depth can fold."""

import numpy as np

from steps.exercises.kit import Exercise, same, true


def check_parameters(parameters):
    known = (([4, 8, 4, 1], 81), ([4, 16, 8, 1], 225), ([4, 4, 8, 8, 4, 1], 173), ([4, 8, 16, 16, 8, 1], 601), ([784, 50, 10], 39_760), ([3, 2], 8))
    for sizes, expected in known:
        same(parameters(sizes), expected, f"parameters({sizes})")


def check_width(width):
    for inputs, outputs, layers, budget in ((4, 1, 1, 601), (4, 1, 1, 600), (4, 1, 2, 601), (4, 1, 5, 601), (784, 10, 1, 40_000), (2, 3, 3, 40)):
        what = f"width({inputs}, {outputs}, {layers}, {budget})"
        h = width(inputs, outputs, layers, budget)
        true(isinstance(h, (int, np.integer)), f"{what}: {h!r} came out, a whole number is expected")

        def needs(h, inputs=inputs, outputs=outputs, layers=layers):
            return (inputs + 1) * h + (layers - 1) * (h + 1) * h + (h + 1) * outputs

        true(needs(h) <= budget, f"{what}: {h} came out; that net has {needs(h)} parameters")
        true(needs(h + 1) > budget, f"{what}: {h} came out; with {h + 1} units it has {needs(h + 1)} parameters, which is still allowed")


def check_deep(deep):
    x = np.linspace(0, 1, 257)
    for layers in (1, 2, 3, 5):
        expected = x
        for _ in range(layers):
            expected = np.where(expected < 0.5, 2 * expected, 2 - 2 * expected)
        same(deep(x, layers), expected, f"deep(x, {layers}) for x from 0 to 1")


EXERCISES = [
    Exercise("parameters", "The number of weights and shifts of Linear layers of these sizes: parameters([4, 8, 4, 1]) is 81.",
             ("A layer from a units to b has a weight for each pair, and a shift for each of its own units.",
              "Add up (a + 1) * b for all neighbours a, b in sizes: itertools.pairwise(sizes) gives them."), check_parameters),
    Exercise("width", "The largest h such that a net with so many hidden layers of h units each has at most ``budget`` parameters.",
             ("Write down the number of parameters as a function of h. It grows with h, so you can simply try.",
              "Sizes are [inputs] + [h] * layers + [outputs]; count h up as long as h + 1 is still within the budget."), check_width),
    Exercise("deep", "g of g of g ... of the array x, ``layers`` times, with g(x) = relu(2 x) - relu(4 x - 2).",
             ("g takes an array and gives one of the same shape, so its result can go in again.",
              "np.maximum(2 * x, 0) - np.maximum(4 * x - 2, 0), in a loop."), check_deep),
]
