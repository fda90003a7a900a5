"""Exercises of step 54: dropout of whole channels, and what its noise is good for."""

import numpy as np

import dezero
import dezero.functions as F
from dezero import Variable
from steps.exercises.kit import Exercise, content, same, true


def check_spread(spread):
    for x, p in ((1.0, 0.5), (3.0, 0.2), (-2.0, 0.9), (0.5, 0.0)):
        same(spread(x, p), abs(x) * np.sqrt(p / (1 - p)), f"spread({x}, {p})", 1e-6)


def check_drop_channels(drop_channels):
    rng = np.random.default_rng(0)
    before = np.random.get_state()
    try:
        for shape, p in (((40, 30, 2, 3), 0.5), ((60, 20, 3, 2), 0.2)):
            x = Variable(rng.uniform(1, 2, shape))
            y = drop_channels(x, p)
            true(isinstance(y, Variable), f"drop_channels gave a {type(y).__name__}: a Variable is expected")
            factor = content(y) / x.data
            same(factor, np.broadcast_to(factor[:, :, :1, :1], shape), "y / x: within one picture there should be one number")
            off = (factor == 0).mean()
            true(abs(off - p) < 0.08, f"p = {p}: {off:.0%} of the channels are off")
            same(factor[factor != 0], np.full((factor != 0).sum(), 1 / (1 - p)), f"p = {p}: y / x where it is not 0")
            again = content(drop_channels(x, p)) / x.data
            true((again != factor).any(), "two calls should draw two masks")
            F.sum(y).backward()
            true(x.grad is not None, "x has no gradient: somewhere on the way its box was opened")
            same(x.grad, factor, "the gradient of x: the mask of the forward")
            with dezero.test_mode():
                same(drop_channels(x, p), x.data, "in test mode")
    finally:
        np.random.set_state(before)


def check_mean_answer(mean_answer):
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(6, 4, 10))
    x = rng.normal(size=(4, 3))
    seen = []

    def model(rows):
        seen.append((dezero.Config.train, dezero.Config.enable_backprop))
        y = Variable(scores[(len(seen) - 1) % 6])
        return y + 0.0 * F.sum(Variable(np.asarray(content(rows))))

    found = mean_answer(model, x, 6)
    true(found is not None, "mean_answer returned nothing: an array is expected")
    true(len(seen) == 6, f"for n = 6 the model was called {len(seen)} times")
    p = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    same(found, p.mean(axis=0), "the mean of the probabilities of 6 runs")
    true(isinstance(found, np.ndarray), f"mean_answer gave a {type(found).__name__}: an array is expected")
    true(all(train for train, _ in seen), "the model ran in test mode: dropout did nothing")
    true(not any(recorded for _, recorded in seen), "a graph was recorded: run the model within dezero.no_grad()")


EXERCISES = [
    Exercise("spread", "How far one element jumps about: the root of the mean of (dropout(x) - x)², over all masks, as a formula in x and p (p < 1).",
             ("With probability p the element is 0, else x / (1 - p). What is (y - x)² in either case?",
              "p * x² + (1 - p) * (x / (1 - p) - x)² is x² * p / (1 - p). Take the root."), check_spread),
    Exercise("drop_channels", "For x (N, C, H, W), switch off whole channels, each with probability p. In test mode x as it is.",
             ("F.dropout draws one number for each element of what it gets. Which shape should the mask have?",
              "mask = F.dropout(np.ones((N, C, 1, 1)), p), then x * mask: broadcasting stretches it, and in test mode it is all ones."),
             check_drop_channels),
    Exercise("mean_answer", "The mean of the probabilities of n runs with dropout at work, without a graph, as an array.",
             ("Which mode is on, if nobody asks for another one? And which of softmax and mean comes first?",
              "with no_grad(): sum(F.softmax(model(x)).data for _ in range(n)) / n. No test_mode."), check_mean_answer),
]
