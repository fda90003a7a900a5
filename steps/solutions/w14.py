"""One way to solve the exercises of workshop script w14."""

import numpy as np

from dezero import no_grad, test_mode


def running(batches, decay):
    average = 0.0
    for batch in batches:
        average = decay * average + (1 - decay) * batch.mean()
    return average


def answers(model, x):
    with test_mode(), no_grad():
        return model(x).data.argmax(axis=1)


def folded(W, b, norm):
    scale = norm.gamma.data / np.sqrt(norm.avg_var.data + norm.eps)
    return W * scale, (b - norm.avg_mean.data) * scale + norm.beta.data
