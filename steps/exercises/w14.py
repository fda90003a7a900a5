"""Exercises of workshop script w14: running averages, answers in use, and a norm that disappears into a Linear layer."""

import numpy as np

import dezero.functions as F
import dezero.layers as L
from dezero import no_grad, test_mode
from dezero.models import Sequential
from steps.exercises.kit import Exercise, same, true


def check_running(running):
    rng = np.random.default_rng(0)
    for count, decay in ((1, 0.9), (3, 0.9), (20, 0.5), (4, 0.0)):
        batches = [rng.normal(loc=3.0, size=5 + i) for i in range(count)]
        expected = 0.0
        for batch in batches:
            expected = decay * expected + (1 - decay) * batch.mean()
        same(running(batches, decay), expected, f"running of {count} batches with decay {decay}")
    same(running([], 0.9), 0.0, "running without a batch")


def small_net(rng):
    def weights(shape):
        return rng.normal(size=shape).astype(np.float32)

    return Sequential(L.Linear(6, in_size=4, initializer=weights), L.BatchNorm(6), F.relu, L.Linear(3, in_size=6, initializer=weights))


def check_answers(answers):
    rng = np.random.default_rng(0)
    model, x = small_net(rng), rng.normal(size=(40, 4)).astype(np.float32)
    for _ in range(20):
        model(x)
    with test_mode(), no_grad():
        expected = model(x).data.argmax(axis=1)
    before = {name: array.copy() for name, array in model.state_dict().items()}
    same(answers(model, x), expected, "answers(model, x) for 40 images")
    same(answers(model, x[7:8]), expected[7:8], "answers(model, x) for one of these images alone")
    for name, array in model.state_dict().items():
        true((array == before[name]).all(), f"answers(model, x): {name} of the model has changed")
    model(x)
    moved = any((array != before[name]).any() for name, array in model.state_dict().items())
    true(moved, "after answers(model, x) the model does not train any more: its running averages stay as they are")


def check_folded(folded):
    rng = np.random.default_rng(0)
    for inputs, units in ((4, 3), (2, 7)):
        norm = L.BatchNorm(units, dtype=np.float64)
        for field in (norm.gamma, norm.beta, norm.avg_mean):
            field.data = rng.normal(size=units)
        norm.avg_var.data = rng.uniform(0.2, 3.0, size=units)
        W, b, x = rng.normal(size=(inputs, units)), rng.normal(size=units), rng.normal(size=(10, inputs))
        with test_mode(), no_grad():
            expected = norm(x @ W + b).data
        got = folded(W, b, norm)
        true(isinstance(got, (tuple, list)) and len(got) == 2, "folded gives two arrays, W and b")
        same([np.shape(part) for part in got], [(inputs, units), (units,)], "the shapes of W and b")
        same(x @ np.asarray(got[0]) + np.asarray(got[1]), expected, f"x @ W + b with the folded W {W.shape} and b", tolerance=1e-6)


EXERCISES = [
    Exercise("running", "From a list of arrays (N,), the running average of their means as the layer keeps it: at first 0, and with each batch decay "
             "times the old average plus 1 - decay times the batch's mean. A float.",
             ("One number is carried along; each batch changes it.",
              "average = 0.0, then in a loop: average = decay * average + (1 - decay) * batch.mean()."), check_running),
    Exercise("answers", "The classes that a model with BatchNorm gives to images x (N, I), an array (N,). Each answer has to be the same whatever "
             "other images are asked, and the model must be left as it was: same running averages, still in training mode.",
             ("Which of the two modes looks at one image at a time? And which context keeps no graph?",
              "with test_mode(), no_grad(): the argmax of model(x).data along axis 1. Both contexts end by themselves."), check_answers),
    Exercise("folded", "In use, a Linear layer and the BatchNorm after it are one Linear layer. Its W and b as arrays, from the arrays W (I, H), "
             "b (H,) and the layer norm, which has avg_mean, avg_var, gamma, beta and eps.",
             ("In use the norm multiplies each unit by a fixed number and adds a fixed number. What are they?",
              "scale = gamma / sqrt(avg_var + eps), all arrays in .data; then W * scale and (b - avg_mean) * scale + beta."), check_folded),
]
