"""Exercises of step 05: the chain rule and its two orders."""

import numpy as np

from steps.exercises.kit import Exercise, same


def check_slope(slope):
    for x in (0.5, 1.3, -2.0):
        same(slope(x), np.exp(np.sin(x**2)) * np.cos(x**2) * 2 * x, f"the slope of exp(sin(x ** 2)) at {x}")


def check_jacobian(jacobian):
    for a, b in ((2.0, 5.0), (0.0, -1.0)):
        same(jacobian(np.array([a, b])), np.array([[b, a], [1.0, 1.0], [np.cos(a), 0.0]]), f"the table of slopes at [{a}, {b}]")


def check_cheaper(cheaper):
    for sizes, expected in [([1000, 1000, 500, 1], "back"), ([1, 500, 1000, 1000], "on"), ([2, 100, 100, 100, 3], "on"), ([30, 20, 5, 8, 4], "back"),
                            ([10, 1, 10, 1000, 1], "back"), ([10, 1000, 10, 1, 10], "on"), ([3, 1000, 2, 2], "on"), ([2, 2, 1000, 3], "back")]:
        same(cheaper(sizes), expected, f"the cheaper order for {sizes}")


EXERCISES = [
    Exercise("slope", "The slope of exp(sin(x ** 2)) for a number x, as a product of three local slopes.",
             ("Name what is in between: a = x ** 2, b = sin(a), y = exp(b). Each local slope is taken at the part's own input.",
              "The local slopes are 2 * x, cos(a) and exp(b)."), check_slope),
    Exercise("jacobian", "The table of slopes of three outputs x0 * x1, x0 + x1 and sin(x0), for an array x of two numbers.",
             ("A row for each output, a column for each input: three rows and two columns. sin(x0) does not answer to x1 at all.",
              "The rows are [x1, x0], [1, 1] and [cos(x0), 0]; return them as one array of floats."), check_jacobian),
    Exercise("cheaper", 'Which order needs fewer multiplications for a chain with these sizes, "on" or "back"?',
             ("The table of a part with n inputs and m outputs has m rows and n columns. From the input on, what stays the same in each product?",
              "Let sizes be s[0] ... s[-1]. On: the sum of s[i + 1] * s[i] * s[0] for i from 1. "
              "Back: the sum of s[-1] * s[i + 1] * s[i] for all i but the last."),
             check_cheaper),
]
