"""Exercises of step 43: what a network of two layers is made of."""

import numpy as np

from dezero import Variable
from steps.exercises.kit import Exercise, same, true


def check_merged(merged):
    rng = np.random.default_rng(0)
    for n, m, k in ((1, 12, 1), (3, 4, 2), (2, 2, 2)):
        W1, b1, W2, b2 = rng.normal(size=(n, m)), rng.normal(size=m), rng.normal(size=(m, k)), rng.normal(size=k)
        got = merged(W1, b1, W2, b2)
        true(isinstance(got, (tuple, list)) and len(got) == 2, f"merged gave {got!r}: the pair of W and b is expected")
        W, b = got
        same(np.shape(W), (n, k), f"the shape of W for sizes {n}, {m}, {k}")
        true(np.shape(b) in ((k,), (1, k)), f"b for sizes {n}, {m}, {k} has the shape {np.shape(b)}: {(k,)} is expected")
        x = rng.normal(size=(5, n))
        same(x @ W + b, (x @ W1 + b1) @ W2 + b2, f"x @ W + b for sizes {n}, {m}, {k}")


def check_stairs(stairs):
    x = np.round(np.arange(-3, 4, 0.25), 2).reshape(-1, 1)
    for places, heights in (([0.1], [1.0]), ([-1.1, 0.6, 2.1], [2.0, -3.0, 0.5]), ([-2.6, -2.1, 1.85], [1.0, 1.0, -4.0])):
        y = stairs(Variable(x), places, heights)
        true(isinstance(y, Variable), f"stairs gave a {type(y).__name__}: a Variable is expected")
        same(y.shape, x.shape, f"the shape of stairs at {places}")
        right = sum(height * (x > place) for place, height in zip(places, heights, strict=True))
        far = np.min([np.abs(x - place) for place in places], axis=0) >= 0.0999
        wrong = far & (np.abs(y.data - right) > 0.01)
        if wrong.any():
            at = np.argmax(wrong)
            true(False, f"places {places}, heights {heights}: at x = {x[at, 0]} came out {y.data[at, 0]:.4f}, {right[at, 0]:.4f} is expected")
        box = Variable(np.array([[places[0]]]))
        y = stairs(box, places, heights)
        y.backward()
        slope = 0.0 if box.grad is None else float(box.grad.data[0, 0])
        true(slope * heights[0] > 0, f"at x = {places[0]} the slope is {slope}: soft stairs are expected, so it should not be flat there")


def check_learned(learned):
    for f, name in ((np.abs, "|x|"), (lambda x: np.sin(3 * x), "sin(3x)")):
        x = np.linspace(-2, 2, 80).reshape(-1, 1)
        predict = learned(x, f(x))
        true(callable(predict), f"learned gave {predict!r}: a function is expected")
        between = np.linspace(-1.99, 1.99, 57).reshape(-1, 1)
        got = predict(between)
        true(isinstance(got, np.ndarray), f"the prediction is a {type(got).__name__}: an array is expected")
        same(got.shape, (57, 1), "the shape of 57 predictions")
        loss = float(np.mean((got - f(between)) ** 2))
        true(loss < 0.005, f"{name}: the mean squared error is {loss:.4f}, below 0.005 is expected")


EXERCISES = [
    Exercise("merged", "The one pair of arrays W, b with x @ W + b equal to two layers without an activation, for any x.",
             ("Write out (x @ W1 + b1) @ W2 + b2, and sort: what has x in it, and what has not?", "W is W1 @ W2, and b is b1 @ W2 + b2."),
             check_merged),
    Exercise("stairs", "No learning: at each place the result rises by its height, and is flat from 0.1 away on. Use F.tanh.",
             ("tanh rises by 2 in all, from -1 to 1. How is a stair moved to a place, made steeper, made to rise from 0 to 1?",
              "Add up height / 2 * (F.tanh(50 * (x - place)) + 1). As a network, W1 is all 50, b1 is -50 * place, W2 is height / 2."), check_stairs),
    Exercise("learned", "Train a network, and return a function from (M, 1) to predictions (M, 1), with a mean squared error below 0.005.",
             ("train and network of the script do it, but sin(3x) bends more often than x sin(x). What could be larger?",
              "With random numbers from a default_rng, 30 hidden units and W1 and b1 twice as large, 3000 steps with a rate of 0.05 are enough."),
             check_learned),
]
