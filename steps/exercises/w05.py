"""Exercises of w05: how fast weights decay, decay as a penalty, and comparing runs in pairs."""

import numpy as np

import dezero.functions as F
from dezero import Parameter, Variable
from steps.exercises.kit import Exercise, content, same, true


def check_left(left):
    for rate, decay, steps in ((0.1, 0.5, 1), (0.001, 0.3, 1200), (0.001, 0.01, 1200), (0.01, 2.0, 300), (0.1, 0.0, 7), (0.1, 0.5, 0)):
        same(left(rate, decay, steps), (1 - rate * decay) ** steps, f"left({rate}, {decay}, {steps})")


def check_with_penalty(with_penalty):
    rng = np.random.default_rng(0)
    for decay in (0.5, 3.0):
        W, K, b = Parameter(rng.normal(size=(3, 2))), Parameter(rng.normal(size=(2, 1, 3, 3))), Parameter(rng.normal(size=2))
        x = rng.normal(size=(5, 3))
        plain = F.sum((F.matmul(x, W) + b) ** 2) + F.sum(K)
        plain.backward()
        before = [content(p.grad).copy() for p in (W, K, b)]
        for p in (W, K, b):
            p.cleargrad()
        loss = with_penalty(F.sum((F.matmul(x, W) + b) ** 2) + F.sum(K), [W, K, b], decay)
        true(isinstance(loss, Variable), f"with_penalty gave a {type(loss).__name__}: a Variable is expected")
        penalty = decay / 2 * float((W.data**2).sum() + (K.data**2).sum())
        same(float(loss.data), float(plain.data) + penalty, f"the loss with a penalty of decay {decay}")
        loss.backward()
        for p, old, name, share in zip((W, K, b), before, ("W (3, 2)", "K (2, 1, 3, 3)", "the bias"), (decay, decay, 0.0), strict=True):
            true(p.grad is not None, f"{name} has no gradient: somewhere on the way its box was opened")
            same(p.grad, old + share * p.data, f"the gradient of {name}, decay {decay}")


def check_paired(paired):
    rng = np.random.default_rng(1)
    for plain, cured in (([0.3, 0.5, 0.4], [0.2, 0.45, 0.41]), (rng.normal(1, 0.1, 9).tolist(), rng.normal(0.9, 0.1, 9).tolist())):
        difference = np.array(plain) - np.array(cured)
        got = paired(plain, cured)
        true(got is not None and np.shape(got) == (3,), f"paired gave {got!r}: three numbers are expected")
        what = "of paired([0.3, 0.5, 0.4], [0.2, 0.45, 0.41])" if len(plain) == 3 else "of nine pairs"
        same(got[0], int((difference > 0).sum()), f"how often, {what}")
        same(got[1], float(difference.mean()), f"the mean {what}")
        same(got[2], float(difference.std(ddof=1) / np.sqrt(len(plain))), f"the standard error {what}")


EXERCISES = [
    Exercise("left", "The share of a weight that is left after so many steps of AdamW with this rate and decay, if its gradient is 0 all the time.",
             ("What is left after one step? And after that step once more?",
              "Each step multiplies by 1 - rate * decay."), check_left),
    Exercise("with_penalty", "The loss plus decay / 2 times the sum of the squares of all parameters with two axes or more, as a Variable.",
             ("A penalty is computed like a loss: with Variables, so that backward finds the parameters.",
              "for p in params: if p.ndim >= 2: loss = loss + decay / 2 * F.sum(p**2)"), check_with_penalty),
    Exercise("paired", "From two lists of losses by seed: how often cured is lower, the mean of plain - cured, and the standard error of this mean.",
             ("Subtract first, seed by seed: what is common to both runs of a seed is then gone. All three numbers come from the differences.",
              "d = np.array(plain) - np.array(cured); (d > 0).sum(), d.mean(), d.std(ddof=1) / len(d) ** 0.5"), check_paired),
]
