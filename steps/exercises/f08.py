"""Exercises of script f08: partial derivatives, and how far descent goes."""

import numpy as np

from steps.exercises.kit import Exercise, same, true


def check_limit(limit):
    for steepness, expected in ((1, 1.0), (10, 0.1), (4, 0.25), (0.5, 2.0)):
        same(limit(steepness), expected, f"limit({steepness}), for the bowl {steepness} * x*x")


def check_partial(partial):
    point = np.array([1.0, 2.0, 3.0])
    for i, expected in ((0, 6.0), (1, 3.0), (2, 29.0)):
        got = partial(lambda p: p[0] * p[1] * p[2] + p[2] ** 3, point, i)
        same(got, expected, f"the partial derivative of x*y*z + z**3 by knob {i} at (1, 2, 3)", tolerance=1e-3)
    true(np.array_equal(point, [1.0, 2.0, 3.0]), f"the point was (1, 2, 3) before and is {point.tolist()} now: turn the knobs of a copy")
    same(partial(lambda p: p[0] ** 2, np.array([-1.5]), 0), -3.0, "the derivative of x*x at -1.5, with one knob", tolerance=1e-3)


def check_descend_until(descend_until):
    for bowl, name, rate, start, small, most, steps in BOWLS:
        what = f"{name} from {start}, rate {rate}, small {small}, most {most}"
        result = descend_until(bowl, np.array(start), rate, small, most)
        true(isinstance(result, (tuple, list)) and len(result) == 2, f"{what}: a point and a number of steps are expected, {result!r} came out")
        same(result[1], steps, f"{what}: the number of steps")
        expected = np.array(start) * (1 - rate * np.array([2.0, 2.0 if name == "x*x + y*y" else 20.0])) ** steps
        same(np.asarray(result[0], dtype=float), expected, f"{what}: the point", tolerance=1e-6)


# With the lengths of the gradient worked out on paper; none lies near its limit.
BOWLS = [(lambda p: p[0] ** 2 + p[1] ** 2, "x*x + y*y", 0.1, (3.0, 4.0), 1.0, 100, 11),
         (lambda p: p[0] ** 2 + p[1] ** 2, "x*x + y*y", 0.1, (3.0, 4.0), 1.0, 5, 5),
         (lambda p: p[0] ** 2 + p[1] ** 2, "x*x + y*y", 0.1, (0.1, 0.1), 1.0, 100, 0),
         (lambda p: p[0] ** 2 + 10 * p[1] ** 2, "x*x + 10*y*y", 0.02, (3.0, 4.0), 0.5, 200, 61)]

EXERCISES = [
    Exercise("limit", "The bowl is steepness * x*x. At which rate does descent go to and fro for ever? (Above it, it runs away.)",
             ("By which factor does one step multiply x? To and fro for ever means that this factor is -1.",
              "The slope is 2 * steepness * x, so the factor is 1 - 2 * steepness * rate."), check_limit),
    Exercise("partial", "The partial derivative of f by knob i at a point, an array of any length. The point must stay as it was.",
             ("Turn only knob i, a little up and a little down. Who else holds the array that you change?",
              "up, down = point.copy(), point.copy(); up[i] += 1e-4; down[i] -= 1e-4; the difference of f, divided by 2e-4."), check_partial),
    Exercise("descend_until", "Descend until the gradient is shorter than small, but at most `most` steps. Return the point and the number of steps.",
             ("Before each step: is the gradient short already? Then no step is made, not even the first.",
              "for step in range(most): slopes = gradient(f, point); if np.sqrt(slopes @ slopes) < small: return point, step; then move. "
              "After the loop: return point, most."), check_descend_until),
]
