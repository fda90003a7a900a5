"""Exercises of step 47: scores, probabilities, losses."""

import math

import numpy as np

import dezero.functions as F
from dezero import Variable
from steps.exercises.kit import Exercise, NotYet, same, true


def check_first_loss(first_loss):
    for classes in (2, 3, 10, 1000):
        expected = float(F.softmax_cross_entropy(np.zeros((1, classes)), np.array([0])).data)
        got = first_loss(classes)
        true(got is not None, f"first_loss({classes}) returned nothing")
        same(float(got), expected, f"first_loss({classes})", tolerance=1e-6)


def check_log_sum_exp(log_sum_exp):
    for x, expected in (([0.0, 0.0], math.log(2)), ([1.0, 2.0, 3.0], math.log(math.e + math.e**2 + math.e**3)), ([5.0], 5.0),
                        ([1000.0, 1000.0], 1000 + math.log(2)), ([-2000.0, -2000.0, -5000.0], -2000 + math.log(2)), ([1e4, -1e4], 1e4)):
        numbers = np.array(x)
        with np.errstate(all="ignore"):
            got = log_sum_exp(numbers)
        same(got, expected, f"log_sum_exp of {x}")
        same(numbers, np.array(x), "the array that was given, afterwards")


def check_cross_entropy(cross_entropy):
    rng = np.random.default_rng(0)
    t = np.array([2, 0, 1, 2])
    for scale, name in ((1.0, "scores near 0"), (1e4, "scores near 10000")):
        scores = rng.normal(size=(4, 3)) * scale
        x, expected = Variable(scores), Variable(scores)
        with np.errstate(all="ignore"):
            got = cross_entropy(x, t)
            true(isinstance(got, Variable), f"cross_entropy gave a {type(got).__name__}: a Variable is expected")
            same(got, F.softmax_cross_entropy(expected, t), f"the loss of {name}")
            got.backward()
        F.softmax_cross_entropy(expected, t).backward()
        if x.grad is None:
            raise NotYet("no gradient arrives at the scores: compute with Variables, not with their data")
        same(x.grad, expected.grad, f"the gradient of {name}")


EXERCISES = [
    Exercise("first_loss", "A new net gives about equal scores. Near which loss does its training begin? For any number of classes.",
             ("What does softmax make of equal scores?", "Each class gets 1 / classes, and the loss is minus the logarithm of that."),
             check_first_loss),
    Exercise("log_sum_exp", "log of the sum of exp of an array (N,), as a float, right for numbers of any size. No SciPy.",
             ("What can be taken out of every exp so that none is too large, and added again behind the log?",
              "With m = x.max(): m + log of the sum of exp(x - m)."), check_log_sum_exp),
    Exercise("cross_entropy", "The mean cross entropy of scores (N, C) and labels (N,) as a Variable, from F.exp, F.log, sums and indices alone; "
             "for scores of any size. Gradients must be right too.",
             ("log of softmax is the score less the log of the sum of exponentials. The largest score of a row may be taken away as a plain array.",
              "y = x - x.data.max(axis=1, keepdims=True); logs = y - F.log(F.exp(y).sum(axis=1, keepdims=True)); then -mean of logs[rows, t]."),
             check_cross_entropy),
]
