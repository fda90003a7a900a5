"""Exercises of workshop script w04: telling underfitting from overfitting, learning by heart, choosing a size by new points."""

import numpy as np

from steps.exercises.kit import Exercise, same, true


def check_verdict(verdict):
    rows = ((0.4, 0.5, 0.1, "underfits"), (0.02, 0.3, 0.1, "overfits"), (0.08, 0.09, 0.1, "fits"), (0.3, 0.05, 0.1, "underfits"),
            (0.02, 0.3, 0.35, "fits"), (0.02, 0.3, 0.01, "underfits"))
    for known, new, goal, expected in rows:
        same(verdict(known, new, goal), expected, f"verdict({known}, {new}, {goal})")


def check_by_heart(by_heart):
    rng = np.random.default_rng(0)
    for n in (1, 5, 30):
        x, t = rng.permutation(np.linspace(-2, 2, n)), rng.normal(size=n)
        f = by_heart(x, t)
        true(callable(f), f"by_heart(x, t) gave a {type(f).__name__}: a function is expected")
        order = rng.permutation(n)
        same(f(x[order]), t[order], f"the function of by_heart for {n} points, called with these points in another order", tolerance=1e-6)
        new = np.array([0.0123, -1.777, 1.5])
        got = np.asarray(f(new))
        right = got.shape == (3,) and got.dtype.kind in "fi" and np.isfinite(got).all()
        true(right, f"the function of by_heart, called with three other points: {got} came out, numbers (3,) are expected")


def check_best_degree(best_degree):
    rng = np.random.default_rng(1)

    def points(n, coefficients, noise):
        x = rng.uniform(-1, 1, n)
        return x, np.polyval(coefficients, x) + rng.normal(scale=noise, size=n)

    for coefficients, noise, count in (([2.0, 0.0, -1.0, 0.5], 0.2, 12), ([1.0, 0.0], 0.3, 10), ([5.0, 0.0, -4.0, 0.0, 0.3], 0.05, 40)):
        known, new = points(count, coefficients, noise), points(300, coefficients, noise)
        degrees = list(range(9))
        errors = {d: np.mean((np.polyval(np.polyfit(*known, d), new[0]) - new[1]) ** 2) for d in degrees}
        what = f"best_degree for {count} noisy points of a polynomial of degree {len(coefficients) - 1}"
        same(best_degree(known, new, degrees), min(errors, key=errors.get), what)
    same(best_degree(known, new, [1, 2]), min((1, 2), key=errors.get), "best_degree, if only 1 and 2 are allowed")


EXERCISES = [
    Exercise("verdict", '"underfits" if the error on known points is above the goal; else "overfits" if that on new points is above it; else "fits".',
             ("Two questions in a row. Which comes first?",
              'If known > goal it is "underfits", whatever new is. Only then ask whether new > goal.'), check_verdict),
    Exercise("by_heart", "For known points x (N,), all different, and t (N,): a function of an array x (M,) without any error on the known points, "
             "which gives some number for any other.",
             ("The function has to find the known point that was asked for. What could it do for a point that is not known?",
              "Give the t of the nearest known point: t[np.abs(new[:, None] - x).argmin(axis=1)]."), check_by_heart),
    Exercise("best_degree", "known and new are pairs (x, t) of arrays (N,). The degree whose polynomial, fitted to the known points with np.polyfit, "
             "has the lowest mean squared error on the new points.",
             ("np.polyfit(x, t, degree) gives coefficients, np.polyval(coefficients, x) the values. Which points belong to which of them?",
              "Fit with known, measure with new: min(degrees, key=error), with error(d) the mean of (np.polyval(np.polyfit(*known, d), x) - t)**2."),
             check_best_degree),
]
