"""Exercises of step 46: rules of your own."""

import math

import numpy as np

from dezero import Parameter
from dezero.optimizers import Optimizer
from steps.exercises.kit import Exercise, same, true


def moved(rule, rate, start, gradients, what):
    """Where an optimizer brings a parameter, and whether it left the gradients alone."""
    optimizer = rule(lr=rate)
    true(isinstance(optimizer, Optimizer), f"{what}(lr={rate}) gave a {type(optimizer).__name__}: derive {what} from Optimizer")
    w = Parameter(np.array(start))
    optimizer.setup([w])
    for g in gradients:
        w.grad = np.array(g)
        optimizer.update()
        same(w.grad, np.array(g), f"param.grad after an update of {what}")
    return w


def check_signs(Signs):
    w = moved(Signs, 0.1, [1.0, 1.0, 1.0], [[300.0, -0.001, 0.0]], "Signs")
    same(w, np.array([0.9, 1.1, 1.0]), "1, 1, 1 after one update with rate 0.1 and slopes 300, -0.001, 0")
    w = moved(Signs, 0.5, [[0.0, 2.0]], [[[1.0, -1.0]], [[5.0, 2.0]]], "Signs")
    same(w, np.array([[-1.0, 2.0]]), "[[0, 2]] after two updates with rate 0.5 and slopes [[1, -1]], [[5, 2]]")


def check_clipped(Clipped):
    w = moved(Clipped, 0.1, [1.0, 1.0], [[30.0, -40.0]], "Clipped")
    same(w, np.array([0.94, 1.08]), "1, 1 after one update with rate 0.1 and the gradient (30, -40), whose length is 50")
    w = moved(Clipped, 0.1, [1.0, 1.0], [[0.3, 0.4]], "Clipped")
    same(w, np.array([0.97, 0.96]), "1, 1 after one update with rate 0.1 and the gradient (0.3, 0.4), whose length is 0.5")
    w = moved(Clipped, 1.0, [[3.0, 1.0], [1.0, 3.0]], [[[2.0, 2.0], [2.0, -2.0]]], "Clipped")
    same(w, np.array([[2.5, 0.5], [0.5, 3.5]]), "a table after one update with rate 1 and the gradient [[2, 2], [2, -2]], whose length is 4")
    w = moved(Clipped, 0.1, [1.0, 2.0], [[0.0, 0.0]], "Clipped")
    same(w, np.array([1.0, 2.0]), "1, 2 after an update with a gradient of zeros")


def check_adam_step(adam_step):
    for t in (1, 2, 10, 1000):
        m, v = 0.1 * 5 / (1 - 0.9**t), 0.001 * 25 / (1 - 0.999**t)
        same(adam_step(t), m / math.sqrt(v), f"adam_step({t})", tolerance=1e-6)


EXERCISES = [
    Exercise("Signs",
             "An Optimizer that knows only the sign of each slope: every number moves by the rate against it (not at all where the slope is 0).",
             ("It needs no memory. NumPy has a function that gives -1, 0 or 1.",
              "In update_one(self, param): param.data -= self.rate * np.sign(param.grad.data)."), check_signs),
    Exercise("Clipped", "SGD that shortens long gradients: a parameter's gradient that is longer than 1 is divided by its length. "
             "param.grad stays as it was.",
             ("The length is the root of the sum of all squares, for tables too. Which number do you divide by if the length is 0.5?",
              "Divide by max(1.0, np.sqrt((g**2).sum())), into a new array: g / ..., not g /= ..."), check_clipped),
    Exercise("adam_step", "Rate 1, the slope was 0 for t - 1 steps and is 5 now. How far does Adam step in step t? Leave the 1e-8 out.",
             ("Both memories are 0 until now. What do m and v become, and by what are they divided?",
              "m is 0.5, divided by 1 - 0.9**t. v is 0.025, divided by 1 - 0.999**t. The step is the first over the root of the second."),
             check_adam_step),
]
