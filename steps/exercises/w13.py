"""Exercises of w13: He's rule, what a spread does to a signal, units that begin equal."""

import numpy as np

import dezero.functions as F
import dezero.layers as L
from dezero.initializers import Constant, He
from dezero.models import MLP, Sequential
from steps.exercises.kit import Exercise, content, same, true


def check_he(he):
    for shape in ((400, 100), (100, 400), (50, 2000)):
        got = content(he(shape, np.random.default_rng(0)))
        true(isinstance(got, np.ndarray) and got.shape == shape, f"he({shape}, rng) gave no array of that shape")
        spread, expected = float(got.std()), (2 / shape[0]) ** 0.5
        true(abs(spread / expected - 1) < 0.05, f"he({shape}, rng): the spread is {spread:.4f}, {expected:.4f} is expected")
        true(abs(got.mean()) < 0.05 * expected, f"he({shape}, rng): the mean is {got.mean():.4f}, about 0 is expected")
        again, other = (content(he(shape, np.random.default_rng(seed))) for seed in (0, 1))
        true((got == again).all(), f"he({shape}, rng): two rngs with the same seed give different weights: draw from the rng that is given")
        true((got != other).any(), f"he({shape}, rng): two rngs with different seeds give the same weights")


def check_after(after):
    for depth, std, n in ((1, 0.1, 100), (10, 0.1, 100), (10, 0.01, 100), (3, 1.0, 32), (5, 0.5, 2), (0, 3.0, 7)):
        same(after(depth, std, n), (n * std**2) ** depth, f"after({depth}, {std}, {n})")


def check_broken(broken):
    def net(initializer=None):
        return MLP((8, 5, 3), F.tanh, He(seed=0) if initializer is None else initializer, in_size=4)

    twin = net()
    twin.l1.W.data[:, 4] = twin.l1.W.data[:, 1]
    rows = net()
    rows.l0.W.data[1] = rows.l0.W.data[0]
    last = Sequential(L.Linear(6, in_size=4, initializer=He(seed=1)), F.relu, L.Linear(2, in_size=6, initializer=Constant(0)))
    single = Sequential(L.Linear(1, in_size=4, initializer=Constant(0.1)))
    cases = (("one drawn at random", net(), []), ("one of zeros", net(initializer=0), ["l0.W", "l1.W", "l2.W"]),
             ("one in which two columns of l1.W are the same", twin, ["l1.W"]), ("one in which two rows of l0.W are the same", rows, []),
             ("one whose last layer is zeros", last, [name for name, p in last.named_params() if p.ndim == 2][1:]),
             ("a layer of one unit", single, []))
    for what, model, expected in cases:
        got = broken(model)
        true(isinstance(got, (list, tuple)), f"broken of {what}: {got!r} came out, a list is expected")
        same(list(got), expected, f"broken of {what}")


EXERCISES = [
    Exercise("he", "NumPy weights for a layer of (inputs, outputs) by He's rule, drawn from rng.",
             ("The variance is 2 divided by the number of inputs. rng.normal wants the spread, its root.",
              "rng.normal(scale=(2 / shape[0]) ** 0.5, size=shape)"), check_he),
    Exercise("after", "The mean square of numbers that enter is 1. What is it behind ``depth`` layers without activation and bias, each with n "
             "inputs and n units, whose weights have this spread? The expected value, as a float.",
             ("A sum of n independent products: the mean squares of the products add up.",
              "One layer multiplies the mean square by n * std**2; so (n * std**2) ** depth."), check_after),
    Exercise("broken", "Do units of a model begin equal? The names of the parameters with two axes in which two columns or more are the same, as a "
             "list in order. Any Layer of the package may come, its sizes known; see named_params(). One column alone is never broken.",
             ("A unit's weights are a column of W. How many different columns are there, and how many columns?",
              "np.unique(p.data, axis=1).shape[1] < p.shape[1], for each p with p.ndim == 2."), check_broken),
]
